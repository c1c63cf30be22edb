"""``lorsync add``: put a mentor, a program or a letter into the config, and touch nothing else."""

from datetime import date, datetime
from typing import Any

import click

from lorsync.cli import complete
from lorsync.cli.context import now
from lorsync.cli.root import Globals, Suggesting
from lorsync.cli.wizard.prompt import Again, some_day
from lorsync.config.problems import shown
from lorsync.core.errors import UsageError
from lorsync.core.model import LetterType

_FORMS = click.Choice([form.value for form in LetterType])
_FACTS = {
    "talked": "you talked about your goals",
    "asked": "you asked",
    "agreed": "the mentor said yes",
    "declined": "the mentor said no",
    "packet-sent": "you sent the packet",
    "submitted": "the letter was submitted",
    "thanked": "you thanked the mentor",
}


def _deadline(text: str) -> date | datetime:
    """Take a day as people write it, or a day and time with its offset."""
    try:
        return some_day(text, now().date())
    except Again as again:
        raise click.BadParameter(str(again)) from None


def _day(text: str) -> date:
    """Take a day as people write it."""
    found = _deadline(text)
    if isinstance(found, datetime):
        raise click.BadParameter(f"{shown(text)}: a day without a time is needed.")
    return found


def _absence(text: str) -> dict[str, Any]:
    """Take days away, as FROM..TO or FROM..TO:WHY."""
    days, _, why = text.partition(":")
    first, dots, last = days.partition("..")
    if not dots:
        raise click.BadParameter(f"{shown(text)}: write it like 2027-08-07..2027-08-22.")
    absence = {"from": _day(first), "to": _day(last)}
    return absence | ({"why": why.strip()} if why.strip() else {})


_dry_run = click.option("--dry-run", is_flag=True, help="Only show what would change.")


@click.group("add", cls=Suggesting, no_args_is_help=False)
def command() -> None:
    """Add a mentor, a program or a letter to the config.

    Comments, order and style of the file stay. What is not given is asked for. The result is
    checked as a whole before the file is replaced.
    """


@command.command("mentor")
@click.argument("name", required=False)
@click.option("--id", "own", help="Short name for letters.  [default: made from the name]")
@click.option("--email", help="The mentor's address.")
@click.option("--contact", metavar="NAME", help="An assistant to write to instead.")
@click.option("--contact-email", metavar="EMAIL", help="The assistant's address.")
@click.option("--specialty", help="The mentor's field.")
@click.option("--timezone", metavar="ZONE", help="Where the mentor is, such as America/Chicago.")
@click.option("--holidays", metavar="REGION", help="Public holidays there, such as US-IL.")
@click.option("--away", type=_absence, multiple=True, metavar="FROM..TO[:WHY]",
              help="Days away, both included; may be given again.")  # fmt: skip
@click.option("--not-before", type=_day, metavar="DATE", help="No contact before this day.")
@click.option("--standing", type=int, metavar="1-5", help="How well known in the field.")
@click.option("--familiarity", type=int, metavar="1-5", help="How well your work is known.")
@click.option("--alignment", type=int, metavar="1-5", help="How near to your goal.")
@click.option("--notes", help="Your notes.")
@click.option("--somebody-else", is_flag=True, help="Yes, this is not the mentor of a like name.")
@_dry_run
@click.pass_obj
def mentor(
    options: Globals,
    /,
    *,
    name: str | None,
    own: str | None,
    contact: str | None,
    contact_email: str | None,
    somebody_else: bool,
    dry_run: bool,
    **rest: Any,
) -> None:
    """Add somebody who writes letters for you."""
    from lorsync.cli.wizard.add import add_mentor

    assistant = _assistant(contact, contact_email)
    values = {"id": own, "name": name, "email": rest.pop("email"), "contact": assistant, **rest}
    add_mentor(options, values, somebody_else=somebody_else, dry_run=dry_run)


@command.command("program")
@click.argument("name", required=False)
@click.option("--deadline", type=_deadline, metavar="DATE", help="The hard deadline.")
@click.option("--target", type=_day, metavar="DATE", help="Your own, earlier date.")
@click.option("--id", "own", help="Short name for letters.  [default: made from the name]")
@click.option("--portal", help="Where letters are uploaded, such as ERAS.")
@click.option("--lag-days", type=int, metavar="DAYS", help="Days that the portal takes.")
@click.option("--letters-min", type=int, metavar="N", help="Fewest letters.  [default: 2]")
@click.option("--letters-max", type=int, metavar="N", help="Most letters.")
@click.option("--needs", type=_FORMS, multiple=True, help="A type of letter that is required.")
@click.option("--own-letter", is_flag=True, help="Its letters serve no other program.")
@click.option("--specialty", help="The program's field.")
@click.option("--results-on", type=_day, metavar="DATE", help="The day of the decision.")
@click.option("--why", help="Why you apply there.")
@_dry_run
@click.pass_obj
def program(
    options: Globals, /, *, name: str | None, own: str | None, dry_run: bool, **rest: Any
) -> None:
    """Add something that you apply to."""
    from lorsync.cli.wizard.add import add_program

    rest["own_letter"] = rest["own_letter"] or None
    add_program(options, {"id": own, "name": name, **rest}, dry_run=dry_run)


def _fact_options(function: Any) -> Any:
    for fact, words in reversed(_FACTS.items()):
        option = click.option(
            f"--{fact}-on", type=_day, metavar="DATE", help=f"The day on which {words}."
        )
        function = option(function)
    return function


@command.command("letter")
@click.argument("mentor_text", metavar="[MENTOR]", required=False,
                shell_complete=complete.mentors)  # fmt: skip
@click.option("--program", "programs", multiple=True, metavar="ID",
              shell_complete=complete.programs,
              help="A program that it serves; may be given again.")  # fmt: skip
@click.option("--deadline", type=_deadline, metavar="DATE",
              help="Its own due date.  [default: from its programs]")  # fmt: skip
@click.option("--type", "form", type=_FORMS, help="Its form.  [default: narrative]")
@click.option("--id", "own", help="Short name.  [default: made from mentor and type]")
@click.option("--letter-id", metavar="NUMBER", help="The portal's number of the letter.")
@click.option("--lag-days", type=int, metavar="DAYS", help="Days that the portal takes.")
@click.option(
    "--waived/--not-waived", default=None, help="Whether you waived your right to read it."
)
@click.option(
    "--attribute", "attributes", multiple=True, help="What it may stress; may be given again."
)
@click.option("--submit-via", help="How the mentor submits it.")
@_fact_options
@_dry_run
@click.pass_obj
def letter(
    options: Globals,
    /,
    *,
    mentor_text: str | None,
    programs: tuple[str, ...],
    form: str | None,
    own: str | None,
    dry_run: bool,
    **rest: Any,
) -> None:
    """Add a letter that MENTOR (an id or a name) writes."""
    from lorsync.cli.wizard.add import add_letter

    values = {"id": own, "mentor": mentor_text, "type": form, "programs": programs, **rest}
    add_letter(options, values, dry_run=dry_run)


def _assistant(name: str | None, email: str | None) -> dict[str, str] | None:
    if email and not name:
        raise UsageError("--contact-email needs --contact NAME.")
    if not name:
        return None
    return {"name": name} | ({"email": email} if email else {})
