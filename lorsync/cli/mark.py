"""``lorsync mark``: state what happened, without opening the config."""

from datetime import date

import click

from lorsync.cli.amend import tell_daemon
from lorsync.cli.context import now, parse_day, settings_of, state_of
from lorsync.cli.root import Globals
from lorsync.core.facts import Fact
from lorsync.marking import Said, mark, not_followed_up, take_back
from lorsync.planning import today_of

_NOT_FOLLOWED_UP = "not-followed-up"
_FACTS = [*(fact.value for fact in Fact if fact is not Fact.DONE), _NOT_FOLLOWED_UP]


@click.command("mark")
@click.argument("mentor")
@click.argument("fact", type=click.Choice(_FACTS, case_sensitive=False))
@click.option("--letter", "letter_id", metavar="ID", help="Only this letter, and not all of them.")
@click.option("--on", "day", callback=parse_day, metavar="DATE", help="The day.  [default: today]")
@click.option("--undo", is_flag=True, help="Take back what was said with mark.")
@click.pass_obj
def command(
    options: Globals,
    *,
    mentor: str,
    fact: str,
    letter_id: str | None,
    day: date | None,
    undo: bool,
) -> None:
    """State that a MENTOR was talked to, asked, has agreed, declined, submitted … (FACT).

    It counts for all open letters of the mentor, unless --letter names one. What the config states
    wins; what was said last replaces what was said before. Follow-ups add up; not-followed-up
    answers lorsync where it asks.
    """
    settings, state, instant = settings_of(options), state_of(options), now()
    today = today_of(settings, instant)
    if fact == _NOT_FOLLOWED_UP:
        told_nothing = not_followed_up(settings, state, mentor)
        click.echo(f"{told_nothing}: not followed up but for what the calendar shows.")
        click.echo(tell_daemon(state, "The plan follows."))
        return
    said = Said(mentor=mentor, fact=Fact(fact), letter=letter_id, day=day)
    if undo:
        for told in take_back(settings, state, said, now=instant):
            click.echo(f"{told.letter}: no longer {told.fact.words} on {told.day}.")
    else:
        for told in mark(settings, state, said, now=instant, today=today):
            click.echo(f"{told.letter}: {told.fact.words} on {told.day}.")
    click.echo(tell_daemon(state, "The plan follows."))
