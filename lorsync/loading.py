"""Read the config in a process of its own, which ends with it.

What reads and checks a config, pydantic and the holidays library, stays loaded for good where it
once was, a sixth of all that a daemon takes; and a config on a drive that hangs hangs nothing else.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lorsync.errors import LorsyncError, TryAgainError, as_mistake
from lorsync.settings import Settings
from lorsync.waking import Signature

_PROGRAM = "from lorsync.loading import main; main()"
"""Not as ``-m``: what is said then would be of another module's type."""

LIMIT_SECONDS = 60.0
"""How long it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A config as it was read, with what it allows and its owner had better know.

    ``file`` is which file that was; one that differs by now has changed since.
    """

    settings: Settings
    cautions: tuple[str, ...]
    file: Signature


class Loading:
    """A config that is being read, from when this is made."""

    def __init__(self, path: Path, state: Path) -> None:
        """Begin. Raises TryAgainError where no process can be started."""
        command = [sys.executable, "-P", "-c", _PROGRAM, str(path), str(state)]
        # The signals that mean the daemon are its own alone: systemctl kill sends them to every
        # process of a unit. A new process keeps the mask of the thread that starts it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGUSR1})
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module and interpreter
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                # Ctrl-C is for the daemon alone.
                start_new_session=True,
            )
        except OSError as error:
            msg = f"The config cannot be read now: {error.strerror}. Trying again later."
            raise TryAgainError(msg) from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def loaded(self) -> Loaded:
        """Wait for the end of it and return the settings.

        Raises ConfigError with every problem of the file, and TryAgainError where it was not read.
        """
        limit = threading.Timer(LIMIT_SECONDS, self._process.kill)
        limit.daemon = True
        limit.start()
        try:
            told, _ = self._process.communicate()
        finally:
            limit.cancel()
        if self._process.returncode != 0:
            msg = f"The config was not read: its reader ended with {self._process.returncode}."
            raise TryAgainError(msg)
        outcome = pickle.loads(told)  # noqa: S301 -- what our own process said
        if isinstance(outcome, Loaded):
            return outcome
        assert isinstance(outcome, LorsyncError)  # noqa: S101 -- it says nothing else
        raise outcome


def load_apart(path: Path, state: Path) -> Loaded:
    """Read the config at ``path``. Raises as :meth:`Loading.loaded`."""
    return Loading(path, state).loaded()


def _outcome(path: Path, state: Path) -> Loaded | LorsyncError:
    """Return the settings, or what is wrong: a traceback is not for a person."""
    try:
        from lorsync.config.account import cautions

        file = Signature.of(path)
        settings = _read(path, state)
        return Loaded(settings=settings, cautions=cautions(settings.calendar), file=file)
    except LorsyncError as error:
        return error
    except Exception as error:  # noqa: BLE001 -- as the command line does with a mistake of ours
        return as_mistake(error)


def _read(path: Path, state: Path) -> Settings:
    """Return the settings, with what they need kept for the daemon. Raises ConfigError."""
    from lorsync.adapters.state import make_state_dir
    from lorsync.config import load
    from lorsync.planning import observing, today_of

    settings = load(path)
    season = settings.season
    if any((season.policy.holidays, *(m.holidays for m in season.mentors.values()))):
        try:
            make_state_dir(state)
        except LorsyncError:
            return settings  # the daemon meets that too, and says it
        # For the cache in the state folder, which then answers the daemon.
        observing(settings, state, today_of(settings, datetime.now(UTC)))
    return settings


def main() -> None:
    """Read the config that the arguments name, and say on stdout what came of it."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # as in lorsync.__main__
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    said = pickle.dumps(_outcome(Path(sys.argv[1]), Path(sys.argv[2])))
    try:
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)  # whoever wanted to know has ended; Python would complain about it at exit
