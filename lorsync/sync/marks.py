"""State a fact with ``mark``, or take it back; the ledger keeps it beside the config (S13)."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from lorsync.adapters.ledger.store import SqliteLedger, has_ledger, open_ledger
from lorsync.adapters.state_dir import TURN_SECONDS, make_state_dir
from lorsync.core.errors import UsageError
from lorsync.core.facts import FIELDS, ROWS, Fact, Mark, with_statements
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.unknown_history import unanswered, with_answers
from lorsync.core.model import Letter, MentorId, Season
from lorsync.core.phrases import near
from lorsync.core.settings import Settings
from lorsync.sync.plan import check_owner, doubts_of, entries_of, marks_of, remember_doubts, said_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person said: of which mentor (id or name), which letter (all when None), and when."""

    mentor: str
    fact: Fact
    letter: str | None = None
    day: date | None = None


def mark(
    settings: Settings, state: Path, said: Said, *, now: datetime, today: date
) -> tuple[Mark, ...]:
    """State a fact; return what counts now. ``today`` is the default day, and the latest possible.

    Raises UsageError where the mentor or letter is unknown, the day is ahead, or the config states
    the fact already: what it says wins.
    """
    day = said.day or today
    if day > today:
        msg = f"{day} is still ahead. State it when it has happened."
        raise UsageError(msg)
    make_state_dir(state)
    with _ledger(settings.season, state) as ledger:
        before = marks_of(settings.season, ledger)
        told = with_statements(settings.season, said_of(settings.season, ledger))
        chosen = _letters(settings.season, told, said)
        _check_config(chosen, said.fact, day)
        marks = [
            Mark(letter=letter.id, fact=said.fact, day=day, said=now, mentor=letter.mentor)
            for letter in chosen
            if ROWS[said.fact].repeats or _in_config(letter, said.fact) is None
        ]
        ledger.save_marks([*_replaced(before, marks, now), *marks])
        if said.fact is Fact.FOLLOWED_UP:
            asked = doubts_of(settings.season, ledger)
            followed = {letter.mentor for letter in chosen}
            remember_doubts(ledger, with_answers(asked, followed, now))
    return tuple(marks)


def not_followed_up(settings: Settings, state: Path, mentor: str, *, now: datetime) -> MentorId:
    """Say that a mentor was not followed up but for what the calendar shows (S4); return the id.

    ``now`` is aware. Raises UsageError where nobody asked.
    """
    found = _mentor(settings.season, mentor)
    if has_ledger(state):
        with _ledger(settings.season, state) as ledger:
            asked = doubts_of(settings.season, ledger)
            remember_doubts(ledger, with_answers(asked, {found}, now))
        if found in unanswered(asked):
            return found
    msg = f"Nobody asked: it is known how often {found} was followed up."
    raise UsageError(msg)


def take_back(settings: Settings, state: Path, said: Said, *, now: datetime) -> tuple[Mark, ...]:
    """Take back what was said with ``mark``, and return it; of one day only, where one is given.

    So are ticks of which only the memory tells: no title shows them. Raises UsageError where
    nothing was said.
    """
    known = _letters(settings.season, settings.season, said, all_of_them=True)
    ids = {letter.id for letter in known}
    found: list[Mark] = []
    if has_ledger(state):
        with _ledger(settings.season, state) as ledger:
            found = [
                each
                for each in marks_of(settings.season, ledger)
                if each.letter in ids and each.fact is said.fact and not each.withdrawn
                if said.day in (None, each.day)
            ]
            ledger.save_marks(replace(each, withdrawn=True, said=now) for each in found)
            found += _learned_ticks_taken_back(settings.season, ledger, said, ids, now)
    if not found:
        msg = (
            f"Nothing of the kind was said with mark: {said.mentor} {said.fact}. What the config "
            "or the calendar states is taken back there; lorsync status shows where each fact is "
            "from."
        )
        raise UsageError(msg)
    return tuple(found)


def _learned_ticks_taken_back(
    season: Season, ledger: SqliteLedger, said: Said, letters: Collection[str], now: datetime
) -> list[Mark]:
    found: list[Mark] = []
    changed: list[Entry] = []
    for entry in entries_of(season, ledger):
        own = [letter for letter in entry.letters if letter in letters]
        days = [d for fact, d in entry.ticks if fact is said.fact and said.day in (None, d)]
        if entry.learned and own and days:
            left = tuple(t for t in entry.ticks if t[0] is not said.fact or t[1] not in days)
            changed.append(replace(entry, ticks=left))
            found += [
                Mark(letter=letter, fact=said.fact, day=day, said=now, withdrawn=True)
                for letter in own
                for day in days
            ]
    ledger.save(changed)
    return found


@contextmanager
def _ledger(season: Season, state: Path) -> Iterator[SqliteLedger]:
    with open_ledger(state, lock=TURN_SECONDS) as ledger:
        check_owner(season, ledger)
        yield ledger


def _replaced(before: Iterable[Mark], marks: Iterable[Mark], now: datetime) -> list[Mark]:
    """Return the older marks that new ones take the place of, as taken back."""
    said = {(each.letter, each.fact): each.day for each in marks}
    return [
        replace(each, withdrawn=True, said=now)
        for each in before
        if not ROWS[each.fact].repeats and not each.withdrawn
        if said.get((each.letter, each.fact), each.day) != each.day
    ]


def _letters(
    season: Season, told: Season, said: Said, *, all_of_them: bool = False
) -> list[Letter]:
    """Return the letters that a statement is about; ``told`` is the season with all facts."""
    mentor = _mentor(season, said.mentor)
    own = [letter for letter in season.letters if letter.mentor == mentor]
    if said.letter is not None:
        chosen = [letter for letter in own if letter.id == said.letter]
        if not chosen:
            ids = [letter.id for letter in own]
            meant = near(said.letter, ids)
            hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(ids)}."
            msg = f"{said.mentor} has no letter {said.letter!r}; {hint}"
            raise UsageError(msg)
        return chosen
    still_open = {letter.id for letter in told.letters if _is_open(letter)}
    if (
        all_of_them
        or ROWS[said.fact].after_the_end
        or not still_open.intersection(x.id for x in own)
    ):
        return own
    return [letter for letter in own if letter.id in still_open]


def _mentor(season: Season, text: str) -> MentorId:
    writers = {letter.mentor for letter in season.letters}
    names = {season.mentors[mentor].name: mentor for mentor in writers}
    if text in writers:
        return MentorId(text)
    if text in names:
        return names[text]
    meant = near(text, [*writers, *names])
    hint = f"did you mean {meant!r}?" if meant else "there are " + ", ".join(sorted(writers)) + "."
    msg = f"No letter is by {text!r}; {hint}"
    raise UsageError(msg)


def _is_open(letter: Letter) -> bool:
    return letter.facts.submitted_on is None and letter.facts.declined_on is None


def _in_config(letter: Letter, fact: Fact) -> date | None:
    value = getattr(letter.facts, FIELDS[fact])
    return value if isinstance(value, date) else None


def _check_config(letters: Iterable[Letter], fact: Fact, day: date) -> None:
    """Raise UsageError where the config states the fact of every one of these letters."""
    listed = list(letters)
    stated = [(letter.id, own) for letter in listed if (own := _in_config(letter, fact))]
    if ROWS[fact].repeats or len(stated) < len(listed):
        return
    told = ", ".join(f"{letter}: {FIELDS[fact]} = {own}" for letter, own in stated)
    agree = all(own == day for _, own in stated)
    more = "nothing more is needed" if agree else "the config wins; change it there"
    msg = f"The config says {told}; {more}."
    raise UsageError(msg)
