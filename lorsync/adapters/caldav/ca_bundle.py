"""Which certificate authorities vouch for a server: this machine's, or those in a file."""

import os
import ssl
from pathlib import Path

from lorsync.core.errors import ConfigError


def trusted_authorities(ca_file: Path | None = None) -> bool | str:
    """Return what to verify certificates against, as an HTTP client takes it.

    The file of the config alone, else the one that the environment names, as other programs do,
    else True: what this machine trusts. Raises ConfigError for a file of the config that is none.
    """
    if ca_file is not None:
        check_authorities(ca_file)
        return str(ca_file)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if os.environ.get(name):
            return os.environ[name]
    return True


def check_authorities(ca_file: Path) -> None:
    """Raise ConfigError if a file cannot be read, or holds no certificates in PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError:
        why = "holds no certificate: a file in PEM is needed (BEGIN CERTIFICATE)"
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    else:
        return
    raise ConfigError(f"calendar.ca_file: {ca_file} {why}.")
