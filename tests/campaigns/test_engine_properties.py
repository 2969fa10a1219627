"""Whatever a customer does: nothing is raised, every batch ends once, an opt-out is kept, and asking ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.dispositions import Disposition
from campaigns.flow import effects as fx
from campaigns.flow.engine import MOST_TURNS, State, advance, start
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, HungUp, Input, Machine, Replied, Silence
from tests.campaigns.flows import context, flow

pytestmark = pytest.mark.unit

TESTED = flow(
    languages=["en", "zh"],
    keys={"language": "8"},
    voicemail="hangup",
    faq={"cost": {"ask": {"en": ["what does it cost"], "zh": ["多少钱"]}, "say": {"en": "Ten.", "zh": "十块。"}}},
    steps={
        "offer": {
            "type": "ask",
            "say": {"en": "Renew?", "zh": "续吗？"},
            "answers": {"yes": {"key": 1, "settle": "accepted", "then": "code"}, "no": {"key": 2, "then": "bye"}},
            "otherwise": "silent",
            "save_as": "answer",
        },
        "code": {
            "type": "collect",
            "say": {"en": "Your code?", "zh": "号码？"},
            "kind": "code",
            "least": 2,
            "most": 6,
            "save_as": "code",
            "then": "renew",
            "otherwise": "person",
        },
        "renew": {
            "type": "request",
            "system": "members",
            "operation": "renew",
            "send": {"code": "{{code}}"},
            "save": {"until": "until"},
            "answers": {"ok": {"then": "which"}, "full": {"then": "offer"}},
            "otherwise": "person",
        },
        "which": {
            "type": "branch",
            "variable": "code",
            "cases": [{"at_least": 500, "then": "person"}],
            "otherwise": "offer",
        },
    },
)
WORDS = [
    "yes", "no", "what", "hello", "agent", "call me tomorrow at three", "i'm busy", "who is this", "are you a robot",
    "hold on", "bye", "not interested", "wrong number", "chinese please", "说英语", "不要", "好的", "转人工",
    "明天下午三点", "a b one two", "nine four one oh three", "in nine billion years", "how much does it cost", "多少钱",
    "leave a message after the tone", "the cat sat", "at twenty five past", "february thirtieth", "², ٣ or ⑦", "",
]  # fmt: skip
OPT_OUTS = ["stop calling me", "take me off your list", "不要再打了", "退订"]
spoken = st.builds(
    Heard,
    text=st.one_of(st.sampled_from(WORDS), st.text(max_size=40)),
    unheard=st.integers(0, 3),
    at=st.one_of(st.none(), st.just(datetime(2026, 3, 29, 1, 30, tzinfo=UTC))),
)
inputs = st.one_of(
    spoken,
    st.builds(Digits, digits=st.text("0123456789*", max_size=6)),
    st.builds(HandoffEnded, connected=st.booleans()),
    st.builds(Replied, result=st.sampled_from(["ok", "", "full"]), problem=st.sampled_from(["", "it is down"])),
    st.sampled_from([Silence(), Machine(), HungUp()]),
)
contexts = st.builds(
    context,
    language=st.sampled_from(["en", "zh"]),
    zone=st.sampled_from(["Europe/Berlin", "Pacific/Apia"]),
    can_hand_off=st.booleans(),
)
LAST = (fx.Listen, fx.Handoff, fx.Request, fx.Hangup)


def ends_once(effects: tuple[fx.Effect, ...]) -> bool:
    return isinstance(effects[-1], LAST) and not any(isinstance(effect, LAST) for effect in effects[:-1])


@settings(max_examples=150, deadline=None)
@given(contexts, st.lists(inputs, max_size=12))
def test_every_batch_ends_exactly_once(begun: object, events: list[Input]) -> None:
    state, effects = start(TESTED, begun)  # type: ignore[arg-type]
    assert ends_once(effects)
    for event in events:
        state, effects = advance(TESTED, state, event)
        assert ends_once(effects)
        assert isinstance(effects[-1], fx.Hangup) == state.ended
        assert all(effect.text for effect in effects if isinstance(effect, fx.Say))


@settings(max_examples=80, deadline=None)
@given(
    contexts, st.lists(inputs, max_size=6), st.sampled_from(OPT_OUTS), st.integers(0, 2), st.lists(inputs, max_size=4)
)
def test_an_opt_out_is_kept_whenever_it_comes(
    begun: object, before: list[Input], words: str, unheard: int, after: list[Input]
) -> None:
    state, effects = start(TESTED, begun)  # type: ignore[arg-type]
    for event in before:
        state, effects = advance(TESTED, state, event)
    language = "en" if words.isascii() else "zh"
    state = State.from_dict({**state.to_dict(), "language": language})
    already = state.opted_out
    state, effects = advance(TESTED, state, Heard(text=words, unheard=unheard))
    assert any(isinstance(effect, fx.RecordOptOut) for effect in effects) is not already
    for event in after:
        assert effects[-1] == fx.Hangup(disposition=Disposition.OPTED_OUT, outcome="opted_out")
        assert state.opted_out
        state, effects = advance(TESTED, state, event)
        assert not any(isinstance(effect, fx.Say | fx.Listen | fx.Handoff | fx.Request) for effect in effects)


@settings(max_examples=60, deadline=None)
@given(contexts, st.lists(inputs.filter(lambda event: not isinstance(event, HungUp)), min_size=1, max_size=3))
def test_asking_comes_to_an_end(begun: object, again: list[Input]) -> None:
    state, effects = start(TESTED, begun)  # type: ignore[arg-type]
    for turn in range(MOST_TURNS + 3):
        state, effects = advance(TESTED, state, again[turn % len(again)])
        if state.ended:
            return
    rings_on = isinstance(effects[-1], fx.Handoff | fx.Request) and all(isinstance(event, Machine) for event in again)
    assert rings_on, "still asking"
