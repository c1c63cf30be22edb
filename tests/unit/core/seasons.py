"""Small seasons for the tables of cases: one mentor and as little else as a case needs."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lorsync.core.identity import SeasonKey
from lorsync.core.model import (
    Applicant,
    Cycle,
    Event,
    Facts,
    History,
    Identity,
    Kind,
    Letter,
    LetterId,
    Mentor,
    MentorId,
    Placed,
    Plan,
    Policy,
    Program,
    ProgramId,
    Season,
)
from lorsync.core.planner.plan import plan

NEW_YORK = ZoneInfo("America/New_York")
KEY = SeasonKey("a season")
DUE = date(2026, 9, 23)
"""A Wednesday."""

MENTOR = MentorId("chen")
EVERY_DAY = Policy(quiet_days=frozenset())
"""Without quiet days, ideal days are exact."""


def mentor(name: str = "chen", **kwargs: Any) -> Mentor:
    return Mentor(id=MentorId(name), name=f"Dr. {name.title()}", **kwargs)


def program(name: str, deadline: Any = None, **kwargs: Any) -> Program:
    return Program(id=ProgramId(name), name=f"{name.title()} Hospital", deadline=deadline, **kwargs)


def letter(name: str = "a", due: Any = None, *programs: str, **kwargs: Any) -> Letter:
    facts = {field: kwargs.pop(field) for field in list(kwargs) if field in Facts.__slots__}
    return Letter(
        id=LetterId(name),
        mentor=MentorId(kwargs.pop("mentor", MENTOR)),
        deadline=due,
        programs=tuple(ProgramId(p) for p in programs),
        facts=Facts(**facts),
        **kwargs,
    )


def season(
    *letters: Letter,
    mentors: Iterable[Mentor] = (mentor(),),
    programs: Iterable[Program] = (),
    policy: Policy = EVERY_DAY,
    **kwargs: Any,
) -> Season:
    return Season(
        applicant=Applicant(name="Maya Okafor", timezone=NEW_YORK),
        cycle=Cycle(name="2027 Match"),
        policy=policy,
        mentors={m.id: m for m in mentors},
        programs={p.id: p for p in programs},
        letters=letters,
        **kwargs,
    )


def planned(of: Season, today: date, *placed: Placed) -> Plan:
    return plan(of, today=today, key=KEY, history=History(placed=placed))


def days(of: Plan, kind: Kind) -> list[date]:
    return [event.day for event in of.events if event.kind is kind]


def only(of: Plan, kind: Kind) -> Event:
    (event,) = (event for event in of.events if event.kind is kind)
    return event


def codes(of: Plan) -> list[str]:
    return [warning.code for warning in of.warnings]


def before(day: date, number: int) -> date:
    return day - timedelta(days=number)


def placed(
    kind: Kind,
    day: date,
    *letters: str,
    slot: str = "",
    subject: str = MENTOR,
    mentor: str = MENTOR,
    **kwargs: Any,
) -> Placed:
    return Placed(
        identity=Identity(kind=kind, subject=MentorId(subject), slot=slot),
        mentor=MentorId(mentor),
        letters=tuple(LetterId(name) for name in letters or ("a",)),
        day=day,
        **kwargs,
    )


def as_placed(event: Event, **kwargs: Any) -> Placed:
    """Return a planned event as a pass would leave it on the calendar."""
    standing = Placed(
        identity=event.identity,
        mentor=event.mentor,
        letters=event.letters,
        day=event.day,
        pinned=event.pinned,
    )
    return replace(standing, **kwargs)


def remembered(history: Iterable[Placed], now: Plan) -> tuple[Placed, ...]:
    """Return the history after a pass: the past and the deleted stay, what is planned stands.

    A pass deletes what stood and is planned no more.
    """
    kept = [p for p in history if p.day < now.as_of or p.dismissed]
    return (*kept, *(as_placed(event) for event in now.events))
