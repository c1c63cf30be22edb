"""Run commands as whole processes, and say what they cost."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# Not resolved: a virtual environment's interpreter is a link to another one.
BIN = Path(sys.executable).parent
LORSYNC = str(BIN / "lorsync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process cost: seconds of wall time, and of processor time with its children's."""

    wall: float
    cpu: float
    output: str


class CommandError(RuntimeError):
    """A command that is measured has failed, so that its figures mean nothing."""


def environment(home: Path) -> dict[str, str]:
    """Return an environment that knows nothing of the user's own files."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {**kept, "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"}


def run(command: Sequence[str], home: Path) -> Cost:
    """Run a command to its end. Raises CommandError where that is not 0."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            msg = f"{' '.join(command)} ended with {process.returncode}: {errors.read()[-800:]}"
            raise CommandError(msg)
        return Cost(wall=wall, cpu=used.ru_utime + used.ru_stime, output=output.read())


def median(command: Sequence[str], home: Path, *, runs: int = 7) -> Cost:
    """Run a command once to warm up, then several times; return the medians."""
    run(command, home)
    costs = [run(command, home) for _ in range(runs)]
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        output=costs[-1].output,
    )


def lorsync(config: Path, state: Path, *arguments: str) -> list[str]:
    """Return the command line of the installed lorsync on a config and a state folder."""
    return [LORSYNC, "--config", str(config), "--state-dir", str(state), *arguments]


def sync(config: Path, state: Path, home: Path) -> tuple[Mapping[str, list[object]], int, Cost]:
    """Run one ``lorsync sync --json``; return its document, its ``requests``, and its cost."""
    cost = run(lorsync(config, state, "sync", "--json"), home)
    document = json.loads(cost.output)
    return document, int(document["requests"]), cost
