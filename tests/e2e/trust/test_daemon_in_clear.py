"""The daemon says once that everything goes in clear, however often it reads its config."""

import signal
from pathlib import Path

from tests.e2e.command.running import User
from tests.e2e.command.test_daemon import end, stopped
from tests.e2e.trust.conftest import NAME, Victim, honest
from tests.e2e.trust.villain import IN_CLEAR
from tests.servers.starting import wait_until


def test_the_daemon_warns_once_of_http(newcomer: Victim, tmp_path: Path) -> None:
    url = f"http://{IN_CLEAR}:443/"
    newcomer.account.home_url = f"{url}home/"
    newcomer.configure(url=url, more="allow_http = true")
    newcomer.villain.answer = honest(newcomer.account)
    user = User(home=newcomer.home, environment=dict(newcomer.villain.environment))
    running = user.starts("run", config=newcomer.config)
    try:
        wait_until(lambda: user.record.next_pass is not None)
        assert newcomer.account.calendar(NAME).events
        before = user.record.last_pass
        newcomer.configure(url=url, more='allow_http = true\ncolor = "#336699"')
        running.send_signal(signal.SIGHUP)
        wait_until(lambda: user.record.last_pass != before)
        output = stopped(running)
    finally:
        end(running)
    assert output.count("everybody on the way can read the password") == 1
    assert "The config was read again" in output
