"""Say of whom nobody knows how often they were followed up: ledger and memory are lost (S4)."""

from collections.abc import Iterable
from datetime import date, timedelta

from lorsync.core.candidates import check_in_span
from lorsync.core.contact_days import contact_days
from lorsync.core.entry import Entry
from lorsync.core.model import Kind, Letter, MentorId, Season
from lorsync.core.progress import first_contact_day, progress_of


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
    first_contact = first_contact_day(contact_days(mentor, season.policy, season.holidays), today)
    progress = progress_of(letter, season, today=today, first_contact=first_contact, placed=())
    if not progress.open or not progress.dates:
        return False
    first = progress.dates[0].day - timedelta(days=check_in_span(season.policy)[0])
    return first < today
