"""Pass requests on to a real server, so that a test can meddle with them on the way."""

import http.client
from urllib.parse import urlsplit

from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Answering, Reply, Request

_OF_ONE_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


def passed_on(server: Server) -> Answering:
    """Return what answers a request as the server does."""
    netloc = urlsplit(server.url).netloc

    def answer(request: Request) -> Reply:
        connection = http.client.HTTPConnection(netloc, timeout=120)
        try:
            headers = {k: v for k, v in request.headers.items() if k not in _OF_ONE_HOP}
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        said = {k: v for k, v in response.getheaders() if k.lower() not in _OF_ONE_HOP}
        return Reply(status=response.status, body=body, headers=said)

    return answer
