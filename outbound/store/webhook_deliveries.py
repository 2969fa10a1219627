"""Deliveries, one event to one webhook each: taken by one worker at a time, settled in groups; nothing is sent here.

A delivery that waits belongs to whoever moved its ``next_at`` into the future, until then (a lease). Of a stream only
the first that waits may be taken, with those behind it: events of an attempt arrive in their order. What waits behind a
delivery that failed is put off with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, exists, func, select, text, true, update

from outbound.errors import NotFound
from outbound.store.schema import events, webhooks
from outbound.store.schema import webhook_deliveries as deliveries

WAITING_INDEX = text("webhook_deliveries.state = 'waiting'")
"""The condition of the partial index as a constant: neither database finds such an index by a parameter."""
STATES = ("waiting", "delivered", "dead")
LEASE_S = 60.0
RUN = 20
"""Deliveries of one stream that are taken at once."""
DELIVERED_KEPT_S = 30 * 86400.0
PURGE_LOOK = 5000
"""The oldest rows of a webhook that a purge looks at, and rows that go at once: bounds how long other writers wait."""
REVIVED = {"state": "waiting", "tries": 0, "last_code": 0, "last_error": "", "ended_at": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery that was taken."""

    id: int
    webhook_id: str
    event_id: int
    stream: str
    tries: int
    lease_until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try."""

    delivery: Delivery
    code: int
    error: str
    """Empty: delivered."""
    retry_at: float | None
    """``None``: delivered, or dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """All that is needed to send a delivery, as it is now."""

    url: str
    secrets: Sequence[Mapping[str, Any]]
    private_allowed: bool
    failing_since: float | None
    """Since when nothing has arrived there."""
    event: Mapping[str, Any] | None
    """``None`` where the event is no longer there."""


def due(connection: Connection, webhook_id: str, *, now: float, limit: int) -> list[str]:
    """Streams of a webhook whose first waiting delivery is due, the oldest first; beside the writer."""
    earlier = deliveries.alias("earlier")
    behind = exists().where(
        earlier.c.webhook_id == deliveries.c.webhook_id,
        text("earlier.state = 'waiting'"),
        earlier.c.stream == deliveries.c.stream,
        earlier.c.id < deliveries.c.id,
    )
    query = (
        select(deliveries.c.stream)
        .where(deliveries.c.webhook_id == webhook_id, WAITING_INDEX, deliveries.c.next_at <= now, ~behind)
        .order_by(deliveries.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def take(
    connection: Connection, webhook_id: str, streams: Sequence[str], *, now: float, until: float
) -> list[list[Delivery]]:
    """Take what waits in ``streams``, each as a run from its first; those that another took meanwhile are left out."""
    place = func.row_number().over(partition_by=deliveries.c.stream, order_by=deliveries.c.id).label("place")
    mine = (deliveries.c.webhook_id == webhook_id) & WAITING_INDEX & deliveries.c.stream.in_(streams)
    places = select(deliveries.c.id, place).where(mine).subquery("places")
    query = (
        select(deliveries, places.c.place)
        .join(places, places.c.id == deliveries.c.id)
        .where(places.c.place <= RUN, WAITING_INDEX)
        .order_by(deliveries.c.id)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    rows = sorted(connection.execute(query).mappings(), key=lambda row: (row["stream"], row["id"]))
    runs = []
    for _, waiting in groupby(rows, key=lambda row: row["stream"]):
        run = [row for count, row in enumerate(waiting, 1) if row["place"] == count]
        if run and run[0]["next_at"] <= now:
            runs.append([_taken(row, until) for row in run])
    _lease(connection, [one.id for run in runs for one in run], until)
    return sorted(runs, key=lambda run: run[0].id)


def _taken(row: RowMapping, until: float) -> Delivery:
    names = ("id", "webhook_id", "event_id", "stream", "tries")
    return Delivery(**{name: row[name] for name in names}, lease_until=until)


def _lease(connection: Connection, ids: Sequence[int], until: float) -> None:
    if ids:
        connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(next_at=until))


def letters(connection: Connection, taken: Sequence[Delivery]) -> dict[int, Letter]:
    """Read what is sent, by delivery, just before it is; what is to be sent no more, or by another, is left out.

    Nothing of an event is kept anywhere else, so what was erased is not told.
    """
    names = ("url", "secrets", "private_allowed", "failing_since")
    event = [column.label(f"event_{column.name}") for column in events.c]
    query = (
        select(deliveries.c.id, deliveries.c.next_at, *(webhooks.c[name] for name in names), *event)
        .select_from(deliveries.join(webhooks).outerjoin(events, events.c.id == deliveries.c.event_id))
        .where(deliveries.c.id.in_([one.id for one in taken]), deliveries.c.state == "waiting")
        .where(webhooks.c.enabled, webhooks.c.deleted_at.is_(None))
    )
    leases = {one.id: one.lease_until for one in taken}
    found = {}
    for row in connection.execute(query).mappings():
        if row["next_at"] == leases[row["id"]]:
            told = {column.name: row[f"event_{column.name}"] for column in events.c}
            event_row = None if told["id"] is None else told
            found[row["id"]] = Letter(**{name: row[name] for name in names}, event=event_row)
    return found


def _still(delivery: Delivery) -> Any:
    """The delivery waits, and under this lease."""
    held = deliveries.c.next_at == delivery.lease_until
    return (deliveries.c.id == delivery.id) & (deliveries.c.state == "waiting") & held


def settle(connection: Connection, outcomes: Iterable[Outcome], *, now: float) -> None:
    """Write what came of many tries. What was delivered is delivered, under whatever lease."""
    arrived: list[Outcome] = []
    failed: list[Outcome] = []
    for outcome in outcomes:
        (failed if outcome.error else arrived).append(outcome)
    _note_health(connection, {one.delivery.webhook_id for one in arrived}, failed, now)
    for code, group in groupby(sorted(arrived, key=lambda one: one.code), key=lambda one: one.code):
        ids = [one.delivery.id for one in group]
        values = {"state": "delivered", "tries": deliveries.c.tries + 1, "last_code": code, "last_error": ""}
        waiting = update(deliveries).where(deliveries.c.id.in_(ids), deliveries.c.state == "waiting")
        connection.execute(waiting.values(**values, ended_at=now))
    for outcome in failed:
        _settle_failure(connection, outcome, now)


def _settle_failure(connection: Connection, outcome: Outcome, now: float) -> None:
    delivery, retry_at = outcome.delivery, outcome.retry_at
    values = {"tries": delivery.tries + 1, "last_code": outcome.code, "last_error": outcome.error}
    values |= {"state": "dead", "ended_at": now} if retry_at is None else {"next_at": retry_at}
    if connection.execute(update(deliveries).where(_still(delivery)).values(**values)).rowcount:
        behind = (deliveries.c.webhook_id == delivery.webhook_id) & (deliveries.c.stream == delivery.stream)
        later = update(deliveries).where(behind, WAITING_INDEX)
        connection.execute(later.values(next_at=now if retry_at is None else retry_at))


def _note_health(connection: Connection, healthy: set[str], failed: Sequence[Outcome], now: float) -> None:
    """Before the deliveries, as everywhere: two units that lock in different orders would wait for each other."""
    if healthy:
        well = update(webhooks).where(webhooks.c.id.in_(healthy), webhooks.c.failing_since.is_not(None))
        connection.execute(well.values(failing_since=None))
    if ill := {one.delivery.webhook_id for one in failed} - healthy:
        new = update(webhooks).where(webhooks.c.id.in_(ill), webhooks.c.failing_since.is_(None))
        connection.execute(new.values(failing_since=now))


def release(connection: Connection, taken: Sequence[Delivery], *, now: float) -> None:
    """Give back what was taken and not sent."""
    for delivery in taken:
        connection.execute(update(deliveries).where(_still(delivery)).values(next_at=now))


def hasten(connection: Connection, webhook_id: str, *, now: float) -> None:
    """Make everything that was put off due; what is just being sent is left alone."""
    put_off = (deliveries.c.webhook_id == webhook_id) & WAITING_INDEX & (deliveries.c.next_at > now + LEASE_S)
    connection.execute(update(deliveries).where(put_off).values(next_at=now))


def page(
    connection: Connection, webhook_id: str, *, state: str | None, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """List the deliveries of a webhook with what each tells, the newest first."""
    newest: list[int] = []
    for each in STATES if state is None else (state,):  # each by its index: together they would all be sorted
        query = select(deliveries.c.id).where(deliveries.c.webhook_id == webhook_id, deliveries.c.state == each)
        if before is not None:
            query = query.where(deliveries.c.id < before)
        newest += connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit)).scalars()
    shown = _shown().where(deliveries.c.id.in_(sorted(newest, reverse=True)[:limit]))
    return connection.execute(shown.order_by(deliveries.c.id.desc())).mappings().all()


def get(connection: Connection, webhook_id: str, delivery_id: int) -> RowMapping:
    """Read a delivery with what it tells. Raises :class:`NotFound`."""
    query = _shown().where(deliveries.c.webhook_id == webhook_id, deliveries.c.id == delivery_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("this webhook has no such delivery", code="delivery_not_found")
    return row


def _shown() -> Select[Any]:
    told = (events.c.kind, events.c.campaign_id, events.c.attempt_id)
    return select(deliveries, *told).outerjoin(events, events.c.id == deliveries.c.event_id)


def replay(connection: Connection, webhook_id: str, delivery_id: int, *, now: float) -> RowMapping:
    """Have one delivery sent again, or sooner. Raises :class:`NotFound`."""
    row = get(connection, webhook_id, delivery_id)
    mine = update(deliveries).where(deliveries.c.id == delivery_id)
    if row["state"] == "waiting":  # what is just being sent is left alone
        connection.execute(mine.where(WAITING_INDEX, deliveries.c.next_at > now + LEASE_S).values(next_at=now))
    else:
        connection.execute(mine.where(deliveries.c.state != "waiting").values(**REVIVED, next_at=now))
    return get(connection, webhook_id, delivery_id)


def replay_dead(connection: Connection, webhook_id: str, *, now: float) -> int:
    """Have everything that was given up sent again; return how many."""
    dead = update(deliveries).where(deliveries.c.webhook_id == webhook_id, deliveries.c.state == "dead")
    return connection.execute(dead.values(**REVIVED, next_at=now)).rowcount


def revive(connection: Connection, webhook_id: str, event_ids: Sequence[int], *, now: float) -> int:
    """Have deliveries of these events that have ended sent again; return how many of the others wait anyway."""
    theirs = (deliveries.c.webhook_id == webhook_id) & deliveries.c.event_id.in_(event_ids)
    waiting = select(func.count()).select_from(deliveries).where(theirs, deliveries.c.state == "waiting")
    count = connection.execute(waiting).scalar() or 0
    again = update(deliveries).where(theirs, deliveries.c.state != "waiting")
    connection.execute(again.values(**REVIVED, next_at=now))
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """What may be forgotten."""

    delivered: Sequence[int] = ()
    orphaned: Sequence[int] = ()
    """Deliveries of webhooks that were deleted."""
    webhook_ids: Sequence[str] = ()
    """Webhooks that were deleted and have no deliveries left."""

    def __bool__(self) -> bool:
        return bool(self.delivered or self.orphaned or self.webhook_ids)


def outdated(connection: Connection, *, now: float) -> Outdated:
    """Find what was delivered 30 days ago, and what is left of deleted webhooks, a part of it; beside the writer."""
    delivered: list[int] = []
    orphaned: list[int] = []
    empty: list[str] = []
    for webhook_id, deleted_at in connection.execute(select(webhooks.c.id, webhooks.c.deleted_at)).all():
        query = select(deliveries.c.id, deliveries.c.ended_at).where(deliveries.c.webhook_id == webhook_id)
        oldest = query.order_by(deliveries.c.id).limit(PURGE_LOOK)
        if deleted_at is None:
            rows = connection.execute(oldest.where(deliveries.c.state == "delivered")).all()
            delivered += [row.id for row in rows if row.ended_at < now - DELIVERED_KEPT_S]
        elif rows := connection.execute(oldest).all():
            orphaned += [row.id for row in rows]
        else:
            empty.append(webhook_id)
    return Outdated(delivered=delivered[:PURGE_LOOK], orphaned=orphaned[:PURGE_LOOK], webhook_ids=empty)


def purge(connection: Connection, found: Outdated) -> int:
    """Forget what was found, unless it was replayed since; return how many deliveries. The sweep calls it."""
    gone = 0
    for ids, still in ((found.delivered, deliveries.c.state == "delivered"), (found.orphaned, true())):
        for start in range(0, len(ids), 1000):
            some = deliveries.c.id.in_(ids[start : start + 1000])
            gone += connection.execute(delete(deliveries).where(some, still)).rowcount
    if found.webhook_ids:
        connection.execute(delete(webhooks).where(webhooks.c.id.in_(found.webhook_ids)))
    return gone
