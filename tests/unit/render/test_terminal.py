"""The plan and the season on a terminal: within any width, with and without Unicode and colour."""

import io
import subprocess
from datetime import date

import pytest
from rich.cells import cell_len
from rich.console import Console

from lorsync.cli.output.plan import show_plan
from lorsync.cli.output.timeline import show_lanes
from lorsync.core.model import History, Kind
from tests import ROOT
from tests.e2e.command.running import User
from tests.unit.core.seasons import as_placed, letter, placed, planned, season
from tests.unit.render.seasons import DUE, TODAY, crowded, drawn, neighbours, strange

DOCS = ROOT / "docs" / "season.toml"
WIDTHS = (20, 33, 40, 55, 56, 63, 64, 80, 200)


def screen(width: int, **kwargs: object) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False, **kwargs)  # type: ignore[arg-type]


def shown(out: Console) -> str:
    text = out.file.getvalue()  # type: ignore[attr-defined]
    for line in text.splitlines():
        # Marks of direction take no room on a terminal.
        assert cell_len(line.replace("\u200e", "")) <= out.width, line
    return text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", [strange, neighbours, lambda: crowded(8, 30)])
def test_the_season_fits_any_terminal(make, width):
    told = drawn(make())
    out = screen(width)
    show_lanes(out, told)
    text = shown(out)
    assert "today" in text
    assert text.count("◇") + text.count("!") + text.count("◆") >= len(told.lanes)


def test_the_season_on_a_terminal_is_this_one():
    told = season(letter("a", DUE, asked_on=date(2026, 8, 3), followed_up_on=(date(2026, 8, 21),)))
    out = screen(72)
    show_lanes(out, drawn(told))
    assert shown(out) == (
        "2027 Match\n"
        "Maya Okafor, 1 letter by 1 mentor: 1 asked\n"
        "\n"
        "                             today, 27 Aug 2026\n"
        "          2026\n"
        "            Aug                            Sep\n"
        "Dr. Chen    · ▲─────────────────●─────│────────────────────○──────◇♡\n"
        "asked       ·                         │    ·\n"
        "\n"
        "△ request   ○ follow-up   ◇ deadline   ♡ thank-you   ● solid: done\n"
        "─ from asking to the last date\n"
    )


def the_plan(width: int, **kwargs: object) -> str:
    told = season(letter("a", DUE, asked_on=date(2026, 8, 3)))
    follow_up = next(e for e in planned(told, TODAY).events if e.kind is Kind.FOLLOW_UP)
    moved = as_placed(follow_up, day=date(2026, 9, 4), pinned=True)
    gone = placed(
        Kind.THANK_YOU, date(2026, 9, 24), slot="provisional", dismissed=True, subject="a"
    )
    history = History(placed=(moved, gone))
    out = screen(width, **kwargs)
    show_plan(out, planned(told, TODAY, moved, gone), told, history)
    return shown(out)


def test_the_plan_says_by_month_what_drives_each_event_and_what_is_used_up():
    lines = the_plan(80).splitlines()
    assert lines[:7] == [
        "September 2026",
        "Fri  4  follow-up   Dr. Chen  ●○  due 23 Sep, its own deadline; moved by you",
        "                                  from 2 Sep",
        "Wed 16  follow-up   Dr. Chen  ●●  due 23 Sep, its own deadline",
        "Wed 23  deadline    Dr. Chen      its own deadline",
        "Thu 24  thank-you   Dr. Chen  ×   deleted by you",
        "",
    ]
    assert "Dr. Chen  ◐◐  2 planned" in lines


@pytest.mark.parametrize("width", WIDTHS)
def test_the_plan_fits_any_terminal(width):
    out = screen(width)
    told = strange()
    show_plan(out, planned(told, TODAY), told, History())
    assert "Follow-ups" in shown(out).replace("\n", " ")


def test_warnings_say_what_to_do_and_stand_under_their_sign():
    out = screen(60)
    told = season(letter("a", date(2026, 8, 20)))
    show_plan(out, planned(told, TODAY), told, History())
    lines = shown(out).splitlines()
    note = lines[lines.index("Take note") + 1 :]
    assert note[0].startswith("! a was due on 2026-08-20")
    assert note[1].startswith("  ")
    assert any(line.startswith("  → Is it in? Say so: lorsync mark MENTOR") for line in note)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(home=tmp_path_factory.mktemp("home"))


def running(arguments: list[str], told: User) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        arguments, env=told.environ(), capture_output=True, timeout=300, cwd=told.home, check=False
    )


AS_OF = ("--as-of", "2026-08-29")


@pytest.mark.parametrize(
    ("command", "name", "value", "encoding", "novak", "sign"),
    [
        ("timeline", "LC_ALL", "C", "ascii", "Novak", "f follow-up"),
        ("plan", "LC_ALL", "C", "ascii", "Novak", "*o"),
        ("timeline", "PYTHONIOENCODING", "iso-8859-1", "iso-8859-1", "Novák", "f follow-up"),
    ],
)
def test_without_unicode_signs_are_letters_and_nothing_fails(
    user, command, name, value, encoding, novak, sign
):
    told = User(home=user.home, environment={name: value, "COLUMNS": "80"})
    done = running(told.arguments(command, *AS_OF, config=DOCS), told)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "?" not in text.replace("Asked already?", "")
    assert novak in text
    assert sign in text


def test_a_terminal_gets_colour_unless_told_otherwise():
    colourful = screen(80, force_terminal=True, color_system="standard")
    show_lanes(colourful, drawn(strange()))
    assert "\x1b[34m" in shown_raw(colourful)
    plain = screen(80, force_terminal=True, color_system="standard", no_color=True)
    show_lanes(plain, drawn(strange()))
    assert "\x1b[34m" not in shown_raw(plain)


def shown_raw(out: Console) -> str:
    return out.file.getvalue()  # type: ignore[attr-defined]
