"""Turn letters, facts, history and a day into the events that the calendar should hold."""

from collections.abc import Mapping
from dataclasses import replace as replace_fields
from datetime import date

from lorsync.core.afterwards import conclude
from lorsync.core.asking import ask
from lorsync.core.checking_in import check_in
from lorsync.core.contact_days import contact_days
from lorsync.core.coverage import Coverage, cover, coverage_warnings, replace
from lorsync.core.identity import SeasonKey, uid_for
from lorsync.core.model import (
    CONTACTS,
    Budget,
    Event,
    History,
    Letter,
    Mentor,
    MentorId,
    Placed,
    Plan,
    PlanWarning,
    ProgramId,
    Reason,
    Season,
    Uid,
)
from lorsync.core.occasion import Case, Occasion
from lorsync.core.progress import future_facts, progress_of, standing
from lorsync.core.wording import Words

Holidays = tuple[tuple[date, str], ...]
"""Named days where a mentor is."""

_NO_HISTORY = History()


def plan(
    season: Season,
    *,
    today: date,
    key: SeasonKey,
    history: History = _NO_HISTORY,
    holidays: Mapping[MentorId, Holidays] | None = None,
) -> Plan:
    """Return what the calendar should hold on a day, from that day on (R1 to R13).

    ``today`` is the day in the applicant's zone. Events that have passed are history (I6) and not
    part of the plan; they count through ``history``. The same arguments give the same plan (I8).
    """
    cases = _cases(season, today, history, holidays or {})
    coverage = cover(season, (p for case in cases for p in case.letters))
    events: list[Event] = []
    warnings: list[PlanWarning] = [
        warning for letter in season.letters for warning in future_facts(letter, today)
    ]
    budgets: dict[MentorId, Budget] = {}
    for case in cases:
        occasions, told, budget = _plan_mentor(case, coverage)
        budgets[case.mentor.id] = budget
        warnings += told
        events += _in_words(occasions, case, key, history.retired)
    warnings += coverage_warnings(coverage.values())
    return Plan(
        as_of=today,
        letters=tuple(standing(p, today) for case in cases for p in case.letters),
        events=tuple(sorted(events, key=lambda event: (event.day, event.kind, event.uid))),
        budgets=budgets,
        warnings=tuple(warnings),
    )


def _cases(
    season: Season, today: date, history: History, holidays: Mapping[MentorId, Holidays]
) -> list[Case]:
    """Return one case per mentor who has a letter, in the order of the config."""
    letters: dict[MentorId, list[Letter]] = {}
    for letter in season.letters:
        letters.setdefault(letter.mentor, []).append(letter)
    placed: dict[MentorId, list[Placed]] = {}
    for event in history.placed:
        placed.setdefault(event.mentor, []).append(event)
    return [
        _case(
            season,
            season.mentors[mentor_id],
            tuple(own),
            tuple(placed.get(mentor_id, ())),
            today,
            holidays.get(mentor_id, ()),
        )
        for mentor_id, own in letters.items()
    ]


def _case(
    season: Season,
    mentor: Mentor,
    letters: tuple[Letter, ...],
    placed: tuple[Placed, ...],
    today: date,
    holidays: Holidays,
) -> Case:
    days = contact_days(mentor, season.policy, holidays)
    return Case(
        season=season,
        mentor=mentor,
        letters=tuple(
            progress_of(letter, season, today=today, days=days, placed=placed) for letter in letters
        ),
        days=days,
        placed=placed,
        today=today,
    )


def _plan_mentor(
    case: Case, coverage: dict[ProgramId, Coverage]
) -> tuple[list[Occasion], list[PlanWarning], Budget]:
    asking = ask(case)
    contacts = [
        *(p.asked for p in case.letters if p.asked is not None),
        *(o.day for o in asking.outcome.occasions if o.kind in CONTACTS),
    ]
    following_up, budget = check_in(case, asking.asked, contacts)
    conclusion = conclude(case)
    occasions = [
        *asking.outcome.occasions,
        *following_up.occasions,
        *conclusion.occasions,
        *replace(case, coverage),
    ]
    wanted = [o for o in occasions if o.kind in case.season.policy.events]
    warnings = [*asking.outcome.warnings, *following_up.warnings, *conclusion.warnings]
    return wanted, warnings, budget


def _in_words(
    occasions: list[Occasion], case: Case, key: SeasonKey, retired: frozenset[Uid]
) -> list[Event]:
    words = Words(case.season, case.mentor, {p.id: p.due for p in case.letters})
    events = [
        Event(
            uid=_fresh_uid(occasion, key, retired),
            identity=occasion.identity,
            mentor=case.mentor.id,
            letters=occasion.letters,
            day=occasion.day,
            summary=words.title(occasion),
            text=words.text(occasion),
            status=occasion.status,
            reasons=occasion.reasons,
        )
        for occasion in occasions
    ]
    pins = {placed.identity: placed.day for placed in case.placed if placed.pinned}
    return [_pinned(e, pins[e.identity]) if e.identity in pins else e for e in events]


def _pinned(event: Event, day: date) -> Event:
    """Return an event on the day to which the person moved it (S10)."""
    reason = Reason(rule="S10", text=f"you moved it; planned for {event.day}", ideal=event.day)
    return replace_fields(event, day=day, pinned=True, reasons=(*event.reasons, reason))


def _fresh_uid(occasion: Occasion, key: SeasonKey, retired: frozenset[Uid]) -> Uid:
    """Return the UID of the first generation that lorsync has not itself deleted (S8)."""
    identity = occasion.identity
    generation = 0
    while (
        uid := uid_for(key, identity.kind, identity.subject, identity.slot, generation)
    ) in retired:
        generation += 1
    return uid
