"""Hold the rules between keys of one table, and between the tables that stand once."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from lorsync.config import Regions, references
from lorsync.config.account import is_in_clear, is_mail_address, may_need_no_login
from lorsync.config.checking import Draft
from lorsync.config.problems import KeyPath, Problem, one_of
from lorsync.config.values import as_date
from lorsync.core.model import Policy
from lorsync.providers import PROVIDERS
from lorsync.settings import Provider

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
        *references.broken(draft),
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
    if calendar.table.provider is not Provider.CALDAV:
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
