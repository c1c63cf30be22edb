"""``lorsync export``: the plan as one ``.ics`` file."""

import os
import sys
import tempfile
from datetime import date
from pathlib import Path

import click

from lorsync.cli.context import now, parse_day, settings_of
from lorsync.cli.root import Globals
from lorsync.core.model import Kind, MentorId
from lorsync.errors import UsageError
from lorsync.planning import today_of


@click.command("export")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file; - for stdout.")
@click.option("--mentor", "mentors", multiple=True, metavar="ID", help="Only this mentor's.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(tuple(kind.value for kind in Kind)),
    help="Only events of this kind.",
)
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Plan as if it were this day.")
@click.pass_obj
def command(
    options: Globals,
    *,
    output: str,
    mentors: tuple[str, ...],
    kinds: tuple[str, ...],
    as_of: date | None,
) -> None:
    """Write the planned events to one .ics file. No server and no password are needed."""
    from lorsync.export import export

    settings = settings_of(options)
    body = export(
        settings,
        today=as_of or today_of(settings, now()),
        mentors=[MentorId(mentor) for mentor in mentors],
        kinds=[Kind(kind) for kind in kinds],
    )
    if output == "-":
        sys.stdout.buffer.write(body)
        return
    _write(Path(output), body)
    number = body.count(b"BEGIN:VEVENT")
    click.echo(f"{number} event{'' if number == 1 else 's'} written to {output}.")


def _write(path: Path, body: bytes) -> None:
    """Write a file whole or not at all; one that is there is replaced."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            # mkstemp's file is for the user alone; an export is for handing on.
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}."
        raise UsageError(msg) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
