"""The picture as SVG and as a page: well formed, escaped, self-contained, and nothing left out."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorsync.render.timeline.page import html
from lorsync.render.timeline.style import DARK, LIGHT
from lorsync.render.timeline.svg import cut, svg, text_width
from lorsync.render.timeline.words import mark_words
from tests import ROOT
from tests.unit.core.seasons import letter, mentor, season
from tests.unit.render.seasons import DUE, NAMES, crowded, drawn, named, neighbours, strange

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "link", "br", "use", "path"}


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 -- drawn by us a line before


class Outline(HTMLParser):
    """What a page is made of: its elements are checked for nesting as they come."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, name: str) -> list[str]:
        return [found for _, attributes in self.elements if (found := attributes.get(name))]


def test_an_svg_of_strange_names_is_well_formed_and_says_them():
    picture = svg(drawn(strange()))
    root = parsed(picture)
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "symbol", "pattern", "rect", "path", "text", "g",
        "circle", "use",
    }  # fmt: skip
    assert root.find(f"{SVG}title").text.startswith("2027 Match")
    assert "solid shapes are done" in root.find(f"{SVG}desc").text
    labels = " ".join(element.get("aria-label", "") for element in root.iter(f"{SVG}g"))
    for said in NAMES.values():
        assert said in labels
    _refers_to_itself_alone(picture)


def test_each_mark_of_an_svg_has_its_words_for_pointer_and_screen_reader():
    told = drawn(strange())
    root = parsed(svg(told))
    items = [g for g in root.iter(f"{SVG}g") if g.get("role") == "listitem"]
    words = [mark_words(mark) for lane in told.lanes for mark in lane.marks]
    assert [g.get("aria-label") for g in items] == words
    assert [g.find(f"{SVG}title").text for g in items] == words


def test_whatever_an_svg_uses_is_in_it():
    root = parsed(svg(drawn(strange())))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {use.get("href") for use in root.iter(f"{SVG}use")} <= {f"#{name}" for name in ids}


def test_nothing_sticks_out_of_an_svg():
    for make in (strange, neighbours):
        root = parsed(svg(drawn(make())))
        _, _, width, height = map(float, root.get("viewBox").split())
        for use in root.iter(f"{SVG}use"):
            assert 0 <= float(use.get("x")) <= width - float(use.get("width"))
            assert 0 <= float(use.get("y")) <= height - float(use.get("height"))
        for text in root.iter(f"{SVG}text"):
            drawn_text = "".join(text.itertext()) if text.find(f"{SVG}title") is None else ""
            assert text_width(drawn_text, 11) <= width


def test_a_page_of_strange_names_is_well_nested_and_says_them():
    page = html(drawn(strange()))
    outline = Outline(page)
    assert outline.open == []
    for said in NAMES.values():
        assert said in outline.text
    assert "script" not in {tag for tag, _ in outline.elements}
    assert "<b>leave</b> & more" in outline.text
    _refers_to_itself_alone(page)


@pytest.mark.parametrize("make", [strange, neighbours, lambda: crowded(60, 500)])
def test_each_mark_of_a_page_leads_to_its_row_in_the_table(make):
    told = drawn(make())
    outline = Outline(html(told))
    ids = outline.of("id")
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in outline.elements if tag in ("a", "use")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    rows = [name for name in ids if re.fullmatch(r"e\d+", name)]
    number = sum(len(lane.marks) for lane in told.lanes)
    assert len(rows) == number
    assert len([link for link in links if link.removeprefix("#") in rows]) == number


def test_a_page_may_run_and_fetch_nothing():
    policy = next(
        content for content in Outline(html(drawn(strange()))).of("content") if ";" in content
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_done_and_planned_differ_without_colour():
    told = season(letter("a", DUE, asked_on=date(2026, 8, 3), followed_up_on=(date(2026, 8, 21),)))
    root = parsed(svg(drawn(told)))
    groups = [g.get("class").split() for g in root.iter(f"{SVG}g") if g.get("role") == "listitem"]
    assert [names[-1] for names in groups] == ["done", "done", "planned", "planned", "planned"]
    style = root.find(f"{SVG}style").text
    assert re.search(r"\.mark\{fill:#ffffff;stroke:currentColor\}", style)
    assert re.search(r"\.done,\.overdue\{fill:currentColor;", style)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "quiet", "now", "contact", "due", "good", "bad", "task"])
@pytest.mark.parametrize("ground", ["paper", "away", "writing"])
def test_texts_and_marks_stand_out_from_their_ground(palette, name, ground):
    lighter, darker = sorted((luminance(palette[name]), luminance(palette[ground])), reverse=True)
    # Text is on paper, and in ink over absences; a sign needs less (WCAG 2.2, 1.4.3 and 1.4.11).
    needed = 4.5 if ground == "paper" else 3.0
    assert (lighter + 0.05) / (darker + 0.05) >= needed


def test_the_widest_letters_are_given_their_room():
    room, size = 108, 13.5
    assert len(cut("W" * 70, room, size)) <= room / size


@given(st.text(), st.floats(20, 400))
def test_a_text_is_cut_to_its_room(text, room):
    shown = cut(text, room, 12)
    assert text_width(shown, 12) <= room + 0.001
    assert shown == text or text.startswith(shown.removesuffix("\u200f").removesuffix("…"))


def test_a_cut_name_from_right_to_left_ends_at_the_left():
    assert cut(NAMES["rtl"], 100, 12).endswith("…\u200f")
    assert cut(NAMES["long"], 100, 12).endswith("…")


_IN_XML = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


@given(st.text(_IN_XML, min_size=1, max_size=60))
def test_any_name_makes_a_well_formed_picture(name):
    told = drawn(season(letter("a", DUE), mentors=[named("chen", name)]))
    parsed(svg(told))
    assert Outline(html(told)).open == []


@pytest.mark.parametrize("draw", [svg, html])
def test_i8_the_same_season_gives_the_same_bytes(draw):
    assert draw(drawn(strange())) == draw(drawn(strange()))


def test_a_season_without_marks_is_drawn():
    told = drawn(season(letter("a"), mentors=[mentor()]))
    assert told.lanes[0].marks == ()
    parsed(svg(told))
    assert Outline(html(told)).open == []


def test_the_picture_in_the_docs_is_what_is_drawn_today(tmp_path: Path):
    from lorsync.cli import main

    docs = ROOT / "docs"
    file = tmp_path / "timeline.svg"
    place = ["-c", str(docs / "season.toml"), "--state-dir", str(tmp_path / "state")]
    assert main([*place, "timeline", "--as-of", "2026-08-29", "-o", str(file)]) == 0
    assert file.read_text() == (docs / "timeline.svg").read_text()


def _refers_to_itself_alone(picture: str) -> None:
    text = picture.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//|@import|url\((?!#)|<script|javascript:", text)
