"""Planning: turns contacts of a running campaign into due attempts at instants the gate permits; it dials nobody."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.dispositions import Disposition
from outbound.gatekeeper import Examined, examine, keep_receipt
from outbound.ids import new_id
from outbound.store import events
from outbound.store.schema import attempts, campaigns, contacts

PRIORITY = {"emergency": 0, "transactional": 10, "informational": 20, "marketing": 30}
"""Smaller goes first; a notification goes before campaigns of its purpose."""


def plan_contacts(connection: Connection, campaign_id: str, *, now: float, limit: int) -> int:
    """Plan up to ``limit`` unplanned contacts of a running campaign in this unit of work; return how many were planned.

    Each becomes a due attempt at the next permitted instant, or a refusal with its receipt. Safe to run twice.
    """
    events.take_turn(connection)
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).mappings().first()
    if campaign is None or campaign["state"] != "running":
        return 0
    query = (
        select(contacts)
        .where(contacts.c.campaign_id == campaign_id, ~contacts.c.planned)
        .order_by(contacts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).mappings().all()
    for contact in rows:
        _plan(connection, campaign, contact, now)
    if rows:
        planned = update(contacts).where(contacts.c.id.in_([row["id"] for row in rows])).values(planned=True)
        connection.execute(planned)
    return len(rows)


def schedule(
    connection: Connection, campaign: RowMapping, contact: RowMapping, *, ordinal: int, earliest: float, now: float
) -> str | None:
    """Insert attempt number ``ordinal`` at the first permitted instant from ``earliest``; refuse if there is none.

    Returns the attempt's id, or ``None`` when the gate will never permit it.
    """
    examined = examine(connection, campaign, contact, at=earliest)
    if examined.decision.next_at is None:
        refuse(connection, campaign, contact, examined, now=now)
        return None
    priority = PRIORITY[campaign["purpose"]] - (campaign["kind"] == "notification")
    row: dict[str, Any] = {
        "id": new_id(now),
        "campaign_id": campaign["id"],
        "contact_id": contact["id"],
        "number": contact["number"],
        "ordinal": ordinal,
        "priority": priority,
        "state": "due",
        "due_at": examined.decision.next_at,
    }
    connection.execute(insert(attempts), row)
    data = {"number": contact["number"], "name": contact["name"], "ordinal": ordinal, "due_at": row["due_at"]}
    _tell(connection, now, "attempt.due", campaign, row["id"], data)
    return str(row["id"])


def refuse(
    connection: Connection,
    campaign: RowMapping,
    contact: RowMapping,
    examined: Examined,
    *,
    now: float,
    attempt_id: str | None = None,
) -> None:
    """Keep the receipt of a final refusal and settle the contact with it, unless it was reached before."""
    keep_receipt(
        connection, examined, campaign_id=campaign["id"], contact_id=contact["id"], attempt_id=attempt_id, at=now
    )
    disposition = Disposition.EXPIRED if examined.decision.code == "expired" else Disposition.REFUSED
    settle = update(contacts).where(contacts.c.id == contact["id"], contacts.c.disposition.is_(None))
    connection.execute(settle.values(disposition=disposition))
    data = {"number": contact["number"], "name": contact["name"], "code": examined.decision.code}
    data |= {"reason": examined.decision.reason, "rule": examined.decision.rule}
    _tell(connection, now, "contact.refused", campaign, attempt_id, data)


def _plan(connection: Connection, campaign: RowMapping, contact: RowMapping, now: float) -> None:
    earliest = max(now, campaign["starts_at"] or now)
    schedule(connection, campaign, contact, ordinal=1, earliest=earliest, now=now)


def _tell(
    connection: Connection, now: float, kind: str, campaign: RowMapping, attempt_id: str | None, data: dict[str, Any]
) -> None:
    events.append(connection, at=now, kind=kind, campaign_id=campaign["id"], attempt_id=attempt_id, data=data)
