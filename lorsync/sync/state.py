"""What the ledger remembers beside events, marks and retired UIDs: one typed state.

This module alone knows the keys under which the ledger keeps it, and the texts.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Final

from lorsync.adapters.ledger.store import STILL
from lorsync.core.facts import Mark
from lorsync.core.identity import SeasonKey
from lorsync.core.merge.entry import Entry
from lorsync.core.model import Uid
from lorsync.core.ports import ETag, Href, Ledger, LedgerReader, SyncToken

_NO_UTF8: Final = "base64:"
"""What the text of a body begins with that is no UTF-8; a text of iCalendar begins otherwise."""


@dataclass(frozen=True, slots=True)
class _Memo:
    """Under which key a field is kept, and how it is read from its text and written as one."""

    key: str
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


def _flag(key: str) -> _Memo:
    return _Memo(key, bool, lambda _: "1")


def _names(key: str) -> _Memo:
    return _Memo(key, lambda text: frozenset(json.loads(text)), lambda s: json.dumps(sorted(s)))


def _lines(key: str) -> _Memo:
    return _Memo(key, lambda text: tuple(text.splitlines()), "\n".join)


def _json(key: str) -> _Memo:
    return _Memo(key, json.loads, json.dumps)


def _body_text(body: bytes) -> str:
    """Return a body as a text, to the byte: the memory is written from it again."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _NO_UTF8 + b64encode(body).decode()


def _body_of(text: str) -> bytes:
    if text.startswith(_NO_UTF8):
        return b64decode(text.removeprefix(_NO_UTF8))
    return text.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """What a ledger remembers; a field at its default is not known, or none.

    Of the season (S6): its frozen key, whose it is (applicant and cycle, two lines), of whom nobody
    knows how often they were followed up (S4), and which ids are one and the same (S7).
    Of the account (S19): how the config spelt it, the collection's address, its name, and the
    addresses of the collections whose servers ignore, refuse or cannot name what guards a write
    (S22); the requests of the last minute by account; a move that is under way, and the accounts in
    which it left copies; the event of a probe that may be left.
    Of the listing (S16): the token, when all was listed (aware), what was written since the token.
    Of the memory (S4): which version was seen and what it says; whether it is gone, unseen, to be
    written again; the digest of the config that rules, and this ledger's name (S20).
    Of the guards (S18): among how many events which deletions wait. What the server did not take.
    Of the passes: how the last one ended, the last error, the next pass (ISO 8601), how long the
    account is put off, and the login that was refused.
    ``noop_terms``: under which terms the next pass would do nothing; each other write forgets it.
    """

    season_key: Annotated[SeasonKey | None, _Memo("season_key", SeasonKey)] = None
    season_owner: Annotated[str | None, _Memo("season_owner")] = None
    doubts: Annotated[tuple[str, ...], _lines("doubts")] = ()
    renamed: Annotated[tuple[str, ...], _lines("renamed")] = ()

    account: Annotated[str | None, _Memo("account")] = None
    collection: Annotated[str | None, _Memo("collection")] = None
    calendar_name: Annotated[str | None, _Memo("calendar_name")] = None
    ignores_preconditions: Annotated[str | None, _Memo("ignores_preconditions")] = None
    names_no_versions: Annotated[str | None, _Memo("names_no_versions")] = None
    refuses_preconditions: Annotated[str | None, _Memo("refuses_preconditions")] = None
    requests_sent: Annotated[dict[str, str] | None, _json("requests_sent")] = None
    unfinished_move: Annotated[dict[str, Any] | None, _json("unfinished_move")] = None
    copies_left_in: Annotated[frozenset[str], _names("copies_left_in")] = frozenset()
    probe_event: Annotated[str | None, _Memo("probe_scratch")] = None

    sync_token: Annotated[SyncToken | None, _Memo("sync_token", SyncToken)] = None
    listed_fully_at: Annotated[
        datetime | None, _Memo("listed_fully_at", datetime.fromisoformat, datetime.isoformat)
    ] = None
    written_since_token: Annotated[frozenset[Href], _names("written_since_token")] = frozenset()

    memory_uid: Annotated[Uid | None, _Memo("memory_uid", Uid)] = None
    memory_etag: Annotated[ETag | None, _Memo("memory_etag", ETag)] = None
    memory_body: Annotated[bytes | None, _Memo("memory_body", _body_of, _body_text)] = None
    memory_text: Annotated[str | None, _Memo("memory_text")] = None
    memory_doubted: Annotated[str | None, _Memo("memory_doubted")] = None
    memory_mending: Annotated[bool, _flag("memory_mending")] = False
    memory_gone: Annotated[bool, _flag("memory_gone")] = False
    memory_unseen: Annotated[bool, _flag("memory_unseen")] = False
    config_digest: Annotated[str | None, _Memo("config_digest")] = None
    writer: Annotated[str | None, _Memo("writer")] = None

    held_among: Annotated[int | None, _Memo("held-among", int)] = None
    held_events: Annotated[frozenset[Uid], _names("held-events")] = frozenset()
    setbacks: Annotated[str | None, _Memo("setbacks")] = None

    last_pass: Annotated[dict[str, Any] | None, _json("last_pass")] = None
    last_error: Annotated[dict[str, Any] | None, _json("last_error")] = None
    config_error: Annotated[str | None, _Memo("config_error")] = None
    next_pass: Annotated[str | None, _Memo("next_pass")] = None
    put_off: Annotated[str | None, _Memo("put_off")] = None
    login_refused: Annotated[dict[str, Any] | None, _json("login_refused")] = None

    noop_terms: Annotated[str | None, _Memo(STILL)] = None


_FIELDS: Final[tuple[tuple[Field[Any], _Memo], ...]] = tuple(
    (each, SyncState.__annotations__[each.name].__metadata__[0]) for each in fields(SyncState)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that a ledger holds, read once: what a pass begins with, as a value."""

    place: str
    known: Mapping[Uid, Entry]
    deleted: frozenset[Uid]
    said: tuple[Mark, ...]
    texts: Mapping[str, str]

    @classmethod
    def of(cls, ledger: LedgerReader) -> "Snapshot":
        """Read a ledger."""
        return cls(
            place=ledger.place,
            known=ledger.entries(),
            deleted=ledger.retired(),
            said=tuple(ledger.marks()),
            texts=ledger.memos(),
        )

    def entries(self) -> dict[Uid, Entry]:
        """Return all events that the ledger knows."""
        return dict(self.known)

    def retired(self) -> frozenset[Uid]:
        """Return the UIDs that lorsync deleted and must not use again (S8)."""
        return self.deleted

    def marks(self) -> tuple[Mark, ...]:
        """Return what was said with ``mark``, what was taken back included."""
        return self.said

    def memos(self) -> Mapping[str, str]:
        """Return all remembered texts by their keys."""
        return self.texts


def state_of(ledger: LedgerReader) -> SyncState:
    """Load what a ledger remembers."""
    memos = ledger.memos()
    return SyncState(
        **{each.name: memo.read(memos[memo.key]) for each, memo in _FIELDS if memo.key in memos}
    )


def keep(ledger: Ledger, state: SyncState, *, noop_terms: str | None = None) -> None:
    """Remember a state in place of the one that is, as one step; nothing where they are the same.

    The terms of a pass that did nothing are kept only where they are said here.
    """
    memos = changes(ledger, state)
    ledger.remember(memos if noop_terms is None else {**memos, STILL: noop_terms})


def keep_later(ledger: Ledger, state: SyncState) -> None:
    """Remember a state with whatever is written next."""
    ledger.remember_later(changes(ledger, state))


def changes(ledger: Ledger, state: SyncState) -> dict[str, str | None]:
    """Return the texts in which a state differs from what a ledger remembers; None forgets."""
    before = state_of(ledger)
    found: dict[str, str | None] = {}
    for each, memo in _FIELDS:
        value = getattr(state, each.name)
        if memo.key != STILL and value != getattr(before, each.name):
            found[memo.key] = None if value == each.default else memo.write(value)
    return found
