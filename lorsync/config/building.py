"""Turn checked tables into the model, whose own defaults fill what is left out."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

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
from lorsync.config.schema import FACTS, LetterTable, MentorTable, PolicyTable, ProgramTable, Table
from lorsync.config.values import as_date
from lorsync.config.zone import machine_says
from lorsync.core.model import (
    Absence,
    Applicant,
    Contact,
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
    DeletionLimit,
    MetricsSettings,
    NotificationSettings,
    PingSettings,
    Provider,
    Settings,
    SyncSettings,
)

Found = TypeVar("Found", MentorId, ProgramId)

LETTERS_MIN = 2
"""Letters that a program wants when it says nothing (R13)."""

NOON: Final = time(12)
"""When on its day somebody deals with an event that has no time."""

UNDATED_CYCLE = "season"
"""What a cycle is called that has neither a name nor a date to be named after."""


def settings(draft: Draft, source: Path) -> Settings:
    """Build the settings of a config that has no problem."""
    calendar, style = _calendar(draft, source)
    stated = _stated(draft.applicant.table)
    machine = None if "timezone" in stated else machine_says()
    if machine is not None:
        stated["timezone"] = machine.zone
    applicant = Applicant(**stated)
    return Settings(
        source=str(source),
        machine=machine,
        season=_season(draft, applicant, style.get("at", NOON)),
        calendar=calendar,
        sync=_sync(draft),
        style=EventStyle(zone=applicant.timezone, **style),
        metrics=_metrics(draft, source),
        ping=PingSettings(**_stated(draft.ping.table)),
        notifications=NotificationSettings(**_stated(draft.notifications.table)),
    )


def _stated(table: Table) -> dict[str, Any]:
    """Collect what a table states; an empty text states nothing."""
    values = ((name, getattr(table, name)) for name in type(table).model_fields)
    return {name: value for name, value in values if value is not None and value != ""}


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
    named = {"name": _year_of_last_due_date(letters, programs), **_stated(draft.cycle.table)}
    return Season(
        applicant=applicant,
        cycle=Cycle(**named),
        policy=_policy(draft.policy.table),
        mentors=mentors,
        programs=programs,
        letters=tuple(letters),
        contact_at=contact_at,
    )


def _mentor(table: MentorTable) -> Mentor:
    stated = _stated(table)
    own = MentorId(own_id(table) or "")
    return Mentor(
        **{
            "name": own,
            **stated,
            "id": own,
            "contact": Contact(**_stated(table.contact)) if table.contact else None,
            "away": tuple(Absence(**_stated(absence)) for absence in table.away or ()),
            # A mentor without an entry was known by the slug of the name.
            "formerly": tuple(
                dict.fromkeys(id_ for old in table.formerly or () for id_ in (old, slug(old)))
            ),
        }
    )


def _program(table: ProgramTable) -> Program:
    own = ProgramId(own_id(table) or "")
    most = LETTERS_MIN if table.letters_max is None else table.letters_max
    defaults = {"name": own, "letters_min": min(LETTERS_MIN, most)}
    return Program(**{**defaults, **_stated(table), "id": own})


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
    stated = _stated(table)
    facts = Facts(**{name: stated.pop(name) for name in FACTS if name in stated})
    made = made_letter_id(mentor, form)
    own = LetterId(table.id or made)
    former = list(table.formerly or ())
    if own == made:
        # An id that was made by an earlier rule, or with the mentor's earlier id, has changed
        # without a hand of the person's (S7).
        earlier = listed[mentor].formerly if mentor in listed else ()
        former += [x for x in _made_before(mentor, earlier, form, served) if x not in claimed]
    return Letter(
        **{
            **stated,
            "id": own,
            "mentor": mentor,
            "type": form,
            "programs": served,
            "assigned": _ids(table.assigned, known_programs),
            "formerly": tuple(dict.fromkeys(former)),
            "facts": facts,
        }
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


def _policy(table: PolicyTable) -> Policy:
    stated = _stated(table)
    for name in ("quiet_days", "events"):
        if name in stated:
            stated[name] = frozenset(stated[name])
    return Policy(**stated)


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


def _calendar(draft: Draft, source: Path) -> tuple[CalendarSettings, dict[str, Any]]:
    """Build the account's settings, and apart from them what concerns the look of events."""
    stated = _stated(draft.calendar.table)
    style: dict[str, Any] = {}
    if "event_time" in stated:
        style["at"] = stated.pop("event_time")
    if "alarms" in stated:
        style["alarms"] = stated.pop("alarms")
    for name in ("path", "ca_file"):
        if name in stated:
            stated[name] = str(source.absolute().parent / stated[name])
    return CalendarSettings(**{"provider": Provider.LOCAL, **stated}), style


def _sync(draft: Draft) -> SyncSettings:
    stated = _stated(draft.sync.table)
    limit = draft.sync.table.deletion_limit
    if limit is not None:
        stated["deletion_limit"] = DeletionLimit(**_stated(limit))
    return SyncSettings(**stated)


def _metrics(draft: Draft, source: Path) -> MetricsSettings:
    textfile = draft.metrics.table.textfile
    if textfile is None:
        return MetricsSettings()
    return MetricsSettings(textfile=str(source.absolute().parent / textfile))
