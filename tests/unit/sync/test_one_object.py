"""One object never stops the rest: what cannot be read or written is left and named (S2, S12)."""

from dataclasses import replace
from datetime import timedelta
from unicodedata import normalize

import pytest

from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.event.stamp import stamped
from lorsync.core.facts import Fact
from lorsync.core.merge.memory import MEMORY_DAY, MEMORY_TITLE, is_memory
from lorsync.core.merge.memory_text import text_of
from lorsync.core.model import Kind
from lorsync.core.ports import Href
from tests.unit.sync.desk import DUE, Desk, event_of, letter, name_of, settings

pytestmark = pytest.mark.slow

LATER = DUE + timedelta(days=7)

ODD_LINES = {
    "an attendee with a quote": b'ATTENDEE;CN="Maria \\"Mia\\" Alvarez":mailto:mia@example.org',
    "Latin-1": b"LOCATION:Caf\xe9",
    "an own property": b"X-NOTE:one\\\\nstill one",
    "resources": b"RESOURCES:Room\\, big,Projector",
    "a status of a request": b"REQUEST-STATUS:2.0;Success",
    "categories in binary": b"CATEGORIES;VALUE=BINARY;ENCODING=BASE64:TGV0dGVycw==",
}


def insert(desk: Desk, href: Href, line: bytes) -> None:
    """Put a line into an event, as another program does."""
    behind = b"TRANSP:TRANSPARENT\r\n"
    desk.calendar.edit(href, desk.calendar.bodies[href].replace(behind, behind + line + b"\r\n"))


@pytest.mark.in_memory
@pytest.mark.parametrize("line", [ODD_LINES[name] for name in ODD_LINES if "attendee" not in name])
def test_s2_a_foreign_line_survives_a_change_of_the_plan_to_the_byte(
    desk: Desk, line: bytes
) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    insert(desk, href, line)
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    report = desk.sync()
    assert line in desk.calendar.bodies[href]
    assert LATER.strftime("%Y%m%d").encode() in desk.calendar.bodies[href]
    assert not [w for w in report.warnings if w.code in {"left", "refused"}]
    assert not desk.sync().wrote


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"SEQUENCE:0", b"SEQUENCE:2147483647"),
        (b"SEQUENCE:0", b"SEQUENCE:" + b"9" * 5000),
        (b"DTSTART;VALUE=DATE:2027", b"DTSTART;VALUE=DATE:0001"),
        (b"DTSTART;VALUE=DATE:2027", b"DTSTART;VALUE=DATE:9999"),
        (b"DTSTART;VALUE=DATE:", b"DTSTART;TZID=../../etc/passwd:T"),
        (b"END:VEVENT", b"DURATION:P9999999D\r\nEND:VEVENT"),
        (b"SUMMARY:", b"SUMMARY;ENCODING=QUOTED-PRINTABLE:"),
        (b"END:VALARM", b""),
        (b"BEGIN:VEVENT", b"BEGIN:VEVENT\r\n" * 3000),
    ],
)
def test_s12_what_cannot_be_read_is_left_and_named_and_the_rest_goes_on(
    desk: Desk, before: bytes, after: bytes
) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    body = desk.calendar.bodies[href]
    assert before in body
    odd = body.replace(before, after)
    if b"DURATION" in after:
        odd = odd.replace(b"DTEND;VALUE=DATE", b"X-END")
    desk.calendar.edit(href, odd)
    desk.change(letter("Alvarez", due=LATER), letter("Chen", due=LATER))
    report = desk.sync()
    assert [c.uid for c in report.kept if c.changed == ("unreadable",)] == [name_of(href)]
    assert desk.calendar.bodies[href] == odd
    assert len(report.updated) == 11
    before_next = desk.calendar.requests
    again = desk.sync()
    assert not again.wrote
    assert desk.calendar.requests - before_next == 1
    assert [c.uid for c in again.kept if c.changed] == [name_of(href)]
    # Mended, it is an event of ours again.
    desk.calendar.edit(href, body)
    assert [c.uid for c in desk.sync().updated] == [name_of(href)]


def test_s12_what_an_earlier_version_could_read_is_left_and_named(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    (entry,) = (entry for entry in desk.entries().values() if entry.href == href)
    assert entry.echo is not None
    last = entry.echo.replace(b"SEQUENCE:0", b"SEQUENCE:2147483647")
    ledger = SqliteLedger(desk.folder)
    ledger.save([replace(entry, echo=last)])
    ledger.close()
    desk.change(letter("Alvarez", due=LATER), letter("Chen", due=LATER))
    assert len(desk.sync().updated) == 11
    assert [c.uid for c in desk.sync().kept if c.changed == ("unreadable",)] == [entry.uid]


def test_s12_what_would_not_survive_being_written_is_left_and_named(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    # One higher, and no version could come after it.
    last = desk.calendar.bodies[href].replace(b"SEQUENCE:0", b"SEQUENCE:2147483646")
    desk.calendar.edit(href, last)
    desk.change(letter("Alvarez", due=LATER), letter("Chen", due=LATER))
    report = desk.sync()
    assert len(report.updated) == 11
    (left,) = (w for w in report.warnings if w.code == "left")
    assert left.subject == name_of(href)
    assert "was left as it is" in left.message
    assert desk.calendar.bodies[href] == last
    before = desk.calendar.requests
    assert [w.code for w in desk.sync().warnings if w.code == "left"] == ["left"]
    assert desk.calendar.requests - before == 1


YEARS = (
    "past request/1 of Alvarez on 9999-12-31 as {0}",
    "past request/1 of Alvarez on 0001-01-01 noticed 0001-01-01 as {0}",
    "deleted deadline of Alvarez-letter on 2027-09-10 noticed 9999-12-31 as {0}",
    "ticked talk of Alvarez on 2027-06-01 as {0} talked=0001-01-01",
    "said asked of Alvarez-letter on 9999-12-31 at 2027-05-03T12:00:00+00:00",
    "said asked of Alvarez-letter on 2027-05-03 at 0001-01-01T00:00:00+14:00",
    "unsure Alvarez since 9999-12-31T23:59:59-14:00",
    "sure Alvarez at 0001-01-01T00:00:00+14:00",
)


@pytest.mark.parametrize("line", YEARS)
@pytest.mark.parametrize("lost", [False, True])
def test_s4_a_memory_line_of_an_impossible_year_is_passed_over(
    desk: Desk, line: str, lost: bool
) -> None:
    desk.sync()
    (href,) = (href for href in desk.calendar.bodies if is_memory(name_of(href)))
    text = text_of(desk.memory()) + "\n" + line.format("0123456789abcdef" * 2)
    desk.person_changes(href, description=stamped(MEMORY_TITLE, MEMORY_DAY.isoformat(), text))
    if lost:
        desk.lose_ledger()
    report = desk.sync()
    assert not report.created
    assert not report.deleted
    assert desk.facts() == {}
    # A restored line of another year would be read; this one is gone with the next writing.
    assert not desk.memory().marks
    assert len(desk.events()) == 12


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_s3_a_stamp_of_an_impossible_year_is_no_day_of_an_unreadable_event(
    desk: Desk, day: str
) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    body = desk.calendar.bodies[href].replace(b"\r\n ", b"")
    desk.calendar.edit(
        href,
        body.replace(b"planned 2027-09-10", f"planned {day}".encode()).replace(
            b"DTSTART;VALUE=DATE:2027", f"DTSTART;VALUE=DATE:{day[:4]}".encode()
        ),
    )
    desk.lose_ledger()
    report = desk.sync()
    assert not report.created
    assert [c.changed for c in report.kept] == [("unreadable",)]


@pytest.mark.in_memory
def test_s2_the_memory_keeps_bytes_that_are_no_utf_8(desk: Desk) -> None:
    desk.sync()
    (href,) = (href for href in desk.calendar.bodies if is_memory(name_of(href)))
    insert(desk, href, b"LOCATION:Caf\xe9")
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.sync()
    assert b"LOCATION:Caf\xe9\r\n" in desk.calendar.bodies[href]
    assert "Novak" in desk.memory().members
    before = desk.calendar.requests
    assert not desk.sync().wrote
    assert desk.calendar.requests - before == 1


HTML = (
    "<html><head><style>p {margin:0}</style></head><body><p>{}</p></body></html>",
    "<span>{}</span>",
)


@pytest.mark.parametrize("page", HTML)
def test_s12_html_around_our_text_freezes_nothing(desk: Desk, page: str) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    told = str(event_of(desk.calendar.bodies[href])["DESCRIPTION"])
    marked = told.replace("·", "&middot;").replace(" ", "&nbsp;").replace("\n", "<br>")
    desk.person_changes(href, description=page.replace("{}", marked))
    assert not desk.sync().kept
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    assert name_of(href) in {c.uid for c in desk.sync().updated}
    told = str(event_of(desk.calendar.bodies[href])["DESCRIPTION"])
    assert "17 Sep" in told
    assert "10 Sep" not in told
    report = desk.sync()
    assert not report.kept
    assert not report.wrote


def test_s15_a_snooze_and_apples_defaults_are_no_edit(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    alarms = (
        b"BEGIN:VALARM\r\nACTION:NONE\r\nX-APPLE-DEFAULT-ALARM:TRUE\r\n"
        b"TRIGGER;VALUE=DATE-TIME:19760401T005545Z\r\nEND:VALARM\r\n"
        b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nRELATED-TO;RELTYPE=SNOOZE:1\r\n"
        b"TRIGGER;VALUE=DATE-TIME:20270910T133500Z\r\nEND:VALARM\r\n"
    )
    body = desk.calendar.bodies[href]
    desk.calendar.edit(href, body.replace(b"END:VEVENT", alarms + b"END:VEVENT"))
    report = desk.sync()
    assert not report.kept
    assert not report.wrote
    assert not [entry.theirs for entry in desk.entries().values() if entry.theirs]


def test_s12_decomposed_text_is_no_edit(desk: Desk) -> None:
    desk.settings = settings(letter("José"), letter("Chen"))
    desk.sync()
    href = desk.find(Kind.DEADLINE, mentor="José")
    body = desk.calendar.bodies[href].replace(b"\r\n ", b"").decode()
    apart = normalize("NFD", body)
    assert apart != body
    desk.calendar.edit(href, apart.encode())
    report = desk.sync()
    assert not report.kept
    assert not report.wrote
    # Ticked, its title is still known to be ours.
    desk.person_changes(
        href, summary=normalize("NFD", f"Done {event_of(body.encode())['SUMMARY']}")
    )
    desk.sync()
    assert Fact.SUBMITTED in desk.facts()


def test_s12_a_twin_of_our_text_says_nothing_old(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    insert(desk, href, b"X-ALT-DESC;FMTTYPE=text/html:<p>Due 10 Sep</p>")
    insert(desk, href, b"X-MICROSOFT-CDO-ALLDAYEVENT:TRUE")
    assert not desk.sync().kept
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    desk.sync()
    assert b"X-ALT-DESC" not in desk.calendar.bodies[href]
    assert b"ALLDAYEVENT" not in desk.calendar.bodies[href]
    assert not desk.sync().wrote
