"""Planning: turns contacts of a running campaign into due attempts at instants the gate permits; it dials nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.dispositions import Disposition
from campaigns.retries import NextTry
from outbound.contact_numbers import reached_at
from outbound.dispatch.lanes import lane_of
from outbound.dispatch.ways import barred
from outbound.gatehouse.keeper import Examined, examine_all, keep_receipts
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


@dataclass(frozen=True, slots=True)
class Following:
    """An attempt that is to follow."""

    contact: RowMapping
    next: NextTry
    ordinal: int


def schedule(connection: Connection, campaign: RowMapping, wanted: Sequence[Following], *, now: float) -> set[str]:
    """Insert attempts of a campaign, each at the first permitted instant that suits; refuse where there is none.

    Returns the ids of the contacts that have their attempt.
    """
    there = [reached_at(one.contact, one.next.number) for one in wanted]
    answers = examine_all(connection, campaign, there, at=[one.next.earliest for one in wanted])
    made: list[dict[str, Any]] = []
    not_now: list[tuple[Examined, str]] = []
    for one, answer in zip(wanted, answers, strict=True):
        due_at = other_part(answer, one.next.avoid)
        if due_at is None:
            refuse(connection, campaign, one.contact, answer, now=now)
            continue
        made.append(_due(campaign, answer.contact, one.ordinal, due_at, now))
        if not answer.decision.allowed:
            not_now.append((answer, made[-1]["id"]))
    _insert(connection, campaign, made, {one.contact["id"]: one.contact for one in wanted}, now)
    keep_receipts(connection, [answer for answer, _ in not_now], attempt_ids=[key for _, key in not_now], at=now)
    return {row["contact_id"] for row in made}


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
    _insert(connection, campaign, made, {answer.contact["id"]: answer.contact for answer in answers}, now)


def _insert(
    connection: Connection,
    campaign: RowMapping,
    made: Sequence[Mapping[str, Any]],
    whose: Mapping[str, Row],
    now: float,
) -> None:
    """Insert due attempts and tell them."""
    if not made:
        return
    connection.execute(insert(attempts), [dict(row) for row in made])
    kind = {"at": now, "kind": "attempt.due", "campaign_id": campaign["id"]}
    due = [kind | {"attempt_id": row["id"], "data": _told(whose[row["contact_id"]], row)} for row in made]
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
