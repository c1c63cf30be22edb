"""An entry is added, and everything else in the file stays byte for byte."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorsync.config import loads
from lorsync.config.editing import entry_lines, value_text, with_entry
from lorsync.core.errors import DataError
from lorsync.core.model import Letter, LetterId, Mentor, MentorId, Program, ProgramId
from tests import ROOT
from tests.unit.config.test_anything import ANY_DAY, OFFSETS
from tests.unit.config.written import config_texts

ANYWHERE = Path("config.toml")
ADA = MentorId("ada")
ADDITIONS: dict[str, dict[str, Any]] = {
    "mentors": {"id": "new", "name": "Zoë", "email": "zoe@x.edu"},
    "programs": {"id": "new", "name": "Ñ “quoted” \\ \t", "deadline": date(2027, 2, 3)},
    "letters": {"id": "new", "mentor": "ada", "programs": ["p"], "deadline": date(2027, 2, 3)},
}
"""Ids that no season of the strategies has."""


@settings(deadline=None, max_examples=30)
@given(text=config_texts(), table=st.sampled_from(sorted(ADDITIONS)))
def test_the_old_model_plus_the_addition(text: str, table: str) -> None:
    new = with_entry(text, table, ADDITIONS[table])
    before, after = (loads(one.encode(), ANYWHERE).season for one in (text, new))
    match table:
        case "mentors":
            added = Mentor(id=MentorId("new"), name="Zoë", email="zoe@x.edu")
            wanted = replace(before, mentors={**before.mentors, added.id: added})
        case "programs":
            due = date(2027, 2, 3)
            other = Program(id=ProgramId("new"), name="Ñ “quoted” \\", deadline=due, letters_min=2)
            wanted = replace(before, programs={**before.programs, other.id: other})
        case _:
            letter = Letter(id=LetterId("new"), mentor=ADA, programs=(ProgramId("p"),),
                            deadline=date(2027, 2, 3))  # fmt: skip
            wanted = replace(before, letters=(*before.letters, letter))
    # A cycle without a name is called after the last due date.
    assert replace(after, cycle=before.cycle) == wanted
    # All of the old text is there, in two pieces around the addition.
    front = next((n for n, pair in enumerate(zip(text, new, strict=False)) if len(set(pair)) > 1),
                 len(text))  # fmt: skip
    assert new.endswith(text[front:])
    assert new.count("\r\n") == new.count("\n") or "\r\n" not in text


PLAIN = (
    st.text(max_size=20).filter(lambda text: not any(0xD800 <= ord(c) < 0xE000 for c in text))
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | ANY_DAY
    | st.datetimes(timezones=OFFSETS).filter(lambda at: at.utcoffset().seconds % 60 == 0)
)


@given(value=PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.just("k"), PLAIN))
def test_a_value_is_read_as_it_was_meant(value: Any) -> None:
    assert tomllib.loads(f"k = {value_text(value)}")["k"] == value


def added(text: str, table: str = "mentors") -> str:
    return with_entry(text, table, ADDITIONS[table])


MENTOR = "\n".join(entry_lines("mentors", ADDITIONS["mentors"]))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # What introduces the next table stays with it.
        (
            '[[mentors]]\nid = "a"   # one\n# more of a\n\n# Rest.\n\n[[letters]]\n',
            f'[[mentors]]\nid = "a"   # one\n# more of a\n\n{MENTOR}\n\n# Rest.\n\n[[letters]]\n',
        ),
        # Entries without a blank line between them stay so.
        ('x = 1\n[[mentors]]\nid = "a"\n', f'x = 1\n[[mentors]]\nid = "a"\n{MENTOR}\n'),
        # A table of the entry's own goes before the next entry.
        (
            '[[mentors]]\nid = "a"\n[mentors.contact]\nname = "B"\n[sync]\n',
            f'[[mentors]]\nid = "a"\n[mentors.contact]\nname = "B"\n\n{MENTOR}\n[sync]\n',
        ),
        # A header within a text is none.
        (
            '[[mentors]]\nid = "a"\nnotes = """\n[x]\n"""\n\n[sync]\n',
            f'[[mentors]]\nid = "a"\nnotes = """\n[x]\n"""\n\n[sync]\n\n{MENTOR}\n',
        ),
        ("mentors = []\n", 'mentors = [{ id = "new", name = "Zoë", email = "zoe@x.edu" }]\n'),
        (
            'mentors = [{ id = "a" }] # us\n',
            'mentors = [{ id = "a" }, { id = "new", name = "Zoë", email = "zoe@x.edu" }] # us\n',
        ),
        ("[sync]", f"[sync]\n\n{MENTOR}\n"),
    ],
)
def test_where_an_entry_goes(before: str, after: str) -> None:
    assert added(before) == after


def test_interleaved_tables_keep_their_order() -> None:
    text = '[[letters]]\nmentor = "a"\n\n[[mentors]]\nid = "a"\n\n[[letters]]\nmentor = "a"\n'
    assert added(text) == text.replace('id = "a"\n', f'id = "a"\n\n{MENTOR}\n')


def test_what_cannot_be_added_is_shown_to_be_written_by_hand() -> None:
    with pytest.raises(DataError, match="Write it yourself") as refused:
        added('mentors = "soon"\n')
    assert 'name = "Zoë"' in str(refused.value)


@pytest.mark.parametrize("table", sorted(ADDITIONS))
def test_the_example_gains_one_piece(table: str) -> None:
    root = ROOT
    text = (root / "config.example.toml").read_text("utf-8")
    lines = added(text, table).splitlines()
    piece = entry_lines(table, ADDITIONS[table])
    place = lines.index(piece[1]) - 1
    rest = lines[: place - 1] + lines[place + len(piece) :]
    assert lines[place - 1] == ""
    assert rest == text.splitlines()
