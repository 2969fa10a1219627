"""What became of an attempt as a tree of spans, from its events alone."""

from __future__ import annotations

from typing import Any

import pytest

from outbound.observing.spans import Fact, SpanTold, attempt_span

pytestmark = pytest.mark.unit

CLAIM = ("attempt.claimed", 0.0, {"number": "+447700900001"})
GATE = ("receipt", 1.0, {"allowed": True, "code": "permitted", "rule": "GB"})
INTENT = ("attempt.dialing", 1.0, {"number": "+447700900001"})


def told(*facts: tuple[str, float, dict[str, Any]]) -> SpanTold:
    made = [Fact(kind=kind, at=at, told_at=at + 0.01, data=data) for kind, at, data in facts]
    return attempt_span(made, {"outbound.trunk": "north"})


def shape(span: SpanTold) -> Any:
    return (span.name, [shape(child) for child in span.children]) if span.children else span.name


def everything(span: SpanTold) -> str:
    return f"{span.name}{span.attributes}" + "".join(everything(child) for child in span.children)


TALK = (
    CLAIM,
    GATE,
    INTENT,
    ("call.dialing", 1.1, {}),
    ("call.ringing", 2.0, {"code": 180}),
    ("call.answered", 5.0, {"codec": "PCMU"}),
    ("call.step", 5.0, {"step": "hello", "type": "identify"}),
    ("call.said", 5.1, {"text": "This is the robot of Acme."}),
    ("call.step", 7.0, {"step": "question", "type": "ask"}),
    ("call.said", 7.0, {"text": "Will you be at home?"}),
    ("call.heard", 9.0, {"text": "get me a person", "intent": "agent"}),
    ("call.handoff", 9.1, {"state": "ringing"}),
    ("call.handoff", 12.0, {"state": "connected"}),
    ("call.ended", 60.0, {"by": "peer", "code": 200, "reason": "from +447700900001"}),
    ("attempt.done", 60.5, {"disposition": "handed_off", "hangup_cause": "peer_bye"}),
)


def test_a_conversation_is_told_from_claim_to_settlement() -> None:
    span = told(*TALK)

    talk = ("conversation", ["turn", "turn", "handoff"])
    assert shape(span) == ("attempt", ["claim", "intent", "dial", "ring", talk, "hang up", "settle"])
    assert (span.start, span.end) == (0.0, 60.51)
    assert span.attributes["outbound.disposition"] == "handed_off"
    assert span.attributes["outbound.trunk"] == "north"
    parts = {child.name: child for child in span.children}
    assert parts["intent"].attributes["outbound.gate.rule"] == "GB"
    assert (parts["ring"].start, parts["ring"].end) == (2.0, 5.0)
    first, second, handoff = parts["conversation"].children
    assert (first.attributes["outbound.step"], first.attributes["outbound.turn.ended_by"]) == ("hello", "said")
    assert (second.attributes["outbound.step"], second.attributes["outbound.turn.ended_by"]) == ("question", "heard")
    assert (handoff.start, handoff.end, handoff.attributes["outbound.handoff"]) == (9.1, 12.0, "connected")
    assert not span.failed


def test_a_question_to_a_system_is_told_with_its_end() -> None:
    named = {"system": "parcels", "key": "change-1"}
    asked = ("call.system", 9.1, {**named, "state": "asked"}), ("call.system", 9.4, {**named, "state": "replied"})
    conversation = next(child for child in told(*TALK[:11], *asked, *TALK[13:]).children if child.children)
    [system] = [child for child in conversation.children if child.name == "system"]
    assert (system.start, system.end) == (9.1, 9.4)
    assert system.attributes == {"outbound.system": "parcels", "outbound.system.state": "replied"}


def test_no_number_and_no_words_are_told() -> None:
    shown = everything(told(*TALK))

    assert not [secret for secret in ("447700900001", "robot", "home", "person") if secret in shown]


def test_a_call_that_nobody_answers_has_no_conversation() -> None:
    busy = ("attempt.done", 2.5, {"disposition": "busy", "hangup_cause": "sip_486"})
    span = told(CLAIM, GATE, INTENT, ("call.dialing", 1.1, {}), ("call.ended", 2.0, {"by": "peer", "code": 486}), busy)

    assert shape(span) == ("attempt", ["claim", "intent", "dial", "hang up", "settle"])


def test_a_refusal_at_the_intent_says_which_rule() -> None:
    no = ("receipt", 1.0, {"allowed": False, "code": "opted_out", "rule": "house"})
    span = told(CLAIM, no, ("attempt.done", 1.0, {"disposition": "refused", "hangup_cause": "opted_out"}))

    assert shape(span) == ("attempt", ["claim", "intent"])
    assert span.children[1].attributes["outbound.gate.allowed"] is False
    assert span.children[1].attributes["outbound.gate.code"] == "opted_out"


def test_what_was_given_back_says_why() -> None:
    span = told(CLAIM, ("attempt.released", 31.0, {"reason": "lease_expired"}))

    assert span.attributes["outbound.released"] == "lease_expired"


@pytest.mark.parametrize("kind", ["attempt.undetermined", "attempt.done"])
def test_what_nobody_knows_or_what_failed_is_an_error(kind: str) -> None:
    assert told(CLAIM, GATE, INTENT, (kind, 90.0, {"disposition": "failed"})).failed


def test_no_span_ends_before_it_begins() -> None:
    """Two clocks tell: the host's and the line's."""
    skewed = [(kind, at - 3 if kind.startswith("call.") else at, data) for kind, at, data in TALK]

    def check(span: SpanTold) -> None:
        assert span.start <= span.end, span.name
        for child in span.children:
            check(child)

    check(told(*skewed))
