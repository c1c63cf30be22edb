"""Hold the rules about who is who: ids, letters' mentors and programs, and where due dates are."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from lorsync.config.checking import Draft, Entry
from lorsync.config.naming import (
    Register,
    Unknown,
    free_letter_id,
    letter_id,
    looks_like_id,
    mentor_of,
    own_id,
    program_of,
    register,
)
from lorsync.config.problems import KeyPath, Problem, did_you_mean, shown, written
from lorsync.config.tables import LetterTable, MentorTable, ProgramTable

Listed = Sequence[Entry[MentorTable]] | Sequence[Entry[ProgramTable]]


def broken(draft: Draft) -> list[Problem]:
    """List ids that clash, names that nobody has, and letters without a due date."""
    mentors = register(entry.table for entry in draft.mentors)
    programs = register(entry.table for entry in draft.programs)
    return [
        *_nameless(draft.mentors),
        *_nameless(draft.programs),
        *_alike(draft.mentors),
        *_alike(draft.programs),
        *_letters_alike(draft, mentors, programs),
        *_former(draft, mentors),
        *_mentors_of_letters(draft, mentors),
        *_programs_of_letters(draft, programs),
        *_assigned(draft, programs),
        *_undated(draft, programs),
    ]


def _nameless(entries: Listed) -> Iterator[Problem]:
    for entry in entries:
        if entry.clear("id", "name") and own_id(entry.table) is None:
            yield Problem(path=(*entry.path, "name"), allowed="it is missing: a name is needed")


def _alike(entries: Listed) -> Iterator[Problem]:
    first: dict[str, KeyPath] = {}
    for entry in entries:
        own = own_id(entry.table)
        if own is None:
            continue
        if own not in first:
            first[own] = entry.path
        elif entry.table.id is None:
            yield Problem(
                path=(*entry.path, "name"),
                allowed=f"the same name as {written(first[own])}, or nearly: give each an id",
            )
        else:
            yield Problem(
                path=(*entry.path, "id"),
                allowed=f"the same id as {written(first[own])}: each needs its own",
            )


def _letters_alike(draft: Draft, mentors: Register, programs: Register) -> Iterator[Problem]:
    first: dict[str, Entry[LetterTable]] = {}
    taken = {entry.table.id for entry in draft.letters if entry.table.id is not None}
    for entry in draft.letters:
        if not entry.clear("id", "mentor", "type"):
            continue
        own = letter_id(entry.table, mentors)
        if own is None:
            continue
        if own not in first:
            first[own] = entry
        elif entry.table.id is None:
            other = free_letter_id(entry.table, mentors, programs, {*taken, *first})
            taken.add(other)
            yield Problem(path=(*entry.path, "id"), allowed=_ids_to_paste(first[own], own, other))
        else:
            yield Problem(
                path=(*entry.path, "id"),
                allowed=f"the same id as {written(first[own].path)}: each needs its own",
            )


def _ids_to_paste(first: Entry[LetterTable], own: str, other: str) -> str:
    """Say which ids keep two letters apart, so that the events of neither are lost (S7)."""
    where = written(first.path)
    if first.table.id is not None:
        return f'it is missing, and {where} has the one that is made here: write id = "{other}"'
    return (
        f"it is missing, and {where} has the same mentor and type: write "
        f'id = "{own}" there and id = "{other}" here. The letter that was there first keeps the '
        "shorter one"
    )


def _former(draft: Draft, mentors: Register) -> Iterator[Problem]:
    letters = [letter_id(entry.table, mentors) for entry in draft.letters]
    yield from _taken(
        [(entry.path, entry.table.formerly or ()) for entry in draft.mentors],
        [own_id(entry.table) for entry in draft.mentors],
    )
    yield from _taken(
        [(entry.path, entry.table.formerly or ()) for entry in draft.letters], letters
    )


def _taken(
    former: Iterable[tuple[KeyPath, tuple[str, ...]]], ids: Sequence[Hashable]
) -> Iterator[Problem]:
    """Refuse a former id that somebody else has or had: events would belong to both (S7)."""
    holders = {own: position for position, own in enumerate(ids)}
    claimed: dict[str, KeyPath] = {}
    for position, (path, names) in enumerate(former):
        for index, name in enumerate(names):
            where = (*path, "formerly", index)
            if holders.get(name, position) != position:
                yield Problem(path=where, allowed="another entry has this id now")
            elif claimed.get(name, path) != path:
                yield Problem(path=where, allowed=f"{written(claimed[name])} claims this too")
            claimed.setdefault(name, path)


def _sure(draft: Draft, table: str, entries: Listed, text: str) -> bool:
    """Tell whether every entry that ``text`` could mean has been understood.

    Else the mistake is in the entry, and a second line about the letter would only mislead.
    """
    if table in draft.unclear:
        return False
    if all(entry.clear("id", "name") for entry in entries):
        return True
    return looks_like_id(text) and all(entry.table.id is not None for entry in entries)


def _mentors_of_letters(draft: Draft, mentors: Register) -> Iterator[Problem]:
    for entry in draft.letters:
        path, text = (*entry.path, "mentor"), entry.table.mentor
        if text is None:
            if entry.clear("mentor"):
                yield Problem(path=path, allowed="it is missing: who writes? An id or a name")
            continue
        found = mentor_of(text, mentors)
        if isinstance(found, Unknown) and _sure(draft, "mentors", draft.mentors, text):
            yield Problem(path=path, allowed=found.allowed)


def _programs_of_letters(draft: Draft, programs: Register) -> Iterator[Problem]:
    for entry in draft.letters:
        for index, text in enumerate(entry.table.programs or ()):
            found = program_of(text, programs)
            if isinstance(found, Unknown) and _sure(draft, "programs", draft.programs, text):
                yield Problem(path=(*entry.path, "programs", index), allowed=found.allowed)


def _assigned(draft: Draft, programs: Register) -> Iterator[Problem]:
    for entry in draft.letters:
        if not entry.clear("programs"):
            continue
        served = entry.table.programs or ()
        ids = {program_of(text, programs) for text in served}
        for index, text in enumerate(entry.table.assigned or ()):
            if text not in served and program_of(text, programs) not in ids:
                yield Problem(
                    path=(*entry.path, "assigned", index),
                    allowed="not among this letter's programs" + did_you_mean(text, served),
                )


def _undated(draft: Draft, programs: Register) -> Iterator[Problem]:
    """Ask for a due date where a letter has none of its own and its programs give none."""
    by_id = {own_id(entry.table): entry for entry in reversed(draft.programs)}
    reported: set[KeyPath] = set()
    for entry in draft.letters:
        table = entry.table
        if table.deadline is not None or not entry.clear("deadline", "programs"):
            continue
        if not table.programs:
            yield Problem(
                path=(*entry.path, "deadline"),
                allowed="it is missing: a date is needed, such as 2026-09-23, or programs that "
                "have one",
            )
        for text in table.programs or ():
            found = program_of(text, programs)
            program = None if isinstance(found, Unknown) else by_id[found]
            if program is None or program.path in reported or not _dateless(program):
                continue
            reported.add(program.path)
            yield Problem(
                path=(*program.path, "deadline"),
                allowed="it is missing, and so is target: a date is needed, such as 2026-09-23, "
                f"since {written(entry.path)} (mentor {shown(table.mentor or '')}) has no "
                "deadline of its own",
            )


def _dateless(program: Entry[ProgramTable]) -> bool:
    dates = (program.table.deadline, program.table.target)
    return program.clear("deadline", "target") and dates == (None, None)
