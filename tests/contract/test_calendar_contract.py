"""What every calendar promises, whatever it is made of: the port, sentence by sentence."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lorsync.core.ports import (
    ETag,
    Href,
    PreconditionFailedError,
    ResourceGoneError,
    SyncToken,
    WriteRefusedError,
)
from tests.contract.conftest import World

# A UID that was deleted stays deleted there, which is why lorsync counts generations (S8).
REFUSING_DELETED = frozenset({"google", "nextcloud"})
STALE = ETag('"0123456789abcdef"')


def event(uid: str, summary: str = "Ask Dr. Chen", description: str = "") -> bytes:
    """Write one all-day event, folded as RFC 5545 section 3.1 wants it."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//lorsync//tests//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        "DTSTART;VALUE=DATE:20260901",
        "DTEND;VALUE=DATE:20260902",
        *_folded(f"SUMMARY:{summary}"),
        *(_folded(f"DESCRIPTION:{description}") if description else ()),
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def _folded(line: str) -> list[str]:
    pieces, rest = [], line
    while rest:
        size = 40 if not pieces else 39
        pieces.append(("" if not pieces else " ") + rest[:size])
        rest = rest[size:]
    return pieces


def unfolded(body: bytes) -> str:
    return body.decode().replace("\r\n ", "").replace("\r\n", "\n")


def made(world: World, count: int) -> list[Href]:
    hrefs = [world.calendar.href_for(f"lorsync-{number:04x}") for number in range(count)]
    for number, href in enumerate(hrefs):
        world.calendar.create(href, event(f"lorsync-{number:04x}"))
    return hrefs


def version(world: World, href: Href) -> ETag:
    etag = world.calendar.fetch([href])[href].etag
    assert etag is not None
    return etag


def test_href_is_a_decoded_absolute_path_inside_the_collection(world: World) -> None:
    href = world.calendar.href_for("lorsync-00ff")
    assert href.startswith("/")
    assert href.endswith("/lorsync-00ff.ics")
    assert "%" not in href


def test_a_new_collection_lists_nothing_and_completely(world: World) -> None:
    listing = world.calendar.listing(None)
    assert listing.complete
    assert listing.entries == {}
    assert listing.removed == frozenset()
    assert (listing.token is not None) == world.has_tokens


@pytest.mark.emulated
def test_what_is_created_is_listed_and_fetched(world: World) -> None:
    href = world.calendar.href_for("lorsync-0001")
    etag = world.calendar.create(href, event("lorsync-0001"))
    listed = world.calendar.listing(None).entries
    found = world.calendar.fetch([href])
    assert set(listed) == {href} == set(found)
    assert found[href].href == href
    assert found[href].etag == listed[href]
    assert etag in {listed[href], None}  # Google tells none
    assert "SUMMARY:Ask Dr. Chen" in unfolded(found[href].body)


def test_etags_are_strong(world: World) -> None:
    [href] = made(world, 1)
    etag = version(world, href)
    assert etag.startswith('"')
    assert etag.endswith('"')


def creates(world: World, href: Href, body: bytes) -> bool:
    """Try to create what is there already, and tell whether it was overwritten."""
    try:
        world.calendar.create(href, body)
    except PreconditionFailedError:
        return False
    return True


def test_create_overwrites_only_where_the_calendar_says_that_it_does(world: World) -> None:
    """A server may ignore If-None-Match; a pass then looks before it creates (S22)."""
    [href] = made(world, 1)
    overwritten = creates(world, href, event("lorsync-0000", "Other"))
    assert overwritten == (not world.calendar.guards_creation)
    body = unfolded(world.calendar.fetch([href])[href].body)
    assert ("Other" if overwritten else "Ask Dr. Chen") in body


@pytest.mark.emulated
def test_create_leaves_a_foreign_resource_alone_or_says_that_it_does_not(world: World) -> None:
    href = world.put("lorsync-0000.ics", event("lorsync-0000", "Theirs"))
    overwritten = creates(world, href, event("lorsync-0000"))
    assert overwritten == (not world.calendar.guards_creation)
    body = unfolded(world.calendar.fetch([href])[href].body)
    assert ("Theirs" in body) != overwritten


def test_update_replaces_the_version_that_it_names(world: World) -> None:
    [href] = made(world, 1)
    before = version(world, href)
    etag = world.calendar.update(href, event("lorsync-0000", "Thank Dr. Chen"), before)
    found = world.calendar.fetch([href])[href]
    assert "Thank Dr. Chen" in unfolded(found.body)
    assert etag in {found.etag, None}
    assert found.etag != before


@pytest.mark.emulated
def test_update_with_a_stale_etag_changes_nothing(world: World) -> None:
    [href] = made(world, 1)
    before = version(world, href)
    world.edit(href, event("lorsync-0000", "Theirs"))
    with pytest.raises(PreconditionFailedError):
        world.calendar.update(href, event("lorsync-0000", "Ours"), before)
    assert "Theirs" in unfolded(world.calendar.fetch([href])[href].body)


def test_update_of_a_missing_resource_makes_none(world: World) -> None:
    href = world.calendar.href_for("lorsync-0000")
    # RFC 9110 section 13.1.1: If-Match on what is not there is 412, and some say 404.
    with pytest.raises((ResourceGoneError, PreconditionFailedError)):
        world.calendar.update(href, event("lorsync-0000"), STALE)
    assert world.calendar.fetch([href]) == {}


def test_delete_removes_the_version_that_it_names(world: World) -> None:
    hrefs = made(world, 2)
    world.calendar.delete(hrefs[0], version(world, hrefs[0]))
    assert set(world.calendar.listing(None).entries) == {hrefs[1]}


@pytest.mark.emulated
def test_delete_with_a_stale_etag_deletes_nothing(world: World) -> None:
    [href] = made(world, 1)
    before = version(world, href)
    world.edit(href, event("lorsync-0000", "Theirs"))
    with pytest.raises(PreconditionFailedError):
        world.calendar.delete(href, before)
    assert set(world.calendar.listing(None).entries) == {href}


def test_delete_of_a_missing_resource_says_so(world: World) -> None:
    [href] = made(world, 1)
    before = version(world, href)
    world.remove(href)
    with pytest.raises(ResourceGoneError):
        world.calendar.delete(href, before)


@pytest.mark.emulated
def test_a_deleted_href_can_be_created_again(world: World) -> None:
    [href] = made(world, 1)
    world.calendar.delete(href, version(world, href))
    if world.kind in REFUSING_DELETED:
        with pytest.raises(WriteRefusedError):
            world.calendar.create(href, event("lorsync-0000", "Again"))
        return
    world.calendar.create(href, event("lorsync-0000", "Again"))
    assert "Again" in unfolded(world.calendar.fetch([href])[href].body)


@pytest.mark.emulated
def test_missing_hrefs_are_left_out_of_a_fetch(world: World) -> None:
    hrefs = made(world, 2)
    missing = world.calendar.href_for("lorsync-ffff")
    assert set(world.calendar.fetch([missing, *hrefs, hrefs[0]])) == set(hrefs)


@pytest.mark.emulated
def test_a_token_lists_only_what_has_changed(world: World) -> None:
    hrefs = made(world, 4)
    before = world.calendar.listing(None)
    world.edit(hrefs[0], event("lorsync-0000", "Theirs"))
    world.remove(hrefs[1])
    added = world.put("foreign.ics", event("foreign"))
    after = world.calendar.listing(before.token)
    assert after.complete == (not world.has_tokens)
    if after.complete:
        assert set(after.entries) == {hrefs[0], hrefs[2], hrefs[3], added}
        assert after.removed == frozenset()
    else:
        assert set(after.entries) == {hrefs[0], added}
        assert after.removed == {hrefs[1]}
    assert after.entries[hrefs[0]] == version(world, hrefs[0]) != before.entries[hrefs[0]]


def test_nothing_changed_costs_one_request_and_lists_nothing_new(world: World) -> None:
    made(world, 3)
    first = world.calendar.listing(None)
    spent = world.calendar.requests
    again = world.calendar.listing(first.token)
    assert world.calendar.requests - spent == 1
    assert again.removed == frozenset()
    assert again.entries == (first.entries if again.complete else {})


@pytest.mark.emulated
def test_an_unknown_token_gives_a_complete_listing(world: World) -> None:
    hrefs = made(world, 2)
    spent = world.calendar.requests
    listing = world.calendar.listing(SyncToken("http://radicale.org/ns/sync/no-such-token"))
    assert world.calendar.requests - spent <= 2
    assert listing.complete
    assert set(listing.entries) == set(hrefs)
    assert listing.removed == frozenset()


def test_a_complete_listing_names_no_old_deletions(world: World) -> None:
    hrefs = made(world, 2)
    world.remove(hrefs[0])
    listing = world.calendar.listing(None)
    assert listing.removed == frozenset()
    assert set(listing.entries) == {hrefs[1]}


@pytest.mark.emulated
def test_eight_threads_create_at_once(world: World) -> None:
    uids = [f"lorsync-{number:04x}" for number in range(40)]
    spent = world.calendar.requests
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda uid: world.calendar.create(world.calendar.href_for(uid), event(uid)), uids
            )
        )
    assert world.calendar.requests - spent == len(uids)
    listed = world.calendar.listing(None).entries
    assert set(listed) == {world.calendar.href_for(uid) for uid in uids}


def test_of_eight_threads_that_create_one_href_one_wins_where_creation_is_guarded(
    world: World,
) -> None:
    href = world.calendar.href_for("lorsync-0000")

    def attempt(number: int) -> bool:
        return creates(world, href, event("lorsync-0000", f"Thread {number}"))

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(attempt, range(8)))
    assert sum(won) == (1 if world.calendar.guards_creation else 8)
    assert list(world.calendar.listing(None).entries) == [href]
    body = unfolded(world.calendar.fetch([href])[href].body)
    winners = [number for number, taken in enumerate(won) if taken]
    assert any(f"SUMMARY:Thread {number}\n" in body for number in winners)


def test_requests_are_counted_one_for_each_operation(world: World) -> None:
    calendar = world.calendar

    def cost(operation) -> int:
        before = calendar.requests
        operation()
        return calendar.requests - before

    hrefs = [calendar.href_for(f"lorsync-{number:04x}") for number in range(50)]
    assert cost(lambda: made(world, 50)) == 50
    assert cost(lambda: calendar.listing(None)) == 1
    assert cost(lambda: calendar.fetch(hrefs)) == 1
    etags = {href: found.etag for href, found in calendar.fetch(hrefs).items()}
    first = hrefs[0]
    assert cost(lambda: calendar.update(first, event("lorsync-0000", "New"), etags[first])) == 1
    assert cost(lambda: calendar.delete(hrefs[1], etags[hrefs[1]])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Bedankt 🎉 Dr. Novák – 谢谢",
        "سارة שלום",
        "a" * 2000,
        "🎓" * 300,
        "comma\\, semicolon\\; backslash\\\\ and\\na line",
        "<b>&amp\\; ]]> </b>",
    ],
    ids=["emoji", "right-to-left", "long", "long-emoji", "escapes", "markup"],
)
def test_texts_survive(world: World, text: str) -> None:
    href = world.calendar.href_for("lorsync-0000")
    world.calendar.create(href, event("lorsync-0000", text, text))
    body = unfolded(world.calendar.fetch([href])[href].body)
    assert f"SUMMARY:{text}\n" in body
    assert f"DESCRIPTION:{text}\n" in body


def test_fetched_bodies_have_the_line_ends_of_rfc_5545(world: World) -> None:
    [href] = made(world, 1)
    body = world.calendar.fetch([href])[href].body
    assert body.count(b"\n") == body.count(b"\r\n")


@pytest.mark.emulated
def test_a_foreign_name_with_blanks_and_signs_is_listed_and_fetched(world: World) -> None:
    href = world.put("a b@c+d ü%41.ics", event("foreign", "Theirs"))
    assert set(world.calendar.listing(None).entries) == {href}
    found = world.calendar.fetch([href])[href]
    assert "Theirs" in unfolded(found.body)
    assert found.etag is not None
    world.calendar.delete(href, found.etag)
    assert world.calendar.listing(None).entries == {}


def test_one_write_does_not_touch_the_others(world: World) -> None:
    hrefs = made(world, 3)
    before = world.calendar.listing(None).entries
    etag = before[hrefs[0]]
    assert etag is not None
    world.calendar.update(hrefs[0], event("lorsync-0000", "New"), etag)
    after = world.calendar.listing(None).entries
    assert {href: after[href] for href in hrefs[1:]} == {href: before[href] for href in hrefs[1:]}


def test_close_may_be_called_twice(world: World) -> None:
    made(world, 1)
    world.calendar.close()
    world.calendar.close()
