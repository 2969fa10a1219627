"""Facts that a dry run supposes, put beside those of the store; nothing is read or stored here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping

from campaigns.dispositions import ANSWERED
from campaigns.gate import (
    Consent,
    Listing,
    OptIn,
    OptOut,
    Question,
    Reached,
    Refusal,
    RegisterFact,
    Scope,
    Withdrawal,
)
from outbound.api import gate_models as m
from outbound.gatehouse.facts import Facts
from outbound.gatehouse.keeper import claimed

LONG_AGO = 0.0
SUPPOSED = "supposed"
"""Id of a fact that is supposed, not stored."""


def with_supposed(
    question: Question, facts: Facts, asked: m.DecisionIn, contact: RowMapping | None, campaign: RowMapping | None
) -> Question:
    """Stored and supposed facts together."""
    consents, withdrawals = _consents(asked)
    if contact is not None and campaign is not None and asked.stored:
        consents = [*consents, *claimed(contact, campaign)]
    registers = {
        name: RegisterFact(as_of=_seconds(fact.as_of), listed=fact.listed) for name, fact in asked.registers.items()
    }
    return replace(
        question,
        opt_outs=(
            *facts.opt_outs,
            *(OptOut(id=SUPPOSED, at=_or_long_ago(o.at), scope=_scope(o)) for o in asked.opt_outs),
        ),
        opt_ins=(*facts.opt_ins, *(OptIn(id=SUPPOSED, at=o.at.timestamp(), scope=_scope(o)) for o in asked.opt_ins)),
        consents=(*facts.consents, *consents),
        withdrawals=(*facts.withdrawals, *withdrawals),
        refusals=(
            *facts.refusals,
            *(Refusal(id=SUPPOSED, at=r.at.timestamp(), purpose=str(r.purpose)) for r in asked.refusals),
        ),
        history=(*facts.history, *map(_reached, asked.history)),
        registers={**facts.registers, **registers},
        house_lists=(*facts.house_lists, *(Listing(name=name, since=LONG_AGO) for name in asked.house_lists)),
    )


def _consents(asked: m.DecisionIn) -> tuple[list[Consent], list[Withdrawal]]:
    found, taken_back = [], []
    if asked.consent != "none":
        found.append(Consent(id=SUPPOSED, kind=str(asked.consent), at=LONG_AGO))
    for one in asked.consents:
        until = {} if one.expires_at is None else {"until": one.expires_at.timestamp()}
        at, scope = _or_long_ago(one.at), _scope(one)
        found.append(Consent(id=SUPPOSED, kind=one.kind, scope=scope, at=at, proven=one.proof, **until))
        if one.withdrawn_at is not None:
            taken_back.append(Withdrawal(id=SUPPOSED, at=one.withdrawn_at.timestamp(), scope=scope))
    return found, taken_back


def _reached(one: m.ReachedFact) -> Reached:
    answered = one.answered
    if answered is None and one.disposition is not None:
        answered = one.disposition in ANSWERED
    return Reached(
        at=one.at.timestamp(),
        channel=one.channel,
        purpose=str(one.purpose or ""),
        campaign=one.campaign_id,
        outcome=str(one.disposition or ""),
        answered=answered,
    )


def _scope(one: m.ScopeIn) -> Scope:
    return Scope(purpose=one.scope, channel=one.channel, campaign=one.campaign_id)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _or_long_ago(at: datetime | None) -> float:
    return LONG_AGO if at is None else at.timestamp()
