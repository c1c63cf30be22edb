"""Every finding of ``lorsync doctor``: how bad it is, what it means, and what to do about it.

``python -m lorsync.doctor.findings`` prints the table of docs/doctor.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lorsync.core.display import visible


class Verdict(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Check(StrEnum):
    """What was looked at, in the order in which it is."""

    CONFIG = "config"
    ZONE = "time zone"
    STATE = "state folder"
    DAEMON = "daemon"
    SECRET = "login"  # noqa: S105 -- the word for it
    ACCOUNT = "account"
    CLOCK = "clock"
    CALENDAR = "calendar"
    PROBE = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is known of a finding beforehand; ``do`` is empty where nothing is to be done."""

    check: Check
    verdict: Verdict
    means: str
    do: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found; ``found`` is this time's, and holds no secret (I10).

    ``do`` is empty where there is nothing to do, or ``found`` says it.
    """

    code: str
    found: str
    do: str

    @property
    def check(self) -> Check:
        """What was looked at."""
        return KINDS[self.code].check

    @property
    def verdict(self) -> Verdict:
        """How it is to be taken."""
        return KINDS[self.code].verdict

    @property
    def means(self) -> str:
        """What follows from it."""
        return KINDS[self.code].means


_SAID: Final = "As the message says."
"""What is said already in what was found."""


def finding(code: str, found: str, *, do: str | None = None) -> Finding:
    """Return a finding of a known kind; ``do`` says more exactly what to do than the table.

    Servers name principals as they like, so ``found`` is made fit to be shown.
    """
    known = "" if KINDS[code].do == _SAID else KINDS[code].do
    return Finding(code=code, found=visible(found), do=known if do is None else do)


def _ok(check: Check, means: str) -> Kind:
    return Kind(check=check, verdict=Verdict.OK, means=means)


def _note(check: Check, means: str, do: str = "") -> Kind:
    return Kind(check=check, verdict=Verdict.NOTE, means=means, do=do)


def _problem(check: Check, means: str, do: str) -> Kind:
    return Kind(check=check, verdict=Verdict.PROBLEM, means=means, do=do)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "config-fine": _ok(Check.CONFIG, "The config can be used as it is."),
        "config-broken": _problem(
            Check.CONFIG,
            "Nothing is planned or synced until it is fixed; the account was not looked at.",
            "Fix each line that is named, or write a first config with “lorsync init”.",
        ),
        "config-holidays": _problem(
            Check.CONFIG,
            "Mentors there could be asked on a holiday.",
            "Write a country such as US, or a part of one such as US-NY.",
        ),
        "zone-known": _ok(Check.ZONE, "Days begin and end there."),
        "zone-doubtful": _note(
            Check.ZONE,
            "Days may begin elsewhere than where you are, and on another machine elsewhere again.",
            "Write timezone into [applicant].",
        ),
        "zone-data-missing": _problem(
            Check.ZONE,
            "This machine does not know when days begin in a place.",
            "Install tzdata: with the system's packages, or with pip.",
        ),
        "state-fine": _ok(Check.STATE, "lorsync can keep there what it remembers."),
        "state-new": _ok(Check.STATE, "The first sync makes it."),
        "state-unwritable": _problem(
            Check.STATE,
            "lorsync cannot remember what it does, so it does nothing.",
            "Give yourself the right to write there, or name another folder with --state-dir.",
        ),
        "state-full": _problem(
            Check.STATE,
            "lorsync announces every write there first, so it cannot write.",
            "Free some room on that disk.",
        ),
        "state-tight": _note(
            Check.STATE, "When it is full, lorsync stops.", "Free some room on that disk."
        ),
        "state-open": _problem(
            Check.STATE,
            "Others on this machine can read whom you ask for letters.",
            "Run “chmod -R go= FOLDER” with this folder.",
        ),
        "ledger-fine": _ok(Check.STATE, "What lorsync remembers can be read."),
        "memory-deleted": _note(
            Check.STATE,
            "A lost ledger could not be rebuilt from the calendar (S4).",
            "Run “lorsync restore memory”.",
        ),
        "ledger-unusable": _problem(
            Check.STATE,
            "lorsync does not know what it has written so far.",
            "Fix what the message names. If the file itself is damaged, move it away and run "
            "“lorsync sync”: it is rebuilt from the calendar.",
        ),
        "daemon-running": _ok(Check.DAEMON, "Your calendar is kept true by itself."),
        "daemon-off": _note(
            Check.DAEMON,
            "Nothing happens by itself: your calendar is brought up to date by “lorsync sync”.",
            "Start “lorsync run”, unless a timer runs “lorsync sync” for you.",
        ),
        "daemon-late": _problem(
            Check.DAEMON,
            "The daemon has not looked at the calendar when it meant to.",
            "Stop it and start it again; its log may say why.",
        ),
        "daemon-old-config": _problem(
            Check.DAEMON,
            "The daemon goes on with the config as it was before the last change.",
            "Fix the config: it is read again by itself.",
        ),
        "last-error": _note(
            Check.DAEMON,
            "The last pass did not come to its end; the next one goes on from there.",
            _SAID,
        ),
        "secret-none-needed": _ok(Check.SECRET, "This provider asks for no login."),
        "secret-found": _ok(Check.SECRET, "It can be had, and was not shown to anybody."),
        "secret-missing": _problem(
            Check.SECRET, "Without it the calendar cannot be reached.", _SAID
        ),
        "keyring-fine": _ok(Check.SECRET, "Your keyring can be asked."),
        "keyring-unusable": _problem(
            Check.SECRET,
            "That is where the login belongs, so the calendar cannot be reached.",
            "Unlock or set up the keyring, or name a password_command in [calendar].",
        ),
        "account-found": _ok(Check.ACCOUNT, "The server lets you in and shows your calendars."),
        "account-folder": _ok(Check.ACCOUNT, "The calendar is a folder; there is no server."),
        "account-resting": _note(
            Check.ACCOUNT,
            "The server asked to be left alone for a while, so it was not asked anything now.",
            "Wait; the daemon goes on by itself.",
        ),
        "account-moved": _problem(
            Check.ACCOUNT,
            "The events are in another account than [calendar] names now.",
            "Run “lorsync sync --move” to take them all along, or change [calendar] back.",
        ),
        "account-refused": _problem(Check.ACCOUNT, "The server does not take your login.", _SAID),
        "account-unreachable": _problem(Check.ACCOUNT, "The calendar cannot be reached.", _SAID),
        "clock-right": _ok(Check.CLOCK, "This machine and the server agree what time it is."),
        "clock-unknown": _note(
            Check.CLOCK,
            "The server does not say what time it is, so a wrong clock here is not noticed.",
        ),
        "clock-slow-or-fast": _note(
            Check.CLOCK,
            "It does no harm yet; from an hour on, nothing is written.",
            "Let this machine set its clock over the network.",
        ),
        "clock-wrong": _problem(
            Check.CLOCK,
            "One of the two has the day wrong, so nothing is written.",
            "Set this machine's clock; if it is right, wait until the server's is.",
        ),
        "calendar-found": _ok(Check.CALENDAR, "This is the one that lorsync keeps."),
        "calendar-writable": _ok(Check.CALENDAR, "lorsync may write there, as far as is said."),
        "calendar-shared": _note(
            Check.CALENDAR, "Others see what you ask of whom; your config says yes to that."
        ),
        "calendar-shared-unasked": _problem(
            Check.CALENDAR,
            "Others would see what you ask of whom, so nothing is written there.",
            "Write “shared = true” below [calendar] if you want that; else choose another name.",
        ),
        "calendar-read-only": _problem(
            Check.CALENDAR,
            "lorsync cannot write there.",
            "Choose another calendar.name, or have its owner let you write.",
        ),
        "calendar-to-be-made": _note(
            Check.CALENDAR, "It is not there yet: the first sync makes it."
        ),
        "calendar-yours-to-make": _problem(
            Check.CALENDAR,
            "It is not there, and this provider lets no program make one.",
            "Make it in the provider's web page or app.",
        ),
        "calendar-twice": _problem(
            Check.CALENDAR,
            "Nobody but you can tell which one is meant.",
            "Rename all but one, or write the right one's address into calendar.url.",
        ),
        "calendar-gone": _problem(
            Check.CALENDAR,
            "The calendar that the events are in is not in the account any more.",
            "Bring it back from the provider's trash, or start afresh with another --state-dir.",
        ),
        "probe-skipped": _note(Check.PROBE, "Nothing was tried.", "Look at what is said above."),
        "probe-broke-off": _problem(Check.PROBE, "What comes after it was not tried.", _SAID),
        "probe-left-over": _note(
            Check.PROBE, "A probe was killed before it could tidy up; its event is gone now."
        ),
        "probe-remains": _problem(
            Check.PROBE,
            "The event that was tried could not be taken away.",
            "Run this again, or delete it yourself: it stands on 2 January 2001.",
        ),
        "create-guarded": _ok(
            Check.PROBE, "What is there already is not written over (If-None-Match)."
        ),
        "create-unguarded": _note(
            Check.PROBE,
            "A new event can go over one that is there already (If-None-Match is ignored); "
            "lorsync looks once more before it creates.",
        ),
        "update-guarded": _ok(
            Check.PROBE, "What somebody changed in between is not written over (If-Match)."
        ),
        "update-unguarded": _problem(
            Check.PROBE,
            "A change that you make on the phone at the very moment of a sync can be lost "
            "(If-Match is ignored).",
            "Use another provider, or tell the server's makers (RFC 9110, section 13.1.1).",
        ),
        "update-refused": _problem(
            Check.PROBE,
            "lorsync can write events there, and cannot change them.",
            "Look for what limits the server or a proxy before it, and tell its makers.",
        ),
        "delete-guarded": _ok(
            Check.PROBE, "What somebody changed in between is not deleted (If-Match)."
        ),
        "delete-unguarded": _note(
            Check.PROBE,
            "A deletion goes through whatever was changed in between; lorsync looks once more "
            "before it deletes.",
        ),
        "etag-told": _ok(Check.PROBE, "The server says which version it has stored (ETag)."),
        "etag-untold": _note(
            Check.PROBE,
            "The server does not say at once which version it has stored; lorsync asks at the end "
            "of a pass, as it always does.",
        ),
        "etag-missing": _problem(
            Check.PROBE,
            "Without a version (a strong ETag) no change and no deletion can be guarded, so "
            "lorsync does neither.",
            "Look whether a proxy before the server rewrites it (compression does).",
        ),
        "etag-stuck": _problem(
            Check.PROBE,
            "The version (ETag) stayed the same though the event changed, so what you change may "
            "not be noticed.",
            "Tell the server's makers (RFC 9110, section 8.8.3).",
        ),
        "body-kept": _ok(Check.PROBE, "Events are stored as they are written."),
        "body-rewritten": _note(
            Check.PROBE,
            "Events are stored in other words than they are written in; lorsync compares what "
            "they mean.",
        ),
        "sync-works": _ok(
            Check.PROBE, "What has changed is told, and nothing else (sync-collection)."
        ),
        "sync-absent": _note(
            Check.PROBE, "Every look lists the whole calendar (no sync-collection)."
        ),
        "sync-misses": _note(
            Check.PROBE,
            "The report of changes leaves something out; lorsync lists everything once a day, and "
            "before it believes in a deletion.",
        ),
        "sync-stale-told": _ok(Check.PROBE, "A state that the server does not know is refused."),
        "sync-stale-untold": _note(
            Check.PROBE,
            "To a state that it does not know the server answers all the same; lorsync lists "
            "everything once a day, and after any error.",
        ),
        "fetch-works": _ok(Check.PROBE, "Several events can be read at once (multiget)."),
        "fetch-fails": _problem(
            Check.PROBE,
            "What was written cannot be read back (multiget).",
            "Look for what limits the server or a proxy before it.",
        ),
        "parts-kept": _ok(
            Check.PROBE,
            "Title, text, long lines, reminders, place, category and colour come through.",
        ),
        "parts-dropped": _note(
            Check.PROBE,
            "lorsync does without, and takes it for nobody's change; of events that you make, the "
            "same may be dropped.",
        ),
        "parts-lost": _problem(
            Check.PROBE,
            "lorsync needs these to know its events again.",
            "Use another provider, or tell the server's makers.",
        ),
        "delete-works": _ok(Check.PROBE, "What is deleted is gone; the probe's event is."),
        "delete-fails": _problem(
            Check.PROBE,
            "What lorsync takes back would stay in your calendar.",
            "Look whether you may delete there.",
        ),
    }
)
"""Every finding by its code, in the order in which the documentation shows them."""


def table() -> str:
    """Write the table of docs/doctor.md."""
    head = "| looked at | finding | | what it means | what to do |"
    rows = [
        f"| {kind.check} | `{code}` | {kind.verdict} | {kind.means} | {kind.do or '–'} |"
        for code, kind in KINDS.items()
    ]
    return "\n".join([head, "|---" * head.count(" |") + "|", *rows]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
