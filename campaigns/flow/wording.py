"""The sentences every flow has without writing them, per language; a flow may say its own under ``wording``.

It decides nothing about when they are said.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from campaigns.flow.prompt import Prompt
from campaigns.flow.template import compile_template


@cache
def _sentences() -> Mapping[str, Mapping[str, str]]:
    folder = resources.files("campaigns.flow").joinpath("wordings")
    files = [path for path in folder.iterdir() if path.name.endswith(".toml")]
    return {path.name.removesuffix(".toml"): tomllib.loads(path.read_text(encoding="utf-8")) for path in files}


WORDINGS = (
    "already_done",
    "book_again",
    "book_ask",
    "book_noted",
    "booked",
    "collect_confirm",
    "goodbye",
    "handoff",
    "hold_on",
    "no_agent",
    "no_input",
    "no_match",
    "one_moment",
    "opt_out",
    "refused",
    "robot",
    "screening",
    "unsure",
    "value_confirm",
    "who",
    "wrong_person",
)
"""Keys of the built-in sentences."""


@cache
def wording(key: str) -> Prompt:
    """The built-in sentence for ``key``, in every language."""
    return Prompt(texts={tag: compile_template(texts[key]) for tag, texts in sorted(_sentences().items())})
