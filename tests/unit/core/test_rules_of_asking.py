"""R1 to R3 and R8: when to talk and to ask, and for how many letters at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from lorsync.core.display import shortened
from lorsync.core.model import Absence, Contact, Kind, Policy, Status
from lorsync.core.planner.dates import day_of
from tests.unit.core.seasons import (
    DUE,
    EVERY_DAY,
    NEW_YORK,
    as_placed,
    before,
    codes,
    days,
    letter,
    mentor,
    only,
    placed,
    planned,
    program,
    remembered,
    season,
)

EARLY = date(2026, 5, 1)


def test_r1_the_request_falls_lead_days_before_the_due_date():
    request = only(planned(season(letter(due=DUE)), EARLY), Kind.REQUEST)
    assert request.day == before(DUE, 42)
    assert request.status is Status.PLANNED
    assert [reason.rule for reason in request.reasons] == ["R1"]


@pytest.mark.parametrize(
    ("left", "status", "warned"),
    [
        (365, Status.PLANNED, []),
        (42, Status.PLANNED, []),
        (41, Status.PLANNED, []),
        (28, Status.PLANNED, []),
        (27, Status.SHORT_NOTICE, ["short-notice"]),
        (11, Status.SHORT_NOTICE, ["short-notice"]),
        (10, Status.SHORT_NOTICE, ["short-notice", "no-follow-up"]),
        (0, Status.SHORT_NOTICE, ["short-notice", "no-follow-up"]),
    ],
)
def test_r1_every_start_day_gives_a_sensible_plan(left, status, warned):
    today = before(DUE, left)
    found = planned(season(letter(due=DUE)), today)
    request = only(found, Kind.REQUEST)
    assert request.status is status
    assert request.day == max(today, before(DUE, 42))
    assert sorted(set(codes(found)) - {"not-asked"}) == sorted(warned)
    assert only(found, Kind.DEADLINE).day == DUE


def test_r1_after_the_due_date_nothing_is_asked_and_the_plan_says_so():
    found = planned(season(letter(due=DUE)), DUE + timedelta(days=1))
    assert not days(found, Kind.REQUEST)
    assert codes(found) == ["past-due"]


def test_r1_a_request_whose_day_passed_counts_as_made_until_a_fact_corrects_it():
    made = placed(Kind.REQUEST, before(DUE, 42), slot="1")
    today = before(DUE, 30)
    found = planned(season(letter(due=DUE)), today, made)
    assert not days(found, Kind.REQUEST)
    assert "unconfirmed" in codes(found)
    assert found.letters[0].asked == before(DUE, 42)
    corrected = planned(season(letter(due=DUE, asked_on=before(DUE, 40))), today, made)
    assert corrected.letters[0].asked == before(DUE, 40)
    assert "unconfirmed" not in codes(corrected)


@pytest.mark.parametrize(
    ("asked_from", "due"),
    [(date(2026, 7, 1), date(2026, 9, 10)), (date(2026, 8, 20), date(2026, 9, 23))],
)
def test_a_target_yields_when_asking_leaves_too_little_time(asked_from, due):
    home = program("home", DUE, target=date(2026, 9, 10))
    of = season(letter("a", None, "home", asked_on=asked_from), programs=[home])
    found = planned(of, asked_from)
    assert found.letters[0].due == due
    assert "Home Hospital" in only(found, Kind.DEADLINE).reasons[0].text


def test_a_target_that_has_passed_yields_to_the_hard_date():
    home = program("home", DUE, target=date(2026, 9, 10))
    of = season(letter("a", None, "home", asked_on=EARLY), programs=[home])
    assert planned(of, date(2026, 9, 10)).letters[0].due == date(2026, 9, 10)
    found = planned(of, date(2026, 9, 11))
    assert found.letters[0].due == DUE
    assert "has passed" in only(found, Kind.DEADLINE).reasons[0].text
    assert "past-due" not in codes(found)


def test_the_due_date_is_the_earliest_over_the_programs_less_their_lag():
    programs = [program("p", DUE), program("q", DUE + timedelta(days=3), lag_days=5)]
    found = planned(season(letter("a", None, "p", "q"), programs=programs), EARLY)
    assert found.letters[0].due == before(DUE, 2)
    assert "Q Hospital, less 5 days for its portal" in only(found, Kind.DEADLINE).reasons[0].text


def test_when_the_first_program_is_past_the_next_one_is_served():
    programs = [program("p", DUE), program("q", DUE + timedelta(days=40))]
    of = season(letter("a", None, "p", "q", asked_on=EARLY), programs=programs)
    found = planned(of, DUE + timedelta(days=1))
    assert found.letters[0].due == DUE + timedelta(days=40)
    assert days(found, Kind.FOLLOW_UP)
    warning = next(w for w in found.warnings if w.code == "past-due")
    assert "P Hospital" in warning.message
    assert "Q Hospital" in warning.message


@pytest.mark.parametrize(
    ("deadline", "day"),
    [
        (datetime(2026, 9, 23, 23, 59, tzinfo=NEW_YORK), date(2026, 9, 23)),
        (datetime(2026, 9, 24, 3, 59, tzinfo=UTC), date(2026, 9, 23)),
        (datetime(2026, 9, 23, 1, 0, tzinfo=timezone(timedelta(hours=9))), date(2026, 9, 22)),
        (datetime(2026, 9, 22, 23, 0, tzinfo=timezone(timedelta(hours=-9))), date(2026, 9, 22)),
        (date(2026, 9, 23), date(2026, 9, 23)),
    ],
)
def test_a_deadline_with_a_time_is_the_earlier_day_of_there_and_here(deadline, day):
    assert day_of(deadline, NEW_YORK) == day


def test_r2_the_talk_comes_a_week_before_the_request_once():
    of = season(letter("a", DUE), letter("b", DUE + timedelta(days=90)))
    found = planned(of, EARLY)
    assert days(found, Kind.TALK) == [before(DUE, 49)]
    assert len(days(found, Kind.REQUEST)) == 2
    had = season(letter("a", DUE, talked_on=before(EARLY, 3)), letter("b", DUE))
    assert not days(planned(had, EARLY), Kind.TALK)


def test_r2_without_time_for_a_talk_the_request_says_to_speak_first():
    found = planned(season(letter(due=DUE)), before(DUE, 42))
    assert not days(found, Kind.TALK)
    assert "speak with them first" in only(found, Kind.REQUEST).text()


def test_r2_a_talk_that_the_person_moved_holds_the_request_back():
    moved = placed(Kind.TALK, before(DUE, 40), pinned=True)
    found = planned(season(letter(due=DUE)), before(DUE, 60), moved)
    assert only(found, Kind.TALK).day == before(DUE, 40)
    assert only(found, Kind.TALK).pinned
    assert only(found, Kind.REQUEST).day == before(DUE, 33)


def test_r3_the_request_is_a_checklist_with_the_letters_own_data_and_a_draft():
    home = program("home", DUE, portal="ERAS", why="I trained there.")
    of = season(
        letter(
            "a", None, "home", attributes=("teaching",), letter_id="10477211", waived=True,
            submit_via="the ERAS letter portal",
        ),
        mentors=[mentor(email="chen@example.edu")],
        programs=[home],
    )  # fmt: skip
    of = replace(of, applicant=replace(of.applicant, cv="https://example.org/cv.pdf"))
    text = only(planned(of, EARLY), Kind.REQUEST).text()
    for part in (
        "CV: https://example.org/cv.pdf", "Personal statement", "Goals", "I trained there.",
        "Home Hospital (ERAS), deadline 23 Sep 2026", "teaching", "10477211", ": waived",
        "submit via the ERAS letter portal", "Dear Dr. Chen", "Maya Okafor",
        "mailto:chen@example.edu?subject=A%20letter",
    ):  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Ana-Maria", "Ana-…"), ("Rene\u0301e", "Ren…"), ("Ana👩🏽\u200d⚕️ Li", "Ana…")],
)
def test_a_long_name_is_cut_between_what_is_read_as_one_character(name, shown):
    assert shortened(name, 5) == shown


def test_r3_a_deadline_with_a_time_is_named_by_the_applicants_day():
    # That is half past eleven the evening before in New York.
    home = program("home", datetime.fromisoformat("2026-09-24T03:30:00+00:00"))
    found = planned(season(letter("a", None, "home"), programs=[home]), EARLY)
    asking = only(found, Kind.REQUEST)
    assert "Home Hospital, deadline 23 Sep 2026" in asking.text()
    assert "24 Sep" not in asking.text()


def test_r3_nobody_is_asked_to_write_for_a_program_that_is_over():
    programs = [program("home", DUE), program("late", DUE + timedelta(days=60))]
    of = season(letter("a", None, "home", "late"), programs=programs)
    text = only(planned(of, DUE + timedelta(days=1)), Kind.REQUEST).text()
    assert "I am applying to: Late Hospital." in text
    assert "deadline 23 Sep 2026" not in text


@pytest.mark.parametrize(
    ("later", "when"), [(0, "They would be due on"), (1, "The first would be due on")]
)
def test_r3_letters_due_on_one_day_have_no_first(later, when):
    of = season(letter("a", DUE), letter("b", DUE + timedelta(days=later)))
    assert f"{when} 23 Sep 2026" in only(planned(of, EARLY), Kind.REQUEST).text()


def test_r3_the_draft_goes_to_the_assistant_where_there_is_one():
    ortiz = Contact(name="Ms. Ortiz", email="ortiz@example.edu")
    found = planned(season(letter(due=DUE), mentors=[mentor(contact=ortiz)]), EARLY)
    text = only(found, Kind.REQUEST).text()
    assert "Dear Ms. Ortiz" in text
    assert "pass this on to Dr. Chen" in text
    assert "mailto:ortiz@example.edu" in text


def test_r6_the_request_moves_earlier_first():
    away = Absence(first=before(DUE, 50), last=before(DUE, 30), why="leave")
    found = planned(season(letter(due=DUE), mentors=[mentor(away=(away,))]), EARLY)
    request = only(found, Kind.REQUEST)
    assert request.day == before(DUE, 51)
    assert [reason.rule for reason in request.reasons] == ["R1", "R6"]
    assert "leave" in request.reasons[1].text


def test_r6_where_earlier_is_past_the_request_moves_later():
    away = Absence(first=before(DUE, 50), last=before(DUE, 30))
    of = season(letter(due=DUE), mentors=[mentor(away=(away,))])
    assert only(planned(of, before(DUE, 45)), Kind.REQUEST).day == before(DUE, 29)


@pytest.mark.parametrize(
    "unreachable",
    [
        {"away": (Absence(first=date(2026, 1, 1), last=date(2026, 12, 31)),)},
        {"not_before": DUE + timedelta(days=1)},
    ],
)
def test_r6_no_contact_day_gives_no_event_a_warning_and_a_plan_for_the_others(unreachable):
    of = season(
        letter("a", DUE),
        letter("b", DUE, mentor="novak"),
        mentors=[mentor(**unreachable), mentor("novak")],
    )
    found = planned(of, EARLY)
    assert "no-contact-day" in codes(found)
    assert {e.mentor for e in found.events if e.kind is Kind.REQUEST} == {"novak"}


def test_r6_holidays_of_the_mentors_region_go_before_the_policys():
    of = season(
        letter(due=DUE),
        mentors=[mentor(holidays="DE")],
        policy=replace(EVERY_DAY, holidays="US"),
        holidays={"DE": {before(DUE, 42): "Tag der Briefe"}, "US": {before(DUE, 43): "Mail Day"}},
    )
    request = only(planned(of, EARLY), Kind.REQUEST)
    assert request.day == before(DUE, 43)
    assert "Tag der Briefe" in request.reasons[1].text


TOKYO, AUCKLAND = ZoneInfo("Asia/Tokyo"), ZoneInfo("Pacific/Auckland")
NOON = time(12)
REQUESTED = before(DUE, 42)
"""A Wednesday, the ideal day of the request."""


def request_day(*, at=NOON, quiet=(), **of_the_mentor):
    told = season(
        letter(due=DUE),
        mentors=[mentor(**of_the_mentor)],
        policy=Policy(quiet_days=frozenset(quiet)),
    )
    made = planned(replace(told, contact_at=at), EARLY)
    return only(made, Kind.REQUEST).day


def test_r6_quiet_days_are_those_where_the_mentor_is():
    """At noon in New York it is the next day in Tokyo; at nine in the morning it is not yet."""
    wednesday, thursday = 2, 3
    assert request_day(quiet={wednesday}) == REQUESTED - timedelta(days=1)
    assert request_day(quiet={thursday}) == REQUESTED
    assert request_day(quiet={thursday}, timezone=TOKYO) == REQUESTED - timedelta(days=1)
    assert request_day(quiet={wednesday}, timezone=TOKYO) == REQUESTED
    assert request_day(quiet={thursday}, timezone=TOKYO, at=time(9)) == REQUESTED
    # Noon is a matter of hours: a mentor two hours away has the same days.
    assert request_day(quiet={thursday}, timezone=ZoneInfo("America/Denver")) == REQUESTED


def test_r6_absences_and_the_first_day_are_the_mentors_days():
    the_next = REQUESTED + timedelta(days=1)
    away = (Absence(first=the_next, last=the_next),)
    assert request_day(away=away) == REQUESTED
    assert request_day(away=away, timezone=AUCKLAND) == REQUESTED - timedelta(days=1)
    # The applicant's day before is the mentor's first day.
    assert request_day(not_before=the_next) == the_next
    assert request_day(not_before=the_next, timezone=AUCKLAND) == REQUESTED


def test_r6_the_reason_says_which_day_it_is_for_the_mentor():
    told = season(
        letter(due=DUE),
        mentors=[mentor(timezone=TOKYO)],
        policy=Policy(quiet_days=frozenset({3})),
    )
    request = only(planned(told, EARLY), Kind.REQUEST)
    (reason,) = [r for r in request.reasons if r.rule == "R6"]
    assert "a Thursday: it is 2026-08-13 then in Asia/Tokyo" in reason.text


def test_r6_a_region_that_nobody_knows_is_named_and_the_plan_goes_on():
    of = season(letter(due=DUE), policy=replace(EVERY_DAY, holidays="XX"), holidays={})
    found = planned(of, EARLY)
    assert "unknown-holidays" in codes(found)
    assert days(found, Kind.REQUEST)


def test_r7_an_added_letter_keeps_its_distance_to_the_last_contact():
    of = season(letter("a", DUE, asked_on=before(DUE, 41)), letter("b", DUE))
    found = planned(of, before(DUE, 40))
    assert only(found, Kind.ADD_LETTER).day == before(DUE, 34)


def test_r8_one_request_for_all_letters_within_batch_days():
    of = season(letter("a", DUE), letter("b", DUE + timedelta(days=28)))
    request = only(planned(of, EARLY), Kind.REQUEST)
    assert request.letters == ("a", "b")
    assert request.day == before(DUE, 42)
    assert "2 letters, first due 23 Sep" in request.summary


def test_r8_letters_further_apart_give_several_requests():
    of = season(letter("a", DUE), letter("b", DUE + timedelta(days=29)))
    found = planned(of, EARLY)
    assert days(found, Kind.REQUEST) == [before(DUE, 42), before(DUE, 13)]
    assert [e.identity.slot for e in found.events if e.kind is Kind.REQUEST] == ["1", "2"]


def test_r8_a_request_keeps_its_slot_while_letters_come_and_go():
    a, b, c = letter("a", DUE), letter("b", DUE + timedelta(days=60)), letter("c", before(DUE, 60))
    first = planned(season(a, b), EARLY)
    standing = remembered((), first)
    slots = {e.letters: e.identity.slot for e in first.events if e.kind is Kind.REQUEST}
    later = planned(season(c, a, b), EARLY, *standing)
    found = {e.letters: e.identity.slot for e in later.events if e.kind is Kind.REQUEST}
    assert found == {**slots, ("c",): "3"}
    gone = planned(season(b), EARLY, *standing)
    assert only(gone, Kind.REQUEST).identity.slot == slots[("b",)]


def test_r8_a_standing_request_covers_its_letters_after_the_first_was_made():
    of = season(letter("a", DUE), letter("b", DUE + timedelta(days=60)))
    history = remembered((), planned(of, EARLY))
    found = planned(of, before(DUE, 41), *history)
    assert not days(found, Kind.ADD_LETTER)
    assert only(found, Kind.REQUEST).identity.slot == "2"


def test_r8_a_letter_added_after_the_request_is_a_small_event_of_its_own():
    made = placed(Kind.REQUEST, before(DUE, 42), slot="1")
    late = [letter("b", DUE + timedelta(days=1)), letter("c", DUE + timedelta(days=80))]
    found = planned(season(letter("a", DUE), *late), before(DUE, 30), made)
    assert not days(found, Kind.REQUEST)
    assert [e.identity.subject for e in found.events if e.kind is Kind.ADD_LETTER] == ["b", "c"]
    assert not days(found, Kind.TALK)


def test_r8_an_added_letter_stays_the_same_event_when_another_joins_it():
    asked = letter("z", DUE, asked_on=before(DUE, 60))
    first = planned(season(asked, letter("m", DUE)), before(DUE, 50))
    standing = as_placed(only(first, Kind.ADD_LETTER))
    of = season(asked, letter("a", before(DUE, 2)), letter("m", DUE))
    joined = only(planned(of, before(DUE, 50), standing), Kind.ADD_LETTER)
    assert joined.letters == ("a", "m")
    assert joined.uid == only(first, Kind.ADD_LETTER).uid


def test_s10_a_request_that_the_person_moved_stays_and_follow_ups_go_by_it():
    moved = placed(Kind.REQUEST, before(DUE, 20), slot="1", pinned=True)
    found = planned(season(letter(due=DUE)), before(DUE, 60), moved)
    request = only(found, Kind.REQUEST)
    assert (request.day, request.pinned) == (before(DUE, 20), True)
    assert request.reasons[-2].rule == "S10"
    assert days(found, Kind.FOLLOW_UP) == [before(DUE, 7)]


def test_s10_a_request_moved_behind_the_due_date_is_warned_of():
    moved = placed(Kind.REQUEST, DUE + timedelta(days=2), slot="1", pinned=True)
    assert "too-late" in codes(planned(season(letter(due=DUE)), EARLY, moved))


def test_s11_a_deleted_request_is_not_planned_in_another_place():
    deleted = placed(Kind.REQUEST, before(DUE, 42), slot="1", dismissed=True)
    of = season(letter("a", DUE), letter("b", DUE))
    found = planned(of, EARLY, deleted)
    assert only(found, Kind.REQUEST).letters == ("b",)
    alone = planned(season(letter("a", DUE)), EARLY, deleted)
    assert not days(alone, Kind.REQUEST)
    assert days(alone, Kind.FOLLOW_UP) == [before(DUE, 21), before(DUE, 7)]


def test_an_answer_says_that_the_request_was_made():
    for fact in ("agreed_on", "packet_sent_on"):
        of = season(letter(due=DUE, **{fact: before(DUE, 50)}))
        assert planned(of, before(DUE, 45)).letters[0].asked == before(DUE, 50)


def test_events_that_are_not_wanted_are_not_planned():
    policy = Policy(events=frozenset({Kind.REQUEST, Kind.DEADLINE}))
    found = planned(season(letter(due=DUE), policy=policy), EARLY)
    assert {event.kind for event in found.events} == {Kind.REQUEST, Kind.DEADLINE}
    assert "no-follow-up" not in codes(found)
    assert "speak with them first" not in only(found, Kind.REQUEST).text()
