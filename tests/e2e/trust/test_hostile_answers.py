"""What a hostile server answers, and what the installed command makes of it.

One plain message, the right exit code, no password where it must not go, nothing written, nothing
lost. docs/security.md has the same list for readers.
"""

import gzip
import os
from collections.abc import Callable

import pytest

from tests.e2e.trust.conftest import Victim, message, nothing_leaked
from tests.e2e.trust.villain import EVIL, GOOD, Answering, Stream
from tests.unit.adapters.caldav.conftest import Reply

XML = {"Content-Type": "application/xml; charset=utf-8"}
PAGE = b"<!DOCTYPE html><html><body>Welcome to the hospital's guest network<br></body></html>"


def always(reply: Reply | Stream) -> Answering:
    return lambda _: reply


def moved(location: str, status: int = 308) -> Answering:
    return always(Reply(status=status, headers={"Location": location}))


def laughs() -> bytes:
    """Make a kilobyte that means three gigabytes, in text and in an attribute."""
    lines = ['<!ENTITY l0 "lol">']
    lines += [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    declared = "".join(lines)
    return (
        f"<!DOCTYPE d [{declared}]>"
        '<d:multistatus xmlns:d="DAV:"><d:sync-token a="&l9;">&l9;</d:sync-token></d:multistatus>'
    ).encode()


def bomb() -> Reply:
    """Make a gigabyte of zeros, as a megabyte."""
    return Reply(
        body=gzip.compress(bytes(10_000_000)) * 100, headers={**XML, "Content-Encoding": "gzip"}
    )


def endless(write: Callable[[bytes], None]) -> None:
    write(b"HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\n\r\n<d:multistatus>")
    while True:
        write(b"<d:response/>" * 5000)


def endless_headers(write: Callable[[bytes], None]) -> None:
    write(b"HTTP/1.1 207 Multi-Status\r\n")
    while True:
        write(b"X-More: " + b"a" * 8000 + b"\r\n")


ANSWERS: dict[str, tuple[Answering, int, str]] = {
    "wrong password": (always(Reply(status=401)), 77, "refuses the user name 'maya' or password"),
    "redirect loop": (moved("/home/letters/"), 69, "redirects in a circle"),
    "to http": (moved(f"http://{GOOD}/home/letters/"), 69, "the password is not sent there"),
    "to another domain": (moved(f"https://{EVIL}/"), 69, "the password is not sent there"),
    "to another domain, as a GET": (moved(f"//{EVIL}/", 303), 69, "password is not sent there"),
    "to no address": (moved("https://[broken/"), 69, "the password is not sent there"),
    "billion laughs": (always(Reply(body=laughs(), headers=XML)), 69, "unreadable answer"),
    "gzip bomb": (always(bomb()), 69, "more than 32 MB"),
    "broken gzip": (
        always(Reply(body=b"\x1f\x8bnonsense", headers={**XML, "Content-Encoding": "gzip"})),
        69,
        "cannot be read",
    ),
    "unknown packing": (
        always(Reply(body=b"x", headers={**XML, "Content-Encoding": "br"})), 69, "cannot be read"
    ),
    "without an end": (always(Stream(write=endless)), 69, "more than 32 MB"),
    "headers without an end": (always(Stream(write=endless_headers)), 69, GOOD),
    "garbage XML": (always(Reply(body=b"<d:multistatus", headers=XML)), 69, "unreadable"),
    "garbage": (always(Reply(body=os.urandom(64), headers=XML)), 69, "unreadable"),
    "captive portal": (
        always(Reply(status=200, body=PAGE, headers={"Content-Type": "text/html"})),
        69,
        "web page, not CalDAV",
    ),
    "JSON": (
        always(Reply(status=200, body=b'{"ok": true}', headers={"Content-Type": "text/json"})),
        69,
        "does not answer like a CalDAV server",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_one_message_and_loses_nothing(victim: Victim, name: str) -> None:
    answer, code, words = ANSWERS[name]
    before = victim.ledger()
    done = victim.meets(answer)
    assert words in message(done, code)
    nothing_leaked(victim.villain)
    assert done.memory < 350
    assert victim.ledger() == before


def test_after_some_of_them_the_next_pass_finds_nothing_to_do(victim: Victim) -> None:
    for name in ("wrong password", "redirect loop", "gzip bomb", "captive portal"):
        answer, code, _ = ANSWERS[name]
        assert victim.meets(answer).code == code
    victim.is_fine()


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("icloud", ["xxxx-xxxx-xxxx-xxxx", "https://account.apple.com/"]),
        ("fastmail", ["https://app.fastmail.com/"]),
        ("nextcloud", ["your Nextcloud's settings (Security"]),
    ],
)
def test_the_password_of_an_account_is_said_to_be_the_wrong_one(
    newcomer: Victim, provider: str, words: list[str]
) -> None:
    newcomer.configure(provider=provider, url=f"https://{GOOD}/")
    text = message(newcomer.meets(always(Reply(status=401))), 77)
    assert "takes an app password" in text
    assert all(word in text for word in words)
    assert len(newcomer.villain.asked) == 1
