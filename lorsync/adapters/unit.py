"""Know by which name a service manager keeps lorsync: the unit of this process, and of a folder."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

LABEL = "lorsync"
"""What launchd knows the daemon as."""

_CGROUP = Path("/proc/self/cgroup")
_UNIT = re.compile(r"(?m)^(?:0:|\d+:name=systemd):/system\.slice/(?:.*/)?([^/\n]+)\.service$")
_STATE_OF = re.compile(r"/var/lib/(?:private/)?lorsync/([^/]+)")


def unit_over(state: Path) -> str | None:
    """Return the system service that a state folder is of, by ``StateDirectory=lorsync/%i``."""
    found = _STATE_OF.fullmatch(str(state))
    return None if found is None else f"lorsync@{found[1]}"


def system_unit(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the name of the system service that this process is, such as ``lorsync@maya``.

    None for a person's own service, for what a service has started, and outside of systemd.
    """
    # systemd.exec(5): set to the process that it started, and inherited from there.
    if environ.get("SYSTEMD_EXEC_PID") != str(os.getpid()):
        return None
    try:
        found = _UNIT.search(_CGROUP.read_text())
    except OSError:
        return None
    return None if found is None else found[1]
