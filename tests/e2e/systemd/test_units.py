"""The unit files keep what OPERATIONS promises: hardened, and accepted by systemd itself."""

import os
import re
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests import ROOT
from tests.e2e.command.test_service_command import of_ours

UNITS = ROOT / "systemd"
USER, SYSTEM = UNITS / "lorsync.service", UNITS / "lorsync@.service"
ONCE, TIMER = UNITS / "lorsync-once@.service", UNITS / "lorsync-once@.timer"
SERVICES = pytest.mark.parametrize("unit", [USER, SYSTEM, ONCE], ids=["user", "system", "once"])
DAEMONS = pytest.mark.parametrize("unit", [USER, SYSTEM], ids=["user", "system"])

HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "PrivateDevices": "yes",
    "DevicePolicy": "closed",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "KeyringMode": "private",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
    "UMask": "0077",
    "LimitCORE": "0",
}

needs_systemd = pytest.mark.needs("systemd-analyze")


@SERVICES
def test_units_are_hardened(unit):
    settings = _settings(unit)
    assert {key: settings.get(key) for key in HARDENED} == {
        key: [value] for key, value in HARDENED.items()
    }
    assert settings["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


@DAEMONS
def test_units_run_the_daemon_hear_it_and_reload_it_by_hup(unit):
    settings = _settings(unit)
    (command,) = settings["ExecStart"]
    program, *arguments = command.split()
    assert program.endswith("/bin/lorsync")
    assert arguments[-1] == "run"
    assert settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert settings["Type"] == ["notify"]
    assert settings["NotifyAccess"] == ["main"]
    assert settings["WatchdogSec"] == ["10min"]
    # That is also after 75, with which the daemon makes room for an upgraded one.
    assert settings["Restart"] == ["on-failure"]
    without_restart = {USER: "78", SYSTEM: "78 243"}
    assert settings["RestartPreventExitStatus"] == [without_restart[unit]]


def test_user_unit_may_write_to_the_state_folder_alone():
    settings = _settings(USER)
    (command,) = settings["ExecStart"]
    (writable,) = settings["ReadWritePaths"]
    assert f"--state-dir {writable} " in command
    assert settings["ProtectHome"] == ["read-only"]
    # In a user unit of systemd 252 these are in ~/.config, or fail.
    assert not {"StateDirectory", "ProtectKernelLogs"} & settings.keys()
    assert settings["WantedBy"] == ["default.target"]


@pytest.mark.parametrize("unit", [SYSTEM, ONCE], ids=["system", "once"])
def test_system_unit_has_a_user_and_a_password_of_its_own(unit):
    settings = _settings(unit)
    assert settings["DynamicUser"] == ["yes"]
    assert settings["User"] == ["lorsync-%i"]
    assert settings["StateDirectory"] == ["lorsync/%i"]
    assert settings["StateDirectoryMode"] == ["0700"]
    # Where there is no /etc/lorsync, systemd would make one that belongs to the service's user.
    assert "ConfigurationDirectory" not in settings
    assert settings["ProtectHome"] == ["yes"]
    # The name of a file in a credstore, and no path: where there is none, the service starts.
    assert settings["LoadCredentialEncrypted"] == ["lorsync-password:lorsync-%i"]


def test_the_timer_can_stand_beside_the_daemon_to_which_it_leaves_the_state_folder():
    assert _settings(SYSTEM)["WantedBy"] == ["multi-user.target"]
    timer, once = _settings(TIMER), _settings(ONCE)
    assert timer["WantedBy"] == ["timers.target"]
    assert not {"Conflicts"} & (timer.keys() | once.keys())
    for shared in ("User", "StateDirectory"):
        assert once[shared] == _settings(SYSTEM)[shared]
    # It would follow StandardOutput=null.
    assert once["StandardError"] == ["journal"]
    assert "WantedBy" not in once
    assert once["Type"] == ["oneshot"]
    (command,) = once["ExecStart"]
    assert command.endswith(" sync --unattended")


def test_timer_runs_a_pass_as_often_as_the_daemon_would():
    timer = _settings(TIMER)
    assert timer["OnCalendar"] == ["*:0/15"]  # [sync] every has the same default
    assert timer["Persistent"] == timer["FixedRandomDelay"] == ["yes"]


@pytest.mark.parametrize("unit", [USER, SYSTEM, ONCE, TIMER], ids=lambda path: path.name)
def test_a_unit_of_the_package_is_the_one_in_systemd(unit):
    """Who has installed lorsync without its repository copies it from there."""
    packaged = resources.files("lorsync") / "units" / unit.name
    assert packaged.read_text() == unit.read_text()


@needs_systemd
@pytest.mark.parametrize(
    ("unit", "scope", "tenths"),
    [(USER, ["--user"], 20), (SYSTEM, [], 12), (ONCE, [], 12)],
    ids=["user", "system", "once"],
)
def test_exposure_is_low(unit, scope, tenths, tmp_path):
    done = _analyze(
        ["security", "--offline=true", *scope, f"--threshold={tenths}", str(unit)], tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_systemd
@pytest.mark.parametrize(
    ("units", "scope"),
    [([USER], ["--user"]), ([SYSTEM, ONCE, TIMER], [])],
    ids=["user", "system"],
)
def test_systemd_accepts_the_units(units, scope, tmp_path):
    copies = []
    for unit in units:
        # The program is installed neither in this home nor in /opt, which is all that would be
        # wrong; a timer is checked with what it starts.
        text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", unit.read_text())
        copies.append(tmp_path / unit.name.replace("@", "@maya"))
        copies[-1].write_text(text)
    done = _analyze(["verify", "--man=no", *scope, *map(str, copies)], tmp_path)
    assert (done.returncode, of_ours(done.stdout + done.stderr)) == (0, "")


def _analyze(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _settings(unit: Path) -> dict[str, list[str]]:
    """Return a unit's settings; a key may come more than once."""
    settings: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings
