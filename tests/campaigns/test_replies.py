"""Replies are understood in the many ways in which people give them, and other sentences are not taken for any.

The cases are in replies.toml: a new one is a line there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from campaigns.understanding.matcher import understand
from campaigns.understanding.vocabulary import languages

pytestmark = pytest.mark.unit

CASES = tomllib.loads(Path(__file__).with_name("replies.toml").read_text(encoding="utf-8"))
AS_GOOD = {"no": {"refuse_offer"}, "opt_out": {"cancel"}, "call_later": {"busy_now"}}
"""Intents that lead to the same for whoever says so."""
REPLIES = [
    (language, intent, text)
    for language, table in CASES.items()
    for intent, texts in table.items()
    if intent != "strange"
    for text in texts
]
STRANGE = [(language, text) for language, table in CASES.items() for text in table["strange"]]


@pytest.mark.parametrize(("language", "intent", "text"), REPLIES)
def test_a_reply_is_taken_as_it_is_meant(language: str, intent: str, text: str) -> None:
    assert {intent, *AS_GOOD.get(intent, ())} & {match.intent for match in understand(text, language)}


@pytest.mark.parametrize(("language", "text"), STRANGE)
def test_what_has_nothing_to_do_with_the_call_means_nothing(language: str, text: str) -> None:
    assert understand(text, language) == []


def test_every_language_has_cases() -> None:
    assert set(CASES) == set(languages())
