"""Questions of a flow's FAQ are known by meaning, answered at any step, and never taken where an answer was given."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.flow.findings import FlowError
from campaigns.flow.lint import lint
from campaigns.flow.simulate import simulate
from campaigns.understanding.questions import asked
from tests.campaigns.flows import context, flow, talk, told

pytestmark = pytest.mark.unit

FAQ: dict[str, Any] = {
    "hours": {"ask": {"en": ["when are you open", "what are your opening hours"]}, "say": {"en": "From nine to six."}},
    "price": {"ask": {"en": ["how much does it cost", "what is the price"]}, "say": {"en": "It costs {{price}}."}},
    "parking": {"ask": {"en": ["is there parking", "where can i park the car"]}, "say": {"en": "Behind the house."}},
    "address": {"ask": {"en": ["where are you", "what is your address"]}, "say": {"en": "Mill Lane twelve."}},
}
TESTED = flow(faq=FAQ)
QUESTION = "say Renew? For a person press 0, to stop these calls 9."
EXAMPLES = {name: one["ask"]["en"] for name, one in FAQ.items()}
MANDARIN = {"hours": ["几点开门", "营业时间"], "price": ["多少钱", "什么价格"], "address": ["你们在哪里", "地址"]}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("what are your opening hours", "hours"),
        ("um when do you open on saturdays", "hours"),
        ("how much will that cost me", "price"),
        ("and what's the price", "price"),
        ("can I park my car there", "parking"),
        ("do you have parking", "parking"),
        ("what's your address please", "address"),
    ],
)
def test_a_question_is_known_by_its_meaning(words: str, name: str) -> None:
    assert asked(words, "en", EXAMPLES) == name


@pytest.mark.parametrize(
    ("words", "name"),
    [("请问你们几点开门", "hours"), ("营业时间是什么", "hours"), ("什么价格啊", "price"), ("地址是哪里", "address")],
)
def test_in_mandarin_too(words: str, name: str) -> None:
    assert asked(words, "zh", MANDARIN) == name


@pytest.mark.parametrize(
    "words",
    [
        "",
        "the weather has been lovely this week",
        "my daughter plays the violin",
        "where",
        "yes",
        "i told my neighbour yesterday that the train to the city was so full that nobody could open a window",
    ],
)
def test_what_is_no_known_question_is_none(words: str) -> None:
    assert asked(words, "en", EXAMPLES) is None
    assert asked("今天天气真不错", "zh", MANDARIN) is None


def test_it_is_answered_and_our_question_put_again() -> None:
    _, effects = talk(TESTED, "what are your opening hours")
    assert told(effects) == ["understood faq:hours", "say From nine to six.", QUESTION, "listen 6s 500ms 1"]


def test_an_answer_may_name_variables() -> None:
    _, effects = talk(TESTED, "how much does it cost")
    assert told(effects)[1] == "say It costs forty-nine dollars and ninety cents."


def test_who_answers_is_not_told_something_else() -> None:
    assert told(talk(TESTED, "yes, and when are you open")[1])[0] == "understood yes"


@pytest.mark.parametrize("words", ["stop calling me, when are you open", "can I talk to a person about the price"])
def test_what_binds_us_comes_first(words: str) -> None:
    assert told(talk(TESTED, words)[1])[0] in ("understood opt_out", "understood agent")


def test_asking_goes_on_as_it_was() -> None:
    went = simulate(TESTED, context(), ["is there parking", "what is the price", "yes please"])
    assert (went.disposition, went.unused) == ("accepted", 0)
    assert [turn.intent for turn in went.turns if turn.intent] == ["faq:parking", "faq:price", "yes"]


@pytest.mark.parametrize(
    "faq",
    [
        {"hours": {"say": {"en": "From nine."}}},
        {"hours": {"ask": {"en": []}, "say": {"en": "From nine."}}},
        {"hours": {"ask": {"en": ["when"]}}},
        {"Hours!": {"ask": {"en": ["when"]}, "say": {"en": "Nine."}}},
    ],
)
def test_a_question_without_its_parts_is_refused(faq: dict[str, Any]) -> None:
    with pytest.raises(FlowError) as refused:
        flow(faq=faq)
    assert {finding.code for finding in refused.value.findings} & {"faq_incomplete", "bad_name"}


def test_the_lint_reads_answers() -> None:
    wrong = flow(faq={"hours": {"ask": {"en": ["when are you open"]}, "say": {"en": "From {{opening}}."}}})
    assert [finding.code for finding in lint(wrong) if "faq.hours" in finding.message] == ["unknown_variable"]
