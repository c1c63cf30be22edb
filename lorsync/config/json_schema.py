"""Describe the config for editors (JSON Schema) and for readers (the tables of docs/config.md).

``python -m lorsync.config.json_schema`` prints the tables.
"""

import json
from collections.abc import Iterator
from dataclasses import MISSING, asdict, fields, is_dataclass
from datetime import timedelta
from typing import Any, Final

from lorsync.config.schema import NESTED, ONCE, REPEATED, Config, Table
from lorsync.config.values import WEEKDAYS
from lorsync.core.model import Alarm, Kind

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Describe the config as a JSON Schema."""
    made = Config.model_json_schema()
    for kind in (*ONCE.values(), *REPEATED.values(), *NESTED.values()):
        described_keys = made["$defs"][kind.__name__]["properties"]
        for name, default in _defaults(kind):
            if name in described_keys:
                described_keys[name]["default"] = default
    described: dict[str, Any] = _as_toml_has_it(made)
    return {**described, "$schema": DIALECT, "title": "lorsync's config"}


def _defaults(table: type[Table]) -> Iterator[tuple[str, object]]:
    """Yield what is taken for a key that is left out, where that says something."""
    for field in (field for model in table.builds for field in fields(model)):
        if field.default not in (MISSING, None, ()):
            yield field.name, _as_written(field.default)


def _as_written(value: object) -> object:
    """Return a value of the model as the file has it."""
    match value:
        case timedelta():
            return f"{value // timedelta(minutes=1)}m"
        case Alarm():
            day = f"-{value.days_before}d " if value.days_before else ""
            return f"{day}{value.at:%H:%M}"
        case tuple():
            return [_as_written(item) for item in value]
        case frozenset() if value <= frozenset(Kind):
            return [kind.value for kind in Kind if kind in value]
        case frozenset():
            return [WEEKDAYS[day][:3] for day in sorted(value)]
        case _:
            return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _as_toml_has_it(node: Any) -> Any:
    """Leave out null, which TOML does not know: a key is left out instead."""
    if isinstance(node, list):
        return [_as_toml_has_it(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        name: _as_toml_has_it(value)
        for name, value in node.items()
        if not (name == "default" and value is None)
    }
    options = kept.get("anyOf")
    if not isinstance(options, list) or {"type": "null"} not in options:
        return kept
    del kept["anyOf"]
    left = [option for option in options if option != {"type": "null"}]
    return {**(left[0] if len(left) == 1 else {"anyOf": left}), **kept}


def tables() -> str:
    """Write one Markdown table for each table of the config."""
    described = schema()
    parts = [
        *(_section(f"[{name}]", kind, described) for name, kind in ONCE.items()),
        *(_section(f"[[{name}]]", kind, described) for name, kind in REPEATED.items()),
        *(_section(f"{name} = {{ … }}", kind, described) for name, kind in NESTED.items()),
    ]
    return "\n".join(parts)


def _section(title: str, kind: type[Table], described: dict[str, Any]) -> str:
    definition = described["$defs"][kind.__name__]
    rows = "\n".join(_rows(definition))
    heading = f"## `{title}`\n\n{definition['description']}\n"
    return f"{heading}\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"


def _rows(definition: dict[str, Any]) -> Iterator[str]:
    needed = definition.get("required", [])
    for name, key in definition["properties"].items():
        default = f"`{_as_toml(key['default'])}`" if "default" in key else "–"
        default = "needed" if name in needed else default
        cells = [f"`{name}`", _value(key), default, key["description"]]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(key: dict[str, Any]) -> str:
    """Say in words what a key takes."""
    match key:
        case {"anyOf": options}:
            return " or ".join(_value(option) for option in options)
        case {"enum": words} if "Mon" in words:
            return "weekday"
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"$ref": _} | {"type": "object"}:
            return "table"
        case {"type": "array", "items": item}:
            return f"list: {_value(item)}"
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"whole number, {low}–{high}"
        case {"type": "number", "minimum": low, "maximum": high}:
            return f"number, {low}–{high}"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"format": "date" | "date-time" as form}:
            return str(form)
        case _:
            return "text"


def _as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_as_toml(item)}" for name, item in value.items()) + " }"
    return json.dumps(value)


if __name__ == "__main__":
    print(tables(), end="")
