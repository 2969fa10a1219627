"""Puts the facts of the store before the gate and keeps its answers as receipts; it decides nothing itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping

from campaigns.gate import (
    CampaignTerms,
    Consent,
    Decision,
    OptIn,
    OptOut,
    OwnTerms,
    Question,
    Reached,
    Regime,
    Scope,
    Withdrawal,
    decide,
)
from campaigns.rules import RulesError
from outbound.contact_numbers import numbers_of
from outbound.gatehouse.calendars import holidays_version
from outbound.gatehouse.facts import Facts, facts_of, together
from outbound.gatehouse.rulebook import Edition, edition, regime
from outbound.gatehouse.terms import campaign_terms, own_terms
from outbound.places import jurisdictions_of, number_zones_of, tzdata_version, zones
from outbound.receipts.chain import NewReceipt, append

log = structlog.get_logger(__name__)
Row = Mapping[str, Any] | RowMapping
VOICE = "voice"
ASK_AGAIN_S = 900.0
"""When rules cannot be read nobody is reached; it is looked again after this long, for a file can be mended."""
HISTORY_KEPT = 50
"""Earlier attempts named in a receipt, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An answer of the gate together with what it was shown."""

    contact: Row
    campaign: Row
    question: Question
    decision: Decision
    regime: Regime | None
    """``None`` when the rules could not be read."""


def examine(connection: Connection, campaign: Row, contact: Row, *, at: float) -> Examined:
    """Ask the gate whether ``contact`` may be called for ``campaign`` at ``at``, from what is committed now."""
    return examine_all(connection, campaign, [contact], at=at)[0]


def examine_all(
    connection: Connection,
    campaign: Row,
    contacts: Sequence[Row],
    *,
    at: float | Sequence[float],
    barred: Collection[str] = (),
    price: float = 0.0,
) -> list[Examined]:
    """Ask the gate about many contacts of one campaign, at one instant or each at its own; in their order.

    ``barred``: numbers that no trunk may carry; ``price``: what the attempt may cost at most.
    """
    instants = [at] * len(contacts) if isinstance(at, float | int) else at
    first = min(instants, default=0.0)
    facts = facts_of(connection, list({number for contact in contacts for number in numbers_of(contact)}), at=first)
    terms = campaign_terms(connection, campaign, first, price=price)
    own = own_terms(campaign["settings"])
    try:
        chosen, trouble = edition(connection), ""
    except RulesError as error:
        chosen, trouble = None, str(error)

    def one(contact: Row, when: float) -> Examined:
        known = together([facts[number] for number in numbers_of(contact)])
        question = question_of(campaign, contact, known, terms, at=when, barred=contact["number"] in barred)
        rules, why_not = _regime(campaign, contact, own, chosen, trouble, when)
        decision = ask(question, rules, why_not)
        return Examined(contact=contact, campaign=campaign, question=question, decision=decision, regime=rules)

    return [one(contact, when) for contact, when in zip(contacts, instants, strict=True)]


def ask(question: Question, rules: Regime | None, trouble: str) -> Decision:
    """The gate's answer; where the rules cannot be read it is no, and why."""
    if rules is not None:
        return decide(question, rules)
    reason = f"the rules cannot be read: {trouble}"
    return Decision(
        allowed=False,
        code="rules_unreadable",
        reason=reason,
        rule="house",
        source="what is not known to be permitted is refused",
        mark="H",
        next_at=question.at + ASK_AGAIN_S,
    )


def keep_receipts(
    connection: Connection,
    answers: Sequence[Examined],
    *,
    attempt_id: str | None = None,
    attempt_ids: Sequence[str] | None = None,
    at: float,
) -> None:
    """Append the receipts of answers, each about an attempt of its own or all about the same one."""
    about = attempt_ids if attempt_ids is not None else [attempt_id] * len(answers)
    append(connection, [_receipt(answer, key, at) for answer, key in zip(answers, about, strict=True)])


def _regime(
    campaign: Row, contact: Row, own: OwnTerms, chosen: Edition | None, trouble: str, at: float
) -> tuple[Regime | None, str]:
    """The rules for a contact, or ``None`` and why they cannot be read."""
    if chosen is not None:
        try:
            return regime_of(campaign, contact, own, chosen, at=at), ""
        except RulesError as error:
            trouble = str(error)
    log.error("rules cannot be read, nobody is reached", reason=trouble)
    return None, trouble


def question_of(
    campaign: Row, contact: Row, facts: Facts, terms: CampaignTerms, *, at: float, barred: bool = False
) -> Question:
    """The gate's question about calling a contact for a campaign."""
    valid_for_s = campaign["settings"].get("valid_for_s")
    if valid_for_s is not None:
        ends = [contact["created_at"] + valid_for_s, terms.expires_at or float("inf")]
        terms = replace(terms, expires_at=min(ends))
    return Question(
        at=at,
        purpose=campaign["purpose"],
        channel=VOICE,
        zones=zones(zones_in(contact)),
        opt_outs=tuple(facts.opt_outs),
        opt_ins=tuple(facts.opt_ins),
        consents=(*claimed(contact, campaign), *facts.consents),
        withdrawals=tuple(facts.withdrawals),
        refusals=tuple(facts.refusals),
        history=tuple(facts.history),
        registers=facts.registers,
        house_lists=facts.house_lists,
        campaign=terms,
        guard_s=campaign["settings"]["ring_timeout_s"],
        barred=barred,
    )


def regime_of(campaign: Row, contact: Row, own: OwnTerms, chosen: Edition, *, at: float) -> Regime:
    """The rules for calling a contact for a campaign with its ``own`` terms. Raises :class:`RulesError`."""
    return regime(chosen, jurisdictions_in(contact), campaign["purpose"], VOICE, own, at=at)


def jurisdictions_in(contact: Row) -> tuple[str, ...]:
    """The jurisdictions of a contact; one of an older schema has none, and its number alone tells them."""
    return tuple(contact["jurisdictions"]) or jurisdictions_of(contact["number"])


def zones_in(contact: Row) -> list[str]:
    """The zones of a contact; to those of one of an older schema, resolved by older tables, its number's are added."""
    stored: list[str] = contact["zones"]
    return stored if contact["jurisdictions"] else sorted({*stored, *number_zones_of(contact["number"])})


def claimed(contact: Row, campaign: Row) -> tuple[Consent, ...]:
    """The consent that an import claims, without proof, for the campaign it came with."""
    if contact["consent"] == "none":
        return ()
    scope = Scope(campaign=campaign["id"])
    return (Consent(id=f"contact {contact['id']}", kind=contact["consent"], scope=scope, at=contact["created_at"]),)


def _receipt(examined: Examined, attempt_id: str | None, at: float) -> NewReceipt:
    decision, question = examined.decision, examined.question
    return NewReceipt(
        at=at,
        campaign_id=examined.campaign["id"],
        contact_id=examined.contact["id"],
        attempt_id=attempt_id,
        channel=question.channel,
        purpose=question.purpose,
        allowed=decision.allowed,
        code=decision.code,
        reason=decision.reason,
        rule=decision.rule,
        source=decision.source,
        next_at=decision.next_at,
        evidence={"mark": decision.mark} | evidence(question, examined.regime, jurisdictions_in(examined.contact)),
        personal={"number": examined.contact["number"]},
    )


def evidence(question: Question, rules: Regime | None, jurisdictions: Sequence[str]) -> dict[str, Any]:
    """What the gate was shown, without personal data: enough to ask it again."""
    newest = sorted(question.history, key=lambda one: one.at)[-HISTORY_KEPT:]
    return {
        "at": question.at,
        "guard_s": question.guard_s,
        "zones": [zone.name for zone in question.zones],
        "jurisdictions": list(jurisdictions),
        "packs": list(rules.packs) if rules is not None else [],
        "tzdata": tzdata_version(),
        "holidays": holidays_version(),
        "opt_outs": [_said(one) for one in question.opt_outs],
        "opt_ins": [_said(one) for one in question.opt_ins],
        "consents": [_consent(one) for one in question.consents],
        "withdrawals": [_said(one) for one in question.withdrawals],
        "refusals": [{"id": one.id, "at": one.at, "scope": one.purpose} for one in question.refusals],
        "history": [_shown(one) for one in newest],
        "registers": {name: asdict(fact) for name, fact in question.registers.items()},
        "house_lists": [one.name for one in question.house_lists],
        "expires_at": question.campaign.expires_at,
    }


def _said(one: OptOut | OptIn | Withdrawal | Consent) -> dict[str, Any]:
    """What was said, when, and of what: a purpose or all, a channel and a campaign where only these are meant."""
    narrower = {"channel": one.scope.channel, "campaign": one.scope.campaign}
    narrower = {name: value for name, value in narrower.items() if value}
    return {"id": one.id, "at": one.at, "scope": one.scope.purpose} | narrower


def _consent(one: Consent) -> dict[str, Any]:
    until = {} if one.until == float("inf") else {"until": one.until}
    return _said(one) | {"kind": one.kind, "proven": one.proven} | until


def _shown(one: Reached) -> dict[str, Any]:
    return {"at": one.at, "channel": one.channel, "purpose": one.purpose, "outcome": one.outcome}
