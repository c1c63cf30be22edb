"""R4, R5, R7, R8 and S8 to S11 as far as follow-ups go: when, how many, and what uses them up."""

from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import unquote

import pytest

from lorsync.core.model import Absence, Kind, Policy, Reason
from tests.unit.core.seasons import (
    DUE,
    EVERY_DAY,
    as_placed,
    before,
    codes,
    days,
    letter,
    mentor,
    only,
    placed,
    planned,
    season,
)

ASKED = before(DUE, 60)


def asked(name: str = "a", due: date = DUE, **kwargs):
    return letter(name, due, **{"asked_on": ASKED, **kwargs})


def follow_ups(of, today=ASKED, *history):
    return [
        (e.day, e.identity.slot, e.letters)
        for e in planned(of, today, *history).events
        if e.kind is Kind.FOLLOW_UP
    ]


def final_at(number: int, *names: str, slot: str = "2", **kwargs):
    return placed(Kind.FOLLOW_UP, before(DUE, number), *names, slot=slot, **kwargs)


def test_r4_a_check_in_three_weeks_and_a_final_one_week_before():
    assert follow_ups(season(asked())) == [
        (before(DUE, 21), "1", ("a",)),
        (before(DUE, 7), "2", ("a",)),
    ]


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (35, [21, 7]),
        (34, [20, 7]),
        (31, [17, 7]),
        (30, [16, 6]),
        (28, [14, 4]),
        (27, [7]),
        (14, [7]),
        (13, [6]),
        (11, [4]),
        (10, []),
    ],
)
def test_r4_a_check_in_keeps_its_distance_to_request_and_final(ago, expected):
    of = season(asked(asked_on=before(DUE, ago)))
    found = [(DUE - day).days for day, _, _ in follow_ups(of, before(DUE, ago))]
    assert found == expected


def test_r4_a_final_that_gives_way_to_the_check_in_says_so():
    asked_on = before(DUE, 28)
    found = planned(season(asked(asked_on=asked_on)), asked_on).events
    final = [e for e in found if e.kind is Kind.FOLLOW_UP][-1]
    ideal = before(DUE, 7)
    text = f"{ideal} is less than 10 days from the check-in on {before(DUE, 14)}"
    assert final.reasons[1:] == (Reason(rule="R4", text=text, ideal=ideal),)


def test_r7_the_nearest_contact_is_named_as_what_moves_an_event():
    talks = [before(DUE, 60), before(DUE, 50)]
    letters = [letter(name, DUE, talked_on=day) for name, day in zip("ab", talks, strict=True)]
    of = season(*letters, policy=replace(EVERY_DAY, min_gap_days=20))
    asking = next(e for e in planned(of, talks[1]).events if e.kind is Kind.REQUEST)
    moving = next(reason.text for reason in asking.reasons if reason.rule == "R7")
    assert moving.endswith(f"from the contact on {talks[1]}")


def test_r4_the_final_moves_off_a_weekend_earlier_first():
    due = date(2026, 9, 26)  # a Saturday, and so is the day one week before
    of = season(asked(due=due), policy=Policy())
    assert days(planned(of, ASKED), Kind.FOLLOW_UP)[-1] == date(2026, 9, 18)


@pytest.mark.parametrize(
    ("first", "final", "expected"),
    [(21, 7, [21, 7]), (30, 14, [30, 14]), (14, 4, [14, 4]), (28, 3, [28, 3])],
)
def test_r4_the_distances_go_by_the_policy(first, final, expected):
    policy = replace(EVERY_DAY, first_days=first, final_days=final)
    found = follow_ups(season(asked(), policy=policy))
    assert [(DUE - day).days for day, _, _ in found] == expected


@pytest.mark.parametrize("number", [0, 1, 2])
def test_r5_no_more_follow_ups_than_the_policy_wants(number):
    of = season(asked(), policy=replace(EVERY_DAY, follow_ups=number))
    found = follow_ups(of)
    assert len(found) == number
    assert ("no-follow-up" in codes(planned(of, ASKED))) is (number == 0)
    if number == 1:
        assert found[0][:2] == (before(DUE, 7), "2")


def test_r5_third_follow_up_is_never_planned():
    of = season(asked(), asked("b", DUE + timedelta(days=60)))
    spent = [final_at(21, slot="1"), final_at(7)]
    found = planned(of, before(DUE, 5), *spent)
    assert not days(found, Kind.FOLLOW_UP)
    assert found.budgets["chen"].spent == 2
    assert "used up" in next(w.message for w in found.warnings if w.code == "no-follow-up")


def test_r5_a_new_letter_and_a_moved_deadline_do_not_give_follow_ups_back():
    spent = [final_at(21, slot="1"), final_at(7)]
    of = season(asked(due=DUE + timedelta(days=90)), asked("new", DUE + timedelta(days=100)))
    assert not follow_ups(of, DUE, *spent)


def test_r5_follow_ups_for_a_letter_that_left_the_config_stay_spent():
    spent = [final_at(21, "gone", slot="1"), final_at(7, "gone")]
    assert not follow_ups(season(asked("new")), before(DUE, 6), *spent)


def test_r5_a_stated_follow_up_is_the_event_near_it_told_once_more():
    of = season(asked(followed_up_on=(before(DUE, 20),)))
    found = planned(of, before(DUE, 18), final_at(21, slot="1"))
    assert found.budgets["chen"].spent == 1
    assert days(found, Kind.FOLLOW_UP) == [before(DUE, 7)]


def test_r5_a_stated_follow_up_far_from_any_event_uses_one_up():
    of = season(asked(followed_up_on=(before(DUE, 40),)))
    found = planned(of, before(DUE, 38), final_at(21, slot="1"), final_at(7))
    assert found.budgets["chen"].spent == 1
    assert follow_ups(of, before(DUE, 38), final_at(7)) == [(before(DUE, 7), "2", ("a",))]


def test_r5_a_follow_up_made_ahead_of_its_day_uses_up_the_event():
    of = season(asked(followed_up_on=(before(DUE, 9),)))
    found = planned(of, before(DUE, 9), final_at(21, slot="1"), final_at(7))
    assert found.budgets["chen"].spent == 2
    assert not days(found, Kind.FOLLOW_UP)


def test_r5_more_follow_ups_than_allowed_are_told_and_not_added_to():
    of = season(asked(followed_up_on=(before(DUE, 40), before(DUE, 30), before(DUE, 20))))
    found = planned(of, before(DUE, 18))
    assert not days(found, Kind.FOLLOW_UP)
    assert "over-budget" in codes(found)


def test_r7_a_follow_up_is_a_gap_from_other_contacts():
    # The letter added is asked for on the day of the final.
    of = season(asked(), letter("b", DUE + timedelta(days=35)))
    found = planned(of, ASKED)
    added = only(found, Kind.ADD_LETTER).day
    assert added == before(DUE, 7)
    finals = days(found, Kind.FOLLOW_UP)
    assert all(abs((day - added).days) >= 7 for day in finals)


def test_r7_too_near_for_a_follow_up_says_so():
    found = planned(season(asked()), before(DUE, 2))
    assert not days(found, Kind.FOLLOW_UP)
    assert "too near" in next(w.message for w in found.warnings if w.code == "no-follow-up")


def test_r8_one_final_serves_later_due_dates_up_to_14_days_ahead():
    of = season(asked(), asked("b", DUE + timedelta(days=7)), asked("c", DUE + timedelta(days=8)))
    (_, check_in, all_of_them), (day, _, letters) = follow_ups(of)
    assert all_of_them == ("a", "b", "c")
    # A day later than ideal, all three are within its reach.
    assert (day, letters) == (before(DUE, 6), ("a", "b", "c"))
    assert check_in == "1"


def test_r8_two_distant_due_dates_get_a_final_each_and_no_check_in():
    of = season(asked(), asked("b", DUE + timedelta(days=50)))
    assert follow_ups(of) == [
        (before(DUE, 7), "1", ("a",)),
        (DUE + timedelta(days=43), "2", ("b",)),
    ]


def test_r8_of_three_distant_due_dates_the_one_without_is_named():
    of = season(
        asked(), asked("b", DUE + timedelta(days=50)), asked("c", DUE + timedelta(days=100))
    )
    found = planned(of, ASKED)
    assert len(days(found, Kind.FOLLOW_UP)) == 2
    (warning,) = (w for w in found.warnings if w.code == "no-follow-up")
    assert "both follow-ups go to other due dates" in warning.message
    assert " c, due on" in warning.message


def test_r8_where_the_window_is_blocked_the_last_contact_day_before_it_is_the_final():
    away = Absence(first=before(DUE, 13), last=DUE)
    of = season(asked(), mentors=[mentor(away=(away,))])
    assert [(DUE - day).days for day, _, _ in follow_ups(of)][-1] == 14


def test_r10_the_follow_up_lists_the_open_letter_only():
    of = season(asked(), asked("b", submitted_on=before(DUE, 30)))
    assert {letters for _, _, letters in follow_ups(of, before(DUE, 29))} == {("a",)}


def test_r10_all_letters_in_no_follow_up_is_left_and_none_is_spent():
    of = season(asked(submitted_on=before(DUE, 30)))
    standing = [final_at(21, slot="1"), final_at(7)]
    found = planned(of, before(DUE, 29), *standing)
    assert not days(found, Kind.FOLLOW_UP)
    assert found.budgets["chen"].spent == 0


def test_a_follow_up_lists_only_letters_that_were_asked_for():
    of = season(asked(), letter("b", DUE + timedelta(days=3)))
    made = placed(Kind.REQUEST, ASKED, slot="1")
    found = planned(of, before(DUE, 30), made)
    assert only(found, Kind.ADD_LETTER).day == before(DUE, 30)
    # The check-in comes too soon after the second request to speak of that letter.
    assert [e.letters for e in found.events if e.kind is Kind.FOLLOW_UP] == [("a",), ("a", "b")]


def test_s8_a_day_that_does_not_change_keeps_its_slot():
    lone = season(asked(), policy=replace(EVERY_DAY, follow_ups=1))
    (event,) = (e for e in planned(lone, ASKED).events if e.kind is Kind.FOLLOW_UP)
    grown = season(asked(), asked("b", DUE + timedelta(days=50)))
    found = follow_ups(grown, ASKED, as_placed(event))
    assert found[0][:2] == (before(DUE, 7), "2")
    assert found[1][1] == "1"


def test_s10_a_final_that_the_person_moved_holds_its_day_and_the_rest_goes_around_it():
    of = season(asked(), asked("b", DUE + timedelta(days=50)))
    moved = final_at(10, "a", slot="1", pinned=True)
    found = planned(of, ASKED, moved)
    pinned, other = (e for e in found.events if e.kind is Kind.FOLLOW_UP)
    assert (pinned.day, pinned.pinned, pinned.letters) == (before(DUE, 10), True, ("a",))
    assert "planned for" in pinned.reasons[0].text
    assert other.day == DUE + timedelta(days=43)
    assert found.budgets["chen"].planned == 2


def test_s10_a_moved_final_still_counts_as_one_after_its_day():
    of = season(asked())
    moved = final_at(25, slot="2", pinned=True)
    assert len(follow_ups(of, before(DUE, 30), moved)) == 1
    assert not follow_ups(of, before(DUE, 24), moved)


def test_s10_a_moved_follow_up_goes_when_its_letter_is_in():
    of = season(asked(submitted_on=before(DUE, 30)))
    assert not follow_ups(of, before(DUE, 30), final_at(5, pinned=True))


def test_s10_a_follow_up_moved_past_its_use_is_kept_and_warned_of():
    late = placed(Kind.FOLLOW_UP, DUE + timedelta(days=2), slot="2", pinned=True)
    found = planned(season(asked()), before(DUE, 20), late)
    assert DUE + timedelta(days=2) in days(found, Kind.FOLLOW_UP)
    assert "too-late" in codes(found)


def test_s11_a_deleted_final_is_spent_and_the_check_in_does_not_take_its_place():
    of = season(asked())
    deleted = final_at(7, dismissed=True)
    assert follow_ups(of, ASKED, deleted) == [(before(DUE, 21), "1", ("a",))]
    found = planned(of, before(DUE, 20), final_at(21, slot="1"), deleted)
    assert not days(found, Kind.FOLLOW_UP)
    assert found.budgets["chen"].spent == 2


def test_s11_a_deleted_check_in_leaves_the_final_alone():
    assert follow_ups(season(asked()), ASKED, final_at(21, slot="1", dismissed=True)) == [
        (before(DUE, 7), "2", ("a",))
    ]


def test_the_title_names_the_mentor_how_many_letters_and_the_due_date():
    of = season(asked(), asked("b", DUE + timedelta(days=3)))
    found = planned(of, ASKED)
    titles = {e.summary for e in found.events if e.kind is Kind.FOLLOW_UP}
    assert titles == {"Check in with Dr. Chen: 2 letters, first due 23 Sep"}


def test_a_draft_thanks_for_an_agreement_only_where_there_was_one():
    agreed = season(asked(agreed_on=before(DUE, 59)))
    final = planned(agreed, before(DUE, 50)).events[0]
    assert "Thank you again for agreeing" in final.text()
    unanswered = planned(season(asked()), before(DUE, 50)).events[0]
    assert "agree" not in unanswered.text()


@pytest.mark.parametrize("name", ["Dr. X", "Prof. " + "Very" * 30, "د. سلمى", "👩🏽‍⚕️ Dr. Ada"])
def test_every_title_fits_a_lock_screen_and_every_draft_opens(name):
    of = season(asked(), mentors=[replace(mentor(), name=name, email="a+b&c@example.edu")])
    for event in planned(of, ASKED).events:
        assert len(event.summary) <= 60
        links = [line for line in event.text().splitlines() if line.startswith("mailto:")]
        if event.kind is Kind.FOLLOW_UP:
            assert links[0].startswith("mailto:a%2Bb%26c@example.edu?subject=")
            assert f"Dear {name}," in unquote(links[0])
