from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command.running import User
from tests.servers import starting


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    return User(home=home)


@pytest.fixture(params=["radicale", "xandikos"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[starting.Server]:
    """A server of each kind, new for the test."""
    start = {"radicale": starting.radicale, "xandikos": starting.xandikos}[request.param]
    folder = tmp_path / request.param
    folder.mkdir()
    with start(folder) as running:
        yield running


@pytest.fixture
def config(user: User, server: starting.Server) -> Path:
    """A config of two letters for that server."""
    path = user.home / "config.toml"
    path.write_text(config_text(server))
    return path


def config_text(
    server: starting.Server, *, due: str = "2099-09-10", zone: str = "Europe/Madrid"
) -> str:
    return f"""
[applicant]
name = "Sam Reyes"
timezone = "{zone}"

[calendar]
provider = "caldav"
url = "{server.url}"
username = "{server.username}"
password_command = ["echo", "{server.password}"]

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = {due}

[[letters]]
mentor = "Dr. Jo Lindqvist"
deadline = 2099-10-01
"""
