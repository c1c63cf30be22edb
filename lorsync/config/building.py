"""Turn checked tables into the model, whose own defaults fill what is left out."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import date, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lorsync.config.checking import Draft
from lorsync.config.ids import slug
from lorsync.config.naming import (
    Register,
    Unknown,
    letter_id_with_programs,
    made_letter_id,
    mentor_of,
    own_id,
    program_of,
    register,
)
from lorsync.config.schema import LetterTable, MentorTable, ProgramTable, Table
from lorsync.config.values import as_date
from lorsync.config.zone import machine_says
from lorsync.core.model import (
    Applicant,
    Cycle,
    EventStyle,
    Facts,
    Letter,
    LetterId,
    LetterType,
    Mentor,
    MentorId,
    Policy,
    Program,
    ProgramId,
    Season,
)
from lorsync.core.settings import (
    CalendarSettings,
    MetricsSettings,
    NotificationSettings,
    PingSettings,
    Settings,
    SyncSettings,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Built = TypeVar("Built", bound="DataclassInstance")
Found = TypeVar("Found", MentorId, ProgramId)

LETTERS_MIN: Final = Program(id=ProgramId(""), name="").letters_min
"""Letters that a program wants when it says nothing (R13)."""

NOON: Final = time(12)
"""When on its day somebody deals with an event that has no time."""

UNDATED_CYCLE = "season"
"""What a cycle is called that has neither a name nor a date to be named after."""


def settings(draft: Draft, source: Path) -> Settings:
    """Build the settings of a config that has no problem."""
    folder = source.absolute().parent
    calendar, stated = draft.calendar.table, draft.applicant.table
    machine = machine_says() if stated.timezone is None else None
    zone = stated.timezone if machine is None else machine.zone
    applicant = _built(stated, Applicant, timezone=zone)
    at = calendar.event_time
    return Settings(
        source=str(source),
        machine=machine,
        season=_season(draft, applicant, NOON if at is None else at),
        calendar=_built(calendar, CalendarSettings, folder=folder),
        sync=_built(draft.sync.table, SyncSettings),
        style=_built(calendar, EventStyle, zone=applicant.timezone, at=at),
        metrics=_built(draft.metrics.table, MetricsSettings, folder=folder),
        ping=_built(draft.ping.table, PingSettings),
        notifications=_built(draft.notifications.table, NotificationSettings),
    )


def _built(table: Table, model: type[Built], *, folder: Path = Path(), **own: Any) -> Built:
    """Build a model from the keys that a table states; ``own`` fields come from elsewhere.

    An empty text states nothing. A relative path begins in ``folder``.
    """
    stated = {}
    for name in (field.name for field in fields(model) if field.name not in own):
        value = getattr(table, name, None)
        if value is not None and value != "":
            stated[name] = _value(value, folder)
    return model(**stated, **own)


def _value(value: Any, folder: Path) -> Any:
    """Return the model's value of a key."""
    match value:
        case Table():
            return _built(value, value.builds[0])
        case tuple():
            return tuple(_value(item, folder) for item in value)
        case Path():
            return str(folder / value)
        case _:
            return value


def _season(draft: Draft, applicant: Applicant, contact_at: time) -> Season:
    mentor_tables = [entry.table for entry in draft.mentors]
    program_tables = [entry.table for entry in draft.programs]
    known_mentors, known_programs = register(mentor_tables), register(program_tables)
    listed = {mentor.id: mentor for mentor in map(_mentor, mentor_tables)}
    programs = {program.id: program for program in map(_program, program_tables)}
    mentors, letters = dict(listed), []
    claimed = {former for entry in draft.letters for former in entry.table.formerly or ()}
    for entry in draft.letters:
        letter = _letter(entry.table, known_mentors, known_programs, listed, claimed)
        if letter.mentor not in mentors:
            name = entry.table.mentor or letter.mentor
            mentors[letter.mentor] = Mentor(id=letter.mentor, name=name)
        letters.append(letter)
    cycle = draft.cycle.table
    name = cycle.name or _year_of_last_due_date(letters, programs)
    return Season(
        applicant=applicant,
        cycle=_built(cycle, Cycle, name=name),
        policy=_built(draft.policy.table, Policy),
        mentors=mentors,
        programs=programs,
        letters=tuple(letters),
        contact_at=contact_at,
    )


def _mentor(table: MentorTable) -> Mentor:
    own = MentorId(own_id(table) or "")
    # A mentor without an entry was known by the slug of the name.
    former = (id_ for old in table.formerly or () for id_ in (old, slug(old)))
    return _built(
        table, Mentor, id=own, name=table.name or own, formerly=tuple(dict.fromkeys(former))
    )


def _program(table: ProgramTable) -> Program:
    own, least = ProgramId(own_id(table) or ""), table.letters_min
    if least is None:
        most = table.letters_max
        least = LETTERS_MIN if most is None else min(LETTERS_MIN, most)
    return _built(table, Program, id=own, name=table.name or own, letters_min=least)


def _letter(
    table: LetterTable,
    known_mentors: Register,
    known_programs: Register,
    listed: Mapping[MentorId, Mentor],
    claimed: Collection[str],
) -> Letter:
    """Build a letter; ``claimed`` are the former ids that some letter of the file states."""
    mentor = _sure(mentor_of(table.mentor or "", known_mentors))
    served = _ids(table.programs, known_programs)
    form = table.type or LetterType.NARRATIVE
    made = made_letter_id(mentor, form)
    own = LetterId(table.id or made)
    former = list(table.formerly or ())
    if own == made:
        # An id that was made by an earlier rule, or with the mentor's earlier id, has changed
        # without a hand of the person's (S7).
        earlier = listed[mentor].formerly if mentor in listed else ()
        former += [x for x in _made_before(mentor, earlier, form, served) if x not in claimed]
    return _built(
        table,
        Letter,
        id=own,
        mentor=mentor,
        type=form,
        programs=served,
        assigned=_ids(table.assigned, known_programs),
        formerly=tuple(dict.fromkeys(former)),
        facts=_built(table, Facts),
    )


def _made_before(
    mentor: MentorId, earlier: Iterable[str], form: LetterType, served: Iterable[ProgramId]
) -> Iterator[LetterId]:
    """Give the ids that a letter without an id of its own may have had: an implied ``formerly``."""
    programs = tuple(served)
    for each in (mentor, *map(MentorId, earlier)):
        if each != mentor:
            yield made_letter_id(each, form)
        if programs:
            yield letter_id_with_programs(each, form, programs)


def _ids(texts: Iterable[str] | None, known: Register) -> tuple[ProgramId, ...]:
    found = (program_of(text, known) for text in texts or ())
    return tuple(dict.fromkeys(_sure(program) for program in found))


def _sure(found: Found | Unknown) -> Found:
    if isinstance(found, Unknown):  # the rules have refused this
        raise AssertionError(found.allowed)
    return found


def _year_of_last_due_date(letters: Iterable[Letter], programs: Mapping[ProgramId, Program]) -> str:
    due = [min(dates) for letter in letters if (dates := list(_dates(letter, programs)))]
    return str(max(due).year) if due else UNDATED_CYCLE


def _dates(letter: Letter, programs: Mapping[ProgramId, Program]) -> Iterator[date]:
    """Give the dates of which a letter's due date is the earliest."""
    if letter.deadline is not None:
        yield as_date(letter.deadline) - timedelta(days=letter.lag_days or 0)
        return
    for program in (programs[id_] for id_ in letter.programs):
        lag = program.lag_days if letter.lag_days is None else letter.lag_days
        if program.deadline is not None:
            yield as_date(program.deadline) - timedelta(days=lag)
        if program.target is not None:
            yield program.target
