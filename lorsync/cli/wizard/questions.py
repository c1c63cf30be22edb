"""The questions of ``lorsync init``, in the words of somebody who has never seen a config."""

import importlib.util
import re
from datetime import date, datetime
from typing import Any, Final

from lorsync.adapters.holidays import known_regions
from lorsync.cli.wizard.prompt import Again, Interview, day_ahead, day_gone_by
from lorsync.config.checking import refusal
from lorsync.config.ids import slug
from lorsync.config.new_file import Beginning, Entry, Season
from lorsync.config.spreadsheet.names import letter_id, maybe_the_same, mentor_id, program_id
from lorsync.config.zone import machine_zone
from lorsync.core.model import LetterType
from lorsync.core.providers import IN_A_LINE, PROVIDERS, Backend, SignIn
from lorsync.core.settings import CalendarSettings, Provider

_NAME_AND_MAIL: Final = re.compile(r"(.*?)[\s,;]*<?([^\s,;<>]+@[^\s,;<>]+)>?")
_ACCOUNT: Final = {
    "url": ("The address of your server, beginning with https://", "It is in the server's help."),
    "username": ("Your user name there", "Often it is your e-mail address. No password is needed."),
    "path": ("The folder for the .ics files", "It is made if it is missing. “~” is your home."),
}


def beginning(talk: Interview, today: date, found: Season | None) -> Beginning:
    """Ask for a whole config; what a spreadsheet said (``found``) is not asked again."""
    if found is not None:
        talk.tell("\nThe rest is about you and your calendar.")
    applicant = _applicant(talk)
    cycle = {"name": _text(talk, "What is this season called?", ("cycle", "name"),
                           default=f"{_season_year(today)} season",
                           more="Any name, such as 2027 Match. Each mentor gets at most two "
                           "follow-ups in a season.")}  # fmt: skip
    calendar = _calendar(talk)
    policy = _policy(talk)
    season = found if found is not None else _season(talk, today)
    return Beginning(
        applicant=applicant, cycle=cycle, calendar=calendar, policy=policy, season=season
    )


def _season_year(today: date) -> int:
    """Name the year in which a season that is prepared now ends."""
    return today.year + (today.month > 5)


def _applicant(talk: Interview) -> dict[str, Any]:
    name = _text(talk, "Your name, as your mentors know you", ("applicant", "name"))
    zone = _text(
        talk,
        "Your time zone",
        ("applicant", "timezone"),
        default=machine_zone().key,
        more="The IANA name of where you are, such as America/New_York or Europe/Madrid. The one "
        "in brackets is what this machine is set to.",
    )
    email = _text(
        talk,
        "Your e-mail address (Enter: leave it out)",
        ("applicant", "email"),
        needed=False,
        more="It stands in the draft messages to your mentors, and is sent to nobody.",
    )
    return _stated({"name": name, "timezone": zone, "email": email})


def _calendar(talk: Interview) -> dict[str, Any]:
    talk.tell("\nWhere is the calendar in which you want the events?")
    provider = Provider(
        talk.choose(
            "Calendar",
            {one.value: IN_A_LINE[one] for one in PROVIDERS},
            default=CalendarSettings().provider.value,
        )
    )
    if (
        PROVIDERS[provider].backend is Backend.LOCAL
        and importlib.util.find_spec("radicale") is None
    ):
        talk.tell(
            "It needs one package more: pip install 'lorsync[local]'. The plan and the .ics file "
            "work without it."
        )
    account: dict[str, Any] = {"provider": provider.value}
    for key in PROVIDERS[provider].needs:
        question, more = _ACCOUNT[key]
        account[key] = _text(talk, question, ("calendar", key), more=more)
    if PROVIDERS[provider].sign_in is not SignIn.NONE:
        talk.tell("The password is not asked for here: “lorsync login” does that, at the end.")
    return account


def _policy(talk: Interview) -> dict[str, Any]:
    def take(typed: str) -> str | None:
        region = typed.upper()
        if region:
            _check(("policy", "holidays"), region)
            if region not in known_regions([region]):
                raise Again(f"No holidays are known for {region}. Such as US, US-NY, CA-ON or DE.")
        return region or None

    region = talk.ask(
        "Public holidays to keep free, such as US, US-NY or DE (Enter: none)",
        take,
        more="On these days, and on weekends, no mentor is to be contacted. Give the country where "
        "most of them are, or a part of it.",
    )
    return _stated({"holidays": region})


def _season(talk: Interview, today: date) -> Season:
    mentors = _mentors(talk)
    programs = _programs(talk, today)
    letters: dict[str, Entry] = {}
    for mentor in mentors:
        entry = _letter(talk, today, mentor, programs, letters)
        letters[entry.values["id"]] = entry
    return Season(mentors=mentors, programs=programs, letters=tuple(letters.values()))


def _mentors(talk: Interview) -> tuple[Entry, ...]:
    talk.tell("\nWho writes letters for you? One after the other, by name, with e-mail or without.")
    mentors: dict[str, Entry] = {}

    def take(typed: str) -> dict[str, Any] | None:
        if not typed:
            if not mentors:
                raise Again("At least one is needed, such as: Dr. Sofia Alvarez, s.alvarez@x.edu")
            return None
        parts = _NAME_AND_MAIL.fullmatch(typed)
        name, email = (parts[1], parts[2]) if parts else (typed, None)
        _check(("mentors", "name"), name)
        if email is not None:
            _check(("mentors", "email"), email)
        if any(slug(name) == slug(one.values["name"]) for one in mentors.values()):
            raise Again(f"{name} is there already.")
        return _stated({"name": name, "email": email})

    while True:
        question = "Another mentor (Enter: no more)" if mentors else "A mentor"
        typed = talk.ask(question, take, more="Write it like: Dr. Sofia Alvarez, alvarez@x.edu")
        if typed is None:
            return tuple(mentors.values())
        alike = next((m for m in mentors.values() if _alike(m, typed)), None)
        if alike is not None and not talk.yes(
            f"Is that somebody else than {alike.values['name']}?",
            more="Somebody who stands there twice would be reminded twice as often.",
        ):
            continue
        own = mentor_id(typed["name"], mentors)
        mentors[own] = Entry(values={"id": own, **typed})


def _alike(mentor: Entry, typed: dict[str, Any]) -> bool:
    addresses = mentor.values.get("email"), typed.get("email")
    if None not in addresses and addresses[0] != addresses[1]:
        return False
    return maybe_the_same(mentor.values["name"], typed["name"])


def _programs(talk: Interview, today: date) -> tuple[Entry, ...]:
    talk.tell("\nWhat do you apply to? Each with the day by which its letters have to be there.")
    programs: dict[str, Entry] = {}

    def take(typed: str) -> str | None:
        if not typed:
            return None
        _check(("programs", "name"), typed)
        if any(slug(typed) == slug(one.values["name"]) for one in programs.values()):
            raise Again(f"{typed} is there already.")
        return typed

    while True:
        question = "Another program (Enter: no more)" if programs else "A program (Enter: none)"
        name = talk.ask(
            question,
            take,
            more="A residency, school, fellowship or job. Without any, each letter has a date of "
            "its own.",
        )
        if name is None:
            return tuple(programs.values())
        due = _day(talk, f"Deadline of {name}", today)
        own = program_id(name, programs)
        programs[own] = Entry(values={"id": own, "name": name, "deadline": due})


def _letter(
    talk: Interview,
    today: date,
    mentor: Entry,
    programs: tuple[Entry, ...],
    letters: dict[str, Entry],
) -> Entry:
    name = mentor.values["name"]
    served: list[str] = []
    if programs:
        talk.show("\nThe programs: " + ", ".join(
            f"{number} {one.values['name']}" for number, one in enumerate(programs, start=1)
        ))  # fmt: skip
        served = talk.ask(
            f"For which does {name} write? Numbers, all, or none of them",
            lambda typed: _chosen(typed, programs),
            default="all",
            more="Such as 1,3. One letter may serve many programs. With none of them, the letter "
            "gets a date of its own.",
        )
    own_date = None if served else _day(talk, f"By when is the letter of {name} due?", today)
    asked = talk.ask(
        f"When did you ask {name}? A day (Enter: not yet)",
        lambda typed: _asked_on(typed, today),
        more="If the mentor knows, lorsync plans no request any more.",
    )
    form = LetterType.NARRATIVE.value
    return Entry(
        values=_stated(
            {
                "id": letter_id(mentor.values["id"], form, letters),
                "mentor": mentor.values["id"],
                "programs": served,
                "deadline": own_date,
                "asked_on": asked,
            }
        )
    )


def _chosen(typed: str, programs: tuple[Entry, ...]) -> list[str]:
    """Read numbers of programs."""
    ids = [one.values["id"] for one in programs]
    said = typed.casefold()
    if said in ("all", "none"):
        return ids if said == "all" else []
    parts = re.findall(r"[^\s,;]+", said)
    if not parts or not all(part.isdecimal() and 1 <= int(part) <= len(ids) for part in parts):
        raise Again(f"Numbers from 1 to {len(ids)} are needed, such as 1,2 — or all, or none.")
    return list(dict.fromkeys(ids[int(part) - 1] for part in parts))


def _day(talk: Interview, question: str, today: date) -> date | datetime:
    return talk.ask(
        question,
        lambda typed: day_ahead(typed, today),
        more="Such as 1 Dec 2026, Dec 1, 2026 or 2026-12-01.",
    )


def _asked_on(typed: str, today: date) -> date | None:
    return day_gone_by(typed, today, but="Enter alone means: not yet.") if typed else None


def _text(
    talk: Interview,
    question: str,
    key: tuple[str, str],
    *,
    default: str | None = None,
    needed: bool = True,
    more: str = "",
) -> str | None:
    def take(typed: str) -> str | None:
        if not typed and not needed:
            return None
        if not typed:
            raise Again("An answer is needed.")
        _check(key, typed)
        return typed

    return talk.ask(question, take, default=default, more=more)


def _check(key: tuple[str, str], value: str) -> None:
    """Hold a value against the rules of the config's key."""
    why = refusal(*key, value)
    if why is not None:
        raise Again(why[0].upper() + why[1:] + ("" if why.endswith("?") else "."))


def _stated(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}
