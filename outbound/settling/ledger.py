"""Writes what calls tell into the store, in the order in which it happened, many events to a commit.

An opt-out is stored by the same write that brings it; a result only after all events before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, select, update

from dialer.messages import CallEvent, CallResult, EventKind, Released
from outbound.erasing import scrubbing
from outbound.errors import Unavailable
from outbound.settling.said import book, opt_out, refuse_offer
from outbound.settling.settle import settle_all
from outbound.store import Store, events
from outbound.store.attempts import release
from outbound.store.erased import is_token
from outbound.store.schema import attempts
from outbound.store.schema import events as table

log = structlog.get_logger(__name__)
RELEASE_DELAY_S = 1.0
"""A released attempt falls due again after this long: its line was full or slow a moment ago."""
_MUST_KEEP = frozenset({EventKind.OPT_OUT, EventKind.REFUSAL, EventKind.CALLBACK})
"""Kept for as long as the store is away, however many there are."""
KEPT = 10_000
"""Other events that are kept so long."""
Entry = CallEvent | CallResult | Released


class Ledger:
    """One queue, one task, one order."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._unsaved: list[CallEvent] = []
        """Events that the store could not take yet."""
        self._queue: asyncio.Queue[tuple[Entry, asyncio.Future[None] | None]] = asyncio.Queue()

    def note(self, event: CallEvent) -> None:
        """Store an event soon."""
        self._queue.put_nowait((event, None))

    async def close_account(self, end: CallResult | Released) -> None:
        """Store a call's end after everything that was noted before; durable when this returns."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((end, done))
        await done

    async def run(self) -> None:
        """Write until cancelled; what was queued by then is written first."""
        try:
            while True:
                await self._write([await self._queue.get()])
        finally:
            await self._write([])

    async def _write(self, batch: list[tuple[Entry, asyncio.Future[None] | None]]) -> None:
        await self._write_unsaved()
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        if not batch:
            return
        entries = [entry for entry, _ in batch]
        try:
            await self._store.write(lambda connection: self._enter(connection, entries))
        except Exception as error:  # each on its own, so that one bad entry cannot keep an opt-out from the disk
            log.warning("batch not stored, storing one by one", error=type(error).__name__, entries=len(entries))
            await self._write_singly(batch)
            return
        for _, done in batch:
            _resolve(done, None)

    async def _write_unsaved(self) -> None:
        unsaved, self._unsaved = self._unsaved, []
        if not unsaved:
            return
        try:
            await self._store.write(lambda connection: self._enter(connection, list(unsaved), again=True))
        except Unavailable:  # still away
            self._unsaved = unsaved
        except Exception:
            await self._write_singly([(event, None) for event in unsaved])

    async def _write_singly(self, batch: list[tuple[Entry, asyncio.Future[None] | None]]) -> None:
        """Write what may be there already: where the answer to a commit was lost, nobody knows whether it happened."""
        for entry, done in batch:
            try:
                await self._store.write(
                    lambda connection, entry=entry: self._enter(connection, [entry], again=True)  # type: ignore[misc]
                )
            except Exception as error:
                log.exception("entry not stored", entry=type(entry).__name__, attempt_id=entry.attempt_id)
                if isinstance(error, Unavailable) and isinstance(entry, CallEvent) and self._keeps(entry):
                    self._unsaved.append(entry)
                _resolve(done, error)
            else:
                _resolve(done, None)

    def _keeps(self, event: CallEvent) -> bool:
        return event.kind in _MUST_KEEP or (event.kind is not EventKind.HEARING and len(self._unsaved) < KEPT)

    def _enter(self, connection: Connection, entries: list[Entry], *, again: bool = False) -> None:
        """Write entries in their order; results come last, and no event of a call comes after its result."""
        now = self._clock()
        told = [entry for entry in entries if isinstance(entry, CallEvent)]
        _enter_events(connection, told, now, again=again)
        settle_all(connection, [entry for entry in entries if isinstance(entry, CallResult)], now=now)
        for entry in entries:  # after results: what has one is not given back
            if isinstance(entry, Released):
                _release(connection, entry, now)


def _release(connection: Connection, entry: Released, now: float) -> None:
    due_at, key, fence = now + RELEASE_DELAY_S, entry.attempt_id, entry.fence
    release(connection, attempt_id=key, fence=fence, due_at=due_at, now=now, reason=entry.reason)


def _resolve(done: asyncio.Future[None] | None, error: Exception | None) -> None:
    if done is None or done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(None)


def _enter_events(connection: Connection, told: list[CallEvent], now: float, *, again: bool) -> None:
    """Append events to the stream in their order, then do what they change besides.

    ``again``: they may be there already, with all they changed, by a commit whose answer was lost.
    """
    if not told:
        return
    events.take_turn(connection)
    theirs = attempts.c.id.in_({event.attempt_id for event in told})
    known = {row["id"]: row for row in connection.execute(select(attempts).where(theirs)).mappings()}
    rows = [(event, _row(event, known[event.attempt_id])) for event in told if event.attempt_id in known]
    fresh = [(event, row) for event, row in rows if not (again and _is_there(connection, row))]
    events.append_all(connection, [row for _, row in fresh])
    for event, _ in fresh:
        _apply(connection, known[event.attempt_id], event, now)


def _row(event: CallEvent, attempt: RowMapping) -> dict[str, Any]:
    number, data = attempt["number"], {**event.data, "number": attempt["number"]}
    return {
        "at": event.at.timestamp(),
        "kind": f"call.{event.kind}",
        "campaign_id": attempt["campaign_id"],
        "attempt_id": event.attempt_id,
        "data": scrubbing.scrub(data, number, number) if is_token(number) else data,
    }


def _is_there(connection: Connection, row: dict[str, Any]) -> bool:
    mine = (table.c.attempt_id == row["attempt_id"]) & (table.c.kind == row["kind"]) & (table.c.at == row["at"])
    return row["data"] in connection.execute(select(table.c.data).where(mine)).scalars().all()


def _apply(connection: Connection, attempt: RowMapping, event: CallEvent, now: float) -> None:
    """What an event changes besides being told."""
    values: dict[str, Any] = {}
    match event.kind:
        case EventKind.STEP:
            values = {"step": event.data["step"]}
        case EventKind.ANSWERED:
            values = {"answered_at": event.at.timestamp()}
        case EventKind.OPT_OUT:
            opt_out(connection, attempt, words=event.data["words"], scope=event.data["scope"], now=now)
        case EventKind.CALLBACK:
            book(connection, attempt, at=_epoch(event.data["at"]), words=event.data["words"], now=now)
        case EventKind.REFUSAL:
            refuse_offer(connection, attempt, words=event.data["words"], now=now)
    if values and attempt["fence"] == event.fence:
        live = (attempts.c.id == event.attempt_id) & (attempts.c.state == "dialing")
        connection.execute(update(attempts).where(live).values(**values))


def _epoch(value: datetime | str | None) -> float | None:
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).timestamp()
