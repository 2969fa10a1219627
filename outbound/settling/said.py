"""Stores what a customer said in a call and what must hold whatever becomes of the call: stop, no, call me later."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, insert, select, update

from outbound.ids import new_id
from outbound.store import events, optouts, refusals
from outbound.store.erased import is_token
from outbound.store.schema import callbacks, campaigns, opt_outs


def opt_out(
    connection: Connection, attempt: RowMapping, *, words: str, scope: str, now: float, source: str = "speech"
) -> None:
    """Store the customer's opt-out, unless one of the same attempt covers it already, and cancel what it covers.

    ``scope`` is ``purpose`` for the one of the attempt's campaign (campaigns/flow/effects.py), else ``all``.
    """
    covers = _purpose(connection, attempt) if scope == "purpose" else "all"
    if {"all", covers} & opt_outs_of(connection, attempt):
        return
    optouts.record(
        connection,
        number=attempt["number"],
        scope=covers,
        source=source,
        words=_kept(attempt, words),
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        now=now,
    )


def opt_outs_of(connection: Connection, attempt: RowMapping) -> set[str]:
    """Scopes of the opt-outs that were stored of an attempt; in a call none is narrowed otherwise."""
    return set(connection.execute(select(opt_outs.c.scope).where(opt_outs.c.attempt_id == attempt["id"])).scalars())


def refuse_offer(connection: Connection, attempt: RowMapping, *, words: str, now: float) -> None:
    """Store that the customer refused the offer, once an attempt: in some countries nobody may ask again soon."""
    refusals.record(
        connection,
        number=attempt["number"],
        purpose=_purpose(connection, attempt),
        words=_kept(attempt, words),
        source="speech",
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        now=now,
    )


def book(connection: Connection, attempt: RowMapping, *, at: float | None, words: str, now: float) -> None:
    """Store the customer's wish to be called at another time; a later wish in the same call replaces the earlier."""
    words = _kept(attempt, words)
    changed = update(callbacks).where(callbacks.c.attempt_id == attempt["id"]).values(at=at, words=words)
    if connection.execute(changed).rowcount == 0:
        row = {"id": new_id(now), "attempt_id": attempt["id"], "number": attempt["number"], "at": at, "words": words}
        connection.execute(insert(callbacks), row | {"created_at": now})
    data = {"number": attempt["number"], "at": at, "words": words}
    events.append(
        connection,
        at=now,
        kind="callback.created",
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        data=data,
    )


def _purpose(connection: Connection, attempt: RowMapping) -> str:
    purpose = select(campaigns.c.purpose).where(campaigns.c.id == attempt["campaign_id"])
    return str(connection.execute(purpose).scalar_one())


def _kept(attempt: RowMapping, words: str) -> str:
    """What may be stored of a customer's words: nothing once they were erased, however late the words come."""
    return "" if is_token(attempt["number"]) else words
