"""The table of providers is whole, and the documentation shows the same."""

import re

import pytest

from lorsync.config.schema import CalendarTable, keys
from lorsync.core import providers
from lorsync.core.providers import PROVIDERS, SignIn, how_to_sign_in
from lorsync.core.settings import CalendarSettings, Provider
from tests import ROOT
from tests.emulators.worlds import EMULATED


def test_every_provider_has_a_row() -> None:
    assert set(PROVIDERS) == set(Provider)


def test_documentation_shows_the_table() -> None:
    text = (ROOT / "docs" / "providers.md").read_text("utf-8")
    assert text.endswith(providers.table()), (
        "docs/providers.md ends with what `python -m lorsync.core.providers` prints"
    )


def test_documentation_tells_of_each_emulation_and_of_no_other() -> None:
    emulated = {p for p, known in PROVIDERS.items() if known.tried_on == "an emulation only"}
    assert emulated == set(EMULATED)
    text = (ROOT / "docs" / "providers.md").read_text("utf-8")
    told = set(re.findall(r"^### (.+)$", text, re.MULTILINE)) - {"Any network"}
    assert told == {PROVIDERS[provider].title for provider in emulated}


def test_documentation_names_tests_that_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "providers.md").read_text("utf-8")))
    files = (ROOT / "tests").rglob("test_*.py")
    there = {
        name for file in files for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    assert len(named) > 20
    assert named <= there


@pytest.mark.parametrize("provider", Provider)
def test_rows_are_whole(provider: Provider) -> None:
    known = PROVIDERS[provider]
    assert set(known.needs) <= set(keys(CalendarTable))
    assert (known.app_page is not None) == (known.sign_in is SignIn.APP_PASSWORD)
    assert known.address is None or known.address.startswith("https://")
    assert known.connections >= 1
    said = how_to_sign_in(CalendarSettings(provider=provider))
    assert known.app_page is None or known.app_page in said
