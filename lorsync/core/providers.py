"""What is known of each provider before its server is asked: one table for code and readers.

What a server really does is learned from its answers; this is where to start.
``python -m lorsync.core.providers`` prints the table of docs/providers.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lorsync.core.settings import CalendarSettings, Provider


class SignIn(StrEnum):
    """How a provider lets a program in."""

    NONE = "nothing"
    PASSWORD = "password"  # noqa: S105 -- the word for it, and no password
    APP_PASSWORD = "app password"  # noqa: S105
    OAUTH = "login in the browser"


class Backend(StrEnum):
    """Where the events are kept."""

    LOCAL = "a server on this machine, which lorsync runs"
    FOLDER = "a folder of .ics files"
    SERVER = "a CalDAV server"


class Guard(StrEnum):
    """A precondition that protects what the person did (RFC 9110 section 13.1)."""

    CREATE = "If-None-Match: *"
    CHANGE = "If-Match"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What to expect of one provider.

    ``backend``: where the events are kept; ``any_server``: it is whatever server the config names,
    which may be found by the login alone and may need none.
    ``address``: where discovery starts without ``calendar.url``; ``below``: where it starts in the
    folder that ``calendar.url`` names, which is often the web page's; ``principal``: what follows
    ``address`` for one ``{username}``. ``needs``: the keys of ``[calendar]`` that it cannot do
    without. ``app_page``: where its app passwords are made, ``app_looks``: what one looks like.
    ``guards``: the preconditions that it honours. ``page``: how many events one answer of a listing
    holds; None for all. ``budget``: how many requests a minute lorsync sends one account at most,
    to stay ahead of refusals; None where there is no reason for a limit.
    ``connections``: how many writes may be under way at once. ``keeps_deleted_uids``: whether it
    refuses the UID of a deleted event with a bare 409. ``refuses``: what it does not take,
    in words. ``tried_on``: what lorsync was tried on.
    """

    title: str
    backend: Backend = Backend.SERVER
    any_server: bool = False
    address: str | None = None
    below: str | None = None
    principal: str | None = None
    needs: tuple[str, ...] = ()
    sign_in: SignIn
    app_page: str | None = None
    app_looks: str | None = None
    makes_calendars: bool = True
    guards: frozenset[Guard] = frozenset(Guard)
    page: int | None = None
    budget: int | None = None
    connections: int = 8
    keeps_deleted_uids: bool = False
    refuses: tuple[str, ...] = ()
    tried_on: str


_EMULATION: Final = "an emulation only"

PROVIDERS: Final[Mapping[Provider, Traits]] = MappingProxyType(
    {
        Provider.LOCAL: Traits(
            title="This machine",
            backend=Backend.LOCAL,
            sign_in=SignIn.NONE,
            tried_on="itself",
        ),
        Provider.CALDAV: Traits(
            title="CalDAV",
            any_server=True,
            needs=("url", "username"),
            sign_in=SignIn.PASSWORD,
            tried_on="Radicale, Xandikos",
        ),
        Provider.ICLOUD: Traits(
            title="iCloud",
            address="https://caldav.icloud.com/",
            needs=("username",),
            sign_in=SignIn.APP_PASSWORD,
            app_page="https://account.apple.com/ (Sign-In and Security, App-Specific Passwords)",
            app_looks="xxxx-xxxx-xxxx-xxxx",
            # It refuses the hurried, at a pace that it does not tell: a first sync's has to do.
            budget=400,
            connections=4,
            refuses=("a UID that stands in another calendar", "METHOD", "events without DTEND"),
            tried_on=_EMULATION,
        ),
        Provider.GOOGLE: Traits(
            title="Google",
            address="https://apidata.googleusercontent.com/caldav/v2/",
            # Google documents this as the principal's address.
            principal="{username}/user",
            sign_in=SignIn.OAUTH,
            makes_calendars=False,
            guards=frozenset({Guard.CHANGE}),
            page=230,
            # Of 600 a minute and user, which its page on quotas allows.
            budget=540,
            keeps_deleted_uids=True,
            refuses=("new calendars", "tasks", "the UID of a deleted event"),
            tried_on=_EMULATION,
        ),
        Provider.FASTMAIL: Traits(
            title="Fastmail",
            address="https://caldav.fastmail.com/",
            needs=("username",),
            sign_in=SignIn.APP_PASSWORD,
            app_page=(
                "https://app.fastmail.com/ (Settings, Privacy & Security, Manage app passwords)"
            ),
            refuses=("a UID that stands in another calendar",),
            tried_on=_EMULATION,
        ),
        Provider.NEXTCLOUD: Traits(
            title="Nextcloud",
            below="remote.php/dav/",
            needs=("url", "username"),
            sign_in=SignIn.APP_PASSWORD,
            app_page="your Nextcloud's settings (Security, Devices & sessions)",
            refuses=(
                "the UID of an event in its trash bin",
                "more than ten new calendars an hour",
            ),
            tried_on=_EMULATION,
        ),
        Provider.FOLDER: Traits(
            title="A folder",
            backend=Backend.FOLDER,
            needs=("path",),
            sign_in=SignIn.NONE,
            tried_on="itself",
        ),
    }
)
"""Every provider, in the order in which the documentation shows them."""


IN_A_LINE: Final[Mapping[Provider, str]] = MappingProxyType(
    {
        Provider.LOCAL: "a calendar on this machine, to try it out; no phone sees it",
        Provider.CALDAV: "another CalDAV server, such as your university's",
        Provider.ICLOUD: "Apple's calendar, on iPhone and Mac",
        Provider.GOOGLE: "Google Calendar; it wants ten minutes of preparation, once",
        Provider.FASTMAIL: "Fastmail's calendar",
        Provider.NEXTCLOUD: "the calendar of your Nextcloud",
        Provider.FOLDER: "a folder of .ics files, as khal and vdirsyncer read it",
    }
)
"""What each provider is, for somebody who chooses one."""


def traits(account: CalendarSettings) -> Traits:
    """Return what is known of the account's provider."""
    return PROVIDERS[account.provider]


def how_to_sign_in(account: CalendarSettings) -> str:
    """Say which secret the provider takes and where to get it, as a sentence or two."""
    known = traits(account)
    match known.sign_in:
        case SignIn.APP_PASSWORD:
            looks = f" ({known.app_looks})" if known.app_looks else ""
            return (
                f"{known.title} takes an app password{looks}, not the password of your account: "
                f"make one at {known.app_page}."
            )
        case SignIn.OAUTH:
            return (
                f"{known.title} takes a login in the browser and no password, with a client of "
                "your own in a project that has the CalDAV API enabled (docs/google.md)."
            )
        case _:
            return (
                "Some servers take an app password, made in their settings, and not the one of "
                "your account."
            )


def table() -> str:
    """Write the table of docs/providers.md."""
    head = (
        "| `provider` | starts at | sign in | needs | guards it honours | events per answer "
        "| requests a minute | writes at once | refuses | tried on |"
    )
    rows = [_row(provider, known) for provider, known in PROVIDERS.items()]
    return "\n".join([head, "|---" * head.count(" |") + "|", *rows]) + "\n"


def _row(provider: Provider, known: Traits) -> str:
    cells = [
        f"`{provider}`",
        known.address or (f"`url` {known.below or ''}".strip() if "url" in known.needs else "–"),
        known.sign_in,
        ", ".join(f"`{name}`" for name in known.needs) or "–",
        ", ".join(f"`{guard}`" for guard in Guard if guard in known.guards),
        "all" if known.page is None else f"about {known.page}",
        "any number" if known.budget is None else f"{known.budget}",
        f"{known.connections}",
        "; ".join(known.refuses) or "–",
        known.tried_on,
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(table(), end="")
