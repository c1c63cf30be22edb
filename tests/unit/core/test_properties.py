"""What holds of every plan, whatever the config, the facts, the history and the day."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lorsync.core.merge.known_uids import known_uids
from lorsync.core.model import (
    CONTACTS,
    Event,
    History,
    Kind,
    Letter,
    MentorId,
    Placed,
    Plan,
    Season,
    Stage,
)
from lorsync.core.planner.dates import contact_days
from lorsync.core.planner.draft_event import THANK_PROVISIONAL
from lorsync.core.planner.plan import plan
from tests.unit.core.seasons import KEY, remembered
from tests.unit.core.strategies import PROGRAMS, days, due_days, histories, letters, seasons

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=3000)

_at_length: dict[str, Callable[[], None]] = {}


def holds(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """Make a property: run shortly with all tests, and at length with the long ones."""

    def decorate(test: Callable[..., None]) -> Any:
        _at_length[test.__name__] = LONG(given(*strategies)(test))
        return QUICK(given(*strategies)(test))

    return decorate


@st.composite
def cases(draw: st.DrawFn) -> tuple[Season, date, tuple[Placed, ...]]:
    season = draw(seasons())
    return season, draw(days), draw(histories(season))


def planned(season: Season, today: date, placed: Iterable[Placed] = ()) -> Plan:
    return plan(season, today=today, key=KEY, history=History(placed=tuple(placed)))


def follow_ups(of: Plan, mentor: MentorId) -> list[Event]:
    return [e for e in of.events if e.kind is Kind.FOLLOW_UP and e.mentor == mentor]


@holds(cases())
def test_i1_never_more_than_two_follow_ups_with_what_is_spent(case):
    season, today, history = case
    found = planned(season, today, history)
    cap = min(2, season.policy.follow_ups)
    for mentor, budget in found.budgets.items():
        ours = follow_ups(found, mentor)
        assert len([e for e in ours if not e.pinned]) + budget.spent <= max(cap, budget.spent)
        past = {
            p.identity
            for p in history
            if p.mentor == mentor and p.kind is Kind.FOLLOW_UP and (p.day < today or p.dismissed)
        }
        assert budget.spent >= len(past)
        assert not past & {event.identity for event in ours}
        assert len(past) + len(ours) <= 2


@holds(cases(), st.randoms(use_true_random=False))
def test_i8_the_same_arguments_give_the_same_plan(case, random):
    season, today, history = case
    shuffled = list(history)
    random.shuffle(shuffled)
    plan, other = planned(season, today, history), planned(season, today, shuffled)
    assert plan == other
    assert told(plan) == told(other)


@holds(cases())
def test_i9_no_contact_on_a_day_that_r6_forbids(case):
    season, today, history = case
    for event in planned(season, today, history).events:
        if event.kind in CONTACTS and not event.pinned:
            found = contact_days(season.mentors[event.mentor], season)
            assert found.allows(event.day)


@holds(cases())
def test_nothing_is_planned_before_today_and_nothing_is_planned_twice(case):
    season, today, history = case
    events = planned(season, today, history).events
    assert all(event.day >= today for event in events)
    assert len({event.identity for event in events}) == len(events)
    assert {event.uid for event in events} <= known_uids(season, KEY).keys()


@holds(cases())
def test_every_event_and_warning_has_reasons_and_words(case):
    season, today, history = case
    found = planned(season, today, history)
    for event in found.events:
        assert event.reasons
        assert 0 < len(event.summary) <= 60
        assert event.text()
        assert event.letters
    for warning in found.warnings:
        assert warning.reasons
        assert warning.message
        assert warning.subject


@holds(cases())
def test_r7_what_contacts_a_mentor_is_a_gap_apart(case):
    season, today, history = case
    found = planned(season, today, history)
    gap = season.policy.min_gap_days
    for mentor in found.budgets:
        contacts = [e for e in found.events if e.kind in CONTACTS and e.mentor == mentor]
        past = [
            p.day
            for p in history
            if p.mentor == mentor
            and p.day < today
            and p.kind is Kind.FOLLOW_UP
            and not p.dismissed
            and not any(
                abs((p.day - stated).days) < max(1, gap)
                for letter in season.letters
                for stated in letter.facts.followed_up_on
            )
        ]
        own = [(event.day, event.pinned) for event in contacts]
        for (one, moved), (other, moved_too) in pairwise(sorted(own)):
            if not moved or not moved_too:
                assert (other - one).days >= gap
        assert all((day - p).days >= gap for day, moved in own if not moved for p in past)


@holds(cases())
def test_r10_r11_no_contact_about_a_letter_that_is_in_or_was_declined(case):
    season, today, history = case
    found = planned(season, today, history)
    closed = {s.id for s in found.letters if s.stage in (Stage.SUBMITTED, Stage.DECLINED)}
    for event in found.events:
        if event.kind in CONTACTS:
            assert not closed & set(event.letters)


@holds(cases())
def test_every_open_due_date_gets_a_final_or_is_named_in_a_warning(case):
    season, today, history = case
    found = planned(season, today, history)
    spent = {
        letter
        for p in history
        if p.kind is Kind.FOLLOW_UP and (p.day < today or p.dismissed or p.pinned)
        for letter in p.letters
    } | {letter.id for letter in season.letters if letter.facts.followed_up_on}
    named = " ".join(w.message for w in found.warnings)
    subjects = {w.subject for w in found.warnings if w.code in ("no-contact-day", "past-due")}
    for standing in found.letters:
        if standing.stage in (Stage.SUBMITTED, Stage.DECLINED) or standing.id in spent:
            continue
        covered = any(standing.id in e.letters for e in follow_ups(found, standing.mentor))
        assert covered or standing.id in subjects or f" {standing.id}" in named


@holds(cases(), st.data())
def test_adding_a_program_never_adds_a_follow_up_beyond_two(case, data):
    season, today, history = case
    deadline = data.draw(due_days)
    late = replace(season.programs[PROGRAMS[0]], deadline=deadline, target=None)
    wider = tuple(
        replace(letter, programs=tuple(dict.fromkeys([*letter.programs, late.id])))
        for letter in season.letters
    )
    grown = replace(season, programs={**season.programs, late.id: late}, letters=wider)
    found = planned(grown, today, history)
    for mentor, budget in found.budgets.items():
        assert len(follow_ups(found, mentor)) <= 2
        assert budget.spent == planned(season, today, history).budgets[mentor].spent


def turning_days(season: Season) -> set[date]:
    """Return the days after which a plan may change by a rule: each date that a letter has."""
    turning = set()
    for letter in season.letters:
        lag = letter.lag_days
        for p in (season.programs[program] for program in letter.programs):
            if p.target is not None:
                turning.add(p.target)
            if p.deadline is not None:
                turning.add(p.deadline - timedelta(days=p.lag_days if lag is None else lag))
        if letter.deadline is not None:
            turning.add(letter.deadline - timedelta(days=lag or 0))
    for program in season.programs.values():
        for day in (program.results_on, program.deadline, program.target):
            if day is not None:
                turning.add(day)
    return turning


def facts_on(letter: Letter) -> set[date]:
    stated = [getattr(letter.facts, name) for name in letter.facts.__slots__]
    found = {day for day in stated if isinstance(day, date)}
    return found | set(letter.facts.followed_up_on)


@holds(seasons(), days)
def test_a_plan_for_tomorrow_is_todays_without_what_was_today(season, today):
    tomorrow = today + timedelta(days=1)
    assume(today not in turning_days(season))
    assume(all(tomorrow not in facts_on(letter) for letter in season.letters))
    now = planned(season, today)
    # Once its day is over, a provisional thank-you makes room for that of the next due date.
    assume(all(e.identity.slot != THANK_PROVISIONAL for e in now.events if e.day == today))
    later = planned(season, tomorrow, remembered((), now))
    assert told(later) == [entry for entry in told(now) if entry[0] > today]


def told(of: Plan) -> list[tuple[object, ...]]:
    return sorted((e.day, e.uid, e.letters, e.summary, e.text()) for e in of.events)


@holds(seasons(with_facts=False), st.data())
def test_a_season_day_by_day_never_has_a_third_follow_up(season, data):
    """Live through a season: facts come as they may, and events are moved and deleted."""
    today = data.draw(days, label="start")
    history: tuple[Placed, ...] = ()
    made: dict[MentorId, set[tuple[str, date]]] = {m: set() for m in season.mentors}
    while today < date(2027, 5, 1):
        now = planned(season, today, history)
        history = remembered(history, now)
        step = timedelta(days=data.draw(st.integers(1, 21), label="days"))
        history = disturbed(history, today, data)
        if data.draw(st.integers(0, 3), label="fact") == 0:
            season = with_fact(season, today, data)
        if data.draw(st.integers(0, 9), label="edit") == 0:
            season = edited(season, data)
        for p in history:
            if p.kind is Kind.FOLLOW_UP and today <= p.day < today + step and not p.dismissed:
                made[p.mentor].add((p.identity.slot, p.day))
        today += step
    for mentor, found in made.items():
        stated = {
            day for x in season.letters if x.mentor == mentor for day in x.facts.followed_up_on
        }
        if not stated:
            assert len(found) <= min(2, season.policy.follow_ups)


def disturbed(history: tuple[Placed, ...], today: date, data: st.DataObject) -> tuple[Placed, ...]:
    """Let the person move or delete one of the follow-ups that are ahead."""
    ahead = [p for p in history if p.kind is Kind.FOLLOW_UP and p.day >= today and not p.dismissed]
    if not ahead or data.draw(st.integers(0, 4), label="disturb"):
        return history
    one = data.draw(st.sampled_from(ahead), label="which")
    if data.draw(st.booleans(), label="delete"):
        changed = replace(one, dismissed=True)
    else:
        moved = one.day + timedelta(days=data.draw(st.integers(-20, 40), label="by"))
        changed = replace(one, day=max(moved, today), pinned=True)
    return tuple(changed if p is one else p for p in history)


def with_fact(season: Season, today: date, data: st.DataObject) -> Season:
    one = data.draw(st.sampled_from(season.letters), label="letter")
    name = data.draw(
        st.sampled_from(["asked_on", "agreed_on", "declined_on", "submitted_on", "packet_sent_on"]),
        label="fact",
    )
    changed = replace(one, facts=replace(one.facts, **{name: today}))
    return replace(season, letters=tuple(changed if x is one else x for x in season.letters))


def edited(season: Season, data: st.DataObject) -> Season:
    """Add a letter, remove one, or move a deadline."""
    match data.draw(st.sampled_from(["add", "remove", "move"]), label="what"):
        case "add":
            number = data.draw(st.integers(100, 999), label="number")
            added = data.draw(letters(number, list(season.mentors), PROGRAMS), label="added")
            added = replace(added, facts=replace(added.facts, followed_up_on=()))
            if added.id in {x.id for x in season.letters}:
                return season
            return replace(season, letters=(*season.letters, added))
        case "remove":
            if len(season.letters) == 1:
                return season
            gone = data.draw(st.sampled_from(season.letters), label="gone")
            return replace(season, letters=tuple(x for x in season.letters if x is not gone))
        case _:
            moved = replace(season.programs[PROGRAMS[1]], deadline=data.draw(due_days))
            return replace(season, programs={**season.programs, moved.id: moved})


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", list(_at_length))
def test_each_of_these_at_length(name):
    _at_length[name]()
