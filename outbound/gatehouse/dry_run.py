"""Asks the gate a supposed question, as ``/v1/decisions`` has it; it reaches nobody and keeps no receipt.

What is supposed stands beside what the store knows, unless the question says that only the supposed counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, select

from campaigns.dispositions import Disposition
from campaigns.gate import (
    Budget,
    CampaignTerms,
    OwnTerms,
    Question,
    Regime,
)
from campaigns.rules import RulePack, RulesError, parse_pack, read_pack
from outbound.api import gate_models as m
from outbound.api import views
from outbound.api.models import CampaignState, FieldError, Purpose
from outbound.api.problems import InvalidFields
from outbound.gatehouse.facts import Facts, facts_of
from outbound.gatehouse.keeper import ask, evidence, jurisdictions_in, zones_in
from outbound.gatehouse.rulebook import Edition, edition, packs_for, regime, with_packs
from outbound.gatehouse.supposed import with_supposed
from outbound.gatehouse.terms import campaign_terms, own_terms
from outbound.importing.numbers import NumberRefused, Telephone, e164, resolve
from outbound.places import ZoneRefused, jurisdictions_of, place_without_number, tzdata_version, zones
from outbound.store import campaigns
from outbound.store.schema import contacts

T = TypeVar("T")
CURABLE = frozenset(
    {"zone_unknown", "rules_unknown", "rules_unreadable", "consent_missing", "register_missing", "register_stale"}
)


def dry_run(connection: Connection, asked: m.DecisionIn, *, now: float) -> m.DecisionOut:
    """Answer one question. Raises :class:`InvalidFields` for one that makes no sense, :class:`NotFound` likewise."""
    campaign = campaigns.get(connection, asked.campaign_id) if asked.campaign_id else None
    purpose = asked.purpose or (campaign["purpose"] if campaign is not None else None)
    if purpose is None:
        raise _invalid("purpose", "missing", "the field is required, unless campaign_id is given")
    at = asked.at.timestamp() if asked.at is not None else now
    contact = _contact(connection, campaign, asked)
    place = _place(asked, contact)
    question = Question(
        at=at,
        purpose=str(purpose),
        channel=asked.channel,
        zones=zones(list(place.zones)),
        campaign=_terms(connection, campaign, asked, at),
        guard_s=_guard_s(campaign, asked),
    )
    question = with_supposed(question, _facts(connection, asked, place.number, at), asked, contact, campaign)
    own, trouble = _own(campaign, asked), ""
    rules: Regime | None = None
    packs: tuple[RulePack, ...] = ()
    try:
        chosen = _edition(connection, asked)
        packs = packs_for(chosen, place.jurisdictions)
        rules = regime(chosen, place.jurisdictions, question.purpose, question.channel, own, at=at)
    except RulesError as error:
        trouble = str(error)
    answer = _answer(question, rules, trouble, place, packs)
    return answer.model_copy(update=_standing(campaign, contact))


def _standing(campaign: RowMapping | None, contact: RowMapping | None) -> dict[str, Any]:
    """What else may keep a campaign from reaching somebody: it does not run, or is done with the customer."""
    found: dict[str, Any] = {} if campaign is None else {"campaign_state": CampaignState(campaign["state"])}
    if contact is not None and contact["disposition"] is not None:
        found["contact_disposition"] = Disposition(contact["disposition"])
    return found


def packs_of(documents: Sequence[dict[str, Any] | str], field: str) -> tuple[RulePack, ...]:
    """Read packs sent in a request. Raises :class:`InvalidFields` naming the pack, the key and the remedy."""
    return _packs(json.dumps(documents, sort_keys=True), field)


@lru_cache(maxsize=64)
def _packs(documents: str, field: str) -> tuple[RulePack, ...]:
    made = []
    for number, document in enumerate(json.loads(documents)):
        name = f"{field}[{number}]"
        try:
            is_text = isinstance(document, str)
            made.append(parse_pack(document, file=name) if is_text else read_pack(document, file=name))
        except RulesError as error:
            raise _invalid(name, error.code, str(error)) from error
    return tuple(made)


def _contact(connection: Connection, campaign: RowMapping | None, asked: m.DecisionIn) -> RowMapping | None:
    """The contact of the campaign that is meant, if the number is in it."""
    if campaign is None or asked.number is None:
        return None
    number = _checked(lambda: e164(asked.number or ""))
    query = select(contacts).where(contacts.c.campaign_id == campaign["id"], contacts.c.number == number)
    return connection.execute(query).mappings().first()


def _place(asked: m.DecisionIn, contact: RowMapping | None) -> Telephone:
    """Where the customer is: as the question says, else as the contact does; without zones where nobody can tell."""
    said = {"zone": asked.zone, "country": asked.country, "region": asked.region, "postcode": asked.postcode}
    if contact is not None and not any(said.values()):
        where = jurisdictions_in(contact)
        return Telephone(number=contact["number"], zones=tuple(zones_in(contact)), jurisdictions=where)
    return _checked(lambda: resolve_leniently(asked.number, **said))


def resolve_leniently(number: str | None, **said: str) -> Telephone:
    """Where a number is; no zones instead of an error where that cannot be told: the gate then says what to supply."""
    if number is None:
        place = place_without_number(**said)
        return Telephone(number="", zones=place.zones, jurisdictions=place.jurisdictions)
    try:
        return resolve(number, **said)
    except ZoneRefused as error:
        if error.code != "zone_needed":
            raise
        return Telephone(number=e164(number), zones=(), jurisdictions=jurisdictions_of(e164(number)))


def _checked(read: Callable[[], T]) -> T:
    try:
        return read()
    except (NumberRefused, ZoneRefused) as error:
        raise _invalid(error.field, error.code, error.detail) from error


def _invalid(field: str, code: str, reason: str) -> InvalidFields:
    return InvalidFields([FieldError(field=field, code=code, reason=reason)])


def _edition(connection: Connection, asked: m.DecisionIn) -> Edition:
    if asked.rules is None:
        return edition(connection)
    packs = packs_of(asked.rules, "rules")
    key = hashlib.sha256(json.dumps(asked.rules, sort_keys=True).encode()).hexdigest()
    if asked.in_force:
        return with_packs(edition(connection), packs, key)
    everywhere = tuple(replace(pack, jurisdictions=("*",)) for pack in packs)
    return with_packs(None, everywhere, key)


def _own(campaign: RowMapping | None, asked: m.DecisionIn) -> OwnTerms:
    supposed = asked.model_dump(mode="json", include={"windows", "caps", "closing_guard_s"})
    if campaign is None or any(supposed.values()):
        return own_terms(supposed)
    return own_terms(campaign["settings"])


def _guard_s(campaign: RowMapping | None, asked: m.DecisionIn) -> float:
    if asked.channel != "voice":
        return 0.0
    if campaign is not None and "ring_timeout_s" not in asked.model_fields_set:
        return float(campaign["settings"]["ring_timeout_s"])
    return asked.ring_timeout_s


def _terms(connection: Connection, campaign: RowMapping | None, asked: m.DecisionIn, at: float) -> CampaignTerms:
    terms = campaign_terms(connection, campaign, at) if campaign is not None else CampaignTerms()
    if asked.budget is not None:
        frees_at = float("inf") if asked.budget.frees_at is None else asked.budget.frees_at.timestamp()
        budget = Budget(limit=asked.budget.limit, used=asked.budget.used, frees_at=frees_at)
        terms = replace(terms, budget=budget)
    if asked.starts_at is not None:
        terms = replace(terms, starts_at=asked.starts_at.timestamp())
    if asked.expires_at is not None:
        terms = replace(terms, expires_at=asked.expires_at.timestamp())
    return terms


def _facts(connection: Connection, asked: m.DecisionIn, number: str, at: float) -> Facts:
    if not asked.stored or not number:
        return Facts()
    return facts_of(connection, [number], at=at)[number]


def _answer(
    question: Question, rules: Regime | None, trouble: str, place: Telephone, packs: Sequence[RulePack]
) -> m.DecisionOut:
    decision = ask(question, rules, trouble)
    unreadable = decision.code == "rules_unreadable"
    return m.DecisionOut(
        allowed=decision.allowed,
        code=decision.code,
        reason=decision.reason,
        rule=decision.rule,
        source=decision.source,
        mark=decision.mark,
        next_at=None if unreadable else views.instant(decision.next_at),
        at=views.at(question.at),
        number=place.number,
        purpose=Purpose(question.purpose),
        channel=question.channel,
        zones=[zone.name for zone in question.zones],
        jurisdictions=list(place.jurisdictions),
        packs=[pack.id for pack in packs],
        disclosures=_disclosures(packs, question),
        tzdata=tzdata_version(),
        curable=decision.code in CURABLE,
        evidence=evidence(question, rules, place.jurisdictions),
    )


def _disclosures(packs: Sequence[RulePack], question: Question) -> list[m.DisclosureOut]:
    return [
        m.DisclosureOut(
            rule=one.cite, source=one.source, mark=one.mark, when=one.when, text=one.text, within_s=one.within_s
        )
        for pack in packs
        for one in pack.disclosures
        if one.covers(question.purpose, question.channel)
    ]
