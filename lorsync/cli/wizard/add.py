"""What ``lorsync add`` does: ask for what is missing, check the whole, write or show the change."""

import difflib
import shlex
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from lorsync.adapters.files import write_whole
from lorsync.adapters.holidays import known_regions
from lorsync.cli import context
from lorsync.cli.output.terminal import echo
from lorsync.cli.root import Globals
from lorsync.cli.wizard.prompt import Again, Interview, Stopped, some_day
from lorsync.config.additions import (
    Known,
    added,
    mentor_named,
    namesakes,
    new_letter_id,
    new_mentor_id,
    new_program_id,
    program_named,
)
from lorsync.config.problems import shown
from lorsync.config.reading import content_of
from lorsync.core.errors import DataError, UsageError
from lorsync.core.model import LetterType

Answer = TypeVar("Answer")
Values = Mapping[str, Any]


def add_mentor(options: Globals, values: Values, *, somebody_else: bool, dry_run: bool) -> None:
    """Add a mentor; ``values`` are the keys of the entry, those left out None."""
    known, talk = _known(options), Interview()
    name, email = values["name"], values["email"]
    if name is None:
        name = _needed(talk, "The mentor's name, as you write it in a message")
        email = email or _asked(talk, "E-mail (Enter: leave it out)", str) or None
    name = " ".join(name.split())
    alike = [] if somebody_else else namesakes(known, name, email)
    if alike and not (talk.terminal and _is_somebody_else(talk, alike[0])):
        raise UsageError(
            f"{shown(name)} may be {shown(alike[0])}, who is there already, and who would be "
            "reminded twice as often. If this is somebody else, say --somebody-else."
        )
    own = new_mentor_id(known, name, values["id"])
    _add(
        options,
        known,
        "mentors",
        {**values, "id": own, "name": name, "email": email},
        dry_run=dry_run,
    )


def add_program(options: Globals, values: Values, *, dry_run: bool) -> None:
    """Add a program; ``values`` are the keys of the entry, those left out None."""
    known = _known(options)
    name, deadline = values["name"], values["deadline"]
    if name is None:
        talk = Interview()
        name = _needed(talk, "The program's name")
        deadline = deadline or _day(talk, "Its deadline")
    name = " ".join(name.split())
    own = new_program_id(known, name, values["id"])
    _add(options, known, "programs", {**values, "id": own, "name": name, "deadline": deadline},
         dry_run=dry_run)  # fmt: skip


def add_letter(options: Globals, values: Values, *, dry_run: bool) -> None:
    """Add a letter; ``values`` are the keys of the entry, those left out None."""
    known = _known(options)
    writer, programs, deadline = values["mentor"], values["programs"], values["deadline"]
    if writer is None:
        writer, programs, deadline = _letter_asked(known, programs, deadline)
    writer = " ".join(writer.split())
    writer = mentor_named(known, writer) or writer
    form = values["type"] or LetterType.NARRATIVE.value
    said = {
        "id": new_letter_id(known, writer, form, values["id"]),
        "mentor": writer,
        "programs": list(dict.fromkeys(program_named(known, text) for text in programs)),
        "deadline": deadline,
    }
    _add(options, known, "letters", {**values, **said}, dry_run=dry_run)


def _letter_asked(
    known: Known, programs: tuple[str, ...], deadline: date | datetime | None
) -> tuple[str, tuple[str, ...], date | datetime | None]:
    """Ask who writes, for what, and, where no program gives a date, by when."""
    season, talk = known.settings.season, Interview()
    for mentor in season.mentors.values():
        talk.show(f"  {mentor.id}  {mentor.name}")
    writer = _needed(talk, "Who writes it? An id or a name")
    if season.programs:
        for program in season.programs.values():
            talk.show(f"  {program.id}  {program.name}")
        ids = _asked(talk, "For which programs? Ids with commas (Enter: none)", str)
        programs += tuple(part.strip() for part in ids.split(",") if part.strip())
    if not programs and deadline is None:
        deadline = _day(talk, "By when is it due?")
    return writer, programs, deadline


def _known(options: Globals) -> Known:
    path = context.config_path(options)
    return Known.of(content_of(path), path, known_regions)


def _add(options: Globals, known: Known, table: str, values: Values, *, dry_run: bool) -> None:
    """Check the whole, then show the change or make it."""
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    content, settings = added(known, table, plain)
    if dry_run:
        echo("\n".join(_difference(known, content, around=3)))
        echo("Nothing was written.")
        return
    write_whole(known.path, content, before=known.content)
    lines = [line[1:] for line in _difference(known, content, around=0)[2:] if line[:1] == "+"]
    context.say(options, f"Added to {known.path}:\n")
    context.say(options, "\n".join(f"  {line}" for line in lines if line) + "\n")
    letters = settings.season.letters
    if table == "mentors" and not any(one.mentor == values["id"] for one in letters):
        words = f"lorsync add letter {shlex.quote(str(values['id']))}"
        context.say(options, f"No letter of theirs is there yet: {words}")
    elif table == "programs" and not any(values["id"] in one.programs for one in letters):
        context.say(
            options,
            "No letter serves it yet: lorsync add letter, or add its id to a letter there is.",
        )
    else:
        context.say(options, "See what is planned now: lorsync plan")


def _difference(known: Known, content: bytes, *, around: int) -> list[str]:
    """Compare the lines of before and after, with so many unchanged ones around."""
    old, new = (part.decode().splitlines() for part in (known.content, content))
    name = str(known.path)
    return list(difflib.unified_diff(old, new, name, name, lineterm="", n=around))


def _needed(talk: Interview, question: str) -> str:
    def take(typed: str) -> str:
        if not typed:
            raise Again("An answer is needed.")
        return typed

    return _asked(talk, question, take)


def _day(talk: Interview, question: str) -> date | datetime:
    return _asked(talk, question, lambda typed: some_day(typed, context.now().date()))


def _is_somebody_else(talk: Interview, name: str) -> bool:
    try:
        return talk.yes(f"Is this somebody else than {name}?", default=False)
    except Stopped:
        raise DataError("Stopped. Nothing was written.") from None


def _asked(talk: Interview, question: str, take: Callable[[str], Answer]) -> Answer:
    try:
        return talk.ask(question, take)
    except Stopped:
        raise DataError("Stopped. Nothing was written.") from None
