"""Whatever a server does, there is one honest answer or one plain error."""

import logging
import math
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from lorsync.adapters.caldav.session import Limits
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import as_uri, comparable, may_follow
from lorsync.core.errors import (
    BusyError,
    ConfigError,
    CredentialsError,
    LoginRefusedError,
    LorsyncError,
    ServerFailedError,
    UnavailableError,
)
from tests.servers.starting import free_port
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

PASSWORD = "hunter2-geheim"
XML = {"Content-Type": "application/xml"}


@pytest.fixture
def transport(hostile: Hostile) -> Iterator[Transport]:
    opened = Transport(
        hostile.url, username="mäya", password=PASSWORD, limits=Limits(connect=60.0, read=60.0)
    )
    yield opened
    opened.close()


@pytest.fixture
def hasty(hostile: Hostile) -> Iterator[Transport]:
    """One that waits for nothing, for servers that say nothing."""
    opened = Transport(hostile.url, username="maya", password=PASSWORD, limits=Limits(read=0.3))
    yield opened
    opened.close()


def failure(transport: Transport, path: str = "cal/") -> LorsyncError:
    with pytest.raises(LorsyncError) as caught:
        transport.send("PROPFIND", transport.origin + path, body=b"<x/>").multistatus()
    error = caught.value
    message = str(error)
    assert PASSWORD not in message
    assert 1 <= len(message.splitlines()) <= 2
    # Nothing foreign hangs on it: a request there holds the Authorization header.
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=401), LoginRefusedError),
        (Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'}), LoginRefusedError),
        (Reply(status=404), UnavailableError),
        (Reply(status=405), UnavailableError),
        (Reply(status=500), ServerFailedError),
        (Reply(status=502, body=b"<html>bad gateway</html>"), ServerFailedError),
        (Reply(status=503), BusyError),
        (Reply(status=429), BusyError),
        (Reply(status=502, headers={"Retry-After": "9"}), BusyError),
        (Reply(status=403, body=b'{"reason": "rateLimitExceeded"}'), BusyError),
        (Reply(status=403, body=b'{"errors": [{"domain": "usageLimits"}]}'), BusyError),
        (Reply(status=507), BusyError),
        (Reply(status=207), UnavailableError),
        (Reply(status=204), UnavailableError),
        (Reply(body=b"not xml at all", headers=XML), UnavailableError),
        (Reply(body=b"<multistatus", headers=XML), UnavailableError),
        (Reply(body=b"<d:error xmlns:d='DAV:'/>", headers=XML), UnavailableError),
        (Reply(body=b"\xff\xfe\x00", headers=XML), UnavailableError),
        (Reply(status=301), UnavailableError),
    ],
)
def test_each_bad_answer_is_one_plain_error(
    hostile: Hostile, transport: Transport, reply: Reply, kind: type[LorsyncError]
) -> None:
    hostile.always(reply)
    assert type(failure(transport)) is kind
    assert len(hostile.requests) == transport.requests == 1


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "text/plain"])
@pytest.mark.parametrize("status", [200, 207, 404])
def test_a_web_page_is_called_one(
    hostile: Hostile, transport: Transport, kind: str, status: int
) -> None:
    page = b"<!DOCTYPE html><html><body>Please log in<br></body></html>"
    hostile.always(Reply(status=status, body=page, headers={"Content-Type": kind}))
    assert "web page, not CalDAV: check the address" in str(failure(transport))


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("17", 17.0),
        ("soon", None),
        ("-5", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
        ("Sun Nov  6 08:49:37 1994", 0.0),
        pytest.param("9" * 400, math.inf, id="endless"),
    ],
)
@pytest.mark.parametrize("status", [403, 429, 503])
def test_retry_after_is_passed_on(
    hostile: Hostile, transport: Transport, status: int, wish: str, seconds: float | None
) -> None:
    quota = b'{"errors": [{"domain": "usageLimits"}]}'
    hostile.always(Reply(status=status, headers={"Retry-After": wish}, body=quota))
    error = failure(transport)
    assert isinstance(error, BusyError)
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_that_is_a_time_becomes_seconds(
    hostile: Hostile, transport: Transport, status: int
) -> None:
    then = (datetime.now(UTC) + timedelta(minutes=10)).replace(microsecond=0)
    at = format_datetime(then, usegmt=True)
    hostile.always(Reply(status=status, headers={"Retry-After": at}))
    error = failure(transport)
    assert isinstance(error, BusyError)
    assert error.retry_after is not None
    assert (then - datetime.now(UTC)).total_seconds() - 1 <= error.retry_after <= 600


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        ('Digest realm="x, y", nonce="n", qop="auth"', "only Digest, which lorsync does not"),
        ("Negotiate", "only Negotiate"),
        ('Bearer, Basic realm="x", Digest realm="x"', "refuses the user name"),
        ('Digest realm="x", basic realm="x"', "refuses the user name"),
        ('bAsIc realm="x"', "refuses the user name"),
    ],
)
def test_a_login_of_a_kind_that_is_not_spoken_is_no_wrong_password(
    hostile: Hostile, transport: Transport, offer: str, words: str
) -> None:
    hostile.always(Reply(status=401, headers={"WWW-Authenticate": offer}))
    error = failure(transport)
    assert isinstance(error, CredentialsError)
    assert words in str(error)


def test_a_403_keeps_its_conditions(hostile: Hostile, transport: Transport) -> None:
    body = b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
    hostile.always(Reply(status=403, body=body, headers=XML))
    answer = transport.send("REPORT", transport.origin)
    assert answer.status == 403
    assert answer.preconditions == {"{DAV:}valid-sync-token"}


def test_a_hang_ends_with_the_time_limit(hostile: Hostile, hasty: Transport) -> None:
    hostile.always(Reply(hang=True))
    error = failure(hasty)
    assert type(error) is UnavailableError
    assert "does not answer within 0.3 s" in str(error)
    assert not hostile.closing.is_set()
    assert len(hostile.requests) <= hasty.requests == 1


def test_a_port_without_a_server_is_unavailable() -> None:
    transport = Transport(f"http://127.0.0.1:{free_port()}/", username="a", password=PASSWORD)
    assert "refuses connections" in str(failure(transport))
    transport.close()


def test_a_host_that_does_not_exist_is_unavailable() -> None:
    transport = Transport("https://no-such-host.invalid/", username="a", password=PASSWORD)
    error = failure(transport)
    assert type(error) is UnavailableError
    assert "no-such-host.invalid" in str(error)
    transport.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_keep_method_body_and_headers(
    hostile: Hostile, transport: Transport, status: int
) -> None:
    hostile.answer = lambda request: (
        Reply(status=201, headers={"ETag": '"1"'})
        if request.path == "/new/a.ics"
        else Reply(status=status, headers={"Location": "/new/a.ics"})
    )
    answer = transport.send(
        "PUT", transport.origin + "old/a.ics", body=b"A\r\nB\nC", headers={"If-None-Match": "*"}
    )
    assert (answer.status, answer.url) == (201, transport.origin + "new/a.ics")
    last = hostile.requests[-1]
    assert (last.method, last.body, last.headers["if-none-match"]) == ("PUT", b"A\r\nB\nC", "*")
    assert transport.requests == 2


def test_a_redirect_in_a_circle_ends_after_five_hops(
    hostile: Hostile, transport: Transport
) -> None:
    hostile.always(Reply(status=302, headers={"Location": "/cal/"}))
    assert "circle" in str(failure(transport))
    assert len(hostile.requests) == 6


@pytest.mark.parametrize("location", ["http://localhost:1/", "https://evil.example/cal/", "//x/"])
def test_credentials_do_not_follow_to_another_host(
    hostile: Hostile, transport: Transport, location: str
) -> None:
    hostile.always(Reply(status=308, headers={"Location": location}))
    assert "password is not sent there" in str(failure(transport))
    assert len(hostile.requests) == 1


@pytest.mark.parametrize(
    ("origin", "target", "allowed"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com/1/", True),
        ("https://cloud.example.org/", "https://cloud.example.org:8443/dav/", True),
        ("https://cloud.example.org/", "http://cloud.example.org/dav/", False),
        ("https://cloud.example.org/", "https://cloud.example.com/", False),
        ("https://cloud.example.org/", "https://evil.org/", False),
        ("https://cloud.example.org/", "https://u:p@cloud.example.org/", False),
        # Names below these are given to anybody, so two of them are two owners.
        ("https://one.co.uk/", "https://two.co.uk/", False),
        ("https://cal.one.co.uk/", "https://dav.one.co.uk/", True),
        ("https://one.github.io/", "https://two.github.io/", False),
        ("https://cal.example.org./", "https://DAV.example.org/", True),
        ("https://10.0.0.1/", "https://99.0.0.1/", False),
        ("https://10.0.0.1/", "https://10.0.0.1/x", True),
        ("https://server/", "https://other/", False),
        ("https://example.org/", "ftp://example.org/", False),
        ("https://example.org/", "https://127.0.0.1/", False),
        ("http://127.0.0.1:5232/", "http://127.0.0.1:5232/x/", True),
        ("http://127.0.0.1:5232/", "http://127.0.0.1:8080/", False),
        ("https://[2001:db8::1]/", "https://[2001:db8::2]/", False),
        ("https://example.org/", "https://[broken/", False),
        # The HTTP client takes these for addresses of evil.org.
        ("https://cal.example.org/", r"https://evil.org\.example.org/", False),
        ("https://cal.example.org/", r"https://evil.org\@cal.example.org/", False),
        ("https://cal.example.org/", "https://evil.org%2f.example.org/", False),
        ("https://cal.example.org/", "https://evil.org .example.org/", False),
        ("http://nas.example.org/", "http://nas.example.org:80/dav/", True),
        ("http://nas.example.org/", "http://nas.example.org:8080/dav/", False),
        ("https://müller.example.org/", "https://dav.example.org/", True),
        ("https://bücher.example/", "https://xn--bcher-kva.example/dav/", True),
        ("https://XN--BCHER-KVA.example/", "https://BÜCHER.example/dav/", True),
        ("https://dav.bücher.example/", "https://xn--bcher-kva.example/dav/", True),
        ("https://bücher.example/", "https://xn--bucher-kva.example/", False),
        # By IDNA 2003, which browsers have left, these two would be one.
        ("https://straße.example/", "https://strasse.example/", False),
        ("https://straße.example/", "https://xn--strae-oqa.example/", True),
        ("https://example.org/", "https://example．org/", True),
        ("https://example.org/", "https://exаmple.org/", False),  # a Cyrillic letter
        # The request goes to the name that was given: see below.
        ("http://127.0.0.1:5232/", "http://localhost:5232/x/", True),
        ("http://localhost:5232/", "http://127.0.0.1:5232/x/", True),
        ("http://localhost:5232/", "http://[::1]:5232/x/", True),
        ("http://127.0.0.1:5232/", "http://localhost:5233/x/", False),
        ("http://127.0.0.1:5232/", "https://localhost:5232/x/", False),
        ("http://127.0.0.1:5232/", "http://127.0.0.2:5232/x/", False),
        ("http://127.0.0.1:5232/", "http://localhost.example.org:5232/x/", False),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]/", True),
    ],
)
def test_where_credentials_may_go(origin: str, target: str, allowed: bool) -> None:
    assert may_follow(origin, target) is allowed


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://cal.example.org/my cal/è/", "https://cal.example.org/my%20cal/%C3%A8/"),
        ("https://cal.example.org/my%20cal/%c3%a8/", "https://cal.example.org/my%20cal/%c3%a8/"),
        ("https://cal.example.org/50%/", "https://cal.example.org/50%25/"),
        ("https://cal.example.org/a@b/", "https://cal.example.org/a@b/"),
    ],
)
def test_an_address_is_sent_as_a_uri(given: str, sent: str) -> None:
    assert as_uri(given) == sent
    assert as_uri(sent) == sent
    assert comparable(given) == comparable(sent)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://cal.example.org/dav/", "HTTPS://CAL.example.org:443/dav"),
        ("https://cal.example.org", "https://cal.example.org./"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("http://localhost:5232/maya/", "http://127.0.0.1:5232/maya"),
        ("https://cal.example.org/%6daya/", "https://cal.example.org/maya/"),
        ("https://cal.example.org/a%40b/", "https://cal.example.org/a@b/"),
    ],
)
def test_s19_spellings_of_one_address_compare_alike(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://cal.example.org/maya/", "https://cal.example.org/Maya/"),
        ("https://cal.example.org/a%2Fb/", "https://cal.example.org/a/b/"),
        ("https://cal.example.org/", "https://cal.example.org:8443/"),
        ("https://straße.example/", "https://strasse.example/"),
        ("http://127.0.0.1:5232/", "http://[::1]:5232/"),
    ],
)
def test_s19_two_addresses_compare_as_two(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_a_server_of_this_machine_is_asked_by_the_name_that_was_given(
    hostile: Hostile, transport: Transport, name: str
) -> None:
    """Another program may listen where the other name leads, on the same port."""
    there = hostile.url.replace("127.0.0.1", name)

    def answer(request: Request) -> Reply:
        if request.path == "/":
            return Reply(status=307, headers={"Location": f"{there}home/"})
        return Reply(status=404)

    hostile.answer = answer
    assert transport.send("PROPFIND", hostile.url).url == f"{hostile.url}home/"
    hosts = {request.headers["host"].partition(":")[0] for request in hostile.requests}
    assert hosts == {"127.0.0.1"}


def test_a_location_in_utf_8_leads_where_it_says(hostile: Hostile, transport: Transport) -> None:
    def answer(request: Request) -> Reply:
        if request.path == "/":
            location = "/calendriers/été 27/".encode().decode("latin-1")
            return Reply(status=301, headers={"Location": location})
        return Reply(status=404)

    hostile.answer = answer
    transport.send("PROPFIND", hostile.url)
    assert hostile.requests[-1].path == "/calendriers/%C3%A9t%C3%A9%2027/"


@pytest.mark.parametrize(
    "url",
    [
        "http://calendar.example.org/",
        "https://maya:secret@calendar.example.org/",
        "calendar.example.org",
        "ftp://calendar.example.org/",
        "https://",
        "https://host:port/",
        "https://[::1",
        r"https://evil.org\.example.org/",
    ],
)
def test_addresses_that_would_leak_or_mean_nothing_are_config_errors(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Transport(url, username="a", password=PASSWORD)
    assert "calendar.url" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_i10_what_was_signed_with_is_in_no_part_of_an_answer(
    hostile: Hostile, transport: Transport
) -> None:
    """Servers that are being searched for mistakes send the headers of a request back."""

    def answer(request: Request) -> Reply:
        signed = request.headers["authorization"]
        body = f"<d:a xmlns:d='DAV:'><d:b>{signed}</d:b></d:a>".encode()
        return Reply(status=404, body=body, headers={"ETag": f'"{signed}"', "X-Sent": signed})

    hostile.answer = answer
    reply = transport.send("PROPFIND", hostile.url)
    signature = hostile.requests[0].headers["authorization"].removeprefix("Basic ").rstrip("=")
    assert signature
    assert reply.root is not None
    assert "Basic" in "".join(reply.root.itertext())
    assert signature not in str(reply.headers) + "".join(reply.root.itertext())


def test_i10_a_redirect_that_names_the_password_is_told_without_it(
    hostile: Hostile, transport: Transport
) -> None:
    hostile.always(Reply(status=308, headers={"Location": f"/login/{PASSWORD}/"}))
    assert "redirects in a circle" in str(failure(transport))
    hostile.always(Reply(status=308, headers={"Location": f"https://evil.example/{PASSWORD}/"}))
    assert "evil.example" in str(failure(transport))


def test_basic_is_sent_with_the_first_request_and_in_utf_8(
    hostile: Hostile, transport: Transport
) -> None:
    hostile.always(Reply(status=204))
    transport.send("PROPFIND", transport.origin)
    # RFC 7617: "mäya:hunter2-geheim"
    assert hostile.requests[0].headers["authorization"] == "Basic bcOkeWE6aHVudGVyMi1nZWhlaW0="


def test_netrc_is_not_read(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    hostile.always(Reply(status=204))
    transport = Transport(hostile.url, username="", password="")
    transport.send("PROPFIND", transport.origin)
    transport.close()
    assert hostile.requests[0].headers["authorization"] == "Basic Og=="


def test_connections_are_kept_alive_and_reused(hostile: Hostile, transport: Transport) -> None:
    ports = set()
    hostile.always(Reply(status=204))
    original = hostile._server.process_request

    def counted(request, address) -> None:
        ports.add(address)
        original(request, address)

    hostile._server.process_request = counted
    for _ in range(5):
        transport.send("PROPFIND", transport.origin)
    assert len(ports) == 1


def test_no_thread_wakes_an_idle_daemon(hostile: Hostile, transport: Transport) -> None:
    hostile.always(Reply(status=204))
    transport.send("PROPFIND", transport.origin)
    assert not [thread.name for thread in threading.enumerate() if "idle_conn" in thread.name]


def test_a_connection_that_was_closed_while_idle_is_replaced(
    hostile: Hostile, transport: Transport
) -> None:
    hostile.always(Reply(status=204, drop=True))
    for method in ("PROPFIND", "PUT", "DELETE", "REPORT"):
        assert transport.send(method, transport.origin, body=b"x").status == 204
        assert hostile.closed.acquire(timeout=120)
    assert [request.method for request in hostile.requests] == [
        "PROPFIND",
        "PUT",
        "DELETE",
        "REPORT",
    ]


def test_an_answer_that_breaks_off_is_unavailable_and_the_next_one_is_read(
    hostile: Hostile, transport: Transport
) -> None:
    hostile.always(Reply(body=b"<x", headers={**XML, "Content-Length": "100"}, drop=True))
    assert type(failure(transport)) is UnavailableError
    hostile.always(Reply(status=204))
    assert transport.send("PROPFIND", transport.origin).status == 204


def certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1 that nobody has signed."""
    file = folder / "server.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(file), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    with file.open("a") as both:
        both.write((folder / "cert.pem").read_text())
    return file


@pytest.mark.needs("openssl")
def test_a_certificate_is_checked_against_the_bundle_of_the_environment(
    hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    hostile.encrypt(certificate(tmp_path))
    hostile.always(Reply(status=204))
    stranger = Transport(hostile.url, username="a", password=PASSWORD)
    assert "certificate that this machine does not trust" in str(failure(stranger))
    stranger.close()
    assert hostile.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    friend = Transport(hostile.url, username="a", password=PASSWORD)
    assert friend.send("PROPFIND", friend.origin).status == 204
    friend.close()


def test_document_types_and_entities_are_refused(hostile: Hostile, transport: Transport) -> None:
    bomb = (
        b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">'
        b'<!ENTITY f SYSTEM "file:///etc/passwd">]>'
        b'<d:multistatus xmlns:d="DAV:"><d:sync-token>&b;&f;</d:sync-token></d:multistatus>'
    )
    hostile.always(Reply(body=bomb, headers=XML))
    assert "unreadable" in str(failure(transport))


@pytest.mark.parametrize("chunk", [b"zz", b"-5", b"", b"9" * 31])
def test_a_chunk_of_no_length_is_no_mistake_of_ours(
    hostile: Hostile, transport: Transport, chunk: bytes
) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-Length": "5"}
    hostile.always(Reply(body=chunk + b"\r\n<a/>x\r\n0\r\n\r\n", headers=headers, drop=True))
    assert isinstance(failure(transport), UnavailableError)


def test_an_answer_that_is_too_long_is_refused(hostile: Hostile, hasty: Transport) -> None:
    hostile.always(Reply(headers={**XML, "Content-Length": str(10**10)}))
    assert type(failure(hasty)) is UnavailableError


def test_nothing_is_logged_and_no_handler_is_installed(
    hostile: Hostile, transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    hostile.always(Reply(body=b"<p>hello<br>", headers={"Content-Type": "a/b"}))
    with caplog.at_level(logging.INFO):
        failure(transport)
    assert root.handlers == before
    assert caplog.records == []


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", (1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", (1994, 11, 6, 8, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 +0200", (1994, 11, 6, 6, 49, 37)),
        ("yesterday", None),
        ("Sun, 32 Nov 1994 08:49:37 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 +99999999", None),
    ],
)
def test_s21_the_servers_clock_is_read_from_its_answer(
    hostile: Hostile, transport: Transport, header: str, said: tuple[int, ...] | None
) -> None:
    assert transport.stated_time is None
    hostile.always(Reply(status=204, headers={"Date": header}))
    transport.send("PROPFIND", transport.origin)
    stated = said and datetime(*said, tzinfo=UTC)
    assert transport.stated_time == stated
    # What says nothing of the time takes nothing back, such as a refused token (403).
    hostile.always(Reply(status=403))
    transport.send("REPORT", transport.origin)
    assert transport.stated_time == stated
