"""What others wrote is shown without what a terminal would act on or hide."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorsync.core.display import EXCERPT, excerpt, in_json, visible

ACTED_ON = {
    "an escape": "\x1b[2J",
    "a title of the window": "\x1b]0;you are root\x07",
    "a link": "\x1b]8;;https://example.org\x1b\\",
    "C1, which some terminals take for ESC [": "\x9b31m",
    "a return over the line": "\rAll is well",
    "a backspace": "\b\b\b",
    "an override": "\u202efdp.exe",
    "an isolate": "\u2066x\u2069",
    "a mark without a width": "pass\u200bword",
    "a byte order mark": "\ufeff",
    "tags": "\U000e0041\U000e007f",
    "a separator of lines": "\u2028",
}


@pytest.mark.parametrize("text", ACTED_ON.values(), ids=ACTED_ON.keys())
def test_what_a_terminal_acts_on_or_hides_is_left_out(text: str) -> None:
    for fit in (visible(text), excerpt(text)):
        assert not [m for m in fit if unicodedata.category(m) in {"Cc", "Cf", "Zl", "Zp"}]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Ana Ruiz · 12 Sep",
        "ד״ר נועה לוי",
        "क्\u200dष",  # the joiner makes half of the letter
        "👩\u200d🏫 ✓\ufe0f",
        "name\u200e",  # which the picture on a terminal puts behind a name from right to left
        "two\n\tlines",
    ],
)
def test_what_languages_need_stays(text: str) -> None:
    assert visible(text) == text


def test_an_excerpt_is_one_line_of_a_limited_length() -> None:
    assert excerpt("Ask \r\n  Dr.\x85Ruiz\u2029 \x00 now") == "Ask Dr. Ruiz now"
    assert excerpt("x" * 300_000) == "x" * (EXCERPT - 1) + "…"
    assert len(excerpt("e" + "\u0301" * 300_000)) <= EXCERPT
    assert excerpt("a long name", 6) == "a lon…"


def test_a_byte_that_is_no_utf_8_can_be_printed() -> None:
    assert visible(b"caf\xe9".decode(errors="surrogateescape")).encode() == "caf\ufffd".encode()


@given(st.text(st.characters(exclude_categories=())))
def test_json_means_the_same_and_holds_nothing_that_a_terminal_acts_on(text: str) -> None:
    shown = in_json(json.dumps({"title": text}, ensure_ascii=False))
    assert json.loads(shown) == {"title": text}
    assert visible(shown) == shown
