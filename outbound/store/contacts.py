"""Contacts of campaigns: added in batches without duplicates, listed; a number's journey over all campaigns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, exists, func, select, update

from campaigns.dispositions import Disposition
from outbound.ids import new_id
from outbound.importing.numbers import same_mobile
from outbound.store import events
from outbound.store.erased import tokens_of
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import UNPLANNED, attempts, callbacks, campaigns, contacts, opt_outs, receipts

JOURNEY_LIMIT = 200
CURED_BY_OPT_IN = frozenset({"opted_out"})
CURED_BY_REGISTER = frozenset({"register_missing", "register_stale"})
CURED_BY_CONSENT = CURED_BY_REGISTER | {"consent_missing", "registered"}
"""Codes of refusals (campaigns/gate/facts.py) that end when the customer, or a newer list, has said more."""


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
    query = select(func.count()).select_from(contacts).where(contacts.c.campaign_id == campaign_id, UNPLANNED)
    return connection.execute(query.where(value.is_(None))).scalar_one()


def reconsider(
    connection: Connection,
    codes: Collection[str],
    *,
    numbers: Collection[str] = (),
    ids: Collection[str] = (),
    now: float,
) -> set[str]:
    """Have contacts that the gate refused for one of ``codes`` planned again, given by E.164 number or by id.

    Only those of campaigns that are not over, and that no attempt was ever made for. Returns the campaigns, for whom
    ``plan_campaign`` is to be enqueued after the commit; the gate then decides anew.
    """
    events.take_turn(connection)
    forms = [form for number in numbers for form in same_mobile(number)]
    query = _refused(codes).where(contacts.c.number.in_(forms) | contacts.c.id.in_(ids))
    found = connection.execute(query).mappings().all()
    if found:
        theirs = update(contacts).where(contacts.c.id.in_([row["id"] for row in found]))
        connection.execute(theirs.values(planned=False, disposition=None))
        events.append_all(connection, [_reconsidered(row, now) for row in found])
    return {row["campaign_id"] for row in found}


def refused(connection: Connection, codes: Collection[str], *, after: str, limit: int) -> list[str]:
    """Ids above ``after`` of contacts that :func:`reconsider` would take, in their order: it looks beside writers."""
    query = _refused(codes).where(contacts.c.id > after).order_by(contacts.c.id).limit(limit)
    return list(connection.execute(query.with_only_columns(contacts.c.id)).scalars())


def _refused(codes: Collection[str]) -> Select[Any]:
    newest = select(receipts.c.code).where(receipts.c.contact_id == contacts.c.id)
    newest = newest.order_by(receipts.c.id.desc()).limit(1)
    open_campaigns = select(campaigns.c.id).where(campaigns.c.state.in_(("running", "paused")))
    return select(contacts).where(
        contacts.c.disposition == Disposition.REFUSED,
        contacts.c.campaign_id.in_(open_campaigns),
        ~exists().where(attempts.c.contact_id == contacts.c.id),
        newest.correlate(contacts).scalar_subquery().in_(codes),
    )


def _reconsidered(row: RowMapping, now: float) -> dict[str, Any]:
    told = {"at": now, "kind": "contact.reconsidered", "campaign_id": row["campaign_id"], "attempt_id": None}
    return told | {"data": {"number": row["number"], "name": row["name"]}}


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
