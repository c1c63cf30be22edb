"""Whatever text comes from a calendar is read in time that grows with it, and not with its square.

Another program writes it, at any length: what takes the square of that stops every pass. CPU time
is measured at two sizes; eight times the text may take three times eight times as long, the square
of it would take sixty-four.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

import pytest

from lorsync.adapters.caldav import xml
from lorsync.core.display import excerpt
from lorsync.core.event.content import EVERY, content_of
from lorsync.core.event.content_lines import escaped
from lorsync.core.event.ical import UnreadableError, acknowledge, read, rewrite
from lorsync.core.event.stamp import peek, stamped_day
from lorsync.core.event.title_ticks import find_tick, stated_facts, with_stated
from lorsync.core.facts import Fact
from lorsync.core.merge.aliases import Names
from lorsync.core.merge.memory import Memory, learn
from lorsync.core.merge.memory_text import is_all_read, read_memory, text_of
from lorsync.core.model import Kind, LetterId, MentorId
from tests.unit.core.test_ical import ALL_DAY, NEW_YORK, UID, body, event

pytestmark = pytest.mark.slow

SMALL: Final = 1000
TIMES: Final = 8
SLACK: Final = 3.0
NOISE_SECONDS: Final = 0.05

TEXTS: Final[dict[str, Callable[[int], str]]] = {
    "tags in tags": lambda n: "<" * n + "b>" * n,
    "tags cut off": lambda n: "<b " * n,
    "entities": lambda n: "&lt;" * n,
    "entities of entities": lambda n: "&" + "amp;" * n,
    "style never closed": lambda n: "<style>" * n,
    "style half closed": lambda n: "<style>" * n + "</style" * n,
    "comments never closed": lambda n: "<!--" * n,
    "comments": lambda n: "<!-- -->" * n,
    "document types": lambda n: "<!a" * n,
    "attributes never closed": lambda n: '<a b="' * n,
    "attributes without end": lambda n: "<a " + "b=c " * n,
    "attributes with tags": lambda n: "<a" + ' b="<a"' * n,
    "blanks in a tag": lambda n: "<a" + " " * n,
    "opening lines": lambda n: "--- lorsync ---" * n,
    "stamps cut off": lambda n: "--- lorsync ---" + "--- planned 2027-01-01 · " * n,
    "stamps": lambda n: "--- lorsync ---" + "--- planned 2027-01-01 · 0123456789ab ---" * n,
    "a stamp's day": lambda n: "--- lorsync --- --- planned " + "x 11:11" * n,
    "ticks": lambda n: "✓ asked 1 Sep · " * n,
    "ticks without a separator": lambda n: "✓ asked 1 Sep" * n,
    "marks": lambda n: "✓\ufe0f " * n,
    "boxes": lambda n: "[ x" * n,
    "stated facts": lambda n: "Stated in the title: asked on " * n,
    "words of a stated fact": lambda n: "Stated in the title: " + "on " * n,
    "blanks": lambda n: "a" + " " * n + "b",
    "unseen marks": lambda n: "a" + "\u200b" * n + "b",
    "marks upon marks": lambda n: "a" + "\u0301\u0323" * n,
    "backslashes": lambda n: "\\" * n,
    "line ends": lambda n: "\n" * n,
    "commas": lambda n: "a," * n,
}

LINES: Final[dict[str, Callable[[int], bytes]]] = {
    "CATEGORIES": lambda n: b"CATEGORIES:" + b"a," * n + b"\r\n",
    "CATEGORIES each": lambda n: b"CATEGORIES:a\r\n" * n,
    "ATTENDEE": lambda n: b'ATTENDEE;CN="a\\"b":mailto:a@example.org\r\n' * n,
    "X-": lambda n: b"X-A:b\r\n" * n,
    "X- long": lambda n: b"X-A:" + b"b\\n" * n + b"\r\n",
    "X- quotes": lambda n: b"X-A" + b';B="' * n + b"\r\n",
    "X- folded": lambda n: b"X-A:" + b"\r\n b" * n + b"\r\n",
    "parameters": lambda n: b"DESCRIPTION" + b";A=B" * n + b":c\r\n",
    "SUMMARY": lambda n: b"SUMMARY:a\r\n" * n,
    "DESCRIPTION": lambda n: b"DESCRIPTION:--- lorsync ---\r\n" * n,
    "SEQUENCE": lambda n: b"SEQUENCE:" + b"9" * n + b"\r\n",
    "DTSTART": lambda n: b"DTSTART;VALUE=DATE:20270101\r\n" * n,
    "DURATION": lambda n: b"DURATION:P" + b"9" * n + b"D\r\n",
    "RRULE": lambda n: b"RRULE:FREQ=DAILY" + b";X=1" * n + b"\r\n",
    "RDATE": lambda n: b"RDATE:20270101T000000Z\r\n" * n,
    "blank lines": lambda n: b"\r\n" * n,
    "components": lambda n: b"BEGIN:X\r\nEND:X\r\n" * n,
    "components in components": lambda n: b"BEGIN:X\r\n" * n + b"END:X\r\n" * n,
    "alarms": lambda n: (
        b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\n" * (n // 4)
    ),
    "alarms of the client": lambda n: b"BEGIN:VALARM\r\nACTION:NONE\r\nEND:VALARM\r\n" * (n // 4),
    "triggers": lambda n: (
        b"BEGIN:VALARM\r\n" + b"TRIGGER:-PT1H\r\n" * n + b"TRIGGER:-PT" + b"1" * n
        + b"\r\nEND:VALARM\r\n"
    ),
}  # fmt: skip

ZONES: Final[dict[str, Callable[[int], bytes]]] = {
    "days of change": lambda n: b"RDATE:20270101T000000\r\n" * n,
    "rules": lambda n: b"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n" * n,
    "rule": lambda n: b"RRULE:FREQ=YEARLY" + b";BYMONTH=3" * n + b"\r\n",
}

HEAD: Final = f"season {'a' * 32}\napplicant Maya\ncycle 2028\nconfig abc by def\n"
MEMORIES: Final[dict[str, Callable[[int], str]]] = {
    "mentors": lambda n: "\n".join(f"mentor m{i} writes l{i}" for i in range(n)),
    "letters": lambda n: "mentor m writes " + ",".join(f"l{i}" for i in range(n)),
    "former": lambda n: "\n".join(f"mentor m{i} wrote l{i}" for i in range(n)),
    "events": lambda n: "\n".join(
        f"mentor m{i} writes l{i}\npast deadline of l{i} on 2027-01-01 for l{i} as {i:032x}"
        for i in range(n)
    ),
    "ticks": lambda n: f"ticked talk of m on 2027-01-01 as {'b' * 32}" + " asked=2027-01-01" * n,
    "marks": lambda n: "\n".join(
        f"said asked of l{i} on 2027-01-01 at 2027-01-01T00:00:00+00:00" for i in range(n)
    ),
    "doubts": lambda n: "\n".join(f"unsure m{i} since 2027-01-01T00:00:00Z" for i in range(n)),
    "yours": lambda n: "\n".join(f"yours date,alarms of {i:032x}" for i in range(n)),
    "retired": lambda n: "\n".join(f"retired {i:032x}" for i in range(n)),
    "folded": lambda n: " ".join(f"retired {i:032x}" for i in range(n)),
    "words": lambda n: "season " * n,
    "closed": lambda n: "closed for season " * n,
}

HREFS: Final[dict[str, Callable[[int], str]]] = {
    "percent signs": lambda n: "/a/" + "%" * n,
    "percent-encoded": lambda n: "/a/" + "%41" * n,
    "slashes": lambda n: "/" * n,
    "dots": lambda n: "/.." * n,
    "at signs": lambda n: "//" + "@" * n,
}


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that something takes."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def grows_with_its_size(work: Callable[[int], Callable[[], object]]) -> None:
    """Hold the time of a small and of a large text against each other; a second try counts."""
    small, large = work(SMALL), work(SMALL * TIMES)
    most = max(seconds(small) for _ in range(3)) * TIMES * SLACK + NOISE_SECONDS
    took = seconds(large)
    assert took < most or (took := seconds(large)) < most, (took, most)


def put(name: str, text: str) -> bytes:
    """Return an event of ours with another text for a property."""
    lines = body().replace(b"\r\n ", b"").split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{name}:".encode()))
    lines[at] = f"{name}:{escaped(text)}".encode()
    return b"\r\n".join(lines)


def used(written: bytes) -> None:
    """Do with a body what a pass does: read it, rewrite it, settle a tick, glance at it."""
    content = content_of(event(text="New"), ALL_DAY)
    peek(written)
    try:
        read(written, UID, NEW_YORK)
    except UnreadableError:
        return
    rewrite(written, content, sequence=1, properties=EVERY)
    acknowledge(written, UID, sequence=1, title="✓ asked", facts=[(Fact.ASKED, date(2027, 1, 1))])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_title_is_read_in_time_that_grows_with_it(text: Callable[[int], str]) -> None:
    def work(size: int) -> Callable[[], object]:
        title = text(size)
        written = put("SUMMARY", title)

        def do() -> None:
            used(written)
            excerpt(title)
            find_tick(title, Kind.REQUEST, is_known=lambda _: False, today=date(2027, 1, 1))

        return do

    grows_with_its_size(work)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_description_is_read_in_time_that_grows_with_it(text: Callable[[int], str]) -> None:
    block = content_of(event(), ALL_DAY).block

    def work(size: int) -> Callable[[], object]:
        told = text(size)
        around = put("DESCRIPTION", f"{told}\n{block}\n{told}")
        inside = put("DESCRIPTION", block.replace("Letters", told))

        def do() -> None:
            used(around)
            used(inside)
            stamped_day(told)
            stated_facts(told)
            with_stated(told, [])

        return do

    grows_with_its_size(work)


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_other_lines_are_read_in_time_that_grows_with_them(lines: Callable[[int], bytes]) -> None:
    behind = b"TRANSP:TRANSPARENT\r\n"

    def work(size: int) -> Callable[[], object]:
        written = body().replace(behind, behind + lines(size))
        return lambda: used(written)

    grows_with_its_size(work)


@pytest.mark.parametrize("rules", ZONES.values(), ids=ZONES)
def test_a_time_zone_is_read_in_time_that_grows_with_it(rules: Callable[[int], bytes]) -> None:
    def work(size: int) -> Callable[[], object]:
        zone = (
            b"BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\n"
            b"TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\n%bEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        ) % rules(size)
        timed = body().replace(b"DTSTART;VALUE=DATE:20270730", b"DTSTART;TZID=Mine:20270730T080000")
        written = timed.replace(b"BEGIN:VEVENT", zone + b"BEGIN:VEVENT")
        return lambda: used(written)

    grows_with_its_size(work)


@pytest.mark.parametrize("lines", MEMORIES.values(), ids=MEMORIES)
def test_a_memory_is_read_in_time_that_grows_with_it(lines: Callable[[int], str]) -> None:
    def work(size: int) -> Callable[[], object]:
        text = HEAD + lines(size)

        def do() -> None:
            memory = read_memory(text)
            assert memory is not None
            is_all_read(text)
            text_of(memory)
            learned_from(memory)

        return do

    grows_with_its_size(work)


def learned_from(memory: Memory) -> None:
    """Learn all that a memory has to say, by a ledger that knows nothing."""
    assert memory.points
    learn(
        memory,
        before=None,
        entries={},
        retired=frozenset(),
        marks=(),
        members={MentorId("x"): (LetterId("y"),)},
        names=Names(mentors={}, letters={}, writers={}),
        href_for=str,
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("href", HREFS.values(), ids=HREFS)
def test_an_href_is_read_in_time_that_grows_with_it(href: Callable[[int], str]) -> None:
    def work(size: int) -> Callable[[], object]:
        long = href(size)
        each = "<D:response><D:href>%s</D:href></D:response>"
        listed = "".join(each % f"/a/{number}.ics" for number in range(size))
        answer = f'<D:multistatus xmlns:D="DAV:">{listed}{each % long}</D:multistatus>'.encode()

        def do() -> None:
            status = xml.multistatus(xml.parse(answer))
            assert status is not None
            assert status.of("/a/") is None

        return do

    grows_with_its_size(work)
