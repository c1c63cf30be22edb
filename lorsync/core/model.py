"""The words of lorsync as types: what an applicant states, and what the plan says.

All values are frozen. Days are :class:`datetime.date` in the applicant's zone; date-times are
aware.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final, NamedTuple, NewType
from zoneinfo import ZoneInfo

MentorId = NewType("MentorId", str)
ProgramId = NewType("ProgramId", str)
LetterId = NewType("LetterId", str)
Uid = NewType("Uid", str)
"""The UID of a VEVENT (RFC 5545 section 3.8.4.7)."""

YEARS: Final = range(1970, 2201)
"""The years of every day that is read: others are slips, and some break arithmetic (1, 9999)."""

MAX_FOLLOW_UPS = 2
"""The cap of R5, per mentor and cycle; no setting raises it."""


class LetterType(StrEnum):
    """The form that a letter takes."""

    NARRATIVE = "narrative"
    STANDARDIZED = "standardized"
    CHAIR = "chair"
    COMMITTEE = "committee"
    PACKET = "packet"


class Kind(StrEnum):
    """What an event is for."""

    TALK = "talk"
    REQUEST = "request"
    ADD_LETTER = "add-letter"
    FOLLOW_UP = "follow-up"
    DEADLINE = "deadline"
    THANK_YOU = "thank-you"
    ASSIGN = "assign"
    RESULTS = "results"
    REPLACE = "replace"


CONTACTS = frozenset({Kind.TALK, Kind.REQUEST, Kind.ADD_LETTER, Kind.FOLLOW_UP})
"""The kinds that contact a mentor, and so obey R6 and R7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """The person who applies and whose calendar this is."""

    name: str
    timezone: ZoneInfo
    email: str | None = None
    goals: str | None = None
    cv: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One application season; budgets and identities belong to it."""

    name: str
    start: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An assistant who is written to in a mentor's stead."""

    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Days on which a mentor is away, both ends included."""

    first: date
    last: date
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentor:
    """Somebody who writes; ratings go from 1 to 5."""

    id: MentorId
    name: str
    email: str | None = None
    contact: Contact | None = None
    specialty: str | None = None
    timezone: ZoneInfo | None = None
    holidays: str | None = None
    away: tuple[Absence, ...] = ()
    not_before: date | None = None
    standing: int | None = None
    familiarity: int | None = None
    alignment: int | None = None
    notes: str | None = None
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is applied to. ``lag_days`` is the time its portal takes over a letter."""

    id: ProgramId
    name: str
    portal: str | None = None
    deadline: date | datetime | None = None
    target: date | None = None
    lag_days: int = 0
    letters_min: int = 2
    letters_max: int | None = None
    needs: tuple[LetterType, ...] = ()
    own_letter: bool = False
    specialty: str | None = None
    results_on: date | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What has happened to one letter, each with its day."""

    talked_on: date | None = None
    asked_on: date | None = None
    followed_up_on: tuple[date, ...] = ()
    agreed_on: date | None = None
    declined_on: date | None = None
    packet_sent_on: date | None = None
    submitted_on: date | None = None
    thanked_on: date | None = None
    results_shared_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mentor's letter, for one or many programs.

    ``letter_id`` is the portal's number: one text, or one per portal name.
    """

    id: LetterId
    mentor: MentorId
    type: LetterType = LetterType.NARRATIVE
    programs: tuple[ProgramId, ...] = ()
    deadline: date | datetime | None = None
    lag_days: int | None = None
    letter_id: str | Mapping[str, str] | None = None
    assigned: tuple[ProgramId, ...] = ()
    waived: bool | None = None
    attributes: tuple[str, ...] = ()
    submit_via: str | None = None
    facts: Facts = field(default_factory=Facts)
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The numbers of the rules, in days unless said otherwise.

    ``quiet_days`` are weekdays as :meth:`datetime.date.weekday` counts them, Monday = 0.
    """

    lead_days: int = 42
    min_lead_days: int = 28
    talk_days: int = 7
    first_days: int = 21
    final_days: int = 7
    follow_ups: int = MAX_FOLLOW_UPS
    min_gap_days: int = 7
    last_useful_days: int = 3
    batch_days: int = 28
    thank_you_days: int = 1
    quiet_days: frozenset[int] = frozenset({5, 6})
    holidays: str | None = None
    events: frozenset[Kind] = frozenset(Kind)


Holidays = Mapping[date, str]
"""The holidays of one region: their days and names."""


class Subject(StrEnum):
    """Who or what has an id that events hang on."""

    MENTOR = "mentor"
    LETTER = "letter"


class Renamed(NamedTuple):
    """One change of an id, as ``formerly`` once said: ``today`` was ``before`` (S7)."""

    what: Subject
    today: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """All that the applicant states: the config, as the core sees it.

    ``holidays`` are those of the regions that the config names, filled in by the shell; None where
    nobody looked them up. A named region that is not among them is unknown (R6). ``renamed`` are
    the changes of ids that the ledger remembers, filled in by the shell as well (S7).
    ``contact_at`` is when on a day the applicant writes: that of the events, or noon.
    """

    applicant: Applicant
    cycle: Cycle
    policy: Policy
    mentors: Mapping[MentorId, Mentor]
    programs: Mapping[ProgramId, Program]
    letters: tuple[Letter, ...]
    holidays: Mapping[str, Holidays] | None = None
    renamed: frozenset[Renamed] = frozenset()
    contact_at: time = time(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A reminder ``days_before`` whole days ahead of the event, at ``at`` on the wall clock."""

    days_before: int
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStyle:
    """How events look in the calendar: all-day unless ``at`` gives a time in ``zone``."""

    zone: ZoneInfo
    at: time | None = None
    alarms: tuple[Alarm, ...] = (Alarm(days_before=0, at=time(9)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something is as it is: the rule, in words, and the ideal day where one was missed."""

    rule: str
    text: str
    ideal: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWarning:
    """Something that the person should know; ``subject`` is a mentor, letter or program.

    ``advice`` is what to do, where the message does not say it.
    """

    code: str
    subject: str
    message: str
    reasons: tuple[Reason, ...] = ()
    advice: str = ""


class Identity(NamedTuple):
    """What makes an event the same one from plan to plan (S6).

    ``subject`` is the id of the mentor or letter; ``slot`` tells apart events of one kind for it.
    It is a tuple because it is looked up for every event, and a dataclass is slow to hash.
    """

    kind: Kind
    subject: MentorId | LetterId
    slot: str = ""


class Status(StrEnum):
    """What is particular about an event's day."""

    PLANNED = "planned"
    SHORT_NOTICE = "short-notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One VEVENT that lorsync wants on the calendar.

    ``text`` makes the managed text without markers and stamp; only writing and exporting call it,
    since texts take longer than the rest of a plan. It is no part of what makes events equal.
    ``day`` is the person's where they ``pinned`` the event, and ``unpinned_day`` then the one that
    the plan would have chosen.
    """

    uid: Uid
    identity: Identity
    mentor: MentorId
    letters: tuple[LetterId, ...]
    day: date
    summary: str
    text: Callable[[], str] = field(compare=False, repr=False)
    status: Status = Status.PLANNED
    pinned: bool = False
    unpinned_day: date | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def kind(self) -> Kind:
        """What the event is for."""
        return self.identity.kind

    @property
    def planned_day(self) -> date:
        """The day that the plan chose, whatever the person made of it (S3, S10)."""
        return self.day if self.unpinned_day is None else self.unpinned_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A mentor's follow-ups in this cycle: allowed, used up, and still on the calendar."""

    cap: int
    spent: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An event that stands on the calendar, as the ledger remembers it: on which day it stands.

    The day is the person's where they moved it; then it is ``pinned`` (S10). One that they deleted
    is ``dismissed``: it is never created again, and a follow-up is spent by it (S11). One whose
    title states a fact is ``ticked``, with the fact's day: it is history, whatever its day (S13).
    ``planned`` is the day that the plan has, or last had, for a follow-up that they moved, and that
    tells a check-in from a final. One that is ``fixed`` is wholly theirs: it stands where it is,
    whatever becomes of its letters (S10).
    """

    identity: Identity
    mentor: MentorId
    letters: tuple[LetterId, ...]
    day: date
    pinned: bool = False
    dismissed: bool = False
    ticked: date | None = None
    planned: date | None = None
    fixed: bool = False

    @property
    def kind(self) -> Kind:
        """What the event is for."""
        return self.identity.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What earlier passes left: the events that stand, and the UIDs that lorsync itself deleted.

    A retired UID is never used again, because servers refuse a deleted one (S8). ``standing`` says
    under which UID an identity is on the calendar, which no lost count of generations changes.
    ``unsure`` are mentors of whom nobody knows how often they were followed up (S4).
    """

    placed: tuple[Placed, ...] = ()
    retired: frozenset[Uid] = frozenset()
    standing: Mapping[Identity, Uid] = field(default_factory=dict)
    unsure: frozenset[MentorId] = frozenset()


class Stage(StrEnum):
    """How far a letter has come."""

    TO_ASK = "to ask"
    ASKED = "asked"
    OVERDUE = "overdue"
    SUBMITTED = "submitted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStanding:
    """Where one letter stands; ``asked`` is a day stated, or one that counts as such (R1).

    ``due`` is driven by ``program``, None where the letter's own ``deadline`` says so;
    ``by_target`` tells the applicant's own target from a hard deadline.
    """

    id: LetterId
    mentor: MentorId
    stage: Stage
    due: date | None
    asked: date | None
    program: ProgramId | None = None
    by_target: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the calendar should hold on the day ``as_of``, and what the person should know."""

    as_of: date
    letters: tuple[LetterStanding, ...]
    events: tuple[Event, ...]
    budgets: Mapping[MentorId, Budget]
    warnings: tuple[PlanWarning, ...]
