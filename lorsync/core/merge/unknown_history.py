"""Say of whom nobody knows how often they were followed up: ledger and memory are lost (S4).

The person answers, and the answer stays beside the question: another machine may still ask.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from lorsync.core.merge.entry import Entry
from lorsync.core.model import Kind, Letter, MentorId, Season
from lorsync.core.planner.dates import contact_days
from lorsync.core.planner.follow_up_days import check_in_span
from lorsync.core.planner.progress import first_contact_day, progress_of

LONG_AGO: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""Since when there is a doubt of which nothing says that: any answer is later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """That nobody knows how often a mentor was followed up, or that the person has answered.

    ``at`` is the aware instant of the first question, or of the answer. Of what is said about one
    mentor the later counts.
    """

    mentor: MentorId
    at: datetime
    answered: bool = False


def latest(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Return what was said last about each mentor, by mentor."""
    # Nobody answers before being asked: of one instant the answer is later.
    said = sorted(doubts, key=lambda doubt: (doubt.mentor, doubt.at, doubt.answered))
    return tuple({doubt.mentor: doubt for doubt in said}.values())


def unanswered(doubts: Iterable[Doubt]) -> frozenset[MentorId]:
    """Return the mentors about whom the person has yet to answer."""
    return frozenset(doubt.mentor for doubt in doubts if not doubt.answered)


def with_answers(
    doubts: Iterable[Doubt], mentors: Collection[MentorId], now: datetime
) -> tuple[Doubt, ...]:
    """Return the doubts, answered about these mentors; ``now`` is aware.

    An answer is never before its question, which another machine's clock may have dated (S21).
    """
    return tuple(
        replace(doubt, answered=True, at=max(now, doubt.at))
        if doubt.mentor in mentors and not doubt.answered
        else doubt
        for doubt in doubts
    )


def in_doubt(season: Season, adopted: Iterable[Entry], today: date) -> frozenset[MentorId]:
    """Return the mentors who may have been followed up without a trace.

    ``adopted`` are the events of ours that were found without ledger and memory. A follow-up may
    have come from the first day on that a check-in can have (R4), to whom was asked by then.
    """
    not_asked = {
        letter
        for entry in adopted
        if entry.identity.kind in {Kind.REQUEST, Kind.ADD_LETTER} and entry.day >= today
        for letter in entry.letters
    }
    return frozenset(
        letter.mentor
        for letter in season.letters
        if letter.id not in not_asked and _may_be(season, letter, today)
    )


def _may_be(season: Season, letter: Letter, today: date) -> bool:
    mentor = season.mentors[letter.mentor]
    first_contact = first_contact_day(contact_days(mentor, season), today)
    progress = progress_of(letter, season, today=today, first_contact=first_contact, placed=())
    if not progress.open or not progress.dates:
        return False
    first = progress.dates[0].day - timedelta(days=check_in_span(season.policy)[0])
    return first < today
