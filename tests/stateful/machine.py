"""A machine that lives through seasons: config, person, server, time and trouble, in any order.

Real passes with real ledgers run against the calendar in memory. The rules here are passes of each
kind, whole and cut short; what happens between them is in ``living``. After each pass the onlooker
(``watching``) holds the calendar against the invariants.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from lorsync.core.errors import ConfigError, LorsyncError, TryAgainError, UnavailableError
from lorsync.core.model import CONTACTS, Kind, LetterId, MentorId
from lorsync.core.ports import Href, PreconditionFailedError, ResourceGoneError, WriteRefusedError
from lorsync.sync.plan import known, plan_of
from lorsync.sync.report import Report, Summary
from tests.fakes import FakeCalendar, Spelt
from tests.stateful.actor import Acts, day_of, is_released, title_of
from tests.stateful.commands import Commanding
from tests.stateful.observer import identity_of, mentor_of, told
from tests.stateful.scenario import DAY, Device, letters, mentors, which
from tests.unit.sync.desk import DUE, remember_where
from tests.unit.sync.test_crashes import Bomb, Killed, bombed, disarmed

NEWCOMERS = frozenset({"same-person", "same-letter"})
"""The warnings that ask whether somebody is who was there before (S7)."""
SETBACKS = frozenset({"refused", "unstored"})
"""The warnings that name what the server did not take, or did not keep."""
SPELLINGS = ("/%75ser/letters/", "/dav/~maya/letters/")
"""Other paths of the collection than its own."""
WAITING = NEWCOMERS | SETBACKS | {"resting", "memory-doubted"}
"""The warnings with which events of the plan are not on the calendar yet."""


class Chosen:
    """Contains one of the hrefs that it is asked for: the first is number 0; all, for None.

    ``met`` are those that it was asked for, ``taken`` those of them that it contains.
    """

    def __init__(self, number: int | None) -> None:
        self._number = number
        self.met: list[Href] = []
        self.taken: set[Href] = set()

    def __contains__(self, href: Href) -> bool:
        if href not in self.met:
            self.met.append(href)
        there = self._number in (None, self.met.index(href))
        self.taken |= {href} if there else set()
        return there


class Season(Commanding):
    """One applicant's season."""

    @initialize()
    def first_pass(self) -> None:
        self._clean(self.devices[0], accept=False)

    @rule(device=st.integers(0, 1), accept=st.booleans(), newcomers=st.booleans())
    def passes(self, device: int, *, accept: bool, newcomers: bool) -> None:
        it = self.devices[device % len(self.devices)]
        self._clean(it, accept=accept, newcomers=newcomers)

    @rule(device=st.integers(0, 1), accept=st.booleans(), newcomers=st.booleans())
    def passes_again(self, device: int, *, accept: bool, newcomers: bool) -> None:
        """I5: a pass right behind another writes nothing and costs one request."""
        which_one = self.devices[device % len(self.devices)]
        report = self._clean(which_one, accept=accept, newcomers=newcomers)
        if any(warning.code in WAITING for warning in report.warnings):
            return
        if accept and report.held:
            return  # What has not been asked about before is answered by the next yes.
        before, requests = dict(self.calendar.bodies), self.calendar.requests
        again = self._clean(which_one, accept=accept)
        assert not again.wrote, f"I5: {again.created} {again.updated} {again.deleted}"
        assert self.calendar.bodies == before, "I5: a body changed"
        # A token that the server does not know costs the report that it refused.
        most = 1 if self.calendar.known_tokens else 2
        # Whose events the memory has told of for the first time are looked for from then on (S4).
        most += any(warning.code == "learned" for warning in report.warnings)
        assert self.calendar.requests - requests <= most, "I5: more than one request"
        if len(self.devices) == 1:
            self._hold_repeatable(which_one)
            self._hold_planned(which_one, report)

    def _hold_planned(self, it: Device, report: Report) -> None:
        """Hold that the plan without a calendar is the one that the pass had."""
        without, _ = plan_of(known(it.desk.settings, it.desk.folder, self.today), self.today)
        events = [[(e.uid, e.day, e.summary) for e in p.events] for p in (without, report.plan)]
        assert events[0] == events[1], f"the plan differs: {events[0]} and {events[1]}"

    def _hold_repeatable(self, it: Device) -> None:
        """Hold that a pass which says so is the same again, later on the day too."""
        first = self._clean(it, accept=False)
        if first.repeatable:
            before = dict(self.calendar.bodies)
            self.now = self.now.replace(hour=23, minute=59)
            again = self._clean(it, accept=False)
            assert told_of(again) == told_of(first), "what a pass says of itself is not so"
            assert self.calendar.bodies == before, "a repeatable pass wrote"

    @rule(
        device=st.integers(0, 1),
        at=st.integers(1, 60),
        error=st.sampled_from([Killed, UnavailableError, TryAgainError]),
        accept=st.booleans(),
    )
    def passes_in_trouble(
        self, device: int, at: int, error: type[BaseException], *, accept: bool
    ) -> None:
        """I7: the process dies, or the network, at some boundary of a pass."""
        it = self.devices[device % len(self.devices)]
        bombed(it.desk, Bomb(at, error))
        try:
            self._cut_short(it, accept=accept)
        finally:
            disarmed(it.desk)

    @rule(
        device=st.integers(0, 1),
        operation=st.sampled_from(["create", "update", "delete"]),
        moment=st.sampled_from(["before", "after"]),
        error=st.sampled_from([PreconditionFailedError, ResourceGoneError, WriteRefusedError]),
    )
    def passes_with_an_answer_that_is_wrong(
        self, device: int, operation: str, moment: str, error: type[Exception]
    ) -> None:
        """The server refuses one write that it should take, or that it takes all the same."""
        it = self.devices[device % len(self.devices)]

        def refuse_once(what: str, when: str, href: Href | None) -> None:
            # A deletion is not refused, and done where nothing is there.
            refusable = operation != "delete" or error is PreconditionFailedError
            if (what, when) == (operation, moment) and refusable and href is not None:
                self.calendar.faults = None
                self.set_back.add(href)
                raise error("no")

        self.calendar.faults = refuse_once
        try:
            self._cut_short(it, accept=True)
        finally:
            self.calendar.faults = None

    @precondition(lambda self: isinstance(self.calendar, FakeCalendar))
    @rule(device=st.integers(0, 1), number=st.none() | st.integers(0, 9), kept=st.booleans())
    def passes_with_writes_that_come_to_nothing(
        self, device: int, number: int | None, *, kept: bool
    ) -> None:
        """The server fails at one object or at all (500), or says that it stored it, and did not.

        Nothing that was never there was deleted by the person, and one object stops no other.
        """
        it = self.devices[device % len(self.devices)]
        chosen = Chosen(number)
        if kept:
            self.calendar.swallowing = chosen
        else:
            self.calendar.failing = chosen
        try:
            whole = self._cut_short(it, accept=True)
        finally:
            self.calendar.swallowing = self.calendar.failing = frozenset()
        self.set_back |= chosen.taken
        if number is not None:
            assert whole, "one object stopped the rest"

    @rule(
        device=st.integers(0, 1),
        operation=st.sampled_from(["listing", "fetch", "create", "update", "delete"]),
        number=which,
        title=st.booleans(),
    )
    def passes_while_the_person_acts(
        self, device: int, operation: str, number: int, *, title: bool
    ) -> None:
        """I4: between the look and the write there is room for a quick hand."""
        it = self.devices[device % len(self.devices)]

        def act_once(what: str, moment: str, _: object) -> None:
            if (what, moment) == (operation, "before"):
                self.calendar.faults = None
                self.seen.look(self.calendar.bodies, self.today)
                self.contested |= {href for href in [self._choose(number)] if href is not None}
                if title:
                    self.retitle(number)
                else:
                    self.drag(number, 9, lasts=1)
                self.seen.look(self.calendar.bodies, self.today)

        self.calendar.faults = act_once
        try:
            self._cut_short(it, accept=True)
        finally:
            self.calendar.faults = None

    @rule(device=st.integers(0, 1), lacking=st.sets(letters, min_size=1), back=st.booleans())
    def the_config_is_saved_in_pieces(
        self, device: int, lacking: set[LetterId], *, back: bool
    ) -> None:
        """S18: what a config lacks that was saved just now goes once it has rested for a minute."""
        it = self.devices[device % len(self.devices)]
        report = self._clean(it, accept=True, newcomers=True)
        if report.held:
            return  # What a restored server brought back goes with the next yes.
        there = self.seen.ours(self.calendar.bodies)
        whole = dict(self.config.letters)
        self.config.letters = {x: letter for x, letter in whole.items() if x not in lacking}
        self._clean(it, accept=False, resting=False)
        gone = there.keys() - self.calendar.bodies.keys()
        assert not gone, f"S18: not in half a config: {sorted(map(told, gone))}"
        if back:
            self.config.letters = whole
            self.now += timedelta(seconds=1)
            self._clean(it, accept=False, resting=False)
        self.now += timedelta(minutes=1)
        self._clean(it, accept=True)
        now = self.seen.ours(self.calendar.bodies)
        assert not back or now.keys() == there.keys(), "S18: half a config has left its traces"

    @rule(
        device=st.integers(0, 1),
        mentor=mentors,
        how=st.sampled_from(["in", "gone", "later"]),
        note=st.booleans(),
        times=st.integers(1, 3),
    )
    def letters_are_needed_no_more_and_once_more(
        self, device: int, mentor: MentorId, how: str, times: int, *, note: bool
    ) -> None:
        """I1, S10: what is wanted again is the event again, its notes and all."""
        it = self.devices[device % len(self.devices)]
        if note:
            for number, href in enumerate(self._choices()):
                if identity_of(href).kind is Kind.FOLLOW_UP and mentor_of(href) == mentor:
                    self.annotate(number, before=False)
        letters = {name: self.config.letters[name] for name in self.config.of(mentor)}
        for _ in range(times):
            for name in letters:
                if how == "in":
                    self.config.fact(name, "submitted_on", self.today)
                elif how == "later":
                    self.config.due(name, DUE + 400 * DAY)
                else:
                    del self.config.letters[name]
            self._clean(it, accept=True)
            self.config.letters |= letters
            self._clean(it, accept=True)

    @rule(device=st.integers(0, 1), letter=letters, mentor=mentors, back=st.booleans())
    def a_letter_changes_hands_and_is_asked_about(
        self, device: int, letter: LetterId, mentor: MentorId, *, back: bool
    ) -> None:
        """S7: the same letter under another mentor is asked about, whatever else was accepted."""
        it = self.devices[device % len(self.devices)]
        report = self._clean(it, accept=True, newcomers=True)
        former = self._writer(letter)
        was_asked = any(
            letter in event.letters and event.kind in CONTACTS and event.mentor == former
            for event in report.plan.events
        )
        known = any(
            letter in own and mentor_of(href) == mentor for href, own in self.letters_of.items()
        )
        settled = not any(warning.code in WAITING for warning in report.warnings)
        still_open = letter not in self.ever_in and self.config.is_open(letter, by=former)
        if mentor == former or known or not (was_asked and settled and still_open):
            return
        there = self.seen.ours(self.calendar.bodies).keys()
        theirs = {href for href in there if letter in self.letters_of[href]}
        self.config.hand(letter, mentor)
        report = self._clean(it, accept=True)
        assert asks_who(report), f"S7: {letter} went from {former} to {mentor}, and nobody is asked"
        written = {change.uid for change in (*report.created, *report.updated)}
        contacts = [
            event.uid
            for event in report.plan.events
            if event.kind in CONTACTS and event.mentor == mentor and letter in event.letters
        ]
        assert not written.intersection(contacts), f"S7: {mentor} is contacted about {letter}"
        gone = theirs - self.calendar.bodies.keys()
        assert not gone, f"S7: {sorted(map(told, gone))} went before the answer"
        if back:
            self.config.hand(letter, former)
            report = self._clean(it, accept=False)
            gone = theirs - self.calendar.bodies.keys()
            assert not gone, f"S7: {sorted(map(told, gone))} went though nothing has changed"
        else:
            report = self._clean(it, accept=True, newcomers=True)
        assert not asks_who(report), "S7: asked once more"

    @precondition(lambda self: isinstance(self.calendar, FakeCalendar))
    @rule(device=st.integers(0, 1), path=st.sampled_from([None, *SPELLINGS]))
    def the_account_is_spelt_otherwise(self, device: int, path: str | None) -> None:
        """S19: an address is not an identity, so nothing comes of another one."""
        it = self.devices[device % len(self.devices)]
        report = self._clean(it, accept=False)
        if any(warning.code in WAITING for warning in report.warnings):
            return
        before, away = dict(self.calendar.bodies), [change.uid for change in report.missing]
        it.path = path
        report = self._clean(it, accept=False)
        assert not report.wrote, f"S19: {report.created} {report.updated} {report.deleted}"
        assert self.calendar.bodies == before, "S19: a body changed"
        assert [change.uid for change in report.missing] == away, "S19: something is missed"

    def _begin(self, it: Device, *, resting: bool = True) -> dict[Href, bytes]:
        changed = None if resting else self.now.astimezone(UTC)
        it.desk.settings = replace(self.config.settings, changed=changed)
        it.desk.day, it.desk.at = self.now.date(), self.now.time()
        for name, letter in self.config.letters.items():
            self.writers.setdefault(name, set()).add(letter.mentor)
        self.seen.look(self.calendar.bodies, self.today)
        self.ticks_met = {h for h, acts in self.seen.acts.items() if acts.history}
        self.before = dict(self.calendar.bodies)
        return self.before

    def _cut_short(self, it: Device, *, accept: bool) -> bool:
        """Run a pass that need not come to its end, hold what holds of each, and tell if it did."""
        before, whole = self._begin(it), True
        try:
            self._learn(self._sync(it, accept=accept))
        except (Killed, LorsyncError):
            whole = False
            it.torn = True
            for entry in it.desk.entries().values():
                # What it was about to write may be there (S2).
                href = self.calendar.href_for(entry.uid)
                self.letters_of[href] = self.letters_of.get(href, frozenset()) | {*entry.letters}
                self.listed[href] = frozenset(entry.letters)
        self._end(it, before)
        return whole

    def _clean(
        self, it: Device, *, accept: bool, newcomers: bool = False, resting: bool = True
    ) -> Report:
        """Run a pass to its end, and hold everything; ``resting``: the config is no new one."""
        before = self._begin(it, resting=resting)
        report = self._sync(it, accept=accept, newcomers=newcomers)
        self._hold_done(it, before, report)
        return report

    def _sync(self, it: Device, *, accept: bool, newcomers: bool = False) -> Report:
        """Run a pass; where the other machine's config rules, this one takes over (S20)."""
        answers = {"accept_deletions": accept, "accept_newcomers": newcomers}
        calendar = self.calendar if it.path is None else Spelt(self.calendar, it.path)
        remember_where(it.desk, calendar)
        try:
            return it.desk.sync_with(calendar, **answers)
        except ConfigError:
            return it.desk.sync_with(calendar, **answers, take_over=True)

    def _hold_done(self, it: Device, before: dict[Href, bytes], report: Report) -> None:
        """Hold everything after a pass that came to its end."""
        self._learn(report)
        self._end(it, before)
        it.torn = it.behind = False
        self.untold.clear()
        ticked = {h for h, acts in self.seen.acts.items() if acts.history}
        self.ticks_seen = self.ticks_seen - self.calendar.bodies.keys() | ticked
        if not any(warning.code == "emptied" for warning in report.warnings):
            self._hold_plan(it, report)
            if not report.held:
                # One machine left these to the person, and another one may think otherwise.
                unsure = {
                    href
                    for href in self.left_to_them
                    if len(self.devices) > 1 and self.seen.acts.get(href, Acts()).title is not None
                }
                # Wholly the person's, and so not taken off where nothing is planned for it.
                planned = {self.calendar.href_for(event.uid) for event in report.plan.events}
                theirs = {h for h, acts in self.seen.acts.items() if acts.guarded} - planned
                # What a restored server brought back of who vanished goes after the answer (S7).
                waiting = self.brought_back if asks_who(report) else set()
                besides = unsure | theirs | self.doubtful | waiting
                self.seen.hold_settled(self.calendar.bodies, self.today, besides=besides)
        # Of a note that was thrown away nothing is kept: it uses nothing up (S10).
        kept = self.seen.deleted.keys() - self.seen.released
        self.remembered |= kept | (self.seen.made - self.calendar.bodies.keys())
        ours = self.seen.ours(self.calendar.bodies)
        it.knows |= {h for h in ours if self.config.names(identity_of(h).subject)}

    def _learn(self, report: Report) -> None:
        waits = any(warning.code in WAITING for warning in report.warnings)
        written = {change.uid for change in (*report.created, *report.updated)}
        for event in report.plan.events:
            href = self.calendar.href_for(event.uid)
            self.letters_of[href] = self.letters_of.get(href, frozenset()) | set(event.letters)
            if not waits or event.uid in written or href not in self.listed:
                self.listed[href] = frozenset(event.letters)
            if event.pinned and event.unpinned_day is None:
                continue  # The stamp says whose day it is.
            self.planned.setdefault(href, set()).add(event.planned_day)
            acts = self.seen.acts.get(href, Acts())
            if acts.start == event.planned_day and not self._known_to_all(href):
                # The stamp comes to say the day that the person chose: no sign of a move is left.
                self.seen.acts[href] = replace(acts, start=None, end=None)

    def _end(self, it: Device, before: dict[Href, bytes]) -> None:
        after = self.calendar.bodies
        left = {
            href
            for href, letters in self.letters_of.items()
            if not letters <= self.config.letters.keys()
        }
        unknown = self.seen.ours(before).keys() - self.letters_of.keys()
        self._take_back(before, after)
        self.seen.look(after, self.today)
        self.seen.apart |= {href for href in self.seen.released if self._is_over(href)}
        self.seen.hold_always(after)
        certain = {href: body for href, body in before.items() if href not in self.doubtful}
        self.seen.hold_past(certain, after, self.today, left | unknown)
        self.seen.hold_words(before, after)
        self._hold_moves(before, after)
        removed = before.keys() - after.keys()
        self.taken_off |= removed
        it.knows -= removed
        it.took |= removed
        for href in removed:
            self.seen.acts.pop(href, None)
        for other in self.devices:
            if other is not it or it.torn:
                other.absent |= removed

    def _take_back(self, before: dict[Href, bytes], after: Mapping[Href, bytes]) -> None:
        """Note which events are needed again that lorsync had left to the person (S10)."""
        for href in self.seen.released & after.keys() & before.keys():
            events = [self.seen.event(href, bodies[href]) for bodies in (before, after)]
            if [event is not None and is_released(event) for event in events] == [True, False]:
                self._need(href)

    def _is_over(self, href: Href) -> bool:
        """Tell whether what was left to the person may be replaced by another event.

        That is one that they had moved, for what is over (S10), one of a letter that another mentor
        writes by now (S7), and one that asked for letters of which none is the mentor's any more.
        """
        acts = self.seen.acts.get(href, Acts())
        if acts.start is not None:
            return True
        if acts.text is not None and (self.shaken or len(self.devices) > 1):
            # Without a stamp in it a ledger that does not know it takes its day for theirs (S3).
            return True
        if len(self.writers.get(LetterId(identity_of(href).subject), ())) > 1:
            return True
        letters = self.letters_of.get(href, frozenset())
        if identity_of(href).kind is not Kind.REQUEST or not letters:
            return False
        # Two ledgers may know it as one that asks for different letters.
        return len(self.devices) > 1 or letters.isdisjoint(self.config.of(mentor_of(href)))

    def _need(self, href: Href) -> None:
        self.seen.released.discard(href)
        self.seen.apart.discard(href)
        acts = self.seen.acts.get(href, Acts())
        # It rings as planned, or as the person wants it: nobody heard it in between.
        self.seen.acts[href] = replace(acts, alarms=None)

    def _hold_moves(self, before: dict[Href, bytes], after: dict[Href, bytes]) -> None:
        """Hold that a moved follow-up stays while a letter that it is for is to come (I4, S10)."""
        for href in before.keys() - after.keys():
            acts, identity = self.seen.acts.get(href), identity_of(href)
            twin = any(identity_of(h) == identity for h in self.letters_of if h != href)
            if acts is None or acts.start is None or twin or len(self.devices) > 1:
                continue
            if href in self.forgotten:
                # The memory says that it was deleted, as it was about to be: who moved it that
                # moment, and then lost the ledger, has nothing left that says otherwise.
                continue
            if href in self.brought_back:
                continue
            if identity.kind is Kind.FOLLOW_UP:
                # Those that it was for when it was last written.
                letters = self.listed.get(href, frozenset()) - self.ever_in
                still_open = [x for x in letters if self.config.is_open(x, by=mentor_of(href))]
                assert not still_open, f"I4: {told(href)} was moved and is gone"

    def _hold_plan(self, it: Device, report: Report) -> None:
        """Hold that the calendar is what the plan says, each event once (I2, I7, S2)."""
        bodies = self.calendar.bodies
        codes = {warning.code for warning in report.warnings}
        # Refused by the server, or asked about before anybody is contacted (S7).
        waits = bool(codes & (WAITING - SETBACKS)) or bool(codes & SETBACKS and not self.set_back)
        if not codes & SETBACKS:
            self.set_back.clear()
        wanted = {self.calendar.href_for(e.uid): e for e in report.plan.events}
        held = {self.calendar.href_for(change.uid) for change in report.held}
        # In the place of what is held nothing is created yet (S18).
        taken = {identity_of(href) for href in held}
        for href, event in wanted.items():
            if href in self.set_back:
                continue
            if href not in bodies:
                expected = href in it.absent or identity_of(href) in taken
                assert waits or expected, f"I7: {told(href)} is missing"
                continue
            acts = self.seen.acts.get(href, Acts())
            there = self.seen.event(href, bodies[href])
            if there is None or acts.text is not None or waits or len(self.devices) > 1:
                continue  # Nobody tells two ledgers whose plan is the later one (S20).
            if acts.guarded is not None:
                # It stays as it is, so the plan goes by where it stands (S10).
                assert day_of(there) == event.day, f"S10: {told(href)} on {day_of(there)}"
                continue
            if acts.start is None:
                assert day_of(there) == event.day, f"I7: {told(href)} on {day_of(there)}"
            title = event.summary if acts.title is None else acts.title
            if acts.ticked is None:
                assert title_of(there) == title, f"I7: {told(href)}: {title_of(there)}"
        if len(self.devices) == 1:
            self._hold_told(report)
        for href in self.seen.live(bodies, self.today).keys() - wanted.keys() - held:
            if waits:
                break  # Nothing of who vanished goes before the answer (S7).
            # What is not in the config is a stranger's to a ledger that never saw it.
            known = href in it.knows | it.took or self.config.names(identity_of(href).subject)
            acts = self.seen.acts.get(href, Acts())
            if len(self.devices) > 1 and (
                acts.text is not None or (href in self.left_to_them and acts.title is not None)
            ):
                continue  # The one that released it leaves it, whatever another one makes of it.
            if href in self.doubtful | self.set_back or acts.guarded is not None:
                continue
            if href in self.unticked and (acts.text is not None or acts.title is not None):
                # A ledger that never saw the tick has the memory's word for it, and no block or
                # title of ours that would gainsay it: it stays spent.
                continue
            assert not known, f"I7: {told(href)} is in no plan"

    def _hold_told(self, report: Report) -> None:
        """Hold that nothing is called the person's, or used up, without their doing (S10, S15)."""
        if self.shaken or any(device.torn for device in self.devices):
            return
        for change in report.kept:
            if "alarms" in change.changed:
                href = self.calendar.href_for(change.uid)
                assert href in self.ever_rung, f"S15: whose are the alarms of {told(href)}?"
        for mentor, budget in report.plan.budgets.items():
            own = self.config.of(mentor)
            said = {day for x in own for day in self.config.letters[x].facts.followed_up_on}
            used = {h for h in self.seen.made | self.struck if mentor_of(h) == mentor}
            used |= {
                h for h in self.seen.acts if self.seen.is_needless(h) and mentor_of(h) == mentor
            }
            most = len(used) + len(said) + sum(self.marked[name] for name in own)
            assert budget.spent <= most, f"R5: {budget.spent} of {mentor} are spent: {used}"


def asks_who(report: Report) -> bool:
    """Tell whether a pass asks whether somebody is who was there before (S7)."""
    return any(warning.code in NEWCOMERS for warning in report.warnings)


def told_of(report: Report) -> dict[str, object]:
    """Return what a pass tells, but for its plan."""
    return {f.name: getattr(report, f.name) for f in fields(Summary)}
