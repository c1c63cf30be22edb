"""The process of the local calendar's server: Radicale on 127.0.0.1, until its last user ended."""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from lorsync.adapters.local_files import (
    HOST,
    POLL_SECONDS,
    PORT_TAKEN,
    SERVED_ALREADY,
    USERNAME,
    LocalFiles,
    LocalSettings,
    accepts,
    kept_settings,
    try_lock,
    write_new,
)


def main(folder: Path) -> int:
    """Serve a state folder until its last user has ended."""
    # The server ends with its users and not before, whatever a terminal or service manager sends
    # to all processes at once: a pass that is being stopped finishes the request in flight.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    files = LocalFiles(folder=folder)
    lock = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not try_lock(lock, fcntl.LOCK_EX):
        return SERVED_ALREADY
    os.ftruncate(lock, 0)
    settings, _ = kept_settings(files)
    if not _port_is_free(settings.port):
        return PORT_TAKEN

    import radicale.config
    import radicale.log
    import radicale.server

    radicale.log.setup()
    radicale.log.set_level("warning", False, "")
    configuration = radicale.config.load()
    configuration.update(_configuration(files, settings), "lorsync", privileged=True)
    stop, stopped = socket.socketpair()
    threading.Thread(target=_announce, args=(settings.port, lock), daemon=True).start()
    threading.Thread(target=_leave_with_users, args=(files, stop), daemon=True).start()
    radicale.server.serve(configuration, stopped)
    return 0


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def _configuration(files: LocalFiles, settings: LocalSettings) -> dict[str, dict[str, str]]:
    from passlib.hash import sha512_crypt  # type: ignore[import-untyped]  # publishes no types

    # Radicale checks the password at every request. The usual rounds cost 0.4 s each time, and
    # slow down nobody who would have to guess 256 random bits.
    digest = sha512_crypt.using(rounds=1000).hash(settings.password)
    files.passwords.unlink(missing_ok=True)
    write_new(files.passwords, f"{USERNAME}:{digest}\n")
    return {
        "server": {"hosts": f"{HOST}:{settings.port}"},
        "auth": {
            "type": "htpasswd",
            "htpasswd_filename": str(files.passwords),
            "htpasswd_encryption": "sha512",
        },
        "rights": {"type": "owner_only"},
        "storage": {"filesystem_folder": str(files.storage)},
        "web": {"type": "none"},
        "logging": {"level": "warning"},
    }


def _announce(port: int, lock: int) -> None:
    """Say that the server answers: to the starter on stdout, to others in the lock file."""
    while not accepts(port):
        time.sleep(POLL_SECONDS)
    os.write(lock, f"{os.getpid()}\n".encode())
    with contextlib.suppress(BrokenPipeError):
        os.write(1, b"ready\n")


def _leave_with_users(files: LocalFiles, stop: socket.socket) -> None:
    """Wait, without waking, until nobody uses the server; then end it."""
    users = os.open(files.users, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(users, fcntl.LOCK_EX)
    stop.close()
    # Whoever had asked for something is gone; half a second is for a write to reach the disk.
    time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
