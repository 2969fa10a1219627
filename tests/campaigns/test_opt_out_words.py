"""What counts as an opt-out, as a refused offer and as a wish for another time, in messages and in speech.

The cases are in opt_out_words.toml: a new one is a line there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.flow.document import FlowError
from campaigns.understanding.matcher import understand
from campaigns.understanding.messages import MessageMeaning, read_message
from campaigns.understanding.vocabulary import languages
from tests.campaigns.flows import flow

pytestmark = pytest.mark.unit

CASES = tomllib.loads(Path(__file__).with_name("opt_out_words.toml").read_text(encoding="utf-8"))
MESSAGES, SPEECH = CASES["messages"], CASES["speech"]
STOP = [text for texts in MESSAGES["stop"].values() for text in texts]
OUTCOMES = {
    "opt_out": "OPT_OUT",
    "cancel": "OPT_OUT",
    "refuse_offer": "REFUSED_OFFER",
    "call_later": "CALL_LATER",
    "busy_now": "CALL_LATER",
}
"""What the engine makes of an intent where the step asks for nothing of the kind (campaigns/flow/anytime.py)."""
SPOKEN = [
    (language, outcomes, text)
    for language, table in SPEECH.items()
    for outcomes, texts in table.items()
    for text in texts
]


# Text messages


@pytest.mark.parametrize("text", STOP)
def test_messages_that_stop(text: str) -> None:
    assert read_message(text) is MessageMeaning.OPT_OUT
    assert read_message(text, region="US", offered=["R"], asked_yes=True) is MessageMeaning.OPT_OUT


@pytest.mark.parametrize("text", MESSAGES["others"])
def test_messages_that_do_not_stop(text: str) -> None:
    assert read_message(text) is not MessageMeaning.OPT_OUT
    assert read_message(text, region="US", offered=["STOP"]) is not MessageMeaning.OPT_OUT


def test_a_long_message_stops_at_its_end() -> None:
    assert read_message("well " * 400 + ". Please stop texting me.") is MessageMeaning.OPT_OUT


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *((text, MessageMeaning.OPT_IN) for text in MESSAGES["start"]),
        *((text, MessageMeaning.HELP) for text in MESSAGES["help"]),
    ],
)
def test_messages_that_start_again_or_ask_for_help(text: str, meaning: MessageMeaning) -> None:
    assert read_message(text) is meaning


@pytest.mark.parametrize("text", ["start on Monday", "don't start", "when does it start", "restart", "help me move"])
def test_more_words_are_neither_a_start_nor_a_cry_for_help(text: str) -> None:
    assert read_message(text, asked_yes=True) is None


@pytest.mark.parametrize(
    "text", ["stop start", "START STOP", "help stop", "STOP HELP", "info, unsubscribe", "yes stop"]
)
def test_of_several_keywords_the_one_that_stops_counts(text: str) -> None:
    assert read_message(text, asked_yes=True) is MessageMeaning.OPT_OUT


@pytest.mark.parametrize("text", MESSAGES["yes"])
def test_a_yes_opts_in_only_where_it_was_asked_for(text: str) -> None:
    assert read_message(text) is None
    assert read_message(text, asked_yes=True) is MessageMeaning.OPT_IN


@pytest.mark.parametrize(
    "text", ["no", "yes but not today", "maybe", "yesterday", "no yes", "不是", "不同意", "不可以"]
)
def test_what_is_no_plain_yes_never_opts_in(text: str) -> None:
    assert read_message(text, asked_yes=True) is None


@pytest.mark.parametrize("letter", ["T", "t", "Ｔ", "TD", "td", "N", "n", "R", "r", "R.", "N谢谢", "T 谢谢", "“R”"])
def test_letters_count_in_china_or_where_they_were_offered(letter: str) -> None:
    for region in ("", "US", "GB", "TW", "JP"):
        assert read_message(letter, region=region) is None
    assert read_message(letter, region="CN") is MessageMeaning.OPT_OUT
    assert read_message(letter, region="US", offered=["T", "TD", "N", "R"]) is MessageMeaning.OPT_OUT


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        *((text, True) for text in ("2", "2.", "２", "2️⃣", "2 please", "回复2", "reply 2", "NEIN DANKE")),
        *((text, False) for text in ("1", "12", "2 pm", "222", "👍", "", "nein")),
    ],
)
def test_the_words_that_were_offered_count(text: str, stops: bool) -> None:
    assert (read_message(text, offered=["2", "nein danke", "👍🏻"]) is MessageMeaning.OPT_OUT) is stops


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.text(max_size=5), max_size=2), st.booleans())
def test_no_text_breaks_it(text: str, offered: list[str], asked_yes: bool) -> None:
    assert read_message(text, region="CN", offered=offered, asked_yes=asked_yes) in {None, *MessageMeaning}


# Speech


@pytest.mark.parametrize(("language", "outcomes", "text"), SPOKEN)
def test_spoken(language: str, outcomes: str, text: str) -> None:
    found = {OUTCOMES[match.intent] for match in understand(text, language, ("yes", "no")) if match.intent in OUTCOMES}
    assert " ".join(sorted(found)) == outcomes.replace("NONE", "")


@pytest.mark.parametrize("text", ["no thanks, and stop calling me", "no thanks and take me off your list"])
def test_a_no_beside_an_opt_out_is_heard_as_well(text: str) -> None:
    assert {match.intent for match in understand(text, "en", ("yes", "no"))} == {"no", "opt_out"}


@pytest.mark.parametrize("language", ["fr", "ja", "de"])
def test_no_call_is_held_in_a_language_whose_opt_outs_are_not_understood(language: str) -> None:
    assert language not in languages()
    with pytest.raises(FlowError, match="language"):
        flow(languages=[language])


def count(lists: Iterable[list[str]]) -> int:
    return sum(len(set(texts)) for texts in lists)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert count(MESSAGES["stop"].values()) >= 150
    assert count([MESSAGES["others"]]) >= 150
    for table in SPEECH.values():
        assert count(table.values()) >= 120
        assert min(count([table["OPT_OUT"]]), count([table["NONE"]])) >= 60
