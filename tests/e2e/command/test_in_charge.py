"""The person is in charge: ticks, marks, names and machines, with the installed command."""

import os
import re
from pathlib import Path

from tests.e2e.command.conftest import config_text
from tests.e2e.command.phone import Phone
from tests.e2e.command.running import User, plain
from tests.e2e.command.test_servers import phone_of
from tests.servers.starting import Server

MENTOR = "prof-ana-ruiz"


def tick(phone: Phone, href: str, words: str) -> None:
    phone.write(href, re.sub("SUMMARY:", f"SUMMARY:{words}", phone.read(href), count=1))


def facts(user: User, config: Path) -> list[tuple[str, str]]:
    return [(f["fact"], f["source"]) for f in user.json("status", config=config)["facts"]]


def lose_ledger(user: User) -> None:
    for file in user.state.glob("ledger.sqlite3*"):
        file.unlink()


def summary(phone: Phone, href: str) -> str:
    body = phone.read(href).replace("\r\n ", "")
    return re.findall(r"SUMMARY:(.*)", body)[0].strip()


def test_all_that_a_person_does_stays_through_a_moved_plan_and_a_lost_ledger(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    asked, deadline = phone.find("Ask Prof. Ana Ruiz"), phone.find("Letter due: Prof. Ana Ruiz")
    noted, dragged = phone.find("Letter in? Then thank Dr. Jo"), phone.find("Talk with Dr. Jo")
    deleted = phone.find("Check in with Dr. Jo")
    tick(phone, asked, "sent – ")
    phone.write(deadline, phone.read(deadline).replace("SUMMARY:Letter due", "SUMMARY:Hers is due"))
    phone.write(noted, phone.read(noted).replace("DESCRIPTION:", "DESCRIPTION:Bring tea.\\n"))
    start, end = (
        re.findall(rf"{n};VALUE=DATE:(\d+)", phone.read(dragged))[0] for n in ("DTSTART", "DTEND")
    )
    body = phone.read(dragged).replace(start, "20990701").replace(end, "20990702")
    phone.write(dragged, body)
    phone.delete(deleted)
    config.write_text(config_text(server, due="2099-09-24"))
    first = user.json("sync", config=config)
    assert [c["kind"] for c in first["missing"]] == ["follow-up"]
    assert re.fullmatch(r"✓ asked \d+ \w{3} · Ask Prof. Ana Ruiz.*", summary(phone, asked))
    assert facts(user, config) == [("asked", "calendar")]
    there = phone.bodies()
    assert "20990701" in there[dragged]
    assert "Bring tea." in there[noted]
    assert "SUMMARY:Hers is due" in there[deadline]
    assert "20990924" in there[deadline]
    assert deleted not in there
    plan = user.json("plan", config=config)
    assert user.json("sync", config=config)["requests"] == 1
    lose_ledger(user)
    after = user.json("sync", config=config)
    assert not after["created"]
    assert not after["updated"]
    assert phone.bodies() == there
    again = user.json("plan", config=config)
    assert [e["uid"] for e in again["events"]] == [e["uid"] for e in plan["events"]]
    assert facts(user, config) == [("asked", "calendar")]
    assert user.json("sync", config=config)["requests"] == 1


def test_a_tick_taken_out_of_the_title_takes_the_fact_back(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    href = phone.find("Letter due: Prof. Ana Ruiz")
    before = summary(phone, href)
    tick(phone, href, "✓ ")
    user.json("sync", config=config)
    assert facts(user, config) == [("submitted", "calendar")]
    phone.write(href, phone.read(href).replace(summary(phone, href), before))
    user.json("sync", config=config)
    assert facts(user, config) == []
    assert summary(phone, href) == before


def test_mark_states_and_takes_back_and_the_config_wins(
    user: User, server: Server, config: Path
) -> None:
    # With a config of this minute, all that follows on the undoing would wait for it to rest.
    os.utime(config, (0, 0))
    user.json("sync", config=config)
    assert user.types("mark", MENTOR, "submitted", config=config).returncode == 0
    report = user.json("sync", config=config)
    phone = phone_of(user, server, config)
    assert {c["kind"] for c in report["deleted"]} >= {"talk", "request", "deadline"}
    assert phone.find("Thank Prof. Ana Ruiz for the letter")
    told = user.types("status", config=config).stdout
    assert "submitted on" in told
    assert "(mark)" in told
    assert user.types("mark", MENTOR, "submitted", "--undo", config=config).returncode == 0
    user.json("sync", config=config)
    assert phone.find("Ask Prof. Ana Ruiz")
    for word, fact in (
        ("received", "submitted"),
        ("said no", "declined"),
        ("Checked-In", "followed-up"),
    ):
        for options in ((), ("--undo",)):
            done = user.json("mark", MENTOR, word, *options, config=config)
            assert {said["fact"] for said in done["undone" if options else "marked"]} == {fact}
    refused = user.types("mark", MENTOR, "sent", config=config)
    assert (refused.returncode, "there is no “sent”" in refused.stderr) == (64, True)
    refused = user.types("mark", "prof-anna-ruiz", "asked", config=config)
    assert (refused.returncode, "did you mean" in refused.stderr) == (64, True)
    text = config.read_text().replace(
        "deadline = 2099-09-10", "deadline = 2099-09-10\nasked_on = 2020-01-01"
    )
    config.write_text(text)
    refused = user.types("mark", MENTOR, "asked", config=config)
    assert (refused.returncode, "the config wins" in refused.stderr) == (64, True)


def test_s19_a_renamed_calendar_is_found_by_its_memory_without_a_ledger(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    before = phone_of(user, server, config)
    hrefs = before.hrefs()
    lose_ledger(user)
    config.write_text(config.read_text().replace("[calendar]", '[calendar]\nname = "Briefe"'))
    tried = user.json("sync", "--dry-run", config=config)
    assert not tried["created"]
    report = user.json("sync", config=config)
    assert not report["created"]
    assert phone_of(user, server, config).collection == before.collection
    assert before.hrefs() == hrefs


def test_s20_a_lost_ledger_with_a_changed_config_goes_on_and_says_so(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    hrefs = phone_of(user, server, config).hrefs()
    lose_ledger(user)
    config.write_text(config_text(server, due="2099-10-04"))
    said = user.types("sync", config=config)
    assert (said.returncode, "this config rules" in said.stdout) == (0, True), said
    assert phone_of(user, server, config).hrefs() == hrefs
    assert user.json("sync", config=config)["requests"] == 1


def test_s20_a_machine_with_another_config_stands_by_until_it_takes_over(
    user: User, server: Server, config: Path, tmp_path: Path
) -> None:
    user.json("sync", config=config)
    home = tmp_path / "laptop"
    home.mkdir()
    laptop = User(home=home)
    other = home / "config.toml"
    other.write_text(config_text(server, due="2099-12-01"))
    phone = phone_of(user, server, config)
    before = phone.bodies()
    refused = laptop.types("sync", config=other)
    assert (refused.returncode, "--take-over" in refused.stderr) == (78, True)
    assert phone.bodies() == before
    assert laptop.json("sync", "--take-over", config=other)["updated"]
    refused = user.types("sync", config=config)
    assert (refused.returncode, "--take-over" in refused.stderr) == (78, True)
    config.write_text(other.read_text())
    assert user.json("sync", config=config)["requests"] <= 3


def test_s20_two_machines_with_one_config_in_two_zones_are_told_that_this_is_what_differs(
    user: User, server: Server, config: Path, tmp_path: Path
) -> None:
    """The zone stands in no file, so nobody would find what to make the same."""
    config.write_text(config.read_text().replace('timezone = "Europe/Madrid"\n', ""))
    user.environment["TZ"] = "Asia/Tokyo"
    user.json("sync", config=config)
    home = tmp_path / "laptop"
    home.mkdir()
    laptop = User(home=home, environment={"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"})
    refused = plain(laptop.types("sync", config=config), 78)
    assert "set to Asia/Tokyo, and this one is set to Europe/Berlin" in refused
    assert 'timezone = "Asia/Tokyo"' in refused
    text = config.read_text()
    named = text.replace("[applicant]", '[applicant]\ntimezone = "Asia/Tokyo"')
    config.write_text(named)
    assert not laptop.json("sync", config=config)["created"]
    # Where more differs than the zone, the zone is not what is said.
    config.write_text(text.replace("2099-10-01", "2099-10-05"))
    (tmp_path / "third").mkdir()
    third = User(home=tmp_path / "third", environment={"TZ": "Europe/Rome"})
    assert "set to" not in plain(third.types("sync", config=config), 78)


def test_s19_all_events_move_to_a_folder_and_back(user: User, server: Server, config: Path) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    href = phone.find("Letter due: Prof. Ana Ruiz")
    phone.write(href, phone.read(href).replace("SUMMARY:Letter due", "SUMMARY:Hers is due"))
    there, folder = phone.bodies(), user.home / "events"
    on_server = config.read_text()
    inside = on_server.partition("[calendar]")[2].partition("[[letters]]")[0]
    config.write_text(on_server.replace(inside, f'\nprovider = "folder"\npath = "{folder}"\n\n'))
    refused = user.types("sync", config=config)
    assert (refused.returncode, "sync --move" in refused.stderr) == (78, True)
    moved = user.types("sync", "--move", config=config)
    # The old server's password is not in the config any more.
    assert "could not be opened" in moved.stdout
    names = {href.rpartition("/")[2] for href in there}
    assert {f.name for f in folder.glob("*.ics") if "memory" not in f.name} == names
    config.write_text(on_server)
    moved = user.types("sync", "--move", config=config)
    assert moved.returncode == 0, moved.stderr
    assert not list(folder.glob("*.ics"))
    assert "SUMMARY:Hers is due" in phone.read(href)
    assert user.json("sync", config=config)["requests"] == 1


def test_s11_what_was_deleted_is_not_what_comes_next_and_has_a_name_without_the_ledger(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    talk = phone.find("Talk with Prof. Ana Ruiz")
    phone.delete(talk)
    user.json("sync", config=config)
    told = user.json("status", config=config)
    uid = talk.rpartition("/")[2].removesuffix(".ics")
    assert uid not in {event["uid"] for event in told["events"]}
    assert [change["uid"] for change in told["away"]] == [uid]
    lose_ledger(user)
    user.json("sync", config=config)
    (away,) = user.json("status", config=config)["away"]
    assert (away["uid"], away["summary"]) == (uid, f"talk ({MENTOR})")


def test_s11_what_was_deleted_is_in_no_plan_and_no_file_before_that_is_certain(
    user: User, server: Server, config: Path
) -> None:
    user.json("sync", config=config)
    phone = phone_of(user, server, config)
    before = user.json("plan", config=config)
    deleted = phone.find("Check in with Prof. Ana Ruiz")
    phone.delete(deleted)
    user.json("sync", config=config)
    uid = deleted.rpartition("/")[2].removesuffix(".ics")
    plan = user.json("plan", config=config)
    assert [e for e in before["events"] if e["uid"] != uid] == plan["events"]
    # It is neither planned nor used up.
    assert before["budgets"][MENTOR] == {"cap": 2, "spent": 0, "planned": 2}
    assert plan["budgets"][MENTOR] == {"cap": 2, "spent": 0, "planned": 1}
    exported = user.types("export", "-o", "-", config=config).stdout
    assert uid not in exported
    assert exported.count("BEGIN:VEVENT") == len(plan["events"])
    # Wanted back, it is planned again, under another UID (S8).
    user.json("restore", uid, config=config)
    again = user.json("plan", config=config)["events"]
    assert [(e["kind"], e["date"]) for e in again] == [
        (e["kind"], e["date"]) for e in before["events"]
    ]
