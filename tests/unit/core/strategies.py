"""Hypothesis strategies: seasons with facts, histories and days, as odd as a config may be."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from lorsync.core.model import (
    Absence,
    Applicant,
    Cycle,
    Facts,
    Identity,
    Kind,
    Letter,
    LetterId,
    LetterType,
    Mentor,
    MentorId,
    Placed,
    Policy,
    Program,
    ProgramId,
    Season,
)

FIRST_DAY, LAST_DAY = date(2026, 3, 1), date(2027, 4, 30)
MENTORS = tuple(MentorId(name) for name in ("ada", "ben"))
PROGRAMS = tuple(ProgramId(name) for name in ("p", "q", "r"))

days = st.dates(FIRST_DAY, LAST_DAY)
"""Days on which a plan is made, and of facts."""

due_days = st.dates(FIRST_DAY + timedelta(days=90), LAST_DAY)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy that the config would let pass."""
    lead = draw(st.integers(14, 80))
    final = draw(st.integers(3, 14))
    return draw(
        st.builds(
            Policy,
            lead_days=st.just(lead),
            min_lead_days=st.integers(0, lead),
            talk_days=st.integers(0, 20),
            first_days=st.integers(final, final + 30),
            final_days=st.just(final),
            follow_ups=st.integers(0, 2),
            min_gap_days=st.integers(0, 15),
            last_useful_days=st.integers(0, final),
            batch_days=st.integers(0, 60),
            thank_you_days=st.integers(0, 7),
            quiet_days=st.frozensets(st.integers(0, 6), max_size=5),
            holidays=st.just("XX"),
        )
    )


@st.composite
def absences(draw: st.DrawFn) -> Absence:
    first = draw(days)
    return Absence(first=first, last=first + timedelta(days=draw(st.integers(0, 60))))


@st.composite
def programs(draw: st.DrawFn, program_id: ProgramId) -> Program:
    deadline = draw(st.none() | due_days)
    target = draw(due_days if deadline is None else st.none() | due_days)
    return Program(
        id=program_id,
        name=f"Program {program_id}",
        deadline=deadline,
        target=target,
        lag_days=draw(st.integers(0, 10)),
        letters_min=draw(st.integers(0, 3)),
        letters_max=draw(st.none() | st.integers(3, 4)),
        needs=tuple(draw(st.lists(st.sampled_from(LetterType), max_size=1))),
        own_letter=draw(st.booleans()),
        results_on=draw(st.none() | days),
    )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Draw facts in any order, contradictions included; most letters have few."""
    one = st.none() | days
    if draw(st.booleans()):
        return Facts(asked_on=draw(one))
    return Facts(
        talked_on=draw(one),
        asked_on=draw(one),
        followed_up_on=tuple(draw(st.lists(days, max_size=3))),
        agreed_on=draw(one),
        declined_on=draw(one),
        packet_sent_on=draw(one),
        submitted_on=draw(one),
        thanked_on=draw(one),
        results_shared_on=draw(one),
    )


@st.composite
def letters(
    draw: st.DrawFn, number: int, mentors: Sequence[MentorId], served: Sequence[ProgramId]
) -> Letter:
    serves = draw(st.lists(st.sampled_from(list(served)), unique=True, max_size=3))
    return Letter(
        id=LetterId(f"l{number}"),
        mentor=draw(st.sampled_from(list(mentors))),
        type=draw(st.sampled_from(LetterType)),
        programs=tuple(serves),
        deadline=draw(st.none() | due_days) if serves else draw(due_days),
        assigned=tuple(serves[: draw(st.integers(0, 2))]),
        facts=draw(facts()),
    )


@st.composite
def seasons(draw: st.DrawFn, *, with_facts: bool = True) -> Season:
    mentors = {
        mentor_id: Mentor(
            id=mentor_id,
            name=f"Dr. {mentor_id}",
            away=tuple(draw(st.lists(absences(), max_size=2))),
            not_before=draw(st.none() | days),
            familiarity=draw(st.none() | st.integers(1, 5)),
        )
        for mentor_id in MENTORS
    }
    found = [draw(letters(number, MENTORS, PROGRAMS)) for number in range(draw(st.integers(1, 4)))]
    if not with_facts:
        found = [_without_facts(letter) for letter in found]
    return Season(
        applicant=Applicant(name="Maya", timezone=ZoneInfo("America/New_York")),
        cycle=Cycle(name="2027"),
        policy=draw(policies()),
        mentors=mentors,
        programs={program_id: draw(programs(program_id)) for program_id in PROGRAMS},
        letters=tuple(found),
        holidays={"XX": dict.fromkeys(draw(st.lists(days, max_size=8)), "a holiday")},
    )


def _without_facts(letter: Letter) -> Letter:
    return Letter(
        id=letter.id,
        mentor=letter.mentor,
        type=letter.type,
        programs=letter.programs,
        deadline=letter.deadline,
    )


@st.composite
def histories(draw: st.DrawFn, season: Season) -> tuple[Placed, ...]:
    """Draw what may stand on the calendar: some of each mentor's events, on any day."""
    found: dict[Identity, Placed] = {}
    for mentor_id in season.mentors:
        own = tuple(letter.id for letter in season.letters if letter.mentor == mentor_id)
        if not own:
            continue
        kinds = [(Kind.FOLLOW_UP, "1"), (Kind.FOLLOW_UP, "2"), (Kind.REQUEST, "1"), (Kind.TALK, "")]
        for kind, slot in draw(st.lists(st.sampled_from(kinds), unique=True, max_size=3)):
            identity = Identity(kind=kind, subject=mentor_id, slot=slot)
            found[identity] = Placed(
                identity=identity,
                mentor=mentor_id,
                letters=tuple(draw(st.lists(st.sampled_from(own), unique=True, min_size=1))),
                day=draw(days),
                pinned=draw(st.booleans()),
                dismissed=draw(st.integers(0, 4)) == 0,
            )
    return tuple(found.values())
