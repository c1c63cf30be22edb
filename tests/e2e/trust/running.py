"""Run the installed command many times: one warm process, a copy of it for each command.

Starting Python and importing a CalDAV client takes most of a second, and there are many hostile
answers. Each command still has a process, an environment and an exit of its own.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_WARM = """
import json, os, sys
import lorsync.adapters.caldav.selection, lorsync.adapters.credentials, lorsync.adapters.google
import lorsync.cli.commands.check, lorsync.cli.commands.sync, lorsync.cli.commands.calendars
import lorsync.cli.output.documents, lorsync.cli.output.tables, lorsync.sync.runner
import lorsync.sync.noop
import lorsync.config.building, lorsync.config.checking
import lorsync.config.reading, lorsync.config.rules
from lorsync.__main__ import main
from lorsync.adapters.caldav import noop, rate_limit
from lorsync.adapters.caldav.session import LIMITS
from lorsync.core.providers import PROVIDERS
from lorsync.core.settings import Provider

for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.environ.clear()
        os.environ.update(job["environment"])
        os.chdir(job["folder"])
        for number, name in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
        for name, value in job["limits"].items():
            object.__setattr__(LIMITS, name, value)
        noop._SECONDS = job["limits"].get("request", noop._SECONDS)
        if job["budget"]:
            rate_limit.MINUTE = 3600  # the commands of one test may take longer than a minute
            object.__setattr__(PROVIDERS[Provider.CALDAV], "budget", job["budget"])
        sys.argv = ["lorsync", *job["arguments"]]
        try:
            main()
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 0
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 99
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)
    _, status, used = os.wait4(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_maxrss]), flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended; ``memory`` is the most that it held, in MB."""

    code: int
    out: str
    err: str
    memory: float


@dataclass(kw_only=True)
class Warm:
    """The warm process; commands run in it one after the other."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WARM],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *arguments: str,
        folder: Path,
        more: dict[str, str],
        limits: dict[str, float],
        budget: int | None,
    ) -> Done:
        """Run a command; ``limits`` and ``budget`` stand in for those that take minutes to meet."""
        out, err = self.folder / "out", self.folder / "err"
        job = {
            "arguments": arguments,
            "environment": self.environment | more | {"HOME": str(folder)},
            "folder": str(folder),
            "limits": limits,
            "budget": budget,
            "out": str(out),
            "err": str(err),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        code, memory = json.loads(self.process.stdout.readline())
        return Done(code=code, out=out.read_text(), err=err.read_text(), memory=memory / 1024)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=120)
        assert self.process.stdout is not None
        self.process.stdout.close()
