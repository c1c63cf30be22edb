"""What is drawn is the same in the usual run, wherever the settings of a test were made."""

from hypothesis import settings

from tests import chance
from tests.stateful.test_machine import LONG, QUICK
from tests.unit.config.test_anything import same_folder


def test_every_setting_draws_as_the_run_does() -> None:
    drawn = [settings.default, QUICK, LONG, same_folder]
    assert [each.derandomize for each in drawn] == [chance.derandomized] * len(drawn)


def test_a_seed_is_the_same_unless_one_is_given_or_the_run_is_long(monkeypatch) -> None:
    monkeypatch.delenv("LORSYNC_SOME_SEED", raising=False)
    monkeypatch.setattr(chance, "derandomized", True)
    assert chance.seed("LORSYNC_SOME_SEED") == chance.seed("LORSYNC_SOME_SEED")
    monkeypatch.setattr(chance, "derandomized", False)
    assert len({chance.seed("LORSYNC_SOME_SEED") for _ in range(10)}) > 1
    monkeypatch.setenv("LORSYNC_SOME_SEED", "17")
    assert chance.seed("LORSYNC_SOME_SEED") == 17
