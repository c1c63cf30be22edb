"""Access tokens: ahead of their end, once after a refusal, one for eight writers, never shown."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lorsync.adapters.caldav.forms import FormAnswer
from lorsync.adapters.caldav.transport import Transport
from lorsync.adapters.google import Login, tokens_for
from lorsync.adapters.google.tokens import GoogleTokens
from lorsync.core.errors import (
    CredentialsError,
    LoginRefusedError,
    LorsyncError,
    TryAgainError,
    UnavailableError,
)
from tests.unit.adapters.caldav.conftest import Hostile, Reply, Request

pytestmark = pytest.mark.once  # what they add is of the wire, whatever the Python

LOGIN = Login(client_id="id", client_secret="client-geheim", refresh_token="refresh-geheim")
HOUR = 3600.0


class Endpoint:
    """A token endpoint that counts, and a clock that is set."""

    def __init__(self, lifetime: float = HOUR) -> None:
        self.now, self.lifetime, self.asked = 0.0, lifetime, 0
        self.answer: Callable[[], FormAnswer] = self.grant
        self.tokens = GoogleTokens(LOGIN, post=self._post, clock=lambda: self.now)

    def grant(self) -> FormAnswer:
        token = {"access_token": f"access-{self.asked}", "expires_in": self.lifetime}
        return FormAnswer(status=200, text=json.dumps({**token, "token_type": "Bearer"}))

    def _post(self, url: str, form: str) -> FormAnswer:
        assert url == "https://oauth2.googleapis.com/token"
        assert "refresh_token=refresh-geheim" in form
        self.asked += 1
        return self.answer()


def refuse(code: str, status: int = 400) -> Callable[[], FormAnswer]:
    return lambda: FormAnswer(status=status, text=json.dumps({"error": code}))


@pytest.mark.parametrize(("lifetime", "good_until"), [(HOUR, HOUR - 300), (100.0, 75.0)])
def test_token_is_renewed_ahead_of_its_end(lifetime: float, good_until: float) -> None:
    endpoint = Endpoint(lifetime)
    assert endpoint.tokens.current() == "access-1"
    endpoint.now = good_until - 1
    assert endpoint.tokens.current() == "access-1"
    endpoint.now = good_until
    assert endpoint.tokens.current() == "access-2"


@pytest.mark.parametrize(
    ("said", "good_until"),
    [
        ('"7200"', 6900.0),
        *[
            (odd, HOUR - 300)
            for odd in (
                "null",
                '"soon"',
                "[1]",
                "1e999",
                "NaN",
                "-5",
                "9" * 400,
                '"' + "9" * 5000 + '"',
            )
        ],
    ],
)
def test_lifetime_that_is_odd_or_missing_renews_no_token_before_each_request(
    said: str, good_until: float
) -> None:
    endpoint = Endpoint()
    text = f'{{"access_token": "a", "scope": 5, "expires_in": {said}}}'
    endpoint.answer = lambda: FormAnswer(status=200, text=text)
    assert endpoint.tokens.current() == "a"
    endpoint.now = good_until - 1
    endpoint.tokens.current()
    assert endpoint.asked == 1
    endpoint.now = good_until
    endpoint.tokens.current()
    assert endpoint.asked == 2


def test_refresh_token_that_takes_anothers_place_is_used_and_kept() -> None:
    forms: list[str] = []

    def post(_: str, form: str) -> FormAnswer:
        forms.append(form)
        said = {"access_token": "a", "expires_in": 100, "refresh_token": f"next-{len(forms)}"}
        return FormAnswer(status=200, text=json.dumps(said))

    kept: list[Login] = []
    tokens = GoogleTokens(LOGIN, post=post)
    tokens.kept_by(kept.append)
    tokens.current()
    tokens.renewed("a")
    assert "refresh_token=refresh-geheim" in forms[0]
    assert "refresh_token=next-1" in forms[1]
    assert [login.refresh_token for login in kept] == ["next-1", "next-2"]
    assert tokens.login == kept[-1]


def test_eight_writers_renew_a_refused_token_once() -> None:
    endpoint = Endpoint()
    refused = endpoint.tokens.current()
    start = threading.Barrier(8)

    def renew(_: int) -> str:
        start.wait(120)
        return endpoint.tokens.renewed(refused)

    with ThreadPoolExecutor(8) as writers:
        assert set(writers.map(renew, range(8))) == {"access-2"}
    assert endpoint.asked == 2


def test_ended_login_says_what_to_run_and_asks_no_more() -> None:
    endpoint = Endpoint()
    endpoint.answer = refuse("invalid_grant")
    for _ in range(3):
        with pytest.raises(LoginRefusedError) as caught:
            endpoint.tokens.current()
        message = str(caught.value)
        assert "Google has ended the login." in message
        assert "7 days" in message
        assert "half a year" in message
        assert caught.value.exit_code == 77
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    assert endpoint.asked == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refuse("invalid_client", 401), LoginRefusedError),
        (refuse("\x1b[31mevil <geheim>"), LoginRefusedError),
        (refuse("GOCSPX_geheim1"), LoginRefusedError),
        (refuse("rate_limit_exceeded", 429), TryAgainError),
        (lambda: FormAnswer(status=503, text=""), TryAgainError),
        (lambda: FormAnswer(status=200, text="<html>Welcome to the hotel"), UnavailableError),
        (lambda: FormAnswer(status=200, text="access_token=geheim&x=1"), UnavailableError),
        (lambda: FormAnswer(status=200, text='{"access_token": ""}'), UnavailableError),
        (lambda: FormAnswer(status=200, text='["geheim"]'), UnavailableError),
        (lambda: FormAnswer(status=302, text=""), UnavailableError),
        (lambda: FormAnswer(status=200, text='{"access_token": {"a": 1}}'), UnavailableError),
        (lambda: FormAnswer(status=200, text='{"access_token": "a\\r\\nX: y"}'), UnavailableError),
        (lambda: FormAnswer(status=200, text='{"access_token": "\\ud800"}'), UnavailableError),
        (
            lambda: FormAnswer(status=200, text='{"access_token": "a", "refresh_token": 5}'),
            UnavailableError,
        ),
    ],
)
def test_each_answer_is_one_plain_error(
    answer: Callable[[], FormAnswer], kind: type[LorsyncError]
) -> None:
    endpoint = Endpoint()
    endpoint.answer = answer
    with pytest.raises(LorsyncError) as caught:
        endpoint.tokens.current()
    assert type(caught.value) is kind
    assert "geheim" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", [TryAgainError, UnavailableError])
def test_trouble_that_passes_ends_no_login(kind: type[LorsyncError]) -> None:
    endpoint = Endpoint()
    status = 503 if kind is TryAgainError else 200
    endpoint.answer = lambda: FormAnswer(status=status, text="")
    with pytest.raises(kind):
        endpoint.tokens.current()
    endpoint.answer = endpoint.grant
    assert endpoint.tokens.current() == "access-2"


def test_tokens_are_the_same_from_pass_to_pass() -> None:
    assert tokens_for(Login.from_line(LOGIN.to_line())) is tokens_for(LOGIN)


def test_login_shows_nothing_of_itself() -> None:
    assert "geheim" not in repr(LOGIN)
    assert Login.from_line(LOGIN.to_line()) == LOGIN
    assert "\n" not in LOGIN.to_line()


@pytest.mark.parametrize(
    "line", ["1//refresh-geheim", "{}", '{"client_id": "geheim"}', '["geheim"]', "[" * 5000]
)
def test_line_that_is_no_login_is_said_so(line: str) -> None:
    with pytest.raises(CredentialsError, match="Run “lorsync login”") as caught:
        Login.from_line(line)
    assert "geheim" not in str(caught.value)
    assert caught.value.__context__ is None


# On the wire


def serving(hostile: Hostile, endpoint: Endpoint, good: Callable[[str], bool]) -> Transport:
    def answer(request: Request) -> Reply:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        assert kind == "Bearer"
        return Reply(status=200 if good(token) else 401, headers={"WWW-Authenticate": "Bearer"})

    hostile.answer = answer
    return Transport(hostile.url, username="", password="", tokens=endpoint.tokens)


def test_request_is_repeated_once_with_another_token(hostile: Hostile) -> None:
    endpoint = Endpoint()
    transport = serving(hostile, endpoint, lambda token: token == "access-2")
    assert transport.send("GET", hostile.url).status == 200
    assert transport.send("GET", hostile.url).status == 200
    assert (endpoint.asked, len(hostile.requests)) == (2, 3)
    transport.close()


def test_second_refusal_ends_it(hostile: Hostile) -> None:
    endpoint = Endpoint()
    transport = serving(hostile, endpoint, lambda _: False)
    with pytest.raises(CredentialsError, match="refuses the login") as caught:
        transport.send("GET", hostile.url)
    assert (endpoint.asked, len(hostile.requests)) == (2, 2)
    assert caught.value.__context__ is None
    assert "access-" not in str(caught.value)
    transport.close()


def test_eight_writers_on_the_wire_survive_the_end_of_a_token(hostile: Hostile) -> None:
    endpoint = Endpoint()
    ended = threading.Event()
    transport = serving(hostile, endpoint, lambda token: token == "access-2" or not ended.is_set())
    assert transport.send("GET", hostile.url).status == 200
    ended.set()
    with ThreadPoolExecutor(8) as writers:
        answers = list(writers.map(lambda _: transport.send("PUT", hostile.url), range(32)))
    assert {answer.status for answer in answers} == {200}
    assert endpoint.asked == 2
    transport.close()


def test_token_stays_on_its_host(hostile: Hostile) -> None:
    endpoint = Endpoint()
    transport = Transport(hostile.url, username="", password="", tokens=endpoint.tokens)
    hostile.always(Reply(status=307, headers={"Location": "http://127.0.0.1:9/"}))
    with pytest.raises(UnavailableError, match="not sent there"):
        transport.send("GET", hostile.url)
    transport.close()
