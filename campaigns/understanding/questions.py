"""Which of a few known questions was asked, by the words that carry its meaning; pure, and silent on doubt.

A question is known by examples. One is asked when the words that carry an example's meaning are (nearly) all there, in
any order and form: "what are your opening hours" for "when are you open". Which words carry none is data.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from campaigns.understanding.normal import fold, is_unspaced, normalise

ENOUGH = 0.66
"""Share of an example's weight that must be there."""
LEAD = 0.15
"""How much better the best must be than the next, or neither was asked."""
LEAST_SHARE = 0.3
"""Share of what was said that the example must account for: a long story is no question."""
_ENDINGS = re.compile(r"(?<=\w{3})(ies|ing|ed|es|s|e|y|i)$")


def asked(text: str, language: str, known: Mapping[str, Iterable[str]]) -> str | None:
    """The name of the question in ``known`` (name -> examples) that ``text`` asks; ``None`` on any doubt."""
    said = _weights(text, language)
    if not said:
        return None
    scores = sorted(
        ((max((_likeness(said, _weights(one, language)) for one in examples), default=0.0), name)
         for name, examples in known.items()),
        reverse=True,
    )  # fmt: skip
    if not scores or scores[0][0] < ENOUGH:
        return None
    return scores[0][1] if len(scores) == 1 or scores[0][0] - scores[1][0] >= LEAD else None


def _likeness(said: Mapping[str, float], example: Mapping[str, float]) -> float:
    total = sum(example.values())
    shared = sum(weight for word, weight in example.items() if word in said)
    if not total or sum(said[word] for word in example if word in said) < LEAST_SHARE * sum(said.values()):
        return 0.0
    return shared / total


def _weights(text: str, language: str) -> dict[str, float]:
    """What carries the meaning, with its weight: longer words say more; in Chinese, pairs of characters."""
    common, same = _words(language)
    if is_unspaced(language):
        plain = "".join(character for character in normalise(text, language).text if character not in common)
        return {plain[at : at + 2]: 1.0 for at in range(max(len(plain) - 1, min(len(plain), 1)))}
    stems = (_ENDINGS.sub("", word) for word in re.findall(r"\w+", fold(text)) if word not in common)
    return {same.get(stem, stem): min(len(stem), 6) / 6 for stem in stems if stem}


@cache
def _words(language: str) -> tuple[frozenset[str], Mapping[str, str]]:
    """What carries no meaning, and words that ask for the same, without their endings; nothing for other languages."""
    path = resources.files("campaigns.understanding").joinpath("question_words.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8")).get(language, {"common": "", "same": {}})
    return frozenset(data["common"] if is_unspaced(language) else data["common"].split()), data["same"]
