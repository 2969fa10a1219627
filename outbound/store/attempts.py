"""Moves attempts through their life in guarded steps, within a unit of work; claims and intents are in dispatch.

The statements name the state and the fence they expect, so a step that comes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from campaigns.gate.regime import Regime
from outbound.store import events
from outbound.store.schema import LIVE as LIVE_NOW
from outbound.store.schema import attempts, campaigns

LIVE = (State.CLAIMED, State.DIALING)
DIALING_LEASE_S = 60.0
"""A call in progress whose host says nothing for this long is nobody's any more; it is never dialled again blindly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt that this host alone may dial, until its lease ends."""

    attempt_id: str
    fence: int
    number: str
    campaign_id: str
    trunk: str
    line: str
    legs: int
    """2 when the call may be handed off to an agent, else 1; held on ``line`` until the call is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A send that is committed: the INVITE with this Call-ID may leave now, once."""

    attempt: RowMapping
    contact: Mapping[str, Any] | RowMapping
    """As it is at the attempt's number."""
    campaign: Mapping[str, Any] | RowMapping
    trunk: RowMapping
    call_id: str
    regime: Regime | None = None
    """The rules it was permitted under: what must be said, and whether it may be recorded."""
    day: int = 0
    """The local day of the call (``date.toordinal``)."""


def release(connection: Connection, *, attempt_id: str, fence: int, due_at: float, now: float, reason: str) -> bool:
    """Give back an attempt for which nothing was sent; return whether it was still ours."""
    events.take_turn(connection)
    attempt = _row(connection, attempts, attempt_id, lock=True)
    if attempt is None or attempt["fence"] != fence or attempt["state"] not in LIVE:
        return False
    values = {"due_at": due_at, "lease_until": None, "dialed_at": None, "step": ""}
    values |= {"line": "", "trunk": "", "call_id": "", "cost": None}
    if attempt["dialed_at"] is not None:  # it counted as dialled, and was not
        theirs = update(campaigns).where(campaigns.c.id == attempt["campaign_id"])
        back = {"dialed": campaigns.c.dialed - 1, "cost": campaigns.c.cost - (attempt["cost"] or 0.0)}
        connection.execute(theirs.values(**back))
    _move(connection, attempt_id, fence, State(attempt["state"]), State.DUE, **values)
    data = {"number": attempt["number"], "reason": reason, "due_at": due_at}
    _tell(connection, now, "attempt.released", attempt["campaign_id"], attempt_id, data)
    return True


def finish(
    connection: Connection, attempt: RowMapping, disposition: Disposition, *, now: float, hangup_cause: str
) -> None:
    """End an attempt for which nothing was sent."""
    values = {"disposition": disposition, "ended_at": now, "lease_until": None, "hangup_cause": hangup_cause}
    _move(connection, attempt["id"], attempt["fence"], State(attempt["state"]), State.DONE, **values)
    data = {"number": attempt["number"], "disposition": disposition, "ordinal": attempt["ordinal"]}
    _tell(connection, now, "attempt.done", attempt["campaign_id"], attempt["id"], data)


def expired(connection: Connection, *, now: float) -> list[RowMapping]:
    """Live attempts whose lease has ended: their host stalled or died."""
    query = select(attempts).where(LIVE_NOW, attempts.c.lease_until < now).limit(500)
    return list(connection.execute(query).mappings())


def still_live(connection: Connection, seen: RowMapping, *, expired_at: float | None) -> bool:
    """Whether an attempt stands as it was ``seen``, and its lease, where that matters, had ended at ``expired_at``."""
    row = _row(connection, attempts, seen["id"], lock=True)
    if row is None or (row["state"], row["fence"]) != (seen["state"], seen["fence"]):
        return False
    return expired_at is None or row["lease_until"] < expired_at


def renew(connection: Connection, attempt_ids: list[str], *, lines: Collection[str], until: float) -> None:
    """Extend the leases of calls that this host has in progress on its ``lines``."""
    mine = update(attempts).where(attempts.c.id.in_(attempt_ids), attempts.c.line.in_(list(lines)), LIVE_NOW)
    connection.execute(mine.values(lease_until=until))


def live(connection: Connection) -> list[RowMapping]:
    """Every claimed or dialing attempt."""
    return list(connection.execute(select(attempts).where(LIVE_NOW)).mappings())


def _row(connection: Connection, table: Any, key: str, *, lock: bool = False) -> RowMapping | None:
    query = select(table).where(table.c.id == key)
    return connection.execute(query.with_for_update() if lock else query).mappings().first()


def _move(connection: Connection, attempt_id: str, held: int, before: State, after: State, **values: Any) -> None:
    """Change state where state and fence (``held``) are as expected; the row is locked by this unit of work."""
    check_transition(before, after)
    statement = (
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.fence == held)
        .where(attempts.c.state == before)
        .values(state=after, **values)
    )
    if connection.execute(statement).rowcount != 1:
        raise RuntimeError(f"attempt {attempt_id} moved while its row was held")


def _tell(
    connection: Connection, now: float, kind: str, campaign_id: str, attempt_id: str, data: Mapping[str, Any]
) -> None:
    events.append(connection, at=now, kind=kind, campaign_id=campaign_id, attempt_id=attempt_id, data=dict(data))
