"""Completion: ids of mentors, programs and letters from the config, and words of a choice.

Nothing that is wrong is said: a prompt is no place for it, and the command will say it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from lorsync.config import default_path
from lorsync.config.completion import Ids, ids_in

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


if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    _Text = click.ParamType[str]
else:
    _Text = click.ParamType  # which older clicks cannot be given a type


class Words(_Text):
    """One of the words that ``load`` returns; letters' case does not matter.

    Unlike click.Choice it does not need them where its command is made: they come from the core,
    and loading that would be felt in every completion. ``others`` returns words that mean one of
    them, each with that one; they are not completed.
    """

    name = "word"

    def __init__(
        self,
        load: Callable[[], Sequence[str]],
        others: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._load = load
        self._others = others

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        words, typed = self._load(), value.casefold()
        if typed in words:
            return typed
        others = self._others()
        meant = others.get(" ".join(typed.replace("-", " ").replace("_", " ").split()))
        if meant is None:
            self._refuse(value, words, param, ctx)
        return meant

    def _refuse(
        self,
        value: str,
        words: Sequence[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> NoReturn:
        from lorsync.core.phrases import near

        meant = near(value, words)
        hint = f"did you mean “{meant}”?" if meant else f"it is one of {', '.join(words)}."
        self.fail(f"there is no “{value[:40]}”; {hint}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        param: click.Parameter,  # noqa: ARG002 -- click's
        incomplete: str,
    ) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(w) for w in self._load() if w.startswith(incomplete.casefold())]
