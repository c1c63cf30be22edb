"""Look over the account: the login, the server, its clock, and the calendar in it."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from lorsync.adapters.connect import survey_of
from lorsync.adapters.credentials import Source, account, backend, password_for, source, stored
from lorsync.core.errors import CredentialsError, LoginRefusedError, LorsyncError
from lorsync.core.ports import Collection, Sharing, Survey
from lorsync.core.providers import Backend, SignIn, traits
from lorsync.core.settings import CalendarSettings, Settings
from lorsync.doctor.findings import Finding, finding
from lorsync.sync.account import account_key
from lorsync.sync.backoff import PutOff, disagreement

_NOTABLY_APART: Final = timedelta(minutes=2)


def look_at_secret(settings: CalendarSettings) -> tuple[bool, list[Finding]]:
    """Tell where the login comes from and whether it can be had; the first value says so, too."""
    if traits(settings).sign_in is SignIn.NONE:
        return True, [finding("secret-none-needed", f"[calendar] provider is {settings.provider}.")]
    origin = source(settings)
    if origin is Source.KEYRING:
        return _in_keyring(settings)
    try:
        password_for(settings)
    except CredentialsError as error:
        return False, [finding("secret-missing", str(error))]
    return True, [finding("secret-found", f"It comes from {origin}.")]


def _in_keyring(settings: CalendarSettings) -> tuple[bool, list[Finding]]:
    try:
        kept = stored(settings)
    except CredentialsError as error:
        return False, [finding("keyring-unusable", str(error))]
    usable, name = finding("keyring-fine", f"It is {backend()}."), account(settings)
    if not kept:
        missing = f"The keyring has no login for {name}: run “lorsync login”."
        return False, [usable, finding("secret-missing", missing)]
    return True, [usable, finding("secret-found", f"It comes from {Source.KEYRING}, as “{name}”.")]


def resting(settings: Settings, put_off: PutOff | None, now: datetime) -> list[Finding]:
    """Say that nothing may be sent to the account now, where that is so; ``now`` is aware."""
    if put_off is None or not put_off.holds(account_key(settings.calendar), now):
        return []
    zone = settings.season.applicant.timezone
    return [finding("account-resting", put_off.message(zone))]


def look_at_account(settings: CalendarSettings, state: Path) -> tuple[Survey | None, list[Finding]]:
    """Ask the server who and what is there; None where there is no answer to build on.

    Raises BusyError where it asks to be left alone.
    """
    try:
        survey = survey_of(settings, state)
    except LoginRefusedError as error:
        return None, [finding("account-refused", str(error))]
    return survey, [finding("account-found", _described(survey, settings))]


def unreachable(error: LorsyncError) -> Finding:
    """Say that the account cannot be looked at, and why."""
    return finding("account-unreachable", str(error))


def look_at_clock(survey: Survey, settings: Settings, now: datetime) -> list[Finding]:
    """Hold this machine's clock against the server's (S21); ``now`` is aware."""
    stated = survey.stated_time
    if traits(settings.calendar).backend is Backend.LOCAL:
        return []  # The same clock.
    if stated is None:
        return [finding("clock-unknown", "The server sends no Date.")]
    apart = disagreement(stated, now, settings.season.applicant.timezone)
    if apart is not None:
        return [finding("clock-wrong", apart)]
    seconds = round(abs(stated - now) / timedelta(seconds=1))
    if timedelta(seconds=seconds) >= _NOTABLY_APART:
        return [finding("clock-slow-or-fast", f"The two are {seconds // 60} minutes apart.")]
    return [
        finding(
            "clock-right",
            f"The two are {'1 second' if seconds == 1 else f'{seconds} seconds'} apart.",
        )
    ]


def look_at_calendar(
    survey: Survey, settings: CalendarSettings, remembered: str | None
) -> tuple[Collection | None, list[Finding]]:
    """Find the calendar that the config means, and tell whether lorsync may write there.

    ``remembered`` is its address in the ledger, which goes before its name (S19). The first value
    is None where nothing can be written.
    """
    from lorsync.adapters.caldav.selection import at_address, meant

    listed = survey.collections
    chosen = meant(listed, settings) if remembered is None else at_address(listed, remembered)
    if not chosen and remembered is not None:
        return None, [finding("calendar-gone", f"{remembered} is not among your calendars.")]
    if not chosen:
        made = traits(settings).makes_calendars
        code = "calendar-to-be-made" if made else "calendar-yours-to-make"
        return None, [finding(code, f"There is no calendar called “{settings.name}”.")]
    if len(chosen) > 1:
        return None, [finding("calendar-twice", f"{len(chosen)} are called “{settings.name}”.")]
    found = finding("calendar-found", f"“{chosen[0].name or settings.name}” at {chosen[0].address}")
    usable, access = _access(chosen[0], settings)
    return (chosen[0] if usable else None), [found, *access]


def _access(found: Collection, settings: CalendarSettings) -> tuple[bool, Sequence[Finding]]:
    """Tell whether the calendar may be written, by its privileges and by who sees it."""
    called = f"“{found.name or settings.name}”"
    if not found.writable:
        return False, [finding("calendar-read-only", f"{called} is read-only for you.")]
    writable = finding("calendar-writable", f"You may write to {called}.")
    if found.sharing is Sharing.OWN:
        return True, [writable]
    owner = f" (it is {found.owner}'s)" if found.sharing is Sharing.WITH_YOU and found.owner else ""
    said = f"{called} is {found.sharing}{owner}."
    if settings.shared:
        return True, [writable, finding("calendar-shared", said)]
    return False, [writable, finding("calendar-shared-unasked", said)]


def _described(survey: Survey, settings: CalendarSettings) -> str:
    """Say what discovery found, step by step."""
    number = len(survey.collections)
    calendars = "1 calendar" if number == 1 else f"{number} calendars"
    who = f"You are {', '.join(survey.principals)} there; " if survey.principals else ""
    where = f" below {', '.join(survey.homes)}" if survey.homes else ""
    return f"{traits(settings).title} answers. {who}{calendars}{where}."


def look_at_folder(
    settings: CalendarSettings, remembered: str | None
) -> tuple[str | None, list[Finding]]:
    """Tell whether the folder of events can be used; return its address where it can."""
    found = [finding("account-folder", f"{settings.path}")]
    path = None if settings.path is None else Path(settings.path)
    if path is None or not path.is_dir():
        if remembered is not None:
            return None, [*found, finding("calendar-gone", f"{path} has vanished.")]
        return None, [*found, finding("calendar-to-be-made", f"{path} is not there.")]
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return None, [*found, finding("calendar-read-only", f"You may not write to {path}.")]
    from lorsync.adapters.folder import address_of

    return address_of(path), [*found, finding("calendar-writable", f"You may write to {path}.")]
