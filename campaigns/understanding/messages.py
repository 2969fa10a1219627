"""What a customer's text message asks for: to stop, to start again, or help.

It sends nothing and stores nothing; spoken words are :mod:`campaigns.understanding.matcher`'s.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from campaigns.understanding.matcher import understand
from campaigns.understanding.normal import fold

_NOT_A_WORD = re.compile(r"[\W_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


class MessageMeaning(StrEnum):
    """What a text message asks for."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"


def read_message(text: str, *, region: str = "", offered: Collection[str] = ()) -> MessageMeaning | None:
    """Read a text message: by its keyword, else by its meaning ("please stop texting me").

    ``region`` is the ISO 3166 region of the number. ``offered`` are words that the message sent told the customer to
    answer with in order to stop (``R``). Source of the words: 47 CFR 64.1200(a)(10), carriers' practice.
    """
    data = _words()
    keyword = _keyword(text, data["polite"])
    if keyword in {_bare(word) for word in offered}:
        return MessageMeaning.OPT_OUT
    if keyword in data["short"]["words"] and region in data["short"]["regions"]:
        return MessageMeaning.OPT_OUT
    for meaning in MessageMeaning:
        if keyword in data[meaning.value]:
            return meaning
    language = "zh" if _CHINESE.search(text) else "en"
    meant = {match.intent for match in understand(text, language)}
    return MessageMeaning.OPT_OUT if "opt_out" in meant else None


@cache
def _words() -> dict[str, Any]:
    path = resources.files("campaigns.understanding").joinpath("message_words.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _bare(text: str) -> str:
    return _NOT_A_WORD.sub("", fold(text))


def _keyword(text: str, polite: Collection[str]) -> str:
    words = f" {_NOT_A_WORD.sub(' ', fold(text)).strip()} "
    for courtesy in polite:
        words = words.replace(f" {courtesy} ", " ")
    return words.replace(" ", "")
