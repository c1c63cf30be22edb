"""Say how far each letter has come on a day: asked, declined, submitted, still open."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import NamedTuple

from lorsync.core.model import (
    Facts,
    Kind,
    Letter,
    LetterId,
    LetterStanding,
    Placed,
    PlanWarning,
    Reason,
    Season,
    Stage,
)
from lorsync.core.planner.dates import ContactDays, DueDate, due_dates

_NO_FACTS = Facts()
_DATED = tuple(field.name for field in fields(Facts) if field.name != "followed_up_on")
_A_YEAR = timedelta(days=366)


class Progress(NamedTuple):
    """One letter on the day of the plan. ``facts`` holds only what had happened by then.

    ``dates`` are all days by which some program wants the letter, in order; ``due`` is the next of
    them, or the last where all have passed. ``asked`` is the day of the request, stated or, where
    ``unconfirmed``, taken from a request event whose day has passed (R1).
    """

    id: LetterId
    letter: Letter
    facts: Facts
    dates: tuple[DueDate, ...]
    due: DueDate | None
    asked: date | None
    unconfirmed: bool
    declined: date | None
    submitted: date | None

    @property
    def open(self) -> bool:
        """Whether the letter is still to come."""
        return self.declined is None and self.submitted is None

    def due_on(self, day: date) -> date | None:
        """Return the due date as it was on another day."""
        return next((due.day for due in self.dates if due.day >= day), None)


def progress_of(
    letter: Letter,
    season: Season,
    *,
    today: date,
    first_contact: date,
    placed: Iterable[Placed],
) -> Progress:
    """Work out where a letter stands; ``placed`` are the events of its mentor.

    ``first_contact`` is the first day on which the mentor can be asked.
    """
    facts = facts_until(letter.facts, today)
    submitted, declined = _outcome(facts)
    asked = _stated_request(facts)
    requests = [
        event.day
        for event in placed
        if event.kind in (Kind.REQUEST, Kind.ADD_LETTER)
        and letter.id in event.letters
        and (event.day < today or event.pinned)
    ]
    unconfirmed = False
    if asked is None:
        asked = max((day for day in requests if day < today), default=None)
        unconfirmed = asked is not None
    dates = due_dates(
        letter,
        season.programs,
        zone=season.applicant.timezone,
        ask_from=asked or max(requests, default=None) or first_contact,
        min_lead_days=season.policy.min_lead_days,
    )
    ahead = (due for due in dates if due.day >= today)
    return Progress(
        id=letter.id,
        letter=letter,
        facts=facts,
        dates=dates,
        due=next(ahead, dates[-1] if dates else None),
        asked=asked,
        unconfirmed=unconfirmed,
        declined=declined,
        submitted=submitted,
    )


def _outcome(facts: Facts) -> tuple[date | None, date | None]:
    """Return the days of submission and refusal; of facts that contradict, the latest wins.

    On one day a submission counts before a refusal, and a refusal before an agreement.
    """
    submitted, declined = facts.submitted_on, facts.declined_on
    if declined is None:
        return submitted, None
    if submitted is not None and submitted >= declined:
        return submitted, None
    if facts.agreed_on is not None and facts.agreed_on > declined:
        return None, None
    return None, declined


def _stated_request(facts: Facts) -> date | None:
    """Return the day of the request as stated; an answer or a follow-up says that it was made."""
    if facts is _NO_FACTS or facts.asked_on is not None:
        return facts.asked_on
    implied = (facts.agreed_on, facts.declined_on, facts.packet_sent_on, facts.submitted_on)
    stated = [day for day in (*implied, *facts.followed_up_on) if day is not None]
    return min(stated, default=None)


def standing(progress: Progress, today: date) -> LetterStanding:
    """Return where a letter stands on a day, for a person to read."""
    due = None if progress.due is None else progress.due.day
    if progress.submitted is not None:
        stage = Stage.SUBMITTED
    elif progress.declined is not None:
        stage = Stage.DECLINED
    elif due is not None and due < today:
        stage = Stage.OVERDUE
    else:
        stage = Stage.TO_ASK if progress.asked is None else Stage.ASKED
    return LetterStanding(
        id=progress.id,
        mentor=progress.letter.mentor,
        stage=stage,
        due=due,
        asked=progress.asked,
        program=None if progress.due is None else progress.due.program,
        by_target=progress.due is not None and progress.due.from_target,
    )


def facts_until(facts: Facts, day: date) -> Facts:
    """Return the facts up to a day, this one included."""
    if facts == _NO_FACTS:
        return _NO_FACTS
    later = dict.fromkeys([name for name, value in _stated(facts) if value > day])
    followed_up = tuple(sorted([d for d in facts.followed_up_on if d <= day]))
    if not later and followed_up == facts.followed_up_on:
        return facts
    return replace(facts, followed_up_on=followed_up, **later)


def future_facts(letter: Letter, day: date) -> tuple[PlanWarning, ...]:
    """Warn of each fact that is dated after a day: it is not counted until then."""
    if letter.facts == _NO_FACTS:
        return ()
    late = [(name, value) for name, value in _stated(letter.facts) if value > day]
    late += [("followed_up_on", value) for value in letter.facts.followed_up_on if value > day]
    return tuple(
        PlanWarning(
            code="future-fact",
            subject=letter.id,
            message=f"{letter.id}: {name} = {value.isoformat()} is after {day.isoformat()}, so it "
            "does not count yet.",
            reasons=(Reason(rule="facts", text="a fact counts from its day on", ideal=value),),
            advice="Right as it is, if that day is still to come; else put the date right.",
        )
        for name, value in late
    )


def _stated(facts: Facts) -> list[tuple[str, date]]:
    return [(name, value) for name in _DATED if (value := getattr(facts, name)) is not None]


def first_contact_day(days: ContactDays, today: date) -> date:
    """Return when asking is first possible; a year ahead is as good as never."""
    limit = today + _A_YEAR
    return next(days.between(today, limit), limit)
