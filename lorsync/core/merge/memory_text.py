"""The memory as text, one fact a line, and the digest of the config that rules (S4, S20).

A person can read it, and any client keeps it. A line that does not parse is passed over.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from lorsync.core.event.content import Property
from lorsync.core.facts import Fact, Mark
from lorsync.core.identity import SeasonKey
from lorsync.core.merge.memory import How, Kept, Members, Memory
from lorsync.core.merge.unknown_history import LONG_AGO, Doubt, latest
from lorsync.core.model import (
    YEARS,
    EventStyle,
    Identity,
    Kind,
    LetterId,
    MentorId,
    Renamed,
    Season,
    Subject,
    Uid,
)

_EXPLANATION: Final = (
    "This is what lorsync could not know again if its own file were lost: what you deleted, ticked "
    "and said, and which follow-ups are used up. Please leave it as it is."
)
_UID = "lorsync-"


def text_of(memory: Memory) -> str:
    """Return the memory as text, one fact a line."""
    return f"{_EXPLANATION}\n\n" + "\n".join(_lines(memory))


def _lines(memory: Memory) -> Iterator[str]:
    yield f"season {memory.key}"
    yield f"applicant {' '.join(memory.applicant.split())}"
    yield f"cycle {' '.join(memory.cycle.split())}"
    sign = "" if memory.seen is None else f" at {memory.place} on {memory.seen}"
    yield f"config {memory.config} by {memory.writer}{sign}"
    if memory.closed is not None:
        yield f"closed for season {memory.closed}"
    for mentor, letters in sorted(memory.members.items()):
        yield f"mentor {mentor} writes {','.join(letters)}"
    for mentor, letters in sorted(memory.departed.items()):
        yield f"mentor {mentor} wrote {','.join(letters)}"
    for mentor, letters in sorted(memory.finished.items()):
        yield f"mentor {mentor} finished {','.join(letters)}"
    yield from doubt_lines(memory.doubts)
    for kept in memory.kept:
        yield _kept_line(kept)
    for mark in sorted(memory.marks, key=lambda m: (m.said, m.letter, m.fact, m.day)):
        verb = "unsaid" if mark.withdrawn else "said"
        what = f"{mark.fact} of {mark.letter}{_by(mark.mentor)}"
        yield f"{verb} {what} on {mark.day} at {mark.said.isoformat()}"
    for uid, own in sorted(memory.yours.items()):
        yield f"yours {','.join(sorted(own))} of {_short(uid)}"
    for uid, letters in sorted(memory.asks.items()):
        yield f"asks {','.join(letters)} by {_short(uid)}"
    yield from renamed_lines(memory.renamed)
    for uid in sorted(memory.retired):
        yield f"retired {_short(uid)}"


def doubt_lines(doubts: Iterable[Doubt]) -> Iterator[str]:
    """Write doubts and answers, one a line; a ledger keeps them like this as well."""
    for doubt in doubts:
        said = "sure {} at {}" if doubt.answered else "unsure {} since {}"
        yield said.format(doubt.mentor, doubt.at.isoformat())


def renamed_lines(renamed: Iterable[Renamed]) -> Iterator[str]:
    """Write which ids are one and the same, a pair a line; a ledger keeps them like this too."""
    for pair in sorted(renamed):
        yield f"same {pair.what} {pair.today} as {pair.before}"


def _kept_line(kept: Kept) -> str:
    identity = kept.identity
    what = f"{identity.kind}/{identity.slot}" if identity.slot else str(identity.kind)
    line = f"{kept.how} {what} of {identity.subject}{_by(kept.mentor)} on {kept.day}"
    if kept.planned is not None:
        line += f" planned {kept.planned}"
    if kept.noticed is not None:
        line += f" noticed {kept.noticed}"
    if kept.letters:
        line += f" for {','.join(kept.letters)}"
    return f"{line} as {_short(kept.uid)}" + "".join(f" {fact}={day}" for fact, day in kept.ticks)


def _by(mentor: MentorId | None) -> str:
    return "" if mentor is None else f" by {mentor}"


def _short(uid: Uid) -> str:
    return uid.removeprefix(_UID)


_DAY = r"\d{4}-\d\d-\d\d"
# What an id in a config may be. A line with another one was not written by lorsync, and messages
# repeat ids, some within a command.
_ID = "[A-Za-z0-9._-]{1,64}"
_IDS = f"{_ID}(?:,{_ID})*"
_HEX = "[0-9a-f]{32}"
_SEASON = re.compile(rf"season ({_HEX})")
_CONFIG = re.compile(rf"config ([0-9a-f]+) by ([0-9a-f]+)(?: at ([0-9a-f]+) on ({_DAY}))?")
_CLOSED = re.compile(rf"closed for season ({_HEX})")
_MEMBER = re.compile(rf"mentor ({_ID}) writes ({_IDS})")
_DEPARTED = re.compile(rf"mentor ({_ID}) wrote ({_IDS})")
_FINISHED = re.compile(rf"mentor ({_ID}) finished ({_IDS})")
_KEPT = re.compile(
    rf"({'|'.join(How)}) ([a-z-]+)(?:/(\S+))? of ({_ID})(?: by ({_ID}))? on ({_DAY})"
    rf"(?: planned ({_DAY}))?(?: noticed ({_DAY}))?"
    rf"(?: for ({_IDS}))? as ({_HEX})((?: [a-z-]+={_DAY})*)"
)
_MARK = re.compile(rf"(said|unsaid) ([a-z-]+) of ({_ID})(?: by ({_ID}))? on ({_DAY}) at (\S+)")
_YOURS = re.compile(rf"yours (\S+) of ({_HEX})")
_ASKS = re.compile(rf"asks ({_IDS}) by ({_HEX})")
_RENAMED = re.compile(rf"same ({'|'.join(Subject)}) ({_ID}) as ({_ID})")
_RETIRED = re.compile(rf"retired ({_HEX})")
_DOUBT = re.compile(rf"(unsure|sure) ({_ID})(?: (?:since|at) (\S+))?")
_WORDS = (
    "season|applicant|cycle|config|closed|mentor|unsure|sure|said|unsaid|yours|asks|same|retired"
)
_BEGINNINGS = re.compile(rf"(?<!closed for) (?=(?:{_WORDS}|{'|'.join(How)}) )")


def read_memory(text: str) -> Memory | None:
    """Return what a memory's text says, None where it is no memory any more."""
    read = _read(_lines_of(text))
    folded = _read(_folded_lines(text))
    if read is None or folded is None:
        return read or folded
    return folded if len(folded.points) > len(read.points) else read


def _read(lines: Sequence[str]) -> Memory | None:
    season, config = _first(_SEASON, lines), _first(_CONFIG, lines)
    closed = _first(_CLOSED, lines)
    if season is None or config is None:
        return None
    return Memory(
        key=SeasonKey(season[1]),
        applicant=_named("applicant", lines),
        cycle=_named("cycle", lines),
        config=config[1],
        writer=config[2],
        members=_members(_MEMBER, lines),
        departed=_members(_DEPARTED, lines),
        finished=_members(_FINISHED, lines),
        kept=tuple(k for found in _all(_KEPT, lines) if (k := _kept(found)) is not None),
        retired=frozenset(_uid(found[1]) for found in _all(_RETIRED, lines)),
        marks=tuple(m for found in _all(_MARK, lines) if (m := _mark(found)) is not None),
        doubts=read_doubts(lines),
        asks={
            _uid(found[2]): tuple(LetterId(x) for x in found[1].split(","))
            for found in _all(_ASKS, lines)
        },
        yours={_uid(found[2]): _properties(found[1]) for found in _all(_YOURS, lines)},
        renamed=read_renamed(lines),
        closed=None if closed is None else SeasonKey(closed[1]),
        place=config[3],
        seen=_seen(config[4]),
    )


def read_doubts(lines: Iterable[str]) -> tuple[Doubt, ...]:
    """Return the doubts and answers that are among some lines."""
    return latest(d for found in _all(_DOUBT, lines) if (d := _doubt(found)) is not None)


def read_renamed(lines: Iterable[str]) -> frozenset[Renamed]:
    """Return the pairs of ids that are one and the same which are among some lines."""
    return frozenset(
        Renamed(what=Subject(found[1]), today=found[2], before=found[3])
        for found in _all(_RENAMED, lines)
    )


def is_all_read(text: str) -> bool:
    """Tell whether each line of a memory's text was understood."""
    memory = read_memory(text)
    if memory is None:
        return False
    known = set(text_of(memory).splitlines())
    return any(known.issuperset(lines) for lines in (_lines_of(text), _folded_lines(text)))


def _lines_of(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line]


def _folded_lines(text: str) -> list[str]:
    """Return the lines of a text whose line ends were lost, or others put in (S12).

    Each begins with a word of its own.
    """
    said = " ".join(text.split()).removeprefix(_EXPLANATION).strip()
    return _BEGINNINGS.split(said)


def _all(pattern: re.Pattern[str], lines: Iterable[str]) -> Iterator[re.Match[str]]:
    return (found for line in lines if (found := pattern.fullmatch(line)) is not None)


def _first(pattern: re.Pattern[str], lines: Iterable[str]) -> re.Match[str] | None:
    return next(_all(pattern, lines), None)


def _members(pattern: re.Pattern[str], lines: Iterable[str]) -> Members:
    return {
        MentorId(found[1]): tuple(LetterId(x) for x in found[2].split(","))
        for found in _all(pattern, lines)
    }


def _named(word: str, lines: Iterable[str]) -> str:
    return next((x.removeprefix(f"{word} ") for x in lines if x.startswith(f"{word} ")), "")


def _seen(text: str | None) -> date | None:
    try:
        return None if text is None else _day(text)
    except ValueError:
        return None  # Damaged: it is no sign of life then.


def _uid(digits: str) -> Uid:
    return Uid(_UID + digits)


def _kept(found: re.Match[str]) -> Kept | None:
    how, kind, slot, subject, mentor, day, planned, noticed, letters, digits, ticks = found.groups()
    try:
        return Kept(
            how=How(how),
            uid=_uid(digits),
            identity=Identity(kind=Kind(kind), subject=LetterId(subject), slot=slot or ""),
            letters=tuple(LetterId(x) for x in (letters or "").split(",") if x),
            day=_day(day),
            planned=None if planned is None else _day(planned),
            noticed=None if noticed is None else _day(noticed),
            ticks=tuple(_tick(each) for each in ticks.split()),
            mentor=None if mentor is None else MentorId(mentor),
        )
    except ValueError:
        return None  # Damaged: one line less is known, and nothing wrong.


def _tick(text: str) -> tuple[Fact, date]:
    fact, _, day = text.partition("=")
    return Fact(fact), _day(day)


def _mark(found: re.Match[str]) -> Mark | None:
    verb, fact, letter, mentor, day, said = found.groups()
    try:
        return Mark(
            letter=LetterId(letter),
            fact=Fact(fact),
            day=_day(day),
            said=_instant(said),
            withdrawn=verb == "unsaid",
            mentor=None if mentor is None else MentorId(mentor),
        )
    except ValueError:
        return None  # As above.


def _doubt(found: re.Match[str]) -> Doubt | None:
    verb, mentor, at = found.groups()
    try:
        instant = LONG_AGO if at is None else _instant(at)
    except ValueError:
        return None  # As above.
    return Doubt(mentor=MentorId(mentor), at=instant, answered=verb == "sure")


def _day(text: str) -> date:
    """Return a day. Raises ValueError, also for a year with which nobody can reckon."""
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        msg = f"{text} is out of range"
        raise ValueError(msg)
    return day


def _instant(text: str) -> datetime:
    """Return an instant, aware. Raises ValueError as for a day."""
    instant = datetime.fromisoformat(text)
    if instant.year not in YEARS:
        msg = f"{text} is out of range"
        raise ValueError(msg)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _properties(text: str) -> frozenset[Property]:
    known = {p.value: p for p in Property}
    return frozenset(known[name] for name in text.split(",") if name in known)


_HEX_DIGITS = 16

_ZONE_MARK = "<zone>"
"""Stands for a zone in words; no text of a config is wholly this, and no zone holds a bracket."""


def config_digest(season: Season, style: EventStyle) -> str:
    """Return the digest of all that a plan follows from: not of comments, order or account.

    What a holidays library says is no part of the config, nor is what a ledger remembers.
    """
    return _hashed(_text(season, style, season.applicant.timezone))


def zone_of(digest: str, season: Season, style: EventStyle, zones: Iterable[str]) -> str | None:
    """Return the zone with which this config has another's digest; None where more differs (S20).

    For a config that leaves the zone to its machine: one file is two configs on two machines.
    """
    text = _text(season, style, _ZONE_MARK)
    return next((z for z in zones if _hashed(text.replace(_ZONE_MARK, z)) == digest), None)


def _text(season: Season, style: EventStyle, zone: object) -> str:
    """Return a config in words, with this as the applicant's zone."""
    ordered = tuple(sorted(season.letters, key=lambda letter: letter.id))
    applicant = replace(season.applicant, timezone=cast("ZoneInfo", zone))
    meant = replace(
        season, holidays=None, renamed=frozenset(), letters=ordered, applicant=applicant
    )
    return _canonical((meant, replace(style, zone=cast("ZoneInfo", zone))))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX_DIGITS]


def _canonical(value: object) -> str:
    """Return the same text for what means the same, in every process."""
    if is_dataclass(value) and not isinstance(value, type):
        inside = (
            f"{field.name}={_canonical(getattr(value, field.name))}" for field in fields(value)
        )
        return f"{type(value).__name__}({','.join(inside)})"
    if isinstance(value, Mapping):
        pairs = sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, Set):
        return f"<{','.join(sorted(map(_canonical, value)))}>"
    if isinstance(value, tuple | list):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(str(value))
