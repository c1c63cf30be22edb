"""Move all events to another account, or none (S19).

What is deleted in one place exists in another (I12). Two addresses may lead to one collection, so
nothing is removed before a throwaway event was removed from the old one and everything was read
back from the new one after that.
"""

import logging
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.connect import opened_calendar
from lorsync.core.display import excerpt
from lorsync.core.errors import BusyError, ConfigError, LorsyncError, UnavailableError
from lorsync.core.event.ical import has_guests
from lorsync.core.event.probe_event import probe_body, probe_uid
from lorsync.core.merge.entry import AWAY, Entry
from lorsync.core.merge.memory import is_memory
from lorsync.core.model import PlanWarning, Uid
from lorsync.core.ports import (
    ETag,
    Href,
    Ledger,
    PreconditionFailedError,
    ProbeCalendar,
    Relocating,
    Resource,
    ResourceGoneError,
    UidElsewhereError,
    WriteRefusedError,
)
from lorsync.core.settings import CalendarSettings
from lorsync.sync.account import (
    account_key,
    collection_of,
    former_memo,
    has_moved,
    placed,
    with_own_secret,
)
from lorsync.sync.listing import unlisted
from lorsync.sync.memory import recalled, remembered
from lorsync.sync.same_collection import go_on
from lorsync.sync.state import changes, keep, state_of
from lorsync.sync.write import honoured_by

log = logging.getLogger(__name__)

_Found = TypeVar("_Found", bytes, Resource)

_OF_ONE_RESOURCE = (PreconditionFailedError, ResourceGoneError, WriteRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """A move as the ledger keeps it from its beginning to its end.

    ``account`` is the key of the new account, ``to`` the address of its calendar; ``takes`` says
    that each event leaves the old calendar as it comes to the new one. ``throwaways`` are the UIDs
    of what a move leaves in both calendars when it is killed. Once all events are there, ``former``
    is the old account (see :func:`former_memo`) and ``at`` its calendar, from which ``left`` are
    still to be removed: by UID, href and the version that was copied.
    """

    account: str
    to: str
    takes: bool = False
    throwaways: tuple[str, ...] = ()
    former: str | None = None
    at: str | None = None
    left: tuple[tuple[str, str, str | None], ...] = ()


def holds_copies(account: CalendarSettings, ledger: Ledger) -> bool:
    """Tell whether a move has left copies in this account, or may have.

    The memory is no sign there that it is the calendar that the events are in.
    """
    begun = _begun(ledger)
    if begun is not None and (begun.former is not None or begun.account == account_key(account)):
        return True
    return account_key(account) in _copied(ledger)


def check_whole(account: CalendarSettings, ledger: Ledger) -> None:
    """Raise ConfigError where a stopped move has taken events out of this account's calendar."""
    begun = _begun(ledger)
    if begun is None or not begun.takes or begun.former is not None or has_moved(ledger, account):
        return
    raise ConfigError(
        f"A move of the events to {begun.to} was stopped halfway, so some of them are there. "
        "Nothing was written. Let [calendar] name that calendar again, and run: lorsync sync --move"
    )


def move(
    account: CalendarSettings,
    state: Path,
    ledger: Ledger,
    *,
    now: datetime,
    limiter: RateLimiter | None = None,
) -> tuple[PlanWarning, ...]:
    """Write every event into the new account's calendar, then take them out of the old one.

    What the person made of an event goes with it. Where the new calendar does not take all of
    them, those that were written are removed again, and the ledger stays with the old one. A move
    that was killed is finished by the next. Where the two turn out to be one collection, no event
    is touched. Raises a LorsyncError where nothing was moved. ``now`` is aware; ``limiter``
    counts the requests to the new account.
    """
    was = former_memo(ledger, account)
    former = with_own_secret(was, account)
    with ExitStack() as stack:
        new = stack.enter_context(opened_calendar(account, state, remembered=None, limiter=limiter))
        old, why = _old_calendar(former, collection_of(ledger), state, stack)
        bodies, found = _bodies(ledger, old)
        # A server may mail to the guests of an event that comes or goes (RFC 6638 section 3.2).
        invited = {uid for uid, body in bodies.items() if has_guests(body)}
        bodies, found = _without(invited, bodies), _without(invited, found)
        begun = _begin(ledger, account, new)
        _sweep(begun, old, new)
        begun = replace(begun, throwaways=tuple(_throwaway(now) for _ in range(2)))
        _remember(ledger, begun)
        with _swept(begun, old, new):
            trial = None if old is None else _Trial.of(old, new, begun, now)
            if trial is not None and trial.is_in_new():
                _remember(ledger, None)
                return go_on(account, state, ledger, new.address)
            copying = _Copying(
                old=old,
                new=new,
                bodies=bodies,
                found=found,
                touched=_touched(ledger, found),
                trial=trial,
            )
            try:
                copying.write(before_taking=lambda: _remember(ledger, replace(begun, takes=True)))
                two = copying.read_back()
            except (LorsyncError, *_OF_ONE_RESOURCE) as error:
                undone = copying.undo()
                if undone:
                    _remember(ledger, None)
                raise _failed(error, copying, undone=undone) from None
            if trial is not None and not two:
                _remember(ledger, None)
                return go_on(account, state, ledger, new.address)
            done = replace(
                begun,
                former=was,
                at=collection_of(ledger),
                left=copying.left if two else (),
            )
            _commit(ledger, account, new, done)
        kept = _remove(ledger, old, new) if old is not None and two else len(found or bodies)
        _end(ledger, former, account, kept)
        told = _told(len(bodies), kept, former, new, why)
        return (*told, *_invited_warning(ledger, invited))


def finished(account: CalendarSettings, state: Path, ledger: Ledger) -> tuple[PlanWarning, ...]:
    """Remove from the old calendar what a move that was killed has left there; try that once.

    All of it is in the new one, to which the ledger belongs by then. Raises a LorsyncError where
    that cannot be opened.
    """
    begun = _begun(ledger)
    if begun is None or begun.former is None or has_moved(ledger, account):
        return ()
    former = with_own_secret(begun.former, account)
    with ExitStack() as stack:
        new = stack.enter_context(opened_calendar(account, state, remembered=collection_of(ledger)))
        old, why = _old_calendar(former, begun.at, state, stack)
        kept = len(begun.left) if old is None else _remove(ledger, old, new)
        _sweep(begun, old, new)
    _end(ledger, former, account, kept)
    return _told(len(begun.left), kept, former, new, why)


def _failed(error: Exception, copying: "_Copying", *, undone: bool) -> LorsyncError:
    """Say what has become of a move that could not be done."""
    message = f"{copying.new.address} does not take all events, so none was moved: {error}"
    if not undone and copying.takes:
        message = (
            f"{copying.new.address} does not take all events, and those that it took could not be "
            f"brought back. To go on, run once more: lorsync sync --move ({error})"
        )
    elif not undone:
        message += " Copies are left there."
    if isinstance(error, BusyError):
        return BusyError(message, retry_after=error.retry_after)
    return UnavailableError(message)


@dataclass(kw_only=True)
class _Trial:
    """Shows that two addresses are two collections, by two throwaway events.

    The witness is put into the old calendar, copied to the new one, and taken out of the old one.
    The marker stands in the new one before the witness is anywhere, and goes last: where the new
    one shows the witness and no marker, it shows no state from before the removal, as a cache or a
    replica may, and the witness in it is a copy.
    ``takes``: the witness could not be copied, and changed its place (see :class:`Relocating`).
    """

    old: ProbeCalendar
    new: ProbeCalendar
    witness: Uid
    marker: Uid
    body: bytes
    takes: bool = False

    @classmethod
    def of(
        cls, old: ProbeCalendar, new: ProbeCalendar, begun: _Move, now: datetime
    ) -> "_Trial | None":
        """Begin; None where the old calendar takes nothing more, so that it gives nothing either.

        Raises UnavailableError where the new one takes nothing.
        """
        witness, marker = map(Uid, begun.throwaways)
        body = probe_body(witness, now, version=0)
        try:
            new.create(new.href_for(marker), probe_body(marker, now, version=0))
        except _OF_ONE_RESOURCE as error:
            msg = f"{new.address} takes no events, so none was moved: {error}"
            raise UnavailableError(msg) from None
        try:
            old.create(old.href_for(witness), body)
        except _OF_ONE_RESOURCE as error:
            log.debug("The old calendar takes no event: %s", error)
            return None
        return cls(old=old, new=new, witness=witness, marker=marker, body=body)

    def is_in_new(self) -> bool:
        """Look whether the new calendar has the witness."""
        href = self.new.href_for(self.witness)
        return href in self.new.fetch([href])

    def copy(self) -> None:
        """Bring the witness to the new calendar. Raises what concerns one resource."""
        source, target = self.old.href_for(self.witness), self.new.href_for(self.witness)
        try:
            self.new.create(target, self.body)
        except UidElsewhereError:
            # Fastmail and iCloud keep a UID in one calendar: there, an event can only change place.
            _take(self.old, source, self.new, target)
            if not self.is_in_new() or source in self.old.fetch([source]):
                raise UnavailableError("a MOVE was answered, and moved nothing.") from None
            self.takes = True

    def end(self, besides: Iterable[Href] = ()) -> tuple[bool, Mapping[Href, Resource]]:
        """Tell whether the two are two for certain, and what the new one then has of ``besides``.

        Raises UnavailableError where what it shows is no answer.
        """
        if not self.takes:
            self.old.discard(self.old.href_for(self.witness))
        self.new.discard(self.new.href_for(self.marker))
        witness, marker = (self.new.href_for(uid) for uid in (self.witness, self.marker))
        back = self.new.fetch([*besides, witness, marker])
        if marker in back:
            raise UnavailableError("it still shows an earlier state of itself. Try again later.")
        return witness in back, back


@contextmanager
def _swept(begun: _Move, old: ProbeCalendar | None, new: ProbeCalendar) -> Iterator[None]:
    """Take the throwaways away at the end, wherever they got to."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        _sweep(begun, old, new)
        raise
    _sweep(begun, old, new)


def _throwaway(now: datetime) -> Uid:
    return probe_uid(now, secrets.token_hex(4))


def _sweep(begun: _Move, old: ProbeCalendar | None, new: ProbeCalendar) -> None:
    for calendar in (new,) if old is None else (old, new):
        for uid in map(Uid, begun.throwaways):
            try:
                calendar.discard(calendar.href_for(uid))
            except (LorsyncError, *_OF_ONE_RESOURCE) as error:
                # A later “doctor --probe” finds it by its name.
                log.warning("%s is left in %s: %s", uid, calendar.address, error)


@dataclass(kw_only=True)
class _Copying:
    """The copying of ``bodies`` from one calendar to another; ``found`` is what the old one holds.

    ``touched`` are those of which the old one has more than lorsync wrote. ``written`` were not in
    the new calendar before, ``there`` is what was.
    """

    old: ProbeCalendar | None
    new: ProbeCalendar
    bodies: Mapping[Uid, bytes]
    found: Mapping[Uid, Resource]
    touched: frozenset[Uid]
    trial: _Trial | None
    written: list[Uid] = field(default_factory=list)
    there: frozenset[Href] = frozenset()

    @property
    def takes(self) -> bool:
        """Whether each event is taken out of the old calendar as it comes to the new one."""
        return self.trial is not None and self.trial.takes

    @property
    def left(self) -> tuple[tuple[str, str, str | None], ...]:
        """What is to be removed from the old calendar, the memory last."""
        copied = () if self.takes else self.found.items()
        order = sorted(copied, key=lambda each: is_memory(each[0]))
        return tuple((uid, there.href, there.etag) for uid, there in order)

    def write(self, *, before_taking: Callable[[], None]) -> None:
        """Write all bodies; ``before_taking`` is called before any leaves the old calendar.

        Raises a LorsyncError, or what concerns one resource.
        """
        self.there = frozenset(self.new.listing(None).entries)
        if self.trial is not None:
            self.trial.copy()
        if self.takes:
            before_taking()
        self._renew()
        for uid, body in self.bodies.items():
            href = self.new.href_for(uid)
            if href in self.there:
                continue  # From a move that was stopped.
            self.written.append(uid)
            if self.takes and uid in self.found:
                _take(self.old, self.found[uid].href, self.new, href)
            else:
                self.new.create(href, body)

    def read_back(self) -> bool:
        """Tell whether the two calendars are two for certain, everything being in the new one.

        Raises UnavailableError where something is not, and what concerns one resource.
        """
        hrefs = [self.new.href_for(uid) for uid in self.bodies]
        two, back = (False, self.new.fetch(hrefs)) if self.trial is None else self.trial.end(hrefs)
        lacking = [href for href in hrefs if href not in back]
        if lacking and (two or self.trial is None):
            msg = f"{len(lacking)} of {len(self.bodies)} were taken and are not there."
            raise UnavailableError(msg)
        return two

    def undo(self) -> bool:
        """Take away again what was written; tell whether nothing is left of it.

        Not where that could be the old calendar itself.
        """
        if not self.written:
            return self._is_alone()
        try:
            return (self.trial is None or self.trial.end()[0]) and self._undone()
        except (LorsyncError, *_OF_ONE_RESOURCE) as error:
            log.warning("What was written to %s is left there: %s", self.new.address, error)
            return False

    def _renew(self) -> None:
        """Bring a copy that a move has left to what the person made of the event since.

        Any other stays as it is: the person may have been there, and what is merely old
        in it the next pass writes.
        """
        copied = {
            href: resource.body
            for uid, resource in self.found.items()
            if uid in self.touched and (href := self.new.href_for(uid)) in self.there
        }
        held = self.new.fetch(list(copied)) if copied else {}
        for href, resource in held.items():
            if resource.body != copied[href]:
                self.new.update(href, copied[href], resource.etag)

    def _undone(self) -> bool:
        hrefs = {self.new.href_for(uid): uid for uid in self.written}
        there, old = self.new.fetch(list(hrefs)), self.old
        if old is None or not self.takes:
            return _delete(self.new, there.values()) == 0 and self._is_alone()
        for href, uid in hrefs.items():
            if href in there and uid in self.found:
                _take(self.new, href, old, self.found[uid].href)
        # What a MOVE has lost is in neither.
        sources = {each.href: each.body for uid, each in self.found.items() if uid in self.written}
        for href in sources.keys() - old.fetch(list(sources)).keys():
            old.create(href, sources[href])
        return self._is_alone()

    def _is_alone(self) -> bool:
        """Tell whether no copy was there before, which is not taken away."""
        return not any(self.new.href_for(uid) in self.there for uid in self.bodies)


def _take(source: ProbeCalendar | None, href: Href, target: ProbeCalendar, to: Href) -> None:
    """Let a resource change its calendar. Raises what concerns one resource."""
    if source is None or not isinstance(target, Relocating):
        raise WriteRefusedError("the server keeps a UID in one calendar of an account only.")
    target.take_from(source, href, to)


def _old_calendar(
    former: CalendarSettings, address: str | None, state: Path, stack: ExitStack
) -> tuple[ProbeCalendar | None, str]:
    """Open the old calendar; where that is impossible any more, the ledger has to do."""
    try:
        return stack.enter_context(opened_calendar(former, state, remembered=address)), ""
    except LorsyncError as error:
        return None, str(error)


def _bodies(
    ledger: Ledger, old: ProbeCalendar | None
) -> tuple[dict[Uid, bytes], Mapping[Uid, Resource]]:
    """Return what is to be written, by UID, and what the old calendar holds of it."""
    standing = {uid: e for uid, e in ledger.entries().items() if e.state not in AWAY}
    bodies = {uid: body for uid, e in standing.items() if (body := _last_seen(e)) is not None}
    memory = recalled(ledger)
    if memory is not None and memory.body is not None and not memory.gone:
        bodies[memory.uid] = memory.body
    if old is None:
        return bodies, {}
    # Some stand under a name that a client gave them (S11).
    hrefs = {uid: Href(entry.href) for uid, entry in standing.items()}
    uids = {hrefs.get(uid) or old.href_for(uid): uid for uid in bodies}
    fetched = old.fetch(list(uids)) if uids else {}
    found = {uids[href]: resource for href, resource in fetched.items()}
    # What the person did since the last pass counts; what they deleted since is not moved.
    gone = bodies.keys() - found.keys() if found else frozenset[Uid]()
    now = {uid: body for uid, body in bodies.items() if uid not in gone}
    return now | {uid: resource.body for uid, resource in found.items()}, found


def _without(uids: Collection[Uid], found: Mapping[Uid, _Found]) -> dict[Uid, _Found]:
    return {uid: each for uid, each in found.items() if uid not in uids}


def _touched(ledger: Ledger, found: Mapping[Uid, Resource]) -> frozenset[Uid]:
    """Return what of these a person has changed, now or before; the memory is among them."""
    entries = ledger.entries()
    return frozenset(
        uid
        for uid, resource in found.items()
        if (entry := entries.get(uid)) is None or entry.changed or resource.body != entry.echo
    )


def _last_seen(entry: Entry) -> bytes | None:
    return entry.echo or entry.sent


def _commit(ledger: Ledger, account: CalendarSettings, new: ProbeCalendar, done: _Move) -> None:
    """Let the ledger belong to the new calendar, as one step (I7)."""
    moved = [replace(e, href=new.href_for(e.uid), etag=None) for e in ledger.entries().values()]
    state = replace(unlisted(placed(state_of(ledger), account, new)), unfinished_move=asdict(done))
    known = recalled(ledger)
    if known is not None:
        state = remembered(state, replace(known, etag=None))
    ledger.save(moved, memos=changes(ledger, state))


def _remove(ledger: Ledger, old: ProbeCalendar, new: ProbeCalendar) -> int:
    """Take out of the old calendar what is in the new one; return how many are left there."""
    begun = _begun(ledger)
    left = () if begun is None else begun.left
    back = new.fetch([new.href_for(Uid(uid)) for uid, _, _ in left]) if left else {}
    copied = [
        Resource(href=Href(href), etag=None if etag is None else ETag(etag), body=b"")
        for uid, href, etag in left
        if new.href_for(Uid(uid)) in back
    ]
    if not honoured_by(old, ledger).deletion and copied:
        # The person may have changed one since, and the server would not look (S22).
        there = old.fetch([each.href for each in copied])
        copied = [e for e in copied if e.href in there and there[e.href].etag == e.etag]
    return len(left) - len(copied) + _delete(old, copied)


def _delete(calendar: ProbeCalendar, resources: Iterable[Resource]) -> int:
    """Delete these resources as they were seen; return how many are left."""
    left = 0
    for resource in resources:
        try:
            if resource.etag is None:
                left += 1
                continue
            calendar.delete(resource.href, resource.etag)
        except ResourceGoneError:
            continue
        except (PreconditionFailedError, WriteRefusedError, LorsyncError):
            left += 1  # Said in the report: the move itself is done.
    return left


def _begun(ledger: Ledger) -> _Move | None:
    kept = state_of(ledger).unfinished_move
    if kept is None:
        return None
    left, throwaways = tuple(map(tuple, kept["left"])), tuple(kept["throwaways"])
    return _Move(**dict(kept) | {"left": left, "throwaways": throwaways})


def _begin(ledger: Ledger, account: CalendarSettings, new: ProbeCalendar) -> _Move:
    """Return the move to an account as it was begun before, else as it begins."""
    before = _begun(ledger)
    if before is not None and before.account == account_key(account):
        return replace(before, to=new.address)
    return _Move(account=account_key(account), to=new.address)


def _end(ledger: Ledger, former: CalendarSettings, account: CalendarSettings, kept: int) -> None:
    """Remember that a move is over, and whether the old account still has copies."""
    copied = _copied(ledger) - {account_key(account)}
    copied |= {account_key(former)} if kept else frozenset()
    keep(ledger, replace(state_of(ledger), unfinished_move=None, copies_left_in=copied))


def _copied(ledger: Ledger) -> frozenset[str]:
    """Return the keys of the accounts in which copies are known to be left."""
    return state_of(ledger).copies_left_in


def _remember(ledger: Ledger, begun: _Move | None) -> None:
    """Remember how far a move has come, None for its end."""
    move = None if begun is None else asdict(begun)
    keep(ledger, replace(state_of(ledger), unfinished_move=move))


def _told(
    number: int, left: int, former: CalendarSettings, new: ProbeCalendar, why: str
) -> tuple[PlanWarning, ...]:
    where = former.url or former.path or former.provider
    message = f"{number} events, the memory among them, were moved from {where} to {new.address}."
    if why:
        message += (
            f" The old calendar could not be opened ({why}), so what you changed there since the "
            "last pass is not known, and its events are still there: delete that calendar yourself."
        )
    elif left:
        message += f" {left} of them could not be removed from the old one: delete them there."
    return (PlanWarning(code="moved", subject="calendar", message=message),)


def _invited_warning(ledger: Ledger, invited: Collection[Uid]) -> tuple[PlanWarning, ...]:
    """Name the events with guests, which stay where they are and are the person's (S10)."""
    entries = ledger.entries()
    listed = sorted((entries[uid] for uid in invited), key=lambda e: (e.day, e.uid))
    if not listed:
        return ()
    names = ", ".join(f"“{excerpt(entry.summary)}” on {entry.day}" for entry in listed)
    message = (
        f"With guests, and so left in the old calendar: {names}. A server may mail them each "
        "change. Move such an event yourself, and it goes on here; until then it counts as moved "
        "away by you."
    )
    return (PlanWarning(code="guests-left", subject="calendar", message=message),)
