"""When to follow up, and what is left of a mentor's budget: R4, R5, R7, R8, R10."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lorsync.core.follow_ups import (
    AHEAD_DAYS,
    FALLBACK_DAYS,
    Choice,
    OpenDue,
    choose_days,
)
from lorsync.core.model import (
    MAX_FOLLOW_UPS,
    Budget,
    Identity,
    Kind,
    LetterId,
    PlanWarning,
    Reason,
)
from lorsync.core.occasion import Case, Occasion, Outcome, moved
from lorsync.core.progress import Progress

_FIRST, _LAST = "1", "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """The follow-ups that were made: their days, their slots, and what they were for."""

    days: tuple[date, ...]
    slots: frozenset[str]
    reminded: frozenset[date]
    checked_in: bool


def check_in(
    case: Case, asked: Mapping[LetterId, date], contacts: Sequence[date]
) -> tuple[Outcome, Budget]:
    """Place the follow-ups of one mentor, at most two in a cycle (R5).

    ``asked`` says when each open letter was or will be asked for, ``contacts`` on which other days
    the mentor is contacted.
    """
    policy = case.season.policy
    cap = min(policy.follow_ups, MAX_FOLLOW_UPS)
    open_letters = [
        p
        for p in case.letters
        if p.open and p.due is not None and p.due.day >= case.today and p.id in asked
    ]
    spent = _spent(case, open_letters)
    left = max(0, cap - len(spent.days))
    dues = sorted(
        {OpenDue(day=p.due.day, asked=asked[p.id]) for p in open_letters if p.due is not None},
        key=lambda due: (due.day, due.asked),
    )
    choices = choose_days(
        dues,
        slots=left,
        days=case.days,
        policy=policy,
        today=case.today,
        contacts=[*contacts, *spent.days],
        reminded=spent.reminded,
        checked_in=spent.checked_in,
    )
    slots = _slots(choices, case, spent)
    occasions = tuple(
        _occasion(choice, slot, case, open_letters, asked)
        for choice, slot in zip(choices, slots, strict=True)
    )
    served = {due.day for choice in choices if choice.final for due in choice.serves}
    uncovered = [due for due in dues if due.day not in served | spent.reminded]
    warnings = tuple(_uncovered(due, case, left) for due in uncovered)
    budget = Budget(cap=cap, spent=len(spent.days), planned=len(occasions))
    return Outcome(occasions=occasions, warnings=warnings), budget


def _spent(case: Case, open_letters: Sequence[Progress]) -> _Spent:
    """Count what was used up: days that passed while a letter was open, and days stated (R5)."""
    past = [
        p
        for p in case.placed
        if p.kind is Kind.FOLLOW_UP
        and p.day < case.today
        and any(_open_on(case.letter(letter), p.day) for letter in _known(p.letters, case))
    ]
    days = [p.day for p in past]
    slots = {p.identity.slot for p in past}
    near = timedelta(days=case.season.policy.min_gap_days)
    stated = sorted({day for p in case.letters for day in p.facts.followed_up_on})
    for day in stated:
        # A day stated beside a past event of ours is the same follow-up, told twice.
        if all(abs(day - other) >= near for other in days):
            days.append(day)
            slots |= set(_free_slots(slots)[:1])
    finals = {
        p.due.day
        for p in open_letters
        if p.due is not None and any(_was_final(day, p.due.day, case) for day in days)
    }
    return _Spent(
        days=tuple(sorted(days)),
        slots=frozenset(slots),
        reminded=frozenset(finals),
        checked_in=bool(days),
    )


def _known(letters: Sequence[LetterId], case: Case) -> list[LetterId]:
    ids = {p.id for p in case.letters}
    return [letter for letter in letters if letter in ids]


def _open_on(progress: Progress, day: date) -> bool:
    return all(end is None or end > day for end in (progress.submitted, progress.declined))


def _was_final(day: date, due: date, case: Case) -> bool:
    """Tell whether a follow-up of the past was a due date's final: near it, or a fallback (R8)."""
    policy = case.season.policy
    before = (due - day).days
    if policy.last_useful_days <= before <= AHEAD_DAYS:
        return True
    fallback = any(
        p.kind is Kind.FOLLOW_UP and p.day == day and p.identity.slot == _LAST for p in case.placed
    )
    return fallback and 0 <= before <= policy.final_days + FALLBACK_DAYS


def _free_slots(used: frozenset[str] | set[str]) -> list[str]:
    # A lone follow-up takes the last slot, so that a check-in found later can still come before it.
    return [slot for slot in (_FIRST, _LAST) if slot not in used]


def _slots(choices: Sequence[Choice], case: Case, spent: _Spent) -> list[str]:
    """Give each follow-up its slot: a day that does not change keeps its own (S8)."""
    free = _free_slots(spent.slots)
    if len(choices) == len(free):
        kept = {p.day: p.identity.slot for p in case.placed if p.kind is Kind.FOLLOW_UP}
        if len(choices) == 2 and (
            kept.get(choices[0].day) == _LAST or kept.get(choices[1].day) == _FIRST
        ):
            return [_LAST, _FIRST]
        return free
    return free[-len(choices) :] if choices else []


def _occasion(
    choice: Choice,
    slot: str,
    case: Case,
    open_letters: Sequence[Progress],
    asked: Mapping[LetterId, date],
) -> Occasion:
    policy = case.season.policy
    served = {(due.day, due.asked) for due in choice.serves}
    letters = tuple(
        p.id for p in open_letters if p.due is not None and (p.due.day, asked[p.id]) in served
    )
    first = min(due.day for due in choice.serves)
    what, distance = (
        ("the final follow-up", policy.final_days)
        if choice.final
        else ("a check-in", policy.first_days)
    )
    reason = Reason(
        rule="R4", text=f"{what}, about {distance} days before {first}", ideal=choice.ideal
    )
    reasons = (reason, *moved(case.days, choice.ideal, choice.day))
    others = len({due.day for due in choice.serves}) - 1
    if others:
        more = "1 more due date" if others == 1 else f"{others} more due dates"
        reasons += (Reason(rule="R8", text=f"it serves {more}"),)
    return Occasion(
        identity=Identity(kind=Kind.FOLLOW_UP, subject=case.mentor.id, slot=slot),
        letters=letters,
        day=choice.day,
        reasons=reasons,
        final=choice.final,
    )


def _uncovered(due: OpenDue, case: Case, left: int) -> PlanWarning:
    why = (
        "the follow-ups of this cycle are used up"
        if left == 0
        else "no day before it is left on which a follow-up fits"
    )
    return PlanWarning(
        code="no-follow-up",
        subject=case.mentor.id,
        message=f"{case.mentor.name} gets no reminder for what is due on {due.day}: {why}. "
        "If you are worried, ring the office or ask an adviser.",
    )
