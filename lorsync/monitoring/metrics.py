"""How things stand, as numbers in Prometheus' text format; nobody's name is among them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Final

from lorsync import __version__
from lorsync.core.model import Kind, Plan, Stage
from lorsync.core.settings import Settings
from lorsync.monitoring.health import Assessment
from lorsync.sync.report import Record, at_of, last_try

HELP: Final[Mapping[str, str]] = {
    "lorsync_build_info": "The version that wrote this; always 1.",
    "lorsync_last_try_timestamp_seconds": "When the last pass ran, whether or not it succeeded.",
    "lorsync_last_try_success": "Whether it succeeded, 1 or 0.",
    "lorsync_last_pass_timestamp_seconds": "When the last pass ran that succeeded.",
    "lorsync_last_pass_requests": "Requests that it took.",
    "lorsync_last_pass_events": "Events that it changed, or left to the person, by what it did.",
    "lorsync_next_pass_timestamp_seconds": "When the daemon means to run the next pass.",
    "lorsync_needs_person": "Whether something needs the person, by what it is; 1 or 0.",
    "lorsync_letters": "Letters, by how far they are.",
    "lorsync_planned_events": "Events that are planned from today on, by kind.",
    "lorsync_follow_ups": "Follow-ups of all mentors: used, planned, and left of those allowed.",
}
"""Every metric, all of them gauges, with what it says (Prometheus' naming best practices)."""

NEEDS: Final = (
    "config", "login", "error", "silence", "held", "question", "refused", "memory", "ask", "state",
    "stuck",
)  # fmt: skip
CHANGES: Final = ("created", "updated", "deleted", "adopted", "kept", "missing", "held")

Sample = tuple[str, dict[str, str], float]


def metrics(
    settings: Settings,
    record: Record,
    standing: Assessment,
    plan: Plan,
    *,
    next_pass: datetime | None,
) -> str:
    """Return the text of the file; each sample says of which config it is, by its file's name.

    Source: Prometheus, Exposition formats, text-based format.
    """
    config = PurePath(settings.source).stem
    samples = [
        ("lorsync_build_info", {"version": __version__}, 1.0),
        *_of_passes(record, next_pass),
        *_of_needs(standing),
        *_of_plan(plan),
    ]
    lines = []
    for name, told in HELP.items():
        ours = [(labels, value) for known, labels, value in samples if known == name]
        if ours:
            lines += [f"# HELP {name} {told}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels({'config': config, **more})} {value!r}" for more, value in ours]
    return "\n".join(lines) + "\n"


def _of_passes(record: Record, next_pass: datetime | None) -> Iterator[Sample]:
    tried = last_try(record)
    if tried is not None:
        yield "lorsync_last_try_timestamp_seconds", {}, tried.timestamp()
        yield "lorsync_last_try_success", {}, float(record.last_error is None)
    if record.last_pass is not None:
        yield "lorsync_last_pass_timestamp_seconds", {}, at_of(record.last_pass).timestamp()
        yield "lorsync_last_pass_requests", {}, _number(record.last_pass, "requests")
        for change in CHANGES:
            number = _number(record.last_pass, change)
            yield "lorsync_last_pass_events", {"change": change}, number
    if next_pass is not None:
        yield "lorsync_next_pass_timestamp_seconds", {}, next_pass.timestamp()


def _of_needs(standing: Assessment) -> Iterator[Sample]:
    codes = {need.code for need in standing.needs}
    for code in NEEDS:
        yield "lorsync_needs_person", {"need": code}, float(code in codes)


def _of_plan(plan: Plan) -> Iterator[Sample]:
    stages = Counter(letter.stage for letter in plan.letters)
    for stage in Stage:
        yield "lorsync_letters", {"stage": stage.value}, float(stages[stage])
    kinds = Counter(event.kind for event in plan.events)
    for kind in Kind:
        yield "lorsync_planned_events", {"kind": kind.value}, float(kinds[kind])
    budgets = plan.budgets.values()
    used, planned = sum(b.spent for b in budgets), sum(b.planned for b in budgets)
    left = sum(max(0, b.cap - b.spent) for b in budgets)
    for state, number in (("used", used), ("planned", planned), ("left", left)):
        yield "lorsync_follow_ups", {"state": state}, float(number)


def _number(memo: Mapping[str, object], key: str) -> float:
    return float(str(memo.get(key, 0)))


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
