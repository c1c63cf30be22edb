"""Seasons of the strategies, written as configs in all the styles that people have."""

from dataclasses import asdict, fields
from typing import Any

from hypothesis import strategies as st

from lorsync.config.values import WEEKDAYS
from lorsync.core.model import Letter, Mentor, Policy, Season
from tests.unit.config.test_anything import as_toml
from tests.unit.core.strategies import seasons

COMMENTS = ("# Who writes.", "#away = [", "# [[letters]]", '# """', "# é")


def tables_of(season: Season) -> dict[str, list[dict[str, Any]]]:
    """Write mentors, programs and letters as the file's values."""
    return {
        "mentors": [_mentor(one) for one in season.mentors.values()],
        "programs": [_stated(asdict(one)) for one in season.programs.values()],
        "letters": [_letter(one) for one in season.letters],
    }


def _stated(values: dict[str, Any]) -> dict[str, Any]:
    plain = {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
    return {key: value for key, value in plain.items() if value not in (None, "", [], False)}


def _mentor(mentor: Mentor) -> dict[str, Any]:
    values = _stated(asdict(mentor))
    away = [{"from": a.first, "to": a.last} for a in mentor.away]
    return values | ({"away": away} if away else {})


def _letter(letter: Letter) -> dict[str, Any]:
    values = asdict(letter)
    return _stated(values | values.pop("facts"))


def _policy(policy: Policy) -> dict[str, Any]:
    values = {one.name: getattr(policy, one.name) for one in fields(policy)}
    values["quiet_days"] = [WEEKDAYS[day] for day in policy.quiet_days]
    del values["events"]
    return values


@st.composite
def config_texts(draw: st.DrawFn) -> str:
    """Draw a config: tables in any order, interleaved or as lists, with comments between."""
    season: Season = draw(seasons())
    chunks = [
        [f"[{name}]", *_lines(values)]
        for name, values in (
            ("applicant", {"name": "Maya", "timezone": "America/New_York"}),
            ("calendar", {"provider": "local"}),
            ("policy", _policy(season.policy)),
        )
    ]
    lists = []
    for table, entries in tables_of(season).items():
        if table != "mentors" and draw(st.booleans()):
            lists += _list(table, entries, spread=draw(st.booleans()))
        else:
            chunks += [[f"[[{table}]]", *_lines(entry)] for entry in entries]
    return _put_together(draw, lists, draw(st.permutations(chunks)))


def _lines(values: dict[str, Any]) -> list[str]:
    return [f"{key} = {as_toml(value)}" for key, value in values.items()]


def _list(table: str, entries: list[dict[str, Any]], *, spread: bool) -> list[str]:
    if not spread:
        return [f"{table} = {as_toml(entries)}"]
    return [f"{table} = [", *(f"  {as_toml(entry)}," for entry in entries), "]"]


def _put_together(draw: st.DrawFn, lists: list[str], chunks: list[list[str]]) -> str:
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    between = st.lists(st.sampled_from(["", *COMMENTS]), max_size=3)
    indent = draw(st.sampled_from(["", "  "]))
    lines = [*draw(between), *lists]
    for chunk in chunks:
        lines += draw(between)
        lines += [indent + line for line in chunk]
        lines += draw(st.sampled_from([[], ["# a key = 1"], ["", "# what follows"]]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + newline.join(lines) + draw(st.sampled_from(["", newline]))
