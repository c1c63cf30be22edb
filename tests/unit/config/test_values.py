"""What each key takes, and how it is understood."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from lorsync.config.zone import machine_says, machine_zone
from lorsync.core.model import Alarm, Kind, LetterType, Policy
from lorsync.core.settings import CalendarSettings, MachineZone, Provider, SyncSettings
from tests.unit.config.conftest import Loaded, Refused
from tests.unit.config.samples import LEAST, MENTORS, ONE_LETTER, changed, letter


def test_least_config_takes_the_models_defaults(loaded: Loaded) -> None:
    settings = loaded(ONE_LETTER)
    assert settings.season.policy == Policy()
    assert settings.sync == SyncSettings()
    assert settings.calendar == CalendarSettings(provider=Provider.LOCAL)
    assert settings.style.alarms == (Alarm(days_before=0, at=time(9)),)
    assert settings.style.zone == ZoneInfo("Europe/Madrid")
    assert Path(settings.source).name == "config.toml"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("$HOME/cal", "no variable is replaced here"),
        ("/srv/$USER/cal", "no variable is replaced here"),
        ("/srv/${USER}-cal", "no variable is replaced here"),
        ("%USERPROFILE%/cal", "no variable is replaced here"),
        ("file:///home/sam/my%20cal", 'write "/home/sam/my cal"'),
        ("file://localhost/home/sam/cal", 'write "/home/sam/cal"'),
        ("file:/home/sam/cal", 'write "/home/sam/cal"'),
        ("FILE:///home/sam/cal", 'write "/home/sam/cal"'),
        ("https://cal.example.org/sam", "a path is needed, and no address"),
    ],
)
@pytest.mark.parametrize("key", ["path", "ca_file"])
def test_a_path_is_not_read_as_a_shell_or_a_browser_would(
    refused: Refused, key: str, written: str, told: str
) -> None:
    """A folder of that very name would be made."""
    report = refused(changed("calendar", f'{key} = "{written}"'))
    assert f"calendar.{key}" in report
    assert told in report
    textfile = changed("metrics", f'textfile = "{written}.prom"')
    assert "metrics.textfile" in refused(textfile)


@pytest.mark.parametrize("written", ["cal", "~/cal", "/srv/$", "/a/b$c", "/srv/100%/50%", "a:b"])
def test_a_path_with_odd_signs_is_a_path(loaded: Loaded, written: str) -> None:
    settings = loaded(changed("calendar", f'path = "{written}"'))
    assert settings.calendar.path == str(Path(settings.source).parent / Path(written).expanduser())


def test_empty_calendar_table_is_a_local_calendar(loaded: Loaded) -> None:
    assert loaded(ONE_LETTER.replace('provider = "local"\n', "")).calendar.provider == "local"


def test_cycle_is_named_after_the_year_of_the_last_due_date(loaded: Loaded) -> None:
    assert loaded(ONE_LETTER).season.cycle.name == "2027"
    programs = '[[programs]]\nid = "p"\ndeadline = 2029-01-02\nlag_days = 5\n'
    late = letter('programs = ["p"]', mentor="Dr. B")
    assert loaded(ONE_LETTER + programs + late).season.cycle.name == "2028"


@pytest.mark.parametrize(
    ("table", "line", "path"),
    [
        ("applicant", 'email = "sam@"', "applicant.email"),
        ("applicant", 'email = "sam example@x"', "applicant.email"),
        ("applicant", 'goals = ["a"]', "applicant.goals"),
        ("cycle", "name = 2027", "cycle.name"),
        ("metrics", 'textfile = "~/lorsync.txt"', "metrics.textfile"),
        ("ping", 'url = "http://hc-ping.com/1"', "ping.url"),
        ("ping", 'url = "https://me:secret@hc-ping.com/1"', "ping.url"),
        ("ping", 'url = "https://hc-ping.com/1#2"', "ping.url"),
        ("ping", 'url = "hc-ping.com/1"', "ping.url"),
        ("ping", "url = 1", "ping.url"),
        ("notifications", 'login = "no"', "notifications.login"),
        ("cycle", 'start = "2026-06-01"', "cycle.start"),
        ("cycle", "start = 0001-01-01", "cycle.start"),
        ("cycle", "start = 9999-12-31", "cycle.start"),
        ("cycle", "start = 2026-06-01T00:00:00Z", "cycle.start"),
        ("calendar", 'url = "cal.example.org"', "calendar.url"),
        ("calendar", 'url = "https://"', "calendar.url"),
        ("calendar", 'url = "https://cal.example.org:99999/"', "calendar.url"),
        ("calendar", 'url = "http://cal.example.org/"', "calendar.url"),
        ("calendar", 'color = "#12345"', "calendar.color"),
        ("calendar", 'event_time = "24:00"', "calendar.event_time"),
        ("calendar", "event_time = 09:00:30", "calendar.event_time"),
        ("calendar", 'alarms = "09:00"', "calendar.alarms"),
        ("calendar", 'alarms = ["+1d 09:00"]', "calendar.alarms[0]"),
        ("calendar", 'alarms = ["-400d 09:00"]', "calendar.alarms[0]"),
        ("calendar", 'path = ""', "calendar.path"),
        ("calendar", 'path = "~nobody-of-this-name/x"', "calendar.path"),
        ("calendar", "password_command = []", "calendar.password_command"),
        ("calendar", 'password_command = [""]', "calendar.password_command"),
        ("sync", 'every = "59s"', "sync.every"),
        ("sync", 'every = "25h"', "sync.every"),
        ("sync", "every = 15", "sync.every"),
        ("sync", "deletion_limit = 3", "sync.deletion_limit"),
        ("sync", "deletion_limit = { share = 1.5 }", "sync.deletion_limit.share"),
        ("sync", "deletion_limit = { share = nan }", "sync.deletion_limit.share"),
        ("sync", "deletion_limit = { count = -1 }", "sync.deletion_limit.count"),
        ("policy", "lead_days = 42.0", "policy.lead_days"),
        ("policy", "lead_days = true", "policy.lead_days"),
        ("policy", "lead_days = 366", "policy.lead_days"),
        ("policy", "min_lead_days = 43", "policy.min_lead_days"),
        ("policy", "lead_days = 27", "policy.lead_days"),
        ("policy", "final_days = 22", "policy.final_days"),
        ("policy", "first_days = 6", "policy.first_days"),
        ("policy", "last_useful_days = 8", "policy.last_useful_days"),
        ("policy", "final_days = 2", "policy.final_days"),
        ("policy", "thank_you_days = 8", "policy.thank_you_days"),
        ("policy", "follow_ups = -1", "policy.follow_ups"),
        ("policy", "follow_ups = true", "policy.follow_ups"),
        ("policy", 'quiet_days = ["Caturday"]', "policy.quiet_days[0]"),
        ("policy", 'holidays = "Texas"', "policy.holidays"),
        ("policy", 'events = "talk"', "policy.events"),
    ],
)
def test_value_that_is_not_allowed_is_refused(
    refused: Refused, table: str, line: str, path: str
) -> None:
    heading, *lines = refused(changed(table, line)).splitlines()
    assert [said.partition(": ")[0].strip() for said in lines] == [path]
    assert heading.endswith("1 problem")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("standing = 0", "mentors[0].standing"),
        ("familiarity = 6", "mentors[0].familiarity"),
        ('alignment = "5"', "mentors[0].alignment"),
        ('timezone = "Mars/Olympus"', "mentors[0].timezone"),
        ('timezone = "../etc/passwd"', "mentors[0].timezone"),
        ('timezone = "America"', "mentors[0].timezone"),
        ('timezone = "localtime"', "mentors[0].timezone"),
        ('contact = "Ms. Ortiz"', "mentors[0].contact"),
        ('contact = { email = "o@x.org" }', "mentors[0].contact.name"),
        ('contact = { name = "O", emial = "o@x.org" }', "mentors[0].contact.emial"),
        ("away = { from = 2026-08-01, to = 2026-08-02 }", "mentors[0].away"),
        ("away = [{ from = 2026-08-01 }]", "mentors[0].away[0].to"),
        ("away = [{ from = 2026-08-01, to = 2026-07-31 }]", "mentors[0].away[0].to"),
        ('formerly = "x"', "mentors[0].formerly"),
        ('id = "ä b"', "mentors[0].id"),
        (f'id = "{"x" * 65}"', "mentors[0].id"),
        ('name = "\\u0007"', "mentors[0].name"),
        (f'name = "{"x" * 201}"', "mentors[0].name"),
        (f'notes = "{"x" * 10_001}"', "mentors[0].notes"),
    ],
)
def test_mentors_value_that_is_not_allowed_is_refused(
    refused: Refused, line: str, path: str
) -> None:
    rest = "" if line.startswith("name") else 'name = "Dr. A"\n'
    lines = refused(f"{ONE_LETTER}[[mentors]]\n{rest}{line}\n").splitlines()
    assert [said.partition(": ")[0].strip() for said in lines[1:]] == [path]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("letter_id = 10477211", "letters[0].letter_id"),
        ("letter_id = { ERAS = 1 }", "letters[0].letter_id"),
        ("letter_id = {}", "letters[0].letter_id"),
        ('waived = "yes"', "letters[0].waived"),
        ('type = "chiar"', "letters[0].type"),
        ("followed_up_on = 2026-09-01", "letters[0].followed_up_on"),
        ("followed_up_on = [2026-09-01, 2]", "letters[0].followed_up_on[1]"),
        ("asked_on = 2026-09-01T10:00:00", "letters[0].asked_on"),
        ("lag_days = -1", "letters[0].lag_days"),
    ],
)
def test_letters_value_that_is_not_allowed_is_refused(
    refused: Refused, line: str, path: str
) -> None:
    lines = refused(LEAST + letter(f"deadline = 2027-01-15\n{line}")).splitlines()
    assert [said.partition(": ")[0].strip() for said in lines[1:]] == [path]


def test_deadline_is_a_day_or_a_time_with_its_offset(loaded: Loaded, refused: Refused) -> None:
    settings = loaded(LEAST + letter("deadline = 2027-01-15T23:59:00-04:00"))
    deadline = settings.season.letters[0].deadline
    assert isinstance(deadline, datetime)
    assert deadline.astimezone(UTC) == datetime(2027, 1, 16, 3, 59, tzinfo=UTC)
    assert "add an offset such as -04:00" in refused(
        LEAST + letter("deadline = 2027-01-15T23:59:00")
    )


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_deadline_at_the_end_of_time_is_refused(refused: Refused, year: str) -> None:
    report = refused(LEAST + letter(f"deadline = {year}-01-01T00:00:00+14:00"))
    assert "from 1970 to 2200" in report


def test_names_are_one_line_without_hidden_marks(loaded: Loaded) -> None:
    name = r'name = "  Sam\n\tRe\u0000yes \u202e\u2066x\u0085 "'
    settings = loaded(ONE_LETTER.replace('name = "Sam Reyes"', name))
    assert settings.season.applicant.name == "Sam Reyes x"


@pytest.mark.parametrize("name", ["🧑🏽‍⚕️ Dr. Emoji", "ד״ר יעל כהן", "Nguyễn Thị Minh Khai", "李伟"])
def test_names_of_the_whole_world_stay(loaded: Loaded, name: str) -> None:
    season = loaded(LEAST + letter("deadline = 2027-01-15", mentor=name)).season
    assert [mentor.name for mentor in season.mentors.values()] == [name]


def test_texts_keep_their_lines(loaded: Loaded) -> None:
    settings = loaded(changed("applicant", r'goals = "one\r\n\ttwo\u0000\r\n\r\nthree "'))
    assert settings.season.applicant.goals == "one\n\ttwo\n\nthree"
    assert loaded(changed("applicant", 'goals = ""')).season.applicant.goals is None


@pytest.mark.parametrize(
    ("every", "seconds"), [("1m", 60), ("90s", 90), ("15 m", 900), ("2h", 7200), ("1d", 86400)]
)
def test_every_is_a_span(loaded: Loaded, every: str, seconds: int) -> None:
    assert loaded(changed("sync", f'every = "{every}"')).sync.every == timedelta(seconds=seconds)


def test_part_of_the_deletion_limit_keeps_the_other(loaded: Loaded) -> None:
    limit = loaded(changed("sync", "deletion_limit = { share = 1 }")).sync.deletion_limit
    assert (limit.share, limit.count) == (1.0, 20)


def test_weekdays_are_understood_in_every_case(loaded: Loaded) -> None:
    policy = loaded(changed("policy", 'quiet_days = ["fri", "SATURDAY", "Sun"]')).season.policy
    assert policy.quiet_days == {4, 5, 6}
    assert loaded(changed("policy", "quiet_days = []")).season.policy.quiet_days == frozenset()


def test_events_and_alarms(loaded: Loaded) -> None:
    assert loaded(changed("policy", 'events = ["talk"]')).season.policy.events == {Kind.TALK}
    style = loaded(changed("calendar", 'alarms = ["-1d 18:00", "07:30"]')).style
    assert style.alarms == (
        Alarm(days_before=1, at=time(18)),
        Alarm(days_before=0, at=time(7, 30)),
    )
    assert loaded(changed("calendar", "alarms = []")).style.alarms == ()


@pytest.mark.parametrize("written", ['"09:30"', "09:30:00"])
def test_event_time_is_text_or_a_time(loaded: Loaded, written: str) -> None:
    assert loaded(changed("calendar", f"event_time = {written}")).style.at == time(9, 30)


def test_absence_contact_and_ratings_reach_the_mentor(loaded: Loaded) -> None:
    settings = loaded(
        f"""{ONE_LETTER}
        [[mentors]]
        name = "Dr. Petra Novák"
        away = [{{ from = 2026-08-01, to = 2026-08-01, why = "leave" }}]
        contact = {{ name = "Ms. Ortiz" }}
        standing = 5
        holidays = "us-ny"
        formerly = ["Dr. Petra Old"]
        """
    )
    mentor = settings.season.mentors["dr-petra-novak"]  # type: ignore[index]
    assert (mentor.away[0].first, mentor.away[0].last) == (date(2026, 8, 1), date(2026, 8, 1))
    assert mentor.contact is not None
    assert mentor.contact.name == "Ms. Ortiz"
    assert (mentor.standing, mentor.holidays) == (5, "US-NY")
    assert mentor.formerly == ("Dr. Petra Old", "dr-petra-old")


def test_facts_and_the_portals_number_reach_the_letter(loaded: Loaded) -> None:
    rest = (
        "deadline = 2027-01-15\ntype = 'Chair'\nletter_id = { ERAS = '1' }\n"
        "asked_on = 2026-11-01\nfollowed_up_on = [2026-12-01, 2026-12-15]"
    )
    found = loaded(LEAST + letter(rest)).season.letters[0]
    assert found.type is LetterType.CHAIR
    assert found.letter_id == {"ERAS": "1"}
    assert found.facts.asked_on == date(2026, 11, 1)
    assert found.facts.followed_up_on == (date(2026, 12, 1), date(2026, 12, 15))


def test_program_wants_two_letters_unless_it_takes_fewer(loaded: Loaded) -> None:
    programs = loaded(
        ONE_LETTER + '[[programs]]\nid = "a"\n[[programs]]\nid = "b"\nletters_max = 1\n'
    ).season.programs
    assert [program.letters_min for program in programs.values()] == [2, 1]
    assert [program.name for program in programs.values()] == ["a", "b"]


# The account


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ('provider = "caldav"', ["url", "username"]),
        ('provider = "caldav"\nurl = "https://c.org/"', ["username"]),
        ('provider = "caldav"\nusername = "maya"', ["url"]),
        ('provider = "caldav"\nusername = "maya@example.org"', []),
        ('provider = "caldav"\nurl = "http://127.0.0.1:5232/"', []),
        ('provider = "nextcloud"\nusername = "x"', ["url"]),
        ('provider = "icloud"', ["username"]),
        ('provider = "fastmail"', ["username"]),
        ('provider = "folder"', ["path"]),
        ('provider = "google"', []),
        ('provider = "local"', []),
        ('url = "https://c.org/"', ["provider"]),
        ('path = "x"', ["provider"]),
    ],
)
def test_provider_says_what_it_needs(
    loaded: Loaded, refused: Refused, lines: str, missing: list[str]
) -> None:
    content = ONE_LETTER.replace('provider = "local"', lines)
    if not missing:
        loaded(content)
        return
    said = [line.partition(": ")[0].strip() for line in refused(content).splitlines()[1:]]
    assert said == [f"calendar.{name}" for name in missing]


@pytest.mark.parametrize(
    "url",
    [
        "https://cal.example.org:8443/dav/me@example.org/",
        "https://apidata.googleusercontent.com/caldav/v2/me@example.org/events/",
        "http://localhost:5232/",
        "http://[::1]:5232/me/",
    ],
)
def test_addresses_with_mail_addresses_and_ports_are_fine(loaded: Loaded, url: str) -> None:
    lines = f'provider = "caldav"\nusername = "me"\nurl = "{url}"'
    assert loaded(ONE_LETTER.replace('provider = "local"', lines)).calendar.url == url


def test_a_user_name_with_a_colon_is_refused(refused: Refused) -> None:
    """RFC 7617 section 2: to the server it would be another user, with another password."""
    lines = 'provider = "caldav"\nurl = "https://c.org/"\nusername = "group:maya"'
    report = refused(ONE_LETTER.replace('provider = "local"', lines))
    assert "calendar.username" in report
    assert "no “:” may stand in it" in " ".join(report.split())
    assert "group:maya" not in report


def test_path_is_relative_to_the_config(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path_of(text: str) -> str | None:
        lines = f'provider = "folder"\npath = "{text}"'
        return loaded(ONE_LETTER.replace('provider = "local"', lines)).calendar.path

    monkeypatch.setenv("HOME", "/home/maya")
    assert path_of("calendars/letters") == str(tmp_path / "calendars" / "letters")
    assert path_of("~/letters") == "/home/maya/letters"
    assert path_of("/srv/letters") == "/srv/letters"


# The machine's zone


@pytest.mark.parametrize(
    ("tz", "timezone", "localtime", "zone"),
    [
        ("Asia/Tokyo", "Europe/Paris", "Europe/Rome", "Asia/Tokyo"),
        (":/usr/share/zoneinfo/Asia/Tokyo", "", "", "Asia/Tokyo"),
        ("nowhere", "Europe/Paris\n", "Europe/Rome", "Europe/Rome"),
        ("", "Europe/Paris\n", "Europe/Rome", "Europe/Rome"),
        ("", "Europe/Paris\n", "", "Europe/Paris"),
        ("", "", "Europe/Rome", "Europe/Rome"),
        ("", "", "posix/Europe/Rome", "Europe/Rome"),
        ("", "\xff", "", "UTC"),
        ("", "", "", "UTC"),
    ],
)
def test_machines_zone_comes_from_tz_then_etc(
    tmp_path: Path, tz: str, timezone: str, localtime: str, zone: str
) -> None:
    if timezone:
        (tmp_path / "timezone").write_bytes(timezone.encode("latin-1"))
    if localtime:
        (tmp_path / "localtime").symlink_to(f"/usr/share/zoneinfo/{localtime}")
    assert machine_zone({"TZ": tz}, tmp_path) == ZoneInfo(zone)


def zone_file(name: str) -> bytes:
    return next(Path(f, name).read_bytes() for f in TZPATH if Path(f, name).exists())


@pytest.mark.parametrize(
    ("note", "zone"),
    [("", "America/Los_Angeles"), ("US/Pacific", "US/Pacific"), ("Asia/Tokyo", None)],
)
def test_a_copied_localtime_is_known_by_what_stands_in_it(
    tmp_path: Path, note: str, zone: str | None
) -> None:
    """Of many names for one content, the note beside it tells which; another note is not heard."""
    (tmp_path / "localtime").write_bytes(zone_file("America/Los_Angeles"))
    if note:
        (tmp_path / "timezone").write_text(note)
    said = machine_says({}, tmp_path)
    assert said.zone.key == (zone or "America/Los_Angeles")
    assert said.others == (() if zone else ((f"{tmp_path}/timezone", "Asia/Tokyo"),))


def test_a_localtime_of_an_older_database_is_known_by_its_rule(tmp_path: Path) -> None:
    old = b"TZif2" + bytes(100) + b"\nPST8PDT,M3.2.0,M11.1.0\n"
    (tmp_path / "localtime").write_bytes(old)
    assert machine_zone({}, tmp_path).key == "America/Los_Angeles"
    (tmp_path / "localtime").write_bytes(b"TZif2" + bytes(100))
    assert machine_says({}, tmp_path) == MachineZone(
        zone=ZoneInfo("UTC"),
        source="",
        others=((f"{tmp_path}/localtime", "a zone that is on no list"),),
    )


def test_a_localtime_that_links_in_a_circle_is_none(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("other")
    (tmp_path / "other").symlink_to("localtime")
    assert machine_zone({}, tmp_path).key == "UTC"


@pytest.mark.parametrize(
    ("tz", "zone"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"),
        ("CET-1CEST", "Europe/Berlin"),
        ("MEZ-1MESZ,M3.5.0/2,M10.5.0/3", "Europe/Berlin"),
        ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
        ("EST5EDT4,M3.2.0/02:00:00,M11.1.0", "America/New_York"),
        ("EST5EDT", "EST5EDT"),
        ("<+0545>-5:45", "Asia/Kathmandu"),
        ("JST-9", "Asia/Tokyo"),
        ("<-03>3", "Etc/GMT+3"),
        ("UTC0", "UTC"),
        (":Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_a_posix_tz_is_a_zone_whose_clocks_go_alike(tmp_path: Path, tz: str, zone: str) -> None:
    said = machine_says({"TZ": tz}, tmp_path)
    assert (said.zone.key, said.source) == (zone, "TZ")


@pytest.mark.parametrize(
    "tz", ["CET-1CEST,M3.5.0,M11.5.0/3", "XYZ-4:20", "AB-1", "CET--1", "a1:2:3:4"]
)
def test_a_tz_that_no_place_has_is_not_understood_and_said(tmp_path: Path, tz: str) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Rome")
    said = machine_says({"TZ": tz}, tmp_path)
    assert (said.zone.key, said.others) == ("Europe/Rome", (("TZ", tz),))


def test_a_tz_that_names_the_file_itself_says_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Rome")
    said = machine_says({"TZ": f":{tmp_path}/localtime"}, tmp_path)
    assert (said.zone.key, said.others) == ("Europe/Rome", ())


def test_names_of_one_zone_do_not_disagree(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
    (tmp_path / "timezone").write_text("Etc/UTC\n")
    assert machine_says({"TZ": "UTC"}, tmp_path).others == ()


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("CEST", '"CEST" is what clocks are called in "Europe/Berlin", "Europe/Paris"'),
        ("pdt", '"pdt" is what clocks are called in "America/Los_Angeles"'),
        ("IST", '"Europe/Dublin", "Asia/Kolkata", "Asia/Jerusalem"'),
        ("UTC+2", "no offset, which changes with the summer time of a place"),
        ("-05:00", "no offset"),
        ("New York", 'did you mean "America/New_York"?'),
        ("Europe/Madird", 'did you mean "Europe/Madrid"?'),
    ],
)
def test_a_zone_that_is_none_gets_a_hint(refused: Refused, written: str, hint: str) -> None:
    report = refused(ONE_LETTER.replace("Europe/Madrid", written))
    assert "applicant.timezone" in report
    assert hint in report


def test_a_config_that_names_a_zone_does_not_ask_the_machine(loaded: Loaded) -> None:
    assert loaded(ONE_LETTER).machine is None


def test_applicant_without_a_zone_is_where_the_machine_is(loaded: Loaded) -> None:
    settings = loaded(ONE_LETTER.replace('timezone = "Europe/Madrid"\n', ""))
    assert settings.season.applicant.timezone == machine_zone()
    assert settings.machine == machine_says()


def test_mentors_sample_is_right(loaded: Loaded) -> None:
    assert list(
        loaded(ONE_LETTER.replace("Prof. Ana Ruiz", "alvarez") + MENTORS).season.mentors
    ) == [
        "alvarez",
        "dr-petra-novak",
    ]
