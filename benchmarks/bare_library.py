"""What a script does that has nothing but the caldav library: ``comparison`` runs it whole.

It is the shortest sensible use: one ``add_event`` after the other, and a sync-token kept in a file.
"""

import argparse
from pathlib import Path

from caldav.davclient import DAVClient


def main() -> None:
    """Write every .ics file of a folder that is not written yet, or ask what has changed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_library")
    parser.add_argument("url", help="the collection")
    parser.add_argument("username")
    parser.add_argument("password")
    parser.add_argument("folder", type=Path, help="one event a file")
    parser.add_argument("token", type=Path, help="where the sync-token is kept")
    asked = parser.parse_args()
    with DAVClient(
        url=asked.url,
        username=asked.username,
        password=asked.password,
        auth_type="basic",
        enable_rfc6764=False,
    ) as client:
        calendar = client.calendar(url=asked.url)
        if not asked.token.exists():
            for file in sorted(asked.folder.glob("*.ics")):
                calendar.add_event(file.read_text(encoding="utf-8"))
            token = None
        else:
            token = asked.token.read_text()
        changes = calendar.get_objects_by_sync_token(token, load_objects=False)
        asked.token.write_text(changes.sync_token)


if __name__ == "__main__":
    main()
