"""Puts what rule packs want said into a call flow, in the packs' order and at their time; document to document."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STEP = "disclosed"
"""Name of the step that says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence that the customer must hear."""

    when: str
    """``start``: right after who calls; ``voicemail``: with the message; ``end``: before the goodbye."""
    say: Mapping[str, str]
    """Language -> sentence."""


def with_disclosures(document: dict[str, Any], told: Iterable[Told]) -> dict[str, Any]:
    """Return the flow with every sentence in it; what is no flow is left to whoever reads it.

    A sentence that is not there in a language of the flow is said in one that it has: better foreign than not at all.
    """
    told = [one for one in told if one.say]
    if not told or not isinstance(document.get("steps"), dict):
        return document
    made = copy.deepcopy(document)
    languages = [str(tag) for tag in made.get("languages") or ["en"]]
    for when, put in (("start", _after_opening), ("voicemail", _with_message), ("end", _before_goodbye)):
        says = [one.say for one in told if one.when == when]
        if says:
            put(made, {language: " ".join(_in(say, language) for say in says) for language in languages})
    return made


def _in(say: Mapping[str, str], language: str) -> str:
    return say.get(language) or next(iter(say.values()))


def _after_opening(flow: dict[str, Any], said: Mapping[str, str]) -> None:
    steps = flow["steps"]
    first = steps.get(flow.get("start") or next(iter(steps), ""))
    if isinstance(first, dict) and first.get("then"):
        steps[STEP] = {"type": "say", "say": dict(said), "then": first["then"]}
        first["then"] = STEP


def _with_message(flow: dict[str, Any], said: Mapping[str, str]) -> None:
    if isinstance(flow.get("voicemail"), dict):
        _join(flow["voicemail"], "leave", said, at_end=True)


def _before_goodbye(flow: dict[str, Any], said: Mapping[str, str]) -> None:
    for step in flow["steps"].values():
        if isinstance(step, dict) and step.get("type") == "hangup":
            _join(step, "say", said)


def _join(holder: dict[str, Any], key: str, said: Mapping[str, str], *, at_end: bool = False) -> None:
    """Say it before (or after) what is said under ``key``."""
    old = holder.get(key) or {}
    texts: Mapping[str, Any] = old if isinstance(old, dict) else {next(iter(said)): old}
    both: dict[str, Sequence[str]] = {tag: [text, str(texts.get(tag, ""))] for tag, text in said.items()}
    holder[key] = {tag: " ".join(reversed(parts) if at_end else parts).strip() for tag, parts in both.items()}
