"""A person's own systemd: the unit with the paths as they are, and what systemctl makes of it."""

import os
import pwd
import re
import shutil
from importlib import resources
from pathlib import Path

from platformdirs import user_config_path

from lorsync.adapters.service.files import stamp
from lorsync.adapters.service.launch import Launch, ServiceState, ask, order
from lorsync.core.errors import UnavailableError, UsageError

UNIT = "lorsync.service"

_CTL = ("systemctl", "--user")
_PLAIN = re.compile(r"[A-Za-z0-9/._+@:,=%$-]+")
_NOTIFY_RELOAD_SINCE = 253
_HIDDEN = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 -- by PrivateTmp=; nothing is put there
_HEAD_ENDS = "\n[Unit]\n"
_HEAD = (
    "# The daemon for one person, run by that person's own systemd. To change something, leave\n"
    "# this file to lorsync and run: systemctl --user edit lorsync\n"
)
_LOG = "Its log: journalctl --user -u lorsync"
_INSTEAD = (
    "Keep the calendar in step without it: let cron run “lorsync sync” every quarter of an hour, "
    "or leave “lorsync run” in a terminal. On a server: docs/service.md"
)


class Systemd:
    """The user manager of systemd, reached by ``systemctl --user``."""

    name = "systemd"

    def __init__(self) -> None:
        self.path = user_config_path("systemd") / "user" / UNIT

    def missing(self) -> str | None:
        """Tell where there is no systemctl, or no user manager that answers it."""
        if shutil.which(_CTL[0]) is None:
            return f"There is no systemd on this machine. {_INSTEAD}"
        answer = ask((*_CTL, "show-environment"))
        if answer is None or answer.returncode:
            return f"No systemd runs for you here. {_INSTEAD}"
        return None

    def check(self, launch: Launch) -> list[str]:
        """Raise UnavailableError where no user manager answers; tell of paths that do not last."""
        missing = self.missing()
        if missing is not None:
            raise UnavailableError(f"Nothing was written. {missing}")
        return [
            f"{path} is in a folder for temporary files, which is emptied at times: better move it."
            for path in _temporary(launch)
        ]

    def text(self, launch: Launch) -> str:
        """Return the packaged unit with these paths in it, as this systemd understands it."""
        packaged = resources.files("lorsync") / "units" / UNIT
        text = packaged.read_text("utf-8")
        text = _HEAD + text[text.index(_HEAD_ENDS) :]
        state = _word(str(launch.state))
        # A folder that is not there yet is no reason not to start.
        others = "".join(f" {_word(f'-{path}')}" for path in launch.writes)
        text = _with(text, "ExecStart", " ".join(_argument(word) for word in launch.command))
        text = _with(text, "ExecStartPre", f"+/bin/mkdir -p -m 0700 {_argument(str(launch.state))}")
        text = _with(text, "ReadWritePaths", state + others)
        if _temporary(launch):
            # It would have a /tmp of its own, without these.
            text = _with(text, "PrivateTmp", "no")
        if _version() >= _NOTIFY_RELOAD_SINCE:
            text = _with(text, "Type", "notify-reload")
            text = re.sub(r"(?m)^# HUP reads.*\nExecReload=.*\n", "", text)
        return f"{text}\n# {stamp(text + chr(10))}\n"

    def start(self, *, changed: bool) -> list[str]:
        """Enable and start the unit; where it runs already, restart it."""
        ran = [order((*_CTL, "daemon-reload"))] if changed else []
        was_active = self.state().active
        try:
            ran.append(order((*_CTL, "enable", "--now", UNIT)))
            if was_active:
                ran.append(order((*_CTL, "restart", UNIT)))
        except UnavailableError as error:
            msg = f"{error} {_LOG}"
            raise UnavailableError(msg) from None
        return ran

    def stop(self) -> list[str]:
        """Stop and disable the unit."""
        return [order((*_CTL, "disable", "--now", UNIT))]

    def forget(self) -> list[str]:
        """Have systemd read what units there are, and forget that this one may have failed."""
        ran = [order((*_CTL, "daemon-reload"))]
        ask((*_CTL, "reset-failed", UNIT))
        return ran

    def state(self) -> ServiceState:
        """Ask systemd; where none answers, nothing of it is active."""
        wanted = "LoadState,ActiveState,SubState,MainPID,UnitFileState,Result"
        done = ask((*_CTL, "show", UNIT, f"--property={wanted}"))
        lines = done.stdout.splitlines() if done is not None and not done.returncode else []
        told = {key: value for key, _, value in (line.partition("=") for line in lines)}
        active, sub = told.get("ActiveState", "unknown"), told.get("SubState", "")
        result = told.get("Result", "success")
        pid = told.get("MainPID", "0")
        return ServiceState(
            enabled=told.get("UnitFileState") == "enabled",
            active=active in {"active", "reloading"},
            failed=active == "failed" or result not in {"", "success"},
            pid=int(pid) if pid.isdigit() and pid != "0" else None,
            says=f"{active} ({sub})" if sub else active,
            outlives_login=_lingers(),
        )

    def advice(self, state: ServiceState) -> list[str]:
        """Tell of lingering where it is off, and where the log is."""
        told = [_LOG]
        if state.outlives_login is False:
            who = pwd.getpwuid(os.getuid()).pw_name
            told.append(
                "It runs while you are logged in. To have it run always: loginctl enable-linger "
                f"(where that is refused, root types: loginctl enable-linger {who})"
            )
        return told


def _temporary(launch: Launch) -> list[Path]:
    """Return what of a launch PrivateTmp= would hide from it."""
    paths = (Path(launch.program[0]), launch.config, launch.state, *launch.writes)
    return [path for path in paths if any(path.is_relative_to(hidden) for hidden in _HIDDEN)]


def _lingers() -> bool | None:
    """Tell whether the user manager stays when its person logs out (loginctl(1))."""
    done = ask(("loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value"))
    if done is None or done.returncode:
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def _version() -> int:
    """Return systemd's version; 0 where it does not say."""
    done = ask((_CTL[0], "--version"))
    found = re.match(r"systemd (\d+)", done.stdout) if done is not None else None
    return int(found[1]) if found else 0


def _with(text: str, key: str, value: str) -> str:
    """Give a key of the packaged unit another value."""
    changed, count = re.subn(rf"(?m)^{key}=.*$", lambda _: f"{key}={value}", text)
    if count != 1:
        msg = f"the packaged unit has {count} lines of {key}="
        raise AssertionError(msg)
    return changed


def _argument(word: str) -> str:
    """Quote one argument of a command line (systemd.service(5), COMMAND LINES)."""
    return _word(word.replace("$", "$$"))


def _word(word: str) -> str:
    """Quote one word of a setting (systemd.syntax(7)); specifiers are meant nowhere."""
    if not word.isprintable():
        msg = f"{word!r} cannot stand in a systemd unit."
        raise UsageError(msg)
    word = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
