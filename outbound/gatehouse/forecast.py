"""Whom the gate would let a campaign reach in each of the next hours, if nothing changed; it plans and reaches nobody.

Contacts of whom nothing but place and consent is known are counted by their kind, so that a million of them cost a few
decisions; only those with a history of their own are asked about one by one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, cast, exists, func, or_, select

from campaigns.attempts import State
from campaigns.gate import CampaignTerms, Question, Regime, decide
from outbound.gatehouse.facts import Facts, facts_of
from outbound.gatehouse.keeper import question_of, regime_of
from outbound.gatehouse.rulebook import Edition, edition
from outbound.gatehouse.terms import campaign_terms, own_terms
from outbound.store.erased import tokens_of
from outbound.store.schema import (
    attempts,
    consents,
    contacts,
    erasures,
    opt_ins,
    opt_outs,
    refusals,
    register_entries,
    registers,
)

HOUR_S = 3600
PAGE = 2000
Kind = tuple[str, str, str, float]
"""Zones, jurisdictions, claimed consent, and from when: contacts of one kind get one answer."""


@dataclass(slots=True, kw_only=True)
class Outlook:
    """How many customers could be reached when."""

    reachable: list[int]
    newly: list[int]
    later: int = 0
    never: Counter[str] = field(default_factory=Counter)
    contacts: int = 0


def outlook(connection: Connection, campaign: RowMapping, *, start: float, hours: int) -> Outlook:
    """Ask the gate about every customer of a campaign who is not done with, hour by hour from ``start``.

    Raises :class:`RulesError` when the rules cannot be read.
    """
    made = Outlook(reachable=[0] * hours, newly=[0] * hours)
    terms, chosen = campaign_terms(connection, campaign, start), edition(connection)
    kinds: Counter[Kind] = Counter()
    samples: dict[Kind, RowMapping] = {}
    for rows in _pages(connection, campaign["id"]):
        special = _special(connection, rows)
        facts = facts_of(connection, [row["number"] for row in special], at=start)
        for row in special:
            _count(made, campaign, row, facts[row["number"]], terms, chosen, start, 1)
        known = {row["id"] for row in special}
        for row in rows:
            if row["id"] not in known:
                kind = (json.dumps(row["zones"]), json.dumps(row["jurisdictions"]), row["consent"], _from(row, start))
                kinds[kind] += 1
                samples.setdefault(kind, row)
    states = facts_of(connection, ["+0"], at=start)["+0"]
    for kind, people in kinds.items():
        _count(made, campaign, samples[kind], Facts(registers=states.registers), terms, chosen, start, people)
    return made


def _pages(connection: Connection, campaign_id: str) -> Iterator[Sequence[RowMapping]]:
    """The customers who are not done with, each with when the next attempt is due, and whether more is known."""
    waiting = (attempts.c.contact_id == contacts.c.id) & (attempts.c.state == State.DUE)
    due = select(func.min(attempts.c.due_at)).where(waiting)
    columns = ("id", "number", "zones", "jurisdictions", "consent", "created_at")
    query = (
        select(*(contacts.c[name] for name in columns), due.scalar_subquery().label("due_at"), _known().label("known"))
        .where(contacts.c.campaign_id == campaign_id, contacts.c.disposition.is_(None))
        .order_by(contacts.c.id)
        .limit(PAGE)
    )
    after = ""
    while rows := connection.execute(query.where(contacts.c.id > after)).mappings().all():
        yield rows
        after = rows[-1]["id"]


def _known() -> Any:
    """Whether anything is stored of a contact's number besides the contact."""
    said = [exists().where(table.c.number == contacts.c.number) for table in (opt_outs, opt_ins, consents, refusals)]
    tried = exists().where(attempts.c.number == contacts.c.number, attempts.c.dialed_at.is_not(None))
    digits = cast(func.substr(contacts.c.number, 2), register_entries.c.number.type)
    listed = exists().where(
        register_entries.c.register.in_(select(registers.c.name)), register_entries.c.number == digits
    )
    return or_(*said, tried, listed)


def _special(connection: Connection, rows: Sequence[RowMapping]) -> list[RowMapping]:
    """Those of whom more is known, be it under the token of somebody erased."""
    found = [row for row in rows if row["known"]]
    if connection.execute(select(erasures.c.id).limit(1)).first() is None:
        return found
    tokens = {token: number for number, token in tokens_of(connection, [row["number"] for row in rows]).items()}
    erased = connection.execute(select(erasures.c.token).where(erasures.c.token.in_(tokens))).scalars()
    back = {tokens[token] for token in erased}
    return [row for row in rows if row["known"] or row["number"] in back]


def _from(row: RowMapping, start: float) -> float:
    """The start of the minute in which the customer's next attempt is due, or the start of the forecast."""
    return max(start, (row["due_at"] or 0.0) // 60 * 60)


def _count(
    made: Outlook,
    campaign: RowMapping,
    contact: RowMapping,
    facts: Facts,
    terms: CampaignTerms,
    chosen: Edition,
    start: float,
    people: int,
) -> None:
    question = question_of(campaign, contact, facts, terms, at=_from(contact, start))
    rules = regime_of(campaign, contact, own_terms(campaign["settings"]), chosen, at=start)
    made.contacts += people
    first = decide(question, rules)
    if first.next_at is None:
        made.never[first.code] += people
        return
    open_hours = list(_open_hours(question, rules, first.next_at, start, len(made.reachable)))
    for hour in open_hours:
        made.reachable[hour] += people
    if open_hours:
        made.newly[open_hours[0]] += people
    else:
        made.later += people


def _open_hours(question: Question, rules: Regime, first: float, start: float, hours: int) -> Iterator[int]:
    """The hours in which some instant is permitted, found from permitted instant to permitted instant."""
    at: float | None = first
    while at is not None and (hour := int((at - start) // HOUR_S)) < hours:
        yield hour
        at = decide(replace(question, at=start + (hour + 1) * HOUR_S), rules).next_at
