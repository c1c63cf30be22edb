"""Read from an event's title what the person says was done, and write it back in one form (S13).

``✓``, ``[x]``, ``DONE:``, ``sent –``, ``submitted``: people tick as they like, before the title or
behind it. A mark alone states what the event is for; a word states its own fact. A bare word counts
only with a separator or our own title beside it, so that "Sent Dr. Chen a mail" is no tick.

The one form is ``✓ asked 12 Sep · Ask Dr. Chen …``; the day with its year stands in the block.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from lorsync.core.facts import OWN_FACT, Fact
from lorsync.core.model import Kind
from lorsync.core.phrases import MONTHS, short_day

WORDS: Final[Mapping[str, Fact]] = {
    "talked": Fact.TALKED,
    "spoke": Fact.TALKED,
    "asked": Fact.ASKED,
    "requested": Fact.ASKED,
    "followed up": Fact.FOLLOWED_UP,
    "checked in": Fact.FOLLOWED_UP,
    "agreed": Fact.AGREED,
    "accepted": Fact.AGREED,
    "said yes": Fact.AGREED,
    "declined": Fact.DECLINED,
    "refused": Fact.DECLINED,
    "said no": Fact.DECLINED,
    "packet sent": Fact.PACKET_SENT,
    "sent packet": Fact.PACKET_SENT,
    "submitted": Fact.SUBMITTED,
    "uploaded": Fact.SUBMITTED,
    "received": Fact.SUBMITTED,
    "thanked": Fact.THANKED,
    "results shared": Fact.RESULTS_SHARED,
    "shared results": Fact.RESULTS_SHARED,
}
"""Words that state one fact, whatever the event is for."""

DONE_WORDS: Final = ("done", "finished", "completed")
"""Words that say of every event what a mark alone says: what it is for was done."""

OWN_WORDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.TALK: ("met", "had"),
    Kind.REQUEST: ("sent", "emailed"),
    Kind.ADD_LETTER: ("sent", "emailed"),
    Kind.FOLLOW_UP: ("sent", "emailed", "reminded"),
    Kind.DEADLINE: ("in", "sent"),
    Kind.THANK_YOU: ("sent", "emailed"),
    Kind.ASSIGN: ("assigned", "sent"),
    Kind.RESULTS: ("told", "shared", "sent", "emailed"),
    Kind.REPLACE: ("found", "replaced"),
}
"""Words that say it of one kind of event alone."""

MARKS: Final = ("✓", "✔", "☑", "✅", "🗹", "√", "[x]", "[✓]", "(x)")
"""Marks that say that an event is done; in any case of letters."""

_MARK = "|".join(re.escape(mark) for mark in MARKS)
_LEADING_MARK = re.compile(rf"(?:{_MARK})\s*", re.IGNORECASE)
_TRAILING_MARK = re.compile(rf"[\s:·|,;–—-]*(?:{_MARK})$", re.IGNORECASE)
_MONTH = "|".join(MONTHS)
_DAY = rf"(?:\d{{4}}-\d\d-\d\d|\d{{1,2}} (?:{_MONTH})(?: \d{{4}})?)"
_SEPARATOR = re.compile(r"\s*(?:[:·|!,;–—]|->|\.(?=\s|$)|\s-|-(?=\s|$))\s*")
_FACT = "|".join(fact.words for fact in Fact)
_FORM = re.compile(rf"✓ (?P<word>{_FACT}) (?P<day>\d{{1,2}} (?:{_MONTH}))(?: · |$)")
_STATED = re.compile(r"Stated in the title: (?P<word>[a-z ]+) on (?P<day>\d{4}-\d\d-\d\d)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a title states: the fact, its day where the title names one, and the title without."""

    fact: Fact
    day: date | None
    rest: str


def find_tick(
    title: str, kind: Kind, *, is_known: Callable[[str], bool], today: date
) -> Tick | None:
    """Return what a title states, or None.

    ``is_known`` tells titles that the event had before, ours above all: such a title states
    nothing, and a word before or behind it needs no separator. A day without a year is the one
    nearest to ``today``.
    """
    title = _folded(title)
    if is_known(title) and _FORM.match(title) is None:
        return None

    def known(text: str) -> bool:
        return is_known(text) or is_known(without_tick(text))

    tick = _leading(title, kind, known, today) or _trailing(title, kind, known, today)
    if tick is None:
        return None
    return Tick(fact=tick.fact, day=tick.day, rest=without_tick(tick.rest))


def ticked_title(fact: Fact, day: date, rest: str) -> str:
    """Return a title in the one form; parsing it gives back the fact, day and rest."""
    behind = f" · {title}" if (title := without_tick(rest)) else ""
    return f"✓ {fact.words} {short_day(day)}{behind}"


def without_tick(title: str) -> str:
    """Return a title without a tick in the one form."""
    title = _folded(title)
    while found := _FORM.match(title):
        title = title[found.end() :]
    return title


def is_settled(title: str, fact: Fact, day: date) -> bool:
    """Tell whether a title states a fact in the one form already."""
    found = _FORM.match(_folded(title))
    return found is not None and (found["word"], found["day"]) == (fact.words, short_day(day))


def stated_line(fact: Fact, day: date) -> str:
    """Return the line of the block that keeps a fact with its whole day."""
    return f"Stated in the title: {fact.words} on {day.isoformat()}."


def stated_facts(text: str) -> dict[Fact, date]:
    """Return the facts that a block keeps; an unreadable day is none."""
    found = {}
    for line in _STATED.finditer(" ".join(text.split())):
        fact = _BY_WORDS.get(line["word"])
        day = _iso(line["day"])
        if fact is not None and day is not None:
            found[fact] = day
    return found


def with_stated(text: str, facts: Iterable[tuple[Fact, date]]) -> str:
    """Return a block's text with one line per fact at its end, and no others."""
    kept = _STATED.sub("", text).rstrip()
    lines = "\n".join(stated_line(fact, day) for fact, day in facts)
    return f"{kept}\n\n{lines}" if lines else kept


_BY_WORDS = {fact.words: fact for fact in Fact}


def _leading(title: str, kind: Kind, is_known: Callable[[str], bool], today: date) -> Tick | None:
    mark = _LEADING_MARK.match(title)
    text = title[mark.end() :] if mark is not None else title
    word = _word_pattern(kind).match(text)
    if word is not None:
        behind = text[word.end() :]
        separator = _SEPARATOR.match(behind)
        rest = behind[separator.end() :] if separator is not None else behind.strip()
        if separator is not None or not rest or is_known(rest):
            return Tick(fact=_fact_of(word["word"], kind), day=_day(word["day"], today), rest=rest)
    if mark is None:
        return None
    separator = _SEPARATOR.match(text)
    rest = text[separator.end() :] if separator is not None else text
    return Tick(fact=OWN_FACT[kind], day=None, rest=rest)


def _trailing(title: str, kind: Kind, is_known: Callable[[str], bool], today: date) -> Tick | None:
    mark = _TRAILING_MARK.search(title)
    text = title[: mark.start()] if mark is not None else title
    word = _trailing_pattern(kind).search(text)
    if word is not None and is_known(front := text[: word.start()].rstrip(" :·|!,;–—-")):
        return Tick(fact=_fact_of(word["word"], kind), day=_day(word["day"], today), rest=front)
    return None if mark is None else Tick(fact=OWN_FACT[kind], day=None, rest=text)


def _word_pattern(kind: Kind) -> re.Pattern[str]:
    return _patterns(kind)[0]


def _trailing_pattern(kind: Kind) -> re.Pattern[str]:
    return _patterns(kind)[1]


@cache  # not before a title is read: most passes read none
def _patterns(kind: Kind) -> tuple[re.Pattern[str], re.Pattern[str]]:
    listed = sorted((*WORDS, *DONE_WORDS, *OWN_WORDS[kind]), key=len, reverse=True)
    words = "|".join(each.replace(" ", r"[\s-]") for each in listed)
    dated = rf"(?P<word>{words})(?!\w)(?:\s+(?:on\s+)?(?P<day>{_DAY}))?"
    leading = re.compile(rf"[\[(]?{dated}[\])]?", re.IGNORECASE)
    trailing = re.compile(rf"(?<!\w)[\[(]?{dated}[\])]?[.!]*$", re.IGNORECASE)
    return leading, trailing


def _fact_of(word: str, kind: Kind) -> Fact:
    return WORDS.get(re.sub(r"[\s-]", " ", word.casefold()), OWN_FACT[kind])


def _day(text: str | None, today: date) -> date | None:
    if text is None:
        return None
    if text[:4].isdigit():
        return _iso(text)
    number, month, *year = text.split()
    month_number = [m.casefold() for m in MONTHS].index(month.casefold()) + 1
    years = [int(year[0])] if year else [today.year - 1, today.year, today.year + 1]
    days = [day for y in years if (day := _valid(y, month_number, int(number))) is not None]
    return min(days, key=lambda day: abs(day - today), default=None)


def _iso(text: str) -> date | None:
    year, month, day = (int(part) for part in text.split("-"))
    return _valid(year, month, day)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _folded(title: str) -> str:
    # U+FE0F only asks for the coloured picture of a mark.
    return " ".join(title.replace("\ufe0f", "").split())
