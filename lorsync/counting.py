"""Count the requests to an account in the ledger, so that no restart makes them more."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from lorsync.accounts import account_key
from lorsync.allowance import Allowance
from lorsync.ports import Ledger
from lorsync.providers import traits
from lorsync.settings import CalendarSettings

_SENT = "requests_sent"


@contextmanager
def counted(account: CalendarSettings, ledger: Ledger, now: datetime) -> Iterator[Allowance]:
    """Give what may still be sent to an account, and remember what was.

    ``now``, aware, is when the pass begins; its time is counted from there.
    """
    known = traits(account)
    if known.budget is None:
        yield Allowance(None)
        return
    name, kept = account_key(account), json.loads(ledger.memo(_SENT) or "{}")
    began = time.monotonic()

    def clock() -> float:
        return now.timestamp() + time.monotonic() - began

    allowance = Allowance(known.budget, clock=clock, kept=kept.get(name, "{}"))
    # Whoever is killed meanwhile has said beforehand that all are used up.
    ledger.remember({_SENT: json.dumps({name: allowance.dumped_as_spent()})})
    try:
        yield allowance
    finally:
        ledger.remember({_SENT: json.dumps({name: allowance.dumped()})})
