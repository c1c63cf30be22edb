"""One object never stops the rest, over the wire: odd bytes in an answer, errors for one event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lorsync.adapters.caldav import xml
from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.errors import LoginRefusedError, ServerFailedError, UnavailableError
from lorsync.core.model import Kind
from lorsync.core.ports import Href
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request
from tests.unit.adapters.caldav.odd import Odd, plain_account
from tests.unit.sync.desk import Desk, letter, settings

pytestmark = pytest.mark.slow

LATER = date(2099, 9, 17)


@pytest.fixture
def odd(hostile: Hostile, tmp_path: Path) -> Odd:
    """A desk whose server keeps to the RFCs, until the test says otherwise."""
    season = settings(letter("Alvarez", due=date(2099, 9, 10)), letter("Chen", due=LATER))
    desk = Desk(folder=tmp_path / "state", settings=season, real_clock=True)
    return Odd(hostile=hostile, account=plain_account(), desk=desk)


def changed_plan(odd: Odd) -> None:
    odd.desk.change(letter("Alvarez", due=date(2099, 10, 1)), letter("Chen", due=LATER))


def with_raw(answer: bytes, marked: str, raw: bytes) -> bytes:
    """Put raw bytes in the place of a word, as a server does that sends what it stored."""
    return answer.replace(marked.encode(), raw)


@pytest.mark.parametrize(
    "raw", [b"a\x0bb", b"a&#11;b", b"caf\xe9", b"\xef\xbf\xbf", b"\xed\xa0\x80"]
)
def test_what_xml_forbids_in_one_event_leaves_the_others_readable(odd: Odd, raw: bytes) -> None:
    odd.sync()
    spoiled, other = odd.desk.find(Kind.REQUEST), odd.desk.find(Kind.DEADLINE)
    odd.edit(spoiled, odd.bodies[spoiled].replace("SUMMARY:Ask", "SUMMARY:Odd-word"))
    odd.edit(other, odd.bodies[other].replace("SUMMARY:", "SUMMARY:Mine: "))

    def meddle(request: Request, answer: Callable[[Request], Reply]) -> Reply:
        reply = answer(request)
        return Reply(
            status=reply.status,
            headers=reply.headers,
            body=with_raw(reply.body, "Odd-word", raw),
        )

    odd.meddle = meddle
    changed_plan(odd)
    held = odd.bodies[spoiled]
    report = odd.sync()
    kept = {change.kind: change.changed for change in report.kept}
    assert kept == {Kind.REQUEST: ("unreadable",), Kind.DEADLINE: ("title",)}
    assert report.updated
    assert odd.bodies[spoiled] == held
    assert not odd.sync().wrote
    # Without what it held, it is the same event again.
    odd.edit(spoiled, held.replace("Odd-word", "Ask"))
    report = odd.sync()
    assert Kind.REQUEST in {change.kind for change in report.updated}


@pytest.mark.parametrize("lead", [b"\n", b"\r\n \t", b"\xef\xbb\xbf\n"])
def test_blanks_before_the_declaration_are_passed_over(odd: Odd, lead: bytes) -> None:
    def meddle(request: Request, answer: Callable[[Request], Reply]) -> Reply:
        reply = answer(request)
        declared = b'<?xml version="1.0" encoding="utf-8"?>\n' if reply.body else b""
        body = lead + declared + reply.body if reply.body else b""
        return Reply(status=reply.status, headers=reply.headers, body=body)

    odd.meddle = meddle
    assert len(odd.sync().created) == len(odd.bodies) - 1
    assert odd.sync().requests == 1


@pytest.mark.parametrize(
    "document",
    [
        b"\xff\xfe\x00garbage",
        b"<d>\x0b",
        b"<d>\x0b<e></d></e>",
        b"\x00<d/>",
        b'<?xml version="1.0" encoding="iso-8859-1"?><d>\x0b</d>',
        b'<!DOCTYPE d [<!ENTITY a "b">]><d>\x0b&a;</d>',
    ],
)
def test_what_is_no_xml_without_its_odd_bytes_either_is_none(document: bytes) -> None:
    assert xml.parse(document) is None


def test_what_is_in_order_is_parsed_as_it_is() -> None:
    root = xml.parse("<d>caf\u00e9 &#x41;&amp;#11;</d>".encode())
    assert root is not None
    assert root.text == "caf\u00e9 A&#11;"


def failing_at(*hrefs: Href, methods: str) -> Callable[..., Reply | None]:
    """Fail at these events, by their own requests and at every multiget that they are in."""

    def meddle(request: Request, _: object) -> Reply | None:
        names = [href.rpartition("/")[2] for href in hrefs]
        asked_for = request.path if request.method != "REPORT" else request.body.decode()
        if request.method in methods and any(name in asked_for for name in names):
            return Reply(status=500, body=b"Incorrect string value: '\\xF0\\x9F\\x8E\\x93'")
        return None

    return meddle


def test_put_that_is_answered_with_500_is_named_and_the_others_are_written(odd: Odd) -> None:
    odd.sync()
    refused = odd.desk.find(Kind.DEADLINE)
    odd.meddle = failing_at(refused, methods="PUT")
    changed_plan(odd)
    report = odd.sync()
    (said,) = [w.message for w in report.warnings if w.code == "refused"]
    assert "The server does not take “" in said
    assert said.endswith("the server fails at it (HTTP 500).")
    assert report.updated
    assert "missing" not in said
    odd.meddle = lambda *_: None
    assert Kind.DEADLINE in {change.kind for change in odd.sync().updated}


def test_event_that_the_server_cannot_read_leaves_the_others_readable(odd: Odd) -> None:
    odd.sync()
    failing, other = odd.desk.find(Kind.REQUEST), odd.desk.find(Kind.DEADLINE)
    for href in (failing, other):
        odd.edit(href, odd.bodies[href].replace("SUMMARY:", "SUMMARY:Mine: "))
    odd.meddle = failing_at(failing, methods="REPORT")
    report = odd.sync()
    kept = {change.kind: change.changed for change in report.kept}
    assert kept == {Kind.REQUEST: ("unreadable",), Kind.DEADLINE: ("title",)}
    assert not report.missing
    # What was a hiccup is over in the next pass.
    odd.meddle = lambda *_: None
    report = odd.sync()
    assert {change.changed for change in report.kept} == {("title",)}


def test_event_that_a_multiget_names_with_an_error_is_there_all_the_same(odd: Odd) -> None:
    odd.sync()
    failing = odd.desk.find(Kind.REQUEST)
    odd.edit(failing, odd.bodies[failing].replace("SUMMARY:", "SUMMARY:Mine: "))

    def meddle(request: Request, answer: Callable[[Request], Reply]) -> Reply | None:
        if request.method != "REPORT" or failing.rpartition("/")[2].encode() not in request.body:
            return None
        body = (
            f'<d:multistatus xmlns:d="DAV:"><d:response><d:href>{failing}</d:href>'
            "<d:status>HTTP/1.1 500 Internal Server Error</d:status></d:response></d:multistatus>"
        )
        return Reply(body=body.encode(), headers={"Content-Type": "application/xml"})

    odd.meddle = meddle
    report = odd.sync()
    assert [change.changed for change in report.kept] == [("unreadable",)]
    assert not report.missing


def test_server_that_fails_at_every_multiget_ends_the_pass_soon(odd: Odd) -> None:
    odd.sync()
    for href, body in odd.bodies.items():
        odd.edit(href, body.replace("SUMMARY:", "SUMMARY:Mine: "))

    def meddle(request: Request, _: object) -> Reply | None:
        return Reply(status=500) if b"calendar-multiget" in request.body else None

    odd.meddle = meddle
    with pytest.raises(ServerFailedError):
        odd.sync()
    assert len(odd.asked) < 14


def test_memory_that_the_server_fails_at_is_neither_lost_nor_written_over(odd: Odd) -> None:
    odd.sync()
    (memory,) = (href for href in odd.bodies if "memory" in href)
    odd.edit(memory, odd.bodies[memory])
    held = odd.bodies[memory]
    odd.meddle = failing_at(memory, methods="REPORT")
    odd.sync()
    assert odd.bodies[memory] == held
    odd.desk.lose_ledger()
    with pytest.raises(UnavailableError, match="The server fails at the event in which lorsync"):
        odd.sync()
    assert odd.bodies[memory] == held
    odd.meddle = lambda *_: None
    assert not odd.sync().wrote


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, body=b"<html>Welcome</html>", headers={"Content-Type": "text/html"}),
        Reply(status=200),
        Reply(status=201),
        Reply(status=302, headers={"Location": "/welcome"}),
    ],
)
def test_calendar_that_was_said_to_be_made_and_is_not_there_is_made_later(
    odd: Odd, reply: Reply
) -> None:
    def meddle(request: Request, _: object) -> Reply | None:
        page = Reply(status=200, body=b"<html>Hi</html>", headers={"Content-Type": "text/html"})
        answers = {"MKCALENDAR": reply}
        return page if request.path == "/welcome" else answers.get(request.method)

    odd.meddle = meddle
    with pytest.raises(UnavailableError):
        odd.sync()
    assert odd.address is None
    odd.meddle = lambda *_: None
    assert odd.sync().created


def test_login_that_has_ended_is_noticed_within_a_day_where_everybody_may_read(odd: Odd) -> None:
    odd.sync()
    refused = Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="Baikal"'})
    # sabre 4 lets a report in without a login.
    odd.meddle = lambda request, _: None if request.method == "REPORT" else refused
    assert odd.sync().requests
    ledger = SqliteLedger(odd.desk.folder)
    ledger.remember({"listed_fully_at": "2026-01-01T00:00:00+00:00"})
    ledger.close()
    with pytest.raises(LoginRefusedError):
        odd.sync()
    odd.meddle = lambda *_: None
    odd.sync()
    assert odd.methods == ["PROPFIND", "REPORT"]
    odd.sync()
    assert odd.methods == ["REPORT"]


def test_update_that_sogo_makes_anew_is_taken_away_again(odd: Odd) -> None:
    deleted: list[Href] = []

    def meddle(request: Request, answer: Callable[[Request], Reply]) -> Reply:
        name = request.path.rpartition("/")[2]
        if deleted and request.method == "PUT" and deleted[0].endswith(name):
            odd.remove(deleted.pop())
            headers = {k: v for k, v in request.headers.items() if k != "if-match"}
            request = replace(request, headers=headers)
        reply = answer(request)
        return replace(reply, headers=reply.headers | {"X-Dav-Error": "200 No error"})

    odd.meddle = meddle
    odd.sync()
    href = odd.desk.find(Kind.DEADLINE)
    deleted.append(href)
    changed_plan(odd)
    report = odd.sync()
    assert ("DELETE", href) in odd.asked
    assert href not in odd.bodies
    assert [change.kind for change in report.missing] == [Kind.DEADLINE]
