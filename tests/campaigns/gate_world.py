"""Questions, packs and instants for tests of the gate; packs are written in the files' own schema."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.gate import Decision, OwnTerms, Question, Regime, Zone, compile_regime, decide
from campaigns.rules import Calendar, RulePack, load_pack, read_pack

BASE: dict[str, Any] = {
    "name": "trial",
    "title": "Trial",
    "version": "1",
    "effective_from": "2000-01-01",
    "jurisdictions": ["ZZ"],
}
RULE: dict[str, Any] = {
    "source": "a test",
    "mark": "H",
    "purposes": ["marketing", "informational"],
    "channels": ["voice", "sms"],
}


def rule(name: str, **fields: Any) -> dict[str, Any]:
    """One rule of a pack."""
    return RULE | {"id": name} | fields


def hours(*windows: str, **fields: Any) -> dict[str, Any]:
    """A rule of hours."""
    return rule("hours", windows=list(windows)) | fields


def pack(**fields: Any) -> RulePack:
    """A pack out of tables as they stand in a file."""
    return read_pack(BASE | fields, file="trial.toml")


def zone(name: str) -> Zone:
    return Zone(name=name, tz=ZoneInfo(name))


def instant(text: str) -> float:
    """Epoch seconds of an RFC 3339 instant, or of a local time and zone such as ``2026-11-24 09:00 Europe/Paris``."""
    if " " not in text:
        return datetime.fromisoformat(text).timestamp()
    day, time, name = text.split(" ")
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(name)).timestamp()


NOON_IN_PARIS = instant("2026-11-24T12:00:00+01:00")
QUESTION = Question(
    at=NOON_IN_PARIS, purpose="informational", channel="voice", zones=(zone("Europe/Paris"),), guard_s=25
)


def regime(
    *packs: RulePack, question: Question = QUESTION, own: OwnTerms | None = None, calendar: Calendar | None = None
) -> Regime:
    """The rules for a question; without packs the cautious default and the house."""
    chosen = packs or (load_pack("default"), load_pack("house"))
    look_up = (lambda _: calendar) if calendar is not None else None
    return compile_regime(chosen, question.purpose, question.channel, own=own, calendar=look_up)


def ask(*packs: RulePack, own: OwnTerms | None = None, calendar: Calendar | None = None, **changes: Any) -> Decision:
    """The gate's answer to ``QUESTION`` with changes."""
    question = replace(QUESTION, **changes)
    return decide(question, regime(*packs, question=question, own=own, calendar=calendar))
