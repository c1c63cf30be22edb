"""A config that changes from day to day, as applicants' do."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from lorsync.core.model import (
    Absence,
    Facts,
    Letter,
    LetterId,
    Mentor,
    MentorId,
    Policy,
    Program,
    ProgramId,
)
from lorsync.core.settings import Settings
from tests.unit.sync.desk import DUE, settings

MENTORS = tuple(map(MentorId, ("Alvarez", "Chen", "Novak")))
LETTERS = {
    LetterId("a"): MENTORS[0],
    LetterId("b"): MENTORS[0],
    LetterId("c"): MENTORS[1],
    LetterId("d"): MENTORS[1],
    LetterId("e"): MENTORS[2],
}
PROGRAM = ProgramId("state")
FACTS = ("talked_on", "asked_on", "agreed_on", "declined_on", "submitted_on", "thanked_on")


@dataclass(kw_only=True)
class Config:
    """What the config says now: letters ``a`` and ``c`` at first, a month apart."""

    letters: dict[LetterId, Letter] = field(default_factory=dict)
    mentors: dict[MentorId, Mentor] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    program: Program = field(
        default_factory=lambda: Program(
            id=PROGRAM,
            name="State",
            deadline=DUE + timedelta(days=30),
            results_on=DUE + timedelta(days=90),
        )
    )

    def __post_init__(self) -> None:
        self.mentors = {name: Mentor(id=name, name=f"Dr. {name}") for name in MENTORS}
        self.toggle(LetterId("a"), DUE)
        self.toggle(LetterId("c"), DUE + timedelta(days=30))

    @property
    def settings(self) -> Settings:
        """The settings that this config is read as."""
        base = settings()
        season = replace(
            base.season,
            policy=self.policy,
            mentors=self.mentors,
            programs={PROGRAM: self.program},
            letters=tuple(self.letters[name] for name in sorted(self.letters)),
        )
        return replace(base, season=season)

    def toggle(self, name: LetterId, due: date) -> None:
        """Add a letter, or remove it where it is there."""
        if self.letters.pop(name, None) is None:
            self.letters[name] = Letter(id=name, mentor=LETTERS[name], deadline=due)

    def hand(self, name: LetterId, mentor: MentorId) -> None:
        """Let another mentor write a letter."""
        if name in self.letters:
            self.letters[name] = replace(self.letters[name], mentor=mentor)

    def due(self, name: LetterId, due: date | None) -> None:
        """Give a letter its own deadline, or that of the program."""
        if name in self.letters:
            programs = (PROGRAM,) if due is None else ()
            self.letters[name] = replace(self.letters[name], deadline=due, programs=programs)

    def fact(self, name: LetterId, what: str, day: date | None) -> None:
        """State a fact, or withdraw it."""
        if name in self.letters:
            facts: Facts = replace(self.letters[name].facts, **{what: day})
            self.letters[name] = replace(self.letters[name], facts=facts)

    def followed_up(self, name: LetterId, day: date) -> None:
        """State a follow-up."""
        if name in self.letters:
            before = self.letters[name].facts
            facts = replace(before, followed_up_on=(*before.followed_up_on, day))
            self.letters[name] = replace(self.letters[name], facts=facts)

    def away(self, name: MentorId, first: date, days: int) -> None:
        """Let a mentor be away from a day on; for no days, never."""
        absences = (Absence(first=first, last=first + timedelta(days=days - 1)),) if days else ()
        self.mentors[name] = replace(self.mentors[name], away=absences)

    def of(self, mentor: MentorId) -> list[LetterId]:
        """Return the letters that a mentor writes now."""
        return [name for name, letter in self.letters.items() if letter.mentor == mentor]

    def names(self, subject: str) -> bool:
        """Tell whether a letter is in the config, or some letter of a mentor."""
        return subject in self.letters or subject in {x.mentor for x in self.letters.values()}

    def is_open(self, name: LetterId, *, by: str) -> bool:
        """Tell whether a letter is in the config and still to come from a mentor."""
        letter = self.letters.get(name)
        if letter is None or letter.mentor != by:
            return False
        return not (letter.facts.submitted_on or letter.facts.declined_on)
