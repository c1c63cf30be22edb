"""A machine of its own for the tests: a real systemd as PID 1, over this machine's own files.

It sees the files of this machine through an overlay, so that nothing has to be downloaded, and
what it writes is in memory and gone with it. It has its own processes, mounts, users' sessions,
clock of the boot and network, of which there is loopback only. ``tests/needs.py`` says what that
takes ("systemd as PID 1").
"""

import contextlib
import shutil
import subprocess
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import lorsync
from tests.needs import INIT, SYSTEM_PYTHON, cgroup2
from tests.servers.starting import is_running, wait_until

_PREPARE = r"""
mount --make-rprivate /
work=$1 over=$1/over
mkdir "$over"
mount -t tmpfs -o mode=755 tmpfs "$over"
mkdir "$over/upper" "$over/work" "$over/root"
mount -t overlay -o lowerdir=/,upperdir="$over/upper",workdir="$over/work" overlay "$over/root"
root=$over/root
# In front of what lies on this machine: the services, timers, homes and names of somebody else.
cd "$root"
rm -rf etc/lorsync var/lib/private opt/lorsync etc/credstore etc/credstore.encrypted \
    etc/systemd/system/*.wants etc/systemd/user/*.wants var/lib/systemd/linger
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 -o nsdelegate cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $node
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
echo booted >etc/hostname
mkdir old
pivot_root . old
umount -l /old
# Without this every credential looks missing: systemd mounts them in one namespace for another.
mount --make-rshared /
exec env -i container=x PATH=/usr/sbin:/usr/bin:/sbin:/bin %s --system --unit=multi-user.target
"""


_not_installed = shutil.ignore_patterns("*.pth", "mypy*", "*__mypyc*")
"""What of the tests' own environment no installed lorsync has; some of it is large."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A booted machine; ``pid`` is its PID 1, as this machine numbers it."""

    pid: int
    folder: Path

    def runs(
        self, *command: str | Path, user: str | None = None, typed: str = "", limit: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on it, as root or with the login of a user, and return what it said."""
        arguments = [str(part) for part in command]
        if user is not None:
            arguments = ["runuser", "--login", user, "--command", " ".join(arguments)]
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--all", "--wdns=/", *arguments],
            env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
            input=typed,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )

    def does(self, *command: str | Path, user: str | None = None, typed: str = "") -> str:
        """Run a command that has to succeed, and return what it printed."""
        done = self.runs(*command, user=user, typed=typed)
        assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def writes(self, path: str | Path, text: str | bytes, mode: int = 0o644) -> None:
        """Write a file of its."""
        body = text.encode() if isinstance(text, str) else text
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        place.chmod(mode)

    def waits(self, condition: Callable[[], bool], limit: float = 60.0) -> None:
        """Wait for a condition that asks this machine, which takes a process each time."""
        deadline = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < deadline, f"not within {limit:g} s: {condition}"
            time.sleep(0.15)

    def at(self, path: str | Path) -> Path:
        """Return where a file of its is seen from here."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def shows(self, unit: str, *properties: str) -> dict[str, str]:
        """Return what systemd says of a unit."""
        told = self.does("systemctl", "show", unit, f"--property={','.join(properties)}")
        return {key: value for key, _, value in (line.partition("=") for line in told.splitlines())}

    def log(self, unit: str, *options: str) -> str:
        """Return the log of a unit: its messages alone."""
        return self.does("journalctl", "--no-pager", "-o", "cat", "-u", unit, *options)


@contextlib.contextmanager
def booted() -> Iterator[Machine]:
    """Boot a machine, with the installed lorsync in ``/opt/lorsync``; it is gone afterwards."""
    hierarchy = cgroup2()
    assert hierarchy is not None
    group = hierarchy / f"lorsync-{uuid.uuid4().hex[:12]}"
    group.mkdir()
    folder = Path(tempfile.mkdtemp(prefix="booted-"))
    log = (folder / "log").open("wb")
    # A shell joins the group before the namespaces are made, so that the group is their root.
    namespaces = "unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child"
    script = f'echo $$ >"$0/cgroup.procs"; exec {namespaces} sh -euc "$2" sh "$1"'
    shell = subprocess.Popen(
        ["sh", "-euc", script, str(group), str(folder), _PREPARE % INIT],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        init = _child(shell, folder)
        machine = Machine(pid=init, folder=folder)
        wait_until(
            lambda: machine.runs("systemctl", "is-system-running").stdout.strip() == "running"
        )
        _install(machine)
        yield machine
        machine.runs("systemctl", "--force", "--force", "poweroff")
    finally:
        shell.kill()
        shell.wait()
        log.close()
        # The kernel ends what was in it by and by, and keeps the group until then.
        wait_until(lambda: "populated 0" in (group / "cgroup.events").read_text())
        for below in sorted(group.rglob("*"), reverse=True):
            if below.is_dir():
                below.rmdir()
        group.rmdir()
        shutil.rmtree(folder, ignore_errors=True)


def _child(shell: subprocess.Popen[bytes], folder: Path) -> int:
    """Return the process that ``unshare`` forked, once it is systemd."""
    children = Path(f"/proc/{shell.pid}/task/{shell.pid}/children")

    def init() -> int | None:
        assert shell.poll() is None, (folder / "log").read_text()
        for child in children.read_text().split():
            with contextlib.suppress(FileNotFoundError):
                if Path(f"/proc/{child}/exe").resolve().name == "systemd":
                    return int(child)
        return None

    wait_until(init)
    found = init()
    assert found is not None
    assert is_running(found)
    return found


def _install(machine: Machine) -> None:
    """Put the package under test into an environment of its own, as docs/service.md does."""
    machine.does(SYSTEM_PYTHON, "-m", "venv", "--without-pip", "/opt/lorsync")
    packages = Path(sysconfig.get_path("purelib"))
    there = machine.at("/opt/lorsync/lib") / SYSTEM_PYTHON.name / "site-packages"
    shutil.copytree(packages, there, dirs_exist_ok=True, symlinks=True, ignore=_not_installed)
    package = Path(lorsync.__file__).parent
    if not package.is_relative_to(packages):  # an editable install, whose files are in the checkout
        shutil.copytree(package, there / "lorsync", ignore=_not_installed)
    script = [
        "#!/opt/lorsync/bin/python",
        "import sys",
        "from lorsync.__main__ import main",
        "sys.exit(main())\n",
    ]
    machine.writes("/opt/lorsync/bin/lorsync", "\n".join(script), mode=0o755)
