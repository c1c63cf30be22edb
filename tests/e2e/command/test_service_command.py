"""``lorsync service``: what it puts in place, what it runs, and what it leaves to the person.

systemctl, loginctl and launchctl are small programs here that keep what they were told, as the real
ones would.
"""

import json
import plistlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lorsync.adapters.service import Launch, Launchd, Systemd
from lorsync.cli.root import cli
from tests.e2e.command.running import COMMAND, User, plain

CONFIG = """
[applicant]
name = "Sam Reyes"

[calendar]
provider = "folder"
path = "../home/my events"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""

SYSTEMCTL = """#!/bin/sh
echo "systemctl $*" >> "$FAKE/ran"
case "$*" in
--version) echo "systemd $(cat "$FAKE/version") (test)" ;;
"--user show-environment")
    [ ! -e "$FAKE/dead" ] || { echo "Failed to connect to bus: No medium found" >&2; exit 1; } ;;
"--user daemon-reload") ;;
"--user enable --now lorsync.service")
    [ -e "$FAKE/broken" ] && { echo "Job for lorsync.service failed." >&2; exit 1; }
    touch "$FAKE/active" ;;
"--user restart lorsync.service" | "--user reset-failed lorsync.service") ;;
"--user disable --now lorsync.service") rm -f "$FAKE/active" ;;
"--user show lorsync.service "*)
    if [ -e "$FAKE/active" ]; then
        printf 'ActiveState=active\\nSubState=running\\nMainPID=4711\\nUnitFileState=enabled\\n'
    elif [ -e "$FAKE/broken" ]; then
        printf 'ActiveState=failed\\nSubState=failed\\nMainPID=0\\nResult=exit-code\\n'
    else
        printf 'ActiveState=inactive\\nSubState=dead\\nMainPID=0\\nResult=success\\n'
    fi ;;
*) echo "Unknown command: $*" >&2; exit 64 ;;
esac
"""

LOGINCTL = """#!/bin/sh
echo "loginctl $*" >> "$FAKE/ran"
echo no
"""

LAUNCHCTL = """#!/bin/sh
echo "launchctl $*" >> "$FAKE/ran"
case "$1" in
print) [ -e "$FAKE/loaded" ] || { echo "Could not find service" >&2; exit 113; }
    printf 'gui/501/lorsync = {\\n\\tstate = running\\n\\n\\tpid = 4711\\n}\\n' ;;
bootstrap) [ -e "$FAKE/loaded" ] && { echo "Bootstrap failed: 5" >&2; exit 5; }
    touch "$FAKE/loaded" ;;
bootout) rm "$FAKE/loaded" ;;
enable) ;;
kickstart) [ -e "$FAKE/loaded" ] || { echo "Could not find service" >&2; exit 113; } ;;
*) exit 64 ;;
esac
"""

AS_ROOT = "--as-root"


def of_ours(told: str) -> str:
    """Return what systemd says, without the units of GnuPG: their sockets need a short home."""
    return "".join(line for line in told.splitlines(keepends=True) if "gpg-agent" not in line)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A folder on PATH with the managers' commands, and what they were told."""
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "version").write_text("252")
    for name, text in (
        ("systemctl", SYSTEMCTL),
        ("loginctl", LOGINCTL),
        ("launchctl", LAUNCHCTL),
    ):
        program = folder / name
        program.write_text(text)
        program.chmod(0o755)
    return folder


@pytest.fixture
def person(user: User, fake: Path) -> User:
    (user.home / "con fig.toml").write_text(CONFIG)
    user.environment |= {"PATH": f"{fake}:/usr/bin:/bin", "FAKE": str(fake)}
    return user


def does(person: User, *arguments: str) -> subprocess.CompletedProcess[str]:
    return person.types("service", *arguments, config=person.home / "con fig.toml")


def ran(fake: Path) -> list[str]:
    """What the commands were told that changes something, since this was last asked."""
    file = fake / "ran"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    asking = (" show", " --version", " print")
    return [line for line in lines if not any(word in line for word in asking)]


def unit_of(person: User) -> Path:
    return person.home / ".config/systemd/user/lorsync.service"


def test_install_again_edit_and_uninstall(person: User, fake: Path) -> None:
    done = does(person, "install", AS_ROOT)
    assert done.returncode == 0, done.stderr
    unit = unit_of(person)
    assert f"Wrote {unit}" in done.stdout
    assert "Ran: systemctl --user enable --now lorsync.service" in done.stdout
    assert "active (running)" in done.stdout
    assert "loginctl enable-linger" in done.stdout
    assert f"lorsync -c '{person.home}/con fig.toml' service uninstall" in done.stdout
    assert ran(fake) == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now lorsync.service",
    ]

    again = does(person, "install", AS_ROOT)
    assert f"{unit} is as it should be." in again.stdout
    # The unit is the same, and lorsync may be another: what runs is replaced.
    assert ran(fake) == [
        "systemctl --user enable --now lorsync.service",
        "systemctl --user restart lorsync.service",
    ]

    edited = unit.read_text().replace("MemoryMax=512M", "MemoryMax=1G")
    unit.write_text(edited)
    for what in ("install", "uninstall"):
        more = [AS_ROOT] if what == "install" else []
        assert "--force" in plain(does(person, what, *more), 64)
        assert unit.read_text() == edited
        assert ran(fake) == []
    assert json.loads(does(person, "status", "--json").stdout)["edited"] is True
    forced = does(person, "install", AS_ROOT, "--force")
    assert "lorsync.service.before" in forced.stdout
    assert unit.with_name("lorsync.service.before").read_text() == edited
    assert "MemoryMax=512M" in unit.read_text()
    assert "systemctl --user restart lorsync.service" in ran(fake)

    gone = does(person, "uninstall")
    assert gone.returncode == 0, gone.stderr
    assert not unit.exists()
    assert ran(fake)[0] == "systemctl --user disable --now lorsync.service"
    assert "There is no service" in does(person, "uninstall").stdout


def test_status_of_the_service_says_by_its_exit_code_whether_it_runs(
    person: User, fake: Path
) -> None:
    absent = does(person, "status")
    assert absent.returncode == 2
    assert "service install" in absent.stdout
    (fake / "broken").touch()
    assert "Job for lorsync.service failed" in plain(does(person, "install", AS_ROOT), 69)
    assert does(person, "status").returncode == 1
    (fake / "broken").unlink()
    does(person, "install", AS_ROOT)
    running = does(person, "status", "--json")
    assert running.returncode == 0
    told = json.loads(running.stdout)
    assert told["installed"] is told["running"] is told["enabled"] is True
    assert (told["pid"], told["edited"], told["outlives_login"]) == (4711, False, False)


def test_where_no_systemd_runs_nothing_is_written_and_what_to_do_is_said(
    person: User, fake: Path
) -> None:
    (fake / "dead").touch()
    assert "cron" in plain(does(person, "install", AS_ROOT), 69)
    (fake / "systemctl").unlink()
    person.environment["PATH"] = str(fake)
    assert "no systemd" in plain(does(person, "install", AS_ROOT), 69)
    assert not unit_of(person).exists()
    # Nobody is sent to what there is not.
    for words, code in ((("service", "status"), 2), (("status",), 2)):
        told = person.types(*words, config=person.home / "con fig.toml")
        assert (told.returncode, told.stderr) == (code, "")
        assert "lorsync run" in told.stdout
        assert "service install" not in told.stdout


def test_a_broken_config_is_not_installed(person: User, fake: Path) -> None:
    (person.home / "con fig.toml").write_text("[applicant")
    plain(does(person, "install", AS_ROOT), 78)
    assert not unit_of(person).exists()
    assert ran(fake) == []


@pytest.mark.root
def test_root_is_asked_and_told_whose_service_it_would_be(
    fake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SUDO_USER", "sam")
    result = CliRunner().invoke(cli, ["service", "install"])
    assert "root" in str(result.exception)
    assert "sam's" in str(result.exception)


@pytest.mark.parametrize(("version", "kind"), [("252", "notify"), ("257", "notify-reload")])
def test_the_unit_has_the_real_paths(person: User, fake: Path, version: str, kind: str) -> None:
    (fake / "version").write_text(version)
    does(person, "install", AS_ROOT)
    text = unit_of(person).read_text()
    config, state = f'"{person.home}/con fig.toml"', person.state
    assert f"\nExecStart={COMMAND} --config {config} --state-dir {state} run\n" in text
    assert f'\nReadWritePaths={state} "-{person.home}/my events"\n' in text
    assert f"\nType={kind}\n" in text
    assert ("\nExecReload=" in text) == (kind == "notify")


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize(("version", "kind"), [("252", "notify"), ("257", "notify-reload")])
def test_systemd_takes_the_unit_that_is_made_for_its_version(
    person: User, fake: Path, version: str, kind: str
) -> None:
    (fake / "version").write_text(version)
    does(person, "install", AS_ROOT)

    def analyzed(*arguments: str) -> str:
        done = subprocess.run(
            ["systemd-analyze", *arguments],
            env=person.environ() | {"XDG_RUNTIME_DIR": str(person.home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return of_ours(done.stdout + done.stderr)

    here = int(analyzed("--version").split()[1])
    told = analyzed("--user", "verify", "--man=no", str(unit_of(person)))
    if kind == "notify" or here >= 253:
        assert told == ""
    else:
        (complaint,) = told.splitlines()
        assert complaint.endswith("Failed to parse service type, ignoring: notify-reload")


def test_odd_paths_are_quoted_as_systemd_reads_them(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE", str(fake))
    odd = Path('/home/sam/50% of "my" $HOME')
    launch = Launch(program=("/opt/lorsync",), config=odd, state=Path("/home/sam/state"))
    text = Systemd().text(launch)
    assert '"/home/sam/50%% of \\"my\\" $$HOME"' in text
    assert "\nPrivateTmp=yes\n" in text
    temporary = Launch(program=("/opt/lorsync",), config=odd, state=Path("/tmp/state"))  # noqa: S108 -- named, not used
    assert "\nPrivateTmp=no\n" in Systemd().text(temporary)


def test_a_launch_agent_on_macos(person: User, fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command in this process, which is told that it is on macOS."""
    for name, value in person.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(sys, "argv", [str(COMMAND)])
    config = person.home / "con fig.toml"
    options = ["-c", str(config), "--state-dir", str(person.state), "service"]

    def typed(*arguments: str) -> str:
        result = CliRunner().invoke(cli, [*options, *arguments], catch_exceptions=False)
        return result.output

    agent = person.home / "Library/LaunchAgents/lorsync.plist"
    service = Launchd()._service
    assert f"Wrote {agent}" in typed("install", AS_ROOT)
    assert ran(fake) == [
        f"launchctl enable {service}",
        f"launchctl bootstrap {service.rpartition('/')[0]} {agent}",
    ]
    with agent.open("rb") as file:
        told = plistlib.load(file)
    assert told["ProgramArguments"] == [
        str(COMMAND), "--config", str(config), "--state-dir", str(person.state), "run",
    ]  # fmt: skip
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["RunAtLoad"] is True
    assert "is as it should be" in typed("install", AS_ROOT)
    assert ran(fake) == [
        f"launchctl enable {service}",
        f"launchctl kickstart -k {service}",
    ]
    assert json.loads(typed("status", "--json"))["pid"] == 4711
    agent.write_text(agent.read_text().replace("Background", "Interactive"))
    with pytest.raises(Exception, match="--force"):
        typed("uninstall")
    assert "Removed" in typed("uninstall", "--force")
    assert f"launchctl bootout {service}" in ran(fake)
    assert not agent.exists()
