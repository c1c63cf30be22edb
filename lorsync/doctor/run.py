"""Go through all checks in their order, each after another failed, too, where it makes sense."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lorsync.adapters.connect import opened_bench
from lorsync.adapters.ledger.store import open_ledger
from lorsync.adapters.state_dir import TURN_SECONDS, make_state_dir, pass_lock
from lorsync.core.errors import BusyError, ConfigError, LorsyncError, TryAgainError
from lorsync.core.providers import Backend, traits
from lorsync.core.settings import Settings
from lorsync.doctor import account, machine
from lorsync.doctor.findings import Check, Finding, Verdict, finding
from lorsync.doctor.probe import Stopping, probe
from lorsync.sync.account import collection_of, former_account, has_moved
from lorsync.sync.move_account import holds_copies
from lorsync.sync.plan import unknown_regions
from lorsync.sync.report import Record
from lorsync.sync.runner import remember_busy
from lorsync.sync.same_collection import address_now


def examine(
    config: Path,
    state: Path,
    *,
    load: Callable[[Path], Settings],
    now: datetime,
    with_probe: bool,
) -> list[Finding]:
    """Look over everything, and return what was found; ``now`` is aware.

    With ``with_probe`` the calendar is tried out with an event that is taken away again; Ctrl-C is
    then a KeyboardInterrupt once that is gone. Nothing is raised for what is found.
    """
    settings, found = _read(config, load)
    examined = _Examination(state=state, now=now, found=found)
    examined.look_at_machine(settings)
    if settings is not None:
        examined.look_at_account(settings, with_probe=with_probe)
    return examined.found


def _read(config: Path, load: Callable[[Path], Settings]) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = load(config)
    except ConfigError as error:
        return None, [finding("config-broken", str(error))]
    unknown = unknown_regions(settings)
    if unknown:
        lines = [f"{key}: no holidays are known for {region!r}." for key, region in unknown]
        return settings, [finding("config-holidays", " ".join(lines))]
    return settings, [finding("config-fine", f"{config}")]


@dataclass(kw_only=True)
class _Examination:
    """What is known so far of one config and state folder."""

    state: Path
    now: datetime
    found: list[Finding] = field(default_factory=list)
    record: Record | None = None

    def look_at_machine(self, settings: Settings | None) -> None:
        """Look at what needs no config, and no server."""
        self.found += machine.look_at_zone(settings, self.now)
        self.found += machine.look_at_state(self.state)
        self.record, remembered = machine.look_at_ledger(self.state)
        self.found += remembered
        if self.record is not None:
            self.found += machine.look_at_daemon(self.state, self.record, self.now)

    def look_at_account(self, settings: Settings, *, with_probe: bool) -> None:
        """Look at the login and what it leads to, down to the calendar."""
        can_sign_in, found = account.look_at_secret(settings.calendar)
        self.found += found
        address: str | None = None
        if can_sign_in and not self._is_resting(settings):
            try:
                remembered, moved = self._look_at_place(settings)
                self.found += moved
                if not moved:
                    address = self._look_at_calendar(settings, remembered)
                if with_probe and address is not None:
                    self.found += self._probed(settings, address)
            except BusyError as error:
                self.found.append(self._resting(settings, error))
            except LorsyncError as error:
                self.found.append(account.unreachable(error))
        if with_probe and not any(each.check is Check.PROBE for each in self.found):
            self.found.append(finding("probe-skipped", "There is no calendar to try."))

    def _resting(self, settings: Settings, error: BusyError) -> Finding:
        """Remember what the server asked for, where that can be, so that passes keep to it, too."""
        if self.record is None:
            return finding("account-resting", str(error))
        late = remember_busy(settings, self.state, error, self.now)
        return finding("account-resting", str(late))

    def _is_resting(self, settings: Settings) -> bool:
        """Tell whether the account is to be left alone now."""
        rest = None if self.record is None else self.record.put_off
        barred = account.resting(settings, rest, self.now)
        self.found += barred
        return bool(barred)

    def _look_at_place(self, settings: Settings) -> tuple[str | None, list[Finding]]:
        """Return where the events are, None before the first pass; or that they are elsewhere."""
        if self.record is None or self.record.calendar is None:
            return None, []
        with open_ledger(self.state) as ledger:
            if not has_moved(ledger, settings.calendar):
                return self.record.calendar, []
            former = former_account(ledger, settings.calendar)
            copies = holds_copies(settings.calendar, ledger)
            address = None if copies else address_now(settings.calendar, self.state, ledger)
        if address is not None:
            return address, []
        where = former.url or former.path or former.provider
        return None, [finding("account-moved", f"{where}.")]

    def _look_at_calendar(self, settings: Settings, remembered: str | None) -> str | None:
        """Return the address of the calendar that may be tried, or None."""
        if traits(settings.calendar).backend is Backend.FOLDER:
            address, found = account.look_at_folder(settings.calendar, remembered)
            self.found += found
            return address
        survey, found = account.look_at_account(settings.calendar, self.state)
        self.found += found
        if survey is None:
            return None
        self.found += account.look_at_clock(survey, settings, self.now)
        chosen, found = account.look_at_calendar(survey, settings.calendar, remembered)
        self.found += found
        return None if chosen is None else chosen.address

    def _probed(self, settings: Settings, address: str) -> list[Finding]:
        """Try the calendar out, in turn with the passes of this machine."""
        if any(each.code in {"state-unwritable", "state-full"} for each in self.found):
            return [finding("probe-skipped", "It is announced in the state folder first.")]
        make_state_dir(self.state)
        try:
            with pass_lock(self.state, wait_seconds=TURN_SECONDS):
                return self._tried(settings, address)
        except BusyError:
            raise
        except TryAgainError as error:
            return [finding("probe-skipped", str(error))]

    def _tried(self, settings: Settings, address: str) -> list[Finding]:
        with open_ledger(self.state) as ledger:
            # Another pass may have come to the calendar's address meanwhile.
            moved = has_moved(ledger, settings.calendar)
            known = address if moved else collection_of(ledger) or address
            with (
                Stopping() as stopping,
                opened_bench(settings.calendar, self.state, address=known) as bench,
            ):
                return probe(bench, ledger, now=self.now, stopping=stopping)


def has_problems(found: list[Finding]) -> bool:
    """Tell whether something is wrong."""
    return any(each.verdict is Verdict.PROBLEM for each in found)
