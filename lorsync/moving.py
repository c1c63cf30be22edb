"""Move all events to another account, or none (S19)."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lorsync.accounts import collection_of, former_account, remember_account
from lorsync.allowance import Allowance
from lorsync.core.entry import AWAY, Entry
from lorsync.core.model import PlanWarning, Uid
from lorsync.errors import LorsyncError, UnavailableError
from lorsync.listings import NO_LISTING
from lorsync.opening import opened_calendar
from lorsync.ports import (
    Calendar,
    Href,
    Ledger,
    PreconditionFailedError,
    Resource,
    ResourceGoneError,
    WriteRefusedError,
)
from lorsync.recalling import recalled, remember
from lorsync.settings import CalendarSettings


def move(
    account: CalendarSettings, state: Path, ledger: Ledger, *, allowance: Allowance | None = None
) -> tuple[PlanWarning, ...]:
    """Write every event into the new account's calendar, then take them out of the old one.

    What the person made of an event goes with it. Where the new calendar does not take all of
    them, those that were written are removed again, and the ledger stays with the old one. A move
    that was killed is finished by the next. Raises a LorsyncError where nothing was moved.
    ``allowance`` counts the requests to the new account.
    """
    former = former_account(ledger, account)
    with ExitStack() as stack:
        new = stack.enter_context(
            opened_calendar(account, state, remembered=None, allowance=allowance)
        )
        old, why = _old_calendar(former, state, ledger, stack)
        bodies, found = _bodies(ledger, old)
        _write_all(new, bodies)
        moved = [
            replace(entry, href=new.href_for(entry.uid), etag=None)
            for entry in ledger.entries().values()
        ]
        ledger.save(moved)
        known = recalled(ledger)
        if known is not None:
            remember(ledger, replace(known, etag=None))
        remember_account(ledger, account, new)
        ledger.remember(NO_LISTING)
        left = _remove(old, found) if old is not None else len(bodies)
        return _told(len(bodies), left, former, new, why)


def _old_calendar(
    former: CalendarSettings, state: Path, ledger: Ledger, stack: ExitStack
) -> tuple[Calendar | None, str]:
    """Open the old calendar; where that is impossible any more, the ledger has to do."""
    try:
        remembered = collection_of(ledger)
        return stack.enter_context(opened_calendar(former, state, remembered=remembered)), ""
    except LorsyncError as error:
        return None, str(error)


def _bodies(
    ledger: Ledger, old: Calendar | None
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


def _last_seen(entry: Entry) -> bytes | None:
    return entry.echo or entry.sent


def _write_all(new: Calendar, bodies: Mapping[Uid, bytes]) -> None:
    """Write all bodies into a calendar, or none of them. Raises a LorsyncError."""
    written: list[Uid] = []
    try:
        for uid, body in bodies.items():
            try:
                new.create(new.href_for(uid), body)
                written.append(uid)
            except PreconditionFailedError:
                pass  # There already, from a move that was killed.
    except (LorsyncError, WriteRefusedError) as error:
        there = new.fetch([new.href_for(uid) for uid in written]) if written else {}
        _remove(new, {uid: r for uid in written if (r := there.get(new.href_for(uid)))})
        msg = f"{new.address} does not take all events, so none was moved: {error}"
        raise UnavailableError(msg) from None


def _remove(calendar: Calendar, found: Mapping[Uid, Resource]) -> int:
    """Delete these resources as they were seen; return how many are left."""
    left = 0
    for resource in found.values():
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


def _told(
    number: int, left: int, former: CalendarSettings, new: Calendar, why: str
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
