"""``lorsync mark``: state what happened, without opening the config."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from lorsync.cli import complete
from lorsync.cli.complete import Words
from lorsync.cli.context import now, parse_day, say, settings_of, state_of
from lorsync.cli.root import Globals

if TYPE_CHECKING:
    from lorsync.core.facts import Mark

_NOT_FOLLOWED_UP = "not-followed-up"


def _facts() -> list[str]:
    from lorsync.core.facts import ROWS

    return [*(fact.value for fact in ROWS), _NOT_FOLLOWED_UP]


def _other_words() -> dict[str, str]:
    from lorsync.core.event.title_ticks import facts_by_word

    return {word: fact.value for word, fact in facts_by_word().items()}


@click.command("mark")
@click.argument("mentor", shell_complete=complete.mentors)
@click.argument("fact", type=Words(_facts, _other_words))
@click.option(
    "--letter",
    "letter_id",
    metavar="ID",
    help="Only this letter, and not all of them.",
    shell_complete=complete.letters,
)
@click.option("--on", "day", callback=parse_day, metavar="DATE", help="The day.  [default: today]")
@click.option("--undo", is_flag=True, help="Take back what was said with mark.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    options: Globals,
    *,
    mentor: str,
    fact: str,
    letter_id: str | None,
    day: date | None,
    undo: bool,
    as_json: bool,
) -> None:
    """State that a MENTOR was talked to, asked, has agreed, declined, submitted … (FACT).

    It counts for all open letters of the mentor, unless --letter names one. What the config states
    wins; what was said last replaces what was said before. Follow-ups add up; not-followed-up
    answers lorsync where it asks.

    FACT is talked, asked, followed-up, agreed, declined, packet-sent, submitted, thanked,
    results-shared or not-followed-up, or another word that a tick in a title takes, such as
    received.
    """
    from lorsync.cli.commands._overrides import tell_daemon
    from lorsync.core.facts import Fact
    from lorsync.sync.marks import Said, mark, not_followed_up, take_back
    from lorsync.sync.plan import today_of

    settings, state, instant = settings_of(options), state_of(options), now()
    marks: Sequence[Mark] = ()
    if fact == _NOT_FOLLOWED_UP:
        who = not_followed_up(settings, state, mentor, now=instant)
        lines = [f"{who}: not followed up but for what the calendar shows."]
    else:
        said = Said(mentor=mentor, fact=Fact(fact), letter=letter_id, day=day)
        if undo:
            marks = take_back(settings, state, said, now=instant)
        else:
            marks = mark(settings, state, said, now=instant, today=today_of(settings, instant))
        taken_back = "taken back: " if undo else ""
        lines = [f"{each.letter}: {taken_back}{each.fact.words} on {each.day}." for each in marks]
    lines.append(tell_daemon(state, "The plan follows."))
    if as_json:
        from lorsync.cli.output.documents import show

        told = [{"letter": m.letter, "fact": m.fact, "on": m.day.isoformat()} for m in marks]
        show({"mentor": mentor, "undone" if undo else "marked": told})
        return
    say(options, *lines)
