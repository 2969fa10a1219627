"""Planning: turns contacts of a running campaign into due attempts at instants the gate permits; it dials nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.dispositions import Disposition
from campaigns.retries import NextTry
from outbound.contact_numbers import reached_at
from outbound.dispatch.lanes import lane_of
from outbound.dispatch.ways import barred
from outbound.gatehouse.keeper import Examined, examine, examine_all, keep_receipts
from outbound.ids import new_id
from outbound.store import events
from outbound.store.schema import UNPLANNED, attempts, campaigns, contacts
from outbound.timing import best_hour, hours_known, other_part

Row = Mapping[str, Any] | RowMapping

BEST_TIME = "best_time"
"""Order of a campaign whose attempts fall due at the hour at which customers answer most."""


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
        .where(contacts.c.campaign_id == campaign_id, UNPLANNED)
        .order_by(contacts.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).mappings().all()
    if rows:
        _plan(connection, campaign, rows, now)
        planned = update(contacts).where(contacts.c.id.in_([row["id"] for row in rows])).values(planned=True)
        connection.execute(planned)
    return len(rows)


def schedule(
    connection: Connection, campaign: RowMapping, contact: RowMapping, following: NextTry, *, ordinal: int, now: float
) -> str | None:
    """Insert attempt number ``ordinal`` at the first permitted instant that suits; refuse if there is none.

    Returns the attempt's id, or ``None`` when the gate will never permit it.
    """
    there = reached_at(contact, following.number)
    examined = examine(connection, campaign, there, at=following.earliest)
    due_at = other_part(examined, following.avoid)
    if due_at is None:
        refuse(connection, campaign, contact, examined, now=now)
        return None
    row = _due(campaign, there, ordinal, due_at, now)
    connection.execute(insert(attempts), row)
    if not examined.decision.allowed:
        keep_receipts(connection, [examined], attempt_id=row["id"], at=now)
    _tell(connection, now, "attempt.due", campaign, row["id"], _told(contact, row))
    return str(row["id"])


def refuse(
    connection: Connection,
    campaign: Row,
    contact: Row,
    examined: Examined,
    *,
    now: float,
    attempt_id: str | None = None,
) -> None:
    """Keep the receipt of a final refusal and settle the contact with it, unless it was reached before."""
    keep_receipts(connection, [examined], attempt_id=attempt_id, at=now)
    _settle_refused(connection, campaign, contact, examined, now=now, attempt_id=attempt_id)


def _plan(connection: Connection, campaign: RowMapping, rows: Sequence[RowMapping], now: float) -> None:
    """Plan contacts together: facts, receipts and attempts are read and written for all of them at once."""
    closed = barred(connection, campaign, [row["number"] for row in rows], kinds=False)
    answers = examine_all(connection, campaign, rows, at=max(now, campaign["starts_at"] or now), barred=closed)
    cells = hours_known(connection) if campaign["settings"].get("order") == BEST_TIME else {}
    not_now = [answer for answer in answers if not answer.decision.allowed]
    if not_now:
        keep_receipts(connection, not_now, at=now)
    made: list[dict[str, Any]] = []
    for answer in answers:
        if answer.decision.next_at is None:
            _settle_refused(connection, campaign, answer.contact, answer, now=now, attempt_id=None)
        else:
            due_at = best_hour(answer, cells, seed=answer.contact["id"]) if cells else answer.decision.next_at
            made.append(_due(campaign, answer.contact, 1, due_at, now))
    if not made:
        return
    connection.execute(insert(attempts), made)
    told = {answer.contact["id"]: answer.contact for answer in answers}
    kind = {"at": now, "kind": "attempt.due", "campaign_id": campaign["id"]}
    due = [kind | {"attempt_id": row["id"], "data": _told(told[row["contact_id"]], row)} for row in made]
    events.append_all(connection, due)


def _due(campaign: RowMapping, contact: Row, ordinal: int, due_at: float | None, now: float) -> dict[str, Any]:
    lane, priority = lane_of(campaign)
    return {
        "id": new_id(now),
        "campaign_id": campaign["id"],
        "contact_id": contact["id"],
        "number": contact["number"],
        "ordinal": ordinal,
        "lane": lane,
        "priority": priority,
        "state": "due",
        "due_at": due_at,
    }


def _told(contact: Row, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"number": contact["number"], "name": contact["name"], "ordinal": row["ordinal"], "due_at": row["due_at"]}


def _settle_refused(
    connection: Connection,
    campaign: Row,
    contact: Row,
    examined: Examined,
    *,
    now: float,
    attempt_id: str | None,
) -> None:
    disposition = Disposition.EXPIRED if examined.decision.code == "expired" else Disposition.REFUSED
    settle = update(contacts).where(contacts.c.id == contact["id"], contacts.c.disposition.is_(None))
    connection.execute(settle.values(disposition=disposition))
    data = {"number": contact["number"], "name": contact["name"], "code": examined.decision.code}
    data |= {"reason": examined.decision.reason, "rule": examined.decision.rule}
    _tell(connection, now, "contact.refused", campaign, attempt_id, data)


def _tell(
    connection: Connection, now: float, kind: str, campaign: Row, attempt_id: str | None, data: dict[str, Any]
) -> None:
    events.append(connection, at=now, kind=kind, campaign_id=campaign["id"], attempt_id=attempt_id, data=data)
