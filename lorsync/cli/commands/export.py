"""``lorsync export``: the plan as one ``.ics`` file, or as one for each mentor."""

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.cli import complete
from lorsync.cli.complete import Words
from lorsync.cli.context import now, parse_day, say, settings_of, state_of
from lorsync.cli.files import write_whole
from lorsync.cli.output.terminal import complain, counted
from lorsync.cli.root import Globals
from lorsync.core.errors import UnwritableError, UsageError

if TYPE_CHECKING:
    from lorsync.core.model import Event

_STDOUT = "-"


def _kinds() -> list[str]:
    from lorsync.core.model import Kind

    return [kind.value for kind in Kind]


@click.command("export")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="One file with all events; - for stdout.",
)
@click.option(
    "--split",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="One file for each mentor, in this folder.",
)
@click.option(
    "--mentor",
    "mentors",
    multiple=True,
    metavar="ID",
    help="Only this mentor's events.",
    shell_complete=complete.mentors,
)
@click.option(
    "--program",
    "programs",
    multiple=True,
    metavar="ID",
    help="Only events for this program.",
    shell_complete=complete.programs,
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=Words(_kinds),
    metavar="KIND",
    help="Only events of this kind: talk, request, add-letter, follow-up, deadline, thank-you, "
    "assign, results or replace.",
)
@click.option(
    "--with-drafts/--without-drafts",
    "drafts",
    default=True,
    help="With your drafts, notes and alarms, for yourself; or without, for somebody else.  "
    "[default: with]",
)
@click.option("--as-of", metavar="DATE", callback=parse_day, help="Plan as if it were this day.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_obj
def command(
    options: Globals,
    *,
    output: str | None,
    split: Path | None,
    mentors: tuple[str, ...],
    programs: tuple[str, ...],
    kinds: tuple[str, ...],
    drafts: bool,
    as_of: date | None,
    as_json: bool,
) -> None:
    """Write the planned events to .ics files. No server and no password are needed.

    --mentor, --program and --kind can be given several times. --without-drafts makes a file for
    somebody else: it says what, when and for whom, and nothing that is meant for you alone.
    """
    from lorsync.cli.output.progress import Waiting
    from lorsync.core.model import Kind
    from lorsync.render.ics import by_mentor, handout, own_file, select, selected
    from lorsync.sync.plan import planned, today_of

    _check_target(output, split, as_json=as_json)
    settings = settings_of(options)
    season, style = settings.season, settings.style
    wanted = select(season, mentors, programs, [Kind(kind) for kind in kinds])
    plan = planned(settings, state_of(options), as_of or today_of(settings, now()))
    events = selected(plan, season, wanted)

    def body(of: "Sequence[Event]") -> bytes:
        with Waiting("Writing the events"):
            if drafts:
                return own_file(of, style, plan.as_of)
            return handout(of, season, style, plan, wanted.programs)

    if output == _STDOUT:
        sys.stdout.buffer.write(body(events))
        if not events:
            complain("Nothing is planned, so the calendar is empty.")
        return
    files = {Path(output): events} if output is not None else {}
    if split is not None:
        _make(split)
        files = {split / name: own for name, own in by_mentor(events).items()}
    for path, own in files.items():
        write_whole(path, body(own))
    if as_json:
        from lorsync.cli.output.documents import show

        show({"files": [{"path": str(p), "events": len(own)} for p, own in files.items()]})
        return
    _tell(options, files, own_words=drafts and bool(split or mentors or programs))


def _tell(options: Globals, files: "Mapping[Path, Sequence[Event]]", *, own_words: bool) -> None:
    """Say what was written; ``own_words``: they are in what somebody else may be meant to get."""
    for path, events in files.items():
        say(options, f"{counted(len(events), 'event')} written to {path}.")
    if not any(files.values()):
        say(options, "Nothing is planned.")
    elif own_words:
        say(options, "Your drafts and notes are in it; for somebody else, add --without-drafts.")


def _check_target(output: str | None, split: Path | None, *, as_json: bool) -> None:
    if (output is None) == (split is None):
        raise UsageError("Say where to: -o FILE for one file, or --split DIR for one per mentor.")
    if as_json and output == _STDOUT:
        raise UsageError("Stdout cannot take both the calendar and the JSON: leave one out.")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise UnwritableError(f"{folder} is a file, and --split needs a folder.") from None
    except OSError as error:
        raise UnwritableError(f"{folder} cannot be made: {error.strerror}.") from None
