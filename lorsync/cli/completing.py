"""What a shell completes from the config: the ids of mentors, programs and letters.

Nothing that is wrong is said: a prompt is no place for it, and the command will say it.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorsync.config import default_path
from lorsync.config.completing import Ids, ids_in

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


_PLAIN = re.compile(r"\w[\w.@%+=,-]*")
"""Means itself to every shell: bash puts an answer on the line as it is, and ``$(…)`` would run."""


def mentors(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete a mentor's id."""
    return _items(_ids(ctx).mentors, incomplete)


def mentors_or_memory(
    ctx: click.Context, _: click.Parameter, incomplete: str
) -> list["CompletionItem"]:
    """Complete what `restore` takes."""
    return _items({**_ids(ctx).mentors, "memory": "the event of lorsync's memory"}, incomplete)


def programs(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete a program's id."""
    return _items(_ids(ctx).programs, incomplete)


def letters(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete a letter's id."""
    return _items(_ids(ctx).letters, incomplete)


def _ids(ctx: click.Context) -> Ids:
    named = ctx.find_root().params.get("config")
    # A shell hands over the words as they are typed, with ~ for one's home.
    return ids_in(Path(named).expanduser() if named else default_path())


def _items(found: Mapping[str, str], incomplete: str) -> list["CompletionItem"]:
    from click.shell_completion import CompletionItem

    # A name in more than one line would be taken for more than one answer.
    return [
        CompletionItem(key, help=" ".join(what.split()))
        for key, what in sorted(found.items())
        if key.startswith(incomplete) and _PLAIN.fullmatch(key)
    ]
