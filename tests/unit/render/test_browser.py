"""The page in a real browser: how it looks to rules, to a keyboard, and on paper."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lorsync.cli import main
from lorsync.render.timeline.page import html
from lorsync.render.timeline.svg import svg
from tests import ROOT
from tests.needs import AXE
from tests.unit.core.seasons import DUE, letter, mentor, planned
from tests.unit.core.seasons import season as season_of
from tests.unit.render.browser import Browser, browsing
from tests.unit.render.seasons import TODAY, drawn, strange

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.once,  # the browser, not Python, is what these prove something of
]

DOCS = ROOT / "docs" / "season.toml"
SCREENS = [(1280, False), (1280, True), (390, False), (390, True), (320, False)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("season") / "season.html"
    told = strange()
    file.write_text(html(drawn(told), planned(told, TODAY).warnings), encoding="utf-8")
    return file


@pytest.mark.needs("axe-core")
@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_the_page_is_quiet_fits_the_screen_and_breaks_no_rule_of_accessibility(
    browser, season, width, dark
):
    browser.opens(season, width=width, dark=dark)
    assert browser.throttle == []
    assert browser.requests == [season.as_uri()]
    assert browser.evaluates("document.documentElement.scrollWidth") <= width
    ground = browser.evaluates("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(18, 22, 28)" if dark else "rgb(255, 255, 255)")
    # Something is drawn: a blank picture of this size would be a few kB.
    assert len(browser.screenshot()) > 20_000
    browser.evaluates(AXE.read_text(encoding="utf-8") + ";0")
    options = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations", "passes"]}
    found = json.loads(
        browser.evaluates(
            f"axe.run(document,{json.dumps(options)}).then(r=>JSON.stringify([r.passes.length,"
            "r.violations.map(v=>[v.id,v.help,v.nodes.map(n=>n.html+' '+n.failureSummary)])]))"
        )
    )
    passed, violated = found
    assert violated == []
    assert passed > 20


@pytest.mark.parametrize("width", [1280, 390])
def test_no_two_marks_cover_each_other(browser, season, width):
    browser.opens(season, width=width)
    covered = browser.evaluates(
        """(()=>{
            const found=[]
            for(const lane of document.querySelectorAll('.lane')){
                const boxes=[...lane.querySelectorAll('a.mark')].map(a=>a.getBoundingClientRect())
                boxes.forEach((a,i)=>boxes.slice(i+1).forEach(b=>{
                    const x=Math.min(a.right,b.right)-Math.max(a.left,b.left)
                    const y=Math.min(a.bottom,b.bottom)-Math.max(a.top,b.top)
                    if(x>2&&y>2)found.push([x,y])
                }))
                const box=lane.getBoundingClientRect()
                for(const b of boxes)if(b.top<box.top||b.bottom>box.bottom)found.push('outside')
            }
            return found
        })()"""
    )
    assert covered == []


def test_the_keyboard_reaches_every_mark_in_order_and_shows_its_words(browser, season):
    browser.opens(season, width=1280)
    browser.presses("Tab")
    assert browser.evaluates("document.activeElement.className") == "skip"
    expected = browser.evaluates("[...document.querySelectorAll('a.mark')].map(a=>a.hash)")
    assert len(expected) > 20
    reached = []
    for _ in expected:
        browser.presses("Tab")
        hash_, opacity, words = browser.evaluates(
            "(a=>[a.hash,getComputedStyle(a.querySelector('.tip')).opacity,a.textContent])"
            "(document.activeElement)"
        )
        reached.append(hash_)
        assert opacity == "1"
        assert re.match(r"\w{3} \d+ \w{3} 2026, ", words)
    assert reached == expected
    browser.presses("Tab")
    assert not browser.evaluates("document.activeElement.matches('a.mark')")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_words_of_a_mark_stay_on_the_screen(browser, season, width):
    browser.opens(season, width=width)
    outside = browser.evaluates(
        "[...document.querySelectorAll('.tip')].map(t=>t.getBoundingClientRect())"
        f".filter(b=>b.left<0||b.right>{width}||b.top<0).length"
    )
    assert outside == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_break_and_the_state_beside_them_does_not(browser, tmp_path, width):
    told = season_of(letter("a", DUE), mentors=[replace(mentor(), name="Dr. " + "W" * 90)])
    file = tmp_path / "long.html"
    file.write_text(html(drawn(told)), encoding="utf-8")
    browser.opens(file, width=width)
    lines = (
        "[...document.querySelectorAll('td:last-child')].map(cell => {"
        "const all = document.createRange(); all.selectNodeContents(cell);"
        "return new Set([...all.getClientRects()].map(line => line.top)).size})"
    )
    assert set(browser.evaluates(lines)) == {1}
    assert browser.evaluates("document.documentElement.scrollWidth") <= width


def test_a_screen_reader_is_told_lanes_lists_and_a_table(browser, season):
    browser.opens(season, width=1280)
    tree = browser.send("Accessibility.getFullAXTree")["nodes"]
    said = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored")
    ]
    roles = [role for role, _ in said]
    assert {"heading", "list", "listitem", "link", "table", "row", "columnheader"} <= set(roles)
    links = [name for role, name in said if role == "link" and "2026" in name]
    assert len(links) == browser.evaluates("document.querySelectorAll('a.mark').length")
    texts = " ".join(name for role, name in said if role == "StaticText")
    assert "Away: <b>leave</b> & more, 20 Aug 2026 to 2 Sep 2026" in texts.replace(":  ", ": ")
    assert any("planned: Ask" in name for name in links)
    assert ("heading", "<script>alert('no')</script>") in said


def test_on_paper_it_is_one_or_two_pages_of_ink_on_white(browser, tmp_path):
    file = tmp_path / "season.html"
    place = ["-c", str(DOCS), "--state-dir", str(tmp_path / "state")]
    assert main([*place, "timeline", "--as-of", "2026-08-29", "-o", str(file)]) == 0
    browser.opens(file, width=1280, dark=True)
    pages = browser.pdf().count(b"/Type /Page\n")
    assert 1 <= pages <= 2
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluates("getComputedStyle(document.querySelector('.skip')).display") == "none"
    ground = browser.evaluates("getComputedStyle(document.documentElement).backgroundColor")
    browser.send("Emulation.setEmulatedMedia", media="")
    assert ground == "rgb(255, 255, 255)"


def test_the_svg_is_quiet_too(browser, tmp_path):
    file = tmp_path / "season.svg"
    file.write_text(svg(drawn(strange())), encoding="utf-8")
    browser.opens(file, width=1000)
    assert browser.throttle == []
    assert browser.requests == [file.as_uri()]
    wide = browser.evaluates(
        "[...document.querySelectorAll('text')].filter("
        "t=>t.getBBox().x+t.getBBox().width>960||t.getBBox().x<0).map(t=>t.textContent)"
    )
    assert wide == []
