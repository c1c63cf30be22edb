"""The installed command against real servers: first sync, edits, kills, a lost ledger."""

import itertools
import re
import signal
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

from tests.e2e.command.conftest import config_text
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import User
from tests.servers.relay import passed_on
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request, hostile

__all__ = ["hostile"]


def phone_of(user: User, server: Server, config: Path) -> Phone:
    address = user.json("status", config=config)["calendar"]["address"]
    return Phone(server=server, collection=address)


def days(phone: Phone, words: str) -> list[str]:
    bodies = [body.replace("\r\n ", "") for body in phone.bodies().values()]
    return sorted(re.findall(r"DTSTART;VALUE=DATE:(\d+)", b)[0] for b in bodies if words in b)


def test_the_first_sync_writes_the_plan_and_the_second_nothing(
    user: User, server: Server, config: Path
) -> None:
    planned = user.json("plan", config=config)["events"]
    first = user.json("sync", config=config)
    assert {c["uid"] for c in first["created"]} == {e["uid"] for e in planned}
    # The memory is one of what is written (S4).
    written = len(planned) + 1
    # Discovery, the making of the collection, and a look whether it was made.
    assert written + 2 <= first["requests"] <= written + 2 + 6
    phone = phone_of(user, server, config)
    assert len(phone.hrefs()) == len(planned)
    second = user.json("sync", config=config)
    assert second["requests"] == 1
    assert not any(second[name] for name in ("created", "updated", "deleted", "kept", "missing"))


def test_i4_drag_retitle_notes_and_deletion_stay_while_the_plan_moves(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    dragged, retitled = phone.find("Ask Prof. Ana Ruiz"), phone.find("Letter due: Prof. Ana Ruiz")
    deleted = phone.find("Check in with Prof. Ana Ruiz")
    body = phone.read(dragged)
    start = re.findall(r"DTSTART;VALUE=DATE:(\d+)", body)[0]
    end = re.findall(r"DTEND;VALUE=DATE:(\d+)", body)[0]
    phone.write(dragged, body.replace(start, "20990802").replace(end, "20990803"))
    phone.write(retitled, phone.read(retitled).replace("SUMMARY:Letter due", "SUMMARY:Hers is due"))
    phone.delete(deleted)
    theirs = phone.bodies()
    config.write_text(config_text(server, due="2099-09-24"))
    report = user.json("sync", config=config)
    assert {(c["kind"], tuple(c["changed"])) for c in report["kept"]} == {
        ("request", ("date",)),
        ("deadline", ("title",)),
    }
    assert [c["kind"] for c in report["missing"]] == ["follow-up"], report
    after = phone.bodies()
    assert "DTSTART;VALUE=DATE:20990802" in after[dragged]
    assert "SUMMARY:Hers is due" in after[retitled]
    assert "DTSTART;VALUE=DATE:20990924" in after[retitled]
    assert deleted not in after
    assert theirs.keys() == after.keys()
    moved = [e for e in user.json("plan", config=config)["events"] if e["pinned"]]
    assert [(e["kind"], e["date"]) for e in moved] == [("request", "2099-08-02")]
    (pinned,) = user.json("status", config=config)["pinned"]
    assert (pinned["date"], pinned["planned"]) == ("2099-08-02", "2099-08-13")
    told = " ".join(user.types("status", config=config).stdout.split())
    assert "planned for Thu 2099-08-13" in told
    again = user.json("sync", config=config)
    assert not again["updated"]
    assert again["requests"] == 1


def test_s3_a_deleted_ledger_is_rebuilt_from_the_calendar(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    before = phone.bodies()
    for file in user.state.glob("ledger.sqlite3*"):
        file.unlink()
    report = user.json("sync", config=config)
    assert len(report["adopted"]) == len(before)
    assert not report["created"]
    assert not report["updated"]
    assert phone.bodies() == before


def test_i2_killed_in_the_middle_of_the_first_sync_the_next_leaves_no_duplicate_and_no_gap(
    user: User, server: Server, config: Path, hostile: Hostile
) -> None:
    text = config_text(replace(server, url=hostile.url))
    for number in range(30):
        text += f'\n[[letters]]\nmentor = "Dr. Mentor {number}"\ndeadline = 2099-11-01\n'
    config.write_text(text)
    planned = {e["uid"] for e in user.json("plan", config=config)["events"]}
    assert len(planned) > 150
    through, writes, stuck = passed_on(server), itertools.count(1), threading.Semaphore(0)

    def amid_the_writes(request: Request) -> Reply:
        """Write some, leave the answers of a few unsaid, and do nothing about the rest."""
        number = next(writes) if request.method == "PUT" else 0
        reply = through(request) if number <= 25 else Reply()
        if number > 20:
            stuck.release()
            return replace(reply, hang=True)
        return reply

    hostile.answer = amid_the_writes
    running = user.starts("sync", config=config)
    for _ in range(8):  # as many as write at a time
        assert stuck.acquire(timeout=120)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    hostile.answer = through
    phone = phone_of(user, server, config)
    assert 20 <= len(phone.hrefs()) < 30
    done = user.types("sync", config=config)
    assert done.returncode == 0, done.stderr
    uids = [re.findall(r"UID:(\S+)", body)[0] for body in phone.bodies().values()]
    assert sorted(uids) == sorted(planned)
    assert user.json("sync", config=config)["requests"] == 1


def test_timed_events_stand_at_the_wall_clock_of_the_applicant(
    user: User, server: Server, config: Path
) -> None:
    config.write_text(config.read_text().replace("[calendar]", '[calendar]\nevent_time = "08:30"'))
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    starts = {re.findall(r"DTSTART:(\S+)", body)[0].strip() for body in phone.bodies().values()}
    # Madrid is two hours ahead of UTC until the last Sunday of October.
    for start in starts:
        day = date(int(start[:4]), int(start[4:6]), int(start[6:8]))
        summer = date(2099, 3, 29) <= day < date(2099, 10, 25)
        assert start.endswith("T063000Z" if summer else "T073000Z")


def test_a_dry_run_makes_no_calendar_and_writes_nothing(
    user: User, server: Server, config: Path
) -> None:
    report = user.json("sync", "--dry-run", config=config)
    assert len(report["created"]) == 12
    assert user.json("status", config=config)["calendar"]["address"] is None
    first = user.json("sync", config=config)
    assert len(first["created"]) == 12
    assert first["requests"] > 14, "the calendar had been made before"


def test_unpin_and_restore_take_back_what_the_person_did(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    dragged, deleted = phone.find("Ask Prof. Ana Ruiz"), phone.find("Letter due: Prof. Ana Ruiz")
    body = phone.read(dragged)
    start = re.findall(r"DTSTART;VALUE=DATE:(\d+)", body)[0]
    end = re.findall(r"DTEND;VALUE=DATE:(\d+)", body)[0]
    phone.write(dragged, body.replace(start, "20990802").replace(end, "20990803"))
    phone.delete(deleted)
    user.json("sync", config=config)
    listed = user.types("unpin", config=config).stdout
    digits = dragged.rpartition("lorsync-")[2][:8]
    assert digits in listed
    assert "2099-08-02" in listed
    assert user.types("unpin", digits, config=config).returncode == 0
    assert "Letter due: Prof. Ana Ruiz" in user.types("restore", config=config).stdout
    assert user.types("restore", "prof-ana-ruiz", config=config).returncode == 0
    report = user.json("sync", config=config)
    assert [c["kind"] for c in report["created"]] == ["deadline"]
    assert start in phone.read(dragged)
    assert user.types("unpin", digits, config=config).returncode == 64
    assert not user.json("sync", config=config)["created"]
