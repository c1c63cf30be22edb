"""S7: who is asked about, by all who ever were in the season; and that asking takes no time."""

import time
from dataclasses import replace
from datetime import date, timedelta

import pytest

from lorsync.core.event.content import content_of
from lorsync.core.identity import SeasonKey
from lorsync.core.merge.actions import Action, Create, Delete, Update
from lorsync.core.merge.entry import Entry
from lorsync.core.merge.holds import Swap, hold_newcomers, newcomer_warnings, swaps
from lorsync.core.merge.memory import Memory
from lorsync.core.model import Event, EventStyle, Identity, Kind, LetterId, MentorId, Uid
from tests.unit.core.seasons import DUE, NEW_YORK, letter, mentor, season

Persons = dict[str, tuple[str, ...]]


def asked(
    now: Persons,
    *,
    members: Persons,
    departed: Persons | None = None,
    finished: Persons | None = None,
    written: Persons | None = None,
    formerly: Persons | None = None,
) -> list[Swap]:
    """Return what is asked about where these mentors write these letters."""
    letters = [letter(x, DUE, mentor=m) for m, own in now.items() for x in own]
    former = formerly or {}
    found = season(*letters, mentors=[mentor(m, formerly=former.get(m, ())) for m in now])
    said = Memory(
        key=SeasonKey("0" * 32),
        applicant="Maya Okafor",
        cycle="2027 Match",
        config="00",
        writer="00",
        members=members,
        departed=departed or {},
    )
    return swaps(found, said, written or {}, finished or {})


CASES = {
    "nobody came": ({"a": ("x",)}, {"a": ("x",), "b": ("y",)}, {}, []),
    "nobody went": ({"a": ("x",), "b": ("y",)}, {"a": ("x",)}, {}, []),
    "one for another": ({"b": ("y",)}, {"a": ("x",)}, {}, [("same-person", "a", "b")]),
    "a pass later": ({"b": ("y",)}, {}, {"a": ("x",)}, [("same-person", "a", "b")]),
    "with the same letter": ({"b": ("x",)}, {"a": ("x",)}, {}, [("same-person", "a", "b")]),
    "the same letter, a pass later": (
        {"b": ("x",)},
        {},
        {"a": ("x",)},
        [("same-person", "a", "b")],
    ),
    "back again": ({"a": ("x",)}, {"b": ("y",)}, {"a": ("x",)}, []),
    "one letter for another": ({"a": ("y",)}, {"a": ("x",)}, {}, [("same-letter", "x", "y")]),
    "one letter for another, a pass later": (
        {"a": ("y", "z")},
        {"a": ("y",)},
        {"a": ("x",)},
        [("same-letter", "x", "z")],
    ),
    "a letter changes hands": (
        {"a": ("y",), "b": ("z", "x")},
        {"a": ("x", "y"), "b": ("z",)},
        {},
        [("same-letter", "x", "x")],
    ),
    "a letter changes hands, a pass later": (
        {"a": ("y",), "b": ("z", "x")},
        {"a": ("y",), "b": ("z",)},
        {"a": ("x",)},
        [("same-letter", "x", "x")],
    ),
    "a letter goes to somebody new": (
        {"a": ("y",), "b": ("x",)},
        {"a": ("x", "y")},
        {},
        [("same-letter", "x", "x")],
    ),
    "a letter that was handed on accounts for who wrote it": (
        {"b": ("x",), "c": ("z",)},
        {"b": ("x",)},
        {"a": ("x",)},
        [],
    ),
    "a letter comes back": (
        {"a": ("x",), "b": ("z",)},
        {"b": ("x", "z")},
        {"a": ("x",)},
        [],
    ),
}


@pytest.mark.parametrize(("now", "members", "departed", "expected"), CASES.values(), ids=CASES)
def test_s7_is_held_against_all_who_ever_were_in_the_season(
    now: Persons, members: Persons, departed: Persons, expected: list[tuple[str, str, str]]
) -> None:
    found = asked(now, members=members, departed=departed)
    codes = [warning.code for warning in newcomer_warnings(found)]
    ids = [(" ".join(swap.gone), " ".join(swap.new)) for swap in found]
    assert [(code, *pair) for code, pair in zip(codes, ids, strict=True)] == expected


@pytest.mark.parametrize(
    ("now", "members", "finished"),
    [
        ({"b": ("y",)}, {"a": ("x",)}, {"a": ("x",)}),
        ({"b": ("x",)}, {"a": ("x",)}, {"a": ("x",)}),
        ({"a": ("y",)}, {"a": ("x",)}, {"a": ("x",)}),
        ({"a": ("y",), "b": ("z", "x")}, {"a": ("x", "y"), "b": ("z",)}, {"a": ("x",)}),
    ],
)
def test_s7_who_had_only_letters_that_were_in_or_declined_is_an_ordinary_change(
    now: Persons, members: Persons, finished: Persons
) -> None:
    assert not asked(now, members=members, finished=finished)
    assert not asked(now, members={}, departed=members, finished=finished)


def test_s7_one_letter_that_was_open_is_enough_to_ask() -> None:
    (swap,) = asked({"b": ("z",)}, members={"a": ("x", "y")}, finished={"a": ("x",)})
    assert (swap.gone, swap.new) == (("a",), ("b",))


def test_s7_whom_formerly_explains_is_not_asked_about_though_the_letter_is_the_same() -> None:
    assert not asked({"b": ("x",)}, members={"a": ("x",)}, formerly={"b": ("a",)})
    assert not asked({"b": ("x",)}, members={}, departed={"a": ("x",)}, formerly={"b": ("a",)})


def test_s7_where_the_former_mentor_is_still_there_formerly_is_no_answer() -> None:
    (stays,) = newcomer_warnings(
        asked({"a": ("y",), "b": ("x",)}, members={"a": ("x", "y"), "b": ("z",)})
    )
    assert "x was by a, and is by b now" in stays.message
    assert "formerly" not in stays.message
    (left,) = newcomer_warnings(asked({"b": ("x",)}, members={"a": ("x",), "b": ("z",)}))
    assert 'formerly = ["a"] in the entry of b' in left.message
    assert all("--accept-newcomers" in warning.message for warning in (stays, left))


def events_of(number: int) -> list[Action]:
    """Return so many actions: creations for a newcomer, updates of others, deletions."""
    style, actions = EventStyle(zone=NEW_YORK), list[Action]()
    for index in range(number):
        name = LetterId("new" if index % 3 == 0 else f"letter-{index}")
        event = Event(
            uid=Uid(f"lorsync-{index:032x}"),
            identity=Identity(kind=Kind.FOLLOW_UP, subject=name, slot=str(index)),
            mentor=MentorId("b"),
            letters=(name,),
            day=date(2026, 9, 1) + timedelta(days=index % 300),
            summary="Follow up",
            text=lambda: "Dear Dr. Chen,",
        )
        entry = Entry(
            uid=event.uid,
            href=event.uid,
            identity=event.identity,
            mentor=MentorId("a"),
            letters=(LetterId("gone"),),
            day=event.day,
            summary="",
        )
        content = content_of(event, style)
        match index % 3:
            case 0:
                actions.append(Create(event=event, content=content))
            case 1:
                other = replace(entry, letters=event.letters)
                actions.append(
                    Update(entry=other, event=event, content=content, properties=frozenset())
                )
            case _:
                actions.append(Delete(entry=entry, explained=False))
    return actions


ONE_FOR_ANOTHER = Swap(
    gone=("a",),
    new=("b",),
    letters=frozenset({LetterId("new")}),
    left=frozenset({(MentorId("a"), LetterId("gone"))}),
)


def test_s7_what_contacts_a_newcomer_and_what_takes_off_who_vanished_waits() -> None:
    now, held = hold_newcomers(events_of(9), [ONE_FOR_ANOTHER])
    assert {type(action) for action in held} == {Create, Delete}
    assert {type(action) for action in now} == {Update}
    assert len(held) == 6


@pytest.mark.slow
def test_s7_holding_newcomers_takes_time_in_proportion_to_the_actions() -> None:
    def seconds(number: int) -> float:
        actions, taken = events_of(number), list[float]()
        for _ in range(3):
            began = time.process_time()
            hold_newcomers(actions, [ONE_FOR_ANOTHER])
            taken.append(time.process_time() - began)
        return min(taken)

    # Four times as many take four times as long, and not sixteen times.
    assert seconds(8000) < 8 * max(seconds(2000), 0.002)


def test_s7_a_letter_handed_on_twice_names_who_wrote_it_last_and_keeps_what_each_left() -> None:
    (swap,) = asked({"c": ("x", "z")}, members={"b": ("x",), "c": ("z",)}, departed={"d": ("x",)})
    assert swap.former == "b"
    assert swap.left == {("b", "x"), ("d", "x")}
