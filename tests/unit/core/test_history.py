"""What the planner is told of what stood and stands, and by which UIDs a season is known."""

from dataclasses import replace
from datetime import date

from lorsync.core.event.content import Property
from lorsync.core.identity import SeasonKey, uid_for
from lorsync.core.merge.entry import Entry, State
from lorsync.core.merge.history import settled
from lorsync.core.merge.known_uids import known_uids
from lorsync.core.model import Event, History, Identity, Kind, LetterId, MentorId, Plan, Uid
from lorsync.core.planner.draft_event import THANK_PROVISIONAL
from tests.unit.core.seasons import letter, season

CHEN = MentorId("chen")
TODAY, DAY = date(2027, 5, 3), date(2027, 9, 17)
FIRST = Identity(kind=Kind.FOLLOW_UP, subject=CHEN, slot="1")


def follow_up(name: str) -> Entry:
    return Entry(
        uid=Uid(name),
        href=f"/{name}.ics",
        identity=FIRST,
        mentor=CHEN,
        letters=(LetterId("c"),),
        day=DAY,
        summary="Check in",
    )


def test_i5_a_note_is_the_event_again_in_the_pass_in_which_its_place_becomes_free() -> None:
    note = replace(
        follow_up("note"), state=State.RELEASED, theirs=frozenset({Property.DATE, Property.TEXT})
    )
    other = follow_up("other")

    def planned(history: History) -> Plan:
        """Want what the person moved, and nothing in its place."""
        wanted = [p for p in history.placed if p.pinned and p.identity in history.standing]
        events = tuple(
            Event(
                uid=history.standing[p.identity],
                identity=p.identity,
                mentor=CHEN,
                letters=(LetterId("c"),),
                day=p.day,
                summary="Check in",
                text=str,
            )
            for p in wanted
        )
        return Plan(as_of=TODAY, letters=(), events=events, budgets={}, warnings=())

    plan, _ = settled(planned, [note, other], frozenset(), TODAY, {LetterId("c"): CHEN})
    assert [event.uid for event in plan.events] == [note.uid]


def test_s3_what_follows_on_many_deletions_is_known_without_a_ledger() -> None:
    """Also behind one that stands, as a note or for another mentor (S7, S10)."""
    key, own = SeasonKey("a" * 32), letter("a")
    uids = [
        uid_for(key, Kind.THANK_YOU, own.id, THANK_PROVISIONAL, generation)
        for generation in range(8)
    ]
    known = known_uids(season(own), key, retired=uids[:3])
    assert known.keys() >= set(uids[:6])
