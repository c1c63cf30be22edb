"""What ``doctor --probe`` finds out about a server, and that nothing of it stays behind."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.folder import open_folder
from lorsync.adapters.ledger.store import SqliteLedger
from lorsync.core.errors import BusyError
from lorsync.core.event.probe_event import probe_body, probe_uid
from lorsync.core.ports import ProbeCalendar
from lorsync.core.settings import CalendarSettings, Provider
from lorsync.doctor.findings import Finding, Verdict
from lorsync.doctor.probe import Stopping, probe
from lorsync.sync.write import honoured_by
from tests.emulators.dav import Account, Oddities
from tests.servers.starting import PASSWORD, USERNAME, Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
ALL_WELL = {
    "fetch-works", "parts-kept", "etag-told", "create-guarded", "update-guarded", "delete-guarded",
    "delete-works", "sync-works", "sync-stale-told",
}  # fmt: skip
"""What is found of a good server, beside how it stores a body."""

Meddling = Callable[[Request, Reply], Reply]


class Meddled:
    """An emulated server that is good, but for what a test meddles with."""

    def __init__(self, hostile: Hostile) -> None:
        self.url = hostile.url
        self.account = Account(
            principal="/maya/", home="/maya/", home_url="/maya/", oddities=Oddities()
        )
        self.dropped: Callable[[Request], set[str]] = lambda _: set()
        self.answer: Meddling = lambda _, reply: reply
        self.before: Callable[[Request], object] = lambda _: None
        self.serve = self.account.answer
        hostile.answer = self._relay

    def _relay(self, request: Request) -> Reply:
        self.before(request)
        dropped = self.dropped(request)
        headers = {k: v for k, v in request.headers.items() if k not in dropped}
        return self.answer(request, self.serve(replace(request, headers=headers)))


@pytest.fixture
def meddled(hostile: Hostile) -> Meddled:
    return Meddled(hostile)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(tmp_path / "state")
    yield opened
    opened.close()


Opening = Callable[..., CalDavCalendar]


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Opening]:
    calendars: list[CalDavCalendar] = []

    def open_it(
        server: Server | Meddled, provider: Provider = Provider.CALDAV, secret: str = PASSWORD
    ) -> CalDavCalendar:
        account = CalendarSettings(
            provider=Provider.CALDAV, url=server.url, username=USERNAME, name=request.node.name
        )
        calendar = open_collection(account, secret, remembered=None)
        calendars.append(calendar)
        if provider is not Provider.CALDAV:
            account = replace(account, provider=provider)
            calendar = open_collection(account, secret, remembered=calendar.address)
            calendars.append(calendar)
        return calendar

    yield open_it
    for calendar in calendars:
        calendar.close()


def probed(bench: ProbeCalendar, ledger: SqliteLedger) -> list[Finding]:
    """Probe, and hold that nothing is left, in the calendar and in the ledger."""
    with Stopping() as stopping:
        found = probe(bench, ledger, now=NOW, stopping=stopping)
    assert left_in(bench) == []
    assert ledger.memos().get("probe_scratch") is None
    return found


def left_in(bench: ProbeCalendar) -> list[str]:
    return [href for href in bench.listing(None).entries if "lorsync-probe" in href]


def codes(found: list[Finding]) -> set[str]:
    listed = [each.code for each in found]
    assert len(listed) == len(set(listed)), listed
    return set(listed)


@pytest.mark.parametrize("kind", ["radicale", "xandikos"])
def test_good_server_has_no_problem(
    kind: str, request: pytest.FixtureRequest, opened: Opening, ledger: SqliteLedger
) -> None:
    server: Server = request.getfixturevalue(f"{kind}_server")
    stores = {"radicale": "body-rewritten", "xandikos": "body-kept"}[kind]
    bench = opened(server)
    assert codes(probed(bench, ledger)) == ALL_WELL | {stores}
    kept = honoured_by(opened(server), ledger)
    assert (kept.creation, kept.deletion) == (True, True)


def test_folder_has_no_problem(tmp_path: Path, ledger: SqliteLedger) -> None:
    folder = CalendarSettings(provider=Provider.FOLDER, path=str(tmp_path / "events"))
    bench = open_folder(folder, remembered=None)
    found = codes(probed(bench, ledger))
    assert found == ALL_WELL - {"sync-works", "sync-stale-told"} | {"sync-absent", "body-kept"}
    assert list((tmp_path / "events").glob("*.ics")) == []


def without(*headers: str, of: str) -> Callable[[Request], set[str]]:
    return lambda request: set(headers) if request.method == of else set()


def test_s22_ignored_guards_are_remembered_for_the_passes(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    meddled.dropped = lambda request: (
        {"if-none-match"} | ({"if-match"} if request.method == "DELETE" else set())
    )
    found = codes(probed(opened(meddled), ledger))
    assert {"create-unguarded", "delete-unguarded", "update-guarded"} <= found
    kept = honoured_by(opened(meddled), ledger)
    assert (kept.creation, kept.deletion) == (False, False)


def test_s22_deletions_that_ignore_their_guard_are_remembered(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    meddled.dropped = without("if-match", of="DELETE")
    found = codes(probed(opened(meddled), ledger))
    assert {"create-guarded", "delete-unguarded", "delete-works"} <= found
    assert not honoured_by(opened(meddled), ledger).deletion


def test_what_is_known_of_a_provider_is_not_remembered_against_it(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    meddled.dropped = without("if-none-match", of="PUT")
    bench = opened(meddled, Provider.GOOGLE)
    found = codes(probed(bench, ledger))
    assert {"create-unguarded", "delete-guarded"} <= found
    kept = honoured_by(bench, ledger)
    assert (kept.creation, kept.deletion) == (False, True)


def test_updates_that_ignore_their_guard_are_a_problem(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    meddled.dropped = without("if-match", of="PUT")
    found = probed(opened(meddled), ledger)
    assert [each.code for each in found if each.verdict is Verdict.PROBLEM] == ["update-unguarded"]


def header(name: str, value: str | None) -> Meddling:
    def meddle(request: Request, reply: Reply) -> Reply:
        headers = {k: v for k, v in reply.headers.items() if k.lower() != name}
        if request.method == "PUT" and value is not None and reply.status < 300:
            headers[name] = value
        return replace(reply, headers=headers)

    return meddle


def text(pattern: str, new: str, *, method: str = "REPORT") -> Meddling:
    def meddle(request: Request, reply: Reply) -> Reply:
        if request.method != method:
            return reply
        body = re.sub(pattern.encode(), new.encode(), reply.body, flags=re.DOTALL)
        return replace(reply, body=body)

    return meddle


def stale_token_is_answered(request: Request, reply: Reply) -> Reply:
    if b"no-such-state" not in request.body:
        return reply
    return multistatus("<d:sync-token>urn:x</d:sync-token>")


def changes_leave_out_deletions(request: Request, reply: Reply) -> Reply:
    gone = rb"<d:response>(?:(?!</d:response>).)* 404 (?:(?!</d:response>).)*</d:response>"
    return replace(reply, body=re.sub(gone, b"", reply.body, flags=re.DOTALL))


def multistatus(inside: str) -> Reply:
    body = f'<d:multistatus xmlns:d="DAV:">{inside}</d:multistatus>'.encode()
    return Reply(body=body, headers={"Content-Type": "application/xml; charset=utf-8"})


@pytest.mark.parametrize(
    ("meddling", "expected"),
    [
        (header("etag", None), "etag-untold"),
        (header("etag", 'W/"1"'), "etag-untold"),
        (text(r"(<[^>]*getetag>)[^<]*", r"\1W/&quot;1&quot;"), "etag-missing"),
        (text("(<[^>]*getetag>)[^<]*", r"\1&quot;same&quot;"), "update-refused"),
        (text("(COLOR|CATEGORIES|X-LORSYNC-PROBE|LOCATION):[^\r\n]*\r?\n", ""), "parts-dropped"),
        (text("BEGIN:VALARM.*END:VALARM\r?\n", ""), "parts-dropped"),
        (text("SUMMARY:[^\r\n]*", "SUMMARY:?"), "parts-lost"),
        (text("薦", "?"), "parts-lost"),
        (stale_token_is_answered, "sync-stale-untold"),
        (changes_leave_out_deletions, "sync-misses"),
    ],
)
def test_what_a_server_does_is_named(
    meddling: Meddling,
    expected: str,
    meddled: Meddled,
    opened: Opening,
    ledger: SqliteLedger,
) -> None:
    bench = opened(meddled)
    meddled.answer = meddling
    assert expected in codes(probed(bench, ledger))


def test_version_that_never_changes_is_a_problem(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    meddled.dropped = lambda _: {"if-match"}
    meddled.answer = text("(<[^>/]*getetag>)[^<]*", r"\1&quot;same&quot;")
    found = probed(bench, ledger)
    assert [each.code for each in found if each.verdict is Verdict.PROBLEM] == ["etag-stuck"]


def test_server_that_hides_what_was_written_has_a_problem(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    meddled.answer = lambda request, reply: (
        multistatus("") if b"calendar-multiget" in request.body else reply
    )
    assert codes(probed(bench, ledger)) == {"fetch-fails"}


def test_deletion_that_is_refused_is_a_problem(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench, original = opened(meddled), meddled.serve
    meddled.serve = lambda request: (
        Reply(status=403)
        if request.method == "DELETE" and "if-match" in request.headers
        else original(request)
    )
    assert {"delete-fails"} <= codes(probed(bench, ledger))


def test_server_without_reports_of_changes(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    meddled.answer = lambda request, reply: (
        Reply(status=501) if b"sync-collection" in request.body else reply
    )
    found = codes(probed(bench, ledger))
    assert "sync-absent" in found
    assert found & {"sync-works", "sync-misses", "sync-stale-told", "sync-stale-untold"} == set()


def test_refused_write_is_said_and_leaves_nothing(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    original = meddled.serve
    meddled.serve = lambda request: (
        Reply(status=403) if request.method == "PUT" else original(request)
    )
    assert codes(probed(bench, ledger)) == {"probe-broke-off"}


def test_event_that_cannot_be_taken_away_is_found_by_the_next_probe(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    original = meddled.serve
    meddled.serve = lambda request: (
        Reply(status=500) if request.method == "DELETE" else original(request)
    )
    with Stopping() as stopping:
        found = probe(bench, ledger, now=NOW, stopping=stopping)
    assert "probe-remains" in codes(found)
    assert len(left_in(bench)) == 1
    meddled.serve = original
    assert ALL_WELL | {"probe-left-over"} <= codes(probed(bench, ledger))


def test_busy_server_ends_the_probe_and_what_it_wrote_is_gone(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    puts: list[Request] = []

    def meddle(request: Request, reply: Reply) -> Reply:
        if request.method == "PUT":
            puts.append(request)
        return Reply(status=503) if len(puts) == 2 and request.method == "PUT" else reply

    meddled.answer = meddle
    with Stopping() as stopping, pytest.raises(BusyError):
        probe(bench, ledger, now=NOW, stopping=stopping)
    assert left_in(bench) == []
    assert ledger.memos().get("probe_scratch") is None


def test_ctrl_c_at_any_request_leaves_nothing(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    count, at, stopped = 0, 1, 0

    def interrupt(_: Request) -> None:
        nonlocal count
        count += 1
        if count in {at, at + 1}:  # and once more, as the impatient do
            os.kill(os.getpid(), signal.SIGINT)

    while count >= at - 1:
        count, meddled.before = 0, interrupt
        try:
            with Stopping() as stopping:
                probe(bench, ledger, now=NOW, stopping=stopping)
        except KeyboardInterrupt:
            stopped += 1
        meddled.before = lambda _: None
        assert left_in(bench) == [], f"at request {at}"
        assert ledger.memos().get("probe_scratch") is None
        at += 1
    assert stopped > 10
    assert stopped == at - 2


def test_only_abandoned_scratches_of_others_are_removed(
    meddled: Meddled, opened: Opening, ledger: SqliteLedger
) -> None:
    bench = opened(meddled)
    ages = (timedelta(minutes=1), timedelta(hours=2))
    young, old = (probe_uid(NOW - age, "ab12") for age in ages)
    for uid in (young, old):
        bench.create(bench.href_for(uid), probe_body(uid, NOW, version=0))
    with Stopping() as stopping:
        found = probe(bench, ledger, now=NOW, stopping=stopping)
    assert [each.found for each in found if each.code == "probe-left-over"] == [
        f"{old}.ics was taken away."
    ]
    assert left_in(bench) == [bench.href_for(young)]
