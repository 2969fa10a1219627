"""Puts the facts of the store before the gate and keeps its answers as receipts; it decides nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from campaigns.gate import Decision, OptOut, Question, decide
from campaigns.rules import Window, load_pack, parse_window
from outbound.store.schema import attempts, opt_outs, receipts
from outbound.zones import zones

HISTORY_S = 31 * 86400
"""How far back earlier calls to a number are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An answer of the gate together with what it was shown."""

    question: Question
    decision: Decision


def examine(connection: Connection, campaign: RowMapping, contact: RowMapping, *, at: float) -> Examined:
    """Ask the gate whether ``contact`` may be called for ``campaign`` at ``at``, from what is committed now."""
    settings = campaign["settings"]
    question = Question(
        at=at,
        purpose=campaign["purpose"],
        zones=zones(contact["zones"]),
        consent=contact["consent"],
        opt_outs=_opt_outs(connection, contact["number"]),
        dialed_at=_dialed_at(connection, contact["number"], at),
        campaign_windows=_windows(settings["windows"]),
        starts_at=campaign["starts_at"],
        expires_at=campaign["expires_at"],
        ring_s=settings["ring_timeout_s"],
    )
    return Examined(question=question, decision=decide(question, load_pack("default")))


def keep_receipt(
    connection: Connection, examined: Examined, *, campaign_id: str, contact_id: str, attempt_id: str | None, at: float
) -> None:
    """Append the receipt of an answer."""
    decision, question = examined.decision, examined.question
    evidence: dict[str, Any] = {
        "at": question.at,
        "purpose": question.purpose,
        "zones": [zone.name for zone in question.zones],
        "consent": question.consent,
        "opt_outs": [opt_out.id for opt_out in question.opt_outs],
        "dialed_at": list(question.dialed_at),
    }
    row = {
        "at": at,
        "campaign_id": campaign_id,
        "contact_id": contact_id,
        "attempt_id": attempt_id,
        "allowed": decision.allowed,
        "code": decision.code,
        "reason": decision.reason,
        "rule": decision.rule,
        "next_at": decision.next_at,
        "evidence": evidence,
    }
    connection.execute(insert(receipts), row)


def _opt_outs(connection: Connection, number: str) -> tuple[OptOut, ...]:
    query = select(opt_outs.c.id, opt_outs.c.scope).where(opt_outs.c.number == number)
    return tuple(OptOut(id=row.id, scope=row.scope) for row in connection.execute(query))


def _dialed_at(connection: Connection, number: str, at: float) -> tuple[float, ...]:
    query = select(attempts.c.dialed_at).where(attempts.c.number == number, attempts.c.dialed_at > at - HISTORY_S)
    return tuple(connection.execute(query).scalars())


def _windows(items: list[dict[str, Any]]) -> tuple[Window, ...]:
    return tuple(parse_window(item["days"], item["start"], item["end"]) for item in items)
