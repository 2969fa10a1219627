"""Small call flows for tests, and a way to write effects down as one line each."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.flow import effects as fx
from campaigns.flow.document import Context, Flow, parse_flow
from campaigns.flow.engine import State, advance, start
from campaigns.flow.inputs import Input
from campaigns.flow.simulate import read_input

NOW = datetime(2026, 11, 24, 10, 20, tzinfo=ZoneInfo("America/New_York"))
"""A Tuesday morning."""
VALUES = {"business": "Northwind", "customer": "Mary Jones", "price": "49.90 USD"}

BASE: dict[str, Any] = {
    "name": "tested",
    "title": "Tested flow",
    "variables": {
        "business": {"per": "campaign"},
        "customer": {"default": ""},
        "price": {"type": "money", "default": "49 USD"},
    },
    "voicemail": {"leave": "This is {{business}}, please call {{price}}."},
    "steps": {
        "hello": {"type": "identify", "say": "This is the automated assistant of {{business}}.", "then": "offer"},
        "offer": {
            "type": "ask",
            "say": "Renew? For a person press {{key_agent}}, to stop these calls {{key_opt_out}}.",
            "answers": {
                "yes": {"key": 1, "settle": "accepted", "outcome": "renewed", "then": "bye"},
                "no": {"key": 2, "settle": "declined", "then": "bye"},
            },
            "otherwise": "silent",
        },
        "bye": {"type": "hangup", "say": "Goodbye."},
        "silent": {"type": "hangup", "disposition": "no_response"},
        "person": {"type": "handoff", "otherwise": "later"},
        "later": {"type": "book"},
        "stop": {"type": "opt_out"},
    },
}


def document(**changes: Any) -> dict[str, Any]:
    """The base document with some keys replaced; ``steps`` are merged, and a step of ``None`` is removed."""
    made = copy.deepcopy(BASE)
    for name, step in changes.pop("steps", {}).items():
        if step is None:
            del made["steps"][name]
        else:
            made["steps"][name] = step
    return {key: value for key, value in {**made, **changes}.items() if value is not None}


def flow(**changes: Any) -> Flow:
    """The base flow with some keys replaced."""
    return parse_flow(document(**changes), source="tested.yaml")


def context(**changes: Any) -> Context:
    """A call on a Tuesday morning in New York."""
    given: dict[str, Any] = {"variables": VALUES, "language": "en", "now": NOW, "zone": "America/New_York", **changes}
    return Context(**given)


def talk(tested: Flow, *inputs: str | Input, **changes: Any) -> tuple[State, tuple[fx.Effect, ...]]:
    """Run a conversation; returns the state and the effects of the last input."""
    state, effects = start(tested, context(**changes))
    for item in inputs:
        state, effects = advance(tested, state, read_input(item) if isinstance(item, str) else item)
    return state, effects


def told(effects: Iterable[fx.Effect]) -> list[str]:
    """Effects as one line each; a ``Listen`` without its phrases."""
    return [_line(effect) for effect in effects]


def _line(effect: fx.Effect) -> str:
    match effect:
        case fx.StepEntered():
            return f"step {effect.step} ({effect.type})"
        case fx.Say():
            return f"say {effect.text}" + (" [after beep]" if effect.after_beep else "")
        case fx.Listen():
            return f"listen {effect.timeout_s:g}s {effect.end_silence_ms}ms {effect.max_digits}"
        case fx.Understood():
            return f"understood {effect.intent}"
        case fx.SetVariable():
            return f"set {effect.name}={effect.value}"
        case fx.RecordOptOut():
            return f"opt-out {effect.words!r} {effect.scope}"
        case fx.Refusal():
            return f"refusal {effect.words!r}"
        case fx.RecordCallback():
            return f"callback {effect.at.isoformat() if effect.at else None} {effect.words!r}"
        case fx.Problem():
            return f"problem {effect.step}: {effect.message}"
        case fx.Handoff():
            return f"handoff {effect.queue}: {effect.summary}"
        case fx.Request():
            sent = " ".join(f"{name}={value}" for name, value in effect.values.items())
            return f"request {effect.key} {effect.system}.{effect.operation} {sent} {effect.deadline_s:g}s"
        case fx.Hangup():
            return f"hangup {effect.disposition} {effect.outcome}".rstrip()
