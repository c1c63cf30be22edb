"""The titles of events: what a lock screen shows, in words that make sense without the app."""

from collections.abc import Mapping
from datetime import date

from lorsync.core.display import shortened
from lorsync.core.model import Kind, LetterId
from lorsync.core.occasion import THANK_DECLINED, THANK_SUBMITTED, Case, Occasion
from lorsync.core.phrases import count, short_day
from lorsync.core.progress import Progress

TITLE_LENGTH = 60
"""Titles stay within so many characters."""


class Titles:
    """Name the occasions of one mentor."""

    def __init__(self, case: Case) -> None:
        self._mentor = case.mentor
        self._progress = {progress.id: progress for progress in case.letters}
        self._types = [progress.letter.type for progress in case.letters]

    def of(self, occasion: Occasion) -> str:
        """Return the title, at most 60 characters; a long name is what gives way."""
        before, after = self._parts(occasion)
        room = TITLE_LENGTH - len(before) - len(after)
        return before + shortened(self._mentor.name, room) + after

    def _parts(self, occasion: Occasion) -> tuple[str, str]:
        number = len(occasion.letters)
        match occasion.kind:
            case Kind.DEADLINE:
                return "Letter due: ", self._which(occasion)
            case Kind.THANK_YOU:
                return self._thanks(occasion)
            case Kind.TALK:
                return "Talk with ", " about your goals"
            case Kind.REQUEST:
                what = "a letter" if number == 1 else count(number, "letter")
                return "Ask ", f" for {what}, {self._due(occasion)}"
            case Kind.ADD_LETTER:
                more = "one" if number == 1 else str(number)
                noun = "letter" if number == 1 else "letters"
                return "Ask ", f" for {more} more {noun}, {self._due(occasion)}"
            case Kind.FOLLOW_UP:
                what = "letter" if number == 1 else f"{count(number, 'letter')},"
                return "Check in with ", f": {what} {self._due(occasion)}"
            case Kind.RESULTS:
                return "Tell ", " how it turned out"
            case Kind.REPLACE:
                return "Find another writer in place of ", ""
            case Kind.ASSIGN:
                return "Assign the letter of ", f" to {count(len(occasion.programs), 'program')}"

    def _thanks(self, occasion: Occasion) -> tuple[str, str]:
        match occasion.identity.slot:
            case slot if slot == THANK_SUBMITTED:
                return "Thank ", f" for the letter{self._which(occasion)}"
            case slot if slot == THANK_DECLINED:
                return "Thank ", " for an honest answer"
            case _:
                return "Letter in? Then thank ", self._which(occasion)

    def _due(self, occasion: Occasion) -> str:
        dues = dues_of(occasion, self._progress)
        first = "first due" if len(dues) > 1 else "due"
        return f"{first} {short_day(min(dues, default=occasion.day))}"

    def _which(self, occasion: Occasion) -> str:
        """Tell a mentor's letters apart in a title, where their types do."""
        if len(self._progress) == 1:
            return ""
        own = self._progress[occasion.letters[0]].letter.type
        return f" ({own})" if self._types.count(own) == 1 else ""


def dues_of(occasion: Occasion, letters: Mapping[LetterId, Progress]) -> set[date]:
    """Return the due dates of an occasion's letters."""
    found = (letters[letter].due for letter in occasion.letters)
    return {due.day for due in found if due is not None}
