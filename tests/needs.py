"""What tests need beside Python and the packages of the group ``test``, and how to get it.

A test says so with ``@pytest.mark.needs("fish")``. Where that is missing the test is not run, and
the end of the run names it with the command that brings it (``tests/conftest.py``).

As a script, this prints what is missing, one a line, for ``tools/install-test-packages``; it may
import nothing but the standard library.
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_LIBICAL = ("libical.so.3", "libical.3.dylib")
INIT = Path("/lib/systemd/systemd")
SYSTEM_PYTHON = Path("/usr/bin/python{}.{}".format(*sys.version_info))
"""The system's Python of this version, which a service without a home can run."""
_FAKETIME_IN = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")

ICAL_JS = _HERE / "e2e" / "readers" / "node_modules" / "ical.js"
AXE = _HERE / "unit" / "render" / "node_modules" / "axe-core" / "axe.min.js"


def chromium() -> str | None:
    """Return the program of the browser that shows the page of the season, or None."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def libical() -> ctypes.CDLL | None:
    """Load libical 3, or return None where this machine has none."""
    for name in _LIBICAL:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def libfaketime() -> Path | None:
    """Return the library that moves the clock of a program which is started with it, or None."""
    if shutil.which("faketime") is None:
        return None
    found = (f for p in _FAKETIME_IN for f in Path(p).glob("**/faketime/libfaketimeMT.so.1"))
    return next(found, None)


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that is here or not; ``brought_by`` is a command that brings it."""

    is_here: Callable[[], bool]
    brought_by: str


def _has(*programs: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(program) for program in programs)


def _debian(package: str, is_here: Callable[[], bool]) -> Need:
    return Need(is_here=is_here, brought_by=f"apt-get install {package}")


def _node(folder: str, file: Path) -> Need:
    # No lock files: they would name hosts.
    command = f"npm install --no-package-lock --no-audit --no-fund --prefix tests/{folder}"
    return Need(is_here=lambda: file.exists() and bool(shutil.which("node")), brought_by=command)


def _group(name: str, module: str) -> Need:
    return Need(
        is_here=lambda: importlib.util.find_spec(module) is not None,
        brought_by=f"pip install --group {name}",
    )


def _logind() -> bool:
    """Tell whether a booted machine has sessions and each person's own systemd."""
    return any(Path("/usr/lib").glob("*/security/pam_systemd.so")) and _has("dbus-daemon")()


def cgroup2() -> Path | None:
    """Return where a group of the cgroup2 hierarchy can be made, or None."""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except FileNotFoundError:
        return None
    for line in mounts:
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(",") and os.access(place, os.W_OK):
            return Path(place)
    return None


@cache
def _boots() -> bool:
    """Tell whether root can boot a systemd in namespaces here (``tests/e2e/systemd/booted.py``)."""
    if os.geteuid() != 0 or cgroup2() is None or not SYSTEM_PYTHON.exists():
        return False
    if not _has("unshare", "nsenter", "pivot_root", "ip")() or not INIT.exists() or not _logind():
        return False
    kinds = ("--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork")
    return (
        subprocess.run(["unshare", *kinds, "true"], check=False, capture_output=True).returncode
        == 0
    )


NEEDS = {
    # From outside Python; tools/install-test-packages brings these.
    "ical.js": _node("e2e/readers", ICAL_JS),  # a reader of what is exported
    "axe-core": _node("unit/render", AXE),  # the rules that the page of the season is held against
    "gnome-keyring": _debian("gnome-keyring", _has("gnome-keyring-daemon")),  # a real keyring
    "dbus": _debian("dbus", _has("dbus-run-session", "dbus-daemon")),  # the bus that it speaks on
    "faketime": _debian("faketime", lambda: libfaketime() is not None),
    "systemd-analyze": _debian("systemd", _has("systemd-analyze")),  # checks the unit files
    "mandoc": _debian("mandoc", _has("mandoc")),  # checks the man page
    "openssl": _debian("openssl", _has("openssl")),
    "zsh": _debian("zsh", _has("zsh")),  # completes commands, as bash does
    "fish": _debian("fish", _has("fish")),  # and this one too
    "libical": _debian("libical3", lambda: libical() is not None),  # another reader of exports
    "chromium": _debian("chromium", lambda: chromium() is not None),
    "logind": _debian("dbus-user-session libpam-systemd", _logind),
    "systemd as PID 1": Need(is_here=_boots, brought_by="root, where namespaces and cgroup2 are"),
    # Packages that only a release needs.
    "build": _group("dist", "build"),
    "twine": _group("dist", "twine"),
    # Rights that an ordinary user lacks, and lacks of rights that root does not know.
    "root": Need(is_here=lambda: os.geteuid() == 0, brought_by="pytest -m root, as root"),
    "ordinary user": Need(
        is_here=lambda: os.geteuid() != 0, brought_by="make test as a user other than root"
    ),
}

RIGHTS = frozenset({"root", "ordinary user"})
"""What no command brings to a run: a second run as somebody else does."""

_INSTALLABLE = ("apt-get install ", "npm install ")


def missing(*names: str) -> str | None:
    """Return the first of these needs that is not here, None where all are."""
    return next((name for name in names if not NEEDS[name].is_here()), None)


if __name__ == "__main__":
    for _need in NEEDS.values():
        if _need.brought_by.startswith(_INSTALLABLE) and not _need.is_here():
            print(_need.brought_by)
