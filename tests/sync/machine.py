"""A machine that lives through seasons: config, person, server, time and trouble, in any order.

Real passes with real ledgers run against the calendar in memory. The rules here are passes of each
kind, whole and cut short; what happens between them is in ``living``. After each pass the onlooker
(``watching``) holds the calendar against the invariants.
"""

from dataclasses import fields, replace
from datetime import UTC

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from lorsync.core.model import Kind, LetterId
from lorsync.errors import ConfigError, LorsyncError, TryAgainError, UnavailableError
from lorsync.ports import Href, PreconditionFailedError, WriteRefusedError
from lorsync.report import Report, Summary
from tests.sync.commanding import Commanding
from tests.sync.living import Device, letters, which
from tests.sync.person import NOT_NEEDED, Acts, day_of, title_of
from tests.sync.test_crashes import Bomb, Killed, bombed, disarmed
from tests.sync.watching import identity_of, told

ASKING = frozenset({"same-person", "same-letter"})
"""The warnings with which events of who is gone are on the calendar still (S7)."""
WAITING = ASKING | {"refused"}
"""The warnings with which events of the plan are not on the calendar yet."""


class Season(Commanding):
    """One applicant's season."""

    @initialize()
    def first_pass(self) -> None:
        self._clean(self.devices[0], accept=False)

    @rule(device=st.integers(0, 1), accept=st.booleans())
    def passes(self, device: int, *, accept: bool) -> None:
        self._clean(self.devices[device % len(self.devices)], accept=accept)

    @rule(device=st.integers(0, 1), accept=st.booleans())
    def passes_again(self, device: int, *, accept: bool) -> None:
        """I5: a pass right behind another writes nothing and costs one request."""
        which_one = self.devices[device % len(self.devices)]
        report = self._clean(which_one, accept=accept)
        if any(warning.code in WAITING for warning in report.warnings):
            return
        before, requests = dict(self.calendar.bodies), self.calendar.requests
        again = self._clean(which_one, accept=accept)
        assert not again.wrote, f"I5: {again.created} {again.updated} {again.deleted}"
        assert self.calendar.bodies == before, "I5: a body changed"
        # A token that the server does not know costs the report that it refused.
        most = 1 if self.calendar.known_tokens else 2
        assert self.calendar.requests - requests <= most, "I5: more than one request"
        if len(self.devices) == 1:
            self._hold_repeatable(which_one)

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
        error=st.sampled_from([PreconditionFailedError, WriteRefusedError]),
    )
    def passes_with_an_answer_that_is_wrong(
        self, device: int, operation: str, error: type[Exception]
    ) -> None:
        """The server refuses one write that it should take."""
        it = self.devices[device % len(self.devices)]

        def refuse_once(what: str, moment: str, _: object) -> None:
            if (what, moment) == (operation, "before") and error is not WriteRefusedError:
                self.calendar.faults = None
                raise error("no")
            if (what, moment) == (operation, "before") and operation != "delete":
                self.calendar.faults = None
                raise error("no")

        self.calendar.faults = refuse_once
        try:
            self._cut_short(it, accept=True)
        finally:
            self.calendar.faults = None

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

    @rule(device=st.integers(0, 1), letter=letters)
    def passes_with_a_config_that_is_half_saved(self, device: int, letter: LetterId) -> None:
        """What a config lacks that was changed just now is not taken off the calendar."""
        it = self.devices[device % len(self.devices)]
        whole = self.config.settings
        own = self.config.letters.get(letter)
        if own is None or not self.config.is_open(letter, by=own.mentor):
            return
        before = self._begin(it)
        half = tuple(each for each in whole.season.letters if each.id != letter)
        it.desk.settings = replace(
            whole,
            season=replace(whole.season, letters=half),
            changed=self.now.astimezone(UTC),
        )
        self._learn(self._sync(it, accept=False))
        alone = {h for h in before if self.letters_of.get(h) == {letter} and h in it.knows}
        gone = alone - self.calendar.bodies.keys()
        assert not gone, f"not in half a config: {sorted(map(told, gone))}"
        self._end(it, before)

    def _begin(self, it: Device) -> dict[Href, bytes]:
        it.desk.settings = self.config.settings
        it.desk.day, it.desk.at = self.now.date(), self.now.time()
        self.seen.look(self.calendar.bodies, self.today)
        self.ticks_met = {h for h, acts in self.seen.acts.items() if acts.history}
        self.before = dict(self.calendar.bodies)
        return self.before

    def _cut_short(self, it: Device, *, accept: bool) -> None:
        """Run a pass that need not come to its end, and hold what holds of each."""
        before = self._begin(it)
        try:
            self._learn(self._sync(it, accept=accept))
        except (Killed, LorsyncError):
            it.torn = True
            for entry in it.desk.entries().values():
                # What it was about to write may be there (S2).
                href = Href(entry.href)
                self.letters_of[href] = self.letters_of.get(href, frozenset()) | {*entry.letters}
                self.listed[href] = frozenset(entry.letters)
        self._end(it, before)

    def _clean(self, it: Device, *, accept: bool) -> Report:
        """Run a pass to its end, and hold everything."""
        before = self._begin(it)
        report = self._sync(it, accept=accept)
        self._hold_done(it, before, report)
        return report

    def _sync(self, it: Device, *, accept: bool) -> Report:
        """Run a pass; where the other machine's config rules, this one takes over (S20)."""
        answers = {"accept_deletions": accept, "accept_newcomers": accept}
        try:
            return it.desk.sync(**answers)
        except ConfigError:
            return it.desk.sync(**answers, take_over=True)

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
                self.seen.hold_settled(
                    self.calendar.bodies, self.today, besides=unsure | self.doubtful
                )
        self.remembered |= self.seen.deleted.keys() | (self.seen.made - self.calendar.bodies.keys())
        ours = self.seen.ours(self.calendar.bodies)
        it.knows |= {h for h in ours if self.config.names(identity_of(h).subject)}

    def _learn(self, report: Report) -> None:
        for event in report.plan.events:
            href = self.calendar.href_for(event.uid)
            self.letters_of[href] = self.letters_of.get(href, frozenset()) | set(event.letters)
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
        self.seen.look(after, self.today)
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
                subject = identity.subject
                open_letters = [x for x in letters if self.config.is_open(x, by=subject)]
                assert not open_letters, f"I4: {told(href)} was moved and is gone"

    def _hold_plan(self, it: Device, report: Report) -> None:
        """Hold that the calendar is what the plan says, each event once (I2, I7, S2)."""
        bodies = self.calendar.bodies
        # Refused by the server, or asked about before anybody is contacted (S7).
        waits = any(warning.code in WAITING for warning in report.warnings)
        wanted = {self.calendar.href_for(e.uid): e for e in report.plan.events}
        held = {self.calendar.href_for(change.uid) for change in report.held}
        # In the place of what is held nothing is created yet (S18).
        taken = {identity_of(href) for href in held}
        for href, event in wanted.items():
            if href not in bodies:
                expected = href in it.absent or identity_of(href) in taken
                assert waits or expected, f"I7: {told(href)} is missing"
                continue
            acts = self.seen.acts.get(href, Acts())
            there = self.seen.event(href, bodies[href])
            if there is None or acts.text is not None or waits or len(self.devices) > 1:
                continue  # Nobody tells two ledgers whose plan is the later one (S20).
            if acts.start is None:
                assert day_of(there) == event.day, f"I7: {told(href)} on {day_of(there)}"
            if acts.title is None:
                titles = (event.summary, NOT_NEEDED + event.summary)
                assert title_of(there) in titles, f"I7: {told(href)}: {title_of(there)}"
        for href in self.seen.live(bodies, self.today).keys() - wanted.keys() - held:
            # What is not in the config is a stranger's to a ledger that never saw it.
            known = href in it.knows | it.took or self.config.names(identity_of(href).subject)
            acts = self.seen.acts.get(href, Acts())
            if href in self.left_to_them and acts.title is not None and len(self.devices) > 1:
                continue  # The one that released it leaves it, whatever its title says since.
            if href in self.doubtful or any(w.code in ASKING for w in report.warnings):
                continue
            if href in self.unticked and (acts.text is not None or acts.title is not None):
                # A ledger that never saw the tick has the memory's word for it, and no block or
                # title of ours that would gainsay it: it stays spent.
                continue
            assert not known, f"I7: {told(href)} is in no plan"


def told_of(report: Report) -> dict[str, object]:
    """Return what a pass tells, but for its plan."""
    return {f.name: getattr(report, f.name) for f in fields(Summary)}
