"""Tells what became of an attempt as a tree of spans, from the events it left; pure, and it knows no tracing library.

Nothing of a customer is in it: ids, dispositions, causes, trunks, rules and names of steps, no numbers and no words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Attributes = dict[str, str | int | bool]
ENDS = frozenset({"attempt.done", "attempt.released", "attempt.undetermined"})
_BOUNDARIES = frozenset({"call.said", "call.heard", "call.digits", "call.handoff", "call.ended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One event of an attempt, or a receipt of the gate about it (``kind`` ``receipt``)."""

    kind: str
    at: float
    """When it happened (UTC epoch seconds)."""
    told_at: float
    """When it was on disk."""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTold:
    """A span and what happened within it."""

    name: str
    start: float
    end: float
    attributes: Attributes = field(default_factory=dict)
    children: tuple[SpanTold, ...] = ()
    failed: bool = False


def attempt_span(facts: Sequence[Fact], attributes: Attributes) -> SpanTold:
    """The span of one try from its claim to its end; ``facts`` in the order in which they were written."""
    end, start = facts[-1], facts[0].at
    found = {fact.kind: fact for fact in reversed(facts)}
    children = [*_before_the_call(facts, found), *_call(facts, found)]
    if "call.ended" in found and end.kind == "attempt.done":
        children.append(_span("settle", found["call.ended"].at, end.told_at))
    told = dict(attributes)
    told |= {"outbound.disposition": str(end.data["disposition"])} if end.data.get("disposition") else {}
    told |= {"outbound.hangup_cause": str(end.data["hangup_cause"])} if end.data.get("hangup_cause") else {}
    told |= {"outbound.released": str(end.data["reason"])} if end.kind == "attempt.released" else {}
    failed = end.kind == "attempt.undetermined" or end.data.get("disposition") == "failed"
    return SpanTold(
        name="attempt",
        start=start,
        end=max(start, end.told_at),
        attributes=told,
        children=tuple(children),
        failed=failed,
    )


def _before_the_call(facts: Sequence[Fact], found: Mapping[str, Fact]) -> list[SpanTold]:
    """Claim and intent, with what the gate said."""
    spans = []
    claimed, receipt = found.get("attempt.claimed"), found.get("receipt")
    if claimed is not None:
        spans.append(_span("claim", claimed.at, claimed.told_at))
    decided = found.get("attempt.dialing") or receipt
    if decided is not None:
        gate: Attributes = {}
        if receipt is not None:
            data = receipt.data
            gate = {"outbound.gate.allowed": bool(data["allowed"]), "outbound.gate.code": str(data["code"])}
            gate |= {"outbound.gate.rule": str(data["rule"])}
        spans.append(_span("intent", claimed.told_at if claimed else decided.at, decided.told_at, gate))
    return spans


def _call(facts: Sequence[Fact], found: Mapping[str, Fact]) -> list[SpanTold]:
    """Dial, ring, conversation, hang-up."""
    dialing, ringing, answered = (found.get(f"call.{kind}") for kind in ("dialing", "ringing", "answered"))
    ended = found.get("call.ended") or facts[-1]
    spans = []
    if dialing is not None:
        spans.append(_span("dial", dialing.at, (ringing or answered or ended).at))
    if ringing is not None:
        spans.append(_span("ring", ringing.at, (answered or ended).at))
    if answered is not None:
        spans.append(_span("conversation", answered.at, ended.at, children=_within(facts, ended)))
    if ended.kind == "call.ended":
        told: Attributes = {"outbound.ended_by": str(ended.data.get("by", ""))}
        spans.append(_span("hang up", ended.at, ended.at, told))
    return spans


def _turns(facts: Sequence[Fact]) -> list[SpanTold]:
    """From the robot's first sentence to what came of it: words, a key, or the sentences of another step."""
    spans, step = [], ""
    began: tuple[float, str] | None = None
    for fact in facts:
        if fact.kind == "call.step":
            step = str(fact.data.get("step", ""))
        if fact.kind not in _BOUNDARIES or (began and fact.kind == "call.said" and began[1] == step):
            continue
        if began is not None:
            told: Attributes = {"outbound.step": began[1], "outbound.turn.ended_by": fact.kind.removeprefix("call.")}
            spans.append(_span("turn", began[0], fact.at, told))
        began = (fact.at, step) if fact.kind == "call.said" else None
    return spans


def _within(facts: Sequence[Fact], ended: Fact) -> list[SpanTold]:
    return _turns(facts) + _systems(facts) + _handoff(facts, ended)


def _systems(facts: Sequence[Fact]) -> list[SpanTold]:
    """From a question to a system of the business to what came of it."""
    spans, asked = [], dict[str, float]()
    for fact in facts:
        if fact.kind != "call.system":
            continue
        key, state = str(fact.data.get("key", "")), str(fact.data.get("state", ""))
        if state == "asked":
            asked[key] = fact.at
        elif key in asked:
            told: Attributes = {"outbound.system": str(fact.data.get("system", "")), "outbound.system.state": state}
            spans.append(_span("system", asked.pop(key), fact.at, told))
    return spans


def _handoff(facts: Sequence[Fact], ended: Fact) -> list[SpanTold]:
    states = [fact for fact in facts if fact.kind == "call.handoff"]
    if not states:
        return []
    told: Attributes = {"outbound.handoff": str(states[-1].data.get("state", ""))}
    return [_span("handoff", states[0].at, states[-1].at if len(states) > 1 else ended.at, told)]


def _span(
    name: str, start: float, end: float, attributes: Attributes | None = None, *, children: Sequence[SpanTold] = ()
) -> SpanTold:
    return SpanTold(name=name, start=start, end=max(start, end), attributes=attributes or {}, children=tuple(children))
