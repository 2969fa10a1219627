"""Contacts of campaigns: added in batches without duplicates, listed; a number's journey over all campaigns."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any, TypedDict

from sqlalchemy import Connection, RowMapping, Select, exists, func, select, text, update

from campaigns.dispositions import Disposition
from outbound.ids import ALPHABET, new_id
from outbound.importing.numbers import same_mobile
from outbound.store import events
from outbound.store.erased import tokens_of
from outbound.store.inserting import insert_many
from outbound.store.schema import UNPLANNED, attempts, callbacks, campaigns, contacts, opt_outs, receipts

Ready = tuple[int, str, str, str, str, str, str, str, str, str]
"""A checked contact as the drivers take it: row, number, ref, name, language, zones, jurisdictions, consent, variables,
alternates; zones, jurisdictions, variables and alternates as JSON. A million of them pass through an import, hence no
class."""
_PLACES = ("zones", "jurisdictions")
COLUMNS = ("id", "campaign_id", "number", "ref", "name", "language", *_PLACES, "consent", "variables", "alternates")
COUNTED = 4
"""Last characters of an id that count the contacts of a batch; the others are made as those of any id."""
_EACH = {
    "sqlite": "(SELECT value AS sought FROM json_each(:names))",
    "postgresql": "json_array_elements_text(CAST(:names AS json)) AS given(sought)",
}
"""Thousands of names in one parameter: a parameter each takes either database longer than the answer."""
_IN_CAMPAIGN = "(SELECT TRUE FROM contacts WHERE campaign_id = :campaign AND number = sought LIMIT 1)"
"""Looked up one by one, so that PostgreSQL never reads the whole table for it: hence the limit."""
JOURNEY_LIMIT = 200
CURED_BY_OPT_IN = frozenset({"opted_out"})
CURED_BY_REGISTER = frozenset({"register_missing", "register_stale"})
CURED_BY_CONSENT = CURED_BY_REGISTER | {"consent_missing", "registered"}
"""Codes of refusals (campaigns/gate/facts.py) that end when the customer, or a newer list, has said more."""


class Alternate(TypedDict):
    """Another number of a customer, and where it may be."""

    number: str
    zones: list[str]
    jurisdictions: list[str]


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
    alternates: tuple[Alternate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What became of a batch."""

    accepted: int
    duplicates: tuple[int, ...]
    """Rows whose number is in the campaign already, or came earlier in the batch."""


def ready(contact: NewContact) -> Ready:
    """Write a contact as it is stored."""
    where = json.dumps(contact.zones), json.dumps(contact.jurisdictions)
    own = contact.row, contact.number, contact.ref, contact.name, contact.language
    return *own, *where, str(contact.consent), json.dumps(contact.variables), json.dumps(contact.alternates)


def add(connection: Connection, campaign_id: str, batch: Sequence[NewContact], *, now: float) -> Added:
    """Store a batch as :func:`add_ready` does."""
    return add_ready(connection, campaign_id, [ready(contact) for contact in batch], now=now)


def add_ready(connection: Connection, campaign_id: str, batch: Sequence[Ready], *, now: float) -> Added:
    """Store a batch in its order, passing over numbers that the campaign has. The caller holds the campaign's row.

    Somebody who was erased in this campaign stays in it under a token, and does not come back by another import; of
    the two numbers of one mobile (:func:`same_mobile`) the campaign takes the first.
    """
    batch = _without_erased(connection, campaign_id, batch)
    others = _other_names(connection, [contact[1] for contact in batch])
    known = _known(connection, campaign_id, {contact[1] for contact in batch}.union(*others.values()))
    fresh: list[Ready] = []
    duplicates: list[int] = []
    for contact in batch:
        number = contact[1]
        if number in known or (number in others and not known.isdisjoint(others[number])):
            duplicates.append(contact[0])
        else:
            known.add(number)
            fresh.append(contact)
    rows = [(key, campaign_id, *contact[1:], now) for key, contact in zip(_ids(now, len(fresh)), fresh, strict=True)]
    insert_many(connection, contacts, (*COLUMNS, "created_at"), rows)
    return Added(accepted=len(rows), duplicates=tuple(duplicates))


def _without_erased(connection: Connection, campaign_id: str, batch: Sequence[Ready]) -> list[Ready]:
    """Leave out other numbers of people who were erased in the campaign: none comes back as somebody's second."""
    named = {each["number"] for contact in batch if contact[-1] != "[]" for each in json.loads(contact[-1])}
    tokens = tokens_of(connection, named) if named else {}
    gone = _known(connection, campaign_id, set(tokens.values())) if tokens else set()
    if not gone:
        return list(batch)
    kept = []
    for contact in batch:
        left = [each for each in json.loads(contact[-1]) if tokens.get(each["number"]) not in gone]
        kept.append((*contact[:-1], json.dumps(left)))
    return kept


def _other_names(connection: Connection, numbers: Sequence[str]) -> dict[str, set[str]]:
    """Return what else the customers of ``numbers`` may be called: the other number of a mobile, tokens of both.

    Where nobody was ever erased, and outside Argentina, nobody has another name.
    """
    forms = {number: names for number in numbers if len(names := same_mobile(number)) > 1}
    tokens = tokens_of(connection, {*numbers, *chain.from_iterable(forms.values())})
    if not tokens:
        return {number: {*names[1:]} for number, names in forms.items()}
    named = ((number, forms.get(number, (number,))) for number in numbers)
    return {number: {*names[1:], *(tokens[form] for form in names)} for number, names in named}


def _known(connection: Connection, campaign_id: str, names: Collection[str]) -> set[str]:
    """Return those of ``names`` that contacts of the campaign go by."""
    query = text(f"SELECT sought FROM {_EACH[connection.dialect.name]} WHERE {_IN_CAMPAIGN}")  # noqa: S608 - constants
    return set(connection.execute(query, {"campaign": campaign_id, "names": json.dumps([*names])}).scalars())


def _ids(now: float, count: int) -> list[str]:
    """Make ids that sort in their order."""
    begins = new_id(now)[:-COUNTED]
    return [begins + "".join(end) for end in islice(product(ALPHABET, repeat=COUNTED), count)]


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
