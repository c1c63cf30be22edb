"""Keep what requests are signed with out of all that a server says (I10).

Careless servers send a password back: in a redirect, an href, an ETag or an error, as it is or
percent-encoded, or the whole header in Base64. From there it would reach a message, the ledger and
a log, so each answer goes through here before anything reads it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

CONCEALED: Final = "…"
"""What stands where the secret stood. No address holds this as it is, and no ETag at all."""

_LEAST_TO_HIDE: Final = 4
"""Characters of a secret; a shorter one would be found in any sentence."""

_LEAST_TO_CLEAR: Final = 8
"""Characters of a secret that is taken out of addresses too, which are of no use without it."""

_LONGEST_WORD: Final = 15
"""Letters; a password that is one word, such as “recommendation”, may be part of any address."""

_LONGEST_SPELT: Final = 256
"""Characters of a secret that is looked for in every mixture of spellings."""

_ENTITIES: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Veil:
    """Hides one secret, which is sent after ``username`` where that is one (RFC 7617).

    ``known`` is what stands in the config: a password that is part of that is no secret.
    """

    def __init__(
        self, secret: str, *, username: str | None = None, known: Iterable[str] = ()
    ) -> None:
        self._secret = secret
        self._signed = _in_base64(secret, username)
        self._spelt = _spellings(secret) if len(secret) >= _LEAST_TO_HIDE else None
        word = secret.isalpha() and len(secret) <= _LONGEST_WORD
        public = any(secret.casefold() in each.casefold() for each in known)
        self._clears = len(secret) >= _LEAST_TO_CLEAR and not word and not public

    def hidden(self, words: str) -> str:
        """Return words for a person, without the secret in any spelling."""
        for form in self._signed:
            words = words.replace(form, CONCEALED)
        return words if self._spelt is None else self._spelt.sub(CONCEALED, words)

    def cleared(self, value: str) -> str:
        """Return what a server says for a program, such as an href, without the secret."""
        if not self._is_in(value):
            return value
        hidden = self.hidden(value)
        return CONCEALED if self._is_in(hidden) else hidden

    def clear(self, root: Any, *, besides: str) -> None:
        """Take the secret out of an XML document, but not of what is in elements of one name."""
        for element in root.iter():
            if element.tail is not None and self._is_in(element.tail):
                element.tail = self.cleared(element.tail)
            if element.tag == besides:
                continue
            if element.text is not None and self._is_in(element.text):
                element.text = self.cleared(element.text)
            for name, value in element.attrib.items():
                element.set(name, self.cleared(value))

    def unsigned(self, content: bytes) -> bytes:
        """Return an answer without the signature of the request, wherever it was sent back."""
        for form in self._signed:
            content = content.replace(form.encode(), b"")
        return content

    def _is_in(self, text: str) -> bool:
        if any(form in text for form in self._signed):
            return True
        return self._clears and any(self._secret in each for each in _read(text))


def _read(text: str) -> Iterable[str]:
    """Yield a text as it may be meant: with its escapes undone, once and twice."""
    yield text
    if "%" in text:
        yield unquote(text)
        yield unquote(unquote(text))
    if "+" in text:
        yield unquote_plus(text)
    if "&" in text:
        import html  # its table of names is large, and hardly ever needed

        yield html.unescape(text)


def _in_base64(secret: str, username: str | None) -> tuple[str, ...]:
    """Return how the secret looks in Base64, alone and behind anything, in both alphabets."""
    whole = [] if username is None else [b64encode(f"{username}:{secret}".encode()).decode()]
    for before in (b"", b"x", b"xx"):
        # The characters that what stands beside it decides, too, are left out.
        behind = before + secret.encode()
        inside = slice((len(before) * 4 + 2) // 3, len(behind) * 4 // 3)
        whole.append(b64encode(behind).decode()[inside])
    forms = [form.rstrip("=") for form in whole]
    forms += [form.replace("+", "-").replace("/", "_") for form in forms]
    kept = {form for form in forms if len(form) >= _LEAST_TO_CLEAR}
    return tuple(sorted(kept, key=len, reverse=True))


def _spellings(secret: str) -> re.Pattern[str]:
    """Return what finds a secret in any spelling, each of its characters in its own."""
    if len(secret) > _LONGEST_SPELT:
        return re.compile(re.escape(secret))
    return re.compile("".join(f"(?:{'|'.join(_forms(mark))})" for mark in secret))


def _forms(mark: str) -> Iterable[str]:
    """Yield patterns for one character: itself, percent-encoded, as an entity, or as in JSON."""
    yield re.escape(mark)
    yield "".join(f"%(?:25)?(?i:{byte:02x})" for byte in mark.encode())
    yield f"&#0*{ord(mark)};"
    yield f"&#[xX]0*(?i:{ord(mark):x});"
    yield rf"\\u(?i:{ord(mark):04x})"
    if mark == " ":
        yield r"\+"
    if mark in _ENTITIES:
        yield f"&{_ENTITIES[mark]};"
    if mark in '"\\/':
        yield re.escape(f"\\{mark}")
