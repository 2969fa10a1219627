"""The part of SSML that prompts may use: pauses, how values are said, and what stands for an abbreviation."""

from __future__ import annotations

import pytest

from campaigns.flow.simulate import Who, simulate
from campaigns.flow.template import TemplateError, compile_template
from speech.prompts import paused, sentences
from tests.campaigns.flows import context, flow
from tests.campaigns.test_template import EN

pytestmark = pytest.mark.unit


def said(source: str, **values: str) -> str:
    return compile_template(source).render(values, EN)


def test_a_break_is_a_pause_and_no_word() -> None:
    text = said('Your code is <break time="0.5s"/> {{code | digits}}. <break time="300ms"/>Goodbye.', code="42")
    assert paused(text) == (("Your code is", 500), ("four two.", 300), ("Goodbye.", 0))
    assert sentences(text) == ("Your code is", "four two.", "Goodbye.")


@pytest.mark.parametrize(
    ("kind", "value", "spoken"),
    [
        ("characters", "AB1", "A, B, one"),
        ("digits", "42", "four two"),
        ("telephone", "+12025550123", "two zero two, five five five, zero one two three"),
        ("currency", "49.90 USD", "forty-nine dollars and ninety cents"),
        ("cardinal", "120", "one hundred twenty"),
        ("date", "2026-12-05", "December fifth"),
        ("time", "15:30", "three thirty PM"),
    ],
)
def test_say_as_is_a_filter(kind: str, value: str, spoken: str) -> None:
    assert said(f'<say-as interpret-as="{kind}">{{{{x}}}}</say-as>', x=value) == spoken


def test_an_alias_is_said_instead() -> None:
    assert said('<speak>Call <sub alias="doctor">Dr.</sub> <emphasis level="strong">now</emphasis>.</speak>') == (
        "Call doctor now."
    )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("<b>Hello</b>", "<b> is not understood; there are <break"),
        ('<break time="9s"/>', "3000 ms at most"),
        ('<say-as interpret-as="poem">{{x}}</say-as>', "interpret-as is 'poem'; there are characters"),
        ('<audio src="x.wav"/>', "is not understood"),
    ],
)
def test_other_tags_are_refused_by_name(source: str, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_template(source)
    assert told in str(refused.value)
    assert refused.value.code == "markup"


def test_nothing_in_a_value_is_a_tag() -> None:
    assert said("It is {{x}}.", x='<break time="3s"/>now') == "It is now."


def test_the_simulator_shows_a_pause_as_people_write_one() -> None:
    tested = flow(steps={"bye": {"type": "hangup", "say": 'Well <break time="1s"/> goodbye.'}})
    robot = [turn.text for turn in simulate(tested, context(), ["yes"]).turns if turn.who is Who.ROBOT]
    assert robot[-1] == "Well … goodbye."
