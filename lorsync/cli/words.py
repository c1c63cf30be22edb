"""An option or argument that takes one of some words, which are looked up when they are needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import click

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
        from difflib import get_close_matches

        near = get_close_matches(value.casefold()[:40], words, n=1)
        hint = f"did you mean “{near[0]}”?" if near else f"it is one of {', '.join(words)}."
        self.fail(f"there is no “{value[:40]}”; {hint}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's
        param: click.Parameter,  # noqa: ARG002 -- click's
        incomplete: str,
    ) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(w) for w in self._load() if w.startswith(incomplete.casefold())]
