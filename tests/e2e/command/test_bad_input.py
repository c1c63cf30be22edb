"""Everything that goes wrong in practice: one or two plain lines and an exit code, nothing lost."""

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.command.conftest import config_text
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import COMMAND, User, noon_zone, plain
from tests.servers import starting
from tests.servers.starting import Server, free_port

MINIMAL = """
[applicant]
name = "Sam Reyes"
timezone = "Europe/Madrid"

[calendar]
provider = "folder"
path = "events"

[[letters]]
mentor = "Prof. Ana Ruiz"
deadline = 2099-01-15
"""

TWENTY_MISTAKES = (
    """
[applicant]
name = 7
timezone = "Europe/Madird"
emial = "x"
[cycle]
start = 2026-13
[calendar]
""".replace("2026-13", '"soon"')
    + """
provider = "locl"
color = "bluish"
event_time = "25:00"
alarms = ["noon"]
[sync]
every = "1s"
[policy]
follow_ups = 3
lead_days = -1
quiet_days = ["Caturday"]
[[mentors]]
id = "a"
away = [{ from = 2026-08-20, to = 2026-08-01 }]
standing = 9
[[mentors]]
id = "a"
[[programs]]
id = "p"
letters_min = 4
letters_max = 2
[[letters]]
mentor = "b"
deadline = "2026-09-10"
[[letters]]
mentor = "a"
programs = ["q"]
type = "narative"
[[letters]]
mentor = "a"
programs = ["p"]
deadlin = 2026-09-10
"""
)


@pytest.fixture
def path(user: User) -> Path:
    path = user.home / "config.toml"
    path.write_text(MINIMAL)
    return path


def few_lines(message: str, most: int = 2) -> str:
    assert len(message.strip().splitlines()) <= most, message
    return message


def test_no_config(user: User) -> None:
    message = few_lines(plain(user.types("plan"), 78))
    assert "config.toml" in message
    assert "-c" in message


def test_a_directory_as_config(user: User) -> None:
    assert "folder" in few_lines(plain(user.types("plan", config=user.home), 78))


@pytest.mark.parametrize("command", ["status", "check", "sync", "doctor"])
def test_a_pipe_as_config_keeps_nobody_waiting(user: User, path: Path, command: str) -> None:
    path.unlink()
    os.mkfifo(path)
    done = user.types(command, config=path)
    if command == "doctor":
        assert done.returncode == 1
        assert "a pipe that nobody writes to" in " ".join(done.stdout.split())
    else:
        assert "a pipe that nobody writes to" in few_lines(plain(done, 78))
    environment = {"_LORSYNC_COMPLETE": "bash_complete", "COMP_CWORD": "4"}
    user.environment |= environment | {"COMP_WORDS": f"lorsync -c {path} mark r"}
    assert user.runs([str(COMMAND)]).stdout.strip() == ""
    user.environment.clear()
    assert "no file" in few_lines(plain(user.types("init", config=path), 66))


def test_a_config_that_another_program_prints_is_read(user: User, path: Path) -> None:
    path.write_text(MINIMAL.replace('"events"', f'"{user.home}/events"'))
    script = 'exec "$0" --state-dir "$1" -c <(sleep 0.2; cat "$2") "$3"'
    for command in ("plan", "sync", "status"):
        done = subprocess.run(
            ["bash", "-c", script, COMMAND, user.state, path, command],
            env=user.environ(), cwd=user.home, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert "Ruiz" in done.stdout, done.stderr
    assert user.json("sync", config=path)["created"] == []


NO_TEXT = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "arguments",
    [
        ("mark", NO_TEXT, "asked"),
        ("export", "-o", NO_TEXT),
        ("suggest", NO_TEXT),
        (NO_TEXT,),
        ("plan", f"--as-of={NO_TEXT}"),
        ("-c", NO_TEXT, "check"),
        ("--state-dir", NO_TEXT, "sync"),
        ("add", "mentor", NO_TEXT),
    ],
    ids=lambda arguments: arguments[0].encode("ascii", "replace").decode(),
)
def test_an_argument_that_is_no_text_ends_in_a_plain_line(
    user: User, path: Path, arguments: tuple[str, ...]
) -> None:
    message = few_lines(plain(in_a_process(user, *arguments, config=path), 64))
    assert "no UTF-8 text" in message
    assert "caf\\xe9" in message


def in_a_process(
    user: User, *arguments: str, config: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with words that JSON does not take."""
    return subprocess.run(
        user.arguments(*arguments, config=config),
        env=user.environ(), cwd=user.home, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
def test_a_home_whose_name_is_no_text_is_named(user: User, variable: str) -> None:
    home = user.home / NO_TEXT
    home.mkdir()
    user.environment[variable] = str(home)
    for command in ("check", "status", "plan"):
        message = few_lines(plain(in_a_process(user, command), 78))
        assert "The path of the config is no UTF-8 text" in message
        assert "caf\\xe9" in message


@pytest.mark.parametrize("variable", ["STATE_DIRECTORY", "XDG_STATE_HOME"])
def test_a_state_folder_whose_name_is_no_text_is_named(
    user: User, path: Path, variable: str
) -> None:
    user.environment[variable] = str(user.home / NO_TEXT)
    arguments = [str(COMMAND), "-c", str(path), "sync"]
    done = subprocess.run(
        arguments, env=user.environ(), capture_output=True, text=True, timeout=120, check=False
    )
    assert "The path of the state folder is no UTF-8 text" in few_lines(plain(done, 73))


def test_a_file_in_the_folder_whose_name_is_no_text_stops_nothing(user: User, path: Path) -> None:
    """Its name could not be kept, and none of ours has one."""
    events = user.home / "events"
    events.mkdir()
    odd = events / os.fsdecode(b"caf\xe9.ics")
    odd.write_bytes(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert len(user.json("sync", config=path)["created"]) == 6
    ours = next(events.glob("lorsync-*.ics"))
    (events / os.fsdecode(b"copy\xe9.ics")).write_bytes(ours.read_bytes())
    assert user.json("sync", config=path)["created"] == []
    assert odd.exists()


def test_a_state_folder_is_not_named_after_a_variable_or_an_address(user: User, path: Path) -> None:
    for written, told in (
        ("$HOME/state", "no variable is replaced here"),
        (f"file://{user.home}/st", f'write "{user.home}/st"'),
    ):
        done = user.types("--state-dir", written, "sync", config=path)
        assert told in few_lines(plain(done, 64))
    assert [file.name for file in user.home.iterdir()] == ["config.toml"]


def test_a_machine_that_disagrees_with_itself_over_the_zone_is_told_so(
    user: User, path: Path
) -> None:
    user.environment["TZ"] = "XYZ-4:20"  # which no place has
    for command in ("plan", "sync", "sync"):
        assert "zone" not in codes(user.json(command, config=path))
    path.write_text(MINIMAL.replace('timezone = "Europe/Madrid"\n', ""))
    for command in ("plan", "sync", "sync"):
        (told,) = [w for w in user.json(command, config=path)["warnings"] if w["code"] == "zone"]
        assert "TZ says XYZ-4:20" in told["message"]
    assert "TZ says XYZ-4:20" in " ".join(user.types("status", config=path).stdout.split())
    done = user.types("doctor", "--json", config=path)
    found = {one["finding"]: one["found"] for one in json.loads(done.stdout)}
    assert "TZ says XYZ-4:20" in found["zone-doubtful"]
    assert done.returncode == 0


def needs_of(user: User, path: Path) -> set[str]:
    done = user.types("status", "--json", config=path)
    found = {need["code"] for need in json.loads(done.stdout)["needs"]}
    assert done.returncode == (1 if found else 0)
    return found


@pytest.mark.parametrize(
    ("ahead", "needs"), [(0, {"ask"}), (1, {"ask"}), (3, {"ask"}), (70, set())]
)
def test_r1_status_says_that_a_letter_that_is_due_has_not_been_asked_for(
    user: User, path: Path, ahead: int, needs: set[str]
) -> None:
    user.environment["TZ"] = noon_zone()
    due = datetime.now(ZoneInfo(noon_zone())).date() + timedelta(days=ahead)
    text = MINIMAL.replace('timezone = "Europe/Madrid"', f'timezone = "{noon_zone()}"')
    path.write_text(text.replace("2099-01-15", due.isoformat()))
    user.json("sync", config=path)
    assert needs_of(user, path) == needs
    user.types("mark", "prof-ana-ruiz", "asked", config=path)
    assert needs_of(user, path) == set()


def test_s4_a_deleted_memory_is_named_until_it_is_back(user: User, path: Path) -> None:
    user.json("sync", config=path)
    (memory,) = [f for f in (user.home / "events").glob("*.ics") if "memory" in f.name]
    memory.unlink()
    for _ in range(2):
        assert "memory-deleted" in codes(user.json("sync", config=path))
        assert needs_of(user, path) == {"memory"}
        assert "lorsync restore memory" in " ".join(
            user.types("status", config=path).stdout.split()
        )
        done = user.types("doctor", "--json", config=path)
        assert "memory-deleted" in {one["finding"] for one in json.loads(done.stdout)}
    assert user.types("restore", "memory", config=path).returncode == 0
    user.json("sync", config=path)
    assert needs_of(user, path) == set()


def codes(document: dict[str, list[dict[str, str]]]) -> set[str]:
    return {warning["code"] for warning in document["warnings"]}


def test_what_a_library_warns_of_is_not_the_persons_to_read(user: User, path: Path) -> None:
    """Evolution names zones so, which icalendar guesses and warns of."""
    user.json("sync", config=path)
    moved = next(f for f in (user.home / "events").glob("*.ics") if "Ask " in f.read_text("utf-8"))
    text = moved.read_text("utf-8")
    day = re.search(r"DTSTART;VALUE=DATE:(\d+)", text)
    assert day is not None
    zone = "TZID=/freeassociation.sourceforge.net/Europe/Berlin"
    text = re.sub(r"DTSTART;VALUE=DATE:\d+", f"DTSTART;{zone}:{day[1]}T100000", text)
    text = re.sub(r"DTEND;VALUE=DATE:\d+", f"DTEND;{zone}:{day[1]}T110000", text)
    moved.write_text(text, "utf-8", newline="")
    done = user.types("-q", "sync", config=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [change["changed"] for change in user.json("sync", config=path)["kept"]] == [["date"]]


def test_an_empty_config(user: User, path: Path) -> None:
    path.write_text("")
    few_lines(plain(user.types("plan", config=path), 78))


def test_a_config_that_is_not_utf_8(user: User, path: Path) -> None:
    path.write_bytes(MINIMAL.replace("Ruiz", "Núñez").encode("latin-1"))
    assert "UTF-8" in few_lines(plain(user.types("plan", config=path), 78))


def test_a_toml_mistake_is_shown_with_line_and_column(user: User, path: Path) -> None:
    path.write_text(MINIMAL + "\nname = = 3\n")
    message = few_lines(plain(user.types("plan", config=path), 78))
    assert "line 14" in message
    assert "column 8" in message


@pytest.mark.not_root
def test_a_config_without_permission(user: User, path: Path) -> None:
    path.chmod(0)
    assert "permission" in few_lines(plain(user.types("plan", config=path), 78)).lower()


def test_twenty_mistakes_are_reported_in_one_go(user: User, path: Path) -> None:
    path.write_text(TWENTY_MISTAKES)
    message = plain(user.types("check", config=path), 78)
    keys = (
        "applicant.name", "applicant.timezone", "applicant.emial", "cycle.start",
        "calendar.provider", "calendar.color", "calendar.event_time", "calendar.alarms[0]",
        "sync.every", "policy.follow_ups", "policy.lead_days", "policy.quiet_days[0]",
        "mentors[0].away[0]", "mentors[0].standing", "mentors[1].id", "programs[0].letters_m",
        "letters[0].mentor", "letters[0].deadline", "letters[1].programs", "letters[1].type",
        "letters[2].deadlin",
    )  # fmt: skip
    assert [key for key in keys if key not in message] == []
    assert "did you mean" in message


@pytest.mark.parametrize("command", ["plan", "status", "export"])
def test_a_due_date_in_the_past_is_said_and_asks_for_nothing(
    user: User, path: Path, command: str
) -> None:
    path.write_text(MINIMAL.replace("2099-01-15", "2020-01-15"))
    arguments = [command, "-o", "-"] if command == "export" else [command]
    done = user.types(*arguments, config=path)
    # Nothing has run yet, which is what status says by its code.
    assert done.returncode == (2 if command == "status" else 0), done.stderr
    if command == "export":
        assert "BEGIN:VEVENT" not in done.stdout
    else:
        assert "was due on 2020-01-15" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "name",
    [
        "Dr. Ruiz\\nBEGIN:VEVENT",
        "Dr. 🦉 Ruiz 👩🏽‍⚕️",
        "ד״ר רות לוי",
        "د. ليلى حداد",
        "Dr. \\u202eziuR",
        'x;y,z:w\\\\\\"',
    ],
)
def test_odd_names_of_mentors_are_taken(user: User, path: Path, name: str) -> None:
    path.write_text(MINIMAL.replace("Prof. Ana Ruiz", name))
    assert user.types("plan", config=path).returncode == 0
    report = user.json("sync", config=path)
    assert len(report["created"]) == 6
    assert user.json("sync", config=path)["requests"] == 1
    for file in (user.home / "events").glob("*.ics"):
        lines = file.read_bytes().split(b"\r\n")
        assert all(len(line) <= 75 for line in lines)
        assert lines.count(b"BEGIN:VEVENT") == 1
        file.read_text(encoding="utf-8")


def test_a_name_of_ten_thousand_characters_is_refused(user: User, path: Path) -> None:
    path.write_text(MINIMAL.replace("Prof. Ana Ruiz", "R" * 10_000))
    message = few_lines(plain(user.types("plan", config=path), 78))
    assert len(message) < 500


def test_unknown_words_on_the_command_line(user: User, path: Path) -> None:
    assert "No such command" in few_lines(plain(user.types("plann", config=path), 64))
    few_lines(plain(user.types("plan", "--as-of", "03/04/2026", config=path), 64))
    few_lines(plain(user.types("plan", "--nonsense", config=path), 64))
    few_lines(plain(user.types("export", "-o", "-", "--mentor", "nobody", config=path), 64))
    few_lines(plain(user.types("export", "-o", "/nowhere/at/all.ics", config=path), 73))


@contextlib.contextmanager
def answering(status: int, body: bytes, content_type: str) -> Iterator[str]:
    """Run a server that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = do_MKCALENDAR = answer  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def caldav(path: Path, url: str) -> Path:
    server = Server(url=url, pid=0)
    path.write_text(config_text(server))
    return path


@pytest.mark.parametrize(
    ("status", "body", "content_type", "code"),
    [
        (401, b"", "text/plain", 77),
        (404, b"", "text/plain", 69),
        (500, b"oops", "text/plain", 75),
        (503, b"", "text/plain", 75),
        (200, b"<html><body>Welcome</body></html>", "text/html", 69),
        (200, b"", "text/plain", 69),
        (207, b"", "application/xml", 69),
        (207, b"<a><b>", "application/xml", 69),
    ],
)
def test_a_server_that_is_none(
    user: User, path: Path, status: int, body: bytes, content_type: str, code: int
) -> None:
    with answering(status, body, content_type) as url:
        few_lines(plain(user.types("sync", config=caldav(path, url)), code))
    assert user.json("status", config=path)["last_error"] is not None


def test_a_server_that_is_not_there(user: User, path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    few_lines(plain(user.types("sync", config=caldav(path, url)), 69))


def test_a_server_that_says_nothing(user: User, path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        few_lines(plain(user.types("sync", config=caldav(path, url)), 69))
        thread.join()


def test_a_wrong_password(user: User, path: Path, tmp_path: Path) -> None:
    with starting.radicale(tmp_path) as server:
        path.write_text(config_text(server).replace(server.password, "wrong"))
        message = few_lines(plain(user.types("sync", config=path), 77))
        assert "wrong" not in message


def test_no_password_at_all(user: User, path: Path) -> None:
    caldav(path, f"http://127.0.0.1:{free_port()}/")
    lines = [line for line in path.read_text().splitlines() if "password" not in line]
    path.write_text("\n".join(lines))
    # As the daemon ends: nobody has signed in yet, and no try mends that.
    few_lines(plain(user.types("sync", config=path), 78))


@pytest.mark.parametrize("name", ["ERAS / 2027 ../..", "📮 Briefe", "..", "a" * 200])
def test_odd_names_of_calendars_are_taken(
    user: User, config: Path, server: Server, name: str
) -> None:
    config.write_text(config.read_text().replace("[calendar]", f'[calendar]\nname = "{name}"'))
    report = user.json("sync", config=config)
    assert len(report["created"]) == 12
    address = user.json("status", config=config)["calendar"]["address"]
    assert len(Phone(server=server, collection=address).hrefs()) == 12
    assert user.json("sync", config=config)["requests"] == 1


@pytest.mark.not_root
def test_a_state_folder_that_is_read_only(user: User, path: Path) -> None:
    user.state.mkdir()
    user.state.chmod(0o500)
    few_lines(plain(user.types("sync", config=path), 73))
    assert user.types("plan", config=path).returncode == 0
    told = user.types("status", config=path)
    assert told.returncode == 2
    words = " ".join(told.stdout.split())  # folded where a line is full
    assert f"The state folder {user.state} cannot be written to, so no pass can come." in words
    user.state.chmod(0)
    for command in ("status", "plan"):
        message = few_lines(plain(user.types(command, config=path), 73))
        assert f"The state folder {user.state} cannot be" in message


def test_status_tells_of_a_state_folder_that_is_none(user: User, path: Path) -> None:
    user.environment["STATE_DIRECTORY"] = str(path)
    arguments = [str(COMMAND), "-c", str(path), "status"]
    done = subprocess.run(
        arguments, env=user.environ(), capture_output=True, text=True, timeout=60, check=False
    )
    assert "Not a directory" in few_lines(plain(done, 73))


def test_a_state_folder_that_cannot_be_made(user: User, path: Path) -> None:
    done = user.types("--state-dir", "/proc/lorsync", "sync", config=path)
    assert "--state-dir" in few_lines(plain(done, 73))


def test_a_state_folder_that_is_a_file(user: User, path: Path) -> None:
    user.state.write_text("not a folder")
    few_lines(plain(user.types("sync", config=path), 64))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk(user: User, path: Path) -> None:
    """A ledger that cannot grow: no file may, as on a disk that takes nothing."""
    typed = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *user.arguments("sync", config=path)]
    done = subprocess.run(
        typed, env=user.environ(), capture_output=True, text=True, cwd=user.home, check=False
    )
    few_lines(plain(done, 73))
    assert not list((user.home / "events").glob("*.ics"))


def test_a_ledger_that_is_no_ledger_is_set_aside_and_rebuilt(user: User, path: Path) -> None:
    user.json("sync", config=path)
    events = sorted((user.home / "events").glob("*.ics"))
    for file in user.state.glob("ledger.sqlite3*"):
        file.unlink()
    garbage = "this is not a database, but long enough" * 99
    (user.state / "ledger.sqlite3").write_text(garbage)
    done = user.types("sync", config=path)
    assert done.returncode == 0, done.stderr
    (aside,) = user.state.glob("ledger.sqlite3.damaged-*")
    assert aside.read_text() == garbage
    assert aside.name in done.stdout.replace("\n  ", "")
    assert sorted((user.home / "events").glob("*.ics")) == events


def test_a_ledger_of_a_newer_version(user: User, path: Path) -> None:
    import sqlite3

    user.json("sync", config=path)
    with contextlib.closing(sqlite3.connect(user.state / "ledger.sqlite3")) as db:
        db.execute("PRAGMA user_version = 99")
    assert "newer" in few_lines(plain(user.types("sync", config=path), 73))


def test_another_account_is_asked_about_and_nothing_moves(user: User, path: Path) -> None:
    user.json("sync", config=path)
    path.write_text(MINIMAL.replace('"events"', '"elsewhere"'))
    assert "--state-dir" in few_lines(plain(user.types("sync", config=path), 78))
    assert not (user.home / "elsewhere").exists()


def test_stdout_that_is_closed_early(user: User, path: Path) -> None:
    import subprocess

    running = subprocess.Popen(
        user.arguments("check", "--schema", config=path),
        env=user.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.close()
    assert running.stderr is not None
    complaint = running.stderr.read()
    running.stderr.close()
    running.wait()
    assert complaint == b""
