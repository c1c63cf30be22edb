"""When the next pass comes: APScheduler asks for one every so often, at a phase of the account's.

Its jobs only ask for a pass, so they cannot fail. Its clock is the wall's, in UTC.
"""

import hashlib
import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = logging.getLogger(__name__)

_JOB = "pass"
_AT_ONCE = timedelta(minutes=1)
"""Within which its thread does what has come due, on the slowest machine."""


class Scheduler:
    """Asks for a pass by calling ``ask`` from a thread of its own."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._every = timedelta(minutes=15)
        self._account = ""
        # The defaults drop a run that is a second late, as every one is after a suspend.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Begin to ask."""
        self._scheduler.start()

    def stop(self) -> None:
        """Ask no more; a question under way is not waited for."""
        self._scheduler.shutdown(wait=False)

    def follow(self, every: timedelta, account: str) -> None:
        """Ask every so often from now on, at moments that depend on the account.

        Daemons that a power cut started together do not come to their server together, whatever
        happens to them; random delays only ever add up.
        """
        self._every, self._account = every, account
        self.resume()

    def resume(self) -> None:
        """Go back to the regular moments, after a delay or when the clock was set."""
        now = datetime.now(UTC)
        self._scheduler.add_job(
            self._ask,
            IntervalTrigger(
                seconds=int(self._every.total_seconds()),
                start_date=first_moment(self._every, self._account, now),
                timezone=UTC,
            ),
            id=_JOB,
            replace_existing=True,
        )
        if self._scheduler.running:
            self._scheduler.wakeup()

    def put_off(self, until: datetime) -> None:
        """Let the next pass come then (aware), be that earlier or later than it would have."""
        try:
            self._scheduler.modify_job(_JOB, next_run_time=until)
        except JobLookupError:
            log.debug("The scheduler has been stopped.")

    def turns(self, now: datetime) -> bool:
        """Tell whether its thread lives: whether what was due before ``now`` (aware) was asked for.

        The scheduler itself says that it runs when its thread has died.
        """
        job = self._scheduler.get_job(_JOB)
        return job is None or now - job.next_run_time < _AT_ONCE

    def next_pass(self) -> datetime:
        """Return when the next pass comes, aware."""
        job = self._scheduler.get_job(_JOB)
        if job is None:  # it has been stopped
            return datetime.now(UTC) + self._every
        at: datetime = job.next_run_time
        return at


def first_moment(every: timedelta, account: str, now: datetime) -> datetime:
    """Return the account's first moment that is at least half of ``every`` after ``now`` (aware).

    A pass has just been, or is about to be.
    """
    period = int(every.total_seconds())
    phase = int.from_bytes(hashlib.sha256(account.encode()).digest()[:8], "big") % period
    earliest = now.timestamp() + period / 2
    turns = math.ceil((earliest - phase) / period)
    return datetime.fromtimestamp(phase + turns * period, UTC)
