"""The words of events: titles, descriptions with their draft messages, and mailto links.

The text states nothing that the config does not hold. Another language is another module like this,
and like ``phrases``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TypeVar
from urllib.parse import quote

from lorsync.core.display import shortened
from lorsync.core.model import Kind, Letter, LetterId, Program, Status
from lorsync.core.phrases import count, in_words, long_day, short_day
from lorsync.core.planner.coverage import PLAIN_LETTER
from lorsync.core.planner.dates import day_of
from lorsync.core.planner.draft_event import (
    THANK_DECLINED,
    THANK_SUBMITTED,
    DraftEvent,
    MentorContext,
)
from lorsync.core.planner.progress import Progress

_NAMED = 3
"""A draft names so many programs at most."""

_T = TypeVar("_T")


class Words:
    """Put the occasions of one mentor into words."""

    def __init__(self, context: MentorContext) -> None:
        self._season = context.season
        self._mentor = context.mentor
        self._today = context.today
        self._progress = {progress.id: progress for progress in context.letters}
        self._lines: dict[LetterId, str] = {}
        self._drafts: dict[tuple[str, ...], str] = {}

    def text(self, draft: DraftEvent) -> str:
        """Return the managed text, paragraphs apart by blank lines."""
        return "\n\n".join(filter(None, _WRITE[draft.kind](self, draft)))

    def _talk(self, draft: DraftEvent) -> list[str]:
        goals = self._season.applicant.goals
        return [
            (
                f"Talk with {self._mentor.name} about your goals before you ask for a letter, so "
                "that the request is no surprise. Ask whether they know your work well enough to "
                "write a strong one."
            ),
            f"Your goals: {goals}" if goals else "",
            self._familiarity(),
            self._listed("It will be about:", draft.letters),
            self._draft(
                "A short conversation about my plans",
                "May I ask you for half an hour to talk about my plans? I would value your advice. "
                "Any time that suits you is good for me.",
            ),
        ]

    def _request(self, draft: DraftEvent) -> list[str]:
        due = self._first_due(draft)
        number = len(draft.letters)
        short = draft.status is Status.SHORT_NOTICE
        more = draft.kind is Kind.ADD_LETTER
        wanted = ("one more" if more else "a strong") if number == 1 else in_words(number)
        if number > 1:
            wanted += " more" if more else " strong"
        noun = "letter" if number == 1 else "letters"
        when = f"It would be due on {long_day(due)}"
        if number > 1:
            several = len(dues_of(draft, self._progress)) > 1
            when = f"{'The first' if several else 'They'} would be due on {long_day(due)}"
        if short:
            when += ". I know that this is short notice, and understand if it is too soon"
        return [
            "There is no time for a talk beforehand: speak with them first, in person or by phone, "
            "and ask then."
            if draft.speak_first
            else "",
            f"Short notice: {_until(draft.day, due)}. Say so "
            "kindly, offer all the help you can, and make it easy to decline."
            if short
            else "",
            "You have asked them before; this is only about what comes on top." if more else "",
            self._listed("Letters to ask for:", draft.letters),
            self._packet(draft),
            self._familiarity(),
            self._draft(
                "A letter of recommendation" if number == 1 else "Letters of recommendation",
                f"Would you be willing to write {wanted} {noun} of recommendation for me? {when}.",
                self._applying(draft.letters),
                "I will gladly send you my CV, the programs and what they ask for, or come by to "
                "talk about it. If this is not a good time, I understand completely.",
            ),
        ]

    def _follow_up(self, draft: DraftEvent) -> list[str]:
        letters = [self._progress[letter] for letter in draft.letters]
        noun = "letter" if len(letters) == 1 else "letters"
        verb = "is" if len(letters) == 1 else "are"
        if all(progress.facts.agreed_on is not None for progress in letters):
            opening = f"Thank you again for agreeing to write the {noun} for me."
        else:
            opening = f"I am writing about the {noun} of recommendation that I asked you for."
        dues = dues_of(draft, self._progress)
        due = long_day(min(dues, default=draft.day))
        when = f"The first is due on {due}" if len(dues) > 1 else f"The due date is {due}"
        packet = (
            "Offer to send the packet (CV, programs, goals); you have not noted that you did."
            if all(progress.facts.packet_sent_on is None for progress in letters)
            else ""
        )
        return [
            (
                f"Check in politely, once, and offer help. If the {noun} {verb} in, skip this and "
                "set submitted_on."
            ),
            packet,
            self._listed("Still open:", draft.letters),
            self._draft(
                "My letter of recommendation" if len(letters) == 1 else "My letters",
                f"{opening} {when}, and I wanted to ask whether I can help with anything: another "
                "copy of my CV, the upload link, or a few notes on our work together.",
                f"If {'it is' if len(letters) == 1 else 'they are'} already on the way, please "
                "ignore this message, and thank you very much.",
            ),
        ]

    def _deadline(self, draft: DraftEvent) -> list[str]:
        return [
            (
                f"The letter of {self._mentor.name} has to be in by the end of this day"
                f"{self._driver(draft.letters[0])}."
            ),
            self._listed("Letter:", draft.letters),
            "If it is in, set submitted_on. If not, ring the office; do not write again.",
        ]

    def _thank_you(self, draft: DraftEvent) -> list[str]:
        if draft.identity.slot == THANK_DECLINED:
            return [
                "They declined. Thank them for an honest answer; you may meet again.",
                self._draft(
                    "Thank you",
                    "Thank you for your honest answer, and for the time you gave it. I hope that "
                    "we stay in touch.",
                ),
            ]
        known = draft.identity.slot == THANK_SUBMITTED
        return [
            "The letter is in."
            if known
            else "Is the letter in? Look in the portal. If it is, set submitted_on and thank them; "
            "if not, ring the program or the office.",
            self._listed("Letter:", draft.letters),
            self._draft(
                "Thank you",
                "Thank you for writing for me, and for the time and care you gave it. I will let "
                "you know how it turns out.",
            ),
        ]

    def _assign(self, draft: DraftEvent) -> list[str]:
        programs = [self._season.programs[program] for program in draft.programs]
        limit = (
            f"Do it before {long_day(draft.last_day)}, the first deadline."
            if draft.last_day is not None
            else ""
        )
        lines = [f"- {self._program_line(program)}" for program in programs]
        return [
            f"The letter of {self._mentor.name} is in. Assign it in the portal to the programs "
            f"below, and add them to assigned. {limit}".rstrip(),
            "\n".join(lines),
            self._listed("Letter:", draft.letters),
        ]

    def _results(self, draft: DraftEvent) -> list[str]:
        names = self._program_names(draft.letters)
        return [
            (
                "The programs have decided. Write a note of your own to "
                f"{self._mentor.name}, whatever the outcome."
            ),
            f"The letter went to: {names}." if names else "",
            self._draft(
                "How it turned out",
                "I wanted you to hear it from me: [how it turned out].",
                "Thank you once more for your letter. It meant a great deal to have your support.",
            ),
        ]

    def _replace(self, draft: DraftEvent) -> list[str]:
        names = " · ".join(self._season.programs[p].name for p in draft.programs)
        miss = "misses" if len(draft.programs) == 1 else "miss"
        if draft.last_day is None:
            limit = ""
        elif draft.last_day < draft.day:
            limit = "Asking is short notice from now on: ask today."
        else:
            limit = f"Asking is early enough until {long_day(draft.last_day)}."
        return [
            f"{self._mentor.name} declined, and {names} now {miss} a letter. {limit}".rstrip(),
            self._listed("The letter was:", draft.letters),
            "“lorsync suggest” ranks the others you could ask, with its reasons.",
        ]

    def _packet(self, draft: DraftEvent) -> str:
        """Return the checklist of what to send along (R3)."""
        applicant = self._season.applicant
        letters = [self._letter(letter) for letter in draft.letters]
        stress = _unique(a for letter in letters for a in letter.attributes)
        lines = [
            _item("CV", applicant.cv),
            _item("Personal statement", applicant.statement),
            _item("Goals", applicant.goals),
            *(f"- {self._program_line(program)}" for program in self._ahead(letters)),
            _item("What to stress", ", ".join(stress)),
        ]
        for letter in letters:
            lines += self._how_to_submit(letter, named=len(letters) > 1)
        return "To send along:\n" + "\n".join(lines)

    def _how_to_submit(self, letter: Letter, *, named: bool) -> list[str]:
        lines = list(_numbers(letter))
        if letter.submit_via:
            lines.append(f"submit via {letter.submit_via}")
        if letter.waived is not None:
            waived = "waived" if letter.waived else "not waived"
            lines.append(f"right to see the letter: {waived}")
        prefix = f"{letter.type} letter, " if named else ""
        return [f"- {prefix}{line}" for line in lines]

    def _program_line(self, program: Program) -> str:
        portal = f" ({program.portal})" if program.portal else ""
        day = self._deadline_day(program)
        deadline = "" if day is None else f", deadline {long_day(day)}"
        why = f": {program.why}" if program.why else ""
        return f"{program.name}{portal}{deadline}{why}"

    def _listed(self, heading: str, letters: Sequence[LetterId]) -> str:
        return "\n".join([heading, *map(self._line, letters)])

    def _line(self, letter_id: LetterId) -> str:
        """Return a letter as texts list it: its programs, portals, numbers and due date."""
        if letter_id not in self._lines:
            letter, due = self._letter(letter_id), self._progress[letter_id].due
            programs = self._programs([letter])
            names = " · ".join([program.name for program in programs])
            portals = _unique([p.portal for p in programs if p.portal])
            details = [
                f"{letter.type} letter" + (f", due {long_day(due.day)}" if due is not None else ""),
                *([f"through {', '.join(portals)}"] if portals else []),
                *_numbers(letter),
                *([f"for {names}"] if names else []),
            ]
            self._lines[letter_id] = "- " + "; ".join(details)
        return self._lines[letter_id]

    def _driver(self, letter_id: LetterId) -> str:
        """Say which program's date the due date is."""
        due = self._progress[letter_id].due
        if due is None or due.program is None:
            return ""
        whose = "your target for" if due.from_target else "the deadline of"
        return f": {whose} {self._season.programs[due.program].name}"

    def _applying(self, letters: Sequence[LetterId]) -> str:
        """Say in a draft what the letters are for; a long list is in the checklist."""
        names = [program.name for program in self._ahead([self._letter(x) for x in letters])]
        if not names:
            return ""
        if len(names) > _NAMED:
            listed = f"{'; '.join(names[: _NAMED - 1])}; and {len(names) - _NAMED + 1} more"
        else:
            listed = "; ".join(names)
        return f"I am applying to: {listed}."

    def _program_names(self, letters: Sequence[LetterId]) -> str:
        programs = self._programs([self._letter(letter) for letter in letters])
        return " · ".join(program.name for program in programs)

    def _programs(self, letters: Sequence[Letter]) -> list[Program]:
        ids = _unique([program for letter in letters for program in letter.programs])
        return [self._season.programs[program] for program in ids]

    def _ahead(self, letters: Sequence[Letter]) -> list[Program]:
        """Return the programs that a letter can still be for: who is asked now is told no others.

        All of them, where only the letter's own deadline is ahead.
        """
        programs = self._programs(letters)
        days = {program.id: self._deadline_day(program) for program in programs}
        ahead = [p for p in programs if (day := days[p.id]) is None or day >= self._today]
        return ahead or programs

    def _deadline_day(self, program: Program) -> date | None:
        if program.deadline is None:
            return None
        return day_of(program.deadline, self._season.applicant.timezone)

    def _familiarity(self) -> str:
        familiarity = self._mentor.familiarity
        if familiarity is None or familiarity > PLAIN_LETTER:
            return ""
        return "They know you little by your own rating: expect a plain letter."

    def _draft(self, subject: str, *paragraphs: str) -> str:
        """Return a draft message; that of a thank-you is the same for all letters of a mentor."""
        said = (subject, *paragraphs)
        if said not in self._drafts:
            self._drafts[said] = self._written(subject, paragraphs)
        return self._drafts[said]

    def _written(self, subject: str, paragraphs: Iterable[str]) -> str:
        """Write a draft, to the assistant where there is one, and its mailto address."""
        contact = self._mentor.contact
        body = [f"Dear {self._mentor.name},", *filter(None, paragraphs)]
        to, address = self._mentor.name, self._mentor.email
        if contact is not None:
            to, address = contact.name, contact.email
            passing_on = f"Could you please pass this on to {self._mentor.name}? Thank you."
            body = [f"Dear {contact.name},", passing_on, *body]
        body.append(f"Kind regards,\n{self._season.applicant.name}")
        link = [] if address is None else [mailto(address, subject, body)]
        return "\n\n".join([f"A draft to {to}:", *body, *link])

    def _letter(self, letter_id: LetterId) -> Letter:
        return self._progress[letter_id].letter

    def _first_due(self, draft: DraftEvent) -> date:
        return min(dues_of(draft, self._progress), default=draft.day)


# Outside of the class: a table of an object's own methods would keep it, and all that it has
# written, until the next search for cycles.
_WRITE: Mapping[Kind, Callable[[Words, DraftEvent], list[str]]] = {
    Kind.TALK: Words._talk,
    Kind.REQUEST: Words._request,
    Kind.ADD_LETTER: Words._request,
    Kind.FOLLOW_UP: Words._follow_up,
    Kind.DEADLINE: Words._deadline,
    Kind.THANK_YOU: Words._thank_you,
    Kind.ASSIGN: Words._assign,
    Kind.RESULTS: Words._results,
    Kind.REPLACE: Words._replace,
}


def _until(day: date, due: date) -> str:
    """Return how long before a due date a day is; a request may be moved beyond it (S10)."""
    days = (due - day).days
    if days > 0:
        return f"{count(days, 'day')} before it is due"
    return "it is due on this very day" if not days else f"it was due {count(-days, 'day')} before"


def _numbers(letter: Letter) -> list[str]:
    if letter.letter_id is None:
        return []
    if isinstance(letter.letter_id, str):
        return [f"letter ID {letter.letter_id}"]
    return [f"{portal} letter ID {number}" for portal, number in letter.letter_id.items()]


def _item(name: str, value: str | None) -> str:
    return f"- {name}: {value}" if value else f"- {name}"


def _unique(items: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(items))


_BREAK, _SPACE = quote("\r\n\r\n"), quote(" ")


def mailto(address: str, subject: str, paragraphs: Sequence[str]) -> str:
    """Return the URI of a message; lines end as RFC 6068 section 5 has it, with ``%0D%0A``."""
    body = _BREAK.join(map(_quoted, paragraphs))
    return f"mailto:{quote(address, safe='@')}?subject={_quoted(subject)}&body={body}"


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    # Drafts are made of the same paragraphs, and paragraphs of the same words; quoting is slow.
    return _SPACE.join(map(_quoted_word, text.split(" ")))


@lru_cache(maxsize=4096)
def _quoted_word(word: str) -> str:
    return quote(word.replace("\n", "\r\n"), safe="")


TITLE_LENGTH = 60
"""Titles stay within so many characters."""


class Titles:
    """Name the occasions of one mentor."""

    def __init__(self, context: MentorContext) -> None:
        self._mentor = context.mentor
        self._progress = {progress.id: progress for progress in context.letters}
        self._types = [progress.letter.type for progress in context.letters]

    def of(self, draft: DraftEvent) -> str:
        """Return the title, at most 60 characters; a long name is what gives way."""
        before, after = self._parts(draft)
        room = TITLE_LENGTH - len(before) - len(after)
        return before + shortened(self._mentor.name, room) + after

    def _parts(self, draft: DraftEvent) -> tuple[str, str]:
        number = len(draft.letters)
        match draft.kind:
            case Kind.DEADLINE:
                return "Letter due: ", self._which(draft)
            case Kind.THANK_YOU:
                return self._thanks(draft)
            case Kind.TALK:
                return "Talk with ", " about your goals"
            case Kind.REQUEST:
                what = "a letter" if number == 1 else count(number, "letter")
                return "Ask ", f" for {what}, {self._due(draft)}"
            case Kind.ADD_LETTER:
                more = "one" if number == 1 else str(number)
                noun = "letter" if number == 1 else "letters"
                return "Ask ", f" for {more} more {noun}, {self._due(draft)}"
            case Kind.FOLLOW_UP:
                what = "letter" if number == 1 else f"{count(number, 'letter')},"
                return "Check in with ", f": {what} {self._due(draft)}"
            case Kind.RESULTS:
                return "Tell ", " how it turned out"
            case Kind.REPLACE:
                return "Find another writer in place of ", ""
            case Kind.ASSIGN:
                return "Assign the letter of ", f" to {count(len(draft.programs), 'program')}"

    def _thanks(self, draft: DraftEvent) -> tuple[str, str]:
        match draft.identity.slot:
            case slot if slot == THANK_SUBMITTED:
                return "Thank ", f" for the letter{self._which(draft)}"
            case slot if slot == THANK_DECLINED:
                return "Thank ", " for an honest answer"
            case _:
                return "Letter in? Then thank ", self._which(draft)

    def _due(self, draft: DraftEvent) -> str:
        dues = dues_of(draft, self._progress)
        first = "first due" if len(dues) > 1 else "due"
        return f"{first} {short_day(min(dues, default=draft.day))}"

    def _which(self, draft: DraftEvent) -> str:
        """Tell a mentor's letters apart in a title, where their types do."""
        if len(self._progress) == 1:
            return ""
        own = self._progress[draft.letters[0]].letter.type
        return f" ({own})" if self._types.count(own) == 1 else ""


def dues_of(draft: DraftEvent, letters: Mapping[LetterId, Progress]) -> set[date]:
    """Return the due dates of an occasion's letters."""
    found = (letters[letter].due for letter in draft.letters)
    return {due.day for due in found if due is not None}
