"""What single servers do differently, and what must never be believed."""

from collections.abc import Iterator

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.selection import open_collection
from lorsync.adapters.caldav.session import Limits
from lorsync.adapters.caldav.transport import Transport
from lorsync.core.errors import CollectionGoneError, CredentialsError, UnavailableError
from lorsync.core.ports import (
    ETag,
    Href,
    PreconditionFailedError,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)
from lorsync.core.settings import CalendarSettings, Provider
from tests.contract.test_calendar_contract import event
from tests.servers.starting import Server
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

CAL = "/dav/m%40x/cal/"
PATH = "/dav/m@x/cal/"
XML = {"Content-Type": "application/xml; charset=utf-8"}
ETAG = ETag('"1"')


@pytest.fixture
def calendar(hostile: Hostile) -> Iterator[CalDavCalendar]:
    transport = Transport(hostile.url, username="maya", password="secret", limits=Limits(read=60.0))
    opened = CalDavCalendar(transport, hostile.url.rstrip("/") + CAL, batch=4)
    yield opened
    opened.close()


def found(href: str, props: str) -> str:
    return (
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def bare(href: str, status: int) -> str:
    return (
        f"<d:response><d:href>{href}</d:href><d:status>HTTP/1.1 {status} x</d:status></d:response>"
    )


def etag(value: str) -> str:
    return f"<d:getetag>{value}</d:getetag>"


def multistatus(*responses: str, token: str | None = None) -> Reply:
    last = f"<d:sync-token>{token}</d:sync-token>" if token else ""
    body = (
        '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        f"{''.join(responses)}{last}</d:multistatus>"
    )
    return Reply(body=body.encode(), headers=XML)


def conditions(status: int, *names: str) -> Reply:
    inside = "".join(f"<{name}/>" for name in names)
    body = (
        '<d:error xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
        f' xmlns:s="http://sabredav.org/ns">{inside}</d:error>'
    )
    return Reply(status=status, body=body.encode(), headers=XML)


COLLECTION = found(CAL, "<d:resourcetype><d:collection/></d:resourcetype>" + etag('"collection"'))


# Listings


def test_a_report_that_is_cut_off_goes_on_with_the_new_token(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    pages = iter(
        [
            multistatus(found(CAL + "a.ics", etag('"1"')), bare(CAL, 507), token="one"),
            multistatus(found(CAL + "b.ics", etag('"2"')), bare(CAL, 507), token="two"),
            multistatus(bare(CAL + "a.ics", 404), token="three"),
        ]
    )
    hostile.answer = lambda _: next(pages)
    listing = calendar.listing(SyncToken("zero"))
    assert dict(listing.entries) == {PATH + "b.ics": '"2"'}
    assert listing.removed == {PATH + "a.ics"}
    assert (listing.complete, listing.token) == (False, "three")
    sent = [request.body.decode() for request in hostile.requests]
    assert [token in body for token, body in zip(["zero", "one", "two"], sent, strict=True)] == [
        True,
        True,
        True,
    ]
    assert calendar.requests == 3


def test_a_report_that_never_ends_is_left(hostile: Hostile, calendar: CalDavCalendar) -> None:
    hostile.always(multistatus(bare(CAL, 507), token="same"))
    with pytest.raises(UnavailableError, match="does not come to an end"):
        calendar.listing(None)
    assert calendar.requests == 2


@pytest.mark.parametrize(
    "refusal",
    [
        conditions(403, "d:valid-sync-token"),
        conditions(409, "d:valid-sync-token"),
        conditions(412, "d:valid-sync-token"),
        Reply(status=400),
        Reply(status=410),
    ],
)
def test_an_unknown_token_costs_one_request_more(
    hostile: Hostile, calendar: CalDavCalendar, refusal: Reply
) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "PROPFIND":
            return multistatus(COLLECTION)
        if b"old" in request.body:
            return refusal
        return multistatus(found(CAL + "a.ics", etag('"1"')), token="new")

    hostile.answer = answer
    listing = calendar.listing(SyncToken("old"))
    assert listing.complete
    assert set(listing.entries) == {PATH + "a.ics"}
    assert calendar.requests == (2 if refusal.status != 410 else 3)


@pytest.mark.parametrize("status", [400, 403, 405, 415, 501])
def test_without_the_report_etags_are_listed_and_that_is_remembered(
    hostile: Hostile, calendar: CalDavCalendar, status: int
) -> None:
    def answer(request: Request) -> Reply:
        if request.method == "REPORT":
            return Reply(status=status)
        folder = "<d:resourcetype><d:collection/></d:resourcetype>"
        return multistatus(
            COLLECTION,
            found("http://other.example" + CAL + "a.ics", etag('"1"')),
            found(CAL + "b.ics", etag('W/"2"')),
            found(CAL + "c.ics", ""),
            found(CAL + "sub/", folder),
            found(CAL + "sub/d.ics", etag('"4"')),
            found("/dav/m%40x/else/e.ics", etag('"5"')),
        )

    hostile.answer = answer
    listing = calendar.listing(None)
    assert dict(listing.entries) == {
        PATH + "a.ics": '"1"',
        PATH + "b.ics": None,
        PATH + "c.ics": None,
    }
    assert (listing.complete, listing.token) == (True, None)
    assert calendar.requests == 2
    calendar.listing(None)
    assert calendar.requests == 3


def test_a_report_without_a_token_is_not_built_on(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hostile.answer = lambda request: (
        multistatus() if request.method == "REPORT" else multistatus(COLLECTION)
    )
    assert calendar.listing(None).token is None
    assert [request.method for request in hostile.requests] == ["REPORT", "PROPFIND"]


def test_an_empty_list_of_etags_is_no_empty_calendar(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hostile.answer = lambda request: (
        Reply(status=405) if request.method == "REPORT" else multistatus()
    )
    with pytest.raises(UnavailableError, match="incomplete"):
        calendar.listing(None)


def test_a_calendar_that_may_not_be_read_is_no_missing_report(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hostile.always(Reply(status=403))
    with pytest.raises(CredentialsError, match="may not be read"):
        calendar.listing(None)


# A calendar that is gone


@pytest.fixture(params=["radicale", "xandikos"])
def deleted(request: pytest.FixtureRequest) -> Iterator[CalDavCalendar]:
    server: Server = request.getfixturevalue(f"{request.param}_server")
    settings = CalendarSettings(
        provider=Provider.CALDAV, url=server.url, username=server.username, name="To be deleted"
    )
    opened = open_collection(settings, server.password, remembered=None)
    transport = Transport(server.url, username=server.username, password=server.password)
    assert transport.send("DELETE", opened.address).status in {200, 204}
    transport.close()
    yield opened
    opened.close()


def test_a_deleted_collection_is_gone_for_every_operation(deleted: CalDavCalendar) -> None:
    href = deleted.href_for("lorsync-1")
    with pytest.raises(CollectionGoneError):
        deleted.listing(None)
    with pytest.raises(CollectionGoneError):
        deleted.listing(SyncToken("0123456789012345678901234567890123456789"))
    with pytest.raises(CollectionGoneError):
        deleted.fetch([href])
    with pytest.raises(CollectionGoneError):
        deleted.create(href, event("lorsync-1"))
    with pytest.raises((ResourceGoneError, PreconditionFailedError, CollectionGoneError)):
        deleted.update(href, event("lorsync-1"), ETAG)
    with pytest.raises((ResourceGoneError, PreconditionFailedError)):
        deleted.delete(href, ETAG)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=404, body=b"<html>Not here", headers={"Content-Type": "text/html"}),
    ],
)
def test_a_404_for_everything_is_no_deleted_calendar(
    hostile: Hostile, calendar: CalDavCalendar, reply: Reply
) -> None:
    hostile.always(reply)
    for operation in (
        lambda: calendar.listing(None),
        lambda: calendar.fetch([calendar.href_for("lorsync-1")]),
        lambda: calendar.create(calendar.href_for("lorsync-1"), b""),
    ):
        with pytest.raises(UnavailableError) as caught:
            operation()
        assert type(caught.value) is UnavailableError


def test_a_portal_in_the_way_is_no_deleted_calendar(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hostile.always(Reply(status=200, body=b"<html>Log in", headers={"Content-Type": "text/html"}))
    with pytest.raises(UnavailableError, match="web page"):
        calendar.listing(SyncToken("x"))


# Fetching


def data(uid: str) -> str:
    return (
        etag('"1"')
        + "<c:calendar-data>"
        + event(uid).decode().replace("\r\n", "&#13;\n")
        + "</c:calendar-data>"
    )


def test_a_fetch_is_sent_in_batches_and_keeps_to_what_was_asked(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hrefs = [calendar.href_for(f"lorsync-{number}") for number in range(6)]
    hostile.always(
        multistatus(
            *(found(f"{CAL}lorsync-{number}.ics", data("x")) for number in range(4)),
            bare(CAL + "lorsync-4.ics", 404),
            found(CAL + "lorsync-5.ics", etag('"1"')),
            found(CAL + "unasked.ics", data("y")),
            found("/elsewhere/lorsync-5.ics", data("z")),
        )
    )
    resources = calendar.fetch(hrefs)
    assert set(resources) == {*hrefs[:4], hrefs[5]}
    assert resources[hrefs[0]].body == event("x")
    assert resources[hrefs[5]].failed  # its version is told, and nothing of it
    assert calendar.requests == 2
    assert CAL.encode() + b"lorsync-0.ics" in hostile.requests[0].body
    assert calendar.fetch([]) == {}
    assert calendar.requests == 2


def test_one_enormous_event_does_not_keep_the_others_from_being_read(hostile: Hostile) -> None:
    limits = Limits(read=0.5, size=4096)
    transport = Transport(hostile.url, username="maya", password="secret", limits=limits)
    calendar = CalDavCalendar(transport, hostile.url.rstrip("/") + CAL, batch=8)
    hrefs = [calendar.href_for(f"lorsync-{number}") for number in range(5)]

    def answer(request: Request) -> Reply:
        asked = [n for n in range(5) if f"lorsync-{n}.ics".encode() in request.body]
        return multistatus(
            *(found(f"{CAL}lorsync-{n}.ics", data("x" * (9999 if n == 2 else 1))) for n in asked)
        )

    hostile.answer = answer
    there = calendar.fetch(hrefs)
    calendar.close()
    assert set(there) == set(hrefs)
    assert (there[hrefs[2]].etag, there[hrefs[2]].body) == (None, b"")
    assert all(r.body == event("x") for href, r in there.items() if href != hrefs[2])


def test_a_server_whose_every_answer_is_enormous_is_given_up(hostile: Hostile) -> None:
    limits = Limits(read=0.5, size=4096)
    transport = Transport(hostile.url, username="maya", password="secret", limits=limits)
    calendar = CalDavCalendar(transport, hostile.url.rstrip("/") + CAL, batch=64)
    hostile.always(multistatus(found(f"{CAL}lorsync-0.ics", data("x" * 9999))))
    with pytest.raises(UnavailableError, match="more than"):
        calendar.fetch([calendar.href_for(f"lorsync-{number}") for number in range(64)])
    calendar.close()
    assert len(hostile.requests) < 30


def test_a_multiget_refused_for_one_missing_href_is_halved(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hrefs = [calendar.href_for(f"lorsync-{number}") for number in range(4)]

    def answer(request: Request) -> Reply:
        if request.method == "PROPFIND":
            return multistatus(COLLECTION)
        asked = [n for n in range(4) if f"lorsync-{n}.ics".encode() in request.body]
        if 2 in asked:
            return Reply(status=404)
        return multistatus(*(found(f"{CAL}lorsync-{n}.ics", data("x")) for n in asked))

    hostile.answer = answer
    assert set(calendar.fetch(hrefs)) == {hrefs[0], hrefs[1], hrefs[3]}


# Writing


@pytest.mark.parametrize(
    ("reply", "error", "why"),
    [
        (Reply(status=412), PreconditionFailedError, "there already"),
        (conditions(412, "s:exception"), PreconditionFailedError, "there already"),
        (conditions(412, "c:no-uid-conflict"), WriteRefusedError, "has its UID"),
        (conditions(412, "c:valid-calendar-data"), WriteRefusedError, "valid-calendar-data"),
        (conditions(409, "c:no-uid-conflict"), WriteRefusedError, "has its UID"),
        (conditions(403, "c:no-uid-conflict"), WriteRefusedError, "has its UID"),
        (Reply(status=403), WriteRefusedError, "403"),
        (Reply(status=409), WriteRefusedError, "409"),
        (Reply(status=415), WriteRefusedError, "415"),
        (Reply(status=507), WriteRefusedError, "storage is full"),
        (Reply(status=413), WriteRefusedError, "too large"),
        (
            Reply(
                status=400,
                body=b'<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>'
                b"Deleted calendar object with uid already exists</s:message></d:error>",
                headers=XML,
            ),
            WriteRefusedError,
            "Deleted calendar object",
        ),
    ],
)
def test_why_a_creation_is_refused(
    hostile: Hostile, calendar: CalDavCalendar, reply: Reply, error: type[Exception], why: str
) -> None:
    hostile.answer = lambda request: reply if request.method == "PUT" else multistatus(COLLECTION)
    with pytest.raises(error, match=why):
        calendar.create(calendar.href_for("lorsync-1"), event("lorsync-1"))


def test_i10_a_refusal_does_not_repeat_the_password_that_a_careless_server_does(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    def answer(request: Request) -> Reply:
        said = (
            f"<d:error xmlns:d='DAV:'><m>{request.headers['authorization']}, secret</m></d:error>"
        )
        return Reply(status=400, body=said.encode(), headers=XML)

    hostile.answer = answer
    with pytest.raises(WriteRefusedError) as caught:
        calendar.create(calendar.href_for("lorsync-1"), event("lorsync-1"))
    assert "(400, Basic" in str(caught.value)
    assert "bWF5YTpzZWNyZXQ" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (412, PreconditionFailedError),
        (404, ResourceGoneError),
        (410, ResourceGoneError),
        (403, WriteRefusedError),
    ],
)
def test_why_an_update_or_a_deletion_is_refused(
    hostile: Hostile, calendar: CalDavCalendar, status: int, error: type[Exception]
) -> None:
    hostile.always(Reply(status=status))
    href = calendar.href_for("lorsync-1")
    with pytest.raises(error):
        calendar.update(href, event("lorsync-1"), ETAG)
    with pytest.raises(error):
        calendar.delete(href, ETAG)
    assert calendar.requests == 2


PORTAL = b"<!DOCTYPE html><html>Welcome to the hotel</html>"


@pytest.mark.parametrize("status", [200, 404])
def test_a_portal_in_the_way_writes_and_deletes_nothing(
    hostile: Hostile, calendar: CalDavCalendar, status: int
) -> None:
    hostile.always(Reply(status=status, body=PORTAL, headers={"Content-Type": "text/html"}))
    href = calendar.href_for("lorsync-1")
    with pytest.raises(UnavailableError):
        calendar.delete(href, ETAG)
    with pytest.raises(UnavailableError):
        calendar.update(href, event("lorsync-1"), ETAG)
    with pytest.raises(UnavailableError):
        calendar.create(href, event("lorsync-1"))


def test_a_page_beside_what_was_made_or_is_not_there_is_no_portal(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    page = {"body": PORTAL, "headers": {"Content-Type": "text/html"}}
    href = calendar.href_for("lorsync-1")
    hostile.always(Reply(status=201, **page))
    calendar.create(href, event("lorsync-1"))
    hostile.answer = lambda request: (
        multistatus(COLLECTION) if request.method == "PROPFIND" else Reply(status=404, **page)
    )
    with pytest.raises(ResourceGoneError):
        calendar.delete(href, ETAG)


def test_writes_carry_their_guards(hostile: Hostile, calendar: CalDavCalendar) -> None:
    hostile.always(Reply(status=204, headers={"ETag": 'W/"2"'}))
    href = calendar.href_for("lorsync-1")
    assert calendar.create(href, event("lorsync-1")) is None
    assert calendar.update(href, event("lorsync-1"), ETAG) is None
    calendar.delete(href, ETAG)
    created, updated, deleted = hostile.requests
    assert [request.path for request in hostile.requests] == [CAL + "lorsync-1.ics"] * 3
    assert created.headers["if-none-match"] == "*"
    assert "if-match" not in created.headers
    assert updated.headers["if-match"] == deleted.headers["if-match"] == '"1"'
    assert created.headers["content-type"] == "text/calendar; charset=utf-8"
    assert created.body == updated.body == event("lorsync-1")


def test_a_href_outside_the_collection_is_never_sent(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    for href in (
        "/dav/other/a.ics",
        "/etc/passwd",
        PATH + "../a.ics",
        PATH + "sub/a.ics",
        PATH + "..",
    ):
        with pytest.raises(ValueError, match="not in"):
            calendar.delete(Href(href), ETAG)
    assert hostile.requests == []
