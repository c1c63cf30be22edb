"""What no request goes to, and what no parser gets to see."""

from collections.abc import Iterator

import pytest

from lorsync.adapters.caldav import forms, xml
from lorsync.adapters.caldav.response import strong_etag
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.caldav.urls import joined, shown
from lorsync.core.errors import ConfigError, LargeAnswerError, UnavailableError
from lorsync.doctor.findings import finding
from tests.unit.adapters.caldav.conftest import Hostile, Reply


@pytest.fixture
def transport(hostile: Hostile) -> Iterator[Transport]:
    opened = Transport(hostile.url, username="maya", password="secret")
    yield opened
    opened.close()


@pytest.mark.parametrize("url", ["https://evil.example/cal/", "http://localhost:1/", "https://[x"])
def test_the_first_address_of_a_request_is_checked_too(
    hostile: Hostile, transport: Transport, url: str
) -> None:
    with pytest.raises(UnavailableError, match="password is not sent there"):
        transport.send("PROPFIND", url)
    assert hostile.requests == []


DOCTYPE = '<!DOCTYPE d [<!ENTITY a "aaa">]><d xmlns="DAV:" b="&a;">&a;</d>'


@pytest.mark.parametrize(
    "document",
    [
        DOCTYPE.encode(),
        b"\xef\xbb\xbf" + DOCTYPE.encode(),
        f'<?xml version="1.0" encoding="latin-1"?>\n<!-- x -->{DOCTYPE}'.encode("latin-1"),
        DOCTYPE.encode("utf-16"),
        # Only libxml2 knows this one, so what expat cannot vouch for is not given to it.
        f'<?xml version="1.0" encoding="UTF-32"?>{DOCTYPE}'.encode("utf-32"),
        b"<!DOCTYPE html><html/>",
        b"<!--" + b"-" * 70_000,
        b"",
        b"BEGIN:VCALENDAR",
    ],
    ids=["utf-8", "bom", "latin-1", "utf-16", "utf-32", "html", "comment", "empty", "text"],
)
def test_a_document_type_never_reaches_the_parser(
    document: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parser() -> None:
        raise AssertionError(document[:80])

    monkeypatch.setattr(xml, "_parser", parser)
    assert xml.parse(document) is None


@pytest.mark.parametrize("many", [b"<a/>", b"<a b=''/>", "<a/>".encode("utf-16-le")])
def test_a_crowd_of_elements_never_reaches_the_parser(
    many: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml, "_parser", lambda: pytest.fail("it is given to the parser"))
    assert xml.parse(b"<d>" + many * 1_000_000 + b"</d>") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_plain_document_is_read_in_any_usual_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><d>Müller</d>'
    root = xml.parse(text.encode(encoding))
    assert root is not None
    assert root.text == "Müller"


@pytest.mark.parametrize("status", ["9" * 5000, "40", "-404", "٤٠٤", ""])
def test_a_status_that_is_none_says_nothing(status: str) -> None:
    """Python refuses to read a number of thousands of digits."""
    said = f"<d:status>HTTP/1.1 {status}</d:status>"
    body = f'<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a</d:href>{said}</d:response>'
    found = xml.multistatus(xml.parse(f"{body}</d:multistatus>".encode()))
    assert found is not None
    assert found.responses[0].status is None


@pytest.mark.parametrize("told", ['"a\r\nX-Evil: 1"', '"\u20ac"', '"\x00"', 'W/"1"', " ", None])
def test_an_etag_that_fits_into_no_header_is_none(told: str | None) -> None:
    assert strong_etag(told) is None
    assert strong_etag(' "1" ') == '"1"'


def test_what_a_terminal_acts_on_is_not_shown() -> None:
    home = joined("https://h.example/p/", "/a\u009b2J\u202e b/é/")
    assert home == "https://h.example/a%C2%9B2J%E2%80%AE b/é/"
    found = finding("account-found", "You are /p/\x1b[2J\u009b/ there.\nYes.").found
    assert found == "You are /p/[2J/ there.\nYes."
    assert shown("https://h.example/a\x1b[2Jb\u202ec/\x9b?secret") == "https://h.example/a[2Jbc/"
    assert xml.line("a\u009b2J\n b\u202e") == "a2J b"
    assert len(shown("https://h.example/" + "a" * 1000)) == 200


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_login_is_posted_to_no_other_place(hostile: Hostile, status: int) -> None:
    hostile.always(Reply(status=status, headers={"Location": hostile.url + "elsewhere"}))
    hostile.requests.clear()
    assert forms.post_form(hostile.url + "token", "secret=x").status == status
    assert [request.path for request in hostile.requests] == ["/token"]


def test_a_login_that_is_answered_at_length_is_unreadable(hostile: Hostile) -> None:
    hostile.always(Reply(status=200, body=b" " * 100_000))
    with pytest.raises(UnavailableError, match="cannot be read") as caught:
        forms.post_form(hostile.url + "token", "secret=x")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_http_to_another_machine_needs_a_yes() -> None:
    with pytest.raises(ConfigError, match="allow_http"):
        Transport("http://nas.example/", username="maya", password="secret")
    Transport("http://nas.example/", username="maya", password="secret", allow_http=True).close()


def test_a_text_that_is_too_long_for_the_parser_is_too_large_and_no_broken_answer(
    hostile: Hostile, transport: Transport
) -> None:
    text = (
        b'<multistatus xmlns="DAV:"><response>' + b"x" * 10_100_000 + b"</response></multistatus>"
    )
    hostile.always(Reply(status=207, body=text))
    with pytest.raises(LargeAnswerError, match="too long to be read"):
        transport.send("REPORT", hostile.url)


def test_etag_without_quotes_gets_them() -> None:
    assert strong_etag("5f3a-1") == strong_etag(' "5f3a-1" ') == '"5f3a-1"'
