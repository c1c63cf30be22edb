"""Fewer requests a minute than a provider refuses, over passes and restarts, and no slower."""

import pytest

from lorsync.adapters.caldav.rate_limit import RateLimiter
from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.providers import PROVIDERS
from lorsync.sync.runner import record_of
from tests.e2e.trust.conftest import NAME, Victim, honest, message


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def spent(limiter: RateLimiter) -> int:
    """Spend all there is, and return how many that were."""
    for number in range(1000):
        if limiter.spend() is not None:
            return number
    raise AssertionError


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_all_may_be_spent_at_once_and_again_a_minute_later(clock: Clock) -> None:
    limiter = RateLimiter(5, clock=clock)
    assert spent(limiter) == 5
    assert limiter.spend() == 60
    clock.seconds += 59
    assert limiter.spend() == 1
    clock.seconds += 1
    assert spent(limiter) == 5


def test_no_minute_ever_has_more(clock: Clock) -> None:
    limiter, sent = RateLimiter(5, clock=clock), []
    for _ in range(400):
        clock.seconds += 0.9
        if limiter.spend() is None:
            sent.append(clock.seconds)
    assert len(sent) > 20
    for first in sent:
        assert len([each for each in sent if first <= each < first + 59]) <= 5


def test_it_is_counted_over_a_restart_and_after_a_kill(clock: Clock) -> None:
    first = RateLimiter(5, clock=clock)
    killed = first.dumped_as_spent()
    first.spend()
    first.spend()
    ended = first.dumped()
    clock.seconds += 10
    assert spent(RateLimiter(5, clock=clock, kept=ended)) == 3
    assert spent(RateLimiter(5, clock=clock, kept=killed)) == 0
    clock.seconds += 50
    assert spent(RateLimiter(5, clock=clock, kept=ended)) == 5
    assert spent(RateLimiter(5, clock=clock, kept=killed)) == 5


def test_a_clock_that_is_set_back_holds_nothing_up(clock: Clock) -> None:
    limiter = RateLimiter(5, clock=clock)
    spent(limiter)
    clock.seconds -= 7200
    assert spent(limiter) == 5


def test_without_a_limit_nothing_is_held_up(clock: Clock) -> None:
    limiter = RateLimiter(None, clock=clock)
    assert all(limiter.spend() is None for _ in range(1000))


def test_a_first_sync_of_300_events_goes_through_in_one_pass_everywhere() -> None:
    discovery, memory, looks = 4, 1, 4
    for known in PROVIDERS.values():
        assert known.budget is None or known.budget >= 300 + discovery + memory + looks


def time_passes(victim: Victim) -> None:
    ledger = SqliteLedger(victim.home / "state")
    ledger.remember({"put_off": None, "requests_sent": None})
    ledger.close()


def test_a_pass_ends_ahead_of_the_refusal_and_the_next_ones_go_on(newcomer: Victim) -> None:
    newcomer.budget = 7
    text = message(newcomer.meets(honest(newcomer.account)), 75)
    assert "takes only so many requests a minute" in text
    assert "Nothing is sent there before" in text
    assert len(newcomer.villain.asked) == 7
    rest = record_of(newcomer.home / "state").put_off
    assert rest is not None
    assert rest.times == 0  # it was no refusal
    # Whatever is asked for meanwhile, nothing is sent.
    assert message(newcomer.does("sync"), 75) == text
    assert newcomer.villain.asked == []
    for _ in range(10):
        time_passes(newcomer)
        done = newcomer.does("sync")
        assert len(newcomer.villain.asked) <= 7
        if not done.code:
            break
    assert done.code == 0, done.err
    assert len(newcomer.account.calendar(NAME).events) > 4
    newcomer.budget = None
    newcomer.is_fine()


def test_without_the_put_off_what_was_sent_still_counts(victim: Victim) -> None:
    victim.budget = 2
    rightly = honest(victim.account)
    assert victim.meets(rightly).code == 0
    assert victim.meets(rightly).code == 0
    assert "only so many requests" in message(victim.meets(rightly), 75)
    assert victim.villain.asked == []


def test_a_glance_counts_as_what_it_is_a_request(victim: Victim) -> None:
    victim.budget = 3
    rightly = honest(victim.account)
    for _ in range(3):
        assert victim.meets(rightly).code == 0
        assert len(victim.villain.asked) == 1
    assert "only so many requests" in message(victim.meets(rightly), 75)
    assert victim.villain.asked == []
