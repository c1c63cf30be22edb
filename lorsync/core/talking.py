"""When to talk about goals, before anything is asked for: R2 (no surprise)."""

from collections.abc import Sequence
from datetime import date, timedelta

from lorsync.core.asking import speaking_first
from lorsync.core.model import Identity, Kind, Reason
from lorsync.core.occasion import Case, Occasion, moved, moved_by_person


def talk_first(
    case: Case, requests: Sequence[Occasion], contacts: Sequence[date]
) -> tuple[Occasion, ...]:
    """Return the requests with a talk before the first, once per mentor and only before any asking.

    Where there is no time for a talk, the first request says to speak first.
    """
    if not requests or not case.wants(Kind.TALK) or case.was_asked or has_talked(case):
        return tuple(requests)
    first = min(requests, key=lambda request: request.day)
    talk = _talk(case, first, [*contacts, *(request.day for request in requests)])
    if talk is None:
        return tuple(speaking_first(r) if r is first else r for r in requests)
    return (talk, *requests)


def has_talked(case: Case) -> bool:
    """Tell whether the talk was had, by a fact or because its day has passed."""
    stated = any(p.facts.talked_on is not None for p in case.letters)
    return stated or case.happened(talk_identity(case))


def talk_identity(case: Case) -> Identity:
    """Return what identifies a mentor's talk."""
    return Identity(kind=Kind.TALK, subject=case.mentor.id)


def after_talk(case: Case) -> date:
    """Return the first day that a talk which the person moved leaves for a request."""
    pinned = case.pinned_day(talk_identity(case))
    if pinned is None or case.was_asked:
        return case.today
    return pinned + timedelta(days=max(1, case.season.policy.min_gap_days))


def _talk(case: Case, first: Occasion, others: Sequence[date]) -> Occasion | None:
    policy = case.season.policy
    ideal = first.day - timedelta(days=policy.talk_days)
    latest = first.day - timedelta(days=max(1, policy.min_gap_days))
    pinned = case.pinned_day(talk_identity(case))
    # What the plan would have said without the move is not held off by the moved talk itself.
    planned = case.days.shift_clear(
        min(ideal, latest),
        earliest=case.today,
        latest=latest,
        contacts=[day for day in others if day != pinned],
        gap=policy.min_gap_days,
    )
    day = pinned or planned
    if day is None:
        return None
    reason = Reason(
        rule="R2", text=f"{policy.talk_days} days before the request on {first.day}", ideal=ideal
    )
    why = moved(case, ideal, day, others) if pinned is None else (moved_by_person(planned),)
    return Occasion(
        identity=talk_identity(case),
        letters=first.letters,
        day=day,
        reasons=(reason, *why),
        pinned=pinned is not None,
    )
