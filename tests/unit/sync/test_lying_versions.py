"""ETags that come back (SOGo), and sync-tokens from the future (sabre 4): S16, S17."""

from datetime import time, timedelta

import pytest

from lorsync.core.merge.entry import State
from lorsync.core.model import Facts, Kind
from tests.unit.sync.desk import DUE, Desk, letter, name_of
from tests.unit.sync.test_edges import during
from tests.unit.sync.test_merge import retitle

pytestmark = [pytest.mark.in_memory, pytest.mark.slow]


def stranger(number: int) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", f"UID:dentist-{number}"]
    return "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""]).encode()


LATER = DUE + timedelta(days=14)


def test_i4_what_was_deleted_and_written_again_under_the_same_etag_is_seen(desk: Desk) -> None:
    desk.calendar.etags_restart = True
    desk.sync()
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    before = desk.calendar.fetch([href])[href].etag
    body = desk.calendar.bodies[href].replace(b"SUMMARY:", b"SUMMARY:Mine: ")
    desk.calendar.remove(href)
    desk.calendar.put_foreign(f"{name_of(href)}.ics", body)
    assert desk.calendar.fetch([href])[href].etag == before
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    report = desk.sync()
    assert [change.changed for change in report.kept] == [("title",)]
    assert str(desk.events()[href]["SUMMARY"]).startswith("Mine: ")
    assert desk.events()[href]["DTSTART"].dt == LATER


def test_s16_lorsyncs_own_writes_need_no_second_look_there_either(desk: Desk) -> None:
    desk.calendar.etags_restart = True
    desk.sync()
    for _ in range(2):
        before = desk.calendar.requests
        desk.sync()
        assert desk.calendar.requests - before == 1
        desk.change(letter("Alvarez", due=LATER), letter("Chen"))
        desk.sync()


def test_s11_an_update_that_made_what_the_person_had_deleted_is_taken_back(desk: Desk) -> None:
    desk.calendar.revives = True
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    during(desk, "update", lambda: desk.calendar.remove(href))
    desk.sync()
    assert href not in desk.calendar.bodies
    (entry,) = (e for e in desk.entries().values() if e.href == href)
    assert entry.state is State.MISSING


def test_s17_a_token_that_outlives_a_put_of_ours_is_not_believed(desk: Desk) -> None:
    desk.sync()
    backup = desk.calendar.copied()
    for number in range(40):
        desk.calendar.put_foreign(f"dentist-{number}.ics", stranger(number))
    desk.sync()
    desk.calendar.future_tokens = True
    desk.calendar.rewind(backup)
    href = desk.find(Kind.REQUEST)
    retitle(desk, href)
    # The server went back, and its answer to the token says that nothing has happened.
    assert not desk.sync(at=time(12, 15)).kept
    desk.change(letter("Alvarez", facts=Facts(talked_on=desk.day)), letter("Chen"))
    assert desk.sync(at=time(12, 30)).wrote
    report = desk.sync(at=time(12, 45))
    assert [change.changed for change in report.kept] == [("title",)]
    before = desk.calendar.requests
    desk.sync(at=time(13))
    assert desk.calendar.requests - before == 1
