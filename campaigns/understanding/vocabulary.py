"""The intents of one language, read from its data file and compiled once.

It holds patterns and sayings; matching them against words is :mod:`campaigns.understanding.matcher`'s.

Patterns are written in a small language: ``(a|b)`` one of, ``[a]`` maybe, ``{name}`` a class of the file, ``..`` up to
three words (four characters in Chinese) of anything. An entry that ``means`` another intent is a part of it, with a
``negation`` and a ``block`` of its own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from campaigns.understanding.normal import is_unspaced, normalise

_TOKEN = re.compile(r"\{(\w+)\}|\.\.|[()\[\]|]|[^\s()\[\]{}|.?*+]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One meaning and how people say it."""

    name: str
    anywhere: re.Pattern[str] | None
    """Phrases that mean it wherever they stand."""
    lead: re.Pattern[str] | None
    """Words that mean it at the beginning of a clause."""
    whole: re.Pattern[str] | None
    """Words that mean it when the clause says nothing else."""
    tail: re.Pattern[str] | None
    """Words that mean it at the end of a clause: recognisers hear no commas ("I told you already please stop")."""
    weak: re.Pattern[str] | None
    """As ``whole``, but only where the intent is expected."""
    alone: re.Pattern[str] | None
    """Words that mean it when the customer said nothing else at all."""
    block: re.Pattern[str] | None
    """Stretches in which ``anywhere`` and ``lead`` do not count."""
    negation: re.Pattern[str] | None
    """What undoes it, ending just before it: the language's own unless the file says otherwise."""
    say: tuple[str, ...]
    """What people typically say: a bias for recognisers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Everything that is known of one language."""

    language: str
    intents: tuple[Intent, ...]
    filler: re.Pattern[str]
    """A word that carries no meaning at the edge of a clause ("um", "please")."""
    fillers_only: re.Pattern[str]
    negation: re.Pattern[str]
    """Ends just before what it negates."""
    digits: Mapping[str, str]
    """Word -> digit, said plainly."""
    digit_sounds: Mapping[str, str]
    """Word -> digit, for words that merely sound like one; only where that digit is expected."""
    digit_call: re.Pattern[str]
    """"press ``(?P<digit>…)``" anywhere."""
    digit_alone: re.Pattern[str]
    """"number ``(?P<digit>…)`` please" as a clause."""

    @property
    def names(self) -> frozenset[str]:
        """Names of all intents."""
        return frozenset(intent.name for intent in self.intents)


def languages() -> tuple[str, ...]:
    """Languages that can be understood."""
    found = resources.files("campaigns.understanding").joinpath("intents").iterdir()
    return tuple(sorted(path.name.removesuffix(".toml") for path in found if path.name.endswith(".toml")))


@cache
def intent_names() -> frozenset[str]:
    """Names of the intents of every language."""
    return frozenset().union(*(vocabulary(language).names for language in languages()))


@cache
def vocabulary(language: str) -> Vocabulary:
    """Read and compile the vocabulary of ``language``. Raises :class:`LookupError` naming the alternatives."""
    if language not in languages():
        raise LookupError(f"no intents for language {language!r}; there are {', '.join(languages())}")
    path = resources.files("campaigns.understanding").joinpath("intents", f"{language}.toml")
    return compile_vocabulary(language, tomllib.loads(path.read_text(encoding="utf-8")))


def compile_vocabulary(language: str, data: Mapping[str, Any]) -> Vocabulary:
    """Compile the data of one language, as read from its file; everything but ``intents`` may be left out."""
    patterns = _Patterns(language, data.get("classes", {}))
    digits = data.get("digits", {})
    digit = patterns.group("digit", digits)
    sound = patterns.group("digit", digits, data.get("digit_sounds", {}))
    negation = patterns.before(data.get("negation", ()))
    filler = patterns.any_of(data.get("filler", ()))
    call = "|".join(patterns.source(text) for text in data.get("digit_call", ()))
    return Vocabulary(
        language=language,
        intents=tuple(_intent(name, entry, patterns, negation) for name, entry in data["intents"].items()),
        filler=re.compile(filler),
        fillers_only=re.compile(f"(?:{filler})+"),
        negation=negation,
        digits=_digit_words(digits, language),
        digit_sounds=_digit_words(data.get("digit_sounds", {}), language),
        digit_call=re.compile(f"{patterns.edge}(?:{call}){digit}"),
        digit_alone=re.compile(f"(?:{call})?{sound}"),
    )


@cache
def sayings(language: str, names: frozenset[str]) -> tuple[str, ...]:
    """Typical sayings of some intents: a bias for recognisers."""
    found = (say for intent in vocabulary(language).intents if intent.name in names for say in intent.say)
    return tuple(dict.fromkeys(found))


def _digit_words(table: Mapping[str, Iterable[str]], language: str) -> dict[str, str]:
    return {normalise(word, language).text.strip(): digit for digit, words in table.items() for word in words}


def _intent(name: str, entry: Mapping[str, Any], patterns: _Patterns, negation: re.Pattern[str]) -> Intent:
    anywhere = patterns.compile(entry.get("anywhere", ()), patterns.edge)
    negation = patterns.before(entry["negation"]) if "negation" in entry else negation
    return Intent(
        name=entry.get("means", name),
        anywhere=anywhere,
        lead=patterns.compile(entry.get("lead", ())),
        whole=patterns.compile([*entry.get("lead", ()), *entry.get("whole", ())]),
        tail=patterns.compile(entry.get("tail", ()), patterns.edge),
        weak=patterns.compile(entry.get("weak", ())),
        alone=patterns.compile(entry.get("alone", ()), patterns.edge),
        block=patterns.compile(entry.get("block", ()), patterns.edge),
        negation=negation if entry.get("negatable", True) else None,
        say=tuple(entry.get("say", ())),
    )


class _Patterns:
    """Compiles the pattern language into regular expressions over normalised text."""

    def __init__(self, language: str, classes: Mapping[str, str]) -> None:
        self._spaced = not is_unspaced(language)
        self._language = language
        self._classes = dict(classes)
        self.edge = "(?<= )" if self._spaced else ""

    def compile(self, texts: Iterable[str], prefix: str = "") -> re.Pattern[str] | None:
        """One pattern that matches any of ``texts``, the longest first; ``None`` for none."""
        texts = list(texts)
        return re.compile(f"{prefix}(?:{self.any_of(texts)})") if texts else None

    def before(self, texts: Iterable[str]) -> re.Pattern[str]:
        """A pattern that ends where the text searched ends."""
        return re.compile(f"{self.edge}(?:{self.any_of(texts)})$")

    def any_of(self, texts: Iterable[str]) -> str:
        """Alternation of all texts, longer ones first; of none, what never matches."""
        return "|".join(self.source(text) for text in sorted(texts, key=len, reverse=True)) or "(?!)"

    def group(self, name: str, *tables: Mapping[str, Iterable[str]]) -> str:
        """Named alternation of all words of some tables."""
        return f"(?P<{name}>{self.any_of(word for table in tables for words in table.values() for word in words)})"

    def source(self, text: str) -> str:
        """Translate one pattern. Raises :class:`ValueError` for a character that the language does not have."""
        if rest := _TOKEN.sub("", text).strip():
            raise ValueError(f"{rest!r} in the pattern {text!r} means nothing here")
        return "".join(self._translate(token) for token in _TOKEN.finditer(text))

    def _translate(self, token: re.Match[str]) -> str:
        word = token.group()
        if token.group(1):
            return f"(?:{self.source(self._classes[token.group(1)])})"
        if word == "..":
            return r"(?:\S+ ){0,3}?" if self._spaced else ".{0,4}?"
        if word in {"(", "["}:
            return "(?:"
        if word in {")", "|"}:
            return word
        if word == "]":
            return ")?"
        normal = normalise(word, self._language).text.strip()
        return re.escape(normal) + (" " if self._spaced else "")
