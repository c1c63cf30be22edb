"""What one pass writes, reads and leaves alone (I2 to I6, S1, S2, S5, S16)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import CollectionGoneError, ConfigError
from lorsync.core.model import Facts, Kind, Policy
from lorsync.core.ports import Href, Resource, WriteRefusedError
from tests.unit.sync.desk import DUE, START, Desk, days_of, letter, name_of, settings

FOREIGN = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//someone//else//EN\r\nBEGIN:VEVENT\r\n"
    b"UID:dentist@example.org\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;VALUE=DATE:20270801\r\n"
    b"SUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.mark.emulated
def test_i5_first_write_costs_n_plus_2_requests_and_the_second_pass_one(desk: Desk) -> None:
    first = desk.sync()
    assert len(first.created) == len(desk.events()) == 12
    # The memory is one of the n (S4).
    looks = 0 if desk.calendar.guards_creation else 2  # before the memory, and before the events
    assert first.requests == len(desk.calendar.bodies) + 2 + looks == 13 + 2 + looks
    before = desk.calendar.requests
    second = desk.sync()
    assert not second.wrote
    assert desk.calendar.requests - before == 1


@pytest.mark.emulated("google", "fastmail")
def test_i5_k_changes_here_cost_k_plus_2_requests_and_one_for_the_memory(desk: Desk) -> None:
    desk.sync()
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    before = desk.calendar.requests
    report = desk.sync()
    assert len(report.updated) == 6
    assert not report.created
    assert not report.deleted
    # One multiget shows what was written, the memory too.
    assert desk.calendar.requests - before == 6 + 2 + 1
    assert not desk.sync().wrote


def test_i5_k_changes_there_cost_one_multiget(desk: Desk) -> None:
    desk.sync()
    for slot in ("1", "2"):
        desk.person_changes(desk.find(Kind.FOLLOW_UP, slot=slot), summary="mine")
    before = desk.calendar.requests
    desk.sync()
    assert desk.calendar.requests - before == 2
    desk.sync()
    assert desk.calendar.requests - before == 3


@pytest.mark.in_memory
def test_s16_a_listing_a_day_old_is_replaced_by_a_full_one(desk: Desk) -> None:
    desk.sync()
    desk.sync()
    # The token would say "nothing"; the full listing sees that an event is not there.
    href = desk.find(Kind.DEADLINE)
    desk.calendar.remove(href)
    desk.calendar._changes.remove(href)
    assert not desk.sync().missing
    assert len(desk.sync(START + timedelta(days=1)).missing) == 1


@pytest.mark.in_memory
def test_s16_what_was_created_and_deleted_since_the_token_is_missed(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    desk.calendar.remove(href)
    # As on Xandikos: the report names neither the coming nor the going.
    desk.calendar._changes[:] = [changed for changed in desk.calendar._changes if changed != href]
    before = desk.calendar.requests
    assert [c.kind for c in desk.sync().missing] == ["deadline"]
    # The full listing, and the memory, which keeps that it is missing.
    assert desk.calendar.requests - before == 2


@pytest.mark.emulated("icloud", "nextcloud")
def test_s16_an_unknown_token_leads_to_a_full_listing_and_no_loss(desk: Desk) -> None:
    desk.sync()
    desk.calendar.known_tokens = False
    report = desk.sync()
    assert not report.wrote
    assert not report.missing


@pytest.mark.in_memory
def test_s1_what_the_server_rewrites_is_neither_an_edit_nor_a_reason_to_write(desk: Desk) -> None:
    def rewrite(body: bytes) -> bytes:
        alarm = body.find(b"BEGIN:VALARM"), body.index(b"END:VEVENT")
        dropped = body if alarm[0] < 0 else body[: alarm[0]] + body[alarm[1] :]
        return dropped.replace(b"TRANSP:TRANSPARENT\r\n", b"X-SERVER:was here\r\n")

    desk.calendar.rewrite = rewrite
    desk.sync()
    report = desk.sync(full=True)
    assert not report.wrote
    assert not report.kept


@pytest.mark.in_memory
def test_s5_a_put_without_an_etag_is_no_reason_to_write_or_ask_again(desk: Desk) -> None:
    desk.calendar.echo_etags = False
    assert desk.sync().requests == 13 + 2
    before = desk.calendar.requests
    assert not desk.sync().wrote
    assert desk.calendar.requests - before == 1


@pytest.mark.emulated("google", "nextcloud")
def test_s5_an_edit_right_behind_our_write_is_the_persons(desk: Desk) -> None:
    edited = []

    def edit_once(operation: str, moment: str, href: object) -> None:
        if operation == "fetch" and moment == "before" and desk.events() and not edited:
            edited.append(min(desk.events()))
            desk.person_changes(edited[0], summary="Quick hand")

    desk.calendar.faults = edit_once
    report = desk.sync()
    assert [change.changed for change in report.kept] == [("title",)]
    desk.sync()
    assert str(desk.events()[edited[0]]["SUMMARY"]) == "Quick hand"


def test_i4_an_undone_edit_makes_the_event_ours_again(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    original = str(desk.events()[href]["SUMMARY"])
    desk.person_changes(href, summary="Oops")
    assert desk.sync().kept
    desk.person_changes(href, summary=original)
    assert not desk.sync().kept
    desk.change(letter("Alvarez", due=DUE + timedelta(days=14)), letter("Chen"))
    assert desk.sync().updated


def test_s11_an_event_that_comes_back_is_no_longer_missing(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    body = desk.calendar.bodies[href]
    desk.calendar.remove(href)
    desk.sync()
    desk.calendar.put_foreign(href.rpartition("/")[2], body)
    report = desk.sync()
    assert not report.missing
    assert not report.wrote


@pytest.mark.emulated("icloud", "nextcloud")
def test_i3_foreign_events_are_never_touched(desk: Desk) -> None:
    href = desk.calendar.put_foreign("dentist.ics", FOREIGN)
    lookalike = desk.calendar.put_foreign(f"lorsync-{'a' * 32}.ics", FOREIGN)
    before = desk.calendar.bodies
    desk.sync()
    desk.change(letter("Chen"))
    desk.sync(accept_deletions=True)
    desk.lose_ledger()
    desk.sync()
    after = desk.calendar.bodies
    assert (after[href], after[lookalike]) == (before[href], before[lookalike])


@pytest.mark.in_memory
@pytest.mark.parametrize("later", [False, True])
def test_s9_a_copy_stays_the_persons(desk: Desk, *, later: bool) -> None:
    desk.sync()
    if later:
        desk.sync()  # which has a token to go on from
    href = desk.find(Kind.DEADLINE)
    body = desk.calendar.bodies[href].replace(name_of(href).encode(), b"A1B2-C3")
    copy = desk.calendar.put_foreign("A1B2-C3.ics", body)
    before = desk.calendar.requests
    assert not desk.sync().wrote
    assert desk.calendar.requests - before == 1
    desk.change(letter("Chen"))
    desk.sync(accept_deletions=True)
    assert desk.calendar.bodies[copy] == body


@pytest.mark.in_memory
def test_s9_somebodys_whole_calendar_is_not_read_for_copies(desk: Desk) -> None:
    desk.sync()
    for number in range(30):
        desk.calendar.put_foreign(
            f"dentist-{number}.ics", FOREIGN.replace(b"UID:d", b"UID:%d" % number)
        )
    before = desk.calendar.requests
    desk.sync()
    assert desk.calendar.requests - before == 1


def test_s2_an_update_keeps_what_it_does_not_know(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    desk.person_changes(href, x_moz_generation="4", priority=5)
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    report = desk.sync()
    assert any(change.kind == "deadline" for change in report.updated)
    event = desk.events()[href]
    assert desk.calendar.loses("X-MOZ-GENERATION") or event["X-MOZ-GENERATION"] == "4"
    assert event["PRIORITY"] == 5
    assert event["DTSTART"].dt == DUE + timedelta(days=7)
    assert event["SEQUENCE"] == 1


def test_i6_a_passed_event_is_history(desk: Desk) -> None:
    desk.sync()
    (talk, _) = days_of(desk, "Talk with")
    href = desk.find(Kind.TALK)
    passed = desk.calendar.bodies[href]
    desk.change(letter("Alvarez", due=DUE + timedelta(days=60)), letter("Chen"))
    desk.sync(talk + timedelta(days=1))
    assert desk.calendar.bodies[href] == passed


def test_r10_a_submission_removes_what_is_left_and_is_no_accident(desk: Desk) -> None:
    desk.sync()
    facts = Facts(asked_on=date(2027, 5, 1), submitted_on=date(2027, 5, 2))
    desk.change(letter("Alvarez", facts=facts), letter("Chen", facts=facts))
    report = desk.sync()
    assert not report.held
    assert {c.kind for c in report.deleted} == {
        "talk", "request", "follow-up", "deadline", "thank-you"
    }  # fmt: skip
    assert days_of(desk, "Thank Dr.") == [START, START]


@pytest.mark.emulated("google", "nextcloud")
def test_s8_what_lorsync_deleted_comes_back_under_a_new_uid(desk: Desk) -> None:
    desk.sync()
    before = set(desk.calendar.bodies)
    submitted = Facts(asked_on=date(2027, 5, 1), submitted_on=date(2027, 5, 2))
    desk.change(letter("Alvarez", facts=submitted), letter("Chen"))
    desk.sync()
    desk.change(letter("Alvarez"), letter("Chen"))
    desk.sync()
    back = set(desk.calendar.bodies) - before
    assert len([href for href in back if "Check in" in str(desk.events()[href]["SUMMARY"])]) == 2
    assert not desk.sync().wrote


def test_s18_many_deletions_wait_for_a_yes(desk: Desk) -> None:
    desk.sync()
    desk.change(letter("Chen"))
    report = desk.sync()
    assert len(report.held) == 6
    assert "held" in {warning.code for warning in report.warnings}
    assert len(desk.events()) == 12
    accepted = desk.sync(accept_deletions=True)
    assert len(accepted.deleted) == 6
    assert len(desk.events()) == 6


@pytest.mark.emulated("google", "icloud")
def test_s3_a_lost_ledger_is_rebuilt_without_a_duplicate_or_a_write(desk: Desk) -> None:
    desk.sync()
    before = desk.calendar.bodies
    desk.lose_ledger()
    report = desk.sync()
    assert len(report.adopted) == 12
    assert not report.wrote
    assert desk.calendar.bodies == before
    assert not desk.sync().wrote


def test_i4_an_edit_survives_a_lost_ledger(desk: Desk) -> None:
    desk.sync()
    moved, noted = desk.find(Kind.REQUEST), desk.find(Kind.DEADLINE)
    desk.person_changes(moved, dtstart=date(2027, 8, 2), dtend=date(2027, 8, 3))
    text = str(desk.events()[noted]["DESCRIPTION"])
    desk.person_changes(noted, description=f"Ask for Ms. Ortiz.\n{text}")
    desk.lose_ledger()
    desk.change(letter("Alvarez", due=DUE + timedelta(days=14)), letter("Chen"))
    report = desk.sync(take_over=True)
    assert {(c.kind, c.changed) for c in report.kept} == {
        ("request", ("date",)),
        ("deadline", ("notes",)),
    }
    assert desk.events()[moved]["DTSTART"].dt == date(2027, 8, 2)
    assert str(desk.events()[noted]["DESCRIPTION"]).startswith("Ask for Ms. Ortiz.\n--- lorsync")
    assert desk.events()[noted]["DTSTART"].dt == DUE + timedelta(days=14)


def test_i1_a_lost_ledger_forgets_no_follow_up_that_was_made(desk: Desk) -> None:
    desk.sync()
    last = days_of(desk, "Check in with Dr. Alvarez")[1]
    desk.lose_ledger()
    report = desk.sync(last + timedelta(days=1))
    assert report.plan.budgets["Alvarez"].spent == 2
    # A new deadline does not bring a third one.
    desk.change(letter("Alvarez", due=DUE + timedelta(days=90)), letter("Chen"))
    report = desk.sync()
    assert report.plan.budgets["Alvarez"].planned == 0
    assert len(days_of(desk, "Check in with Dr. Alvarez")) == 2


def test_s3_a_second_machine_with_the_same_config_converges(desk: Desk, tmp_path: Path) -> None:
    desk.sync()
    other = Desk(folder=tmp_path / "other", settings=desk.settings, calendar=desk.calendar)
    assert not other.sync().wrote
    other.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    assert other.sync().updated
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    report = desk.sync()
    assert not report.wrote
    assert not report.kept


def test_a_dry_run_says_what_it_would_do_and_does_nothing(desk: Desk) -> None:
    report = desk.sync(dry_run=True)
    assert len(report.created) == 12
    assert not desk.calendar.bodies
    assert len(desk.sync().created) == 12


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
        FOREIGN,
        FOREIGN.replace(b"DTSTART;VALUE=DATE:20270801", b"DTSTART:nonsense"),
        FOREIGN.replace(b"DTSTART;VALUE=DATE:20270801\r\n", b""),
    ],
)
def test_an_unreadable_event_is_left_alone_and_reported_and_the_rest_goes_on(
    desk: Desk, body: bytes
) -> None:
    desk.sync()
    href = desk.find(Kind.REQUEST)
    desk.calendar.edit(href, body)
    held = desk.calendar.bodies[href]
    desk.change(letter("Alvarez", due=DUE + timedelta(days=7)), letter("Chen"))
    report = desk.sync()
    assert desk.calendar.bodies[href] == held
    assert [change.kind for change in report.kept] == ["request"]
    assert len(report.updated) == 5
    assert not desk.sync().wrote


@pytest.mark.emulated("google", "fastmail")
@pytest.mark.in_memory
def test_i1_an_unreadable_event_passes_on_its_day_also_after_a_lost_ledger(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.FOLLOW_UP, slot="1")
    day, title = (desk.events()[href][name] for name in ("DTSTART", "SUMMARY"))
    body = desk.calendar.bodies[href]
    event = body[body.index(b"BEGIN:VEVENT") : body.index(b"END:VCALENDAR")]
    desk.calendar.edit(href, body.replace(event, event + event))
    desk.lose_ledger()
    (kept,) = desk.sync().kept
    assert (kept.day, kept.summary, kept.changed) == (day.dt, str(title), ("unreadable",))
    report = desk.sync(day.dt + timedelta(days=1))
    assert report.plan.budgets["Alvarez"].spent == 1


@pytest.mark.in_memory
def test_an_event_that_is_gone_is_missing_and_no_longer_kept(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    desk.person_changes(href, summary="")
    assert [(c.summary, c.changed) for c in desk.sync().kept] == [
        ("deadline (Alvarez)", ("title",))
    ]
    desk.calendar.remove(href)
    report = desk.sync()
    assert [c.kind for c in report.missing] == [Kind.DEADLINE]
    assert not report.kept


@pytest.mark.in_memory
def test_an_event_too_large_to_read_is_left_alone_and_looked_at_once(desk: Desk) -> None:
    desk.sync()
    href = desk.find(Kind.DEADLINE)
    desk.person_changes(href, location="x")
    fetch = desk.calendar.fetch

    def without_large(hrefs: Sequence[Href]) -> Mapping[Href, Resource]:
        return {
            each: Resource(href=each, etag=None, body=b"") if each == href else resource
            for each, resource in fetch(hrefs).items()
        }

    desk.calendar.fetch = without_large
    for _ in range(2):
        before = desk.calendar.requests
        assert [c.changed for c in desk.sync().kept] == [("unreadable",)]
    assert desk.calendar.requests - before == 1


def test_a_vanished_collection_is_an_error_and_no_deletion(desk: Desk) -> None:
    desk.sync()
    desk.calendar.gone = True
    with pytest.raises(CollectionGoneError):
        desk.sync()
    desk.calendar.gone = False
    report = desk.sync()
    assert not report.missing
    assert not report.wrote


def test_s6_a_changed_name_is_the_same_season_another_persons_is_refused(desk: Desk) -> None:
    desk.sync()
    season = desk.settings.season
    renamed = replace(season, applicant=replace(season.applicant, name="Maya Okafor-Lee"))
    desk.settings = replace(desk.settings, season=renamed)
    assert not desk.sync().created
    somebody = replace(renamed.applicant, name="Sam Rivers")
    other = replace(renamed, applicant=somebody, cycle=replace(renamed.cycle, name="Fellowship"))
    desk.settings = replace(desk.settings, season=other)
    with pytest.raises(ConfigError, match="belongs to Maya Okafor-Lee, 2028 Match"):
        desk.sync()


def test_a_server_that_refuses_one_event_gets_the_others(desk: Desk) -> None:
    def refuse(operation: str, moment: str, href: object) -> None:
        if operation == "create" and moment == "before" and len(desk.calendar.bodies) == 3:
            desk.calendar.faults = None
            raise WriteRefusedError("the UID was deleted before")

    desk.calendar._connections = 1
    desk.calendar.faults = refuse
    report = desk.sync()
    assert len(report.created) == 11
    assert "refused" in {warning.code for warning in report.warnings}
    assert len(desk.sync().created) == 1


def test_no_letters_no_events(desk: Desk) -> None:
    desk.settings = settings()
    report = desk.sync()
    assert not report.wrote
    assert report.requests == 1


def test_s18_what_is_held_stays_held_though_the_same_pass_created_others(desk: Desk) -> None:
    desk.settings = settings(letter("Alvarez"), letter("Chen"), letter("Novak"))
    desk.sync()
    desk.change(letter("Chen"), letter("Novak"), letter("Diaz"))
    first = desk.sync(accept_newcomers=True)
    assert len(first.held) == 6
    assert first.created
    again = desk.sync()
    assert len(again.held) == 6
    assert not again.wrote
    assert len(desk.sync(accept_deletions=True).deleted) == 6


def test_s18_what_is_held_stays_held_though_some_of_it_passes_its_day(desk: Desk) -> None:
    asked = Facts(asked_on=START)
    names = ("Alvarez", "Chen", "Novak")
    desk.settings = settings(*(letter(name, facts=asked) for name in names))
    desk.sync()
    season = desk.settings.season
    desk.settings = replace(desk.settings, season=replace(season, policy=Policy(follow_ups=0)))
    first = desk.sync()
    assert len(first.held) == 6
    later = desk.sync(sorted(change.day for change in first.held)[3] - timedelta(days=1))
    assert len(later.held) == 3
    assert not later.deleted
    assert len(desk.sync().held) == 3
    assert len(desk.sync(accept_deletions=True).deleted) == 3
    assert not desk.sync().held
