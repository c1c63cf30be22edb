"""Seasons that are hard to draw."""

from dataclasses import replace
from datetime import date, timedelta

from lorsync.core.model import Absence, History, Mentor, MentorId, Season
from lorsync.core.planner.plan import plan
from lorsync.render.timeline.season import Timeline, timeline
from tests.unit.core.seasons import KEY, letter, mentor, season

TODAY = date(2026, 8, 27)
DUE = date(2026, 9, 23)

NAMES = {
    "script": "<script>alert('no')</script>",
    "rtl": "ד״ר רות לוי-כהן, בית החולים",
    "arabic": "د. ليلى الحسن",
    "cjk": "山田 太郎教授（東京医科大学）",
    "long": "Prof. Dr. Dr. h. c. mult. Maximiliane-Theodora von und zu Hohenstein-Ehrenfels " * 2,
    "quotes": 'Dr. "Q" & Sons]]> --> {{x}} %s',
    "emoji": "Dr. 👩🏽‍⚕️ Ngozi e\u0301",
}


def drawn(of: Season, today: date = TODAY, history: History | None = None) -> Timeline:
    known = history or History()
    return timeline(of, plan(of, today=today, key=KEY, history=known), known)


def named(name: str, said: str, **kwargs: object) -> Mentor:
    return replace(mentor(name, **kwargs), name=said)


def strange() -> Season:
    """Every kind of name, an absence, and each state that a letter can be in."""
    away = (Absence(first=date(2026, 8, 20), last=date(2026, 9, 2), why="<b>leave</b> & more"),)
    asked = date(2026, 8, 3)
    facts = {
        "script": {"asked_on": asked, "agreed_on": date(2026, 8, 4)},
        "rtl": {"asked_on": asked, "declined_on": date(2026, 8, 9)},
        "arabic": {"asked_on": asked, "submitted_on": date(2026, 8, 25)},
        "cjk": {"asked_on": asked, "followed_up_on": (date(2026, 8, 20),)},
    }
    return season(
        *(letter(f"{name}-1", DUE, mentor=name, **facts.get(name, {})) for name in NAMES),
        letter("late", date(2026, 8, 24), mentor="quotes", asked_on=date(2026, 7, 20)),
        mentors=[
            named(name, said, away=away if name == "script" else ()) for name, said in NAMES.items()
        ],
    )


def crowded(mentors: int = 60, letters: int = 500, days: int = 700) -> Season:
    """Many mentors over two years, with letters whose dates lie a day apart and on the same day."""
    people = [mentor(f"m{number}") for number in range(mentors)]
    return season(
        *(
            letter(
                f"l{number}",
                DUE + timedelta(days=number * 13 % days),
                mentor=MentorId(f"m{number % mentors}"),
                **({"asked_on": date(2026, 7, 1 + number % 30)} if number % 3 else {}),
            )
            for number in range(letters)
        ),
        mentors=people,
    )


def neighbours() -> Season:
    """One mentor, and facts on five days in a row."""
    return season(
        letter(
            "a",
            date(2028, 6, 1),
            asked_on=date(2026, 8, 10),
            agreed_on=date(2026, 8, 11),
            packet_sent_on=date(2026, 8, 12),
            submitted_on=date(2026, 8, 13),
            thanked_on=date(2026, 8, 14),
        )
    )
