"""One object never stops the rest: it is named, left as it is, and tried again in good time."""

from datetime import date, time, timedelta

import pytest

from lorsync.core.errors import ServerFailedError, UnavailableError
from lorsync.core.merge.entry import State
from lorsync.core.merge.memory import is_memory
from lorsync.core.model import Facts, Kind
from lorsync.core.ports import Href, ResourceGoneError, WriteRefusedError
from lorsync.sync.overrides import restore, restore_memory_of
from lorsync.sync.report import Report
from tests.fakes import EVERYWHERE
from tests.unit.sync.desk import DUE, Desk, letter, name_of

pytestmark = [pytest.mark.in_memory, pytest.mark.slow]

LATER = DUE + timedelta(days=14)


def named(report: Report, code: str = "refused") -> list[str]:
    """Return what a report says of objects that could not be written."""
    return [warning.message for warning in report.warnings if warning.code == code]


def writes(desk: Desk, before: int) -> list[tuple[str, Href | None]]:
    """Return the writes that were asked for since so many operations."""
    return [op for op in desk.calendar.operations[before:] if op[0] not in {"listing", "fetch"}]


def one_of(desk: Desk) -> Href:
    """Return where an event belongs that is to be created first, for another ledger to plan."""
    planned = desk.sync(dry_run=True).plan.events
    return desk.calendar.href_for(next(e.uid for e in planned if e.kind is Kind.TALK))


# Refused with 500


def test_event_that_the_server_fails_at_is_named_and_the_others_are_written(
    desk: Desk,
) -> None:
    refused = one_of(desk)
    desk.calendar.failing = {refused}
    before = desk.calendar.requests
    report = desk.sync()
    assert len(report.created) == len(report.plan.events) - 1 == len(desk.events())
    (said,) = named(report)
    assert "The server does not take “Talk with Dr. Alvarez" in said
    assert said.endswith("(HTTP 500).")
    assert report.requests - before == len(desk.calendar.bodies) + 1 + 2
    assert refused not in {Href(e.href) for e in desk.entries().values()}


def test_refused_event_is_tried_by_the_next_pass_and_then_once_an_hour(desk: Desk) -> None:
    desk.calendar.failing = {one_of(desk)}
    desk.sync(at=time(12))
    tried = []
    for minute in (15, 30, 45):
        before = len(desk.calendar.operations)
        report = desk.sync(at=time(12, minute))
        assert named(report)
        tried.append(len(writes(desk, before)))
        assert not report.wrote
        assert not report.missing
    assert tried == [1, 0, 0]
    # Left alone, it costs no request: what a pass with nothing to do costs (I5).
    before = desk.calendar.requests
    desk.sync(at=time(13))
    assert desk.calendar.requests - before == 1
    before = len(desk.calendar.operations)
    desk.sync(at=time(13, 15))
    assert len(writes(desk, before)) == 1


def test_what_was_refused_is_written_once_the_server_takes_it(desk: Desk) -> None:
    refused = one_of(desk)
    desk.calendar.failing = {refused}
    for minute in (0, 15, 30):
        desk.sync(at=time(12, minute))
    desk.calendar.failing = set()
    report = desk.sync(at=time(13, 20))
    assert [desk.calendar.href_for(c.uid) for c in report.created] == [refused]
    assert not named(report)
    assert not named(desk.sync(at=time(13, 40)))


def test_what_is_refused_is_tried_at_once_when_it_has_become_another_text(desk: Desk) -> None:
    desk.sync()
    refused = desk.find(Kind.DEADLINE)
    desk.calendar.failing = {refused}
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    for minute in (0, 15, 30):
        report = desk.sync(at=time(12, minute))
        assert len(named(report)) == 1
    assert desk.events()[refused]["DTSTART"].dt == DUE
    before = len(desk.calendar.operations)
    desk.change(letter("Alvarez", due=LATER + timedelta(days=1)), letter("Chen"))
    desk.sync(at=time(12, 45))
    assert ("update", refused) in writes(desk, before)


@pytest.mark.parametrize("change", ["update", "delete", "release"])
def test_change_that_the_server_fails_at_leaves_the_event_as_it_is(desk: Desk, change: str) -> None:
    desk.sync()
    refused = desk.find(Kind.REQUEST)
    if change == "release":
        desk.person_changes(refused, location="Ward 4")
        desk.sync()
    held = desk.calendar.bodies[refused]
    desk.calendar.failing = {refused}
    if change == "update":
        desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    else:
        desk.change(letter("Chen"))
    report = desk.sync(accept_deletions=True)
    assert report.wrote
    assert len(named(report)) == 1
    assert desk.calendar.bodies[refused] == held
    assert not report.missing
    desk.calendar.failing = set()
    report = desk.sync(at=time(13), accept_deletions=True)
    assert report.wrote
    assert not named(report)
    assert not desk.sync(at=time(13, 15)).wrote


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_write_that_was_applied_and_answered_with_500_is_done(desk: Desk, operation: str) -> None:
    if operation == "create":
        href = one_of(desk)
    else:
        desk.sync()
        href = desk.find(Kind.REQUEST)
        desk.change(*([letter("Alvarez", due=LATER)] * (operation == "update")), letter("Chen"))

    def fail(what: str, moment: str, where: Href | None) -> None:
        if (what, moment, where) == (operation, "after", href):
            raise ServerFailedError("it returned a server error (HTTP 500)", status=500)

    desk.calendar.faults = fail
    report = desk.sync(accept_deletions=True)
    done = {"create": report.created, "update": report.updated, "delete": report.deleted}
    assert name_of(href) in {change.uid for change in done[operation]}
    assert not named(report)
    assert (href in desk.calendar.bodies) is (operation != "delete")
    desk.calendar.faults = None
    assert not desk.sync(at=time(14)).wrote


def test_outage_is_told_by_every_write_failing(desk: Desk) -> None:
    desk.sync()
    desk.calendar.failing = EVERYWHERE
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    with pytest.raises(ServerFailedError):
        desk.sync(at=time(13))
    desk.calendar.failing = set()
    report = desk.sync(at=time(13, 1))
    assert report.updated
    assert not named(report)
    assert {entry.state for entry in desk.entries().values()} == {State.LIVE}


def test_look_that_fails_as_well_is_an_outage(desk: Desk) -> None:
    desk.sync()
    desk.calendar.failing = {desk.find(Kind.REQUEST)}

    def unreachable(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("fetch", "before"):
            raise UnavailableError("no answer")

    desk.calendar.faults = unreachable
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    with pytest.raises(UnavailableError):
        desk.sync()


def test_what_fails_again_while_the_rest_can_be_read_is_named_and_no_outage(
    desk: Desk,
) -> None:
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    planned = desk.sync(dry_run=True).plan.events
    novaks = {desk.calendar.href_for(e.uid) for e in planned if e.mentor == "Novak"}
    desk.calendar.failing = novaks
    with pytest.raises(ServerFailedError):
        desk.sync(at=time(13))
    report = desk.sync(at=time(13, 1))
    (said,) = named(report)
    assert said.startswith(f"The server does not take {len(novaks)} events, the first of them")
    # And so nothing keeps a later change from being written.
    desk.change(letter("Alvarez", due=LATER), letter("Chen"), letter("Novak"))
    assert desk.sync(at=time(13, 15)).updated


# Acknowledged and not stored


def test_s11_an_event_that_was_never_seen_there_is_not_deleted(desk: Desk) -> None:
    lost = one_of(desk)
    desk.calendar.swallowing = {lost}
    report = desk.sync()
    assert len(report.created) == len(report.plan.events) - 1
    (said,) = named(report, "unstored")
    assert "The server said that it had stored “Talk with Dr. Alvarez" in said
    for hour in (13, 14, 15, 16):
        report = desk.sync(at=time(hour), full=True)
        assert not report.missing
        assert named(report, "unstored")
    assert lost not in {Href(e.href) for e in desk.entries().values()}
    desk.calendar.swallowing = set()
    report = desk.sync(at=time(18))
    assert [desk.calendar.href_for(c.uid) for c in report.created] == [lost]


def test_s11_what_was_not_stored_is_tried_again_in_the_same_pass(desk: Desk) -> None:
    lost = one_of(desk)
    desk.calendar.swallowing = {lost}

    def relent(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("fetch", "after"):
            desk.calendar.swallowing = set()

    desk.calendar.faults = relent
    report = desk.sync()
    assert len(report.created) == len(report.plan.events) == len(desk.events())
    assert not named(report, "unstored")
    assert desk.calendar.operations.count(("create", lost)) == 2


def test_s11_a_server_that_stores_nothing_deletes_nothing(desk: Desk) -> None:
    desk.calendar.swallowing = EVERYWHERE
    for hour in (12, 14, 16, 18):
        report = desk.sync(at=time(hour))
        assert not report.created
        assert not report.missing
        assert report.plan.budgets["Alvarez"].spent == 0
    of_memory, said = named(report, "unstored")
    assert "12 events, the first of them" in said
    assert "the event in which lorsync keeps its memory" in of_memory
    desk.calendar.swallowing = set()
    assert len(desk.sync(at=time(20)).created) == 12


@pytest.mark.parametrize("etags", [True, False])
def test_s1_a_change_that_was_not_stored_is_no_edit(desk: Desk, *, etags: bool) -> None:
    desk.calendar.echo_etags = etags
    desk.sync()
    lost = desk.find(Kind.DEADLINE)
    desk.calendar.swallowing = {lost}
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    report = desk.sync()
    assert report.updated
    assert not report.kept
    (said,) = named(report, "unstored")
    assert said.endswith("but the calendar holds what it held before.")
    desk.calendar.swallowing = set()
    report = desk.sync(at=time(13))
    assert [name_of(lost)] == [change.uid for change in report.updated]
    assert desk.events()[lost]["DTSTART"].dt == LATER
    assert not desk.sync(at=time(13, 15)).kept


def test_s1_a_property_that_the_server_drops_is_no_change_that_was_not_stored(desk: Desk) -> None:
    desk.calendar.rewrite = lambda body: b"".join(
        line for line in body.splitlines(keepends=True) if not line.startswith(b"SEQUENCE")
    )
    desk.sync()
    desk.change(letter("Alvarez", due=LATER), letter("Chen"))
    report = desk.sync()
    assert report.updated
    assert not named(report, "unstored")


def test_i7_a_pass_that_ends_after_an_acknowledgement_leaves_no_dismissal(desk: Desk) -> None:
    lost = one_of(desk)
    desk.calendar.swallowing = {lost}

    def offline(what: str, moment: str, _: object) -> None:
        if (what, moment) == ("fetch", "before"):
            raise UnavailableError("offline")

    desk.calendar.faults = offline
    with pytest.raises(UnavailableError):
        desk.sync()
    desk.calendar.faults, desk.calendar.swallowing = None, set()
    report = desk.sync(date(2027, 5, 4))
    assert lost in desk.calendar.bodies
    assert not report.missing


# The memory


def memory_of(desk: Desk) -> Href:
    """Return where the memory belongs, for a desk that has written nothing yet."""
    desk.calendar.failing = EVERYWHERE
    with pytest.raises(ServerFailedError):
        desk.sync()
    desk.calendar.failing = set()
    (href,) = {where for what, where in desk.calendar.operations if where and "memory" in where}
    desk.lose_ledger()
    return href


def memories(desk: Desk) -> list[Href]:
    return [href for href in desk.calendar.bodies if is_memory(name_of(href))]


@pytest.mark.parametrize(
    "error",
    [
        ServerFailedError("it returned a server error (HTTP 500)", status=500),
        WriteRefusedError("the server refuses PUT (404)."),
    ],
)
def test_s4_a_memory_that_was_applied_and_answered_with_an_error_is_no_second_one(
    desk: Desk, error: Exception
) -> None:
    href = memory_of(desk)

    def fail(what: str, moment: str, where: Href | None) -> None:
        if (what, moment, where) == ("create", "after", href):
            raise error

    desk.calendar.faults = fail
    report = desk.sync()
    assert memories(desk) == [href]
    assert not named(report)
    desk.calendar.faults = None
    assert not desk.sync().wrote
    # The ledger and a new one keep on to that one.
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.sync()
    desk.lose_ledger()
    desk.sync()
    assert memories(desk) == [href]
    assert "Novak" in desk.memory().members


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        ServerFailedError("it returned a server error (HTTP 500)", status=500),
        ResourceGoneError("it is not there (404)"),
        WriteRefusedError("the server refuses PUT (403)."),
    ],
)
def test_s4_a_memory_that_was_answered_with_an_error_is_not_deleted(
    desk: Desk, error: Exception, *, applied: bool
) -> None:
    desk.sync()
    (href,) = memories(desk)

    def fail(what: str, moment: str, where: Href | None) -> None:
        if (what, where) == ("update", href) and (moment == "after") is applied:
            raise error

    desk.calendar.faults = fail
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    report = desk.sync()
    assert len(report.created) == 6
    assert "memory-deleted" not in {warning.code for warning in report.warnings}
    assert bool(named(report)) is not applied
    desk.calendar.faults = None
    assert not named(desk.sync())
    assert memories(desk) == [href]
    assert "Novak" in desk.memory().members


def test_a_memory_that_the_server_fails_at_is_named_and_the_events_are_written(
    desk: Desk,
) -> None:
    desk.calendar.failing = {memory_of(desk)}
    before = desk.calendar.requests
    report = desk.sync()
    assert len(report.created) == len(desk.events()) == 12
    (said,) = named(report)
    assert said.startswith("The server does not take the event in which lorsync keeps its memory:")
    assert report.requests - before == len(report.created) + 1 + 1 + 2
    assert not memories(desk)
    for minute in (15, 30, 45):
        report = desk.sync(at=time(12, minute))
        assert named(report)
    assert report.requests  # left alone within the hour
    before = desk.calendar.requests
    desk.sync(at=time(12, 50))
    assert desk.calendar.requests - before == 1
    desk.calendar.failing = set()
    assert not named(desk.sync(at=time(14)))
    assert len(memories(desk)) == 1


def test_s4_a_memory_that_was_never_seen_there_is_not_deleted(desk: Desk) -> None:
    href = memory_of(desk)
    desk.calendar.swallowing = {href}
    assert not named(desk.sync(), "unstored")
    for hour in (13, 15, 17):
        report = desk.sync(at=time(hour), full=True)
        assert "memory-deleted" not in {warning.code for warning in report.warnings}
        (said,) = named(report, "unstored")
        assert "had stored the event in which lorsync keeps its memory, but it is not there" in said
    desk.calendar.swallowing = set()
    report = desk.sync(at=time(19))
    assert not named(report, "unstored")
    assert memories(desk) == [href]
    assert not desk.sync(at=time(20)).wrote


def test_s4_a_change_of_the_memory_that_was_not_stored_is_written_again(desk: Desk) -> None:
    desk.sync()
    (href,) = memories(desk)
    held = desk.calendar.bodies[href]
    desk.change(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.calendar.swallowing = {href}
    report = desk.sync()
    # It is looked at together with the events that were written.
    assert not named(report, "unstored")
    assert desk.calendar.bodies[href] == held
    (said,) = named(desk.sync(at=time(13), full=True), "unstored")
    assert "but the calendar holds what it held before" in said
    desk.calendar.swallowing = set()
    assert not named(desk.sync(at=time(15)), "unstored")
    assert "Novak" in desk.memory().members
    assert not desk.sync(at=time(16)).wrote


def test_s4_a_memory_that_was_seen_and_is_gone_is_deleted(desk: Desk) -> None:
    desk.sync()
    desk.calendar.remove(memories(desk)[0])
    report = desk.sync(at=time(13), full=True)
    assert "memory-deleted" in {warning.code for warning in report.warnings}


def test_s4_a_restored_memory_is_written_also_after_a_complete_listing(desk: Desk) -> None:
    desk.sync()
    desk.calendar.remove(memories(desk)[0])
    desk.sync(at=time(13), full=True)
    restore_memory_of(desk.folder)
    desk.sync(at=time(14), full=True)
    assert len(memories(desk)) == 1


def test_one_event_and_the_memory_that_both_fail_are_an_outage(desk: Desk) -> None:
    desk.sync()
    request = desk.find(Kind.REQUEST)
    desk.change(letter("Alvarez", facts=Facts(asked_on=date(2027, 5, 3))), letter("Chen"))
    desk.calendar.failing = EVERYWHERE
    with pytest.raises(ServerFailedError):
        desk.sync(at=time(13))
    desk.calendar.failing = set()
    desk.sync(at=time(13, 15))
    assert request not in desk.calendar.bodies


# The server's trash


def test_s11_what_lies_in_the_trash_is_said_once_and_counts_as_deleted(desk: Desk) -> None:
    desk.calendar.keeps_trash = True
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    desk.calendar.remove(final)
    desk.lose_ledger()
    report = desk.sync()
    (said,) = named(report, "trashed")
    assert said.endswith("To have it again: lorsync restore Alvarez")
    assert [change.uid for change in report.missing] == [name_of(final)]
    before = len(desk.calendar.operations)
    for hour in (13, 15, 17):
        assert not named(desk.sync(at=time(hour)), "trashed")
    assert ("create", final) not in writes(desk, before)
    (entry,) = (e for e in desk.entries().values() if e.href == final)
    assert entry.state is State.DISMISSED
    restore(desk.folder, "Alvarez", desk.day)
    assert [change.kind for change in desk.sync(at=time(18)).created] == [Kind.FOLLOW_UP]
