"""What other programs put into an event of ours survives our writing to the byte (S2, S12, S15)."""

import unicodedata
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from lorsync.core.event.content import EVERY, Content, Property, content_of
from lorsync.core.event.content_lines import content_lines, escaped, parse, unescaped
from lorsync.core.event.ical import (
    UnreadableError,
    UnwritableError,
    acknowledge,
    create,
    read,
    release,
    replace_text,
    rewrite,
)
from lorsync.core.event.stamp import stamped
from lorsync.core.facts import Fact
from tests.unit.core.test_ical import ALL_DAY, NEW_YORK, UID, body, event

FOREIGN = (
    b'ATTENDEE;CN="Maria \\"Mia\\" Alvarez":mailto:mia@example.org',
    b"LOCATION:Caf\xe9 Nov\xe1k",
    b"X-NOTE:one\\\\nstill one\\nand two",
    b"RESOURCES:Room\\, big,Projector",
    b"REQUEST-STATUS:2.0;Success;mailto:mia@example.org",
    b"GEO:40.7128;-74.0060",
    b"CATEGORIES;VALUE=BINARY;ENCODING=BASE64:TGV0dGVycw==",
    b"x-lower;P=a:b",
    b"COMMENT:folded\r\n\t here and\r\n  there",
    b"no content line at all",
)
"""Lines that a library changes, drops or fails over when it parses and writes them again."""

LATER = content_of(event(day=date(2027, 8, 6), summary="Ask now", text="New text"), ALL_DAY)
SAID = [(Fact.ASKED, date(2027, 7, 30))]

WRITES: dict[str, Callable[[bytes], bytes]] = {
    "rewrite": lambda old: rewrite(old, LATER, sequence=1, properties=EVERY),
    "release": lambda old: release(old, UID, sequence=1),
    "acknowledge": lambda old: acknowledge(
        old, UID, sequence=1, title="✓ asked 30 Jul · Ask", facts=SAID
    ),
    "replace": lambda old: replace_text(old, UID, stamped("Ask", "2027-07-30", "New text")),
}


def with_lines(*lines: bytes) -> bytes:
    """Return an event of ours with these lines more in it."""
    behind = b"TRANSP:TRANSPARENT\r\n"
    return body().replace(behind, behind + b"".join(line + b"\r\n" for line in lines))


def description_of(written: bytes) -> str:
    """Return a description as another program reads it."""
    found = icalendar.Calendar.from_ical(written).walk("VEVENT")[0]
    return str(found["DESCRIPTION"])


def with_description(written: bytes, description: str, parameters: str = "") -> bytes:
    """Return an event with another description."""
    lines = written.replace(b"\r\n ", b"").split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(b"DESCRIPTION:"))
    lines[at] = f"DESCRIPTION{parameters}:{escaped(description)}".encode()
    return b"\r\n".join(lines)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("line", FOREIGN, ids=lambda line: line[:12].decode(errors="replace"))
def test_s2_a_line_that_is_not_ours_survives_each_write_to_the_byte(
    write: Callable[[bytes], bytes], line: bytes
) -> None:
    written = write(with_lines(line))
    assert b"\r\n" + line + b"\r\n" in written
    assert written != with_lines(line)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_s2_other_components_and_line_ends_survive_each_write_to_the_byte(
    write: Callable[[bytes], bytes],
) -> None:
    zone = b"BEGIN:VTIMEZONE\nTZID:Mine\nX-ODD:a,b\\\nEND:VTIMEZONE\n"
    unix = with_lines(*FOREIGN).replace(b"\r\n", b"\n")
    unix = unix.replace(b"BEGIN:VEVENT\n", zone + b"BEGIN:VEVENT\n")
    written = write(unix)
    assert zone in written
    assert b"\r" not in written


def test_s2_latin_1_in_the_persons_text_survives_to_the_byte() -> None:
    around = body().replace(b"DESCRIPTION:", b"DESCRIPTION:Ring Nov\xe1k\\: 3\\; 4\\n\\\\o/ \\x\\n")
    updated = rewrite(around, LATER, sequence=1, properties=EVERY).replace(b"\r\n ", b"")
    assert b"DESCRIPTION:Ring Nov\xe1k\\: 3\\; 4\\n\\\\o/ \\x\\n--- lorsync ---\\nNew" in updated
    assert read(updated, UID, NEW_YORK).meaning.extras == ("notes",)
    released = release(
        body().replace(b"SUMMARY:Ask", b"SUMMARY:Ask S\xe9an\\: then"),
        UID,
        sequence=1,
    )
    assert b"SUMMARY:Not needed: Ask S\xe9an\\: then" in released


@pytest.mark.parametrize("text", ["C:\\Users\\Nina", "\\n is no \\N", "a\\, b\\; c", "\\"])
def test_s12_a_backslash_in_our_own_text_is_a_backslash_to_every_reader(text: str) -> None:
    content = content_of(event(summary=f"Send {text}", text=text), ALL_DAY)
    written = create(content)
    assert f"\n{text}\n--- planned" in description_of(written)
    found = vobject.readOne(written.decode()).vevent
    assert found.summary.value == f"Send {text}"
    assert f"\n{text}\n--- planned" in found.description.value
    assert not read(written, UID, NEW_YORK).touched


@given(text=st.text(max_size=300))
def test_a_text_is_escaped_and_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(noise=st.binary(max_size=400))
def test_the_lines_of_anything_are_all_of_it(noise: bytes) -> None:
    assert b"".join(line.raw for line in content_lines(noise)) == noise
    written = with_lines(*FOREIGN)
    assert parse(written).raw == written


def test_what_would_not_read_as_it_should_is_never_written() -> None:
    with pytest.raises(UnwritableError, match="SEQUENCE"):
        rewrite(body(), LATER, sequence=2**31 - 1, properties=EVERY)
    ticked = replace(LATER, summary="✓ asked 1 Sep · Ask now")
    with pytest.raises(UnwritableError, match="title"):
        rewrite(body(), ticked, sequence=1, properties={Property.TITLE})
    with pytest.raises(UnwritableError):
        create(ticked)


@pytest.mark.parametrize("sequence", [b"2147483647", b"2147483648", b"9" * 5000])
def test_a_sequence_that_nothing_comes_after_is_unreadable(sequence: bytes) -> None:
    with pytest.raises(UnreadableError, match="SEQUENCE"):
        read(body().replace(b"SEQUENCE:0", b"SEQUENCE:" + sequence), UID, NEW_YORK)


def test_the_last_sequence_but_one_can_be_written_once_more() -> None:
    last = body().replace(b"SEQUENCE:0", b"SEQUENCE:2147483645")
    assert b"SEQUENCE:2147483646\r\n" in rewrite(last, LATER, sequence=2147483646, properties=EVERY)


TWINS = {
    "X-ALT-DESC;FMTTYPE=text/html:<p>Letters to ask for</p>": {Property.TEXT},
    "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<p>Letters</p>": {Property.TEXT},
    "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE": {Property.DATE},
    "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT:TRUE": {Property.DATE},
    "X-FUNAMBOL-ALLDAY:1": {Property.DATE},
}


@pytest.mark.parametrize(("twin", "of"), TWINS.items(), ids=lambda each: str(each)[:20])
@pytest.mark.parametrize("written", list(Property))
def test_s12_a_twin_goes_when_what_it_repeats_is_written_and_stays_when_not(
    twin: str, of: Collection[Property], written: Property
) -> None:
    updated = rewrite(with_lines(twin.encode()), LATER, sequence=1, properties={written})
    assert (twin.encode() in updated) == (written not in of)


@pytest.mark.parametrize("write", [WRITES["rewrite"], WRITES["acknowledge"], WRITES["replace"]])
def test_s12_altrep_goes_when_our_text_is_written(write: Callable[[bytes], bytes]) -> None:
    page = "data:text/html,%3Cbody%3EOld%3C%2Fbody%3E"
    whole = stamped("Ask Dr. Novák for a letter, due 10 Sep", "2027-07-30", "Old")
    twice = with_description(body(), whole, f';ALTREP="{page}"')
    assert page.encode() in twice
    assert not read(twice, UID, NEW_YORK).touched
    assert b"ALTREP" not in write(twice).replace(b"\r\n ", b"")


def test_s12_an_alarm_that_shows_our_title_shows_the_new_one() -> None:
    own = with_lines(
        b"BEGIN:VALARM", b"ACTION:DISPLAY", b"TRIGGER:-PT1H", b"DESCRIPTION:Mine", b"END:VALARM"
    )
    updated = rewrite(own, LATER, sequence=1, properties={Property.TITLE})
    shown = [a.description.value for a in vobject.readOne(updated.decode()).vevent.valarm_list]
    assert sorted(shown) == ["Ask now", "Ask now", "Mine"]


CLIENTS = {
    "Apple, none": b"ACTION:NONE\r\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z",
    "Apple, default": b"X-APPLE-DEFAULT-ALARM:TRUE\r\nACTION:AUDIO\r\nTRIGGER:-PT15H",
    "Apple, local": b"X-APPLE-LOCAL-DEFAULT-ALARM:TRUE\r\nACTION:DISPLAY\r\nTRIGGER:-PT1H",
    "snooze": b"RELATED-TO;RELTYPE=SNOOZE:8297C37D\r\nACTION:DISPLAY\r\n"
    b"TRIGGER;VALUE=DATE-TIME:20270730T133500Z",
}


@pytest.mark.parametrize("alarm", CLIENTS.values(), ids=CLIENTS)
def test_s15_a_clients_own_alarm_is_no_edit_and_stays_beside_ours(alarm: bytes) -> None:
    lines = b"BEGIN:VALARM\r\nUID:1\r\n" + alarm + b"\r\nEND:VALARM"
    with_it = with_lines(lines)
    digests = read(body(), UID, NEW_YORK).meaning.digests
    assert read(with_it, UID, NEW_YORK).meaning.digests == digests
    updated = rewrite(with_it, LATER, sequence=1, properties={Property.ALARMS})
    assert lines in updated
    assert updated.count(b"BEGIN:VALARM") == len(LATER.alarms) + 1


@pytest.mark.parametrize("write", [WRITES["release"], WRITES["acknowledge"]])
def test_s13_what_is_silenced_rings_no_more_not_even_by_apples_default(
    write: Callable[[bytes], bytes],
) -> None:
    alarms = [b"BEGIN:VALARM\r\n" + alarm + b"\r\nEND:VALARM" for alarm in CLIENTS.values()]
    written = write(with_lines(*alarms))
    # That there is no alarm has to be said, or Apple puts in its own.
    assert written.count(b"BEGIN:VALARM") == 1
    assert CLIENTS["Apple, none"] in written


def test_s15_a_persons_alarm_is_seen_also_where_it_counts_from_the_end() -> None:
    before = read(body(), UID, NEW_YORK).meaning.digests[Property.ALARMS]
    for trigger in (b"TRIGGER;RELATED=END:-PT6H", b"TRIGGER:-PT7H"):
        moved = body().replace(b"TRIGGER:-PT6H", trigger)
        assert read(moved, UID, NEW_YORK).meaning.digests[Property.ALARMS] != before
    same = body().replace(b"TRIGGER:-PT6H", b"TRIGGER;RELATED=START:-PT360M")
    assert read(same, UID, NEW_YORK).meaning.digests[Property.ALARMS] == before


def content_with(text: str) -> Content:
    return content_of(event(summary="Ask Dr. Novák, Zoë", text=text), ALL_DAY)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("client", ["NFC", "NFD"])
def test_s12_decomposed_characters_are_no_edit(form: str, client: str) -> None:
    content = content_with(unicodedata.normalize(form, "Letters for José and Zoë Ångström"))
    written = create(content).replace(b"\r\n ", b"").decode()
    reading = read(unicodedata.normalize(client, written).encode(), UID, NEW_YORK)
    assert not reading.touched
    assert reading.meaning.digests == content.digests
    assert reading.meaning.summary == unicodedata.normalize("NFC", reading.meaning.summary)


BLOCK = content_with("Ask by 10 Sep · R&D <soon>").block

AS_HTML: dict[str, Callable[[str], str]] = {
    "entities": lambda text: (
        text.replace("&", "&amp;").replace("<", "&lt;").replace("·", "&middot;")
    ),
    "numbers": lambda text: text.replace("·", "&#183;").replace("-", "&#x2d;"),
    "no-break spaces": lambda text: text.replace(" ", "&nbsp;"),
    "no-break spaces as such": lambda text: text.replace(" ", "\u00a0"),
    "tags in the markers": lambda text: text.replace("lorsync", "<b>lorsync</b>").replace(
        "planned", "<i>planned</i>"
    ),
    "a span for each line": lambda text: "".join(
        f'<span style="color:#000">{line}</span><br />' for line in text.split("\n")
    ),
    "style sheet": lambda text: (
        "<html><head><title>x</title><style>p { margin: 0 }</style></head><body><!-- from text -->"
        f"<p>{text.replace(chr(10), '<br>')}</p></body></html>"
    ),
    "style sheet alone": lambda text: f"<style>.a > .b {{}}</style>{text}<style></style>",
    "document type": lambda text: f"<!DOCTYPE html>\n<p>{text}</p>",
    "twice": lambda text: (
        "<p>" + text.replace("&", "&amp;amp;").replace("·", "&amp;middot;") + "</p>"
    ),
}


@pytest.mark.parametrize("client", list(AS_HTML)[:-1])
def test_s12_markers_are_found_in_html_and_nothing_of_it_is_an_edit(client: str) -> None:
    as_html = with_description(
        create(content_with("Ask by 10 Sep · R&D <soon>")), AS_HTML[client](BLOCK)
    )
    reading = read(as_html, UID, NEW_YORK)
    assert "text" not in reading.touched
    assert not reading.touched
    assert not reading.meaning.extras
    content = content_with("New & <b>bold</b> text")
    updated = rewrite(as_html, content, sequence=1, properties={Property.TEXT})
    again = read(updated, UID, NEW_YORK)
    assert not again.touched
    assert not again.meaning.extras
    assert again.meaning.digests == content.digests
    assert "Ask by 10 Sep" not in description_of(updated)


@pytest.mark.parametrize("client", list(AS_HTML)[:-1])
def test_s12_the_persons_text_around_a_block_in_html_stays_to_the_letter(client: str) -> None:
    mine, more = "Ring&nbsp;<b>twice</b> &amp; wait\n", "\n<i>Then</i> &#x2713; &unknown; <a&b>"
    whole = mine + AS_HTML[client](BLOCK) + more
    as_html = with_description(create(content_with("Ask by 10 Sep · R&D <soon>")), whole)
    updated = rewrite(as_html, content_with("New text"), sequence=1, properties={Property.TEXT})
    told = description_of(updated)
    assert told.startswith(mine)
    assert told.endswith(more)
    assert "New text" in told
    assert read(updated, UID, NEW_YORK).meaning.extras == ("notes",)


def test_s12_what_only_looks_like_html_is_the_texts_own() -> None:
    for text in (
        "<!-- never closed",
        "a <style b",
        "<style> never closed",
        "&middot &amp",
        "1 < 2",
    ):
        content = content_with(text)
        reading = read(create(content), UID, NEW_YORK)
        assert not reading.touched, text
        assert reading.block is not None
        assert reading.meaning.digests == content.digests
        changed = create(content).replace(b"Ask Dr", b"Do ask Dr")
        assert "title" in read(changed, UID, NEW_YORK).touched


def test_a_time_of_a_zone_that_the_body_describes_is_an_instant() -> None:
    zone = (
        b"BEGIN:VTIMEZONE\r\nTZID:Campus time\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        b"TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    )
    for name, hour in (
        ("Campus time", 5),
        ("Europe/Berlin", 6),
        ("W. Europe Standard Time", 6),
        ("/freeassociation.sourceforge.net/Europe/Berlin", 6),
    ):
        timed = body().replace(b"BEGIN:VEVENT", zone)
        for each, value in ((b"DTSTART", b"20270730T080000"), (b"DTEND", b"20270730T083000")):
            lines = [x for x in timed.split(b"\r\n") if x.startswith(each + b";VALUE=DATE")]
            timed = timed.replace(lines[0], each + f";TZID={name}:".encode() + value)
        start = read(timed, UID, NEW_YORK).meaning.start
        assert f"{start:%H:%M %Z}" == f"0{hour}:00 UTC", name
        endless = timed.replace(b"END:STANDARD", b"RRULE:FREQ=SECONDLY\r\nEND:STANDARD")
        if name == "Campus time":
            with pytest.raises(UnreadableError, match="DTSTART"):
                read(endless, UID, NEW_YORK)
        else:
            assert read(endless, UID, NEW_YORK).meaning.start == start


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (timedelta(hours=9), "PT9H"),
        (timedelta(hours=-15), "-PT15H"),
        (timedelta(days=-1), "-P1D"),
        (timedelta(days=-2, hours=18), "-P1DT6H"),
        (timedelta(0), "PT0S"),
        (timedelta(minutes=-90), "-PT1H30M"),
    ],
)
def test_offsets_are_written_as_others_read_them(offset: timedelta, value: str) -> None:
    content = replace(content_of(event(), ALL_DAY), alarms=(offset,))
    written = rewrite(body(), content, sequence=1, properties={Property.ALARMS})
    assert f"TRIGGER:{value}\r\n".encode() in written
    (alarm,) = vobject.readOne(written.decode()).vevent.valarm_list
    assert alarm.trigger.value == offset
