"""The JSON documents that commands print: one each, and nothing else on stdout."""

import json
import sys
from collections.abc import Mapping, Sequence

from lorsync.cli.output.terminal import echo, is_unicode
from lorsync.core.display import in_json
from lorsync.core.facts import Statement
from lorsync.core.model import Budget, Event, LetterStanding, MentorId, Plan, PlanWarning, Reason
from lorsync.core.ports import Collection
from lorsync.sync.report import Change, Summary

Document = Mapping[str, object]


def show(document: Document | Sequence[Document]) -> None:
    """Print one document."""
    # A sign that stdout cannot encode is written as its number, which means the same.
    escaped = not is_unicode(sys.stdout.encoding)
    echo(in_json(json.dumps(document, ensure_ascii=escaped, indent=2)))


def plan_document(plan: Plan) -> Document:
    """Return a plan as a document."""
    return {
        "as_of": plan.as_of.isoformat(),
        "events": events(plan.events),
        "budgets": budgets(plan.budgets),
        "warnings": warnings(plan.warnings),
    }


def report_document(report: Summary) -> Document:
    """Return the report of a pass as a document."""
    return {
        "created": changes(report.created),
        "updated": changes(report.updated),
        "deleted": changes(report.deleted),
        "adopted": changes(report.adopted),
        "kept": changes(report.kept),
        "missing": changes(report.missing),
        "held": changes(report.held),
        "requests": report.requests,
        "warnings": warnings(report.warnings),
    }


def events(listed: Sequence[Event]) -> list[Document]:
    """Return planned events."""
    return [_event(event) for event in listed]


def budgets(by_mentor: Mapping[MentorId, Budget]) -> Document:
    """Return the budgets, one per mentor."""
    return {
        mentor: {"cap": budget.cap, "spent": budget.spent, "planned": budget.planned}
        for mentor, budget in by_mentor.items()
    }


def warnings(listed: Sequence[PlanWarning]) -> list[Document]:
    """Return warnings."""
    return [
        {
            "code": w.code,
            "subject": w.subject,
            "message": w.message,
            "reasons": [_reason(reason) for reason in w.reasons],
        }
        for w in listed
    ]


def letters(standings: Sequence[LetterStanding]) -> list[Document]:
    """Return where the letters stand."""
    return [
        {
            "id": letter.id,
            "mentor": letter.mentor,
            "stage": letter.stage,
            "due": None if letter.due is None else letter.due.isoformat(),
            "asked": None if letter.asked is None else letter.asked.isoformat(),
        }
        for letter in standings
    ]


def facts(statements: Sequence[Statement]) -> list[Document]:
    """Return facts with where they were stated: config, mark, calendar or memory."""
    return [
        {
            "letter": statement.letter,
            "fact": statement.fact,
            "on": statement.day.isoformat(),
            "source": statement.source,
        }
        for statement in statements
    ]


def calendars(listed: Sequence[Collection], meant: Sequence[Collection]) -> list[Document]:
    """Return an account's calendars; ``chosen`` are those that the config means."""
    return [
        {
            "name": found.name,
            "address": found.address,
            "color": found.color,
            "owner": found.owner,
            "writable": found.writable,
            "sharing": found.sharing,
            "chosen": found in meant,
        }
        for found in listed
    ]


def _event(event: Event) -> Document:
    return {
        "uid": event.uid,
        "kind": event.kind,
        "mentor": event.mentor,
        "letters": list(event.letters),
        "date": event.day.isoformat(),
        "summary": event.summary,
        "status": event.status,
        "pinned": event.pinned,
        "reasons": [_reason(reason) for reason in event.reasons],
    }


def _reason(reason: Reason) -> Document:
    return {
        "rule": reason.rule,
        "text": reason.text,
        "ideal": None if reason.ideal is None else reason.ideal.isoformat(),
    }


def changes(listed: Sequence[Change]) -> list[Document]:
    """Return events of a report."""
    return [
        {
            "uid": change.uid,
            "kind": change.kind,
            "mentor": change.mentor,
            "date": change.day.isoformat(),
            "summary": change.summary,
            "changed": list(change.changed),
        }
        for change in listed
    ]
