"""Probe a server with one event of our own: which guards it keeps, what it says, what it drops.

The event is announced in the ledger before it is written, and taken away whatever happens. Where
even that was cut off, the next probe finds and removes it.
"""

import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import FrameType
from typing import Final

from lorsync.core.errors import BusyError, LorsyncError
from lorsync.core.event.probe_event import (
    NEEDED,
    is_abandoned,
    lost_parts,
    probe_body,
    probe_uid,
)
from lorsync.core.model import Uid
from lorsync.core.ports import (
    ETag,
    Href,
    Ledger,
    Listing,
    PreconditionFailedError,
    ProbeCalendar,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)
from lorsync.doctor.findings import Finding, finding
from lorsync.sync.state import keep, state_of
from lorsync.sync.write import honoured_by, remember_tried

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopping:
    """Turns what asks a process to stop into one KeyboardInterrupt, where it may interrupt.

    Use it in a ``with`` block, in the main thread. Elsewhere than in :meth:`interruptible` the wish
    is only noted, and granted at the end of the block: what was begun is tidied up first, however
    often the impatient press Ctrl-C.
    """

    def __init__(self) -> None:
        self._may_interrupt = False
        self._is_asked = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Stopping":
        for number in _STOPS:
            self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() itself gave
        if self._is_asked and kind is None:
            raise KeyboardInterrupt

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Raise KeyboardInterrupt in here when asked to stop, once."""
        if self._is_asked:
            raise KeyboardInterrupt
        self._may_interrupt = True
        try:
            yield
        finally:
            self._may_interrupt = False

    def _heard(self, _: int, __: FrameType | None) -> None:
        first, self._is_asked = not self._is_asked, True
        if first and self._may_interrupt:
            raise KeyboardInterrupt


_OF_ONE_RESOURCE: Final = (PreconditionFailedError, ResourceGoneError, WriteRefusedError)

_NO_STATE: Final = SyncToken("urn:lorsync:no-such-state")


def probe(
    bench: ProbeCalendar, ledger: Ledger, *, now: datetime, stopping: Stopping
) -> list[Finding]:
    """Try the calendar out, and return what was found; ``now`` is aware.

    The pass lock has to be held. Raises BusyError where the server asks to be left alone, and
    KeyboardInterrupt where the person stops it; the event is gone then, too.
    """
    tried = _Tried(bench=bench, now=now, uid=probe_uid(now, secrets.token_hex(4)))
    before = honoured_by(bench, ledger)
    try:
        tried.found += _sweep(bench, ledger, now)
        keep(ledger, replace(state_of(ledger), probe_event=bench.href_for(tried.uid)))
        try:
            with stopping.interruptible():
                tried.run()
        finally:
            if tried.may_be_there:
                bench.discard(bench.href_for(tried.uid))
            keep(ledger, replace(state_of(ledger), probe_event=None))
    except BusyError:
        raise
    except (LorsyncError, *_OF_ONE_RESOURCE) as error:
        # What was found until then still counts.
        left = tried.may_be_there and state_of(ledger).probe_event is not None
        tried.found.append(finding("probe-remains" if left else "probe-broke-off", str(error)))
    finally:
        remember_tried(
            before, bench, ledger, creation=tried.creation_kept, deletion=tried.deletion_kept
        )
    return tried.found


def _sweep(bench: ProbeCalendar, ledger: Ledger, now: datetime) -> list[Finding]:
    """Remove what earlier probes have left: ours by the ledger, anybody's when it is old."""
    names = {href: href.rpartition("/")[2] for href in bench.listing(None).entries}
    own = state_of(ledger).probe_event
    left = [
        href
        for href, name in names.items()
        if href == own or is_abandoned(name.removesuffix(".ics"), now)
    ]
    for href in left:
        bench.discard(href)
    keep(ledger, replace(state_of(ledger), probe_event=None))
    return [finding("probe-left-over", f"{names[href]} was taken away.") for href in left]


@dataclass(kw_only=True)
class _Tried:
    """The trial of one server, step by step; what it found so far is in ``found``.

    ``may_be_there``: whether the scratch may have been written. ``creation_kept`` and
    ``deletion_kept``: whether the guard held, None as long as nobody knows.
    """

    bench: ProbeCalendar
    now: datetime
    uid: Uid
    found: list[Finding] = field(default_factory=list)
    may_be_there: bool = False
    creation_kept: bool | None = None
    deletion_kept: bool | None = None

    def run(self) -> None:
        """Write, read, change and delete the scratch. Raises as the calendar does."""
        before = self.bench.listing(None)
        written = self._body(0)
        self._create(written)
        first = self._look(written)
        if first is None:
            return
        between = self._report(before)
        self._create_again()
        second = self._update(first)
        if second is not None:
            self._update_stale(first)
        self._delete(stale=None if second is None else first)
        self._report_deletion(between)
        self._report_stale()

    @property
    def _href(self) -> Href:
        return self.bench.href_for(self.uid)

    def _body(self, version: int) -> bytes:
        return probe_body(self.uid, self.now, version=version)

    def _say(self, code: str, found: str) -> None:
        self.found.append(finding(code, found))

    def _held(self) -> ETag | None:
        """Return the version that is there now; None where it is not there, or has none."""
        resource = self.bench.fetch([self._href]).get(self._href)
        return None if resource is None else resource.etag

    def _create(self, body: bytes) -> None:
        self.may_be_there = True
        try:
            self.bench.create(self._href, body)
        except _OF_ONE_RESOURCE:
            self.may_be_there = False
            raise

    def _look(self, written: bytes) -> ETag | None:
        """Judge what the server has made of the first write; return its version."""
        told = self.bench.told_etag
        there = self.bench.fetch([self._href]).get(self._href)
        if there is None:
            self._say("fetch-fails", "The event was written, and is not there when asked for.")
            return None
        self._say("fetch-works", "The event was read back.")
        same = there.body == written
        self._say(
            "body-kept" if same else "body-rewritten",
            "Byte for byte." if same else _difference(written, there.body),
        )
        self._judge_parts(there.body)
        self._judge_etag(told, there.etag)
        return there.etag

    def _judge_parts(self, body: bytes) -> None:
        lost = lost_parts(body)
        for code, parts in (("parts-lost", lost & NEEDED), ("parts-dropped", lost - NEEDED)):
            if parts:
                self._say(code, f"Dropped or changed: {', '.join(sorted(parts))}.")
        if not lost:
            self._say("parts-kept", "Nothing of the event was dropped.")

    def _judge_etag(self, told: str | None, held: ETag | None) -> None:
        if held is None:
            weak = "only weak ones" if told is not None else "none"
            self._say("etag-missing", f"The server gives {weak}.")
        elif told is None:
            self._say("etag-untold", "Writing was answered without an ETag.")
        elif told.startswith("W/"):
            self._say("etag-untold", "Writing was answered with a weak ETag, which guards nothing.")
        else:
            self._say("etag-told", "Writing was answered with a strong ETag.")

    def _report(self, before: Listing) -> Listing | None:
        """Ask what has changed since before the write; return it where it can be built on."""
        if before.token is None:
            self._say("sync-absent", "The server has no report of changes.")
            return None
        changes = self.bench.listing(before.token)
        if changes.complete:
            self._say("sync-misses", "It no longer knew its own state from before one write.")
            return None
        if self._href not in changes.entries:
            self._say("sync-misses", "A new event was not in it.")
            return None
        return changes

    def _report_deletion(self, between: Listing | None) -> None:
        if between is None:
            return
        changes = self.bench.listing(between.token)
        if changes.complete or self._href not in changes.removed:
            self._say("sync-misses", "A deletion was not in it.")
            return
        self._say("sync-works", "A new event and its deletion were told.")

    def _report_stale(self) -> None:
        if any(each.code == "sync-absent" for each in self.found):
            return
        if self.bench.listing(_NO_STATE).complete:
            self._say("sync-stale-told", "An invented state was not taken for one.")
        else:
            self._say("sync-stale-untold", "An invented state was answered as if it were one.")

    def _create_again(self) -> None:
        """Create what is there already, which has to fail."""
        self.creation_kept = _is_refused(lambda: self.bench.create(self._href, self._body(1)))
        if self.creation_kept:
            self._say("create-guarded", "A second event in the same place was refused.")
        else:
            self._say("create-unguarded", "A second event in the same place replaced the first.")

    def _update(self, first: ETag) -> ETag | None:
        """Change what is there, which has to succeed; return its version then."""
        current = self._held() if self.creation_kept is False else first
        if current is None:
            self._say("update-refused", "The event was gone before it could be changed.")
            return None
        try:
            self.bench.update(self._href, self._body(2), current)
        except _OF_ONE_RESOURCE as error:
            self._say("update-refused", str(error))
            return None
        held = self._held()
        if held == current:
            self._say("etag-stuck", f"{held} before and after.")
            return None
        return held

    def _update_stale(self, stale: ETag) -> None:
        """Change what is there with a version that is no longer right, which has to fail."""
        if _is_refused(lambda: self.bench.update(self._href, self._body(3), stale)):
            self._say("update-guarded", "A change of an older version was refused.")
        else:
            self._say("update-unguarded", "A change of an older version went through.")

    def _delete(self, stale: ETag | None) -> None:
        """Delete with a version that is no longer right, then with the right one."""
        if stale is not None:
            self.deletion_kept = _is_refused(lambda: self.bench.delete(self._href, stale))
            if self.deletion_kept:
                self._say("delete-guarded", "The deletion of an older version was refused.")
            else:
                self._say("delete-unguarded", "The deletion of an older version went through.")
        held = self._held()
        if held is not None:
            try:
                self.bench.delete(self._href, held)
            except _OF_ONE_RESOURCE as error:
                self._say("delete-fails", str(error))
                return
        if self._href in self.bench.fetch([self._href]):
            self._say("delete-fails", "The event was deleted, and is still there.")
        else:
            self._say("delete-works", "The event is gone.")


def _is_refused(write: Callable[[], object]) -> bool:
    """Tell whether a write that must not succeed did not."""
    try:
        write()
    except (PreconditionFailedError, WriteRefusedError):
        # Some refuse a second resource of one UID before they look at the guard.
        return True
    return False


def _difference(written: bytes, held: bytes) -> str:
    """Say in which way a server rewrites a body, as far as that is plain."""
    if sorted(_unfolded(written)) == sorted(_unfolded(held)):
        return "Its lines are ordered or folded in another way."
    missing = len(set(_unfolded(written)) - set(_unfolded(held)))
    added = len(set(_unfolded(held)) - set(_unfolded(written)))
    return f"{missing} of its lines are not as they were, {added} are new or different."


def _unfolded(body: bytes) -> list[bytes]:
    text = body.replace(b"\r\n", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    return text.strip().split(b"\n")
