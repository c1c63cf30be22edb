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
from typing import Final, NamedTuple

from lorsync.core.facts import OWN_FACT, ROWS, Fact
from lorsync.core.model import YEARS, Kind
from lorsync.core.phrases import MONTHS, short_day

WORDS: Final[Mapping[str, Fact]] = {word: fact for fact, row in ROWS.items() for word in row.words}
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


def facts_by_word() -> dict[str, Fact]:
    """Return what each word states that means one fact, whatever the event: ``mark`` takes these.

    What is said of several kinds of event, such as “sent”, needs an event to mean something.
    """
    named = {fact.words: fact for fact in ROWS} | dict(WORDS)
    meant: dict[str, set[Fact]] = {}
    for kind, words in OWN_WORDS.items():
        for word in words:
            meant.setdefault(word, set()).add(OWN_FACT[kind])
    named |= {word: next(iter(facts)) for word, facts in meant.items() if len(facts) == 1}
    return {word: fact for word, fact in named.items() if fact in ROWS}


MARKS: Final = ("✓", "✔", "☑", "✅", "🗹", "√", "[x]", "[✓]", "(x)")
"""Marks that say that an event is done; in any case of letters."""

_BOXED = r"[\[(［（【]\s*[xｘ✓✔☑✅√]\s*[\])］）】]"
"""A mark in a box, as other keyboards have it too."""

_LONGEST = 1000
"""A longer title is no title, and states nothing: to search it would take its time."""

_MARK = "|".join([_BOXED, *(re.escape(mark) for mark in MARKS)])
_UNSEEN = "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
)
"""What keyboards and mail programs add and nobody sees: joiners, directions, byte order marks."""

_PICTURE = re.compile(rf"({_MARK})[\ufe0e\ufe0f{_UNSEEN}]+", re.IGNORECASE)
_LEADING_MARK = re.compile(rf"(?:(?:{_MARK})\s*)+", re.IGNORECASE)
_MONTH = "|".join(MONTHS)
_ANY_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = (
    r"(?:\d{4}-\d\d-\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s?{_ANY_MONTH}(?:\s\d{{4}})?"
    rf"|{_ANY_MONTH}\s?\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?)(?!\w)"
)
_OF_A_DAY = re.compile(r"[a-z]{3,}|\d+", re.IGNORECASE)
_LEADING_DAY = re.compile(rf"(?:on\s+)?[\[(]?(?P<day>{_DAY})[\])]?", re.IGNORECASE)
_TRAILING_MARK = re.compile(
    rf"[\s:·|,;–—-]*(?:\s*(?:{_MARK}))+(?:\s*(?:on\s+)?[\[(]?(?P<day>{_DAY})[\])]?)?$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\s*(?:[:·|!,;–—：，；！、]|->|--+|\.(?=\s|$)|\s[-‐‑−―]|[-‐‑−―](?=\s|$))\s*"
)
_OPENING, _CLOSING = r"[\[({<*_~\"'“‘«［（【]*", r"[\])}>*_~\"'”’»］）】]*"
_AROUND = rf"(?:{_MARK}|[\s\[\](){{}}<>*_~\"'“”‘’«»［］（）【】:·|!,;.…–—‐‑−―/\\→⇒=：，；。！、-])*"
_BEFORE_KNOWN = re.compile(rf"{_AROUND}", re.IGNORECASE)
_BEHIND_KNOWN = re.compile(rf"{_AROUND}$", re.IGNORECASE)
_FACT = "|".join(fact.words for fact in Fact)
_FORM = re.compile(rf"✓ (?P<word>{_FACT}) (?P<day>\d{{1,2}} (?:{_MONTH}))(?: · |$)")
_FORMS = re.compile(rf"(?:[\s{_UNSEEN}]*+✓ (?:{_FACT}) \d{{1,2}} (?:{_MONTH})(?: · |$))++")
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
    title = folded(title)
    if len(title) > _LONGEST or (is_known(title) and _FORM.match(title) is None):
        return None

    def known(text: str) -> bool:
        return is_known(text) or is_known(without_tick(text))

    tick = (
        _added(title, kind, known, today)
        or _leading(title, kind, known, today)
        or _trailing(title, kind, known, today)
    )
    if tick is None:
        return None
    return Tick(fact=tick.fact, day=tick.day, rest=without_tick(tick.rest))


def ticked_title(fact: Fact, day: date, rest: str) -> str:
    """Return a title in the one form; parsing it gives back the fact, day and rest."""
    behind = f" · {title}" if (title := without_tick(rest)) else ""
    return f"✓ {fact.words} {short_day(day)}{behind}"


def without_tick(title: str) -> str:
    """Return a title without a tick in the one form."""
    title = folded(title)
    found = _FORMS.match(title)
    return title if found is None else folded(title[found.end() :])


def is_settled(title: str, fact: Fact, day: date) -> bool:
    """Tell whether a title states a fact in the one form already."""
    found = _FORM.match(folded(title))
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
    for pattern in _patterns(kind).leading:
        word = pattern.match(text)
        if word is not None and (rest := _rest(text[word.end() :], is_known)) is not None:
            return Tick(fact=_fact_of(word["word"], kind), day=_day(word["day"], today), rest=rest)
    if mark is None:
        return None
    if word is not None:
        # Right behind a mark, a word is no part of a sentence.
        behind = text[word.end() :].strip()
        return Tick(fact=_fact_of(word["word"], kind), day=_day(word["day"], today), rest=behind)
    added = _word_behind(text, kind, is_known, None, today)
    if added is not None:
        return added
    day = _LEADING_DAY.match(text)
    if day is not None and (rest := _rest(text[day.end() :], is_known)) is not None:
        return Tick(fact=OWN_FACT[kind], day=_day(day["day"], today), rest=rest)
    separator = _SEPARATOR.match(text)
    rest = text[separator.end() :] if separator is not None else text
    return Tick(fact=OWN_FACT[kind], day=None, rest=rest)


def _added(title: str, kind: Kind, is_known: Callable[[str], bool], today: date) -> Tick | None:
    """Return what a word behind a title in the one form adds to it."""
    if _FORM.match(title) is None:
        return None
    return _word_behind(without_tick(title), kind, is_known, None, today)


def _rest(behind: str, is_known: Callable[[str], bool]) -> str | None:
    """Return the title behind a word, None where neither a separator nor the title shows its end.

    Before a title that the event had before, anything may stand that is no word.
    """
    found = _BEFORE_KNOWN.match(behind)
    alone = behind if found is None else behind[found.end() :]
    known = next((text for text in (behind.strip(), alone) if is_known(text)), None)
    if known is not None:
        return known
    separator = _SEPARATOR.match(behind)
    if separator is not None:
        return behind[separator.end() :]
    return None if alone else ""


def _trailing(title: str, kind: Kind, is_known: Callable[[str], bool], today: date) -> Tick | None:
    mark = _TRAILING_MARK.search(title)
    text = title[: mark.start()] if mark is not None else title
    typed = None if mark is None else mark["day"]
    tick = _word_behind(text, kind, is_known, typed, today)
    if tick is not None or mark is None:
        return tick
    return Tick(fact=OWN_FACT[kind], day=_day(typed, today), rest=text)


def _word_behind(
    text: str, kind: Kind, is_known: Callable[[str], bool], typed: str | None, today: date
) -> Tick | None:
    """Return what a word behind a title that the event had before states; ``typed`` is its day."""
    word = _patterns(kind).trailing.search(text)
    if word is None or not is_known(front := _front(text[: word.start()])):
        return None
    day = _day(word["day"] or typed, today)
    return Tick(fact=_fact_of(word["word"], kind), day=day, rest=front)


def _front(text: str) -> str:
    """Return what stands before a word, without what is no word between them."""
    found = _BEHIND_KNOWN.search(text)
    return text if found is None else text[: found.start()]


class _Patterns(NamedTuple):
    """Words before a title, first those with a day behind a separator, and words behind one."""

    leading: tuple[re.Pattern[str], ...]
    trailing: re.Pattern[str]


@cache  # not before a title is read: most passes read none
def _patterns(kind: Kind) -> _Patterns:
    listed = sorted((*WORDS, *DONE_WORDS, *OWN_WORDS[kind]), key=len, reverse=True)
    words = "|".join(each.replace(" ", r"[\s-]") for each in listed)
    word = rf"(?P<word>{words})(?!\w)"
    day = rf"(?:on\s+)?[\[(]?(?P<day>{_DAY})[\])]?"
    dated = rf"{word}(?:\s+{day})?"
    apart = re.compile(rf"{_OPENING}{word}{_CLOSING}\s*[:,;–—-]\s*{day}", re.IGNORECASE)
    leading = re.compile(rf"{_OPENING}{dated}{_CLOSING}", re.IGNORECASE)
    trailing = re.compile(rf"(?<!\w){_OPENING}{dated}{_CLOSING}[.!]*$", re.IGNORECASE)
    return _Patterns(leading=(apart, leading), trailing=trailing)


def _fact_of(word: str, kind: Kind) -> Fact:
    return WORDS.get(re.sub(r"[\s-]", " ", word.casefold()), OWN_FACT[kind])


def _day(text: str | None, today: date) -> date | None:
    if text is None:
        return None
    if text[:4].isdigit():
        return _iso(text)
    parts = _OF_A_DAY.findall(text)
    number, *year = (int(part) for part in parts if part.isdigit())
    name = next(part for part in parts if part[:3].capitalize() in MONTHS)
    month = MONTHS.index(name[:3].capitalize()) + 1
    years = year or [today.year - 1, today.year, today.year + 1]
    days = [day for y in years if (day := _valid(y, month, number)) is not None]
    return min(days, key=lambda day: abs(day - today), default=None)


def _iso(text: str) -> date | None:
    year, month, day = (int(part) for part in text.split("-"))
    return _valid(year, month, day)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def folded(title: str) -> str:
    """Return a title as it is read: white space folded, and nothing unseen at a mark or its ends.

    U+FE0E and U+FE0F only ask for the plain or the coloured picture of a mark. Elsewhere they may
    be part of the person's words, and stay.
    """
    return _PICTURE.sub(r"\1", " ".join(title.split()).strip(f" {_UNSEEN}"))
