"""The daemon's lock: one daemon for a state folder, whatever becomes of the folder meanwhile."""

import fcntl
import os
import resource
import shutil
import sys
from pathlib import Path

import pytest

from lorsync.adapters.state_dir import DaemonLock, daemon_pid, place_of, refuse_others
from lorsync.core.errors import StateError, TryAgainError


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


def test_a_lock_goes_with_its_folder_and_is_taken_again(state: Path) -> None:
    with DaemonLock(state) as lock:
        shutil.rmtree(state)
        assert daemon_pid(state) is None
        lock.renew()
        assert daemon_pid(state) == os.getpid()
        with pytest.raises(TryAgainError, match=f"process {os.getpid()}"), DaemonLock(state):
            pass
    assert daemon_pid(state) is None


def test_a_lock_that_another_took_meanwhile_is_given_up(state: Path) -> None:
    with DaemonLock(state) as lock:
        state.rename(state.with_name("aside"))
        state.mkdir()
        with DaemonLock(state), pytest.raises(TryAgainError, match="Another lorsync daemon"):
            lock.renew()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/locks is Linux'")
def test_on_a_full_disk_the_lock_says_whose_it_is_as_soon_as_it_can(state: Path) -> None:
    file = state / "daemon.lock"
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))
    try:
        lock = DaemonLock(state)
        lock.__enter__()
        assert file.read_bytes() == b""
        assert daemon_pid(state) == os.getpid()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    lock.renew()
    assert file.read_text() == f"{os.getpid()}\n"
    lock.__exit__()
    assert file.read_bytes() == b""


def test_whoever_looks_is_not_taken_for_a_daemon(state: Path) -> None:
    file = state / "daemon.lock"
    file.write_text("4711\n")  # of one that was killed
    with file.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert daemon_pid(state) is None


def test_what_another_user_owns_is_refused(state: Path) -> None:
    found = state.stat()
    refuse_others(state, found)
    with pytest.raises(StateError, match=r"another user.*--state-dir"):
        refuse_others(state, os.stat_result((*found[:4], os.geteuid() + 1, *found[5:])))


def test_s20_a_place_is_a_folder_on_a_machine_and_no_spelling_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, link = tmp_path / "state", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    assert place_of(folder) == place_of(link) == place_of(tmp_path / "." / "state")
    assert place_of(folder) != place_of(tmp_path)
    here = place_of(folder)
    machine = tmp_path / "machine-id"
    machine.write_text("0123456789abcdef\n")
    monkeypatch.setattr("lorsync.adapters.state_dir._MACHINE_IDS", (tmp_path / "none", machine))
    there = place_of(folder)
    assert there not in {here, "0123456789abcdef"}
    # A container has neither; its host's name serves.
    machine.write_bytes(b"\xff")
    assert place_of(folder) not in {here, there}
