"""What must hold of the calendar whatever happened to it: I1 to I4 and I6, as an onlooker sees it.

The onlooker counts for itself: it looks at the calendar before and after each pass, at what the
person did (``person``), and at nothing of what the code under test remembers.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import icalendar

from lorsync.core.identity import looks_like_ours, season_key, uid_for
from lorsync.core.model import Identity, Kind, MentorId
from lorsync.core.planner.draft_event import THANK_DECLINED, THANK_PROVISIONAL, THANK_SUBMITTED
from lorsync.core.ports import Href
from tests.stateful.actor import Acts, broken_promises, day_of, event_in, is_released
from tests.stateful.config_changes import LETTERS, MENTORS, PROGRAM
from tests.unit.sync.desk import settings

MEMORY = "lorsync-memory-"
"""How the name of lorsync's own memory begins, which is no event of the plan."""

_GENERATIONS = 40


def _identities() -> dict[str, tuple[Identity, MentorId]]:
    key = season_key(settings().season)
    of_mentor = [
        (Kind.TALK, ""),
        (Kind.FOLLOW_UP, "1"),
        (Kind.FOLLOW_UP, "2"),
        (Kind.RESULTS, ""),
        *((Kind.REQUEST, str(number)) for number in range(1, 10)),
    ]
    of_letter = [
        (Kind.ADD_LETTER, ""),
        (Kind.DEADLINE, ""),
        (Kind.REPLACE, ""),
        (Kind.ASSIGN, PROGRAM),
        *((Kind.THANK_YOU, s) for s in (THANK_DECLINED, THANK_PROVISIONAL, THANK_SUBMITTED)),
    ]
    subjects = [(m, m, of_mentor) for m in MENTORS] + [
        (x, m, of_letter) for x, m in LETTERS.items()
    ]
    return {
        f"{uid_for(key, kind, subject, slot, number)}.ics": (
            Identity(kind=kind, subject=subject, slot=slot),
            mentor,
        )
        for subject, mentor, kinds in subjects
        for kind, slot in kinds
        for number in range(_GENERATIONS)
    }


IDENTITIES = _identities()
"""Every event that lorsync may write here, by the name of its resource."""


def name_of(href: Href) -> str:
    return href.rpartition("/")[2]


def identity_of(href: Href) -> Identity:
    return IDENTITIES[name_of(href)][0]


def mentor_of(href: Href) -> MentorId:
    return IDENTITIES[name_of(href)][1]


@dataclass(kw_only=True)
class Onlooker:
    """What an onlooker has seen so far.

    ``acts`` are the person's, by event; ``deleted`` what they took off the calendar, with how it
    was. ``made`` are the follow-ups whose day has passed while they stood, ``dismissed`` those that
    the person deleted while every ledger knew them. ``days`` is where each event was last read to
    stand, ``released`` what lorsync left to the person as no longer needed, whatever they named it
    since, ``belated`` what a backup brought back after its day. ``apart`` are those of the released
    that the person, or a backup, put beside what came in their stead.
    """

    foreign: dict[Href, bytes] = field(default_factory=dict)
    acts: dict[Href, Acts] = field(default_factory=dict)
    deleted: dict[Href, tuple[bytes, Acts]] = field(default_factory=dict)
    made: set[Href] = field(default_factory=set)
    dismissed: set[Href] = field(default_factory=set)
    days: dict[Href, date] = field(default_factory=dict)
    released: set[Href] = field(default_factory=set)
    belated: set[Href] = field(default_factory=set)
    apart: set[Href] = field(default_factory=set)

    def ours(self, bodies: Mapping[Href, bytes]) -> dict[Href, bytes]:
        """Return the events of lorsync's; whatever else it may have written is a mistake (I3)."""
        found = {}
        for href, body in bodies.items():
            if href in self.foreign or name_of(href).startswith(MEMORY):
                continue
            assert name_of(href) in IDENTITIES, f"{href} is nobody's"
            found[href] = body
        return found

    def live(self, bodies: Mapping[Href, bytes], today: date) -> dict[Href, icalendar.Event]:
        """Return the events of lorsync's that are ahead, readable, and not left to the person."""
        events = {href: self.event(href, body) for href, body in self.ours(bodies).items()}
        return {
            href: event
            for href, event in events.items()
            if event is not None and day_of(event) >= today and href not in self.released
            if not self.is_history(href)
        }

    def noted(self, bodies: Mapping[Href, bytes], today: date) -> set[Href]:
        """Return the events ahead that lorsync left to the person as no longer needed."""
        there = {h: self.event(h, body) for h, body in self.ours(bodies).items()}
        return {
            href
            for href, event in there.items()
            if event is not None and href in self.released and day_of(event) >= today
        }

    def is_history(self, href: Href) -> bool:
        """Tell whether the person ticked an event (S13)."""
        acts = self.acts.get(href)
        return acts is not None and acts.history

    def is_needless(self, href: Href) -> bool:
        """Tell whether a title said, ahead of its day, that the letter is in: unspent (R10)."""
        acts = self.acts.get(href)
        return acts is not None and acts.history and acts.needless

    def event(self, href: Href, body: bytes) -> icalendar.Event | None:
        """Return the event of a body; None where the person made it unreadable."""
        acts = self.acts.get(href)
        return None if acts is not None and acts.spoiled is not None else event_in(body)

    def look(self, bodies: Mapping[Href, bytes], today: date) -> None:
        """Note where everything stands, and which follow-ups have passed."""
        for href, body in self.ours(bodies).items():
            event = self.event(href, body)
            if event is not None:
                self.days[href] = day_of(event)
                if is_released(event):
                    self.released.add(href)
            if identity_of(href).kind is not Kind.FOLLOW_UP or self.is_needless(href):
                continue
            passed = self.days[href] < today and href not in self.released | self.belated
            if passed or self.is_history(href):
                self.made.add(href)

    # What must hold

    def hold_always(self, bodies: Mapping[Href, bytes]) -> None:
        """Hold the calendar against what no pass may ever do, not even one that is cut short."""
        for href, body in self.foreign.items():
            assert bodies.get(href) == body, f"I3: {href} is foreign"
        for href in self.deleted:
            assert href not in bodies, f"I4: {told(href)} was deleted and is back"
        for href, body in self.ours(bodies).items():
            uids = [line for line in body.splitlines() if line.startswith(b"UID:")]
            spoiled = self.event(href, body) is None
            expected = f"UID:{name_of(href).removesuffix('.ics')}".encode()
            assert uids == [expected] * (2 if spoiled else 1), f"I2: {href} holds {uids}"
            if href in self.acts:
                released = href in self.released
                broken = broken_promises(self.acts[href], body, released=released)
                assert not broken, f"I4: {broken} of {told(href)}: {self.acts[href]}"

    def hold_past(
        self,
        before: Mapping[Href, bytes],
        after: Mapping[Href, bytes],
        today: date,
        may_go: Iterable[Href],
    ) -> None:
        """Hold that a pass leaves what is past (I6), but for events whose letters are gone."""
        excused = set(may_go)
        for href, body in self.ours(before).items():
            if self.is_history(href):
                assert href in after, f"S13: {told(href)} was ticked and is gone"
                continue
            if self.days[href] < today and (href in after or href not in excused):
                assert after.get(href) == body, f"I6: {told(href)} on {self.days[href]} is past"

    def hold_words(self, before: Mapping[Href, bytes], after: Mapping[Href, bytes]) -> None:
        """Hold that a pass takes nothing away into which the person wrote (I4, S10)."""
        for href in self.ours(before).keys() - after.keys():
            acts = self.acts.get(href)
            assert acts is None or not acts.has_words, f"I4: {told(href)} had words: {acts}"

    def hold_settled(
        self, bodies: Mapping[Href, bytes], today: date, *, besides: Collection[Href]
    ) -> None:
        """Hold what a pass that came to its end has to bring about: I1 and I2.

        ``besides`` are events of which nobody can say whether they are still lorsync's.
        """
        live = {h: event for h, event in self.live(bodies, today).items() if h not in besides}
        # What was not needed and is wanted again is the event again, and has none beside it (S10).
        left = {h for h in self.noted(bodies, today) if h not in self.apart and h not in besides}
        identities = [identity_of(href) for href in live.keys() | left]
        twice = {told(h) for h in live if identities.count(identity_of(h)) > 1}
        assert not twice, f"I2: {twice}"
        for mentor in MENTORS:
            ahead = {
                href
                for href in live
                if identity_of(href).kind is Kind.FOLLOW_UP and mentor_of(href) == mentor
            }
            used = {href for href in self.made | self.dismissed if mentor_of(href) == mentor}
            counted = sorted(told(href) for href in ahead | used)
            assert len(counted) <= 2, f"I1: {counted}, {len(ahead)} ahead"


def told(href: Href) -> str:
    """Return an event's identity and the digits of its name, for a message."""
    identity = identity_of(href)
    return f"{identity.kind} {identity.slot} of {identity.subject} ({name_of(href)[8:14]})"


def stranger(number: int) -> bytes:
    """Return an event of somebody else's."""
    return (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//someone//else//EN\r\nBEGIN:VEVENT\r\n"
        b"UID:dentist-%d@example.org\r\nDTSTAMP:20270101T000000Z\r\nDTSTART;VALUE=DATE:20270801\r\n"
        b"SUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n" % number
    )


def copied(body: bytes, number: int) -> tuple[str, bytes]:
    """Return a copy of an event as a calendar app makes it: another UID, the same text (S9)."""
    uid = f"lorsync-{number:032x}"
    assert looks_like_ours(uid)
    lines = [b"UID:" + uid.encode() if x.startswith(b"UID:") else x for x in body.split(b"\r\n")]
    return f"{uid}.ics", b"\r\n".join(lines)
