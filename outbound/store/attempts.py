"""Moves attempts through their life in guarded steps: claim, intent, release; every step is one unit of work.

The statements name the state and the fence they expect, so a step that comes late changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from outbound.gatehouse.keeper import examine, keep_receipts
from outbound.ids import call_id
from outbound.planning import refuse
from outbound.receipts.sparing import CAMPAIGN, CAMPAIGN_CANCELLED, CAMPAIGN_PAUSED, REASONS, spare
from outbound.store import events
from outbound.store.campaigns import complete_if_over
from outbound.store.schema import attempts, campaigns, contacts, trunks

LIVE = (State.CLAIMED, State.DIALING)
DIALING_LEASE_S = 60.0
"""A call in progress whose host says nothing for this long is nobody's any more; it is never dialled again blindly."""
CLAIM_WINDOW = 4
"""Due rows looked at for each one wanted: some may wait for a number or a campaign that is busy."""


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
    contact: RowMapping
    campaign: RowMapping
    trunk: RowMapping
    call_id: str


def claim(
    connection: Connection,
    *,
    now: float,
    lease_s: float,
    limit: int,
    free_legs: Mapping[str, int],
    tokens: Mapping[str, int],
) -> list[Claim]:
    """Claim up to ``limit`` due attempts, most urgent first, each with the legs of a line and a token of its trunk.

    ``free_legs``: by line; ``tokens``: calls that may begin now, by trunk. A number that is in a live attempt anywhere
    is passed over: nobody is rung twice at the same time.
    """
    events.take_turn(connection)
    live = connection.execute(
        select(attempts.c.number, attempts.c.campaign_id, campaigns.c.trunk)
        .join(campaigns)
        .where(attempts.c.state.in_(LIVE))
    ).all()
    caps = _Caps(connection, live, free_legs, tokens)
    claimed: list[Claim] = []
    for row in _due(connection, now, limit * CLAIM_WINDOW, caps):
        if len(claimed) >= limit:
            break
        legs = 2 if row["settings"]["agent_uri"] else 1
        line = caps.take(row, legs)
        if line is None:
            continue
        fence = row["fence"] + 1
        values = {"fence": fence, "line": line, "lease_until": now + lease_s}
        _move(connection, row["id"], row["fence"], State.DUE, State.CLAIMED, **values)
        _tell(connection, now, "attempt.claimed", row["campaign_id"], row["id"], {"number": row["number"]})
        claimed.append(
            Claim(
                attempt_id=row["id"],
                fence=fence,
                number=row["number"],
                campaign_id=row["campaign_id"],
                trunk=row["trunk"],
                line=line,
                legs=legs,
            )
        )
    return claimed


def _due(connection: Connection, now: float, limit: int, caps: _Caps) -> list[RowMapping]:
    query = (
        select(attempts, campaigns.c.trunk, campaigns.c.settings, campaigns.c.max_concurrent)
        .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
        .where(attempts.c.state == State.DUE, attempts.c.due_at <= now, campaigns.c.state == "running")
        .where(campaigns.c.id.not_in(caps.full_campaigns), campaigns.c.trunk.not_in(caps.full_trunks))
        .order_by(attempts.c.priority, attempts.c.due_at)
        .limit(limit)
        .with_for_update(of=attempts, skip_locked=True)
    )
    return list(connection.execute(query).mappings())


class _Caps:
    """What may still begin, given what is live."""

    def __init__(
        self, connection: Connection, live: Any, free_legs: Mapping[str, int], tokens: Mapping[str, int]
    ) -> None:
        self.free_legs, self.tokens = dict(free_legs), dict(tokens)
        self.numbers = {row.number for row in live}
        self.by_campaign = Counter(row.campaign_id for row in live)
        self.by_trunk = Counter(row.trunk for row in live)
        self.channels = {row.name: row.channels for row in connection.execute(select(trunks.c.name, trunks.c.channels))}
        limits = select(campaigns.c.id, campaigns.c.max_concurrent).where(campaigns.c.id.in_(self.by_campaign))
        self.full_campaigns = [
            row.id for row in connection.execute(limits) if self.by_campaign[row.id] >= row.max_concurrent
        ]
        self.full_trunks = [
            name
            for name, channels in self.channels.items()
            if self.by_trunk[name] >= channels or self.tokens.get(name, 0) < 1
        ]

    def take(self, row: RowMapping, legs: int) -> str | None:
        """Count ``row`` in and return its line if number, campaign, trunk and a line all have room."""
        trunk = row["trunk"]
        line = max(self.free_legs, key=lambda name: self.free_legs[name], default=None)
        if (
            line is None
            or self.free_legs[line] < legs
            or row["number"] in self.numbers
            or self.by_campaign[row["campaign_id"]] >= row["max_concurrent"]
            or self.by_trunk[trunk] >= self.channels[trunk]
            or self.tokens.get(trunk, 0) < 1
        ):
            return None
        self.free_legs[line] -= legs
        self.numbers.add(row["number"])
        self.by_campaign[row["campaign_id"]] += 1
        self.by_trunk[trunk] += 1
        self.tokens[trunk] -= 1
        return line


def record_intent(
    connection: Connection, *, attempt_id: str, fence: int, line: str, now: float, lease_s: float = DIALING_LEASE_S
) -> Intent | None:
    """Commit the intent to send, after the gate has looked at what is true in this very transaction.

    Returns ``None`` when nothing may be sent: the claim is lost, the campaign was paused or cancelled, or the gate
    refused; the attempt has then moved on by itself. Whoever has the call renews the lease while it lasts.
    """
    events.take_turn(connection)
    attempt = _row(connection, attempts, attempt_id, lock=True)
    if attempt is None or attempt["state"] != State.CLAIMED or attempt["fence"] != fence:
        return None
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == attempt["campaign_id"])).mappings().one()
    contact = connection.execute(select(contacts).where(contacts.c.id == attempt["contact_id"])).mappings().one()
    if campaign["state"] != "running":
        _stand_down(connection, attempt, campaign, now)
        return None
    examined = examine(connection, campaign, contact, at=now)
    decision = examined.decision
    if not decision.allowed and decision.next_at is not None:
        keep_receipts(connection, [examined], attempt_id=attempt_id, at=now)
        release(connection, attempt_id=attempt_id, fence=fence, due_at=decision.next_at, now=now, reason=decision.code)
        return None
    if not decision.allowed:
        refuse(connection, campaign, contact, examined, now=now, attempt_id=attempt_id)
        final = Disposition.EXPIRED if decision.code == "expired" else Disposition.REFUSED
        finish(connection, attempt, final, now=now, hangup_cause=decision.code)
        complete_if_over(connection, campaign["id"], now=now)
        return None
    keep_receipts(connection, [examined], attempt_id=attempt_id, at=now)
    sent_as = call_id(attempt_id, fence)
    values = {"call_id": sent_as, "line": line, "dialed_at": now, "lease_until": now + lease_s}
    _move(connection, attempt_id, fence, State.CLAIMED, State.DIALING, **values)
    data = {"number": contact["number"], "name": contact["name"], "ordinal": attempt["ordinal"]}
    _tell(connection, now, "attempt.dialing", campaign["id"], attempt_id, data)
    trunk = connection.execute(select(trunks).where(trunks.c.name == campaign["trunk"])).mappings().one()
    return Intent(attempt=attempt, contact=contact, campaign=campaign, trunk=trunk, call_id=sent_as)


def release(connection: Connection, *, attempt_id: str, fence: int, due_at: float, now: float, reason: str) -> bool:
    """Give back an attempt for which nothing was sent; return whether it was still ours."""
    events.take_turn(connection)
    attempt = _row(connection, attempts, attempt_id, lock=True)
    if attempt is None or attempt["fence"] != fence or attempt["state"] not in LIVE:
        return False
    values = {"due_at": due_at, "lease_until": None, "dialed_at": None, "line": "", "call_id": "", "step": ""}
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
    query = select(attempts).where(attempts.c.state.in_(LIVE), attempts.c.lease_until < now).limit(500)
    return list(connection.execute(query).mappings())


def still_live(connection: Connection, seen: RowMapping, *, expired_at: float | None) -> bool:
    """Whether an attempt stands as it was ``seen``, and its lease, where that matters, had ended at ``expired_at``."""
    row = _row(connection, attempts, seen["id"], lock=True)
    if row is None or (row["state"], row["fence"]) != (seen["state"], seen["fence"]):
        return False
    return expired_at is None or row["lease_until"] < expired_at


def renew(connection: Connection, attempt_ids: list[str], *, until: float) -> None:
    """Extend the leases of calls that this host has in progress."""
    mine = update(attempts).where(attempts.c.id.in_(attempt_ids), attempts.c.state.in_(LIVE))
    connection.execute(mine.values(lease_until=until))


def live(connection: Connection) -> list[RowMapping]:
    """Every claimed or dialing attempt."""
    return list(connection.execute(select(attempts).where(attempts.c.state.in_(LIVE))).mappings())


def next_due_at(connection: Connection) -> float | None:
    """When the next attempt of a running campaign falls due."""
    query = (
        select(func.min(attempts.c.due_at))
        .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
        .where(attempts.c.state == State.DUE, campaigns.c.state == "running")
    )
    return connection.execute(query).scalar()


def _stand_down(connection: Connection, attempt: RowMapping, campaign: RowMapping, now: float) -> None:
    """The campaign no longer runs: wait with it, or end with it."""
    paused = campaign["state"] == "paused"
    code = CAMPAIGN_PAUSED if paused else CAMPAIGN_CANCELLED
    spared = {**attempt, "purpose": campaign["purpose"]}
    spare(connection, [spared], code=code, reason=REASONS[code], rule=CAMPAIGN, now=now)
    if paused:
        key, fence, due_at = attempt["id"], attempt["fence"], attempt["due_at"]
        release(connection, attempt_id=key, fence=fence, due_at=due_at, now=now, reason=code)
        return
    finish(connection, attempt, Disposition.CANCELLED, now=now, hangup_cause=code)
    theirs = update(contacts).where(contacts.c.id == attempt["contact_id"])
    connection.execute(theirs.values(disposition=Disposition.CANCELLED))


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
