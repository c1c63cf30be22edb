"""Every word that lorsync writes into a calendar: titles, descriptions and draft messages.

The text states nothing that the config does not hold. Another language is another module like this.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar
from urllib.parse import quote

from lorsync.core.due_dates import DueDate
from lorsync.core.model import Kind, Letter, LetterId, Mentor, Program, ProgramId, Season
from lorsync.core.occasion import (
    THANK_DECLINED,
    THANK_SUBMITTED,
    Occasion,
)

TITLE_LENGTH = 60
"""Titles stay within so many characters: what a lock screen shows."""

_T = TypeVar("_T")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Words:
    """Put the occasions of one mentor into words.

    ``dues`` are the due dates of the mentor's letters.
    """

    def __init__(
        self, season: Season, mentor: Mentor, dues: Mapping[LetterId, DueDate | None]
    ) -> None:
        self._season = season
        self._mentor = mentor
        self._dues = dues
        self._letters = {letter.id: letter for letter in season.letters}

    def title(self, occasion: Occasion) -> str:
        """Return the title, at most 60 characters; a long name is what gives way."""
        before, after = self._title_parts(occasion)
        room = TITLE_LENGTH - len(before) - len(after)
        return before + shortened(self._mentor.name, room) + after

    def text(self, occasion: Occasion) -> str:
        """Return the managed text, paragraphs apart by blank lines."""
        write: Mapping[Kind, Callable[[Occasion], list[str]]] = {
            Kind.TALK: self._talk,
            Kind.REQUEST: self._request,
            Kind.ADD_LETTER: self._request,
            Kind.FOLLOW_UP: self._follow_up,
            Kind.DEADLINE: self._deadline,
            Kind.THANK_YOU: self._thank_you,
            Kind.RESULTS: self._results,
            Kind.REPLACE: self._replace,
        }
        return "\n\n".join(part for part in write[occasion.kind](occasion) if part)

    def _title_parts(self, occasion: Occasion) -> tuple[str, str]:
        count = len(occasion.letters)
        letters = "letter" if count == 1 else f"{count} letters"
        due = short_day(self._first_due(occasion))
        match occasion.kind:
            case Kind.TALK:
                return "Talk with ", " about your goals"
            case Kind.REQUEST:
                return "Ask ", f" for {'a letter' if count == 1 else letters}, due {due}"
            case Kind.ADD_LETTER:
                more = "one more letter" if count == 1 else f"{count} more letters"
                return "Ask ", f" for {more}, due {due}"
            case Kind.FOLLOW_UP:
                return "Check in with ", f": {letters} due {due}"
            case Kind.DEADLINE:
                return "Letter due: ", ""
            case Kind.THANK_YOU:
                return self._thanks_title(occasion)
            case Kind.RESULTS:
                return "Tell ", " how it turned out"
            case Kind.REPLACE:
                return "Find another writer for ", "’s letter"
            case Kind.ASSIGN:
                return "Assign the letter of ", ""

    def _thanks_title(self, occasion: Occasion) -> tuple[str, str]:
        match occasion.identity.slot:
            case slot if slot == THANK_SUBMITTED:
                return "Thank ", " for the letter"
            case slot if slot == THANK_DECLINED:
                return "Thank ", " for the answer"
            case _:
                return "Letter in? Then thank ", ""

    def _talk(self, occasion: Occasion) -> list[str]:
        goals = self._season.applicant.goals
        return [
            (
                f"Talk with {self._mentor.name} about your goals before you ask for a letter, so "
                "that the request is no surprise. Ask whether they know your work well enough to "
                "write a strong one."
            ),
            f"Your goals: {goals}" if goals else "",
            self._familiarity(),
            self._listed("It will be about:", occasion.letters),
        ]

    def _request(self, occasion: Occasion) -> list[str]:
        speak = (
            "There is no time for a talk beforehand: speak with them first, in person or by phone, "
            "and ask then."
            if occasion.speak_first
            else ""
        )
        left = (self._first_due(occasion) - occasion.day).days
        short = (
            f"Short notice: {count(left, 'day')} before it is due. Say so, and make it easy to "
            "decline."
            if occasion.status == "short-notice"
            else ""
        )
        return [
            speak,
            short,
            self._listed("Letters to ask for:", occasion.letters),
            self._packet(occasion),
            self._familiarity(),
            self._draft(
                "A letter of recommendation" if len(occasion.letters) == 1 else "Letters",
                [
                    "would you be willing to write "
                    + (
                        "a strong letter of recommendation for me"
                        if len(occasion.letters) == 1
                        else f"{len(occasion.letters)} strong letters of recommendation for me"
                    )
                    + f"? It would be due on {long_day(self._first_due(occasion))}.",
                    (
                        "I will send you my CV, the programs and what they ask for. If this is "
                        "not a good time, I understand completely."
                    ),
                ],
            ),
        ]

    def _follow_up(self, occasion: Occasion) -> list[str]:
        due = self._first_due(occasion)
        return [
            "Check in politely, once, and offer help. If the letter is in, skip this.",
            self._listed("Still open:", occasion.letters),
            self._draft(
                "Your letter of recommendation",
                [
                    (
                        "thank you again for writing for me. The letter is due on "
                        f"{long_day(due)}, and I wanted to ask whether I can help with anything: "
                        "another copy of my CV, the upload link, or a few notes."
                    ),
                    "If it is already on its way, please ignore this message.",
                ],
            ),
        ]

    def _deadline(self, occasion: Occasion) -> list[str]:
        return [
            f"The letter of {self._mentor.name} has to be in by the end of this day.",
            self._listed("Letter:", occasion.letters),
        ]

    def _thank_you(self, occasion: Occasion) -> list[str]:
        if occasion.identity.slot == THANK_DECLINED:
            return [
                "They declined. Thank them for an honest answer; you may meet again.",
                self._draft(
                    "Thank you",
                    ["thank you for your honest answer, and for the time you gave it."],
                ),
            ]
        known = occasion.identity.slot == THANK_SUBMITTED
        return [
            "The letter is in."
            if known
            else "Is the letter in? Look in the portal. If it is, thank them; if not, ring the "
            "program or the office.",
            self._listed("Letter:", occasion.letters),
            self._draft(
                "Thank you",
                [
                    (
                        "thank you for writing for me, and for the time you took over it. "
                        "I will let you know how it turns out."
                    )
                ],
            ),
        ]

    def _results(self, occasion: Occasion) -> list[str]:
        names = self._program_names(occasion.letters)
        return [
            (
                "The programs have decided. Write a note of your own to "
                f"{self._mentor.name}, whatever the outcome."
            ),
            f"The letter went to: {names}." if names else "",
        ]

    def _replace(self, occasion: Occasion) -> list[str]:
        if occasion.last_day is None or occasion.last_day < occasion.day:
            limit = "Asking is short notice from now on: ask today."
        else:
            limit = f"Asking is early enough until {long_day(occasion.last_day)}."
        return [
            (
                f"{self._mentor.name} declined, and there are now too few letters. Find another "
                f"writer. {limit}"
            ),
            self._listed("The letter was:", occasion.letters),
        ]

    def _packet(self, occasion: Occasion) -> str:
        """Return the checklist of what to send along (R3)."""
        applicant = self._season.applicant
        letters = [self._letters[letter] for letter in occasion.letters]
        stress = _unique(a for letter in letters for a in letter.attributes)
        lines = [
            _item("CV", applicant.cv),
            _item("Personal statement", applicant.statement),
            _item("Goals", applicant.goals),
            *(f"- {self._program_line(program)}" for program in self._programs(letters)),
            _item("What to stress", ", ".join(stress)),
        ]
        for letter in letters:
            lines += self._how_to_submit(letter, named=len(letters) > 1)
        return "To send along:\n" + "\n".join(lines)

    def _how_to_submit(self, letter: Letter, *, named: bool) -> list[str]:
        prefix = f"{letter.id}: " if named else ""
        lines = []
        if isinstance(letter.letter_id, str):
            lines.append(f"- {prefix}letter ID {letter.letter_id}")
        elif letter.letter_id:
            lines += [
                f"- {prefix}{portal}: letter ID {n}" for portal, n in letter.letter_id.items()
            ]
        if letter.submit_via:
            lines.append(f"- {prefix}submit via {letter.submit_via}")
        if letter.waived is not None:
            lines.append(
                f"- {prefix}right to see the letter: {'waived' if letter.waived else 'not waived'}"
            )
        return lines

    def _program_line(self, program: Program) -> str:
        portal = f" ({program.portal})" if program.portal else ""
        deadline = (
            f", deadline {long_day(program.deadline)}" if program.deadline is not None else ""
        )
        why = f": {program.why}" if program.why else ""
        return f"{program.name}{portal}{deadline}{why}"

    def _listed(self, heading: str, letters: Sequence[LetterId]) -> str:
        lines = []
        for letter_id in letters:
            letter = self._letters[letter_id]
            names = self._program_names([letter_id])
            due = self._dues.get(letter_id)
            lines.append(
                f"- {letter.type} letter"
                + (f" for {names}" if names else "")
                + (f", due {long_day(due.day)}" if due is not None else "")
            )
        return heading + "\n" + "\n".join(lines)

    def _program_names(self, letters: Sequence[LetterId]) -> str:
        programs = self._programs([self._letters[letter] for letter in letters])
        return ", ".join(program.name for program in programs)

    def _programs(self, letters: Sequence[Letter]) -> list[Program]:
        ids: list[ProgramId] = _unique(p for letter in letters for p in letter.programs)
        return [self._season.programs[program] for program in ids]

    def _familiarity(self) -> str:
        familiarity = self._mentor.familiarity
        if familiarity is None or familiarity > 2:
            return ""
        return "They know you little by your own rating: expect a plain letter."

    def _draft(self, subject: str, paragraphs: Sequence[str]) -> str:
        """Return a draft message, and an address that opens it in a mail program (RFC 6068)."""
        contact = self._mentor.contact
        letter = [f"Dear {self._mentor.name},", *paragraphs]
        to, address = self._mentor.name, self._mentor.email
        if contact is not None:
            to, address = contact.name, contact.email
            passing_on = f"could you please pass this on to {self._mentor.name}? Thank you."
            letter = [f"Dear {contact.name},", passing_on, *letter]
        body = "\n\n".join([*letter, f"Kind regards,\n{self._season.applicant.name}"])
        heading = f"A draft to {to}:"
        if address is None:
            return f"{heading}\n\n{body}"
        lines = quote(body.replace("\n", "\r\n"))
        link = f"mailto:{quote(address, safe='@')}?subject={quote(subject)}&body={lines}"
        return f"{heading}\n\n{body}\n\n{link}"

    def _first_due(self, occasion: Occasion) -> date:
        dues = [due.day for letter in occasion.letters if (due := self._dues.get(letter))]
        return min(dues, default=occasion.day)


def shortened(name: str, room: int) -> str:
    """Return a name in at most ``room`` characters, cut with an ellipsis where it is longer."""
    if len(name) <= room:
        return name
    return name[: max(1, room - 1)].rstrip() + "…"


def short_day(day: date) -> str:
    """Return a day as ``10 Sep``: no digits that could be read the other way round."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def long_day(day: date) -> str:
    """Return a day as ``10 Sep 2026``."""
    return f"{short_day(day)} {day.year}"


def count(number: int, noun: str) -> str:
    """Return ``1 day`` or ``3 days``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _item(name: str, value: str | None) -> str:
    return f"- {name}: {value}" if value else f"- {name}"


def _unique(items: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(items))
