"""Ask a person questions on a terminal, or read the answers line by line from a pipe.

A flow is a plain function that asks one question after the other. To go back, the last answer is
dropped and the flow runs again with the answers before it, unseen; the same way it goes on from
answers that were kept.
"""

import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, TypeVar

import click

from lorsync.cli.output.terminal import at_most_80, echo, folded
from lorsync.config.problems import shown
from lorsync.config.spreadsheet.dates import in_words, sure_day
from lorsync.core.errors import DataError

Answer = TypeVar("Answer")

HOW: Final = (
    "Enter takes what stands in [brackets]. Type “back” for the question before, “?” for more "
    "about a question, “stop” to stop."
)


class Again(Exception):  # noqa: N818 -- not an error: the person is asked once more
    """An answer that does not serve, with what to say about it."""


class Stopped(Exception):  # noqa: N818 -- not an error: the person's wish
    """The person stops; ``abruptly`` by Ctrl-C or Ctrl-D."""

    def __init__(self, *, abruptly: bool) -> None:
        super().__init__()
        self.abruptly = abruptly


class _Back(Exception):  # noqa: N818 -- not an error: the person's wish
    """The person wants the question before."""


class Interview:
    """One conversation. ``answers`` are those given so far, as they were typed."""

    def __init__(self, answers: list[str] | None = None) -> None:
        self.answers = answers or []
        # Python has no stdin where the file descriptor is closed.
        self.terminal = bool(sys.stdin) and sys.stdin.isatty()
        self._place = 0
        if self.terminal:
            import readline  # noqa: F401 -- input() then lets a line be edited

    def run(self, flow: Callable[["Interview"], Answer]) -> Answer:
        """Ask until the flow is through. Raises Stopped, and DataError where a pipe ends."""
        while True:
            self._place = 0
            try:
                return flow(self)
            except _Back:
                self.answers = self.answers[: max(0, self._place - 1)]

    def tell(self, text: str) -> None:
        """Print a paragraph, wrapped, unless the person has seen it."""
        if self._place >= len(self.answers):
            # Wrapping would drop the blank line in front.
            lead = "\n" if text.startswith("\n") else ""
            echo(lead + click.wrap_text(text.strip(), at_most_80()))

    def show(self, text: str) -> None:
        """Print lines as they are, unless the person has seen them."""
        if self._place >= len(self.answers):
            echo(text)

    def ask(
        self,
        question: str,
        take: Callable[[str], Answer],
        *,
        default: str | None = None,
        more: str = "",
    ) -> Answer:
        """Ask until ``take`` accepts an answer; it raises Again for one that does not serve.

        An empty answer means ``default``; without one, it is given to ``take`` as it is. ``more``
        is what “?” says.
        """
        ending = " " if question.endswith("?") and not default else ": "
        prompt = question + (f" [{default}]" if default else "") + ending
        while True:
            replaying = self._place < len(self.answers)
            typed = self.answers[self._place] if replaying else self._line(prompt, question, more)
            try:
                taken = take(typed or default or "")
            except Again as again:
                # What was kept may have ceased to serve; it is asked again with all after it.
                self.answers = self.answers[: self._place]
                self.tell(str(again))
                continue
            if not replaying:
                self.answers.append(typed)
            self._place += 1
            return taken

    def choose(self, question: str, options: Mapping[str, str], *, default: str | None) -> str:
        """Have one of some words chosen, by its number or its beginning."""
        words = list(options)
        width = max(map(len, words))
        for number, word in enumerate(words, start=1):
            line = f"  {number}  {word:{width}}  {options[word]}"
            self.show(folded(line, more=" " * (width + 5)))

        def take(typed: str) -> str:
            said = typed.strip().casefold()
            if said.isdecimal() and 1 <= int(said) <= len(words):
                return words[int(said) - 1]
            near = [word for word in words if said and word.casefold().startswith(said)]
            if len(near) != 1 and said not in near:
                raise Again(f"One of {', '.join(words)} is needed, or its number.")
            return said if said in near else near[0]

        return self.ask(question, take, default=default)

    def yes(self, question: str, *, default: bool | None = None, more: str = "") -> bool:
        """Ask for a yes or a no."""
        usual = {True: "yes", False: "no", None: None}[default]

        def take(typed: str) -> bool:
            said = typed.strip().casefold()
            if said not in ("y", "yes", "n", "no"):
                raise Again("yes or no?")
            return said.startswith("y")

        return self.ask(question, take, default=usual, more=more)

    def _line(self, prompt: str, question: str, more: str) -> str:
        """Read one answer; obey the words that are none."""
        while True:
            typed = self._typed(prompt, question)
            match typed.casefold():
                case "back" if self._place == 0:
                    echo("This is the first question.")
                case "back":
                    raise _Back
                case "stop":
                    raise Stopped(abruptly=False)
                case "?":
                    echo(click.wrap_text(more or "There is no more to say about it.", at_most_80()))
                    echo(click.wrap_text(HOW, at_most_80()))
                case _:
                    return typed

    def _typed(self, prompt: str, question: str) -> str:
        try:
            typed = input(prompt) if self.terminal else self._piped(prompt, question)
            typed.encode()
        except (EOFError, KeyboardInterrupt):
            echo()
            raise Stopped(abruptly=True) from None
        except UnicodeError:
            raise DataError(f"The answer to “{question}” is not UTF-8.") from None
        return typed.strip()

    def _piped(self, prompt: str, question: str) -> str:
        line = sys.stdin.readline() if sys.stdin else ""
        if not line:
            raise DataError(f"The answers end at the question “{question}”. Nothing was written.")
        echo(prompt + line.rstrip("\r\n"))
        return line


def some_day(typed: str, today: date) -> date | datetime:
    """Read a day as people write it, or an instant with its offset. Raises Again for another."""
    try:
        found = sure_day(typed, today=today)
    except ValueError as unclear:
        raise Again(f"{shown(typed)}: {unclear}.") from None
    if found.note is not None:
        raise Again(
            "Leave the time out, or say how far it is from UTC, like 2026-12-01T23:59-05:00."
        )
    return found.day


def day_ahead(typed: str, today: date) -> date | datetime:
    """Read a day that is not over yet. Raises Again for another."""
    found = some_day(typed, today)
    if _date(found) < today:
        raise Again(f"{in_words(found)} is over. Which year is meant?")
    return found


def day_gone_by(typed: str, today: date, *, but: str) -> date:
    """Read a day up to this one. Raises Again for another; ``but`` says what one has to do then."""
    day = _date(some_day(typed, today))
    if day > today:
        raise Again(f"{in_words(day)} is still to come. {but}")
    return day


def _date(found: date | datetime) -> date:
    return found.date() if isinstance(found, datetime) else found
