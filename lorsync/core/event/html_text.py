"""The plain text of a description that a client made HTML of, and where in that it stands (S12).

Google, Nextcloud and mail programs put tags, entities and whole style sheets around what lorsync
wrote. What merely stands in angle brackets, such as an address, is no HTML: it is the text's own.

Each text is gone through once, and no pattern looks ahead further than the next tag: other programs
write it, at any length.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

_ELEMENTS: Final = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|font"
    "|footer|h[1-6]|head|header|hr|html|html-blob|i|img|ins|kbd|label|li|link|mark|meta|o:p|ol|p"
    "|pre|q|s|samp|section|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead"
    "|title|tr|tt|u|ul|var|wbr"
)
_UNSEEN: Final = "head|script|style|title"
"""Elements whose content no reader shows."""

_ATTRIBUTE: Final = r"""\s++[a-z][\w:.-]*+\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>]++)"""
# Possessive quantifiers: what is no tag in the end is not tried in every other way.
_MARK = re.compile(
    r"(?P<comment><!--)"
    r"|<![a-z][^<>]*+>|<\?[a-z][^<>]*+>"
    rf"|<(?P<unseen>{_UNSEEN})(?:{_ATTRIBUTE})*+\s*+/?>"
    rf"|</?(?:{_ELEMENTS})(?:{_ATTRIBUTE})*+\s*+/?>"
    r"|(?P<entity>&(?:\#[0-9]{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br\s*+/?>|</p>|</div>|</li>", re.IGNORECASE)


class _Piece(NamedTuple):
    """A piece of plain text, and where in the HTML it came from.

    ``whole``: it stands for all of that; otherwise it is that, character by character.
    """

    at: int
    begin: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlText:
    """The plain text of a description.

    ``marked``: it has a tag, so that a reader takes it for HTML. ``broken``: its lines end in tags.
    """

    plain: str
    marked: bool
    broken: bool
    _pieces: tuple[_Piece, ...]

    def begin(self, index: int) -> int:
        """Return where in the HTML the character of the plain text at ``index`` begins."""
        piece = self._piece(index)
        return piece.begin if piece.whole else piece.begin + index - piece.at

    def end(self, index: int) -> int:
        """Return where in the HTML the plain text before ``index`` ends; it is not empty."""
        piece = self._piece(index - 1)
        return piece.end if piece.whole else piece.begin + index - piece.at

    def _piece(self, index: int) -> _Piece:
        return self._pieces[bisect_right(self._pieces, index, key=lambda piece: piece.at) - 1]


def html_text(description: str) -> HtmlText:
    """Return the plain text of a description, with its tags gone and its entities undone once."""
    plain: list[str] = []
    pieces: list[_Piece] = []
    length = at = 0
    marked = broken = False
    for begin, end, text in _marks(description):
        for piece, start, stop, whole in (
            (description[at:begin], at, begin, False),
            (text, begin, end, True),
        ):
            if piece:
                pieces.append(_Piece(length, start, stop, whole))
                plain.append(piece)
                length += len(piece)
        at = end
        is_tag = description[begin] == "<"
        marked = marked or is_tag
        broken = broken or (is_tag and text == "\n")
    pieces.append(_Piece(length, at, len(description), whole=False))
    plain.append(description[at:])
    return HtmlText(plain="".join(plain), marked=marked, broken=broken, _pieces=tuple(pieces))


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    """Give each mark of HTML: where it begins and ends, and what is to be read for it."""
    at = 0
    unclosed: set[str] = set()
    while (found := _MARK.search(text, at)) is not None:
        end, read = found.end(), ""
        closing = _closing(found)
        if closing is not None and closing not in unclosed:
            close = re.compile(closing, re.IGNORECASE).search(text, end)
            if close is None:
                unclosed.add(closing)
            else:
                end = close.end()
        if found["comment"] and end == found.end():
            at = end
            continue  # that never ends: it is the text's own
        if found["entity"]:
            read = _character(found["entity"])
        elif _BREAK.fullmatch(found[0]):
            read = "\n"
        yield found.start(), end, read
        at = end


def _closing(found: re.Match[str]) -> str | None:
    """Return the pattern of what ends the content that nobody sees, None where all is seen."""
    if found["comment"]:
        return "-->"
    return rf"</{found['unseen'].lower()}\s*+>" if found["unseen"] else None


def _character(entity: str) -> str:
    import html

    return html.unescape(entity)
