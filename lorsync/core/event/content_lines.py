"""The content lines of an iCalendar body, each kept as it came (RFC 5545 section 3.1).

A library that parses a body and writes it again changes some of what is not its own: it drops an
ATTENDEE whose CN holds a quote, escapes the commas of RESOURCES, makes U+FFFD of a Latin-1 byte. So
a body is split into its lines here, a few of them are replaced, and all others stay byte for byte.

Every step takes time in proportion to the body: other programs write it, at any length.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_CRLF: Final = b"\r\n"
_LONGEST: Final = 74
"""Octets of a line until it is folded: 75 with the blank of a fold (RFC 5545 section 3.1)."""

_DEEPEST: Final = 8
"""How deep components may lie in one another; VALARM in VEVENT in VCALENDAR is three."""

# Possessive quantifiers: a line whose quotes do not match would be tried in every way.
_WHOLE_LINE = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)")
_FOLD = re.compile(rb"\r?\n[ \t]")
_NAME = re.compile(rb"(?:\xef\xbb\xbf)?([A-Za-z0-9-]+)(?=[;:])")
_PARAMETERS = re.compile(rb'(?:[^:"]++|"[^"]*+")*+:')
_PARAMETER = re.compile(rb';([A-Za-z0-9-]+)=((?:[^;"]++|"[^"]*+")*+)')
_ESCAPED = re.compile(r"\\([\\;,nN])")
_TO_ESCAPE = re.compile(r"[\\;,\n]")


class MalformedError(ValueError):
    """Meet a body whose components do not begin and end as they should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentLine:
    """One content line: its bytes with folds and line end, and its name in upper case.

    The name is empty for what is no content line, such as a blank line.
    """

    raw: bytes
    name: str

    @property
    def value(self) -> bytes:
        """What stands behind the name and its parameters, unfolded."""
        return self._halves[1]

    @property
    def text(self) -> str:
        """The value as text, unescaped (RFC 5545 section 3.3.11); U+FFFD for what is no UTF-8."""
        return unescaped(self.value.decode(errors="replace"))

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters by their names in upper case, without quotes."""
        return {
            each[1].decode().upper(): each[2].decode(errors="replace").replace('"', "")
            for each in _PARAMETER.finditer(self._halves[0])
        }

    @property
    def _halves(self) -> tuple[bytes, bytes]:
        line = unfolded(self.raw).rstrip(_CRLF)
        name = _NAME.match(line)
        if name is None:
            return b"", b""
        head = _PARAMETERS.match(line, name.end())
        # Where the quotes of a parameter do not match, the first colon has to do.
        end = head.end() if head is not None else line.find(b":") + 1
        return line[name.end() : end - 1], line[end:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component: its lines and the components in it, in their order, from BEGIN to END.

    A whole body is a component without a name, and has neither.
    """

    name: str
    items: tuple["ContentLine | Component", ...]

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return b"".join(item.raw for item in self.items)

    @property
    def line_end(self) -> bytes:
        """How its first line ends: in CRLF, or in LF alone as editors leave it."""
        return _CRLF if not self.items or self.items[0].raw.endswith(_CRLF) else b"\n"

    def lines(self, *names: str) -> list[ContentLine]:
        """Return its own lines with these names."""
        return [i for i in self.items if isinstance(i, ContentLine) and i.name in names]

    def text(self, name: str) -> str:
        """Return the text of its first line with this name, empty where there is none."""
        return next((line.text for line in self.lines(name)), "")

    def components(self, name: str) -> list["Component"]:
        """Return the components of this name that lie directly in it."""
        return [i for i in self.items if isinstance(i, Component) and i.name == name]

    def walk(self, name: str) -> Iterator["Component"]:
        """Give all components of this name in it, however deep they lie."""
        for item in self.items:
            if isinstance(item, Component):
                if item.name == name:
                    yield item
                yield from item.walk(name)

    def with_lines(self, lines: Sequence[ContentLine], *, drop: Collection[str]) -> "Component":
        """Return it with these lines in the place of the first of those that ``drop`` names.

        The others of those go as well. Where there are none, the new ones follow all its lines.
        """
        dropped = [isinstance(i, ContentLine) and i.name in drop for i in self.items]
        last = len(self.items) - 1
        behind = (n for n, item in enumerate(self.items) if isinstance(item, Component))
        at = dropped.index(True) if True in dropped else next(behind, last)
        rest = [i for i, goes in zip(self.items[at:], dropped[at:], strict=True) if not goes]
        return replace(self, items=(*self.items[:at], *lines, *rest))

    def with_components(self, found: Sequence["Component"], *, without: str) -> "Component":
        """Return it with these components before its END, and no others of this name."""
        kept = [i for i in self.items if not (isinstance(i, Component) and i.name == without)]
        return replace(self, items=(*kept[:-1], *found, *kept[-1:]))

    def with_each(self, name: str, change: Callable[["Component"], "Component"]) -> "Component":
        """Return it with each component of this name that lies directly in it changed."""
        items = (
            change(item) if isinstance(item, Component) and item.name == name else item
            for item in self.items
        )
        return replace(self, items=tuple(items))

    def exchanged(self, before: "Component", after: "Component") -> "Component":
        """Return it with ``after`` in the place of ``before``, the very object, in it."""
        items = (
            after
            if item is before
            else (item.exchanged(before, after) if isinstance(item, Component) else item)
            for item in self.items
        )
        return replace(self, items=tuple(items))


def unfolded(body: bytes) -> bytes:
    """Return a body, or a part of it, without the folds of its lines."""
    return _FOLD.sub(b"", body)


def content_lines(body: bytes) -> Iterator[ContentLine]:
    """Give the lines of a body one by one, whatever it is."""
    for found in _WHOLE_LINE.finditer(body):
        if found[0]:  # nothing is found behind the last line end
            name = _NAME.match(unfolded(found[0]))
            yield ContentLine(raw=found[0], name="" if name is None else name[1].decode().upper())


def parse(body: bytes) -> Component:
    """Return a body as a component without a name.

    Raises MalformedError where BEGIN and END do not match, or too many lie in one another.
    """
    open_: list[tuple[str, list[ContentLine | Component]]] = [("", [])]
    for line in content_lines(body):
        name = line.value.strip().decode(errors="replace").upper() if line.name in _ENDS else ""
        if line.name == "BEGIN":
            open_.append((name, []))
            if len(open_) > _DEEPEST:
                msg = f"more than {_DEEPEST} components lie in one another"
                raise MalformedError(msg)
        open_[-1][1].append(line)
        if line.name == "END":
            begun, items = open_.pop()
            if not begun or begun != name:
                msg = "BEGIN and END do not match"
                raise MalformedError(msg)
            open_[-1][1].append(Component(name=begun, items=tuple(items)))
    if len(open_) != 1:
        msg = "a component does not end"
        raise MalformedError(msg)
    return Component(name="", items=tuple(open_[0][1]))


_ENDS: Final = frozenset({"BEGIN", "END"})


def content_line(name: str, value: bytes, *, line_end: bytes, parameters: str = "") -> ContentLine:
    """Return a content line, folded; ``parameters`` begin with a semicolon where there are any."""
    line = f"{name}{parameters}:".encode() + value
    return ContentLine(raw=(line_end + b" ").join(_folded(line)) + line_end, name=name)


def component(name: str, items: Sequence[ContentLine | Component], *, line_end: bytes) -> Component:
    """Return a component with BEGIN and END around these lines and components."""
    begin = content_line("BEGIN", name.encode(), line_end=line_end)
    end = content_line("END", name.encode(), line_end=line_end)
    return Component(name=name, items=(begin, *items, end))


def escaped(text: str) -> str:
    """Return a text as the value of a property of type TEXT (RFC 5545 section 3.3.11)."""
    return _TO_ESCAPE.sub(lambda found: "\\n" if found[0] == "\n" else f"\\{found[0]}", text)


def unescaped(value: str) -> str:
    """Return the text of a value of type TEXT; a backslash that escapes nothing stays."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def escaped_offset(value: str, offset: int) -> int:
    """Return where in a value of type TEXT the character stands that ``offset`` has in its text."""
    for found in _ESCAPED.finditer(value):
        # So far the offset counts each pair of characters that was passed as two.
        if found.start() >= offset:
            break
        offset += 1
    return offset


def _folded(line: bytes) -> Iterator[bytes]:
    """Cut a line where it has to be folded, never inside of a character of UTF-8."""
    start = 0
    while len(line) - start > _LONGEST:
        end = start + _LONGEST
        # A character has three bytes behind its first at most, which all begin with the bits 10.
        for back in range(4):
            if line[end - back] & 0xC0 != 0x80:
                end -= back
                break
        yield line[start:end]
        start = end
    yield line[start:]
