"""What words mean: intents found by meaning, with negation, in any order and number.

It does not choose between several meanings and knows nothing of steps; pure, with patterns compiled once per language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from campaigns.understanding.normal import Normal, normalise
from campaigns.understanding.vocabulary import Intent, Vocabulary, vocabulary

ANYWHERE, WHOLE, LEAD, WEAK = 0.9, 0.95, 0.8, 0.6
LONGEST = 1000
"""Characters of an utterance that are read; nobody answers a question with more."""
_LONG_NUMBER = re.compile(r"\d{3}")
_PUNCTUATION = re.compile(r"[\s,.;:!?…，。；：！？、]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One meaning found in what was said."""

    intent: str
    """Name of an intent, ``digit:1``, or the name of one of the caller's own phrases."""
    confidence: float
    """0..1: how plainly it was said, not how well it was heard."""
    span: tuple[int, int]
    """(start, end) of the words in the text as given."""


@dataclass(frozen=True, slots=True)
class _Found:
    intent: str
    confidence: float
    start: int
    end: int


def understand(
    text: str,
    language: str,
    expected: Collection[str] = (),
    phrases: Mapping[str, Iterable[str]] | None = None,
) -> list[Match]:
    """Find what ``text`` means, in order of appearance; an empty list when it means nothing that is known.

    ``expected`` names intents (and ``digit:N``) that were asked for: words too weak to count by themselves count for
    these. ``phrases`` maps the caller's own names to phrases that are looked for besides.
    Raises :class:`LookupError` for a language without a data file.
    """
    return find(text, vocabulary(language), expected, phrases)


def says_only(text: str, language: str, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether besides ``spans`` of ``text`` there are only fillers ("well, … please")."""
    rest = list(text[:LONGEST])
    for start, end in spans:
        rest[start:end] = "," * (end - start)
    words, normal = vocabulary(language), normalise("".join(rest), language)
    return all(words.fillers_only.fullmatch(normal.text, *clause) for clause in normal.clauses)


def find(
    text: str, words: Vocabulary, expected: Collection[str] = (), phrases: Mapping[str, Iterable[str]] | None = None
) -> list[Match]:
    """As :func:`understand`, with a vocabulary of the caller's own."""
    normal = normalise(text[:LONGEST], words.language)
    if not normal.clauses:
        return []
    found = [*_own_phrases(normal, words, phrases or {}), *_anywhere(normal, words)]
    for clause in normal.clauses:
        found += _clause(normal, words, clause, frozenset(expected))
    kept = _without_contained(_single_digit(found, normal), own=phrases or {}) or list(_alone(normal, words))
    return [
        Match(intent=one.intent, confidence=one.confidence, span=normal.source_span(one.start, one.end)) for one in kept
    ]


def _anywhere(normal: Normal, words: Vocabulary) -> Iterator[_Found]:
    for intent in words.intents:
        if intent.anywhere is None:
            continue
        for hit in intent.anywhere.finditer(normal.text):
            if _counts(intent, normal, hit):
                yield _Found(intent.name, ANYWHERE, hit.start(), hit.end())
    for hit in words.digit_call.finditer(normal.text):
        if not _negated(normal, words.negation, hit.start()):
            yield _Found(f"digit:{words.digits[hit['digit'].strip()]}", ANYWHERE, hit.start(), hit.end())


def _clause(normal: Normal, words: Vocabulary, clause: tuple[int, int], expected: frozenset[str]) -> list[_Found]:
    """Read a clause from its beginning, word group by word group; what is left over makes bare words not count."""
    position, end = clause
    heads: list[tuple[Intent | None, _Found]] = []
    while position < end:
        head = _head(normal, words, position, end, expected)
        if head is not None:
            heads.append(head)
            position = head[1].end
            continue
        filler = words.filler.match(normal.text, position, end)
        if filler is None:
            break
        position = filler.end()
    if position >= end:
        return [found for _, found in heads]
    leads = [
        _Found(found.intent, LEAD, found.start, found.end)
        for intent, found in heads
        if intent is not None and intent.lead is not None and intent.lead.match(normal.text, found.start, end)
    ]
    return [*leads, *_tails(normal, words, clause)]


def _tails(normal: Normal, words: Vocabulary, clause: tuple[int, int]) -> Iterator[_Found]:
    for intent in words.intents:
        for hit in intent.tail.finditer(normal.text, *clause) if intent.tail else ():
            if hit.end() == clause[1] and _counts(intent, normal, hit):
                yield _Found(intent.name, LEAD, hit.start(), hit.end())


def _counts(intent: Intent, normal: Normal, hit: re.Match[str]) -> bool:
    """Whether nothing around these words undoes them."""
    if _blocked(intent, normal, hit.start(), hit.end()):
        return False
    return not _negated(normal, intent.negation, hit.start())


def _head(
    normal: Normal, words: Vocabulary, position: int, end: int, expected: frozenset[str]
) -> tuple[Intent | None, _Found] | None:
    best: tuple[Intent | None, _Found] | None = None
    for intent in words.intents:
        weak = intent.weak if intent.name in expected else None
        for pattern, confidence in ((intent.whole, WHOLE), (intent.anywhere, ANYWHERE), (weak, WEAK)):
            hit = pattern.match(normal.text, position, end) if pattern else None
            if hit is None or not _counts(intent, normal, hit):
                continue
            if best is None or hit.end() > best[1].end:
                best = (intent, _Found(intent.name, confidence, hit.start(), hit.end()))
    digit = _digit(normal, words, position, end, expected)
    if digit is not None and (best is None or digit.end > best[1].end):
        return None, digit
    return best


def _digit(normal: Normal, words: Vocabulary, position: int, end: int, expected: frozenset[str]) -> _Found | None:
    hit = words.digit_alone.match(normal.text, position, end)
    if hit is None:
        return None
    word = hit["digit"].strip()
    if word in words.digits:
        return _Found(f"digit:{words.digits[word]}", WHOLE, hit.start(), hit.end())
    name = f"digit:{words.digit_sounds[word]}"
    return _Found(name, WEAK, hit.start(), hit.end()) if name in expected else None


def _single_digit(found: list[_Found], normal: Normal) -> list[_Found]:
    """Several digits are a number, not a key; so is one beside a longer number."""
    places = {one.end for one in found if one.intent.startswith("digit:")}
    alone = len(places) < 2 and not _LONG_NUMBER.search(normal.text)
    return found if alone else [one for one in found if not one.intent.startswith("digit:")]


def _alone(normal: Normal, words: Vocabulary) -> Iterator[_Found]:
    """Words that mean something only when nothing else was said ("sorry?")."""
    begin, end = normal.clauses[0][0], normal.clauses[-1][1]
    for intent in words.intents:
        hit = intent.alone.search(normal.text) if intent.alone else None
        if hit is not None and words.fillers_only.fullmatch(normal.text, begin, end):
            yield _Found(intent.name, WEAK, hit.start(), hit.end())
            return


def _own_phrases(normal: Normal, words: Vocabulary, phrases: Mapping[str, Iterable[str]]) -> Iterator[_Found]:
    for name, texts in phrases.items():
        for text in texts:
            hit = _phrase(text, words.language).search(normal.text)
            if hit is not None and not _negated(normal, words.negation, hit.start()):
                yield _Found(name, WHOLE, hit.start(), hit.end())
                break


@lru_cache(maxsize=2048)
def _phrase(text: str, language: str) -> re.Pattern[str]:
    normal = normalise(_PUNCTUATION.sub(" ", text), language)
    body = re.escape(normal.text.strip())
    return re.compile(f"(?<= ){body} " if normal.spaced else body)


def _blocked(intent: Intent, normal: Normal, start: int, end: int) -> bool:
    if intent.block is None:
        return False
    return any(hit.start() < end and start < hit.end() for hit in intent.block.finditer(normal.text))


def _negated(normal: Normal, negation: re.Pattern[str] | None, start: int) -> bool:
    if negation is None:
        return False
    begin = next((first for first, last in normal.clauses if first <= start < last), 0)
    return negation.search(normal.text, begin, start) is not None


def _without_contained(found: list[_Found], *, own: Collection[str]) -> list[_Found]:
    """Drop what is part of a longer phrase ("a real person" in "are you a real person"), and repetitions.

    The very same words in the caller's ``own`` phrases for several names stay for all: they are ambiguous.
    """
    kept: list[_Found] = []
    for one in sorted(found, key=lambda f: (f.start - f.end, -f.confidence)):
        inside = any(
            other.start <= one.start and one.end <= other.end
            for other in kept
            if not ({one.intent, other.intent} <= set(own) and (one.start, one.end) == (other.start, other.end))
        )
        again = any(other.intent == one.intent for other in kept)
        if not inside and not again:
            kept.append(one)
    return sorted(kept, key=lambda f: (f.start, f.end))
