"""Contacts of campaigns: added in batches without duplicates, listed; a number's journey over all campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from outbound.ids import new_id
from outbound.store.erased import tokens_of
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import attempts, callbacks, campaigns, contacts, opt_outs

JOURNEY_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """A contact that was checked and may be stored."""

    row: int
    """Where it came from: line of the file or position in the list."""
    number: str
    """E.164."""
    zones: tuple[str, ...]
    """IANA zones; every one of them must allow a call."""
    jurisdictions: tuple[str, ...]
    """Codes of countries and subdivisions; the rules of every one of them must allow it."""
    ref: str = ""
    name: str = ""
    language: str = ""
    consent: str = "none"
    variables: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a batch."""

    accepted: int
    duplicates: tuple[int, ...]
    """Rows whose number is in the campaign already, or came earlier in the batch."""


def add(connection: Connection, campaign_id: str, batch: Sequence[NewContact], *, now: float) -> Added:
    """Store a batch in its order, passing over numbers that the campaign has. The caller holds the campaign's row.

    Somebody who was erased in this campaign stays in it under a token, and does not come back by another import.
    """
    numbers = {contact.number for contact in batch}
    tokens = tokens_of(connection, numbers)
    names = numbers.union(tokens.values())
    query = select(contacts.c.number).where(contacts.c.campaign_id == campaign_id, contacts.c.number.in_(names))
    known = set(connection.execute(query).scalars())
    fresh: list[NewContact] = []
    duplicates: list[int] = []
    for contact in batch:
        if contact.number in known or tokens.get(contact.number) in known:
            duplicates.append(contact.row)
        else:
            known.add(contact.number)
            fresh.append(contact)
    ids = sorted(new_id(now) for _ in fresh)  # ids sort as the rows came
    rows = [_row(contact, campaign_id, key, now) for contact, key in zip(fresh, ids, strict=True)]
    if rows:
        connection.execute(insert_or_skip(connection, contacts), rows)
    return Added(accepted=len(rows), duplicates=tuple(duplicates))


def get(connection: Connection, contact_id: str) -> RowMapping:
    """Read one contact."""
    return connection.execute(select(contacts).where(contacts.c.id == contact_id)).mappings().one()


def page(
    connection: Connection, campaign_id: str, *, disposition: str | None, after: str | None, limit: int
) -> Sequence[RowMapping]:
    """List a campaign's contacts in the order they came, each with ``attempts``, the number of tries."""
    tries = (
        select(func.count()).where(attempts.c.contact_id == contacts.c.id).correlate(contacts).scalar_subquery()
    ).label("attempts")
    query = select(contacts, tries).where(contacts.c.campaign_id == campaign_id).order_by(contacts.c.id).limit(limit)
    if disposition is not None:
        query = query.where(contacts.c.disposition == disposition)
    if after is not None:
        query = query.where(contacts.c.id > after)
    return connection.execute(query).mappings().all()


def lacking(connection: Connection, campaign_id: str, variable: str) -> int:
    """Count the contacts still to be planned that have no value of their own for ``variable``."""
    value = contacts.c.variables[variable].as_string()
    query = select(func.count()).select_from(contacts).where(contacts.c.campaign_id == campaign_id, ~contacts.c.planned)
    return connection.execute(query.where(value.is_(None))).scalar_one()


def journey(connection: Connection, number: str) -> dict[str, Sequence[RowMapping]]:
    """Read what is known of a number: ``campaigns``, ``opt_outs`` and ``callbacks``, each the newest first."""
    places = (
        select(contacts, campaigns.c.name.label("campaign"))
        .join(campaigns, contacts.c.campaign_id == campaigns.c.id)
        .where(contacts.c.number == number)
        .order_by(contacts.c.id.desc())
        .limit(JOURNEY_LIMIT)
    )
    found: dict[str, Any] = {"campaigns": places}
    for name, table in (("opt_outs", opt_outs), ("callbacks", callbacks)):
        found[name] = select(table).where(table.c.number == number).order_by(table.c.id.desc()).limit(JOURNEY_LIMIT)
    return {name: connection.execute(query).mappings().all() for name, query in found.items()}


def _row(contact: NewContact, campaign_id: str, contact_id: str, now: float) -> dict[str, Any]:
    return {
        "id": contact_id,
        "campaign_id": campaign_id,
        "number": contact.number,
        "ref": contact.ref,
        "name": contact.name,
        "language": contact.language,
        "zones": list(contact.zones),
        "jurisdictions": list(contact.jurisdictions),
        "consent": contact.consent,
        "variables": contact.variables,
        "created_at": now,
    }
