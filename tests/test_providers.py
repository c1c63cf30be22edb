"""The table of providers is whole, and the documentation shows the same."""

from pathlib import Path

import pytest

from lorsync import providers
from lorsync.config.tables import CalendarTable, keys
from lorsync.providers import PROVIDERS, SignIn, how_to_sign_in
from lorsync.settings import CalendarSettings, Provider

ROOT = Path(__file__).parent.parent


def test_every_provider_has_a_row() -> None:
    assert set(PROVIDERS) == set(Provider)


def test_documentation_shows_the_table() -> None:
    text = (ROOT / "docs" / "providers.md").read_text("utf-8")
    assert text.endswith(providers.table()), (
        "docs/providers.md ends with what `python -m lorsync.providers` prints"
    )


@pytest.mark.parametrize("provider", Provider)
def test_rows_are_whole(provider: Provider) -> None:
    known = PROVIDERS[provider]
    assert set(known.needs) <= set(keys(CalendarTable))
    assert (known.app_page is not None) == (known.sign_in is SignIn.APP_PASSWORD)
    assert known.address is None or known.address.startswith("https://")
    assert known.connections >= 1
    said = how_to_sign_in(CalendarSettings(provider=provider))
    assert known.app_page is None or known.app_page in said
