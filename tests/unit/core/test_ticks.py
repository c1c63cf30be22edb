"""S13: what a title states, as people type it; and what only looks like it."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lorsync.core.event.title_ticks import (
    DONE_WORDS,
    MARKS,
    OWN_WORDS,
    WORDS,
    Tick,
    find_tick,
    is_settled,
    stated_facts,
    ticked_title,
    with_stated,
    without_tick,
)
from lorsync.core.facts import OWN_FACT, Fact
from lorsync.core.model import Kind
from tests.unit.core.seasons import DUE, letter, mentor, planned, program, season

OURS = "Ask Dr. Chen for a letter, due 10 Sep"
TODAY = date(2027, 9, 20)


def stated(title: str, kind: Kind = Kind.REQUEST) -> Tick | None:
    return find_tick(title, kind, is_known=lambda text: text == OURS, today=TODAY)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("mark", [*MARKS, "✔️", "☑️", "[X]", "DONE:", "done –", "Done -", "[done]"])
def test_s13_a_mark_alone_states_what_the_event_is_for(mark: str, kind: Kind) -> None:
    expected = Tick(fact=OWN_FACT[kind], day=None, rest=OURS)
    assert stated(f"{mark} {OURS}", kind) == expected
    assert stated(f"{mark}{OURS}" if mark in MARKS else f"{mark} {OURS}", kind) == expected


@pytest.mark.parametrize("separator", [":", " –", " - ", " · ", ",", ""])
@pytest.mark.parametrize(("word", "fact"), sorted(WORDS.items()))
def test_s13_a_word_states_its_own_fact_on_every_kind(
    word: str, fact: Fact, separator: str
) -> None:
    for kind in Kind:
        for title in (f"{word}{separator} {OURS}", f"✓ {word.upper()}{separator} {OURS}"):
            assert stated(title, kind) == Tick(fact=fact, day=None, rest=OURS), title


@pytest.mark.parametrize("kind", Kind)
def test_s13_each_kind_has_words_of_its_own(kind: Kind) -> None:
    for word in (*OWN_WORDS[kind], *DONE_WORDS):
        assert stated(f"{word} – {OURS}", kind) == Tick(fact=OWN_FACT[kind], day=None, rest=OURS)


@pytest.mark.parametrize(
    "title",
    [
        f"{OURS} ✓",
        f"{OURS} – done",
        f"{OURS}, asked",
        f"{OURS} (sent)",
        f"{OURS} DONE!",
        f"{OURS}: sent ✓",
        f"{OURS} ✓ ✓",
        f"{OURS} ✓ asked",
        f"{OURS} -> sent",
        f"{OURS} **done**",
    ],
)
def test_s13_a_tick_may_stand_behind_the_title(title: str) -> None:
    assert stated(title) == Tick(fact=Fact.ASKED, day=None, rest=OURS)


@pytest.mark.parametrize(
    ("title", "day"),
    [
        (f"declined 2027-09-01: {OURS}", date(2027, 9, 1)),
        (f"Declined 1 Sep – {OURS}", date(2027, 9, 1)),
        (f"{OURS} – declined on 1 sep 2026", date(2026, 9, 1)),
        (f"✓ declined 30 Dec · {OURS}", date(2027, 12, 30)),
        (f"declined 2027-13-45: {OURS}", None),
        (f"declined Sep 1 - {OURS}", date(2027, 9, 1)),
        (f"Declined on September 1st, 2026: {OURS}", date(2026, 9, 1)),
        (f"declined 1. sept. – {OURS}", date(2027, 9, 1)),
        (f"declined (1 September) {OURS}", date(2027, 9, 1)),
        (f"{OURS} (declined Sep 1)", date(2027, 9, 1)),
        (f"{OURS} declined ✓ 1 Sep", date(2027, 9, 1)),
    ],
)
def test_s13_a_day_may_be_typed(title: str, day: date | None) -> None:
    assert stated(title) == Tick(fact=Fact.DECLINED, day=day, rest=OURS)


@pytest.mark.parametrize(
    "title", [f"✓ 1 Sep · {OURS}", f"✅ on Sep 1: {OURS}", f"[x] 1 Sep {OURS}", f"{OURS} ✓ 1 Sep"]
)
def test_s13_a_mark_alone_may_have_a_day(title: str) -> None:
    assert stated(title) == Tick(fact=Fact.ASKED, day=date(2027, 9, 1), rest=OURS)


@pytest.mark.parametrize(
    "ticked",
    [
        *("✔\ufe0e ", "✅\u200d", "\u200b✓ ", "\u200e✓\u00a0", "\ufeff[x] "),
        *("［x］", "（Ｘ） ", "【✓】", "[ x ] ", "✓✓ ", "✅ ✅ ", "done ✓ ", "✓ done! "),
        *("done… ", "done... ", "done/", "done → ", "DONE-", "done--", "done − ", "done ‑ "),
        *("*done* ", "**Done**: ", "“done” ", "<done> ", "{done} ", "done： ", "done、"),
    ],
)
def test_s13_a_tick_is_read_whatever_the_keyboard(ticked: str) -> None:
    assert stated(ticked + OURS) == Tick(fact=Fact.ASKED, day=None, rest=OURS)


def test_s13_what_is_unseen_in_the_words_of_the_person_stays() -> None:
    words = "👩\u200d🏫 ❤\ufe0f call"
    assert stated(f"✓ {words}") == Tick(fact=Fact.ASKED, day=None, rest=words)


def test_s13_a_title_as_long_as_a_book_is_not_searched() -> None:
    assert stated(f"{'- (' * 1_000_000} done") is None


@pytest.mark.parametrize(
    "title",
    [
        OURS,
        "Sent Dr. X a mail",
        "Done with this, call later",
        "Submitted my own application",
        "Declining",
        "sent-off letter",
        "Asked about it",
        "Ask Dr. Declined for a letter",
        "In case of rain: call",
        "What I talked about: goals",
        "Prep for the talk, not done yet",
        "done-ish",
        "(maybe) done later",
        f"submitted? {OURS}",
        f"not done: {OURS}",
        f"[ ] {OURS}",
        f"☐ {OURS}",
        "done… later",
        "Done 5 marbles",
        "",
        "x",
        "-",
    ],
)
def test_s13_a_title_that_merely_contains_such_a_word_states_nothing(title: str) -> None:
    assert [stated(title, kind) for kind in Kind] == [None] * len(Kind)


def test_s13_a_second_tick_before_a_settled_title_states_its_own_fact() -> None:
    settled = ticked_title(Fact.ASKED, date(2027, 9, 12), OURS)
    tick = stated(f"Declined – {settled}")
    assert tick == Tick(fact=Fact.DECLINED, day=None, rest=OURS)
    assert stated(f"declined {settled}") == tick


@given(
    fact=st.sampled_from(Fact),
    day=st.dates(date(2027, 4, 1), date(2028, 2, 1)),
    rest=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60),
    kind=st.sampled_from(Kind),
)
def test_s13_normalising_keeps_fact_and_day_and_is_idempotent(
    fact: Fact, day: date, rest: str, kind: Kind
) -> None:
    # Only a task is simply done; of all else it is known what happened.
    assume(fact is not Fact.DONE or OWN_FACT[kind] is Fact.DONE)
    title = ticked_title(fact, day, rest)
    tick = find_tick(title, kind, is_known=lambda _: False, today=TODAY)
    assert tick is not None
    assert (tick.fact, tick.day, tick.rest) == (fact, day, without_tick(rest))
    assert is_settled(title, fact, day)
    assert ticked_title(fact, day, tick.rest) == title


@given(
    text=st.text(max_size=40),
    day=st.dates(date(1970, 1, 1), date(2200, 12, 31)),
    fact=st.sampled_from(Fact),
)
def test_s13_the_block_keeps_facts_with_their_year(text: str, day: date, fact: Fact) -> None:
    kept = with_stated(text, [(fact, day)])
    assert stated_facts(kept) == {fact: day}
    assert with_stated(kept, [(fact, day)]) == kept
    assert with_stated(kept, []) == text.rstrip()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1969-12-31"])
def test_s13_a_day_of_no_season_is_none(day: str) -> None:
    tick = find_tick(f"sent {day} – X", Kind.FOLLOW_UP, is_known=lambda _: False, today=TODAY)
    assert tick is not None
    assert (tick.fact, tick.day) == (Fact.FOLLOWED_UP, None)


@pytest.mark.parametrize(
    ("title", "fact", "rest"),
    [
        ("✓ Letter due: Dr. X – declined", Fact.DECLINED, "Letter due: Dr. X"),
        ("[x] Letter due: Dr. X (declined)", Fact.DECLINED, "Letter due: Dr. X"),
        ("✓ Letter due: Dr. X", Fact.SUBMITTED, "Letter due: Dr. X"),
        ("✓ Letter due: Dr. X – called him", Fact.SUBMITTED, "Letter due: Dr. X – called him"),
        ("✓ asked 30 Nov · Letter due: Dr. X – declined", Fact.DECLINED, "Letter due: Dr. X"),
    ],
)
def test_s13_a_word_says_more_than_a_mark(title: str, fact: Fact, rest: str) -> None:
    known = "Letter due: Dr. X"
    tick = find_tick(title, Kind.DEADLINE, is_known=lambda text: text == known, today=TODAY)
    assert tick is not None
    assert (tick.fact, tick.rest) == (fact, rest)


@pytest.mark.parametrize(
    ("title", "day"),
    [
        ("Submitted: 3 Dec", date(2027, 12, 3)),
        ("submitted – 3 Dec – Letter due: Dr. X", date(2027, 12, 3)),
        ("Submitted, 2027-12-03", date(2027, 12, 3)),
    ],
)
def test_s13_a_day_behind_a_separator_counts(title: str, day: date) -> None:
    known = "Letter due: Dr. X"
    today = date(2027, 12, 10)
    tick = find_tick(title, Kind.DEADLINE, is_known=lambda text: text == known, today=today)
    assert tick is not None
    assert (tick.fact, tick.day) == (Fact.SUBMITTED, day)
    assert tick.rest in {"", known}


def test_s13_none_of_our_own_titles_is_a_tick() -> None:
    names = ["Done", "Sent: Chen", "✓", "Dr. In", "Declined – Smith", "Sub Mitted, submitted"]
    mentors = [mentor(f"m{index}") for index in range(len(names))]
    letters = [
        letter(f"{each.id}-{stage}", DUE, "home", mentor=each.id, **facts)
        for each in mentors
        for stage, facts in {
            "new": {},
            "in": {"submitted_on": date(2026, 6, 1)},
            "no": {"declined_on": date(2026, 6, 2)},
        }.items()
    ]
    programs = [program("home", DUE, letters_min=40, results_on=date(2027, 3, 1))]
    plan = planned(season(*letters, mentors=mentors, programs=programs), date(2026, 6, 3))
    assert {event.kind for event in plan.events} >= {Kind.REPLACE, Kind.THANK_YOU, Kind.RESULTS}
    for event in plan.events:
        for name in names:
            title = event.summary.replace(f"Dr. {event.mentor.title()}", name)
            known = title

            def is_known(text: str, known: str = known) -> bool:
                return text == known

            assert find_tick(title, event.kind, is_known=is_known, today=TODAY) is None, title
        assert find_tick(event.summary, event.kind, is_known=lambda _: False, today=TODAY) is None
