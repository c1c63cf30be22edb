"""The VEVENTs that lorsync writes: RFC 5545, the same bytes each time, read by others (I8)."""

import contextlib
import html
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import example, given
from hypothesis import strategies as st

from lorsync.core.event.content import EVERY, Property, content_of
from lorsync.core.event.ical import UnreadableError, acknowledge, read, release, rewrite, write
from lorsync.core.facts import Fact
from lorsync.core.model import Alarm, Event, EventStyle, Identity, Kind, LetterId, MentorId, Uid

NEW_YORK = ZoneInfo("America/New_York")
GOLDEN = Path(__file__).parent / "golden"
ALL_DAY = EventStyle(
    zone=NEW_YORK,
    alarms=(Alarm(days_before=0, at=time(9)), Alarm(days_before=1, at=time(18))),
)
TIMED = replace(ALL_DAY, at=time(8, 30))
UID = Uid("lorsync-0123456789abcdef0123456789abcdef")


def event(
    *,
    day: date = date(2027, 7, 30),
    summary: str = "Ask Dr. Novák for a letter, due 10 Sep",
    text: str = "Letters to ask for:\n- narrative letter; due 10 Sep 2027, “soon” 🦉",
) -> Event:
    return Event(
        uid=UID,
        identity=Identity(kind=Kind.REQUEST, subject=MentorId("novak"), slot="1"),
        mentor=MentorId("novak"),
        letters=(LetterId("novak-research"),),
        day=day,
        summary=summary,
        text=lambda: text,
    )


def body(style: EventStyle = ALL_DAY, **fields: object) -> bytes:
    return write([content_of(event(**fields), style)])


@pytest.mark.parametrize(("name", "style"), [("all-day", ALL_DAY), ("timed", TIMED)])
def test_the_bytes_are_those_of_the_golden_file(name: str, style: EventStyle) -> None:
    assert body(style) == (GOLDEN / f"{name}.ics").read_bytes()


@given(summary=st.text(min_size=1, max_size=90), text=st.text(max_size=600))
def test_lines_end_in_crlf_and_are_folded_at_75_octets_without_cutting_a_character(
    summary: str, text: str
) -> None:
    written = body(summary=summary, text=text)
    assert written.endswith(b"\r\n")
    lines = written.split(b"\r\n")
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()


@example(summary="Ask Dr. Chen\u200b", text="")
@example(summary="\u200b", text="")
@given(summary=st.text(min_size=1, max_size=90), text=st.text(max_size=600))
def test_what_was_written_reads_back_the_same_and_untouched(summary: str, text: str) -> None:
    written = body(summary=summary, text=text)
    reading = read(written, UID, NEW_YORK)
    assert not reading.touched
    content = content_of(event(summary=summary, text=text), ALL_DAY)
    assert reading.meaning.digests == content.digests
    again = rewrite(written, content, sequence=1, properties=EVERY)
    assert read(again, UID, NEW_YORK).meaning.digests == content.digests


def test_an_all_day_event_ends_on_the_next_day_and_blocks_no_time() -> None:
    found = vobject.readOne(body().decode()).vevent
    assert found.dtstart.value == date(2027, 7, 30)
    assert found.dtend.value == date(2027, 7, 31)
    assert found.transp.value == "TRANSPARENT"


def test_alarms_of_an_all_day_event_count_from_its_midnight() -> None:
    alarms = vobject.readOne(body().decode()).vevent.valarm_list
    assert sorted(alarm.trigger.value for alarm in alarms) == [
        timedelta(hours=-6),
        timedelta(hours=9),
    ]


@pytest.mark.parametrize(
    ("day", "instant", "evening_before"),
    [
        (date(2027, 3, 13), datetime(2027, 3, 13, 13, 30, tzinfo=UTC), timedelta(hours=-14.5)),
        # The clock goes forward in this night, so the evening before is an hour nearer.
        (date(2027, 3, 14), datetime(2027, 3, 14, 12, 30, tzinfo=UTC), timedelta(hours=-13.5)),
        (date(2027, 11, 7), datetime(2027, 11, 7, 13, 30, tzinfo=UTC), timedelta(hours=-15.5)),
    ],
)
def test_a_timed_event_stands_at_the_wall_clock_also_when_the_clocks_change(
    day: date, instant: datetime, evening_before: timedelta
) -> None:
    found = vobject.readOne(body(TIMED, day=day).decode()).vevent
    assert found.dtstart.value == instant
    assert found.dtend.value == instant + timedelta(minutes=30)
    assert min(alarm.trigger.value for alarm in found.valarm_list) == evening_before


def test_a_text_that_breaks_readers_is_mended() -> None:
    written = body(summary="  \u2028 ", text="a\u2028b\x0bc\x00d\re")
    found = vobject.readOne(written.decode()).vevent
    assert found.summary.value == "(untitled)"
    assert "a\nb\ncd\ne" in found.description.value


def test_s2_only_the_properties_that_are_named_are_written() -> None:
    theirs = body().replace(b"ACTION:DISPLAY", b"ACKNOWLEDGED:20270701T000000Z\r\nACTION:DISPLAY")
    theirs = theirs.replace(b"SUMMARY:Ask", b"X-THEIRS:1\r\nSUMMARY:Mine: ask")
    content = content_of(event(day=date(2027, 8, 6), text="New text"), ALL_DAY)
    updated = rewrite(theirs, content, sequence=3, properties={Property.DATE, Property.TEXT})
    assert updated.count(b"ACKNOWLEDGED") == 2
    assert b"SUMMARY:Mine: ask" in updated
    assert b"X-THEIRS:1" in updated
    assert b"SEQUENCE:3\r\n" in updated
    reading = read(updated, UID, NEW_YORK)
    assert reading.meaning.start == date(2027, 8, 6)
    assert reading.touched == {Property.TITLE}


def test_s12_the_block_is_replaced_in_its_place_and_what_is_around_it_stays() -> None:
    around = body().replace(b"DESCRIPTION:", b"DESCRIPTION:Ask Ortiz.\\n\\n")
    around = around.replace(b" ---\r\nTRANSP", b" ---\\nRing twice.\r\nTRANSP")
    content = content_of(event(text="New text"), ALL_DAY)
    updated = rewrite(around, content, sequence=1, properties={Property.TEXT})
    description = vobject.readOne(updated.decode()).vevent.description.value
    assert description.startswith("Ask Ortiz.\n\n--- lorsync ---\nNew text\n--- planned")
    assert description.endswith(" ---\nRing twice.")
    assert read(updated, UID, NEW_YORK).meaning.extras == ("notes",)
    assert not read(updated, UID, NEW_YORK).touched


def test_s12_markers_are_found_in_html_and_never_doubled() -> None:
    written = body().decode().replace("\r\n ", "")
    lines = written.split("\r\n")
    (at,) = [i for i, line in enumerate(lines) if line.startswith("DESCRIPTION:---")]
    text = lines[at].removeprefix("DESCRIPTION:").replace("\\n", "<br>")
    lines[at] = f"DESCRIPTION:<p>Mine</p>{text}<br><b>after</b>"
    as_html = "\r\n".join(lines).encode()
    assert not read(as_html, UID, NEW_YORK).touched
    content = content_of(event(text="a < b"), ALL_DAY)
    updated = rewrite(as_html, content, sequence=1, properties={Property.TEXT})
    assert updated.count(b"--- lorsync ---") == 1
    assert b"a &lt\\; b" in updated.replace(b"\r\n ", b"")
    assert b"<b>after</b>" in updated.replace(b"\r\n ", b"")
    assert not read(updated, UID, NEW_YORK).touched


def test_s12_damaged_markers_make_the_description_theirs() -> None:
    damaged = body().replace(b"--- planned", b"--- plannd")
    # A stamp that is not there vouches for nothing.
    stamped = {Property.DATE, Property.TITLE, Property.TEXT}
    assert read(damaged, UID, NEW_YORK).touched == stamped
    content = content_of(event(text="New text"), ALL_DAY)
    updated = rewrite(damaged, content, sequence=1, properties={Property.TEXT})
    assert b"New text" not in updated


def test_s10_a_released_event_keeps_the_words_and_loses_the_alarms() -> None:
    released = release(body(), UID, sequence=2)
    found = vobject.readOne(released.decode()).vevent
    assert found.summary.value.startswith("Not needed: Ask Dr. Novák")
    assert not hasattr(found, "valarm")


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        (
            (b"20270730\r\nDTEND;VALUE=DATE:20270731", b"20270802\r\nDTEND;VALUE=DATE:20270803"),
            ("date",),
        ),
        ((b"SUMMARY:Ask", b"SUMMARY:Do ask"), ("title",)),
        ((b"DESCRIPTION:", b"DESCRIPTION:Mine first\\n"), ()),
        ((b"--- lorsync ---", b""), ("date", "title", "text")),
        (
            (b"20270730\r\nDTEND;VALUE=DATE:20270731", b"20270730\r\nDTEND;VALUE=DATE:20270803"),
            ("date",),
        ),
        ((b"Letters to ask for", b"Letters to beg for"), ("text",)),
    ],
)
def test_s3_the_stamp_tells_what_a_person_changed(
    change: tuple[bytes, bytes], touched: tuple[str, ...]
) -> None:
    written = body()
    assert change[0] in written
    assert read(written.replace(*change), UID, NEW_YORK).touched == set(touched)


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "a <b",
        "see <https://maya.example/ps> or <maya@maya.example>",
        "a <b and c> d",
        "<name of the program> & <b>leave</b> &amp; more",
        "<b> &lt;i&gt; &amp;lt;u&amp;gt;",
        "<br>",
    ],
)
def test_s3_angle_brackets_in_a_text_are_vouched_for_also_after_html(text: str) -> None:
    written = body(text=text)
    reading = read(written, UID, NEW_YORK)
    assert not reading.touched
    as_html = html.escape(stamped_text(text)).replace("\n", "<br>")
    rewritten = with_description(written, f'<p class="x">{as_html}</p>')
    again = read(rewritten, UID, NEW_YORK)
    assert not again.touched
    assert again.meaning.digests == reading.meaning.digests
    assert again.block is not None
    assert again.block.text == text
    edited = read(with_description(written, stamped_text(text) + "!"), UID, NEW_YORK)
    assert edited.meaning.extras == ("notes",)


def test_s13_an_address_in_angle_brackets_stays_when_the_event_is_acknowledged() -> None:
    said = [(Fact.ASKED, date(2027, 7, 30))]
    written = body(text="see <https://maya.example/ps>")
    ticked = acknowledge(written, UID, sequence=1, title="✓ asked", facts=said)
    description = vobject.readOne(ticked.decode()).vevent.description.value
    assert "see <https://maya.example/ps>" in description
    assert "Stated" in description


def stamped_text(text: str) -> str:
    return content_of(event(text=text), ALL_DAY).block


def with_description(written: bytes, description: str) -> bytes:
    calendar = icalendar.Calendar.from_ical(written)
    (found,) = calendar.walk("VEVENT")
    found.pop("DESCRIPTION")
    found.add("DESCRIPTION", description)
    return bytes(calendar.to_ical())


def test_s1_refolding_and_white_space_are_no_change() -> None:
    written = body()
    refolded = written.replace(b"\r\n ", b"").replace(b"\\n", b" \\n\\n ")
    again = read(refolded, UID, NEW_YORK)
    assert again.meaning.digests == read(written, UID, NEW_YORK).meaning.digests
    assert not again.touched


@given(noise=st.binary(max_size=200))
def test_noise_is_unreadable_and_nothing_worse(noise: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(noise, UID, NEW_YORK)


@given(at=st.integers(min_value=0, max_value=900), noise=st.binary(min_size=1, max_size=4))
def test_a_damaged_event_is_read_or_unreadable_and_nothing_worse(at: int, noise: bytes) -> None:
    written = body()
    at = min(at, len(written) - 1)
    damaged = written[:at] + noise + written[at + 1 :]
    with contextlib.suppress(UnreadableError):
        read(damaged, UID, NEW_YORK)
