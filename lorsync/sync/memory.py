"""Find the memory on the calendar, and write it ahead of the acts that it remembers (S4, S6, S20).

The ledger remembers which version of it was last seen. It is found by its name, so that a lost
ledger finds it again, and read only when it changed.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NoReturn
from zoneinfo import available_timezones

from lorsync.core.display import excerpt
from lorsync.core.errors import ConfigError, ServerFailedError, TryAgainError, UnavailableError
from lorsync.core.event.content import Content
from lorsync.core.event.ical import (
    UnreadableError,
    UnwritableError,
    description_of,
    has_guests,
    replace_text,
    sequence_of,
    write,
)
from lorsync.core.event.stamp import Block, find_block, stamped, vouches_for_text
from lorsync.core.identity import SeasonKey, season_key
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.memory import (
    MEMORY_DAY,
    MEMORY_TITLE,
    Members,
    Memory,
    asks_of,
    is_memory,
    kept_of,
    members_of,
    memory_generation,
    memory_uid,
    yours_of,
)
from lorsync.core.merge.memory_text import config_digest, is_all_read, read_memory, text_of, zone_of
from lorsync.core.model import Event, PlanWarning, Renamed, Season, Uid
from lorsync.core.ports import (
    Calendar,
    ETag,
    Href,
    Ledger,
    LedgerReader,
    Listing,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    WriteRefusedError,
)
from lorsync.core.settings import Settings
from lorsync.sync.plan import doubts_of, is_new, marks_of
from lorsync.sync.setbacks import (
    Setback,
    SetbackKind,
    remember_setback_of_memory,
    setback_warnings,
    setbacks,
    write_of,
)
from lorsync.sync.state import SyncState, keep, state_of
from lorsync.sync.write import honoured_by, remember_ignored, remember_refused, warn_of_unnamed

SIGN_OF_LIFE = timedelta(days=14)
"""After how long without a writing a machine is believed to be gone where nobody knows (S20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The memory as the calendar has it: where, which version, and what it says.

    ``memory`` is what is believed of it, None where there is none, or none that can be read.
    ``doubted`` is what it says where that is not believed: its stamp does not hold, or nothing else
    on the calendar confirms it. It teaches nothing and stays as it is until the person answers.
    ``damaged``: what it says is not what a lorsync wrote (S3). ``mending``: it is to be written
    again, whatever it says, and does not tell whose config rules. ``gone``: the person deleted it.
    ``unseen``: the server said that it had stored it, and it has not been seen there yet. ``news``:
    it is another version than the ledger knew.
    """

    uid: Uid
    etag: ETag | None = None
    body: bytes | None = None
    memory: Memory | None = None
    doubted: Memory | None = None
    damaged: bool = False
    mending: bool = False
    gone: bool = False
    unseen: bool = False
    news: bool = False

    @property
    def said(self) -> Memory | None:
        """What it says, believed or not; None where it cannot be read."""
        return self.memory or self.doubted


def recalled(ledger: LedgerReader) -> Recalled | None:
    """Return the memory as the ledger last saw it, None where it never did."""
    state = state_of(ledger)
    if state.memory_uid is None:
        return None
    text, doubted = state.memory_text, state.memory_doubted
    return Recalled(
        uid=state.memory_uid,
        etag=state.memory_etag,
        body=state.memory_body,
        memory=None if text is None else read_memory(text),
        doubted=None if doubted is None else read_memory(doubted),
        mending=state.memory_mending,
        gone=state.memory_gone,
        unseen=state.memory_unseen,
    )


def found_memory(
    season: Season, calendar: Calendar, listing: Listing, *, new_cycle: bool
) -> Recalled | None:
    """Look for this season's memory on behalf of a ledger that knows of no season yet.

    Raises ConfigError where a memory could be that of this season under another name: only the
    person can tell (S6).
    """
    found = _memories(calendar, listing)
    # The key goes before the names: a season that was closed may have had these as well. One that
    # cannot be read any more is known by its key too, and written again.
    own = _named_by(season_key(season), found)
    own = own or [each for each in found if each.said and _goes_by(each.said, season)]
    if not own and not new_cycle:
        for each in found:
            _ask(each.said, season)
        if found and not any(each.said for each in found):
            _ask_of_unreadable(season)
    return _latest(own)


def first_look(key: SeasonKey, calendar: Calendar, listing: Listing) -> Recalled | None:
    """Look for a memory of a season that the ledger knows, and whose memory it never saw.

    It was found, or written, in a pass that was killed then.
    """
    return _latest(_named_by(key, _memories(calendar, listing)))


def followed(known: Recalled, key: SeasonKey, calendar: Calendar, listing: Listing) -> Recalled:
    """Return the memory that stands now in the place of the one that the ledger knows.

    Where another lorsync wrote a later generation, the person deleted the known one and wanted the
    memory back there; it is read and written here as well from now on (S20).
    """
    later = _latest(_named_by(key, [Recalled(uid=uid) for uid in _names(listing)]))
    if later is None or memory_generation(later.uid) <= memory_generation(known.uid):
        return known
    return first_look(key, calendar, listing) or known


def with_belief(there: Recalled, before: Recalled | None, *, teaches: bool) -> Recalled:
    """Return a memory whose stamp does not hold with what is believed of it.

    That is what it said before. Where it would teach nothing, it is no question, and is written
    again if it says anything else.
    """
    known = None if before is None else before.memory
    if teaches:
        return replace(there, memory=known)
    same = known is not None and there.doubted is not None and known.points == there.doubted.points
    return replace(there, memory=known, doubted=None, mending=not same)


def accepted(there: Recalled) -> Recalled:
    """Return a doubted memory as the person believes it; it is written again with a stamp."""
    return replace(
        there, memory=there.doubted, doubted=None, damaged=False, mending=True, news=True
    )


def looked_at(
    known: Recalled, calendar: Calendar, listing: Listing, fetched: Mapping[Href, Resource]
) -> Recalled:
    """Return the memory as it is now, given what was listed and fetched."""
    href = calendar.href_for(known.uid)
    if href in fetched and fetched[href].failed:
        return known  # It can be read in a later pass, and is not written until then.
    if href in fetched:
        return _recalled(known.uid, fetched[href])
    if href not in listing.removed and (not listing.complete or href in listing.entries):
        return known
    if known.body is None or (known.unseen and href not in listing.removed):
        # Never seen there is not deleted by anybody: it is written, or written again (restore).
        return Recalled(uid=known.uid)
    return replace(known, gone=True, etag=None)


def has_changed(known: Recalled, calendar: Calendar, listing: Listing) -> bool:
    """Tell whether the memory has to be fetched: another version than was last seen."""
    href = calendar.href_for(known.uid)
    if href not in listing.entries:
        return False
    etag = listing.entries[href]
    return etag is None or known.etag != etag or known.gone


def unseen(ledger: LedgerReader, calendar: Calendar) -> tuple[Href, ...]:
    """Return the memory's href where its PUT gave no ETag: a look tells which it is (S5).

    And where it is new: a server may say that it has stored what it has not.
    """
    known = recalled(ledger)
    if known is None or known.gone or known.body is None:
        return ()
    return (calendar.href_for(known.uid),) if known.etag is None or known.unseen else ()


def remember_seen(ledger: Ledger, calendar: Calendar, seen: Mapping[Href, Resource]) -> bool:
    """Remember what was seen of the memory, which was looked for; False if it was not stored.

    That is its version, where it still says what was written. Where it is an earlier one, the next
    pass goes by that, and writes what is missing in it.
    """
    known = recalled(ledger)
    if known is None:
        return True
    resource = seen.get(calendar.href_for(known.uid))
    if resource is None:
        if known.unseen:
            remember(ledger, Recalled(uid=known.uid))
        return not known.unseen
    if says_the_same(known, resource):
        remember(ledger, replace(known, etag=resource.etag, body=resource.body, unseen=False))
    elif (earlier := _recalled(known.uid, resource)).memory and _is_earlier(earlier, known):
        remember(ledger, earlier)
        return False
    return True


def _is_earlier(there: Recalled, known: Recalled) -> bool:
    """Tell whether a memory comes before another: each writing of it raises the SEQUENCE."""
    if there.body is None or known.body is None:
        return False
    return sequence_of(there.body, there.uid) < sequence_of(known.body, known.uid)


def says_the_same(known: Recalled, resource: Resource) -> bool:
    """Tell whether a resource says what the memory is known to say, however it is written."""
    said = _recalled(known.uid, resource).said
    return said is not None and said == known.memory


def writer_of(ledger: Ledger) -> str:
    """Return the name under which this ledger writes, chosen at random the first time (S20)."""
    state = state_of(ledger)
    writer = state.writer
    if writer is None:
        writer = secrets.token_hex(4)
        keep(ledger, replace(state, writer=writer))
    return writer


def key_after(season: Season, before: Memory | None, listing: Listing) -> SeasonKey:
    """Return the key of the season that follows on one, given a complete listing (S6).

    Where another lorsync began it already, under whatever name, it is that one.
    """
    own, closed = season_key(season), None if before is None else before.closed
    listed = [Recalled(uid=uid) for uid in _names(listing)]
    if closed is None or _named_by(own, listed) or not _named_by(closed, listed):
        return own
    return closed


def check_open(there: Recalled | None) -> None:
    """Stand by where the season was closed, by another lorsync or a pass that was killed (S6).

    Raises ConfigError.
    """
    memory = None if there is None else there.memory
    if memory is not None and memory.closed is not None:
        msg = (
            "The season that is kept here was closed, and a new one begun on another machine. "
            "Nothing was written. To go on with the new one, let cycle.name be the same as there, "
            "and run here as well: lorsync sync --new-cycle"
        )
        raise ConfigError(msg)


def stand_by(settings: Settings, there: Recalled) -> NoReturn:
    """Say that another lorsync with another config rules (S20). Raises ConfigError."""
    msg = _of_another_zone(settings, there) or (
        "Another lorsync, with another config, keeps this calendar. Nothing was written. Give "
        "both the same config, or, if this one shall rule, run: lorsync sync --take-over"
    )
    raise ConfigError(msg)


def goes_on(ledger: LedgerReader, there: Recalled, today: date) -> str | None:
    """Say why a ledger that knows of no season goes on though another config ruled; else None.

    Its own was lost, in this very place or with a machine that has shown no sign of life for
    ``SIGN_OF_LIFE``: the memory tells both. A ledger with a history stands by until it is told.
    """
    memory = there.memory
    if memory is None or memory.seen is None or not is_new(ledger):
        return None
    if memory.place == ledger.place:
        return (
            "lorsync's own file was lost and the config has changed since, so this config rules "
            "from now on: check the plan."
        )
    if today - memory.seen < SIGN_OF_LIFE:
        return None
    return (
        "This calendar was kept by another machine, with another config, of which there is no "
        f"sign of life since {memory.seen}: this config rules from now on. Where that machine runs "
        "lorsync still, give both the same config."
    )


def believe_gone(ledger: Ledger, there: Recalled) -> None:
    """Remember that the config which ruled is the one that this one was changed from (S20).

    First of all, so that a pass that is killed goes on like this one (I7).
    """
    config = None if there.memory is None else there.memory.config
    keep(ledger, replace(state_of(ledger), config_digest=config))


def _of_another_zone(settings: Settings, there: Recalled) -> str | None:
    """Say that what differs stands in no file: the zone of the two machines. None for more."""
    if settings.machine is None or there.memory is None:
        return None
    zones = sorted(available_timezones())
    theirs = zone_of(there.memory.config, settings.season, settings.style, zones)
    if theirs is None:
        return None
    return (
        f"Another lorsync keeps this calendar with this config, on a machine that is set to "
        f"{theirs}, and this one is set to {settings.machine.zone.key}. Nothing was written. Write "
        f'the same zone into [applicant] on both, such as timezone = "{theirs}", or, if this '
        "machine shall rule, run: lorsync sync --take-over"
    )


def is_ruled_by_another(settings: Settings, ledger: LedgerReader, there: Recalled | None) -> bool:
    """Tell whether another lorsync with another config keeps this calendar (S20).

    The memory names the config that last ruled. It rules on where this ledger wrote it, where it is
    this config, or where it is the one that this config was changed from.
    """
    if there is None or there.memory is None or there.mending or not there.news:
        return False
    state = state_of(ledger)
    mine = {config_digest(settings.season, settings.style), state.config_digest}
    return there.memory.config not in mine and there.memory.writer != state.writer


def is_memory_gone(ledger: LedgerReader) -> bool:
    """Tell whether the person deleted the memory, and has not had it back since (S4)."""
    return state_of(ledger).memory_gone


def is_older(body: bytes, known: Recalled) -> bool:
    """Tell whether a memory is an earlier version than the one that is known.

    Every writing of it raises its SEQUENCE, and nothing lowers that.
    """
    if known.body is None:
        return False
    return sequence_of(body, known.uid) < sequence_of(known.body, known.uid)


def remember(ledger: Ledger, there: Recalled) -> None:
    """Remember which version of the memory was seen, and the config that rules by it."""
    keep(ledger, remembered(state_of(ledger), there))


def remembered(state: SyncState, there: Recalled) -> SyncState:
    """Return a state in which this is what was last seen of the memory."""
    return replace(
        state,
        memory_uid=there.uid,
        memory_etag=there.etag,
        memory_body=there.body,
        memory_text=None if there.memory is None else text_of(there.memory),
        memory_doubted=None if there.doubted is None else text_of(there.doubted),
        memory_mending=there.mending,
        memory_gone=there.gone,
        memory_unseen=there.unseen,
        config_digest=state.config_digest if there.memory is None else there.memory.config,
    )


def unremembered(state: SyncState) -> SyncState:
    """Return a state in which no memory was ever seen."""
    return replace(
        state,
        memory_uid=None,
        memory_etag=None,
        memory_body=None,
        memory_text=None,
        memory_doubted=None,
        memory_mending=False,
        memory_gone=False,
        memory_unseen=False,
        config_digest=None,
    )


def _memories(calendar: Calendar, listing: Listing) -> list[Recalled]:
    """Return every memory that was listed, of whatever season, as it is now."""
    hrefs = {calendar.href_for(uid): uid for uid in _names(listing)}
    there = calendar.fetch(list(hrefs)) if hrefs else {}
    if any(resource.failed for resource in there.values()):
        msg = (
            "The server fails at the event in which lorsync keeps its memory. Nothing was written, "
            "since that event says what you did: try again later."
        )
        raise UnavailableError(msg)
    return [_recalled(uid, there[href]) for href, uid in sorted(hrefs.items()) if href in there]


def _names(listing: Listing) -> list[Uid]:
    """Return the UIDs of the memories that were listed, by the names of their resources."""
    names = (href.rpartition("/")[2].removesuffix(".ics") for href in listing.entries)
    return [Uid(name) for name in names if is_memory(name)]


def _named_by(key: SeasonKey, found: Iterable[Recalled]) -> list[Recalled]:
    """Return the memories of one season by their UIDs, whether or not they can be read."""
    first = memory_uid(key, 0)
    return [each for each in found if each.uid == first or each.uid.startswith(f"{first}-")]


def _latest(found: Iterable[Recalled]) -> Recalled | None:
    """Return the memory of the latest generation: an older one is a deleted one that came back.

    One whose stamp does not hold comes after all others: nobody may put it in their place.
    """

    def rank(each: Recalled) -> tuple[bool, int, Uid]:
        return each.doubted is None, memory_generation(each.uid), each.uid

    return max(found, key=rank, default=None)


def _recalled(uid: Uid, resource: Resource) -> Recalled:
    block = _block(resource.body, uid)
    said = None if block is None else read_memory(block.text)
    if said is not None and uid != memory_uid(said.key, memory_generation(uid)):
        said = None  # Another season's key in it would give all events other UIDs.
    vouched = block is not None and vouches_for_text(block)
    return Recalled(
        uid=uid,
        etag=resource.etag,
        body=resource.body,
        memory=said if vouched else None,
        # That a season was closed is no more believed than the rest, and would end all passes.
        doubted=None if vouched or said is None else replace(said, closed=None),
        damaged=not vouched or block is None or said is None or not is_all_read(block.text),
        news=True,
    )


def _block(body: bytes, uid: Uid) -> Block | None:
    try:
        return find_block(description_of(body, uid))
    except UnreadableError:
        return None  # The person made it something else; it is written again.


def _goes_by(memory: Memory, season: Season) -> bool:
    names = season.applicant.name, season.cycle.name
    return memory.closed is None and (memory.applicant, memory.cycle) == names


def _ask(memory: Memory | None, season: Season) -> None:
    """Raise ConfigError where a memory may be this season's under another name."""
    if memory is None or memory.closed == season_key(season):
        return  # What follows on it is this season.
    ours = {letter for letters in members_of(season).values() for letter in letters}
    theirs = {letter for letters in memory.members.values() for letter in letters}
    others = memory.applicant != season.applicant.name
    if others and not ours & theirs:
        return  # Somebody else's, in a shared calendar (S9).
    whose = f"somebody else’s, beside which {season.applicant.name}’s begins, or " if others else ""
    msg = (
        f"This calendar holds the season “{excerpt(memory.cycle)}” of {excerpt(memory.applicant)}; "
        "the config says "
        f"“{season.cycle.name}” of {season.applicant.name}. Nothing was written. If it is the same "
        "season, put the names back for one sync and change them afterwards. If it is "
        f"{whose}an earlier one, run: lorsync sync --new-cycle"
    )
    raise ConfigError(msg)


def _ask_of_unreadable(season: Season) -> NoReturn:
    """Raise ConfigError where only memories stand that say no more whose they are.

    Their keys tell that they are not of the season that the config names, or not under these names.
    """
    msg = (
        "This calendar holds a memory of lorsync that cannot be read any more, and that was not "
        f"begun as “{season.cycle.name}” of {season.applicant.name}. Nothing was written. If it is "
        "the same season under another name, put the names back that it began with for one sync, "
        "and change them afterwards. If it is another season, or somebody else's, run: lorsync "
        "sync --new-cycle"
    )
    raise ConfigError(msg)


_MOST_TRIES = 3
"""How many generations of the memory's UID are tried, since a refusal may have other reasons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorised:
    """What came of the memory: whether it was created or written, and what is to be said.

    ``failed``: the server failed at it, as it does at everything in an outage. ``doubtful``: the
    last time it was acknowledged and not stored.
    """

    created: bool = False
    written: Href | None = None
    warnings: tuple[PlanWarning, ...] = ()
    failed: bool = False
    doubtful: bool = False


def restore_memory(ledger: Ledger) -> bool:
    """Let the next pass write the memory again; False where it stands as lorsync wrote it.

    One that was deleted comes under another UID (S8); one that the person does not believe is
    written over (S4).
    """
    known = recalled(ledger)
    if known is None or not (known.gone or known.doubted):
        return False
    if known.gone:
        remember(ledger, Recalled(uid=_next(known.uid)))
    else:
        remember(ledger, replace(known, doubted=None, mending=True))
    return True


def wanted_memory(
    settings: Settings,
    ledger: Ledger,
    key: SeasonKey,
    entries: Mapping[Uid, Entry],
    retired: frozenset[Uid],
    *,
    members: Members,
    departed: Members,
    finished: Members,
    renamed: frozenset[Renamed],
    planned: Iterable[Event],
    today: date,
) -> Memory:
    """Return what the memory should say; ``retired`` includes what is about to be deleted.

    ``members`` are the mentors with their letters, as far as nobody has to be asked about them,
    ``departed`` those who were among them, ``finished`` the letters that are in or were declined,
    ``renamed`` the ids that are one and the same, ``planned`` the events that are wanted.
    """
    season = settings.season
    kept = [entry for uid, entry in entries.items() if uid not in retired]
    return Memory(
        key=key,
        applicant=season.applicant.name,
        cycle=season.cycle.name,
        config=config_digest(season, settings.style),
        writer=writer_of(ledger),
        place=ledger.place,
        seen=today,
        members=members,
        departed=departed,
        finished=finished,
        renamed=renamed,
        kept=kept_of(kept, today),
        retired=retired,
        marks=marks_of(season, ledger),
        doubts=doubts_of(season, ledger),
        yours=yours_of(kept),
        asks=asks_of(planned, members),
    )


def write_closed(
    calendar: Calendar,
    ledger: Ledger,
    there: Recalled | None,
    *,
    follower: SeasonKey,
    deleted: frozenset[Uid],
    now: datetime,
) -> None:
    """Say in the memory of a season that another follows, before anything of it is deleted (S6).

    Every other lorsync that keeps this season reads it there. Raises TryAgainError as
    ``write_memory`` does.
    """
    if there is None or there.memory is None:
        return
    said = there.memory
    retired = said.retired | deleted
    closed = replace(
        said,
        closed=follower,
        retired=retired,
        writer=writer_of(ledger),
        place=ledger.place,
    )
    write_memory(calendar, ledger, replace(there, doubted=None), closed, now=now)


def write_memory(
    calendar: Calendar, ledger: Ledger, there: Recalled | None, wanted: Memory, *, now: datetime
) -> Memorised:
    """Write the memory where it has to say more, or something else; one request.

    ``now`` is aware. Raises TryAgainError where another lorsync wrote it at the same moment: what
    it says has to be read first.
    """
    known = there or Recalled(uid=memory_uid(wanted.key, 0))
    if known.gone:
        return Memorised(warnings=(_deleted_warning(),))
    if known.doubted is not None:
        return Memorised()  # It stays as it is until the person has answered.
    if known.memory is not None and not known.mending and not _says_less(known.memory, wanted):
        return Memorised()
    if known.body is None and not wanted.members and not wanted.kept:
        return Memorised()  # Nothing was ever planned, and nothing is to be remembered.
    if known.body is not None and has_guests(known.body):
        # Each change of it would be mailed to them; it is the person's, and another one begins.
        known = Recalled(uid=_next(known.uid))
    before = setbacks(ledger).get(known.uid)
    if before is not None and before.waits(_write_of(wanted), now):
        return Memorised(warnings=setback_warnings([before]))
    failed = False
    try:
        written, warnings = _written(calendar, ledger, known, wanted)
    except PreconditionFailedError:
        msg = "Another lorsync wrote to this calendar at the same moment. Try again."
        raise TryAgainError(msg) from None
    except ResourceGoneError:
        remember(ledger, replace(known, gone=True, etag=None))
        return Memorised(warnings=(_deleted_warning(),))
    except WriteRefusedError as error:
        why = str(error)
    except ServerFailedError as error:
        why, failed = f"the server fails at it (HTTP {error.status}).", True
    else:
        remember(ledger, written)
        if before is not None and before.kind is SetbackKind.REFUSED:
            remember_setback_of_memory(None, ledger)
        href = calendar.href_for(written.uid)
        doubtful = before is not None and before.kind is SetbackKind.UNSTORED
        return Memorised(
            created=known.body is None, written=href, warnings=warnings, doubtful=doubtful
        )
    setback = _setback(known.uid, SetbackKind.REFUSED, wanted, why, now).after(before)
    remember_setback_of_memory(setback, ledger)
    return Memorised(warnings=setback_warnings([setback]), failed=failed)


def check_stored(
    calendar: Calendar, ledger: Ledger, seen: Mapping[Href, Resource], *, now: datetime
) -> tuple[PlanWarning, ...]:
    """Hold what was seen of the memory against what was written; ``now`` is aware.

    One that was acknowledged and is not there is written again by the next pass, and then named.
    """
    known = recalled(ledger)
    stored = remember_seen(ledger, calendar, seen)
    if known is None or known.memory is None:
        return ()
    before = setbacks(ledger).get(known.uid)
    if stored:
        if before is not None and before.kind is SetbackKind.UNSTORED:
            remember_setback_of_memory(None, ledger)
        return ()
    there = calendar.href_for(known.uid) in seen
    why = "the calendar holds what it held before." if there else "it is not there."
    setback = _setback(known.uid, SetbackKind.UNSTORED, known.memory, why, now).after(before)
    remember_setback_of_memory(setback, ledger)
    return setback_warnings([setback]) if setback.times > 1 else ()


def _write_of(memory: Memory) -> str:
    return write_of(text_of(memory).encode())


def _setback(uid: Uid, kind: SetbackKind, wanted: Memory, why: str, now: datetime) -> Setback:
    return Setback(
        uid=uid,
        kind=kind,
        write=_write_of(wanted),
        title=MEMORY_TITLE,
        day=MEMORY_DAY,
        why=why,
        at=now,
    )


def _written(
    calendar: Calendar, ledger: Ledger, known: Recalled, wanted: Memory
) -> tuple[Recalled, tuple[PlanWarning, ...]]:
    """Write the memory, and return it as it is then, with what is to be said of it.

    Raises as :meth:`lorsync.core.ports.Calendar.update` does, where it was not written.
    """
    if known.body is None:
        return _made(calendar, ledger, known, wanted), ()
    href, body = calendar.href_for(known.uid), _body(known, wanted)
    taken = honoured_by(calendar, ledger).taken
    seen = known.etag if taken else None
    guard = seen or _seen_again(calendar, known, href)
    warnings = warn_of_unnamed(calendar, ledger) if guard is None else ()
    guard = guard if taken else None
    after = replace(known, etag=None, body=body, memory=wanted, mending=False)
    try:
        etag, told = _put_over(calendar, ledger, known, body, guard)
        warnings = (*warnings, *told)
    except (ResourceGoneError, WriteRefusedError, ServerFailedError) as error:
        held = calendar.fetch([href]).get(href)
        if held is not None and says_the_same(after, held):
            return replace(after, etag=held.etag), warnings
        if held is not None and isinstance(error, ResourceGoneError):
            msg = f"{href}: the server says that it is not there, and it is."
            raise WriteRefusedError(msg) from None
        raise
    return replace(after, etag=etag), warnings


def _put_over(
    calendar: Calendar, ledger: Ledger, known: Recalled, body: bytes, guard: ETag | None
) -> tuple[ETag | None, tuple[PlanWarning, ...]]:
    """Write the memory over the version that is known; without a guard where none is taken (S22).

    Raises as :meth:`lorsync.core.ports.Calendar.update` does.
    """
    href = calendar.href_for(known.uid)
    for _ in range(2):
        try:
            return calendar.update(href, body, guard), ()
        except PreconditionFailedError:
            held = calendar.fetch([href]).get(href)
            if guard is None or held is None or (held.etag != guard and held.body != known.body):
                raise
            # It is the very version that was named. One such answer may be a slip on the way.
            guard = held.etag or guard
    return calendar.update(href, body, None), remember_refused(calendar, ledger)


def _made(calendar: Calendar, ledger: Ledger, known: Recalled, wanted: Memory) -> Recalled:
    """Create the memory, under another UID where the server refuses this one.

    With the ledger lost too, nobody knows that the person deleted it, but Google and Nextcloud's
    trash bin do, and refuse what was deleted (S8). What was refused may be there all the same, and
    a second memory beside it would say something else one day: a look tells.
    """
    for _ in range(_MOST_TRIES):
        href, body = calendar.href_for(known.uid), _body(known, wanted)
        after = replace(known, body=body, memory=wanted, unseen=True)
        try:
            return replace(after, etag=_created(calendar, ledger, href, body))
        except (WriteRefusedError, ServerFailedError) as error:
            held = calendar.fetch([href]).get(href)
            if held is not None and says_the_same(after, held):
                return replace(after, etag=held.etag, unseen=False)
            if held is not None:
                raise PreconditionFailedError(href) from None
            if isinstance(error, ServerFailedError):
                raise
            refusal, known = error, replace(known, uid=_next(known.uid))
    raise refusal


def _next(uid: Uid) -> Uid:
    """Return the UID of the memory's next generation."""
    base = uid.removesuffix(f"-{memory_generation(uid)}")
    return Uid(f"{base}-{memory_generation(uid) + 1}")


def _created(calendar: Calendar, ledger: Ledger, href: Href, body: bytes) -> ETag | None:
    """Create the memory; where the server would overwrite another one, look first (S22)."""
    kept = honoured_by(calendar, ledger)
    if not (kept.creation and kept.taken) and calendar.fetch([href]):
        raise PreconditionFailedError(href)
    try:
        return calendar.create(href, body) if kept.taken else calendar.update(href, body, None)
    except PreconditionFailedError:
        if not kept.taken or calendar.fetch([href]):
            raise
        # Nothing is there: the server cannot do If-None-Match, and says so with the events.
        return calendar.update(href, body, None)
    finally:
        remember_ignored(kept, calendar, ledger)


def _seen_again(calendar: Calendar, known: Recalled, href: Href) -> ETag | None:
    """Look at a memory of which no version is known, and return that; None if it has none (S22).

    Raises PreconditionFailedError where it is not the memory that this pass has read, and
    ResourceGoneError.
    """
    there = calendar.fetch([href]).get(href)
    if there is None:
        raise ResourceGoneError(href)
    if there.body != known.body and not says_the_same(known, there):
        raise PreconditionFailedError(href)
    return there.etag


def _says_less(memory: Memory, wanted: Memory) -> bool:
    """Tell whether a memory lacks something, or keeps what was taken back since.

    That is a fact (S14), a doubt, or what is no longer the person's (S10).
    """
    if not wanted.points <= memory.points:
        return True
    ticked = {kept.uid: kept.ticks for kept in wanted.kept}
    given_back = any(own - wanted.yours.get(uid, frozenset()) for uid, own in memory.yours.items())
    return given_back or any(
        kept.ticks and ticked.get(kept.uid, ()) != kept.ticks for kept in memory.kept
    )


def _body(known: Recalled, wanted: Memory) -> bytes:
    block = stamped(MEMORY_TITLE, MEMORY_DAY.isoformat(), text_of(wanted))
    sequence = 0
    if known.body is not None:
        # Google refuses a lower one (409), and another machine takes it for a restored backup.
        sequence = sequence_of(known.body, known.uid) + 1
        try:
            return replace_text(known.body, known.uid, block)
        except (UnreadableError, UnwritableError):
            pass  # Nothing of it is worth keeping then.
    content = Content(
        uid=known.uid,
        start=MEMORY_DAY,
        end=MEMORY_DAY + timedelta(days=1),
        summary=MEMORY_TITLE,
        block=block,
        alarms=(),
    )
    return write([content], sequence=sequence)


def _deleted_warning() -> PlanWarning:
    message = (
        "You deleted the event in which lorsync keeps its memory, so it stays deleted. As long as "
        "lorsync's own file is there nothing is lost; to have it again: lorsync restore memory"
    )
    return PlanWarning(code="memory-deleted", subject="calendar", message=message)
