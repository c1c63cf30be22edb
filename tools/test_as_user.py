"""Run `make test` as an ordinary user, then what needs root as root, and check that all ran.

usage: tools/test_as_user.py, as root

Root may read and write everywhere, so a run as root proves nothing of what a person meets who may
not. The user is made here and goes afterwards; the tests run in a copy of this checkout in the
user's home, which is empty otherwise.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "lorsync-tests"
# What is no part of a clone, and what of a Python no test needs.
NOT_CLONED = (".git", ".venv*", ".test-venvs", "__pycache__", ".*_cache", ".run")
NOT_CLONED_AT_TOP = ("build", "dist")
"""Packages that npm installed have folders of these names, too."""
NOT_NEEDED = ("__pycache__", "site-packages", "test", "*.a")
# Of a session, or of a program that is not the user's to run.
NOT_INHERITED = ("XDG_", "DBUS_", "SUDO_", "MAKE", "MFLAGS", "PYENV_")


def main() -> int:
    """Return the exit code."""
    with user() as entry:
        home = Path(entry.pw_dir)
        checkout = home / "lorsync"
        shutil.copytree(ROOT, checkout, symlinks=True, ignore=not_cloned)
        pip = Path(".config/pip/pip.conf")
        if (Path.home() / pip).exists():  # where packages come from on this machine
            (home / pip).parent.mkdir(parents=True)
            shutil.copy(Path.home() / pip, home / pip)
        pythons = [path for path in map(runnable, found_pythons()) if path is not None]
        subprocess.run(["chown", "-R", f"{NAME}:", home], check=True)
        if not pythons:
            print(f"No Python here can be run by {NAME}.", file=sys.stderr)
            return 1
        as_user, as_root = home / "as-user.jsonl", home / "as-root.jsonl"
        first, *more = map(str, pythons)
        done = run_as_user(
            ["make", "test", f"PYTHON={first}", f"NEWEST={' '.join(more)}"],
            cwd=checkout,
            LORSYNC_TEST_ACCOUNT=str(as_user),
        )
        if done.returncode != 0:
            return done.returncode
        print("== what needs root", flush=True)
        venv = checkout / ".test-venvs" / version_of(first)
        marks = ["-m", "root and not long", "-p", "no:cacheprovider", f"--account={as_root}"]
        done = subprocess.run(
            [venv / "bin" / "python", "-m", "pytest", *marks],
            cwd=checkout,
            env=os.environ | {"PYTHONSAFEPATH": "1"},
            check=False,
        )
        if done.returncode != 0:
            return done.returncode
        what_ran = [sys.executable, ROOT / "tools" / "what_ran.py", as_user, as_root]
        return subprocess.run(what_ran, check=False).returncode


def not_cloned(folder: str, names: list[str]) -> set[str]:
    """Return which of these names in a folder of the checkout are no part of a clone."""
    patterns = NOT_CLONED + (NOT_CLONED_AT_TOP if Path(folder) == ROOT else ())
    return shutil.ignore_patterns(*patterns)(folder, names)


@contextlib.contextmanager
def user() -> Iterator[pwd.struct_passwd]:
    """Make the user, and take it away again with its home."""
    remove_user()  # of a run that was killed
    subprocess.run(["useradd", "--create-home", "--user-group", NAME], check=True)
    try:
        yield pwd.getpwnam(NAME)
    finally:
        remove_user()


def remove_user() -> None:
    """Remove the user with its home and what its tests left; nothing where there is none.

    The next one has this name, and may have another number: pytest takes no folder of that one's.
    """
    left = Path(tempfile.gettempdir()) / f"pytest-of-{NAME}"
    if left.exists():
        shutil.rmtree(left)
    with contextlib.suppress(KeyError):
        home = pwd.getpwnam(NAME).pw_dir
        # It complains that there is no mail.
        subprocess.run(["userdel", "--force", NAME], check=True, capture_output=True)
        shutil.rmtree(home)


def run_as_user(
    command: list[str], *, cwd: Path, capture: bool = False, **variables: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command as the user, with nothing of root's own in the environment."""
    entry, own = pwd.getpwnam(NAME), Path.home()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_INHERITED) and not value.startswith(f"{own}/")
    }
    folders = [f for f in os.environ["PATH"].split(":") if not Path(f).is_relative_to(own)]
    identity = {"HOME": entry.pw_dir, "USER": NAME, "LOGNAME": NAME, "PATH": ":".join(folders)}
    return subprocess.run(
        command,
        cwd=cwd,
        env=inherited | identity | variables,
        user=NAME,
        group=NAME,
        extra_groups=[],
        umask=0o022,
        stdin=subprocess.DEVNULL,
        capture_output=capture,
        check=False,
    )


def found_pythons() -> list[str]:
    """Return the oldest Python that is supported and the newest one here, as root finds them."""
    oldest = shutil.which("python3.11") or sys.executable
    newest = subprocess.run(
        [ROOT / "tools" / "newest-python"], capture_output=True, text=True, check=False
    )
    return [oldest, *newest.stdout.split()]


def runnable(python: str) -> Path | None:
    """Return a Python of the same version that the user can run: root's, the system's, or a copy.

    None, with a line about it, where there is none.
    """
    version = version_of(python)
    real, prefix = said_by(python, "import sys; print(sys.executable, sys.base_prefix, sep='\\n')")
    name = f"python{version}"
    for path in (Path(real), Path("/usr/bin") / name, Path("/usr/local/bin") / name):
        if runs(path):
            return path
    copy = Path(pwd.getpwnam(NAME).pw_dir) / name
    shutil.copytree(prefix, copy, symlinks=True, ignore=shutil.ignore_patterns(*NOT_NEEDED))
    executable = copy / "bin" / name
    relocate(executable, f"{prefix}/lib")
    if runs(executable):
        return executable
    print(f"Python {version} cannot be run by an ordinary user, so it is left out.", flush=True)
    return None


def relocate(executable: Path, libraries: str) -> None:
    """Let a copied Python look for its shared library beside itself, and not where it came from.

    The search path is in the file, so the new one has to be no longer; the rest is filled up.
    """
    before, after = os.fsencode(libraries), b"$ORIGIN/../lib"
    padded = after.ljust(len(before), b"\0")
    if len(padded) == len(before):
        executable.write_bytes(
            executable.read_bytes().replace(b"\0" + before + b"\0", b"\0" + padded + b"\0")
        )


def runs(python: Path) -> bool:
    """Tell whether the user can run a Python, and make environments with it."""
    needed = "import ctypes, ensurepip, sqlite3, ssl, venv"
    try:
        done = run_as_user([str(python), "-c", needed], cwd=Path("/"), capture=True)
    except OSError:
        return False
    return done.returncode == 0


def version_of(python: str) -> str:
    """Return its version as in ``3.11``."""
    return said_by(python, "import sys; print('%d.%d' % sys.version_info[:2])")[0]


def said_by(python: str, program: str) -> list[str]:
    """Return the lines that a Python program prints."""
    command = [python, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
