"""Resolve the names of an emulated internet to this machine, in every Python process of a test.

What a file of hosts does for names, and nothing else: certificates are checked as ever.
"""

import json
import os
import socket
from pathlib import Path

_file = os.environ.get("EMULATED_HOSTS")
if _file:
    _hosts = json.loads(Path(_file).read_text())
    _resolve = socket.getaddrinfo

    def _emulated(host, port, *rest, **more):
        name = host.decode() if isinstance(host, bytes) else host
        if name in _hosts and int(port or 0) == 443:
            return _resolve("127.0.0.1", _hosts[name], *rest, **more)
        return _resolve(host, port, *rest, **more)

    socket.getaddrinfo = _emulated

_port = os.environ.get("EMULATED_DNS")
if _port:
    import dns.resolver

    dns.resolver.default_resolver = dns.resolver.Resolver(configure=False)
    dns.resolver.default_resolver.nameservers = ["127.0.0.1"]
    dns.resolver.default_resolver.port = int(_port)

if os.environ.get("LOUD_LIBRARIES"):
    import logging

    _set_level = logging.Logger.setLevel

    def _loud(logger, _level):
        _set_level(logger, logging.DEBUG)

    logging.Logger.setLevel = _loud
