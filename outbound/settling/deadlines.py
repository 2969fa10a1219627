"""Ends due attempts whose notice is of no use any more, also where no line or trunk is free to find that out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, false, literal, or_, select

from campaigns.dispositions import Disposition
from campaigns.gate import CODES
from outbound.receipts.sparing import AT_ONCE, CAMPAIGN
from outbound.store import events
from outbound.store.campaigns import complete_if_over
from outbound.store.ending import end_unsent
from outbound.store.schema import DUE, attempts, campaigns, contacts

EXPIRED = "expired"


def with_deadlines(connection: Connection, *, now: float) -> list[str]:
    """Ids of running and paused campaigns of which a deadline may have passed."""
    valid_for_s = campaigns.c.settings["valid_for_s"].as_float()
    open_ = campaigns.c.state.in_(("running", "paused"))
    oldest = campaigns.c.created_at <= now - valid_for_s  # no contact is older than its campaign
    query = select(campaigns.c.id).where(open_, or_(campaigns.c.expires_at <= now, oldest))
    return list(connection.execute(query).scalars())


def something_expired(connection: Connection, campaign_id: str, *, now: float) -> bool:
    """Whether a due attempt of the campaign is too late; it may read long, and holds nobody up."""
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).mappings().one()
    return connection.execute(_late(campaign, now).limit(1)).first() is not None


def end_expired(connection: Connection, campaign_id: str, *, now: float) -> int:
    """End up to :data:`AT_ONCE` due attempts of a campaign whose deadline has passed; return how many there were."""
    events.take_turn(connection)
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).mappings().one()
    query = _late(campaign, now).limit(AT_ONCE).with_for_update(of=attempts)
    rows = connection.execute(query).mappings().all()
    reason = CODES[EXPIRED]
    end_unsent(connection, rows, Disposition.EXPIRED, code=EXPIRED, reason=reason, rule=CAMPAIGN, now=now)
    if rows:
        complete_if_over(connection, campaign_id, now=now)
    return len(rows)


def _late(campaign: RowMapping, now: float) -> Select[Any]:
    """Due attempts of a campaign whose deadline has passed, with its purpose."""
    too_late = _too_late(campaign["expires_at"], campaign["settings"].get("valid_for_s"), now)
    key = campaign["id"]
    lane = attempts.c.lane == key if campaign["kind"] == "campaign" else attempts.c.campaign_id == key
    query = select(attempts, literal(campaign["purpose"]).label("purpose"))
    return query.join(contacts, attempts.c.contact_id == contacts.c.id).where(lane, DUE, too_late)


def _too_late(expires_at: float | None, valid_for_s: float | None, now: float) -> ColumnElement[bool]:
    passed: list[ColumnElement[bool]] = []
    if expires_at is not None:
        passed.append(literal(expires_at) <= now)
    if valid_for_s is not None:
        passed.append(contacts.c.created_at <= now - valid_for_s)
    return or_(false(), *passed)
