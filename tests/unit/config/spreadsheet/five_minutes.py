"""The first five minutes: what is typed, and a recorder of the transcripts of the documentation.

``python -m tests.unit.config.spreadsheet.five_minutes`` plays them on a terminal, in the home of
whoever runs it, and prints what is seen. docs/getting-started.md shows that; record it again when
the words change.
"""

from collections.abc import Callable
from pathlib import Path

from tests.unit.config.spreadsheet.terminal import CTRL_C, Terminal, terminal

QUESTIONS = (
    ("Your name, as your mentors know you:", "Sam Reyes"),
    ("Your time zone [Europe/Berlin]:", "Europe/Madrid"),
    ("Your e-mail address (Enter: leave it out):", "sam@example.org"),
    ("What is this season called? [2027 season]:", ""),
    ("Calendar [local]:", ""),
    ("(Enter: none):", "ES"),
    ("A mentor:", "Prof. Ana Ruiz, ana.ruiz@example.edu"),
    ("Another mentor (Enter: no more):", "Dr. Jo Lindqvist"),
    ("Another mentor (Enter: no more):", ""),
    ("A program (Enter: none):", "Northgate PhD"),
    ("Deadline of Northgate PhD:", "15 Jan 2027"),
    ("Another program (Enter: no more):", "Lakeside PhD"),
    ("Deadline of Lakeside PhD:", "2/1/2027"),
    ("Deadline of Lakeside PhD:", "1 Feb 2027"),
    ("Another program (Enter: no more):", ""),
    ("For which does Prof. Ana Ruiz write? Numbers, all, or none of them [all]:", ""),
    ("When did you ask Prof. Ana Ruiz? A day (Enter: not yet):", ""),
    ("For which does Dr. Jo Lindqvist write? Numbers, all, or none of them [all]:", "1"),
    ("When did you ask Dr. Jo Lindqvist? A day (Enter: not yet):", "9 Nov 2026"),
    ("[yes]:", ""),
)
"""Each question's end, and the answer."""

SHEET = """\
Letter writer;E-mail;School;Due;Asked?;Remarks
Prof. Ana Ruiz;ana.ruiz@example.edu;Northgate PhD;01/15/2027;;
Prof. Ana Ruiz;;Lakeside PhD;02/01/2027;;
Dr. Jo Lindqvist;;Northgate PhD;01/15/2027;x;will be in Oslo
"""


def main() -> None:
    """Record, in this order: init, export, run, init --from, add."""
    home = Path.home()
    _recorded(home, ["init"], lambda screen: _answer(screen, QUESTIONS))
    _recorded(home, ["export", "-o", "letters.ics"], lambda _: None)
    _recorded(home, ["run"], _until_the_next_pass)
    (home / "letters.csv").write_text(SHEET, "utf-8")
    _recorded(
        home,
        ["-c", "season.toml", "init", "--from", "letters.csv"],
        lambda screen: _answer(screen, (("at the latest", ""), *QUESTIONS[:6], QUESTIONS[-1])),
    )
    added = ["add", "program", "Bayview PhD", "--deadline", "Feb 15, 2027"]
    _recorded(home, added, lambda _: None)


def _recorded(home: Path, arguments: list[str], play: Callable[[Terminal], None]) -> None:
    typed = " ".join(f'"{one}"' if " " in one else one for one in arguments)
    with terminal(home, *arguments) as screen:
        play(screen)
        screen.leaves()
        print(f"$ lorsync {typed}")
        print(screen.shown.replace("\r\n", "\n"))


def _answer(screen: Terminal, questions: tuple[tuple[str, str], ...]) -> None:
    for question, answer in questions:
        screen.answers(question, answer)


def _until_the_next_pass(screen: Terminal) -> None:
    screen.sees("Ctrl-C stops lorsync.")
    screen.types(CTRL_C)


if __name__ == "__main__":
    main()
