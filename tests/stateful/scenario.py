"""What happens between two passes: time, the config, the person, the server and the ledgers.

Each rule does one thing and tells the onlooker what the person will expect of it. What the person
did that lorsync cannot know (a ledger without history, S3) is forgotten by the onlooker as well, in
``_forget`` and ``_vanish`` alone.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from lorsync.core.model import Kind, LetterId, MentorId, Policy
from lorsync.core.ports import Href
from tests.fakes import FakeCalendar
from tests.stateful import actor
from tests.stateful.actor import Acts, Done, day_of
from tests.stateful.config_changes import FACTS, LETTERS, MENTORS, Config
from tests.stateful.observer import Onlooker, copied, identity_of, name_of, stranger
from tests.unit.sync.desk import DUE, START, ZONE, Desk

_SHM = Path("/dev/shm")  # noqa: S108 -- only where the ledger's commits need not reach a disk
_FOLDER = _SHM if _SHM.is_dir() else None

DAY = timedelta(days=1)

which = st.integers(0, 40)
"""Which of the events: the number modulo how many there are."""
letters = st.sampled_from(sorted(LETTERS))
mentors = st.sampled_from(MENTORS)
shifts = st.integers(-60, 90)


@dataclass(kw_only=True)
class Device:
    """A machine with lorsync on it. ``knows`` are the events that its ledger has certainly seen.

    ``took`` are those that it took off the calendar, which it has to know again (S17). ``torn``:
    its last pass did not come to its end, so writes may be announced. ``behind``: none has, since
    the server was restored. ``path`` is how its config spells the collection's, None for as it is.
    """

    desk: Desk
    knows: set[Href] = field(default_factory=set)
    took: set[Href] = field(default_factory=set)
    absent: set[Href] = field(default_factory=set)
    torn: bool = False
    behind: bool = False
    path: str | None = None


class Living(RuleBasedStateMachine):
    """One applicant's life with a calendar, on one device at first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lorsync-machine-", dir=_FOLDER))
        self.calendar = self.made_calendar()
        self.config = Config()
        self.now = datetime.combine(START, time(9), ZONE)
        self.seen = Onlooker()
        self.devices = [self._device("one")]
        self.letters_of: dict[Href, frozenset[LetterId]] = {}
        self.listed: dict[Href, frozenset[LetterId]] = {}
        self.planned: dict[Href, set[object]] = {}
        self.backup: tuple[dict[Href, bytes], Onlooker] | None = None
        self.before: dict[Href, bytes] = {}
        self.number = 0
        self.ever_in: set[LetterId] = set()
        self.unticked: set[Href] = set()
        # Whose tick some pass has seen, so that a title of the person's own takes it back no more
        # (S13), and during whose tick one began.
        self.ticks_seen: set[Href] = set()
        self.ticks_met: set[Href] = set()
        self.ever_ticked: set[Href] = set()
        self.ever_spoiled: set[Href] = set()
        # Whose tick went with a restored backup, so that calendar and memory do not tell of it.
        self.untold: set[Href] = set()
        # What was moved and unpinned again.
        self.given_back: set[Href] = set()
        # What one ledger takes for ticked or left to the person, and another one or none does.
        self.doubtful: set[Href] = set()
        # What the person changed while a pass was at work on it, and what of it a lost ledger knew.
        self.contested: set[Href] = set()
        self.forgotten: set[Href] = set()
        # What the person deleted before the last whole pass: the memory keeps it (S4).
        self.remembered: set[Href] = set()
        # What one ledger released, and another one or none knows of (S10).
        self.left_to_them: set[Href] = set()
        # What lorsync deleted, and what of it a restored server brought back: it goes again,
        # wherever it stands then (S17).
        self.taken_off: set[Href] = set()
        self.brought_back: set[Href] = set()
        # Whose alarms the person ever chose, and those of them that a whole pass has seen since:
        # the memory keeps it (S4).
        self.ever_rung: set[Href] = set()
        self.rung: set[Href] = set()
        # Who ever wrote each letter.
        self.writers: dict[LetterId, set[MentorId]] = {}
        # How often the person said with ``mark`` that they followed up, by letter.
        self.marked: Counter[LetterId] = Counter()
        # What the server did not take or keep, since the last whole pass that named nothing of it.
        self.set_back: set[Href] = set()
        # The follow-ups that the person deleted, whoever knew of them.
        self.struck: set[Href] = set()
        # Something was lost, or done twice: what is used up need not be what was seen of it.
        self.shaken = False

    def made_calendar(self) -> FakeCalendar:
        """Return the calendar to live with, for one writer at a time."""
        return FakeCalendar(connections=1)

    def teardown(self) -> None:
        self.calendar.close()
        shutil.rmtree(self.folder)

    def _device(self, name: str) -> Device:
        return Device(
            desk=Desk(
                folder=self.folder / name, settings=self.config.settings, calendar=self.calendar
            )
        )

    @property
    def today(self) -> date:
        return self.now.date()

    # Time

    @rule(number=st.integers(1, 40))
    def days_pass(self, number: int) -> None:
        for _ in range(number):
            self.now += DAY
            self.seen.look(self.calendar.bodies, self.today)

    @rule(number=st.integers(1, 5))
    def hours_pass(self, number: int) -> None:
        self.now += timedelta(hours=number)
        self.seen.look(self.calendar.bodies, self.today)

    # The config

    @rule(letter=letters, days=shifts)
    def a_letter_comes_or_goes(self, letter: LetterId, days: int) -> None:
        self.config.toggle(letter, DUE + days * DAY)

    @rule(letter=letters, mentor=mentors)
    def a_letter_changes_hands(self, letter: LetterId, mentor: MentorId) -> None:
        self.config.hand(letter, mentor)

    @rule(letter=letters, days=st.none() | shifts)
    def a_due_date_moves(self, letter: LetterId, days: int | None) -> None:
        self.config.due(letter, None if days is None else DUE + days * DAY)

    @rule(letter=letters, fact=st.sampled_from(FACTS), ago=st.none() | st.integers(0, 20))
    def a_fact_is_stated_or_withdrawn(self, letter: LetterId, fact: str, ago: int | None) -> None:
        self.config.fact(letter, fact, None if ago is None else self.today - ago * DAY)

    @rule(letter=letters, ago=st.integers(0, 20))
    def a_follow_up_is_stated(self, letter: LetterId, ago: int) -> None:
        self.config.followed_up(letter, self.today - ago * DAY)

    @rule(mentor=mentors, ahead=st.integers(0, 60), days=st.integers(0, 15))
    def a_mentor_is_away(self, mentor: str, ahead: int, days: int) -> None:
        self.config.away(mentor, self.today + ahead * DAY, days)

    @rule(follow_ups=st.integers(0, 2), lead=st.sampled_from([42, 60]), gap=st.integers(0, 9))
    def the_policy_changes(self, follow_ups: int, lead: int, gap: int) -> None:
        self.config.policy = Policy(follow_ups=follow_ups, lead_days=lead, min_gap_days=gap)

    # The person

    def _choices(self) -> list[Href]:
        """Return the events that the person can still read."""
        ours = self.seen.ours(self.calendar.bodies)
        readable = [h for h, body in ours.items() if self.seen.event(h, body) is not None]
        # By what they are, so that the same number means the same event in a shrunk example.
        return sorted(readable, key=lambda h: (str(identity_of(h)), h))

    def _choose(self, number: int) -> Href | None:
        """Choose one of these."""
        readable = self._choices()
        return readable[number % len(readable)] if readable else None

    def _do(self, number: int, act: Callable[[bytes, Acts], Done]) -> None:
        href = self._choose(number)
        if href is not None:
            body, acts = act(self.calendar.bodies[href], self.seen.acts.get(href, Acts()))
            self._edit(href, body, acts)

    def _edit(self, href: Href, body: bytes, acts: Acts) -> None:
        """Write what the person did, and remember what the server makes of it."""
        self.calendar.edit(href, body)
        held = self.before[href] = self.calendar.bodies[href]
        if acts.spoiled is not None:
            acts = replace(acts, spoiled=held)
        if acts.guarded is not None:
            acts = replace(acts, guarded=held)
        self.seen.acts[href] = acts

    def _move(self, number: int, start: date | datetime, lasts: timedelta) -> None:
        """Drag an event; one whose day had passed, and stands ahead then, is not sent yet."""
        href = self._choose(number)
        self._do(number, lambda b, acts: actor.drag(b, acts, start, lasts))
        if href is None:
            return
        if href in self.seen.released:
            self.seen.apart.add(href)
        ahead = day_of(actor.event_in(self.calendar.bodies[href])) >= self.today
        if ahead and not self.seen.is_history(href):
            self.seen.made.discard(href)

    @rule(number=which, shift=st.integers(-40, 40), lasts=st.integers(1, 3))
    def drag(self, number: int, shift: int, lasts: int) -> None:
        href = self._choose(number)
        if href is None:
            return
        day = day_of(actor.event_in(self.calendar.bodies[href])) + shift * DAY
        # What lorsync itself planned there is no move (S3).
        if day not in self.planned.get(href, set()):
            self._move(number, day, lasts * DAY)

    @rule(number=which, hour=st.integers(1, 22), shift=st.integers(-5, 5))
    def make_timed(self, number: int, hour: int, shift: int) -> None:
        href = self._choose(number)
        if href is None:
            return
        day = day_of(actor.event_in(self.calendar.bodies[href])) + shift * DAY
        start = datetime.combine(day, time(hour), ZONE)
        self._move(number, start, timedelta(hours=1))

    @rule(number=which)
    def retitle(self, number: int) -> None:
        href = self._choose(number)
        if href is not None and self.seen.acts.get(href, Acts()).history:
            if href not in self.ticks_seen | self.ticks_met:
                # No pass ever saw that it was ticked.
                self.seen.acts[href] = replace(self.seen.acts[href], history=False)
                self.seen.made.discard(href)
            elif href not in self.ticks_seen:
                return  # Whether it was seen before, nobody can tell.
        self.number += 1
        self._do(number, lambda b, acts: actor.retitle(b, acts, f"Mine {self.number}"))

    @rule(
        number=which,
        words=st.sampled_from(["✓ {}", "DONE: {}", "{} ✓", "{} – done", "Submitted: {}"]),
    )
    def tick(self, number: int, words: str) -> None:
        href = self._choose(number)
        if href is None or href in self.seen.released or self.seen.is_history(href):
            return
        event = actor.event_in(self.calendar.bodies[href])
        if actor.title_of(event).startswith("✓"):
            return
        submitted = words.startswith("Submitted")
        if submitted or identity_of(href).kind is Kind.DEADLINE:
            self.ever_in |= self.letters_of.get(href, frozenset())
        acts = self.seen.acts.get(href, Acts())
        if acts.title is not None or acts.text is not None:
            # A word behind a title that lorsync may not have seen yet is no tick (S13).
            words = words.replace(" – done", " ✓")
        self.ever_ticked.add(href)
        ahead = day_of(event) >= self.today
        self._do(number, lambda b, acts: actor.tick(b, acts, words, needless=submitted and ahead))

    @rule(number=which)
    def untick(self, number: int) -> None:
        ticked = sorted(h for h, acts in self.seen.acts.items() if acts.ticked is not None)
        bodies = self.calendar.bodies
        there = [h for h in ticked if h in bodies and self.seen.event(h, bodies[h]) is not None]
        if there:
            href = there[number % len(there)]
            body, acts = actor.untick(self.calendar.bodies[href], self.seen.acts[href])
            self._edit(href, body, acts)
            self.unticked.add(href)
            # Another one may have come in its stead: it was history until now.
            self.seen.apart.add(href)
            if any(device.behind for device in self.devices):
                # A version from before the tick looks the same.
                self.doubtful.add(href)
            if self.seen.days.get(href, self.today) >= self.today:
                self.seen.made.discard(href)

    @rule(number=which)
    def invite(self, number: int) -> None:
        """Ask somebody to come: the event is wholly the person's from then on (S10)."""
        href = self._choose(number)
        if href is not None and href not in self.seen.released:
            self.number += 1
            guest = f"guest{self.number}@example.org"
            self._do(number, lambda b, acts: actor.invite(b, acts, guest))

    @rule(number=which, before=st.booleans())
    def annotate(self, number: int, *, before: bool) -> None:
        self.number += 1
        note = f"Note {self.number}."
        self._do(number, lambda b, acts: actor.annotate(b, acts, note, before=before))

    @rule(number=which, damage=st.booleans())
    def write_inside(self, number: int, *, damage: bool) -> None:
        self.number += 1
        words = f"Words {self.number}."
        self._do(number, lambda b, acts: actor.write_inside(b, acts, words, damage=damage))

    @rule(number=which)
    def give_a_place(self, number: int) -> None:
        self.number += 1
        self._do(number, lambda b, acts: actor.place(b, acts, f"Ward {self.number}"))

    @rule(number=which, minutes=st.lists(st.integers(1, 59), max_size=2, unique=True))
    def change_alarms(self, number: int, minutes: list[int]) -> None:
        href = self._choose(number)
        # No stamp tells whose alarms are, so each ledger has to have read the event (S3).
        # A ticked event rings no more (S13).
        quiet = href is not None and (
            self.seen.is_history(href) or href in self.ever_spoiled | self.doubtful
        )
        if href is not None and not quiet and self._known_to_all(href):
            offsets = [timedelta(days=-2, minutes=m) for m in minutes]
            if offsets or actor.rings(self.calendar.bodies[href]):
                self.ever_rung.add(href)
                self.rung.discard(href)
                self._do(number, lambda b, acts: actor.ring(b, acts, *offsets))

    @rule(number=which, minutes=st.integers(5, 3000))
    def snooze(self, number: int, minutes: int) -> None:
        """Put off what an event rings, which changes nothing of the event (S15)."""
        self._do(number, lambda b, acts: (actor.snooze(b, minutes), acts))

    @rule(number=which)
    def spoil(self, number: int) -> None:
        href = self._choose(number)
        if href is not None:
            self.ever_spoiled.add(href)
            self._do(number, actor.spoil)

    @rule(number=which)
    def delete(self, number: int) -> None:
        href = self._choose(number)
        if href is not None:
            self._vanish(href)

    @rule(number=which)
    def bring_back(self, number: int) -> None:
        away = sorted(self.seen.deleted)
        if away:
            href = away[number % len(away)]
            body, acts = self.seen.deleted.pop(href)
            self.calendar.put_foreign(name_of(href), body)
            self.seen.dismissed.discard(href)
            self.struck.discard(href)
            self.remembered.discard(href)
            self.seen.acts[href] = acts
            self.seen.apart.add(href)

    def _known_to_all(self, href: Href) -> bool:
        return all(href in device.knows for device in self.devices)

    def _vanish(self, href: Href) -> None:
        """Take an event off the calendar by another hand than lorsync's."""
        body = self.calendar.bodies[href]
        acts = self.seen.acts.pop(href, Acts())
        follow_up = identity_of(href).kind is Kind.FOLLOW_UP and href not in self.seen.released
        if follow_up:
            self.struck.add(href)
        self.calendar.remove(href)
        for device in self.devices:
            device.absent.add(href)
        if not self._known_to_all(href):
            # A ledger that never saw it cannot tell that it was deleted, or ticked.
            self.seen.made.discard(href)
            if acts.history:
                self.doubtful.add(href)
            return
        self.seen.deleted[href] = body, acts
        if follow_up and not any(device.torn for device in self.devices):
            self.seen.dismissed.add(href)

    # The world

    @rule()
    def a_stranger_comes(self) -> None:
        self.number += 1
        self._foreign(f"dentist-{self.number}.ics", stranger(self.number))

    def _foreign(self, name: str, body: bytes) -> None:
        """Put an event there that is not lorsync's, and remember what the server makes of it."""
        href = self.calendar.put_foreign(name, body)
        self.seen.foreign[href] = self.calendar.bodies[href]

    @rule(number=which)
    def the_person_copies(self, number: int) -> None:
        href = self._choose(number)
        if href is not None:
            self.number += 1
            name, body = copied(self.calendar.bodies[href], self.number)
            self._foreign(name, body)

    @rule(known=st.booleans(), etags=st.booleans(), rewriting=st.booleans())
    def the_server_changes(self, *, known: bool, etags: bool, rewriting: bool) -> None:
        self.calendar.known_tokens = known
        if isinstance(self.calendar, FakeCalendar):
            self.calendar.echo_etags = etags
            self.calendar.rewrite = rewritten if rewriting else lambda body: body

    @rule()
    def the_server_is_backed_up(self) -> None:
        seen = replace(
            self.seen,
            foreign=dict(self.seen.foreign),
            acts=dict(self.seen.acts),
        )
        self.backup = dict(self.calendar.bodies), seen

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_server_is_restored(self) -> None:
        """S17: everything is as it was, under new ETags."""
        bodies, then = self.backup
        was = self.seen.deleted | {
            href: (body, self.seen.acts.get(href, Acts()))
            for href, body in self.seen.ours(self.calendar.bodies).items()
        }
        for href in self.seen.ours(self.calendar.bodies).keys() - bodies.keys():
            self._vanish(href)
        for href in self.seen.foreign.keys() - bodies.keys():
            self.calendar.remove(href)
        # Of what no whole pass has missed before, nobody can tell a deletion from the backup.
        for href in self.seen.deleted.keys() - self.remembered:
            del self.seen.deleted[href]
            self.seen.dismissed.discard(href)
        back = self.taken_off & bodies.keys()
        self.brought_back |= back
        # One that was not there on its day has not passed, and was made by nobody.
        self.seen.belated |= {h for h in back - was.keys() if self.seen.days[h] < self.today}
        for href, body in bodies.items():
            if self.calendar.bodies.get(href) != body:
                self.calendar.put_foreign(name_of(href), body)
            self.seen.deleted.pop(href, None)
            self.seen.dismissed.discard(href)
            self.seen.apart.add(href)
        self.seen.foreign = dict(then.foreign)
        self.shaken = True
        # The memory is an old one, too.
        self.remembered.clear()
        self.rung.clear()
        if not all(device.knows for device in self.devices):
            self._forget_what_is_gone()
        self.seen.acts = {h: replace(a, alarms=None) for h, a in then.acts.items()}
        for href in self.given_back & self.seen.acts.keys():
            # It stands where they had moved it, and is the plan's to move back all the same.
            self.seen.acts[href] = replace(self.seen.acts[href], start=None, end=None)
        self._lose_ticks(was)
        for device in self.devices:
            device.behind = True

    def _lose_ticks(self, was: dict[Href, tuple[bytes, Acts]]) -> None:
        """Tell what is left of ticks that a restored server does not show any more.

        ``was`` is how everything looked before. A version from before the tick takes nothing back
        (S17), but only a ledger knows of it now.
        """
        lost = {
            href
            for href in was.keys() | self.ever_ticked
            if not self.seen.acts.get(href, Acts()).history
        }
        ticked = {href for href, (_, acts) in was.items() if acts.history}
        untold = {
            href
            for href in lost & ticked & self.ticks_seen
            # That it is one from before is known by what lorsync wrote into the title since.
            if actor.sequence_in(was[href][0])
            > actor.sequence_in(self.calendar.bodies.get(href, b""))
        }
        # Whether the ledger knows of it, or that it was taken back, nobody can tell.
        known = self.ticks_seen | self.ticks_met
        known |= self.ever_ticked if len(self.devices) > 1 else set()
        self.doubtful |= lost & known - untold
        self.seen.made -= self._ahead(self.doubtful | (lost & ticked - untold))
        # A title of the person's own, before a pass sees the old one, takes nothing back (S13).
        self.unticked |= untold
        self.untold |= untold
        for href in untold & self.calendar.bodies.keys():
            now, needless = self.seen.acts.get(href, Acts()), was[href][1].needless
            self.seen.acts[href] = replace(now, history=True, needless=needless)
        if len(self.devices) > 1 or not self.devices[0].knows:
            self._forget_what_was_ticked()

    @rule(device=st.integers(0, 1))
    def a_ledger_is_lost(self, device: int) -> None:
        it = self.devices[device % len(self.devices)]
        it.desk.lose_ledger()
        it.knows.clear()
        # Another one may take these for deleted by the person, and say so in the memory (S4).
        it.absent |= it.took
        it.took.clear()
        self.forgotten |= self.contested
        if it.torn:
            # The memory may say of any of these that it was deleted, as it was about to be.
            self.forgotten |= self.seen.ours(self.calendar.bodies).keys()
        it.torn = False
        self.shaken = True
        self._forget()

    @precondition(lambda self: len(self.devices) == 1)
    @rule()
    def a_second_device_joins(self) -> None:
        two = self._device("two")
        # The memory may tell it what the first one saw missing, in whichever kind of pass (S4).
        two.absent |= self.devices[0].absent
        self.devices.append(two)
        self._forget()

    def _forget(self) -> None:
        """Forget what a ledger without history cannot know from calendar and memory (S3, S4)."""
        self._forget_what_is_gone()
        self._forget_what_was_ticked()
        self.left_to_them |= self.seen.released
        self.seen.released.clear()
        self.seen.look(self.calendar.bodies, self.today)
        self.seen.acts = {
            href: self._without_history(href, acts) for href, acts in self.seen.acts.items()
        }

    def _forget_what_is_gone(self) -> None:
        """Forget what was deleted, but for what the memory keeps (S4)."""
        self.seen.deleted = {
            href: (body, self._without_history(href, acts))
            for href, (body, acts) in self.seen.deleted.items()
            if href in self.remembered
        }
        self.seen.dismissed &= self.remembered
        self.seen.made &= self.calendar.bodies.keys() | self.remembered

    def _forget_what_was_ticked(self) -> None:
        """Forget the ticks of which neither calendar nor memory tells any more."""
        self.seen.made -= self._ahead(self.untold)
        for href in self.untold & self.seen.acts.keys():
            self.seen.acts[href] = replace(self.seen.acts[href], history=False)
        self.doubtful |= self.untold

    def _ahead(self, hrefs: set[Href]) -> set[Href]:
        return {h for h in hrefs if self.seen.days.get(h, self.today) >= self.today}

    def _without_history(self, href: Href, acts: Acts) -> Acts:
        """Return what of somebody's acts an event itself tells, its stamp, and the memory (S4)."""
        if href not in self.rung:
            acts = replace(acts, alarms=None)
        if acts.start in self.planned.get(href, ()):
            return replace(acts, start=None, end=None)
        return acts


def rewritten(body: bytes) -> bytes:
    """Return a body as a server makes it: other bytes, the same meaning."""
    return body.replace(b"TRANSP:TRANSPARENT\r\n", b"X-SERVER:was here\r\n")
