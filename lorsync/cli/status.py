"""``lorsync status``: how things stand, from the config and the ledger alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from lorsync.adapters.state import daemon_pid
from lorsync.amending import away, listed
from lorsync.cli.context import now, settings_of, state_of
from lorsync.cli.root import Globals
from lorsync.core.facts import Statement
from lorsync.core.model import Plan
from lorsync.passes import Record, record_of
from lorsync.planning import facts_of, planned, today_of
from lorsync.settings import Settings

_NEXT_EVENTS = 5
_COUNTED = ("created", "updated", "deleted", "adopted", "kept", "missing", "held")


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(options: Globals, *, as_json: bool) -> None:
    """Say how things stand: the daemon, the last and next pass, the letters, the budgets."""
    settings, state = settings_of(options), state_of(options)
    record, pid = record_of(state), daemon_pid(state)
    plan = planned(settings, state, today_of(settings, now()))
    if as_json:
        from lorsync.cli.documents import budgets, changes, facts, letters, show

        show(
            {
                "last_pass": record.last_pass,
                "last_error": record.last_error,
                "config_error": record.config_error,
                "next_pass": record.next_pass if pid is not None else None,
                "put_off": _put_off(record, now()),
                "login_refused": record.login_refused,
                "letters": letters(plan.letters),
                "facts": facts(facts_of(settings, state)),
                "budgets": budgets(plan.budgets),
                "calendar": {
                    "provider": settings.calendar.provider,
                    "name": settings.calendar.name,
                    "address": record.calendar,
                },
                "changed": changes(listed(state, lambda entry: bool(entry.changed))),
                "away": changes(listed(state, away)),
                "daemon": {"running": pid is not None, "pid": pid},
            }
        )
        return
    _show(settings, record, pid, plan)
    _show_facts(facts_of(settings, state))
    _show_persons(state)


def _show(settings: Settings, record: Record, pid: int | None, plan: Plan) -> None:
    from rich.markup import escape

    from lorsync.cli.tables import console, day_in_words, show_warnings

    out = console()
    zone = settings.season.applicant.timezone
    out.print(f"Daemon      {'running, process ' + str(pid) if pid is not None else 'not running'}")
    out.print(f"Calendar    {escape(record.calendar or 'not made yet')}", soft_wrap=True)
    out.print(f"Last pass   {_told(record.last_pass, zone)}")
    if record.next_pass is not None and pid is not None:
        out.print(f"Next pass   {_local(record.next_pass, zone)}")
    rest = _put_off(record, now())
    if rest is not None:
        out.print(f"Put off     until {_local(rest['until'], zone)}, as the server asked")
    if record.login_refused is not None:
        since = _local(str(record.login_refused["at"]), zone)
        out.print(f"[red]Login[/red]       refused since {since}; not tried again until it changes")
    if record.last_error is not None:
        message = f"{_local(str(record.last_error['at']), zone)}  {record.last_error['message']}"
        out.print(f"[red]Last error[/red]  {escape(message)}", soft_wrap=True)
    if record.config_error is not None:
        out.print(f"[red]Config[/red]      {escape(record.config_error)}", soft_wrap=True)
    out.print("\n[bold]Letters[/bold]")
    for letter in plan.letters:
        due = f", due {letter.due.isoformat()}" if letter.due is not None else ""
        out.print(f"  {escape(letter.id)}: {letter.stage}{due}")
    out.print("\n[bold]Next[/bold]" if plan.events else "\nNothing is planned.")
    for event in plan.events[:_NEXT_EVENTS]:
        out.print(f"  {day_in_words(event.day)}  {escape(event.summary)}")
    show_warnings(out, plan.warnings)


def _show_facts(facts: Sequence[Statement]) -> None:
    """Print every fact that counts, with where it was stated."""
    from rich.markup import escape

    from lorsync.cli.tables import console

    out = console()
    if facts:
        out.print("\n[bold]Facts[/bold]")
    for fact in facts:
        told = f"{escape(fact.letter)}: {fact.fact.words} on {fact.day.isoformat()}"
        out.print(f"  {told} ({fact.source})")


def _show_persons(state: Path) -> None:
    """Print what the person did in the calendar."""
    from lorsync.cli.tables import console, show_changes

    out = console()
    show_changes(out, "Changed by you:", listed(state, lambda entry: bool(entry.changed)))
    show_changes(out, "Deleted by you (lorsync restore brings them back):", listed(state, away))


def _put_off(record: Record, at: datetime) -> dict[str, str] | None:
    """Return until when the account is left alone, and why, where it still is."""
    rest = record.put_off
    if rest is None or rest.until <= at:
        return None
    return {"until": rest.until.isoformat(), "why": rest.why}


def _told(last_pass: Mapping[str, object] | None, zone: ZoneInfo) -> str:
    if last_pass is None:
        return "none yet"
    counts = ", ".join(f"{last_pass[name]} {name}" for name in _COUNTED if last_pass[name])
    return f"{_local(str(last_pass['at']), zone)}  {counts or 'nothing to write'}"


def _local(instant: str, zone: ZoneInfo) -> str:
    """Return an instant of the ledger in the applicant's zone."""
    return f"{datetime.fromisoformat(instant).astimezone(zone):%Y-%m-%d %H:%M}"
