"""The listener on 127.0.0.1: who knows the state gets in, and nobody waits for anybody else."""

import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TextIO
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from lorsync.adapters.google import Client, logged_in

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

CLIENT = Client(id="id.apps.googleusercontent.com", secret="client-geheim")


@dataclass(kw_only=True)
class Waiting:
    """A login under way in another thread, and what its address asks for."""

    asked: dict[str, str] = field(default_factory=dict)
    failure: BaseException | None = None
    pasted: TextIO | None = None
    shown: threading.Event = field(default_factory=threading.Event)

    def begin(self, seconds: float) -> threading.Thread:
        thread = threading.Thread(target=self._run, args=(seconds,), daemon=True)
        thread.start()
        assert self.shown.wait(120)
        return thread

    def _run(self, seconds: float) -> None:
        try:
            logged_in(
                CLIENT,
                hint="maya@gmail.com",
                show=self._show,
                pasted=self.pasted,
                wait_seconds=seconds,
            )
        except Exception as error:  # noqa: BLE001 -- a test looks at what it is
            self.failure = error

    def _show(self, address: str) -> None:
        parts = urlsplit(address)
        assert (parts.scheme, parts.netloc) == ("https", "accounts.google.com")
        self.asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.shown.set()

    def comes_back(self, **answer: str) -> int:
        try:
            address = f"{self.asked['redirect_uri']}?{urlencode(answer)}"
            with urllib.request.urlopen(address, timeout=120) as page:
                return int(page.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return Waiting()


def test_address_asks_for_what_google_wants(waiting: Waiting) -> None:
    thread = waiting.begin(600)
    assert waiting.asked["access_type"] == "offline"
    assert waiting.asked["prompt"] == "consent"
    assert waiting.asked["code_challenge_method"] == "S256"
    assert waiting.asked["login_hint"] == "maya@gmail.com"
    assert urlsplit(waiting.asked["redirect_uri"]).hostname == "127.0.0.1"
    assert "geheim" not in str(waiting.asked)
    waiting.comes_back(state=waiting.asked["state"], error="access_denied")
    thread.join(120)


def test_stranger_without_the_state_is_turned_away_and_the_wait_goes_on(waiting: Waiting) -> None:
    thread = waiting.begin(600)
    assert waiting.comes_back(state="forged", code="stolen") == 404
    assert waiting.comes_back(code="stolen") == 404
    assert waiting.comes_back(state="forged", error="access_denied") == 404
    assert thread.is_alive()
    assert waiting.comes_back(state=waiting.asked["state"], error="access_denied") == 200
    thread.join(120)
    assert "did not let lorsync in" in str(waiting.failure)


@pytest.mark.parametrize("said", [b"", b"GET /?state="])
def test_connections_without_a_whole_request_hold_nobody_up(waiting: Waiting, said: bytes) -> None:
    thread = waiting.begin(600)
    port = urlsplit(waiting.asked["redirect_uri"]).port
    with ExitStack() as stack:
        for _ in range(200):
            begun = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            begun.sendall(said)
        assert waiting.comes_back(state=waiting.asked["state"], error="access_denied") == 200
    thread.join(120)
    assert waiting.failure is not None


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("http://[127.0.0.1/?state={}&error=access_denied", "did not let lorsync in"),
        ("127.0.0.1:1/?state={}&error=access_denied", "did not let lorsync in"),
        ('"http://127.0.0.1:1/?error=access_denied&state={}"', "did not let lorsync in"),
        ("http://[", "not the address at which the browser ended"),
        ("http://127.0.0.1:1/?state=forged&code=stolen", "not the address at which"),
    ],
)
def test_pasted_address_is_taken_as_people_paste_it(
    waiting: Waiting, pasted: str, words: str
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as lines, os.fdopen(writing, "w") as terminal:
        waiting.pasted = lines
        thread = waiting.begin(60)
        terminal.write(pasted.format(waiting.asked["state"]) + "\n")
        terminal.flush()
        thread.join(10)
    assert words in str(waiting.failure)


def test_nobody_comes_back(waiting: Waiting) -> None:
    thread = waiting.begin(0.2)
    thread.join(120)
    assert "Nobody came back" in str(waiting.failure)


def test_nothing_but_this_machine_is_listened_to(waiting: Waiting) -> None:
    thread = waiting.begin(600)
    port = urlsplit(waiting.asked["redirect_uri"]).port
    with open("/proc/net/tcp") as table:  # noqa: PTH123 -- a file of the kernel
        bound = {line.split()[1] for line in table if line.split()[3] == "0A"}
    assert f"0100007F:{port:04X}" in bound
    assert f"00000000:{port:04X}" not in bound
    waiting.comes_back(state=waiting.asked["state"], error="access_denied")
    thread.join(120)
