"""What the person types between two passes: marks, and what they take back of their own acts.

Each command works on one machine's ledger, as on the command line, and tells the onlooker what is
no longer, or once more, lorsync's to decide.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from lorsync.core.errors import UsageError
from lorsync.core.facts import Fact
from lorsync.core.merge.entry import Entry
from lorsync.core.model import LetterId, MentorId
from lorsync.sync.marks import Said, mark, take_back
from lorsync.sync.overrides import pinned, restorable, restore, unpin
from tests.stateful.actor import Acts
from tests.stateful.config_changes import LETTERS
from tests.stateful.scenario import Device, Living, letters, which

facts = st.sampled_from([fact for fact in Fact if fact is not Fact.DONE])
devices = st.integers(0, 1)


class Commanding(Living):
    """A life in which the person uses the command line as well."""

    def _at(self, device: int) -> Device:
        it = self.devices[device % len(self.devices)]
        it.desk.settings = self.config.settings
        return it

    @rule(device=devices, letter=letters, fact=facts, ago=st.integers(0, 20))
    def the_person_marks(self, device: int, letter: LetterId, fact: Fact, ago: int) -> None:
        it = self._at(device)
        day = self.today - timedelta(days=ago)
        said = Said(mentor=self._writer(letter), fact=fact, letter=letter, day=day)
        now = self.now.astimezone(UTC)
        try:
            mark(it.desk.settings, it.desk.folder, said, now=now, today=self.today)
        except UsageError:
            return  # Not in the config, or said there.
        if fact in {Fact.SUBMITTED, Fact.DECLINED}:
            self.ever_in.add(letter)
        if fact is Fact.FOLLOWED_UP:
            self.marked[letter] += 1

    @rule(device=devices, letter=letters, fact=facts)
    def the_person_takes_a_mark_back(self, device: int, letter: LetterId, fact: Fact) -> None:
        it = self._at(device)
        said = Said(mentor=self._writer(letter), fact=fact, letter=letter)
        try:
            take_back(it.desk.settings, it.desk.folder, said, now=self.now.astimezone(UTC))
        except UsageError:
            return  # Nothing of the kind was said.

    @rule(device=devices, number=which)
    def the_person_unpins(self, device: int, number: int) -> None:
        it = self._at(device)
        entry = self._chosen(it, number, pinned)
        if entry is None:
            return
        unpin(it.desk.folder, entry.uid, self.today)
        href = self.calendar.href_for(entry.uid)
        acts = self.seen.acts.get(href, Acts())
        self.seen.acts[href] = replace(acts, start=None, end=None)
        self.given_back.add(href)

    @rule(device=devices, number=which)
    def the_person_restores(self, device: int, number: int) -> None:
        it = self._at(device)
        entry = self._chosen(it, number, restorable)
        # What they brought back themselves, before a pass has seen it, they do not ask for.
        if entry is None or self.calendar.href_for(entry.uid) in self.calendar.bodies:
            return
        restore(it.desk.folder, entry.uid, self.today)
        self.seen.dismissed.discard(self.calendar.href_for(entry.uid))
        # Another one comes in its stead, so if they bring it back as well it goes (S8).
        self.brought_back.add(self.calendar.href_for(entry.uid))

    def _writer(self, letter: LetterId) -> MentorId:
        """Return whose letter it is: in the config, or was."""
        there = self.config.letters.get(letter)
        return LETTERS[letter] if there is None else there.mentor

    def _chosen(self, it: Device, number: int, wanted: Callable[[Entry], bool]) -> Entry | None:
        """Choose one of the entries ahead that are wanted."""
        ahead = [e for e in it.desk.entries().values() if e.day >= self.today and wanted(e)]
        ahead.sort(key=lambda e: (str(e.identity), e.uid))
        return ahead[number % len(ahead)] if ahead else None
