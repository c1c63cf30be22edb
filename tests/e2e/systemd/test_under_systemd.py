"""The service under a real systemd as PID 1, installed as docs/service.md says.

One machine is booted for all of these (``tests/e2e/systemd/booted.py``).
"""

import re
from collections.abc import Iterator

import pytest

from tests import ROOT
from tests.docs.blocks import blocks
from tests.e2e.systemd.booted import Machine, booted
from tests.needs import libfaketime

pytestmark = [pytest.mark.root, pytest.mark.needs("systemd as PID 1"), pytest.mark.once]

PAGE = ROOT / "docs" / "service.md"

LORSYNC = "/opt/lorsync/bin/lorsync"
PASSWORD = "correct horse"
USERS = "/srv/radicale/users"

CALDAV = """
provider = "caldav"
url = "http://127.0.0.1:5232/"
username = "user"
"""

OTHER_WAYS = {
    # What stands for the fingers of the administrator, and what was done when the machine was made.
    'systemd-ask-password -n "Password:"': f"printf %s '{PASSWORD}'",
    "maya.toml /etc": "/root/maya.toml /etc",
    "python3 -m venv /opt/lorsync\n": "",
    "/opt/lorsync/bin/pip install ./dist/lorsync-*.whl\n": "",
}


def config_of(calendar: str = CALDAV, more: str = "", *, name: str = "maya") -> str:
    return f"""
[applicant]
name = "{name}"
timezone = "UTC"

[calendar]
name = "Letters of {name}"
{calendar}

{more}
[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with booted() as machine:
        machine.writes(USERS, f"user:{PASSWORD}\n")
        server = (
            "--server-hosts 127.0.0.1:5232 --auth-type htpasswd --auth-htpasswd-encryption plain "
            f"--auth-htpasswd-filename {USERS} --auth-delay 0.01 "
            "--storage-filesystem-folder /srv/radicale/storage"
        ).split()
        python = "/opt/lorsync/bin/python"
        machine.does(
            "systemd-run", "--unit=radicale", python, "-m", "radicale", "--config", "", *server
        )
        # Nobody waits for half a minute here, and there are more starts than in the worst week.
        quick = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=100ms\n"
        machine.writes("/etc/systemd/system/lorsync@.service.d/quick.conf", quick)
        machine.writes("/root/maya.toml", config_of())
        follow(machine, 0, 1, 2)
        yield machine


def steps() -> list[str]:
    """Return the blocks of the page's part on a server, as an administrator types them."""
    begins = PAGE.read_text("utf-8").splitlines().index("## A server") + 1
    ends = PAGE.read_text("utf-8").splitlines().index("## Cron") + 1
    found = [b.text for b in blocks(PAGE) if begins < b.line < ends and b.language == "sh"]
    assert len(found) == 6
    for shown, typed in OTHER_WAYS.items():
        assert sum(shown in text for text in found) == 1, shown
        found = [text.replace(shown, typed) for text in found]
    return found


def follow(machine: Machine, *numbers: int) -> str:
    """Type some of these blocks, and return what they printed."""
    return "".join(machine.does("sh", "-euxc", steps()[number]) for number in numbers)


def encrypt(
    machine: Machine, name: str, password: bytes, credential: str = "lorsync-password"
) -> None:
    machine.writes("/root/password", password)
    place = f"/etc/credstore.encrypted/lorsync-{name}"
    machine.does("systemd-creds", "encrypt", f"--name={credential}", "/root/password", place)


def state_of(machine: Machine, unit: str) -> dict[str, str]:
    return machine.shows(
        unit, "ActiveState", "SubState", "MainPID", "NRestarts", "ExecMainStatus", "StatusText"
    )


def settled(machine: Machine, unit: str, active: str) -> dict[str, str]:
    """Wait until a unit is in this state, and return all of its."""
    machine.waits(lambda: state_of(machine, unit)["ActiveState"] == active)
    return state_of(machine, unit)


def has_passed(machine: Machine, unit: str) -> None:
    """Wait until the daemon's status tells of a pass that came to its end."""
    shows(machine, unit, "Last pass")


def shows(machine: Machine, unit: str, words: str) -> None:
    """Wait until the daemon's status has these words."""
    machine.waits(lambda: words in state_of(machine, unit)["StatusText"])


def says(machine: Machine, unit: str, words: str, times: int = 1) -> None:
    """Wait until the log of a unit has these words so often."""
    machine.waits(lambda: machine.log(unit).count(words) >= times)


def status(machine: Machine, name: str) -> tuple[int, str]:
    """Return the code and the first line of `lorsync status`, as root types it."""
    done = machine.runs(
        *(LORSYNC, "-c", f"/etc/lorsync/{name}.toml"),
        *("--state-dir", f"/var/lib/private/lorsync/{name}", "status"),
    )
    return done.returncode, done.stdout.splitlines()[0]


def test_the_page_is_followed_to_a_daemon_that_keeps_the_calendar(machine: Machine) -> None:
    shown = follow(machine, 3)
    assert "Active: active (running)" in shown
    has_passed(machine, "lorsync@maya")
    says(machine, "lorsync@maya", "6 created.")
    assert status(machine, "maya")[0] == 0
    assert machine.does("systemctl", "is-enabled", "lorsync@maya").strip() == "enabled"
    # Nothing of it is wrong, and the password is nowhere.
    assert machine.log("lorsync@maya", "-p", "err") == ""
    assert PASSWORD not in machine.log("lorsync@maya", "-o", "verbose")


def test_each_applicant_has_a_user_that_cannot_touch_the_others(machine: Machine) -> None:
    victim = settled(machine, "lorsync@maya", "active")["MainPID"]
    command = (
        f'password_command = ["/bin/sh", "-c", "kill -9 {victim}; id -un >&2; echo \'{PASSWORD}\'"]'
    )
    machine.writes("/etc/lorsync/kim.toml", config_of(CALDAV + command, name="kim"))
    machine.does("systemctl", "start", "lorsync@kim")
    has_passed(machine, "lorsync@kim")
    assert settled(machine, "lorsync@maya", "active")["MainPID"] == victim
    users = {
        name: machine.does("ps", "-o", "user:32=", state_of(machine, f"lorsync@{name}")["MainPID"])
        for name in ("maya", "kim")
    }
    assert {name: user.strip() for name, user in users.items()} == {
        "maya": "lorsync-maya",
        "kim": "lorsync-kim",
    }
    machine.does("systemctl", "stop", "lorsync@kim")


def test_a_missing_credential_is_named_and_the_service_stays_down(machine: Machine) -> None:
    machine.writes("/etc/lorsync/none.toml", config_of(name="none"))
    machine.runs("systemctl", "start", "lorsync@none")
    state = settled(machine, "lorsync@none", "failed")
    assert (state["ExecMainStatus"], state["NRestarts"]) == ("78", "0")
    assert "lorsync-password is missing" in state["StatusText"]
    told = machine.log("lorsync@none", "-p", "err")
    assert "Write it to /etc/credstore.encrypted/lorsync-none" in told
    assert "then run “systemctl restart lorsync@none”." in told
    # The timer before, and nothing now: nobody says that passes come.
    code, told = status(machine, "none")
    assert (code, told) == (2, "Nothing runs lorsync: no daemon is up.")


def test_a_credential_made_for_another_name_makes_no_loop(machine: Machine) -> None:
    machine.writes("/etc/lorsync/other.toml", config_of(name="other"))
    encrypt(machine, "other", PASSWORD.encode(), credential="something-else")
    machine.runs("systemctl", "start", "lorsync@other")
    state = settled(machine, "lorsync@other", "failed")
    assert (state["ExecMainStatus"], state["NRestarts"]) == ("243", "0")


@pytest.mark.parametrize(
    ("name", "calendar"),
    [
        ("local", 'provider = "local"'),
        ("folder", 'provider = "folder"\npath = "/var/lib/lorsync/folder/events"'),
    ],
)
def test_what_needs_no_password_starts_without_a_credential(
    machine: Machine, name: str, calendar: str
) -> None:
    machine.writes(f"/etc/lorsync/{name}.toml", config_of(calendar))
    machine.does("systemctl", "start", f"lorsync@{name}")
    says(machine, f"lorsync@{name}", "6 created.")
    machine.does("systemctl", "stop", f"lorsync@{name}")


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("newline", PASSWORD.encode() + b"\n", None),
        ("empty", b"", "holds nothing. Write the credential again"),
        ("large", b"x" * 100_000, "too long for a password"),
        ("larger", b"x" * 1_000_000, "Failed to set up credentials"),  # which systemd says
    ],
)
def test_odd_credentials(machine: Machine, name: str, password: bytes, told: str | None) -> None:
    machine.writes(f"/etc/lorsync/{name}.toml", config_of(name=name))
    encrypt(machine, name, password)
    machine.runs("systemctl", "start", f"lorsync@{name}")
    if told is None:
        has_passed(machine, f"lorsync@{name}")
        assert machine.log(f"lorsync@{name}", "-p", "err") == ""
    else:
        machine.waits(lambda: told in machine.log(f"lorsync@{name}", "-p", "err"))
        assert state_of(machine, f"lorsync@{name}")["NRestarts"] == "0"
    machine.does("systemctl", "stop", f"lorsync@{name}")


@pytest.mark.parametrize("name", ["jo maya", "jo.maya", "joé", "j" * 24])
def test_a_name_that_is_no_users_is_refused_by_systemd(machine: Machine, name: str) -> None:
    unit = machine.does("systemd-escape", "--template=lorsync@.service", name).strip()
    assert machine.runs("systemctl", "start", unit).returncode != 0
    assert machine.shows(unit, "Result") == {"Result": "resources"}
    # The page knows what its log says; no state folder was made.
    assert "Failed to run 'start' task: Invalid argument" in machine.log(unit)
    assert "`Failed to run 'start' task: Invalid argument`" in PAGE.read_text("utf-8")
    assert not machine.at(f"/var/lib/private/lorsync/{name}").exists()
    machine.does("systemctl", "stop", unit)


def test_a_refused_login_waits_for_a_new_credential_or_a_reload(machine: Machine) -> None:
    machine.writes("/etc/lorsync/refused.toml", config_of(name="refused"))
    encrypt(machine, "refused", b"wrong")
    machine.does("systemctl", "start", "lorsync@refused")
    shows(machine, "lorsync@refused", "refuses the user name")
    told = machine.log("lorsync@refused", "-p", "err")
    assert "Write the credential again, then run “systemctl restart lorsync@refused”." in told
    assert "sooner by: systemctl reload lorsync@refused" in told
    assert status(machine, "refused")[0] == 1
    encrypt(machine, "refused", PASSWORD.encode())
    machine.does("systemctl", "restart", "lorsync@refused")
    has_passed(machine, "lorsync@refused")
    assert status(machine, "refused")[0] == 0
    # The provider takes the same login again: a reload is enough.
    machine.writes(USERS, "user:other\n")
    machine.does("systemctl", "kill", "--signal=USR1", "lorsync@refused")
    shows(machine, "lorsync@refused", "refuses the user name")
    machine.writes(USERS, f"user:{PASSWORD}\n")
    machine.does("systemctl", "reload", "lorsync@refused")
    has_passed(machine, "lorsync@refused")
    machine.does("systemctl", "stop", "lorsync@refused")


def test_a_config_that_may_not_be_read_is_read_once_it_may(machine: Machine) -> None:
    machine.writes("/etc/lorsync/closed.toml", config_of(name="closed"), mode=0o600)
    encrypt(machine, "closed", PASSWORD.encode())
    machine.runs("systemctl", "start", "lorsync@closed")
    state = settled(machine, "lorsync@closed", "failed")
    assert state["ExecMainStatus"] == "78"
    told = machine.log("lorsync@closed", "-p", "err")
    assert "lorsync runs as lorsync-closed: try “chmod o+r” on it." in told
    machine.does("chmod", "o+r", "/etc/lorsync/closed.toml")
    machine.does("systemctl", "start", "lorsync@closed")
    has_passed(machine, "lorsync@closed")
    machine.does("chmod", "o-r", "/etc/lorsync/closed.toml")
    says(machine, "lorsync@closed", "The config is broken")
    # Who asks has an answer each time.
    machine.does("systemctl", "reload", "lorsync@closed")
    says(machine, "lorsync@closed", "The config is broken", times=2)
    machine.does("chmod", "o+r", "/etc/lorsync/closed.toml")
    says(machine, "lorsync@closed", "The config was read again")
    assert status(machine, "closed")[0] == 0
    machine.does("systemctl", "stop", "lorsync@closed")


def test_the_timer_beside_the_daemon_leaves_the_calendar_to_it(machine: Machine) -> None:
    before = settled(machine, "lorsync@maya", "active")
    machine.does("systemctl", "start", "lorsync-once@maya.service")
    after = state_of(machine, "lorsync@maya")
    assert (after["MainPID"], after["NRestarts"]) == (before["MainPID"], before["NRestarts"])
    assert state_of(machine, "lorsync-once@maya.service")["ExecMainStatus"] == "0"
    assert f"Left to the daemon (process {before['MainPID']})" in machine.log("lorsync-once@maya")
    assert machine.log("lorsync-once@maya", "-p", "err") == ""
    assert status(machine, "maya")[0] == 0


def test_a_pass_of_the_timer_says_what_is_wrong_and_tries_a_new_password_at_once(
    machine: Machine,
) -> None:
    machine.writes("/etc/lorsync/timer.toml", config_of(name="timer"))
    encrypt(machine, "timer", b"wrong")
    once = "lorsync-once@timer.service"
    assert machine.runs("systemctl", "start", once).returncode != 0
    assert state_of(machine, once)["ExecMainStatus"] == "77"
    assert "refuses the user name" in machine.log("lorsync-once@timer", "-p", "err")
    assert machine.runs("systemctl", "start", once).returncode != 0
    assert "Not tried again yet" in machine.log("lorsync-once@timer", "-p", "err")
    encrypt(machine, "timer", PASSWORD.encode())
    machine.does("systemctl", "start", once)
    assert status(machine, "timer")[0] == 0


def test_the_page_is_followed_from_the_daemon_to_the_timer_and_back(machine: Machine) -> None:
    assert "lorsync-once@maya.timer" in follow(machine, 4)
    settled(machine, "lorsync@maya", "inactive")
    assert machine.log("lorsync-once@maya", "-p", "err") == ""
    assert status(machine, "maya") == (
        0,
        "All is well: no daemon is up, and the last pass was “lorsync sync”.",
    )
    machine.does("systemctl", "disable", "--now", "lorsync-once@maya.timer")
    machine.does("systemctl", "enable", "--now", "lorsync@maya")
    has_passed(machine, "lorsync@maya")


def test_the_page_is_followed_to_folders_that_a_group_reads(machine: Machine) -> None:
    folder = 'provider = "folder"\npath = "/srv/calendars/maya"'
    metrics = '[metrics]\ntextfile = "/var/lib/lorsync-metrics/lorsync.prom"\n'
    machine.does("cp", "-a", "/var/lib/private/lorsync/maya", "/root/state-before")
    machine.does("systemctl", "stop", "lorsync@maya")
    machine.does("rm", "-rf", "/var/lib/private/lorsync/maya")
    machine.writes("/etc/lorsync/maya.toml", config_of(folder, metrics))
    follow(machine, 5)
    has_passed(machine, "lorsync@maya")
    machine.does("useradd", "--groups", "calendars", "exporter")
    for place in ("/srv/calendars/maya/*.ics", "/var/lib/lorsync-metrics/lorsync.prom"):
        machine.does("runuser", "-u", "exporter", "--", "sh", "-c", f"cat {place} >/dev/null")
        assert machine.runs("runuser", "-u", "nobody", "--", "sh", "-c", f"cat {place}").returncode


def upgraded(machine: Machine) -> None:
    """Replace a file of the package in /opt/lorsync, as pip does."""
    module = next(machine.at("/opt/lorsync/lib").glob("python3*/site-packages/lorsync/__init__.py"))
    aside = module.with_suffix(".new")
    aside.write_text(module.read_text())
    aside.replace(module)


def test_an_upgrade_replaces_the_running_daemon(machine: Machine) -> None:
    before = settled(machine, "lorsync@maya", "active")["MainPID"]
    upgraded(machine)
    # It looks twice a minute by itself, and whenever something wakes it.
    machine.does("kill", "-USR1", before)
    machine.waits(lambda: state_of(machine, "lorsync@maya")["MainPID"] not in {before, "0"})
    assert "lorsync was upgraded" in machine.log("lorsync@maya")
    assert machine.log("lorsync@maya", "-p", "err") == ""
    has_passed(machine, "lorsync@maya")


def test_a_daemon_that_hangs_is_started_again(machine: Machine) -> None:
    limit = "[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n"
    machine.writes("/etc/systemd/system/lorsync@maya.service.d/limit.conf", limit)
    machine.does("systemctl", "daemon-reload")
    machine.does("systemctl", "restart", "lorsync@maya")
    before = settled(machine, "lorsync@maya", "active")["MainPID"]
    machine.does("kill", "-STOP", before)
    machine.waits(lambda: state_of(machine, "lorsync@maya")["MainPID"] not in {before, "0"})
    assert "Watchdog timeout (limit 1s)!" in machine.log("lorsync@maya")
    has_passed(machine, "lorsync@maya")
    machine.does("rm", "/etc/systemd/system/lorsync@maya.service.d/limit.conf")
    machine.does("systemctl", "daemon-reload")


def test_two_units_on_one_state_folder_are_told(machine: Machine) -> None:
    drop_in = "/etc/systemd/system/lorsync@twin.service.d/state.conf"
    machine.writes(drop_in, "[Service]\nStateDirectory=\nStateDirectory=lorsync/maya\n")
    machine.writes("/etc/lorsync/twin.toml", config_of('provider = "local"', name="twin"))
    machine.does("systemctl", "daemon-reload")
    first = settled(machine, "lorsync@maya", "active")["MainPID"]
    machine.runs("systemctl", "start", "lorsync@twin")
    refused = f"Another lorsync daemon (process {first}) already serves /var/lib/lorsync/maya."
    assert refused in machine.log("lorsync@twin", "-p", "err")
    machine.does("systemctl", "stop", "lorsync@twin")
    # systemd gave the folder to the second one's user.
    machine.does("systemctl", "restart", "lorsync@maya")
    has_passed(machine, "lorsync@maya")


def test_where_the_config_is(machine: Machine) -> None:
    """The folder is missing, a link, read-only, closed; the config is a link into a home."""
    unit, folder, aside = "lorsync@maya", "/etc/lorsync", "/srv/lorsync-configs"

    def fails(words: str) -> None:
        assert machine.runs("systemctl", "restart", unit).returncode != 0
        assert state_of(machine, unit)["ExecMainStatus"] == "78"
        assert words in machine.log(unit, "-p", "err")

    def works() -> None:
        machine.does("systemctl", "restart", unit)
        has_passed(machine, unit)

    machine.does("mv", folder, aside)
    fails("/etc/lorsync/maya.toml: there is no such file.")
    assert not machine.at(folder).exists()
    machine.does("ln", "-s", aside, folder)
    works()
    machine.writes(f"{aside}/maya.toml", machine.at(f"{aside}/maya.toml").read_text() + "\n")
    says(machine, unit, "The config was read again.")
    machine.does("rm", folder)
    machine.does("mkdir", folder)
    machine.does("mount", "--bind", aside, folder)
    machine.does("mount", "-o", "remount,bind,ro", folder)
    works()
    machine.does("umount", folder)
    machine.does("cp", "-a", f"{aside}/.", folder)
    machine.does("chmod", "o-x", folder)
    fails("The user lorsync-maya may not enter /etc/lorsync: try “chmod o+x” on it.")
    machine.does("chmod", "o+x", folder)
    machine.does("mv", f"{folder}/maya.toml", "/root/moved.toml")
    machine.does("ln", "-s", "/root/moved.toml", f"{folder}/maya.toml")
    fails("A system service sees nothing of /root: put it into /etc/lorsync.")
    machine.does("mv", "/root/moved.toml", f"{folder}/maya.toml")
    works()


@pytest.mark.needs("faketime")
def test_a_clock_that_stands_at_1970_until_it_is_set_writes_nothing_before(
    machine: Machine,
) -> None:
    library, clock = libfaketime(), "/etc/lorsync/clock.time"
    machine.writes(clock, "@1970-01-01 00:01:00\n")
    fake = f"LD_PRELOAD={library} FAKETIME_TIMESTAMP_FILE={clock} FAKETIME_NO_CACHE=1"
    machine.writes(
        "/etc/systemd/system/lorsync@clock.service.d/clock.conf",
        f"[Service]\nEnvironment={fake} FAKETIME_DONT_FAKE_MONOTONIC=1\n",
    )
    machine.writes("/etc/lorsync/clock.toml", config_of(name="clock"))
    encrypt(machine, "clock", PASSWORD.encode())
    machine.does("systemctl", "daemon-reload")
    machine.does("systemctl", "start", "lorsync@clock")
    shows(machine, "lorsync@clock", "clock")
    assert "1970" in machine.log("lorsync@clock", "-p", "err")
    stored = machine.at("/srv/radicale/storage")
    assert not [path for path in stored.rglob("letters-of-clock*") if path.is_dir()]
    machine.writes(clock, "+0\n")
    machine.does("systemctl", "kill", "--signal=USR1", "lorsync@clock")
    says(machine, "lorsync@clock", "6 created.")
    machine.does("systemctl", "stop", "lorsync@clock")


def test_a_service_of_ones_own(machine: Machine) -> None:
    """Installed without a session, restarted by the next install, replaced after an upgrade."""
    machine.does("useradd", "--create-home", "--shell", "/bin/bash", "sam")
    machine.does("loginctl", "enable-linger", "sam")
    runtime = f"/run/user/{machine.does('id', '-u', 'sam').strip()}/systemd/private"
    machine.waits(lambda: machine.runs("test", "-S", runtime).returncode == 0)
    machine.writes("/home/sam/.config/lorsync/config.toml", config_of('provider = "local"'))
    quick = "/home/sam/.config/systemd/user/lorsync.service.d/quick.conf"
    machine.writes(quick, "[Service]\nRestartSec=100ms\n")
    machine.does("chown", "-R", "sam:", "/home/sam")
    # As cron and su have it: no session, and so no XDG_RUNTIME_DIR.
    bare = ("env", "-u", "XDG_RUNTIME_DIR", "-u", "DBUS_SESSION_BUS_ADDRESS")

    def types(*words: str) -> str:
        return machine.does(*bare, *words, user="sam")

    def pid() -> str:
        found = re.search(r'"pid": (\d+)', types(LORSYNC, "service", "status", "--json"))
        return "0" if found is None else found[1]

    told = types(LORSYNC, "service", "install")
    assert "The service is active (running)." in told
    assert "linger" not in told
    first = pid()
    types(LORSYNC, "service", "install")
    second = pid()
    assert second not in {first, "0"}
    upgraded(machine)
    machine.does("kill", "-USR1", second)

    def is_replaced() -> bool:
        found = machine.runs(*bare, LORSYNC, "service", "status", "--json", user="sam")
        return f'"pid": {second}' not in found.stdout and '"running": true' in found.stdout

    machine.waits(is_replaced)


def test_cron_beside_and_instead_of_a_service_of_ones_own(machine: Machine) -> None:
    block = next(b for b in blocks(PAGE) if b.text.startswith("*/15 "))
    command = " ".join(block.text.split()[5:]).replace("/home/maya", "/home/sam")
    machine.does("install", "-d", "-o", "sam", "/home/sam/.local/bin")
    machine.does("ln", "-s", LORSYNC, "/home/sam/.local/bin/lorsync")

    def mail() -> str:
        """Return what the daily life of cron would send, which has few variables (crontab(5))."""
        variables = ("HOME=/home/sam", "LOGNAME=sam", "SHELL=/bin/sh", "PATH=/usr/bin:/bin")
        cron = ("env", "-i", *variables, "/bin/sh", "-c", command)
        done = machine.runs("runuser", "-u", "sam", "--", *cron)
        assert done.returncode == 0
        return done.stdout + done.stderr

    assert mail() == ""
    machine.does(LORSYNC, "service", "uninstall", user="sam")
    assert mail() == ""
    assert "All is well" in machine.does(LORSYNC, "status", user="sam")


def test_a_home_that_opens_at_the_login_is_waited_for(machine: Machine) -> None:
    """With lingering the service is started before; without it, with the person."""
    config = "/home/sam/.config/lorsync"
    machine.does(LORSYNC, "service", "install", user="sam")
    machine.does("XDG_RUNTIME_DIR=/run/user/$(id -u)", "systemctl --user stop lorsync", user="sam")
    machine.does("mv", config, "/root/closed")
    start = "XDG_RUNTIME_DIR=/run/user/$(id -u) systemctl --user start lorsync"
    assert machine.runs(start, user="sam").returncode != 0
    failed = machine.runs(LORSYNC, "service", "status", user="sam")
    assert failed.returncode == 1
    machine.does("mv", "/root/closed", config)
    machine.does(start, user="sam")
    assert "All is well: the daemon is up" in machine.does(LORSYNC, "status", user="sam")
    machine.does(LORSYNC, "service", "uninstall", user="sam")
