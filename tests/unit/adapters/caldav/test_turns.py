"""Some servers take one change at a time (423, RFC 4918 section 11.3): changes wait their turn."""

import itertools
from collections.abc import Iterator

import pytest

from lorsync.adapters.caldav.calendar import CalDavCalendar
from lorsync.adapters.caldav.transport import Transport
from lorsync.core.ports import ETag, Href, WriteRefusedError
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

HREF = Href("/letters/lorsync-1.ics")


@pytest.fixture
def calendar(hostile: Hostile) -> Iterator[CalDavCalendar]:
    transport = Transport(hostile.url, username="user", password="secret")
    yield CalDavCalendar(transport, f"{hostile.url}letters/")
    transport.close()


def test_a_locked_change_is_sent_again(hostile: Hostile, calendar: CalDavCalendar) -> None:
    statuses = itertools.chain([423, 423], itertools.repeat(204))

    def answer(_: Request) -> Reply:
        return Reply(status=next(statuses), headers={"ETag": '"2"'})

    hostile.answer = answer
    assert calendar.update(HREF, b"body", ETag('"1"')) == '"2"'
    assert [request.method for request in hostile.requests] == ["PUT"] * 3
    assert {request.headers["if-match"] for request in hostile.requests} == {'"1"'}


def test_a_server_that_stays_locked_refuses_the_change_and_says_so(
    hostile: Hostile, calendar: CalDavCalendar
) -> None:
    hostile.always(Reply(status=423))
    with pytest.raises(WriteRefusedError, match="busy"):
        calendar.delete(HREF, ETag('"1"'))
    with pytest.raises(WriteRefusedError, match="busy"):
        calendar.create(HREF, b"body")
