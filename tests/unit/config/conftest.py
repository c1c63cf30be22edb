"""Write a config, and load it or read the problems that are reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lorsync.config import load
from lorsync.core.errors import ConfigError
from lorsync.core.settings import Settings

Refused = Callable[[str | bytes], str]
Loaded = Callable[[str | bytes], Settings]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Load a config with this content."""

    def load_text(content: str | bytes) -> Settings:
        path = tmp_path / "config.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(path)

    return load_text


@pytest.fixture
def refused(loaded: Loaded) -> Refused:
    """Load a config that is refused, and get the report."""

    def report(content: str | bytes) -> str:
        with pytest.raises(ConfigError) as caught:
            loaded(content)
        assert caught.value.exit_code == 78
        return str(caught.value)

    return report
