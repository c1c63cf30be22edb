"""Schema, example and reference name the same keys, and all of them work."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lorsync.config import json_schema, load
from lorsync.config.schema import NESTED, ONCE, REPEATED, keys
from lorsync.core.model import Facts
from tests import ROOT

EXAMPLE = (ROOT / "config.example.toml").read_text("utf-8")
COMMENTED_KEY = re.compile(r"^# ([a-z_]+ = .*)$", re.MULTILINE)

DESIGN = {
    "applicant": "name timezone email goals cv statement",
    "cycle": "name start",
    "calendar": "provider url username password_command name shared color event_time alarms path "
    "ca_file allow_http",
    "sync": "every deletion_limit",
    "policy": "lead_days min_lead_days talk_days first_days final_days follow_ups min_gap_days "
    "last_useful_days batch_days thank_you_days quiet_days holidays events",
    "metrics": "textfile",
    "ping": "url failures",
    "notifications": "login config short_notice today",
    "mentors": "id name email contact specialty timezone holidays away not_before standing "
    "familiarity alignment notes formerly",
    "programs": "id name portal deadline target lag_days letters_min letters_max needs own_letter "
    "specialty results_on why",
    "letters": "id mentor type programs deadline lag_days letter_id assigned waived attributes "
    "submit_via talked_on asked_on followed_up_on agreed_on declined_on packet_sent_on "
    "submitted_on thanked_on results_shared_on formerly",
}


def uncommented(text: str) -> str:
    """Turn every commented key into a key."""
    lines = (COMMENTED_KEY.fullmatch(line) for line in text.splitlines())
    return "\n".join(
        found[1] if found else line for found, line in zip(lines, text.splitlines(), strict=True)
    )


def test_tables_have_the_designed_keys() -> None:
    assert {name: " ".join(keys(kind)) for name, kind in {**ONCE, **REPEATED}.items()} == DESIGN
    assert {field.name for field in fields(Facts)} < set(keys(REPEATED["letters"]))


def test_schema_describes_every_key() -> None:
    described = json_schema.schema()
    assert described["$schema"].startswith("https://json-schema.org/")
    assert described["title"]
    for kind in (*ONCE.values(), *REPEATED.values(), *NESTED.values()):
        definition = described["$defs"][kind.__name__]
        assert set(definition["properties"]) == set(keys(kind))
        assert definition["additionalProperties"] is False
        for described_key in definition["properties"].values():
            assert described_key["description"].endswith((".", ")"))
    assert "null" not in str(described)
    assert described["required"] == ["applicant", "calendar", "letters"]


def test_example_names_every_key() -> None:
    document: dict[str, Any] = tomllib.loads(uncommented(EXAMPLE))
    named: dict[str, set[str]] = {}
    for table, value in document.items():
        for entry in value if isinstance(value, list) else [value]:
            named.setdefault(table, set()).update(entry)
    assert named == {name: set(known.split()) for name, known in DESIGN.items()}
    assert set(document["sync"]["deletion_limit"]) == {"share", "count"}


def test_example_runs_as_it_is() -> None:
    season = load(ROOT / "config.example.toml").season
    assert len(season.letters) == len(season.mentors) == len(season.programs) == 3


@pytest.mark.parametrize("line", COMMENTED_KEY.findall(EXAMPLE))
def test_each_commented_key_of_the_example_works(line: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert EXAMPLE.count(f"\n# {line}\n") == 1
    path.write_text(EXAMPLE.replace(f"\n# {line}\n", f"\n{line}\n"), "utf-8")
    load(path)


def test_reference_is_what_the_schema_says() -> None:
    text = (ROOT / "docs" / "config.md").read_text("utf-8")
    assert text.endswith(json_schema.tables()), (
        "docs/config.md ends with what `python -m lorsync.config.json_schema` prints"
    )


def test_readers_config_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "config.md").read_text("utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text.partition("```toml\n")[2].partition("```")[0], "utf-8")
    load(path)
