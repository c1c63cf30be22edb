"""Every config in README and docs is one, and every command there works.

``pytest -v tests/docs`` lists them. Commands of lorsync run in an empty home, in the order of the
page, on the last whole config that it shows before them (else on the example), with a folder for a
calendar. What cannot be run here stands in the two lists below, with the reason; such a command of
lorsync is at least read by its own parser.
"""

import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from lorsync.cli import main
from lorsync.cli.root import cli
from lorsync.config.checking import check
from lorsync.config.rules import broken
from tests.docs.blocks import PAGES, ROOT, Block, Typed, blocks, typed

PARSED = {
    "calendars": "asks a server for its calendars; tests/providers runs it",
    "doctor": "looks over the machine that it runs on",
    "init": "asks questions",
    "login": "asks for a password and a server",
    "logout": "needs a keyring",
    "run": "does not end; tests/e2e/command/test_daemon.py runs it",
    "service": "changes what the machine starts",
    "sync --accept-deletions": "needs something that is gone",
    "sync --accept-memory": "needs a memory in doubt",
    "sync --accept-newcomers": "needs somebody who is new",
    "sync --move": "needs a second account",
    "sync --new-cycle": "needs another cycle",
    "sync --take-over": "needs a second machine",
    "restore": "needs a deleted event where it names one",
    "unpin": "needs a moved event where it names one",
}
"""Commands of lorsync, by their first words, that are read by their parser and not run."""

OTHERS = {
    "/opt/lorsync/bin/lorsync": "is the service's; tests/e2e/systemd/test_under_systemd.py runs it",
    "/opt/lorsync/bin/pip": "installs; tests/e2e/test_release.py installs the wheel with pip",
    "apt": "installs",
    "apt-get": "installs",
    "brew": "installs",
    "cd": "belongs to the reader's shell",
    "chmod": "is for a file of the reader's",
    "cp": "is for a file of the reader's",
    "docker": "needs a container engine",
    "git": "fetches from a network",
    "groupadd": "needs root; tests/e2e/systemd/test_under_systemd.py runs it",
    "install": "needs root",
    "journalctl": "needs systemd",
    "khal": "needs a calendar of the reader's; tests/e2e/command/test_export.py runs it",
    "launchctl": "is of macOS",
    "loginctl": "needs systemd",
    "make": "runs this test, too",
    "mkdir": "is for a folder of the reader's",
    "pip": "installs",
    "pipx": "installs; tests/e2e/test_release.py installs the wheel with pip",
    "podman": "needs a container engine",
    "printf": "writes a file of root's; tests/e2e/systemd/test_under_systemd.py runs it",
    "python3": "is for the reader's own Python",
    "sudo": "needs root",
    "systemctl": "needs systemd",
    "systemd-ask-password": "asks for a password",
    "systemd-creds": "needs systemd",
    "systemd-run": "needs systemd",
    "uv": "installs",
    "vdirsyncer": "is another program",
}
"""Other programs, which are not run."""

BASE = tomllib.loads((ROOT / "config.example.toml").read_text("utf-8"))
"""What a part of a config is put into."""

EVERY = [block for page in PAGES for block in blocks(page)]
TOML = [block for block in EVERY if block.language == "toml"]
TYPED = [command for block in EVERY for command in typed(block)]


def is_whole(raw: dict[str, Any]) -> bool:
    return {"applicant", "calendar", "letters"} <= set(raw)


def problems(raw: dict[str, Any]) -> list[Any]:
    draft, found = check(raw)
    return [*found, *broken(draft)]


def test_there_are_blocks() -> None:
    assert len(TOML) >= 4
    assert len(TYPED) >= 15


@pytest.mark.parametrize("block", TOML, ids=lambda block: block.name)
def test_a_config_in_the_docs_is_one(block: Block) -> None:
    raw = tomllib.loads(block.text)
    assert problems(raw if is_whole(raw) else joined(raw)) == []


def joined(part: dict[str, Any]) -> dict[str, Any]:
    """Put a part of a config into the example: its tables replace, or are added by their ids."""
    raw = dict(BASE)
    for name, value in part.items():
        if isinstance(value, list):
            ids = {entry.get("id") for entry in value}
            raw[name] = [e for e in raw.get(name, []) if e.get("id") not in ids] + value
        else:
            raw[name] = value
    return raw


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_work(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    at_home(tmp_path, monkeypatch)
    config = tmp_path / ".config" / "lorsync" / "config.toml"
    config.parent.mkdir(parents=True)
    in_a_folder(config, (ROOT / "config.example.toml").read_text("utf-8"))
    # What a page names as being in the checkout.
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "season.toml", tmp_path / "docs")
    for block in blocks(page):
        if block.language == "toml" and is_whole(tomllib.loads(block.text)):
            in_a_folder(config, block.text)
        for command in typed(block):
            words = command.words
            if words[0] != "lorsync":
                assert words[0] in OTHERS, f"{block.name}: {command.line}: run it, or say why not"
            elif only_parsed(words[1:]):
                parse(command, monkeypatch)
            else:
                code = main(words[1:])
                told = capsys.readouterr()
                assert code == 0, f"{block.name}: {command.line}\n{told.err}"


def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin in an empty home, of which this process takes nothing along."""
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local" / "state"))
    monkeypatch.chdir(home)
    # What is in a checkout is there for commands that name it.
    shutil.copy(ROOT / "config.example.toml", home)


def in_a_folder(config: Path, text: str) -> None:
    """Write a config whose calendar is a folder, whatever its provider was."""
    folder = config.parent / "calendar"
    folder.mkdir(exist_ok=True)
    kept = re.sub(r"(?m)^(provider|url|username|password_command|path)\s*=.*\n", "", text)
    stated = f'[calendar]\nprovider = "folder"\npath = "{folder}"'
    config.write_text(re.sub(r"(?m)^\[calendar\]$", lambda _: stated, kept, count=1), "utf-8")


def only_parsed(words: list[str]) -> bool:
    context = cli.make_context("lorsync", list(words), resilient_parsing=True)
    rest = [*context._protected_args, *context.args]
    return (
        not rest
        or rest[0] in PARSED
        or any(
            entry.split()[0] == rest[0] and set(entry.split()[1:]) <= set(rest)
            for entry in PARSED
            if " " in entry
        )
    )


def parse(command: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read a command with its own parser, and do nothing."""
    with monkeypatch.context() as patch:
        context = click.Context(cli, info_name="lorsync")
        for name in cli.list_commands(context):
            if name in command.words:
                silence(cli, name, context, patch)
        code = main(command.words[1:])
    assert code in {0, 64} if command.words == ["lorsync"] else code == 0, (
        f"{command.block.name}: {command.line}"
    )


def silence(
    group: click.Group, name: str, parent: click.Context, patch: pytest.MonkeyPatch
) -> None:
    command = group.get_command(parent, name)
    assert command is not None
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name, parent=parent)
        for below in command.list_commands(context):
            silence(command, below, context, patch)
    else:
        patch.setattr(command, "callback", lambda **_: None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_text_of_a_page_are_there(page: Path) -> None:
    root = click.Context(cli, info_name="lorsync")
    for span in re.findall(
        r"`lorsync ([^`]+)`", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    ):
        known: click.Command = cli
        options = options_of(cli, root)
        for word in re.sub(r"[|].*|[][]", "", span).split():
            if word.startswith("-"):
                assert word.partition("=")[0] in options, f"{page.name}: lorsync {span}"
            elif isinstance(known, click.Group) and word in known.list_commands(root):
                found = known.get_command(root, word)
                assert found is not None
                known = found
                options |= options_of(known, root)
        assert known is not cli or span.startswith("-"), f"{page.name}: lorsync {span}"


def options_of(command: click.Command, context: click.Context) -> set[str]:
    return {
        name
        for parameter in command.get_params(context)
        for name in (*parameter.opts, *parameter.secondary_opts, "-h", "--help")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"(?m)^#+ (.*)$", found.read_text("utf-8"))
            anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{page.name}: {target}"
