"""The unit files keep what OPERATIONS promises: hardened, and accepted by systemd itself."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parent.parent / "systemd"
USER, SYSTEM = UNITS / "lorsync.service", UNITS / "lorsync@.service"

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
    "Restart": "on-failure",
    "RestartPreventExitStatus": "77 78",
}

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.mark.parametrize("unit", [USER, SYSTEM], ids=["user", "system"])
def test_units_are_hardened(unit):
    settings = _settings(unit)
    assert {key: settings.get(key) for key in HARDENED} == {
        key: [value] for key, value in HARDENED.items()
    }
    assert settings["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


@pytest.mark.parametrize("unit", [USER, SYSTEM], ids=["user", "system"])
def test_units_run_the_daemon_and_reload_it_by_hup(unit):
    settings = _settings(unit)
    (command,) = settings["ExecStart"]
    program, *arguments = command.split()
    assert program.endswith("/bin/lorsync")
    assert arguments[-1] == "run"
    assert settings["ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_user_unit_may_write_to_the_state_folder_alone():
    settings = _settings(USER)
    (command,) = settings["ExecStart"]
    (writable,) = settings["ReadWritePaths"]
    assert f"--state-dir {writable} " in command
    assert settings["ProtectHome"] == ["read-only"]
    # In a user unit of systemd 252 these are in ~/.config, or fail.
    assert not {"StateDirectory", "ProtectKernelLogs"} & settings.keys()
    assert settings["WantedBy"] == ["default.target"]


def test_system_unit_has_a_user_and_a_password_of_its_own():
    settings = _settings(SYSTEM)
    assert settings["DynamicUser"] == ["yes"]
    assert settings["StateDirectory"] == ["lorsync/%i"]
    assert settings["StateDirectoryMode"] == ["0700"]
    assert settings["ConfigurationDirectory"] == ["lorsync"]
    assert settings["ProtectHome"] == ["yes"]
    (credential,) = settings["LoadCredentialEncrypted"]
    assert credential.startswith("lorsync-password:")
    assert settings["WantedBy"] == ["multi-user.target"]


@needs_systemd
@pytest.mark.parametrize(
    ("unit", "scope", "tenths"), [(USER, ["--user"], 20), (SYSTEM, [], 12)], ids=["user", "system"]
)
def test_exposure_is_low(unit, scope, tenths, tmp_path):
    done = _analyze(
        ["security", "--offline=true", *scope, f"--threshold={tenths}", str(unit)], tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_systemd
@pytest.mark.parametrize(("unit", "scope"), [(USER, ["--user"]), (SYSTEM, [])], ids=["user", "sys"])
def test_systemd_accepts_the_unit(unit, scope, tmp_path):
    # The program is installed neither in this home nor in /opt, which is all that would be wrong.
    text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", unit.read_text())
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = _analyze(["verify", "--man=no", *scope, str(copy)], tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def _analyze(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _settings(unit: Path) -> dict[str, list[str]]:
    """Return a unit's settings; a key may come more than once."""
    settings: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            settings.setdefault(key, []).append(value)
    return settings
