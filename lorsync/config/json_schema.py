"""Describe the config for editors (JSON Schema) and for readers (the tables of docs/config.md).

``python -m lorsync.config.json_schema`` prints the tables.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from lorsync.config.schema import NESTED, ONCE, REPEATED, Config, Table

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Describe the config as a JSON Schema."""
    described: dict[str, Any] = _as_toml_has_it(Config.model_json_schema())
    return {**described, "$schema": DIALECT, "title": "lorsync's config"}


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
