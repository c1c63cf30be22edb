"""S13, S14: a tick in a title states a fact, on the fake calendar through whole passes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.core.errors import UnavailableError
from lorsync.core.facts import Fact, Source
from lorsync.core.merge.entry import Entry
from lorsync.core.model import Facts, Kind, LetterId
from lorsync.core.ports import Href
from tests.unit.sync.desk import DUE, START, Desk, letter, name_of, settings

LATER = timedelta(days=30)


def entry_of(desk: Desk, href: Href) -> Entry:
    return next(entry for entry in desk.entries().values() if entry.href == href)


def title(desk: Desk, href: Href) -> str:
    return str(desk.events()[href]["SUMMARY"])


def type_title(desk: Desk, href: Href, words: str) -> None:
    """Type into the title of an event, where ``…`` stands for what was there."""
    desk.person_changes(href, summary=words.replace("…", title(desk, href)))


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """One mentor with one letter."""
    desk.settings = settings(letter("Alvarez"))
    return desk


@pytest.fixture
def request_href(desk: Desk) -> Href:
    desk.sync()
    return desk.find(Kind.REQUEST)


def test_s13_a_tick_states_the_fact_and_changes_the_plan_in_the_same_pass(
    desk: Desk, request_href: Href
) -> None:
    before = title(desk, request_href)
    type_title(desk, request_href, "✓ …")
    report = desk.sync(START + timedelta(days=2))
    assert title(desk, request_href) == f"✓ asked 5 May · {before}"
    assert [letter.asked for letter in report.plan.letters] == [date(2027, 5, 5)]
    # Asked for: no talk and no request any more, and the event is history.
    kinds = {event.kind for event in report.plan.events}
    assert kinds.isdisjoint({Kind.TALK, Kind.REQUEST, Kind.ADD_LETTER})
    event = desk.events()[request_href]
    assert "Stated in the title: asked on 2027-05-05." in str(event["DESCRIPTION"])
    assert not [c for c in event.subcomponents if c.name == "VALARM"]
    assert event["DTSTART"].dt > date(2027, 5, 5)


def test_s13_the_title_is_normalised_once(desk: Desk, request_href: Href) -> None:
    type_title(desk, request_href, "DONE: …")
    desk.sync()
    desk.sync()
    body = desk.calendar.bodies[request_href]
    report = desk.sync()
    assert (report.requests, report.wrote) == (desk.calendar.requests, False)
    type_title(desk, request_href, "… (she was delighted)")
    settled = title(desk, request_href)
    desk.sync()
    assert title(desk, request_href) == settled
    assert desk.calendar.bodies[request_href] != body


def test_s13_the_day_is_that_of_last_modified_where_plausible(
    desk: Desk, request_href: Href
) -> None:
    type_title(desk, request_href, "asked – …")
    desk.person_changes(request_href, last_modified=datetime(2027, 5, 6, 3, tzinfo=UTC))
    desk.sync(date(2027, 5, 9))
    # Three in the morning in UTC is the evening before in New York.
    assert entry_of(desk, request_href).ticks == ((Fact.ASKED, date(2027, 5, 5)),)


@pytest.mark.parametrize(
    "modified", [datetime(2031, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)]
)
def test_s13_an_implausible_last_modified_is_not_believed(
    desk: Desk, request_href: Href, modified: datetime
) -> None:
    type_title(desk, request_href, "asked – …")
    desk.person_changes(request_href, last_modified=modified)
    desk.sync(date(2027, 5, 9))
    assert entry_of(desk, request_href).ticks == ((Fact.ASKED, date(2027, 5, 9)),)


@pytest.mark.emulated("icloud", "google")
def test_s14_the_title_without_its_tick_takes_the_fact_back(desk: Desk, request_href: Href) -> None:
    before, body = title(desk, request_href), desk.events()[request_href]
    type_title(desk, request_href, "☑ …")
    desk.sync()
    desk.person_changes(request_href, summary=before)
    report = desk.sync(START + timedelta(days=1))
    assert [letter.asked for letter in report.plan.letters] == [None]
    event = desk.events()[request_href]
    assert title(desk, request_href) == before
    assert "Stated" not in str(event["DESCRIPTION"])
    assert [c.name for c in event.subcomponents] == [c.name for c in body.subcomponents]
    assert entry_of(desk, request_href).changed == ()
    assert not desk.sync().wrote


def test_s14_nothing_else_takes_a_fact_back(desk: Desk, request_href: Href) -> None:
    type_title(desk, request_href, "sent: …")
    desk.sync()
    desk.person_changes(request_href, summary="Mailed her on Tuesday")
    report = desk.sync()
    assert [letter.asked for letter in report.plan.letters] == [START]
    assert title(desk, request_href) == "Mailed her on Tuesday"
    assert not desk.sync().wrote
    desk.calendar.remove(request_href)
    for hours in (1, 2, 3):
        report = desk.sync(START + timedelta(days=hours))
    assert [letter.asked for letter in report.plan.letters] == [START]
    assert request_href not in desk.calendar.bodies


def test_s14_one_fact_on_two_events_counts_from_the_earliest_day(desk: Desk) -> None:
    desk.sync()
    talk, request = desk.find(Kind.TALK), desk.find(Kind.REQUEST)
    type_title(desk, request, "agreed – …")
    type_title(desk, talk, "agreed 1 May – …")
    desk.sync()
    facts = desk.facts()
    assert facts[Fact.AGREED] == (date(2027, 5, 1), Source.TICK)
    desk.person_changes(talk, summary=entry_of(desk, talk).title)
    desk.sync()
    assert desk.facts()[Fact.AGREED] == (START, Source.TICK)


def test_s13_a_fact_in_the_config_wins(desk: Desk, request_href: Href) -> None:
    desk.change(letter("Alvarez", facts=Facts(asked_on=date(2027, 5, 1))))
    type_title(desk, request_href, "asked 3 May – …")
    desk.sync(date(2027, 5, 4))
    assert desk.facts()[Fact.ASKED] == (date(2027, 5, 1), Source.CONFIG)


def test_s13_a_follow_up_ticked_ahead_of_its_day_is_spent_and_gaps_count_from_the_tick(
    desk: Desk,
) -> None:
    desk.change(letter("Alvarez", facts=Facts(asked_on=START)))
    desk.sync()
    check_in = desk.find(Kind.FOLLOW_UP, slot="1")
    day = entry_of(desk, check_in).day
    type_title(desk, check_in, "✅ …")
    ticked = day - timedelta(days=20)
    report = desk.sync(ticked)
    assert report.plan.budgets["Alvarez"].spent == 1
    follow_ups = [e for e in report.plan.events if e.kind is Kind.FOLLOW_UP]
    assert len(follow_ups) == 1
    # When the day comes on which it would have been, nothing more is spent.
    report = desk.sync(day + timedelta(days=1))
    assert report.plan.budgets["Alvarez"].spent == 1
    assert check_in in desk.calendar.bodies


def test_s13_a_ticked_event_is_never_deleted(desk: Desk, request_href: Href) -> None:
    desk.settings = settings(letter("Alvarez"), letter("Chen"))
    desk.sync()
    type_title(desk, request_href, "declined – …")
    desk.sync()
    desk.change(letter("Chen"))
    desk.sync(START + timedelta(days=1), accept_deletions=True)
    assert request_href in desk.calendar.bodies
    assert {href for href in desk.events() if entry_of(desk, href).mentor == "Alvarez"} == {
        request_href
    }


@pytest.mark.parametrize("words", ["submitted – …", "… ✓", "received", "[x] …"])
def test_r10_a_deadline_ticked_ends_the_letter(desk: Desk, words: str) -> None:
    desk.change(letter("Alvarez", facts=Facts(asked_on=START)))
    desk.sync()
    deadline = desk.find(Kind.DEADLINE)
    ours = title(desk, deadline)
    type_title(desk, deadline, words)
    report = desk.sync(DUE - timedelta(days=30))
    assert title(desk, deadline) == f"✓ submitted 11 Aug · {ours}"
    assert {event.kind for event in report.plan.events} == {Kind.THANK_YOU}
    assert not desk.sync().wrote


def test_s4_ticks_survive_a_lost_ledger(desk: Desk, request_href: Href) -> None:
    before = title(desk, request_href)
    type_title(desk, request_href, "asked – …")
    desk.sync(date(2027, 5, 5))
    type_title(desk, request_href, "declined … ")
    desk.sync(date(2027, 5, 9))
    facts = desk.facts()
    bodies = dict(desk.calendar.bodies)
    desk.lose_ledger()
    desk.sync(date(2028, 5, 9))
    assert desk.facts() == facts
    assert facts[Fact.ASKED] == (date(2027, 5, 5), Source.TICK)
    assert facts[Fact.DECLINED] == (date(2027, 5, 9), Source.TICK)
    assert desk.calendar.bodies[request_href] == bodies[request_href]
    desk.lose_ledger()
    desk.person_changes(request_href, summary=before)
    desk.sync(date(2028, 5, 10))
    assert desk.facts() == {}


def test_s13_words_of_the_person_around_the_tick_stay(desk: Desk, request_href: Href) -> None:
    desk.person_changes(request_href, summary="Mail Alvarez")
    desk.sync()
    type_title(desk, request_href, "sent … ")
    desk.sync()
    assert title(desk, request_href) == "✓ asked 3 May · Mail Alvarez"
    desk.person_changes(request_href, summary="Mail Alvarez")
    report = desk.sync()
    assert [letter.asked for letter in report.plan.letters] == [None]
    assert title(desk, request_href) == "Mail Alvarez"


def test_i5_a_ticked_follow_up_says_where_a_moved_one_would_be_in_every_pass_alike(
    desk: Desk,
) -> None:
    desk.sync()
    type_title(desk, desk.find(Kind.FOLLOW_UP, slot="2"), "✓ …")
    moved = desk.find(Kind.FOLLOW_UP, slot="1")
    day = DUE - timedelta(days=30)
    desk.person_changes(moved, dtstart=day, dtend=day + timedelta(days=1))
    # Another letter in the stead of the one that both were for.
    later = replace(letter("Alvarez", due=DUE + timedelta(days=88)), id=LetterId("another"))
    desk.change(later)
    desk.sync(accept_deletions=True)
    again = desk.sync()
    assert not again.wrote, again.updated


def test_i4_a_title_of_ones_own_is_not_written_over_by_the_tick_before_it(desk: Desk) -> None:
    desk.sync()
    request = desk.find(Kind.REQUEST)
    desk.person_changes(request, summary="Ask her at the clinic")
    desk.sync()
    desk.person_changes(request, summary="✓ Ask her at the clinic")

    def retitle_once(operation: str, moment: str, _: object) -> None:
        if (operation, moment) == ("update", "before"):
            desk.calendar.faults = None
            desk.person_changes(request, summary="She said yes")

    desk.calendar.faults = retitle_once
    desk.sync()
    assert title(desk, request) == "She said yes"


def test_s17_a_backup_from_before_a_tick_takes_nothing_back(desk: Desk, request_href: Href) -> None:
    backup, before = desk.calendar.bodies[request_href], title(desk, request_href)
    type_title(desk, request_href, "✓ …")
    desk.sync()
    desk.calendar.edit(request_href, backup)
    desk.sync()
    assert desk.facts() == {Fact.ASKED: (START, Source.TICK)}
    assert title(desk, request_href) == f"✓ asked 3 May · {before}"
    assert not desk.sync().wrote
    # By the person's own hand it is taken back all the same.
    desk.person_changes(request_href, summary=before)
    desk.sync()
    assert desk.facts() == {}


def test_i7_a_tick_written_once_more_outlives_a_write_that_did_not_arrive(
    desk: Desk, request_href: Href
) -> None:
    backup = desk.calendar.bodies[request_href]
    type_title(desk, request_href, "✓ …")
    desk.sync()
    desk.calendar.edit(request_href, backup)

    def offline(what: str, moment: str, href: Href | None) -> None:
        if (what, moment, href) == ("update", "before", request_href):
            raise UnavailableError("offline")

    desk.calendar.faults = offline
    with pytest.raises(UnavailableError):
        desk.sync()
    desk.calendar.faults = None
    report = desk.sync()
    assert desk.facts() == {Fact.ASKED: (START, Source.TICK)}
    # And none of what the backup brought is said to be the person's.
    assert [c.changed for c in report.kept if c.uid == name_of(request_href)] == [("ticked",)]


def test_s13_a_final_ticked_long_ahead_was_the_one_for_its_due_date(desk: Desk) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    desk.calendar.remove(desk.find(Kind.FOLLOW_UP, slot="1"))
    type_title(desk, final, "✓ …")
    report = desk.sync()
    assert Kind.FOLLOW_UP not in {event.kind for event in report.plan.events}
    assert "no-follow-up" not in {warning.code for warning in report.warnings}


def test_s20_two_machines_agree_on_a_ticked_final_without_a_stamp(
    desk: Desk, tmp_path: Path
) -> None:
    desk.sync()
    final = desk.find(Kind.FOLLOW_UP, slot="2")
    type_title(desk, final, "✓ …")
    desk.sync()
    other = replace(desk, folder=tmp_path / "other")
    desk.person_changes(final, description="All mine.")
    other.sync()
    for machine in (desk, other, desk):
        report = machine.sync()
        assert not report.wrote, (report.created, report.deleted)


def test_s13_a_tick_on_what_could_not_be_read_counts_once_it_can(
    desk: Desk, request_href: Href
) -> None:
    type_title(desk, request_href, "DONE: …")
    readable = desk.calendar.bodies[request_href]
    event = readable[readable.index(b"BEGIN:VEVENT") : readable.index(b"END:VCALENDAR")]
    desk.calendar.edit(request_href, readable.replace(event, event * 2))
    desk.lose_ledger()
    desk.sync()
    assert desk.facts() == {}
    desk.calendar.edit(request_href, readable)
    desk.sync()
    assert desk.facts() == {Fact.ASKED: (START, Source.TICK)}
