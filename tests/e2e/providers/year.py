"""A year with a calendar at Google: a pass a day, trouble, and somebody who edits now and then.

The season's onlooker (``tests.stateful.observer``) holds the calendar against the invariants after
each pass, whole or cut short. Days come from a faked clock, which the server's ``Date``, the tokens
and the ETags follow; each pass is the one that the installed command runs.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from random import Random

from lorsync.adapters.google import Login, tokens_for
from lorsync.core.errors import LoginRefusedError, LorsyncError, PutOffError
from lorsync.core.model import Kind
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.sync.engine import Options
from lorsync.sync.report import Report
from lorsync.sync.runner import pass_once
from tests.emulators.google import CALENDARS, CLIENT_ID, CLIENT_SECRET, USERNAME, Google
from tests.emulators.internet import Internet
from tests.emulators.weather import Weather
from tests.emulators.worlds import PersonsCalendar
from tests.stateful.config_changes import FACTS, LETTERS, MENTORS
from tests.stateful.machine import Season
from tests.stateful.observer import identity_of, mentor_of
from tests.stateful.scenario import Device
from tests.unit.sync.desk import DUE, START, ZONE, Desk

NAME = "Letters"
_WEEK = 7 * 24 * 3600.0
_TICKS = ("✓ {}", "DONE: {}", "{} ✓")


@dataclass(kw_only=True)
class DailyDesk(Desk):
    """A desk whose passes are those of the installed command, on an account at Google."""

    account: CalendarSettings
    now: datetime

    def sync(self, *_: object, **options: object) -> Report:
        """Run one pass now."""
        settings = replace(self.settings, calendar=self.account)
        chosen = replace(Options(), **options)
        return pass_once(settings, self.folder, now=self.now.astimezone(UTC), options=chosen)


@dataclass(kw_only=True)
class Tally:
    """What a year came to."""

    passes: int = 0
    ended: Counter[str] = field(default_factory=Counter)  # by how a pass ended
    trouble: Counter[str] = field(default_factory=Counter)  # what struck a pass
    acts: Counter[str] = field(default_factory=Counter)
    logins: int = 0
    requests: int = 0
    quiet: list[int] = field(default_factory=list)  # requests of passes with nothing to do


class Year(Season):
    """One applicant's year; ``seed`` decides everything that happens in it."""

    def __init__(self, internet: Internet, *, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311 -- not for secrets
        self.google = Google(internet)
        self.google.testing, self.google.clock = _WEEK, self._seconds
        self.google.account.clock = self.google.clock
        self.google.make(NAME)
        internet.clock = lambda: self.now.astimezone(UTC)
        self.weather = Weather(google=self.google, answer=internet.app(CALENDARS))
        internet.host(CALENDARS, self.weather)
        self.tally = Tally()
        self.logs_in_at: datetime | None = None  # when the person does so, where they have to
        self.says_yes = False
        super().__init__()
        self.calendar = PersonsCalendar(self.google.account, NAME)
        self.now = datetime.combine(START, time(6), ZONE)  # the season begins at nine
        self.devices = [self._device("one")]

    def _device(self, name: str) -> Device:
        secret = self.folder / "login"
        account = CalendarSettings(
            provider=Provider.GOOGLE,
            username=USERNAME,
            name=NAME,
            password_command=("cat", str(secret)),
        )
        return Device(
            desk=DailyDesk(
                folder=self.folder / name,
                settings=self.config.settings,
                account=account,
                now=self.now,
                calendar=self.calendar,
            )
        )

    def _seconds(self) -> float:
        return self.now.timestamp()

    def close(self) -> None:
        self.teardown()

    def log_in(self) -> None:
        """Let the person log in, which gives lorsync another refresh token."""
        login = Login(
            client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=self.google.lets_in()
        )
        (self.folder / "login").write_text(login.to_line())
        self.logs_in_at = None
        self.tally.logins += 1

    # A day

    def lives(self, days: int) -> Tally:
        """Live through so many days, and then a fine one on which everything has to be right."""
        self.log_in()
        for _ in range(days):
            self._day()
        self.weather.clears()
        self.log_in()
        self.says_yes = True
        for _ in range(3):  # what is put off, what waits for a yes, and a look at all of it
            self.now += timedelta(hours=25)
            self.seen.look(self.calendar.bodies, self.today)
            assert self._passes() is not None
        report = self._passes()
        assert report is not None
        assert not report.wrote
        assert report.requests == 1
        return self.tally

    def _day(self) -> None:
        outage = self.chance.random() < 0.01
        for _ in range(self.chance.randint(2, 5) if outage else 1):
            self.weather.down = outage
            self._morning()
        self.weather.down = False

    def _morning(self) -> None:
        if self.logs_in_at is not None and self.now >= self.logs_in_at:
            self.log_in()
        if self.chance.random() < 0.3:
            tokens_for.cache_clear()  # the machine was started anew
        if not self.weather.down:
            self.weather.changes(self.chance)
        self._passes()
        self.weather.asked = 0
        if self.chance.random() < 0.3:
            self.now += timedelta(hours=self.chance.randint(1, 12))
            self._act()
        tomorrow = self.now.date() + timedelta(days=1)
        self.now = datetime.combine(tomorrow, time(6, self.chance.randint(0, 59)), ZONE)
        self.seen.look(self.calendar.bodies, self.today)

    def _passes(self) -> Report | None:
        """Run a pass, and where the account is put off, another one when that is over."""
        report = self._pass()
        for _ in range(3):
            until = self.put_off_until
            if report is not None or until is None:
                return report
            self.weather.asked += 1
            self.now = until.astimezone(ZONE) + timedelta(minutes=1)
            self.seen.look(self.calendar.bodies, self.today)
            report = self._pass()
        return report

    def _pass(self) -> Report | None:
        it = self.devices[0]
        assert isinstance(it.desk, DailyDesk)
        it.desk.now = self.now
        before, asked, struck = self._begin(it), self.weather.asked, self.weather.struck
        self.put_off_until: datetime | None = None
        report, ended = None, "whole"
        self.tally.passes += 1
        try:
            report = it.desk.sync(accept_deletions=self.says_yes)
        except LorsyncError as error:
            ended = type(error).__name__
            it.torn = True
            if isinstance(error, PutOffError):
                self.put_off_until = error.until
            if isinstance(error, LoginRefusedError) and self.logs_in_at is None:
                self.logs_in_at = self.now + timedelta(days=self.chance.randint(0, 3))
        if report is None:
            self._end(it, before)
        else:
            self._hold_done(it, before, report)
            self.says_yes = bool(report.held)
        self._count(ended, report, self.weather.asked - asked, self.weather.struck - struck)
        return report

    def _count(self, ended: str, report: Report | None, requests: int, struck: int) -> None:
        tally = self.tally
        tally.ended[ended] += 1
        tally.requests += requests
        if struck:
            tally.trouble[self.weather.kind or ""] += 1
        elif self.weather.down:
            tally.trouble["outage"] += 1
        elif report is not None and not report.wrote:
            tally.quiet.append(requests)

    # The person

    def _act(self) -> None:
        chance = self.chance
        number = chance.randint(0, 40)
        letter, mentor = chance.choice(sorted(LETTERS)), chance.choice(MENTORS)
        ahead = (self.today - DUE).days + chance.randint(40, 150)
        acts = {
            "drag": lambda: self.drag(number, chance.randint(-9, 9), chance.randint(1, 2)),
            "make timed": lambda: self.make_timed(number, chance.randint(8, 20), 0),
            "retitle": lambda: self.retitle(number),
            "tick": lambda: self.tick(number, chance.choice(_TICKS)),
            "untick": lambda: self.untick(number),
            "annotate": lambda: self.annotate(number, before=chance.random() < 0.5),
            "write inside": lambda: self.write_inside(number, damage=chance.random() < 0.2),
            "give a place": lambda: self.give_a_place(number),
            "change alarms": lambda: self.change_alarms(number, [chance.randint(1, 59)]),
            "delete": lambda: self.delete(number),
            "bring back": lambda: self.bring_back(number),
            "copy": lambda: self.the_person_copies(number),
            "dentist": self.a_stranger_comes,
            "letter": lambda: self.a_letter_comes_or_goes(letter, ahead),
            "due date": lambda: self.a_due_date_moves(letter, ahead),
            "fact": lambda: self.a_fact_is_stated_or_withdrawn(letter, chance.choice(FACTS), 0),
            "followed up": lambda: self.a_follow_up_is_stated(letter, 0),
            "away": lambda: self.a_mentor_is_away(mentor, chance.randint(0, 30), 7),
        }
        name = chance.choice(sorted(acts))
        acts[name]()
        self.tally.acts[name] += 1

    def follow_ups(self) -> dict[str, int]:
        """Return how many follow-ups of each mentor were made or dismissed, or are ahead."""
        live = self.seen.live(self.calendar.bodies, self.today)
        ahead = {h for h in live if identity_of(h).kind is Kind.FOLLOW_UP}
        return dict(Counter(mentor_of(h) for h in ahead | self.seen.made | self.seen.dismissed))
