"""Whatever stands in the file, only a ConfigError comes of it."""

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lorsync.config import load
from lorsync.config.schema import NESTED, ONCE, REPEATED, keys
from lorsync.core.errors import ConfigError
from lorsync.core.model import MAX_FOLLOW_UPS
from lorsync.core.settings import Settings

ANY_DAY = st.dates() | st.sampled_from([date.min, date.max])
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TEXT = st.text(max_size=20) | st.sampled_from(
    ["alvarez", "Dr. A", "home", "x" * 300, "a@b", "https://u:p@h", "09:00", "15m", "Sat", "caldav"]
)
SCALARS: st.SearchStrategy[Any] = (
    TEXT
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 2, 3, 5, 42, 2**64])
    | st.floats()
    | ANY_DAY
    | st.datetimes(timezones=st.none() | OFFSETS)
    | st.times()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([key for kind in NESTED.values() for key in keys(kind)]) | TEXT,
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def table(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names) | st.text(max_size=3), VALUES, max_size=5)


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        **{name: table(keys(kind)) | VALUES for name, kind in ONCE.items()},
        **{
            name: st.lists(table(keys(kind)), max_size=3) | VALUES
            for name, kind in REPEATED.items()
        },
    },
)


def as_toml(value: object) -> str:
    """Write any TOML value on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            marks = (f"\\U{ord(mark):08x}" for mark in value if not 0xD800 <= ord(mark) < 0xE000)
            return '"' + "".join(marks) + '"'
        case datetime() | date() | time():
            return value.isoformat()
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case dict():
            pairs = (f"{as_toml(name)} = {as_toml(item)}" for name, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case _:
            return str(value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def tried(path: Path, content: bytes) -> Settings | None:
    """Load, and allow for nothing but a ConfigError."""
    path.write_bytes(content)
    try:
        return load(path)
    except ConfigError as problem:
        report = str(problem)
    assert all(line.isprintable() for line in report.split("\n"))
    return None


same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@same_folder
@given(content=st.binary(max_size=200))
def test_any_bytes(path: Path, content: bytes) -> None:
    tried(path, content)


@same_folder
@given(content=st.text("abn[]{}=\"'\n#.-\\ 0129:TZ,é", max_size=80))
def test_any_text_that_looks_like_toml(path: Path, content: str) -> None:
    tried(path, content.encode())


@same_folder
@given(document=DOCUMENTS)
def test_any_document_of_our_keys(path: Path, document: dict[str, Any]) -> None:
    lines = (f"{name} = {as_toml(value)}" for name, value in document.items())
    tried(path, "\n".join(lines).encode())


@same_folder
@given(
    letters=st.lists(
        st.fixed_dictionaries(
            {"mentor": st.sampled_from(["Dr. A", "Dr. B", "c"]), "deadline": ANY_DAY},
            optional={"lag_days": st.integers(-1, 400), "type": st.sampled_from(["chair", "x"])},
        ),
        max_size=4,
    ),
    follow_ups=st.integers(),
)
def test_r5_no_config_allows_a_third_follow_up(
    path: Path, letters: list[dict[str, Any]], follow_ups: int
) -> None:
    content = (
        f"applicant.name = 'S'\ncalendar = {{}}\nletters = {as_toml(letters)}\n"
        f"policy.follow_ups = {follow_ups}\n"
    )
    found = tried(path, content.encode())
    if found is not None:
        assert 0 <= found.season.policy.follow_ups <= MAX_FOLLOW_UPS
        ids = [letter.id for letter in found.season.letters]
        assert len(set(ids)) == len(ids)
        assert all(letter.mentor in found.season.mentors for letter in found.season.letters)
