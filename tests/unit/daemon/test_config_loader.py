"""The daemon's reading of its config, of which a file may never come to its end."""

import os
import threading
from pathlib import Path

import pytest

from lorsync.core.errors import ConfigError, TryAgainError
from lorsync.daemon import config_loader
from lorsync.daemon.config_loader import ConfigLoader
from tests.servers.starting import wait_until

GOOD = """
[applicant]
name = "Sam Reyes"

[calendar]
provider = "folder"
path = "events"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""


def reads_under_way() -> int:
    return len([1 for thread in threading.enumerate() if thread.name == "lorsync-config"])


def test_each_problem_of_the_config_reaches_who_asked(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(GOOD.replace("2099-01-15", '"soon"'))
    loader = ConfigLoader(config)
    with pytest.raises(ConfigError, match="a date is needed"):
        loader.load()
    config.write_text(GOOD)
    loaded = loader.load()
    assert loaded.settings.source == str(config)
    assert loaded.file.size == len(GOOD)


def test_a_read_that_hangs_is_left_alone_and_no_other_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_loader, "LIMIT_SECONDS", 0.05)
    config = tmp_path / "config.toml"
    os.mkfifo(config)  # read for five seconds, in which nobody writes to it
    loader = ConfigLoader(config)
    for _ in range(3):
        with pytest.raises(TryAgainError, match=r"not answered for 0\.05 seconds"):
            loader.load()
        assert reads_under_way() == 1
    config.unlink()
    config.write_text(GOOD)
    wait_until(lambda: reads_under_way() == 0)
    monkeypatch.setattr(config_loader, "LIMIT_SECONDS", 60.0)
    # What the hanging read found at last is of a file that may be another by now.
    assert loader.load().settings.source == str(config)
