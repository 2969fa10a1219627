"""Reads from the database, at a scrape, what is true of the whole service: what waits, what is live, trunks, webhooks.

Every query goes through a partial index or a small table, and counts stop at a bound; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, or_, select, text

from campaigns.pacing import Breaker
from outbound.dispatch.paces import HOUSE, Pace, campaign_key, trunk_key
from outbound.store.schema import DUE, LIVE, attempts, campaigns, events, paces, trunks, webhook_deliveries, webhooks

MOST_DUE = 10_000
"""Due attempts are counted so far: beyond, only that there are many matters."""
MOST_MIXED = 1000
"""Of notifications so many, for each is looked up by itself."""
MOST_LANES = 1000
BREAKER_STATES = {"closed": 0, "half_open": 1, "open": 2}
WAITING = text("webhook_deliveries.state = 'waiting'")
"""The condition of the partial index, in its own words."""
_LANES = text(
    "WITH RECURSIVE lanes(lane) AS (SELECT min(lane) FROM attempts WHERE state = 'due' UNION ALL "
    "SELECT (SELECT min(lane) FROM attempts WHERE state = 'due' AND lane > lanes.lane) FROM lanes "
    "WHERE lane IS NOT NULL) "
    "SELECT lane, (SELECT min(due_at) FROM attempts WHERE state = 'due' AND lane = lanes.lane) AS first FROM lanes "
    "WHERE lane IS NOT NULL LIMIT :most"
)
"""The lanes in which something waits, each found by one step in the index (lane, due_at)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkReading:
    """One trunk."""

    name: str
    channels: int
    in_use: int
    tokens: float
    resting_s: float
    """How long the far end still asked to be left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReading:
    """All webhooks together."""

    enabled: int
    failing: int
    waiting: int
    """Deliveries on their way."""
    dead: int
    """Deliveries that were given up."""
    oldest_s: float
    """How long the oldest of them is."""
    behind: int
    """Events that the slowest webhook has not even turned into deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the database said at one instant."""

    due: int
    """Up to :data:`MOST_DUE`."""
    oldest_due_s: float
    live: Mapping[str, int]
    """By state."""
    trunks: tuple[TrunkReading, ...]
    breakers: tuple[tuple[str, str, int], ...]
    """Scope, name (none for campaigns: the worst of them), state."""
    webhooks: WebhookReading
    undetermined: int = field(default=0)


def read(connection: Connection, *, now: float) -> Reading:
    """Read everything but what takes long."""
    due, oldest = _due(connection, now)
    live, by_trunk = _live(connection)
    return Reading(
        due=due,
        oldest_due_s=oldest,
        live=live,
        trunks=tuple(_trunks(connection, by_trunk, now)),
        breakers=tuple(_breakers(connection, now)),
        webhooks=_webhooks(connection, now),
    )


def count_undetermined(connection: Connection) -> int:
    """Attempts of which nobody knows whether they were placed; reads the whole table unless there is an index."""
    count = select(func.count()).select_from(attempts).where(text("attempts.state = 'undetermined'"))
    return connection.execute(count).scalar_one()


def _due(connection: Connection, now: float) -> tuple[int, float]:
    """How many attempts of running campaigns have waited since their time came, and the longest of them how long."""
    ripe = {row.lane: row.first for row in connection.execute(_LANES, {"most": MOST_LANES}) if row.first <= now}
    states = select(campaigns.c.id, campaigns.c.state).where(campaigns.c.id.in_(ripe))
    known = {row.id: row.state for row in connection.execute(states)}
    count, oldest = 0, min((first for lane, first in ripe.items() if known.get(lane) == "running"), default=now)
    for lane in sorted(ripe):
        if lane not in known:
            found, since = _mixed(connection, lane, now)
            count, oldest = count + found, min(oldest, since)
        elif known[lane] == "running" and count < MOST_DUE:
            waits = select(text("1")).select_from(attempts)
            waits = waits.where(DUE, attempts.c.lane == lane, attempts.c.due_at <= now)
            bound = waits.limit(MOST_DUE - count).subquery()
            count += connection.execute(select(func.count()).select_from(bound)).scalar_one()
    return min(count, MOST_DUE), now - oldest


def _mixed(connection: Connection, lane: str, now: float) -> tuple[int, float]:
    """The same of a lane that notifications share, each with a campaign of its own that may be paused."""
    waits = select(attempts.c.campaign_id, attempts.c.due_at)
    waits = waits.where(DUE, attempts.c.lane == lane, attempts.c.due_at <= now).order_by(attempts.c.due_at)
    first = waits.limit(MOST_MIXED).subquery()
    runs = select(func.count(), func.min(first.c.due_at)).join_from(
        first, campaigns, campaigns.c.id == first.c.campaign_id
    )
    found, since = connection.execute(runs.where(campaigns.c.state == "running")).one()
    return found, since if since is not None else now


def _live(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    trunk = func.coalesce(func.nullif(attempts.c.trunk, ""), campaigns.c.trunk).label("trunk")
    rows = connection.execute(
        select(attempts.c.state, trunk, func.count().label("number"))
        .join(campaigns, campaigns.c.id == attempts.c.campaign_id)
        .where(LIVE)
        .group_by(attempts.c.state, trunk)
    ).all()
    states, by_trunk = {"claimed": 0, "dialing": 0}, dict[str, int]()
    for row in rows:
        states[row.state] += row.number
        by_trunk[row.trunk] = by_trunk.get(row.trunk, 0) + row.number
    return states, by_trunk


def _trunks(connection: Connection, in_use: Mapping[str, int], now: float) -> Iterator[TrunkReading]:
    stored = {row["name"]: row for row in _paces(connection, paces.c.name.startswith(trunk_key("")))}
    kept = select(trunks.c.name, trunks.c.calls_per_second, trunks.c.channels).where(trunks.c.deleted_at.is_(None))
    for row in connection.execute(kept):
        known = stored.get(trunk_key(row.name), {})
        pace = Pace(name=row.name, tokens=known.get("tokens", 0.0), at=known.get("at", 0.0))
        yield TrunkReading(
            name=row.name,
            channels=row.channels,
            in_use=in_use.get(row.name, 0),
            tokens=pace.bucket(row.calls_per_second, now).tokens,
            resting_s=max(0.0, known.get("resting_until", 0.0) - now),
        )


def _breakers(connection: Connection, now: float) -> Iterator[tuple[str, str, int]]:
    shared = or_(paces.c.name == HOUSE, paces.c.name.startswith(trunk_key("")))
    for row in _paces(connection, shared):
        scope, _, name = row["name"].partition(":")
        yield scope, name, _breaker(row["breaker"], now)
    running = select(campaigns.c.id).where(campaigns.c.state.in_(("running", "paused")), campaigns.c.kind == "campaign")
    names = [campaign_key(key) for key in connection.execute(running.limit(MOST_LANES)).scalars()]
    worst = max((_breaker(row["breaker"], now) for row in _paces(connection, paces.c.name.in_(names))), default=0)
    yield "campaign", "", worst


def _breaker(document: Any, now: float) -> int:
    try:
        return BREAKER_STATES[Breaker.read(document or {}).state(now).value]
    except (AttributeError, KeyError, TypeError, ValueError):  # written by another version
        return 0


def _paces(connection: Connection, condition: Any) -> list[Mapping[str, Any]]:
    columns = (paces.c.name, paces.c.tokens, paces.c.at, paces.c.resting_until, paces.c.breaker)
    return [dict(row) for row in connection.execute(select(*columns).where(condition)).mappings()]


def _webhooks(connection: Connection, now: float) -> WebhookReading:
    kept = select(
        func.count(), func.min(webhooks.c.cursor), func.count(webhooks.c.failing_since).label("failing")
    ).where(webhooks.c.deleted_at.is_(None), webhooks.c.enabled)
    enabled, cursor, failing = connection.execute(kept).one()
    latest = connection.execute(select(func.max(events.c.id))).scalar() or 0
    ours = select(webhooks.c.id).where(webhooks.c.deleted_at.is_(None))
    given_up = select(webhook_deliveries.c.id).where(
        webhook_deliveries.c.webhook_id.in_(ours), webhook_deliveries.c.state == "dead"
    )
    dead = connection.execute(select(func.count()).select_from(given_up.limit(MOST_DUE).subquery())).scalar_one()
    waits = select(webhook_deliveries.c.id).where(WAITING).limit(MOST_DUE).subquery()
    waiting, first = connection.execute(select(func.count(), func.min(waits.c.id))).one()
    made = select(webhook_deliveries.c.created_at).where(webhook_deliveries.c.id == first)
    oldest = connection.execute(made).scalar() if first is not None else None
    return WebhookReading(
        enabled=enabled,
        failing=failing,
        waiting=waiting,
        dead=dead,
        oldest_s=max(0.0, now - oldest) if oldest is not None else 0.0,
        behind=latest - cursor if cursor is not None else 0,
    )
