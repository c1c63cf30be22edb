"""Say how far each letter has come on a day: asked, declined, submitted, still open."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date

from lorsync.core.contact_days import ContactDays
from lorsync.core.due_dates import DueDate, due_date
from lorsync.core.model import (
    Facts,
    Kind,
    Letter,
    LetterId,
    LetterStanding,
    Placed,
    PlanWarning,
    Season,
    Stage,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One letter on the day of the plan. ``facts`` holds only what had happened by then.

    ``asked`` is the day of the request, stated or, where ``unconfirmed``, taken from a request
    event whose day has passed (R1).
    """

    letter: Letter
    facts: Facts
    due: DueDate | None
    asked: date | None
    unconfirmed: bool
    declined: date | None
    submitted: date | None

    @property
    def id(self) -> LetterId:
        """The letter's id."""
        return self.letter.id

    @property
    def open(self) -> bool:
        """Whether the letter is still to come."""
        return self.declined is None and self.submitted is None


def progress_of(
    letter: Letter,
    season: Season,
    *,
    today: date,
    days: ContactDays,
    placed: Iterable[Placed],
) -> Progress:
    """Work out where a letter stands; ``placed`` are the events of its mentor."""
    facts = facts_until(letter.facts, today)
    submitted, declined = facts.submitted_on, facts.declined_on
    # Of facts that contradict, the latest wins; on one day, the good news does.
    if submitted is not None and declined is not None:
        if submitted >= declined:
            declined = None
        else:
            submitted = None
    if declined is not None and facts.agreed_on is not None and facts.agreed_on > declined:
        declined = None
    stated = _first(facts.asked_on, facts.agreed_on, facts.declined_on, facts.submitted_on)
    asked = facts.asked_on or stated
    unconfirmed = False
    if asked is None:
        asked = max(
            (
                event.day
                for event in placed
                if event.kind in (Kind.REQUEST, Kind.ADD_LETTER)
                and letter.id in event.letters
                and event.day < today
            ),
            default=None,
        )
        unconfirmed = asked is not None
    due = due_date(
        letter,
        season.programs,
        zone=season.applicant.timezone,
        today=today,
        ask_from=asked or _first_contact_day(days, today),
        min_lead_days=season.policy.min_lead_days,
    )
    return Progress(
        letter=letter,
        facts=facts,
        due=due,
        asked=asked,
        unconfirmed=unconfirmed,
        declined=declined,
        submitted=submitted,
    )


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
    )


def facts_until(facts: Facts, day: date) -> Facts:
    """Return the facts up to a day, this one included."""
    later = {name: None for name, value in _dated(facts) if isinstance(value, date) and value > day}
    followed_up = tuple(sorted(d for d in facts.followed_up_on if d <= day))
    return replace(facts, followed_up_on=followed_up, **later)


def future_facts(letter: Letter, day: date) -> tuple[PlanWarning, ...]:
    """Warn of each fact that is dated after a day: it is not counted until then."""
    late = [
        (name, value)
        for name, value in _dated(letter.facts)
        if isinstance(value, date) and value > day
    ]
    late += [("followed_up_on", value) for value in letter.facts.followed_up_on if value > day]
    return tuple(
        PlanWarning(
            code="future-fact",
            subject=letter.id,
            message=f"{name} = {value.isoformat()} is after {day.isoformat()}, so it does not "
            "count yet.",
        )
        for name, value in late
    )


def _dated(facts: Facts) -> list[tuple[str, object]]:
    return [(field.name, getattr(facts, field.name)) for field in fields(facts)]


def _first(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _first_contact_day(days: ContactDays, today: date) -> date:
    """Return when asking is first possible; a year ahead is as good as never."""
    limit = date.fromordinal(today.toordinal() + 366)
    return next(days.between(today, limit), limit)
