"""Export the plan as ``.ics`` files for one-off use: no server, no network, no password."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from lorsync.core.errors import UsageError
from lorsync.core.event.content import Content, alarms_for, content_of, span_of
from lorsync.core.event.ical import write
from lorsync.core.event.public_copy import handout_of
from lorsync.core.model import Event, EventStyle, Kind, MentorId, Plan, ProgramId, Season
from lorsync.core.phrases import near

_Id = TypeVar("_Id", MentorId, ProgramId)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events are wanted; an empty collection means all."""

    mentors: frozenset[MentorId] = frozenset()
    programs: frozenset[ProgramId] = frozenset()
    kinds: frozenset[Kind] = frozenset()


def select(
    season: Season, mentors: Iterable[str], programs: Iterable[str], kinds: Iterable[Kind]
) -> Selection:
    """Return the selection that a person means by ids or names. Raises UsageError for others."""
    mentor_names = {key: mentor.name for key, mentor in season.mentors.items()}
    program_names = {key: program.name for key, program in season.programs.items()}
    return Selection(
        mentors=frozenset(_found("mentor", text, mentor_names) for text in mentors),
        programs=frozenset(_found("program", text, program_names) for text in programs),
        kinds=frozenset(kinds),
    )


def selected(plan: Plan, season: Season, wanted: Selection) -> tuple[Event, ...]:
    """Return the planned events that are wanted, in the plan's order."""
    serving = {
        letter.id
        for letter in season.letters
        if not wanted.programs or wanted.programs.intersection(letter.programs)
    }
    return tuple(
        event
        for event in plan.events
        if (not wanted.mentors or event.mentor in wanted.mentors)
        and (not wanted.kinds or event.kind in wanted.kinds)
        and (not wanted.programs or serving.intersection(event.letters))
    )


def own_file(events: Iterable[Event], style: EventStyle, day: date) -> bytes:
    """Return the applicant's own file: what the calendar has, with the drafts and under its UIDs.

    It has the UIDs of the calendar that lorsync keeps, and stamps by which a pass knows its own
    writing (S3). An event that the person moved stands on their day, and its stamp names the
    plan's, so that it still counts as moved. ``day`` is the one of the plan: a later file is taken
    for the newer one. There is no METHOD, which would make the file a message about a
    meeting (RFC 5546 section 1.4), and which iCloud refuses.
    """
    return write([_content(event, style) for event in events], stamp=day)


def handout(
    events: Iterable[Event],
    season: Season,
    style: EventStyle,
    plan: Plan,
    programs: Collection[ProgramId] = (),
) -> bytes:
    """Return a file for somebody else: no drafts, notes or alarms, and UIDs of its own.

    ``programs``, where given, are the only ones that it names.
    """
    dues = {letter.id: letter.due for letter in plan.letters}
    return write(
        [handout_of(_content(e, style), e, season, dues, programs) for e in events],
        stamp=plan.as_of,
    )


def by_mentor(events: Iterable[Event]) -> Mapping[str, tuple[Event, ...]]:
    """Return the events of each mentor, by the name of a file that every file system takes.

    Ids that differ in the case of their letters alone get a number: there, they are one name.
    """
    parted: dict[MentorId, list[Event]] = {}
    for event in events:
        parted.setdefault(event.mentor, []).append(event)
    named: dict[str, tuple[Event, ...]] = {}
    taken: set[str] = set()
    for mentor, own in sorted(parted.items()):
        name, number = f"{mentor}.ics", 1
        while name.casefold() in taken:
            number += 1
            name = f"{mentor}-{number}.ics"
        taken.add(name.casefold())
        named[name] = tuple(own)
    return named


def _content(event: Event, style: EventStyle) -> Content:
    planned = content_of(event, style)
    if not event.pinned:
        return planned
    start, end = span_of(event.day, style)
    return replace(planned, start=start, end=end, alarms=alarms_for(start, style))


def _found(noun: str, text: str, names: Mapping[_Id, str]) -> _Id:
    """Find the id that a person means by it, or by a name in any case."""
    for key, name in names.items():
        if text == key or text.casefold() == name.casefold():
            return key
    meant = near(text, [*names, *names.values()])
    hint = f"did you mean {meant!r}?" if meant else "there are " + (", ".join(names) or "none")
    msg = f"There is no {noun} {text!r}; {hint}"
    raise UsageError(msg if meant else f"{msg}.")
