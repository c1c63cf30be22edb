"""Ask the person for consent in the browser: the loopback flow with state and PKCE (RFC 8252).

The browser ends at an address of this machine, where lorsync listens on 127.0.0.1. Where
the browser is on another machine, that address leads nowhere there, and the person pastes it here.
"""

import os
import selectors
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final, TextIO, cast
from urllib.parse import urlsplit

from oauthlib.oauth2 import MismatchingStateError, OAuth2Error, WebApplicationClient

from lorsync.adapters.google.endpoint import CONSENT, SCOPE, Granted, Login, ask, read_object
from lorsync.adapters.loopback import HOST, Loopback
from lorsync.core.errors import ConfigError, CredentialsError, LorsyncError

if TYPE_CHECKING:
    from socketserver import BaseServer

WAIT_SECONDS: Final = 900.0
"""How long the person has for Google's pages."""

_SAY_SECONDS: Final = 5.0
_TOO_LATE: Final = "Google no longer takes this consent: run “lorsync login” again."
_PAGE: Final = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>lorsync</title>"
    "<p>{}<p>You can close this page and go back to the terminal."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The person's own OAuth client at Google, of the type “Desktop app”."""

    id: str
    secret: str = field(repr=False)


def client_from(text: str) -> Client:
    """Read the JSON file of a client, as Google lets download it.

    Raises ConfigError, with nothing of the file in it. Of its addresses none is used.
    """
    found = read_object(text)
    if "web" in found:
        raise ConfigError(
            "This is the file of a client of the type “Web application”: make one of the type "
            "“Desktop app” (docs/google.md)."
        )
    inside = found.get("installed")
    values = inside if isinstance(inside, dict) else {}
    id_, secret = values.get("client_id"), values.get("client_secret")
    if not (isinstance(id_, str) and id_ and isinstance(secret, str) and secret):
        raise ConfigError(
            "This is not the JSON file of an OAuth client: download it in the Google Cloud "
            "console, right after you make the client (docs/google.md)."
        )
    return Client(id=id_, secret=secret)


def logged_in(
    client: Client,
    *,
    hint: str | None,
    show: Callable[[str], None],
    pasted: TextIO | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Login:
    """Have the person consent, and return the login.

    ``hint`` is the account's address. ``show`` is given the address to open, which a browser
    may open by itself; ``pasted`` is where the person may paste the address at which it ended.
    Raises CredentialsError where there is no consent, else as :func:`endpoint.ask`.
    """
    oauth = WebApplicationClient(client.id)
    state, verifier = oauth.create_code_verifier(43), oauth.create_code_verifier(64)
    with _Listener() as listener:
        address = oauth.prepare_request_uri(
            CONSENT,
            redirect_uri=listener.address,
            scope=[SCOPE],
            state=state,
            code_challenge=oauth.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
            access_type="offline",
            prompt="consent",
            **({"login_hint": hint} if hint else {}),
        )
        show(address)
        _open(address)
        reached = listener.wait(lambda found: _code(oauth, found, state), pasted, wait_seconds)
    form = oauth.prepare_request_body(
        code=reached,
        redirect_uri=listener.address,
        code_verifier=verifier,
        client_secret=client.secret,
    )
    return _lasting(client, ask(form, ended=_TOO_LATE))


def _lasting(client: Client, granted: Granted) -> Login:
    if SCOPE not in granted.scopes:
        raise CredentialsError(
            "Google let lorsync in, but not to your calendars: run “lorsync login” again, and "
            "tick the box for calendars on Google's page."
        )
    if granted.refresh_token is None:
        raise CredentialsError(
            "Google gave a login that does not last: remove lorsync's access at "
            "https://myaccount.google.com/connections, and run “lorsync login” again."
        )
    return Login(
        client_id=client.id, client_secret=client.secret, refresh_token=granted.refresh_token
    )


def _open(address: str) -> None:
    """Open a browser with windows; one in the terminal would take it over, and fail at Google."""
    windows = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if windows:
        # Some browsers only return when they are closed, and lorsync has to listen until then.
        threading.Thread(
            target=webbrowser.open, args=(address,), name="lorsync-browser", daemon=True
        ).start()


def _code(oauth: WebApplicationClient, address: str, state: str) -> str | LorsyncError | None:
    """Return the code in an address at which the browser ended; None if it is not of this login."""
    query = address.strip().strip("\"'<>").partition("?")[2].partition("#")[0]
    try:
        # The library takes no http address; on this machine it is the one that RFC 8252 wants.
        found = oauth.parse_request_uri_response(f"https://127.0.0.1/?{query}", state=state)
    except MismatchingStateError:
        return None
    except OAuth2Error as error:
        if error.error == "access_denied":
            return CredentialsError("You did not let lorsync in: nothing was stored.")
        return CredentialsError("Google did not let lorsync in: run “lorsync login” again.")
    return str(found["code"])


Judge = Callable[[str], str | LorsyncError | None]
"""Gives the code for an address, an error that ends the login, or None for what is not of it."""


class _Listener:
    """Waits on a free port of 127.0.0.1 for the browser to come back."""

    def __init__(self) -> None:
        listener = socket.create_server((HOST, 0))
        self.loopback = Loopback(listener, self._answer)
        self.address = f"http://{HOST}:{listener.getsockname()[1]}/"
        self._turn = threading.Lock()
        self._judge: Judge = lambda _: None
        self._outcome: str | LorsyncError | None = None
        self._woken, self._waking = socket.socketpair()

    def __enter__(self) -> "_Listener":
        self.loopback.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.loopback.finish(_SAY_SECONDS)
        self._waking.close()
        self._woken.close()

    def judged(self, address: str) -> str | LorsyncError | None:
        """Return what comes of an address, None where it is not of this login; the first counts."""
        with self._turn:
            found = self._judge(address)
            if found is not None and self._outcome is None:
                self._outcome = found
                self._waking.send(b"!")
            return found

    def wait(self, judge: Judge, pasted: TextIO | None, seconds: float) -> str:
        """Return the code that came first, by the browser or by hand."""
        self._judge = judge
        deadline = time.monotonic() + seconds
        # The plain selector takes a file as its input, too, which the others refuse.
        with selectors.SelectSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if pasted is not None:
                selector.register(pasted, selectors.EVENT_READ)
            while self._outcome is None:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise CredentialsError(
                        f"Nobody came back from Google's pages within {seconds / 60:g} minutes: "
                        "run “lorsync login” again."
                    )
                for key, _ in ready:
                    if key.fileobj is pasted and pasted is not None and not self._read(pasted):
                        selector.unregister(pasted)
        if isinstance(self._outcome, LorsyncError):
            raise self._outcome
        return self._outcome

    def _answer(self, connection: socket.socket, address: tuple[str, int]) -> None:
        _Redirected(connection, address, self)

    def _read(self, pasted: TextIO) -> bool:
        """Take a pasted line; False at the end of the input."""
        line = pasted.readline()
        if line.strip() and self.judged(line) is None:
            raise CredentialsError(
                "This is not the address at which the browser ended after this login: run "
                "“lorsync login” again, and paste the whole of it."
            )
        return bool(line)


class _Redirected(BaseHTTPRequestHandler):
    """Answers the browser, and nobody who does not know the state."""

    def __init__(
        self, connection: socket.socket, address: tuple[str, int], listener: _Listener
    ) -> None:
        self._listener = listener
        # Of a server the handlers of the standard library use nothing.
        super().__init__(connection, address, cast("BaseServer", listener))

    def do_GET(self) -> None:
        self._listener.loopback.heard(self.connection)
        outcome = self._listener.judged(self.path) if urlsplit(self.path).path == "/" else None
        if outcome is None:
            self.send_error(404)
            return
        said = str(outcome) if isinstance(outcome, LorsyncError) else "lorsync is let in."
        page = _PAGE.format(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing: the address holds the code."""
