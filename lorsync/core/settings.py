"""What a config says beside the season: where the calendar is and how often to look."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from lorsync.core.model import EventStyle, Season


class Provider(StrEnum):
    """Where the calendar is kept."""

    LOCAL = "local"
    CALDAV = "caldav"
    ICLOUD = "icloud"
    GOOGLE = "google"
    FASTMAIL = "fastmail"
    NEXTCLOUD = "nextcloud"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
    """``[calendar]``: the account and the collection.

    ``password_command`` is an argument list, run without a shell. ``color`` is ``#RRGGBB``.
    ``path`` is for the provider ``folder``. ``shared`` is the person's yes to a calendar that
    others see too. ``ca_file`` holds the certificate authorities that are trusted instead of the
    machine's; ``allow_http`` is the person's yes to a way in clear to another machine.
    ``keyring_only``: the secret is in the keyring or nowhere, whatever the service was given.
    """

    provider: Provider = Provider.LOCAL
    url: str | None = None
    username: str | None = None
    password_command: tuple[str, ...] | None = None
    name: str = "Letters of recommendation"
    shared: bool = False
    color: str | None = None
    path: str | None = None
    ca_file: str | None = None
    allow_http: bool = False
    keyring_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionLimit:
    """How many deletions a pass may do unasked: a share of the live events, and a count (S18)."""

    share: float = 0.3
    count: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSettings:
    """``[sync]``: how often a pass runs, and when it asks first."""

    every: timedelta = timedelta(minutes=15)
    deletion_limit: DeletionLimit = DeletionLimit()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """``[metrics]``: the file of numbers that Prometheus' node exporter reads."""

    textfile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PingSettings:
    """``[ping]``: the address that hears of each pass, and raises the alarm when it does not.

    With ``failures`` a failed pass is told there too, under ``/fail``.
    """

    url: str | None = None
    failures: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """``[notifications]``: what the desktop is told, each once per occasion."""

    login: bool = True
    config: bool = True
    short_notice: bool = True
    today: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineZone:
    """The time zone that this machine is set to, and where that was read; "" where nothing says it.

    ``others`` are the places that say another zone, each with what it says.
    """

    zone: ZoneInfo
    source: str
    others: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole config, checked.

    ``source`` is the file that it was read from, ``digest`` the SHA-256 of what it held then.
    ``machine`` is what gave the applicant's zone, None where the config names it. ``changed`` is
    when the file was last written (aware), None where that is not known; two that differ in it
    alone say the same.
    """

    source: str
    digest: str = ""
    changed: datetime | None = field(default=None, compare=False)
    season: Season
    machine: MachineZone | None = None
    calendar: CalendarSettings
    sync: SyncSettings
    style: EventStyle
    metrics: MetricsSettings = MetricsSettings()
    ping: PingSettings = PingSettings()
    notifications: NotificationSettings = NotificationSettings()
