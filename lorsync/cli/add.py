"""``lorsync add``: put a mentor, a program or a letter into the config, and touch nothing else."""

import difflib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click

from lorsync.adapters.own_files import read_bytes, write_whole
from lorsync.cli.context import config_path, now
from lorsync.cli.interview import Again, Interview, Stopped
from lorsync.cli.root import Globals
from lorsync.config.problems import shown
from lorsync.core.model import LetterType
from lorsync.errors import ConfigError, DataError, UsageError
from lorsync.intake.adding import (
    Known,
    added,
    mentor_named,
    namesakes,
    new_letter_id,
    new_mentor_id,
    new_program_id,
    program_named,
    refused,
)
from lorsync.intake.days import sure_day
from lorsync.planning import refuse_unknown_regions

_FORMS = click.Choice([form.value for form in LetterType])
_FACTS = ("talked", "asked", "agreed", "declined", "packet-sent", "submitted", "thanked")


def _deadline(text: str) -> date | datetime:
    """Take a day as people write it, or a day and time with its offset."""
    try:
        found = sure_day(text, today=now().date())
    except ValueError as unclear:
        raise click.BadParameter(f"{shown(text)}: {unclear}.") from None
    if found.note is not None:
        raise click.BadParameter(
            f"{shown(text)}: its time does not say how far it is from UTC. "
            "Write it like 2026-12-01T23:59-05:00."
        )
    return found.day


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


@click.group("add")
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
    """Add somebody who writes letters for you.

    \b
    lorsync add mentor "Dr. Wei Chen" --email chen@example.edu
    lorsync add mentor "Dr. Petra Novák" --away 2027-08-01..2027-08-31:sabbatical
    """
    known, talk = _known(options), Interview()
    if name is None:
        name = _asked(talk, "The mentor's name, as you write it in a message")
        rest["email"] = rest["email"] or _asked(talk, "E-mail (Enter: leave it out)", needed=False)
    name = " ".join(name.split())
    alike = [] if somebody_else else namesakes(known, name, rest["email"])
    if alike and not (talk.terminal and _really(talk, f"Is this somebody else than {alike[0]}?")):
        raise UsageError(
            f"{shown(name)} may be {shown(alike[0])}, who is there already, and who would be "
            "reminded twice as often. If this is somebody else, say --somebody-else."
        )
    if contact_email and not contact:
        raise UsageError("--contact-email needs --contact NAME.")
    assistant = {"name": contact, "email": contact_email} if contact else None
    values = {
        "id": new_mentor_id(known, name, own),
        "name": name,
        "email": rest.pop("email"),
        "contact": assistant and {key: value for key, value in assistant.items() if value},
        **rest,
    }
    _add(known, "mentors", values, dry_run=dry_run)


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
    """Add something that you apply to.

    \b
    lorsync add program "Lakeside Internal Medicine" --deadline 2027-09-29 --needs chair
    """
    known = _known(options)
    if name is None:
        talk = Interview()
        name = _asked(talk, "The program's name")
        rest["deadline"] = rest["deadline"] or _asked_day(talk, "Its deadline")
    name = " ".join(name.split())
    rest["own_letter"] = rest["own_letter"] or None
    values = {"id": new_program_id(known, name, own), "name": name, **rest}
    _add(known, "programs", values, dry_run=dry_run)


def _fact_options(function: Any) -> Any:
    for fact in reversed(_FACTS):
        words = fact.replace("-", " ")
        option = click.option(
            f"--{fact}-on", type=_day, metavar="DATE", help=f"The day of: {words}."
        )
        function = option(function)
    return function


@command.command("letter")
@click.argument("mentor_text", metavar="MENTOR", required=False)
@click.option("--program", "programs", multiple=True, metavar="ID",
              help="A program that it serves; may be given again.")  # fmt: skip
@click.option("--deadline", type=_deadline, metavar="DATE",
              help="Its own due date.  [default: from its programs]")  # fmt: skip
@click.option("--type", "form", type=_FORMS, help="Its form.  [default: narrative]")
@click.option("--id", "own", help="Short name.  [default: made from mentor and type]")
@click.option("--letter-id", metavar="NUMBER", help="The portal's number of the letter.")
@click.option("--lag-days", type=int, metavar="DAYS", help="Days that the portal takes.")
@click.option("--waived/--not-waived", default=None, help="Your right to read it.")
@click.option(
    "--attribute", "attributes", multiple=True, help="What it may stress; again for more."
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
    """Add a letter that MENTOR (an id or a name) writes.

    \b
    lorsync add letter chen --program home --program lakeside --type chair
    lorsync add letter "Prof. Ana Ruiz" --deadline 2027-01-15 --asked-on 2026-11-20
    """
    known = _known(options)
    season = known.settings.season
    if mentor_text is None:
        talk = Interview()
        for one in season.mentors.values():
            talk.show(f"  {one.id}  {one.name}")
        mentor_text = _asked(talk, "Who writes it? An id or a name")
        if season.programs:
            for served in season.programs.values():
                talk.show(f"  {served.id}  {served.name}")
            ids = _asked(talk, "For which programs? Ids with commas (Enter: none)", needed=False)
            programs += tuple(part.strip() for part in (ids or "").split(",") if part.strip())
        if not programs:
            rest["deadline"] = rest["deadline"] or _asked_day(talk, "By when is it due?")
    mentor_text = " ".join(mentor_text.split())
    writer = mentor_named(known, mentor_text) or mentor_text
    values = {
        "id": new_letter_id(known, writer, form or LetterType.NARRATIVE.value, own),
        "mentor": writer,
        "type": form,
        "programs": list(dict.fromkeys(program_named(known, text) for text in programs)),
        **rest,
    }
    _add(known, "letters", values, dry_run=dry_run)


def _known(options: Globals) -> Known:
    path = config_path(options)
    content = read_bytes(path)
    if content is None:
        raise ConfigError(f"{path}: there is no such file. Write one with “lorsync init”.")
    return Known.of(content, path)


def _add(known: Known, table: str, values: Mapping[str, Any], *, dry_run: bool) -> None:
    """Check the whole, then show the change or make it."""
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    content, settings = added(known, table, plain)
    try:
        refuse_unknown_regions(settings)
    except ConfigError as unknown:
        raise refused(unknown) from None
    change = _lines_added(known.content, content)
    if dry_run:
        old, new = (part.decode().splitlines() for part in (known.content, content))
        name = str(known.path)
        click.echo("\n".join(difflib.unified_diff(old, new, name, name, lineterm="")))
        click.echo("Nothing was written.")
        return
    write_whole(known.path, content, before=known.content)
    click.echo(f"Added to {known.path}:\n\n{change}\n")
    letters = settings.season.letters
    if table == "mentors" and not any(one.mentor == values["id"] for one in letters):
        click.echo(f"No letter of theirs is there yet: lorsync add letter {values['id']}")
    elif table == "programs" and not any(values["id"] in one.programs for one in letters):
        click.echo(
            "No letter serves it yet: lorsync add letter, or add its id to a letter there is."
        )
    else:
        click.echo("See what is planned now: lorsync plan")


def _lines_added(old: bytes, new: bytes) -> str:
    before, after = (part.decode().splitlines() for part in (old, new))
    found = difflib.ndiff(before, after)
    return "\n".join(f"  {line[2:]}" for line in found if line.startswith("+ ") and line[2:])


def _asked(talk: Interview, question: str, *, needed: bool = True) -> Any:
    def take(typed: str) -> str | None:
        if needed and not typed:
            raise Again("An answer is needed.")
        return typed or None

    return _run(talk, question, take)


def _asked_day(talk: Interview, question: str) -> date | datetime:
    def take(typed: str) -> date | datetime:
        try:
            return sure_day(typed, today=now().date()).day
        except ValueError as unclear:
            raise Again(f"{shown(typed)}: {unclear}.") from None

    found: date | datetime = _run(talk, question, take)
    return found


def _really(talk: Interview, question: str) -> bool:
    return talk.yes(question, default=False)


def _run(talk: Interview, question: str, take: Any) -> Any:
    try:
        return talk.ask(question, take)
    except Stopped:
        raise DataError("Stopped. Nothing was written.") from None
