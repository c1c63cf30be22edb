"""Know beforehand what a pass would do: what the last one did, where nothing else has happened.

A pass follows from the config, the applicant's day, the ledger and the calendar. Where one changed
nothing at all, and the first three are as they were, only the calendar has to be asked, and one
sync-report does that (S5). This is what has to be the same, kept in the ledger, where every other
write forgets it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from lorsync import __version__
from lorsync.adapters.ledger import STILL
from lorsync.config.zone import machine_zone
from lorsync.core.model import PlanWarning, Reason, Uid
from lorsync.listings import listed_until, stored_token
from lorsync.ports import Ledger, SyncToken
from lorsync.report import Change, Summary
from lorsync.settings import Settings

_CHANGES = ("kept", "missing", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stillness:
    """The terms under which a pass does nothing, and what it then says.

    ``token`` is that of the collection, ``text`` how this is kept.
    """

    token: SyncToken
    summary: Summary
    text: str


def dumped(summary: Summary, settings: Settings, ledger: Ledger, now: datetime) -> str | None:
    """Write down the terms of a pass that did nothing and can be repeated; None for any other."""
    listed = listed_until(ledger)
    if not summary.repeatable or listed is None or not settings.digest:
        return None
    zone = settings.season.applicant.timezone
    tomorrow = datetime.combine(now.astimezone(zone) + timedelta(days=1), time(), zone)
    return json.dumps(
        {
            "version": __version__,
            "config": settings.digest,
            "machine": str(machine_zone()),
            "since": now.isoformat(),
            "until": min(tomorrow.astimezone(now.tzinfo), listed).isoformat(),
            "warnings": [asdict(warning) for warning in summary.warnings],
            **{name: [asdict(one) for one in getattr(summary, name)] for name in _CHANGES},
        },
        default=date.isoformat,
    )


def recalled(ledger: Ledger, digest: str, now: datetime) -> Stillness | None:
    """Return the last pass's terms where they hold for a config (its digest) and an instant."""
    text, token = ledger.memo(STILL), stored_token(ledger)
    if text is None or token is None:
        return None
    kept = json.loads(text)
    begins, ends = (datetime.fromisoformat(kept[name]) for name in ("since", "until"))
    same = (kept["version"], kept["config"]) == (__version__, digest)
    # What day it is may hang on the machine's zone, which travels with its owner.
    if not same or kept["machine"] != str(machine_zone()) or not begins <= now < ends:
        return None
    changes: dict[str, Any] = {name: tuple(map(_change, kept[name])) for name in _CHANGES}
    summary = Summary(
        **changes,
        requests=1,
        warnings=tuple(map(_warning, kept["warnings"])),
        repeatable=True,
    )
    return Stillness(token=token, summary=summary, text=text)


def _change(kept: Mapping[str, Any]) -> Change:
    return Change(
        uid=Uid(kept["uid"]),
        kind=kept["kind"],
        mentor=kept["mentor"],
        day=date.fromisoformat(kept["day"]),
        summary=kept["summary"],
        changed=tuple(kept["changed"]),
    )


def _warning(kept: Mapping[str, Any]) -> PlanWarning:
    return PlanWarning(
        code=kept["code"],
        subject=kept["subject"],
        message=kept["message"],
        reasons=tuple(
            Reason(
                rule=reason["rule"],
                text=reason["text"],
                ideal=None if reason["ideal"] is None else date.fromisoformat(reason["ideal"]),
            )
            for reason in kept["reasons"]
        ),
    )
