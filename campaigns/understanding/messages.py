"""What a customer's text message asks for: to stop, to start again, or help.

It sends nothing and stores nothing; spoken words are :mod:`campaigns.understanding.matcher`'s.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from campaigns.understanding.matcher import LONGEST, find
from campaigns.understanding.normal import fold
from campaigns.understanding.vocabulary import Vocabulary, compile_vocabulary, languages, vocabulary

_NOT_A_WORD = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W\d_]+")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
"""A letter held down: STOOOP."""


class MessageMeaning(StrEnum):
    """What a text message asks for."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    HELP = "help"


def read_message(
    text: str, *, region: str = "", offered: Collection[str] = (), asked_yes: bool = False
) -> MessageMeaning | None:
    """Read a text message: by its keyword, its first word ("STOP Acme") or its meaning ("don't text me again").

    ``region`` is the ISO 3166 region of the number. ``offered`` are words that the message sent told the customer to
    answer with in order to stop (``R``). ``asked_yes`` says that it asked for a yes to messages: then, and only then, a
    yes opts in. Source of the words: 47 CFR 64.1200(a)(10), carriers' practice.
    """
    words = _words()
    keywords = _keywords(text, words)
    stops = words.opt_out | {_bare(word) for word in offered} - {""}
    if region in words.short_regions:
        stops |= words.short
    if keywords & stops or _only_signs(text, words) or _begins_with_stop(text, words) or _asks_to_stop(text):
        return MessageMeaning.OPT_OUT
    if keywords & (words.opt_in | (words.yes if asked_yes else frozenset())):
        return MessageMeaning.OPT_IN
    return MessageMeaning.HELP if keywords & words.help else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    opt_out: frozenset[str]
    opt_in: frozenset[str]
    help: frozenset[str]
    yes: frozenset[str]
    short: frozenset[str]
    short_regions: frozenset[str]
    signs: frozenset[str]
    first: re.Pattern[str]
    """A word that stops whatever follows it, at the beginning of :func:`_spaced` text."""
    most_words: int
    """Words of a message that such a word may begin in small letters."""
    goes_on: re.Pattern[str]
    """What follows such a word and makes something else of it: "stop by the shop"."""
    empty: re.Pattern[str]
    """What may stand around a keyword: courtesies, and the "Reply" of "Reply STOP"."""
    vocabularies: tuple[Vocabulary, ...]
    """In each of which a message is read by meaning."""


@cache
def _words() -> _Words:
    path = resources.files("campaigns.understanding").joinpath("message_words.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return _Words(
        opt_out=_all_bare(data["opt_out"]),
        opt_in=_all_bare(data["opt_in"]),
        help=_all_bare(data["help"]),
        yes=_all_bare(data["yes"]),
        short=_all_bare(data["short"]["words"]),
        short_regions=frozenset(data["short"]["regions"]),
        signs=frozenset(data["signs"]),
        first=_beginning(data["first"]["words"]),
        most_words=data["first"]["most_words"],
        goes_on=re.compile("|".join(data["first"]["goes_on"])),
        empty=_around(data["polite"], data["answering"]),
        vocabularies=(
            *(vocabulary(language) for language in languages()),
            *(compile_vocabulary(tag, {**own, "intents": {"opt_out": own}}) for tag, own in data["phrases"].items()),
        ),
    )


def _around(polite: Iterable[str], answering: Iterable[str]) -> re.Pattern[str]:
    """Matches what is left out of :func:`_spaced` text; scripts without spaces write it close to the keyword."""
    texts = sorted((_spaced(word).strip() for word in [*polite, *answering]), key=len, reverse=True)
    apart, close = "|".join(map(re.escape, texts)), "|".join(re.escape(word) for word in texts if not word.isascii())
    return re.compile(f"(?<= )(?:{apart}) |{close}")


def _beginning(words: Iterable[str]) -> re.Pattern[str]:
    """Matches a word at the beginning of :func:`_spaced` text; scripts without spaces may go on in another script."""
    texts = [_spaced(word).strip() for word in words]
    apart, close = "|".join(filter(str.isascii, texts)), "|".join(text for text in texts if not text.isascii())
    return re.compile(f" (?:(?:{apart}) |(?:{close})(?: |(?=[a-z0-9])))")


def _all_bare(words: Iterable[str]) -> frozenset[str]:
    return frozenset(_bare(word) for word in words)


def _spaced(text: str) -> str:
    return f" {_NOT_A_WORD.sub(' ', fold(text)).strip()} "


def _bare(text: str) -> str:
    return _spaced(text).replace(" ", "")


def _keywords(text: str, words: _Words) -> frozenset[str]:
    """The message as one word ("s t o p"), or as several if nothing but keywords was written ("stop end")."""
    known = words.opt_out | words.opt_in | words.help
    spaced = _REPEATED.sub(r"\1", _spaced(text[:LONGEST]))
    kept = words.empty.sub("", spaced)
    found = {form.replace(" ", "") for form in (spaced, kept)} - {""}
    single = kept.split()
    return frozenset(found | (set(single) if known.issuperset(single) else set()))


def _begins_with_stop(text: str, words: _Words) -> bool:
    spaced = _REPEATED.sub(r"\1", _spaced(text[:LONGEST]))
    stop = words.first.match(spaced)
    if stop is None or words.goes_on.match(spaced, stop.end()):
        return False
    return len(spaced.split()) <= words.most_words or _is_capital(text)


def _is_capital(text: str) -> bool:
    """Whether the first word is written in capitals."""
    word = _WORD.search(unicodedata.normalize("NFKC", text[:LONGEST]))
    return word is not None and word[0].isupper()


def _only_signs(text: str, words: _Words) -> bool:
    return any(sign in text for sign in words.signs) and not _bare(text)


def _asks_to_stop(text: str) -> bool:
    """Whether it asks by meaning; in any language, for nobody says which one it is written in."""
    ends = {text[:LONGEST], text[-LONGEST:]}  # an opt-out at the end of a long message counts as well
    return any(
        match.intent == "opt_out" for words in _words().vocabularies for end in ends for match in find(end, words)
    )
