"""Opt-outs: recorded as events that are never undone here, with everything they cancel in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from outbound.ids import new_id
from outbound.store import events
from outbound.store.campaigns import complete_if_over
from outbound.store.schema import attempts, campaigns, contacts, opt_outs


def record(
    connection: Connection,
    *,
    number: str,
    scope: str,
    source: str,
    words: str,
    campaign_id: str | None = None,
    attempt_id: str | None = None,
    now: float,
) -> RowMapping:
    """Store an opt-out of an E.164 number and cancel its due attempts in every campaign that ``scope`` covers.

    ``scope`` is ``all`` or a purpose. Calls in progress are ended by the line pool, which watches ``optout.created``.
    """
    events.take_turn(connection)
    opt_out_id = new_id(now)
    row = {"id": opt_out_id, "number": number, "scope": scope, "source": source, "words": words, "created_at": now}
    connection.execute(insert(opt_outs), row | {"campaign_id": campaign_id, "attempt_id": attempt_id})
    events.append(
        connection,
        at=now,
        kind="optout.created",
        campaign_id=campaign_id,
        attempt_id=attempt_id,
        data={"id": opt_out_id, "number": number, "scope": scope, "source": source},
    )
    for touched in sorted(_cancel_due(connection, number, scope, now)):
        complete_if_over(connection, touched, now=now)
    return get(connection, opt_out_id)


def get(connection: Connection, opt_out_id: str) -> RowMapping:
    """Read one opt-out."""
    return connection.execute(select(opt_outs).where(opt_outs.c.id == opt_out_id)).mappings().one()


def page(connection: Connection, *, number: str | None, before: str | None, limit: int) -> Sequence[RowMapping]:
    """List opt-outs, the newest first."""
    query = select(opt_outs).order_by(opt_outs.c.id.desc()).limit(limit)
    if number is not None:
        query = query.where(opt_outs.c.number == number)
    if before is not None:
        query = query.where(opt_outs.c.id < before)
    return connection.execute(query).mappings().all()


def _cancel_due(connection: Connection, number: str, scope: str, now: float) -> set[str]:
    query = (
        select(attempts.c.id, attempts.c.campaign_id, attempts.c.contact_id, attempts.c.ordinal)
        .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
        .where(attempts.c.number == number, attempts.c.state == State.DUE)
        .with_for_update(of=attempts)
    )
    if scope != "all":
        query = query.where(campaigns.c.purpose == scope)
    rows = connection.execute(query).mappings().all()
    final = {"state": State.DONE, "disposition": Disposition.CANCELLED, "ended_at": now, "hangup_cause": "opted_out"}
    for row in rows:
        mine = update(attempts).where(attempts.c.id == row["id"], attempts.c.state == State.DUE)
        connection.execute(mine.values(**final))
        contact = update(contacts).where(contacts.c.id == row["contact_id"])
        connection.execute(contact.values(disposition=Disposition.CANCELLED))
        events.append(
            connection,
            at=now,
            kind="attempt.done",
            campaign_id=row["campaign_id"],
            attempt_id=row["id"],
            data={
                "number": number,
                "ordinal": row["ordinal"],
                "disposition": Disposition.CANCELLED,
                "hangup_cause": "opted_out",
            },
        )
    return {row["campaign_id"] for row in rows}
