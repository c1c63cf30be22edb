"""Check across keys and tables: what is right by itself and wrong beside another."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from lorsync.config import Regions
from lorsync.config.account import is_in_clear, is_mail_address, may_need_no_login
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
from lorsync.config.problems import KeyPath, Problem, did_you_mean, one_of, shown, written
from lorsync.config.schema import LetterTable, MentorTable, ProgramTable
from lorsync.config.values import as_date
from lorsync.core.model import Policy
from lorsync.core.providers import PROVIDERS
from lorsync.core.settings import Provider

_DEFAULTS: Final = Policy()

_AT_MOST: Final = (
    ("min_lead_days", "lead_days"),
    ("final_days", "first_days"),
    ("last_useful_days", "final_days"),
)
"""Keys of ``[policy]`` of which the first is at most the second."""

_SAMPLES: Final = {
    "url": '"https://cal.example.org/"',
    "username": '"maya@example.org"',
    "path": '"~/calendars/letters"',
}


def broken(draft: Draft) -> list[Problem]:
    """List what is wrong between keys that are each right by themselves."""
    return [
        *_applicant(draft),
        *_calendar(draft),
        *_policy(draft),
        *_numbers_of_letters(draft),
        *_before_the_cycle(draft),
        *broken_references(draft),
    ]


def without_holidays(draft: Draft, known: Regions) -> list[Problem]:
    """List the regions of whose holidays nothing is known (R6); ``known`` looks them up."""
    policy = draft.policy
    named = [((*policy.path, "holidays"), policy.table.holidays)]
    named += [((*mentor.path, "holidays"), mentor.table.holidays) for mentor in draft.mentors]
    stated = [(path, region) for path, region in named if region is not None]
    found = known([region for _, region in stated])
    allowed = (
        "no holidays are known for it; a country such as US is allowed, or a part of one such as "
        "US-NY"
    )
    return [Problem(path=path, allowed=allowed) for path, region in stated if region not in found]


def _applicant(draft: Draft) -> Iterator[Problem]:
    entry = draft.applicant
    if "applicant" not in draft.unclear and entry.clear("name") and entry.table.name is None:
        yield Problem(
            path=(*entry.path, "name"), allowed='it is missing: your name, such as "Maya Okafor"'
        )


def _calendar(draft: Draft) -> Iterator[Problem]:
    entry, table = draft.calendar, draft.calendar.table
    alarms = table.alarms or ()
    for index, alarm in enumerate(alarms):
        if alarm in alarms[:index]:
            yield Problem(
                path=(*entry.path, "alarms", index), allowed="this alarm stands twice in the list"
            )
    if entry.clear("allow_http") and not table.allow_http and is_in_clear(table.url or ""):
        yield Problem(
            path=(*entry.path, "url"),
            allowed="https is needed: http would send the password in clear over the network. If "
            "nobody else is on that network, write allow_http = true",
        )
    if not entry.clear("provider"):
        return
    if table.provider is None:
        account = ("url", "username", "password_command", "path")
        stated = [name for name in account if getattr(table, name) or not entry.clear(name)]
        if stated:
            yield Problem(
                path=(*entry.path, "provider"),
                allowed=f"it is missing, and {stated[0]} needs one: {one_of(Provider)}",
            )
        return
    for name in PROVIDERS[table.provider].needs:
        if entry.clear(name) and getattr(table, name) is None and not _found_without(draft, name):
            yield Problem(
                path=(*entry.path, name),
                allowed=f"it is missing: {table.provider} needs it, such as {_SAMPLES[name]}",
            )


def _found_without(draft: Draft, name: str) -> bool:
    """Tell whether this key of a CalDAV account can be done without, or is asked for too early.

    A mail address finds its server by DNS (RFC 6764); a server on this machine may let all in.
    """
    calendar = draft.calendar
    provider = calendar.table.provider
    if provider is None or not PROVIDERS[provider].any_server:
        return False
    if name == "url":
        return not calendar.clear("username") or is_mail_address(calendar.table.username or "")
    return not calendar.clear("url") or may_need_no_login(calendar.table.url or "")


def _policy(draft: Draft) -> Iterator[Problem]:
    entry, table = draft.policy, draft.policy.table
    for low, high in _AT_MOST:
        if not entry.clear(low, high):
            continue
        least, most = getattr(table, low), getattr(table, high)
        lower = getattr(_DEFAULTS, low) if least is None else least
        upper = getattr(_DEFAULTS, high) if most is None else most
        if lower <= upper:
            continue
        if least is not None:
            unsaid = " when left out" if most is None else ""
            allowed = f"at most {high} is allowed, which is {upper}{unsaid}"
            yield Problem(path=(*entry.path, low), allowed=allowed)
        else:
            allowed = f"at least {low} is needed, which is {lower} when left out"
            yield Problem(path=(*entry.path, high), allowed=allowed)
    if len(set(table.quiet_days or ())) == 7:
        yield Problem(
            path=(*entry.path, "quiet_days"),
            allowed="not all seven: a day has to be left on which mentors can be contacted (R6)",
        )


def _numbers_of_letters(draft: Draft) -> Iterator[Problem]:
    for program in draft.programs:
        least, most = program.table.letters_min, program.table.letters_max
        if least is not None and most is not None and most < least:
            yield Problem(
                path=(*program.path, "letters_max"),
                allowed=f"at least letters_min is needed, which is {least}",
            )


def _before_the_cycle(draft: Draft) -> Iterator[Problem]:
    start = draft.cycle.table.start
    if start is None:
        return
    dates: list[tuple[KeyPath, date | None]] = []
    for program in draft.programs:
        dates.append(((*program.path, "deadline"), program.table.deadline))
        dates.append(((*program.path, "target"), program.table.target))
    dates += [((*letter.path, "deadline"), letter.table.deadline) for letter in draft.letters]
    for path, value in dates:
        if value is not None and as_date(value) < start:
            yield Problem(
                path=path, allowed=f"the cycle starts on {start}: that day or a later one is needed"
            )


Listed = Sequence[Entry[MentorTable]] | Sequence[Entry[ProgramTable]]


def broken_references(draft: Draft) -> list[Problem]:
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
