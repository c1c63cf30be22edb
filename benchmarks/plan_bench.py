"""What planning costs by itself: processor time and memory for 1,000, 10,000 and 100,000 letters.

Each size is planned in a process of its own, so that one's memory is not another's. Five letters to
a mentor, two programs to a letter, half as many programs as letters.
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.table import Row, at_most, plain
from lorsync.core.identity import season_key
from lorsync.core.model import (
    Absence,
    Applicant,
    Cycle,
    Facts,
    Letter,
    LetterId,
    Mentor,
    MentorId,
    Policy,
    Program,
    ProgramId,
    Season,
)
from lorsync.sync.plan import plan_at_once

SIZES = (1_000, 10_000, 100_000)
PROMISED = {10_000: (1.5, 150)}
"""Seconds of processor time and MB, by letters."""

TODAY, FIRST_DEADLINE = date(2026, 7, 1), date(2026, 9, 1)
_SPREAD_DAYS = 120


def measure(_: Path) -> Iterator[Row]:
    """Yield two rows per size."""
    for letters in SIZES:
        command = [sys.executable, "-m", "benchmarks.plan_bench", str(letters)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, megabytes = map(float, done.stdout.split())
        what = f"planning {letters} letters"
        if letters in PROMISED:
            most_seconds, most_megabytes = PROMISED[letters]
            yield at_most(f"{what}, processor", seconds, most_seconds, " s")
            yield at_most(f"{what}, memory", round(megabytes), most_megabytes, " MB")
        else:
            yield plain(f"{what}, processor", f"{seconds:.2f} s")
            yield plain(f"{what}, memory", f"{megabytes:.0f} MB")


def season(letters: int) -> Season:
    """Return a season that is the same each time."""
    chance = random.Random(1)  # noqa: S311 -- the same season each time, no secret
    mentors, programs = letters // 5, letters // 2
    return Season(
        applicant=Applicant(name="Maya Okafor", timezone=ZoneInfo("America/New_York")),
        cycle=Cycle(name="Benchmark"),
        policy=Policy(holidays="US"),
        mentors={m.id: m for m in map(_mentor, range(mentors))},
        programs={p.id: p for p in (_program(number, chance) for number in range(programs))},
        letters=tuple(_letter(n, mentors, programs, chance) for n in range(letters)),
        holidays={"US": {date(2026, 9, 7): "Labor Day", date(2026, 11, 26): "Thanksgiving"}},
    )


def _mentor(number: int) -> Mentor:
    leave = Absence(first=date(2026, 8, 1), last=date(2026, 8, 20))
    return Mentor(
        id=MentorId(f"m{number}"),
        name=f"Dr. Number {number}",
        email=f"m{number}@example.org",
        away=(leave,) if number % 3 == 0 else (),
    )


def _program(number: int, chance: random.Random) -> Program:
    return Program(
        id=ProgramId(f"p{number}"),
        name=f"Program {number}",
        portal="ERAS",
        deadline=FIRST_DEADLINE + timedelta(days=chance.randrange(_SPREAD_DAYS)),
        results_on=date(2027, 3, 19),
    )


def _letter(number: int, mentors: int, programs: int, chance: random.Random) -> Letter:
    served = (ProgramId(f"p{chance.randrange(programs)}") for _ in range(2))
    asked = Facts(asked_on=date(2026, 6, 1)) if number % 4 == 0 else Facts()
    return Letter(
        id=LetterId(f"l{number}"),
        mentor=MentorId(f"m{number % mentors}"),
        programs=tuple(dict.fromkeys(served)),
        attributes=("ward leadership", "follow-through"),
        facts=asked,
    )


def main() -> None:
    """Plan once and print seconds of processor time and MB of memory at most."""
    large = season(int(sys.argv[1]))
    key = season_key(large)
    start = time.process_time()
    plan_at_once(large, today=TODAY, key=key)
    seconds = time.process_time() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
