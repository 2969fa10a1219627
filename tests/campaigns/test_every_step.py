"""Whatever is being asked, in whichever ready flow and language: stop, a person, say again and the keys work there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from campaigns.flow import effects as fx
from campaigns.flow.engine import State, advance, start
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, Input, Replied, Silence
from tests.campaigns.flows import context
from tests.campaigns.test_callflows import CAMPAIGN, CONTACT, NAMES, load

pytestmark = pytest.mark.unit

MOST = 400
"""Situations looked at in one flow."""
Situation = tuple[State, tuple[fx.Effect, ...]]
WORDS = {
    "en": {"stop": "stop calling me", "agent": "can I talk to a person", "repeat": "could you repeat that please"},
    "zh": {"stop": "不要再打电话给我了", "agent": "转人工", "repeat": "请再说一遍"},
}
ANSWERS = {"en": ["yes", "no", "four", "how much is it"], "zh": ["好的", "不要", "四分", "多少钱"]}
REPLIES = ("two", "one", "none", "ok", "taken")


def inputs(language: str) -> list[Input]:
    """What moves a conversation on: answers, keys, replies of systems, silence, no agent."""
    said = [Heard(text=text) for text in ANSWERS[language]]
    pressed = [Digits(digits=key) for key in "123"]
    values = {"first": "2026-11-27", "second": "2026-11-30"}
    replied = [Replied(result=word, values=values) for word in REPLIES]
    return [*said, *pressed, *replied, Replied(problem="down"), Silence(), HandoffEnded(connected=False)]


def situations(name: str, language: str) -> Iterator[Situation]:
    """Every situation that a conversation comes to in a few turns, each step and phase once."""
    flow = load(name)
    waiting: list[Situation] = [start(flow, context(variables={**CAMPAIGN, **CONTACT[name]}, language=language))]
    seen: set[tuple[object, ...]] = set()
    while waiting and len(seen) < MOST:
        state, effects = waiting.pop(0)
        key = (
            state.step,
            state.phase.partition("-")[0],
            state.transferring,
            bool(state.awaiting),
            *sorted(state.values.items()),
        )
        if key in seen or state.ended:
            continue
        seen.add(key)
        yield state, effects
        waiting += [advance(flow, state, event) for event in inputs(language)]


CASES = [(name, language) for name in NAMES for language in ("en", "zh")]


@pytest.mark.parametrize(("name", "language"), CASES)
def test_an_opt_out_is_taken_everywhere(name: str, language: str) -> None:
    flow, steps = load(name), set[str]()
    for state, _ in situations(name, language):
        for event in (Heard(text=WORDS[language]["stop"]), Digits(digits=flow.keys.opt_out)):
            after, effects = advance(flow, state, event)
            assert after.opted_out, f"{state.step}: {event}"
            assert isinstance(effects[-1], fx.Hangup)
        steps.add(state.step)
    waits = {step.name for step in flow.steps.values() if step.waits}
    assert waits <= steps | {"later"}, "every step that asks was come to"


@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_person_can_be_had_everywhere(name: str, language: str) -> None:
    flow = load(name)
    for state, _ in situations(name, language):
        for event in (Heard(text=WORDS[language]["agent"]), Digits(digits=flow.keys.agent)):
            after, effects = advance(flow, state, event)
            asked = after.transferring or after.wish or after.step in {flow.anytime.get("call_later"), state.step}
            assert asked, f"{state.step}: {event}"
            assert not (isinstance(effects[-1], fx.Hangup) and not after.wish and not after.settled)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_what_was_asked_is_said_again_everywhere(name: str, language: str) -> None:
    flow = load(name)
    for state, _ in situations(name, language):
        after, effects = advance(flow, state, Heard(text=WORDS[language]["repeat"]))
        if not state.elsewhere:
            assert any(isinstance(effect, fx.Say) for effect in effects), state.step
            assert (after.step, after.no_matches) == (state.step, state.no_matches), state.step


@pytest.mark.parametrize(("name", "language"), CASES)
def test_every_answer_can_be_pressed_everywhere(name: str, language: str) -> None:
    flow = load(name)
    for state, _ in situations(name, language):
        step = flow.steps[state.step]
        for expected in sorted(step.expected()):
            if expected.startswith("digit:") and not state.phase:
                _, effects = advance(flow, state, Digits(digits=expected.removeprefix("digit:")))
                assert not any(isinstance(effect, fx.Understood) and effect.intent is None for effect in effects)
