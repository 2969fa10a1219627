"""Settles calls whose line or host is gone, from the dialers' journals of sends; nobody is dialled again on a guess."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection, RowMapping

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from dialer.journal import Entry, What, read_journals
from dialer.messages import CallResult
from outbound.settle import leave_undetermined, settle
from outbound.store import Store, events
from outbound.store.attempts import expired, live, release, still_live

log = structlog.get_logger(__name__)
LEASE_EXPIRED = "lease_expired"
SINCE = "since"
"""File in the journal directory: when the directory began. It cannot vouch for calls made before."""


class Recovery:
    """Settles what lines of this host, or hosts that are gone, were doing."""

    def __init__(self, store: Store, lines: Collection[str], journal_dir: Path, clock: Callable[[], float]) -> None:
        self._store, self._lines, self._journal_dir, self._clock = store, lines, journal_dir, clock

    async def open(self) -> None:
        """Note when the journals began, once; call it before any line sends."""
        await asyncio.to_thread(_note_beginning, self._journal_dir, self._clock())

    async def settle_leftovers(self) -> None:
        """Settle what this host's lines were doing before it started: lines die with their host."""
        rows = await self._store.read(live)
        await self._settle([row for row in rows if row["line"] in self._lines], "line_lost")

    async def settle_lost(self, attempt_ids: Collection[str]) -> None:
        """Settle the calls of a line that has just died."""
        rows = await self._store.read(live)
        await self._settle([row for row in rows if row["id"] in attempt_ids], "line_lost")

    async def settle_expired(self) -> None:
        """Settle attempts whose lease has ended, whoever held them."""
        rows = await self._store.read(lambda connection: expired(connection, now=self._clock()))
        await self._settle(rows, LEASE_EXPIRED)

    async def _settle(self, rows: Iterable[RowMapping], cause: str) -> None:
        for row in rows:
            journal = None
            if row["line"] in self._lines:
                journal = await asyncio.to_thread(_journal_of, self._journal_dir, row)
            done = await self._store.write(
                lambda connection, row=row, journal=journal: recover(  # type: ignore[misc]
                    connection, row, journal, now=self._clock(), cause=cause
                )
            )
            log.warning("attempt recovered", cause=cause, outcome=done, attempt_id=row["id"])


def _note_beginning(directory: Path, now: float) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), (directory / SINCE).open("x", encoding="ascii") as file:
        file.write(repr(now))


def _journal_of(directory: Path, attempt: RowMapping) -> dict[str, Entry] | None:
    """What the journals say of a call; ``None`` when they are silent and began after it (an emptied disk)."""
    found = read_journals(directory, [attempt["call_id"]])
    if found or attempt["dialed_at"] is None:
        return found
    try:
        since = float((directory / SINCE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return found if since <= attempt["dialed_at"] else None


def _unsent(entry: Entry | None) -> bool:
    return entry is None or entry.what is What.UNSENT


def recover(
    connection: Connection, attempt: RowMapping, journal: Mapping[str, Entry] | None, *, now: float, cause: str
) -> str:
    """Settle one live attempt whose dialer is certainly gone; return what was done with it.

    ``journal``: last entries by Call-ID of the dialer that had it, ``None`` when that dialer's disk is not here
    or was emptied.
    What moved on since it was looked at (an intent or a renewed lease came just in time) is left alone.
    A claim is given back. A committed send is done when the journal knows it (``failed`` and never retried unless its
    end was noted), given back when the journal is here and holds no send, and undetermined otherwise.
    """
    events.take_turn(connection)
    if not still_live(connection, attempt, expired_at=now if cause == LEASE_EXPIRED else None):
        return "moved on"
    if attempt["state"] == State.CLAIMED or (journal is not None and _unsent(journal.get(attempt["call_id"]))):
        release(connection, attempt_id=attempt["id"], fence=attempt["fence"], due_at=now, now=now, reason=cause)
        return "released"
    if journal is None:
        leave_undetermined(connection, attempt, now=now)
        return "undetermined"
    entry = journal[attempt["call_id"]]
    ended = entry.what is What.ENDED and entry.disposition
    result = CallResult(
        attempt_id=attempt["id"],
        fence=attempt["fence"],
        call_id=attempt["call_id"],
        disposition=Disposition(entry.disposition) if ended else Disposition.FAILED,
        hangup_cause=cause,
        ended_at=entry.at if ended else datetime.fromtimestamp(now, UTC),
    )
    settle(connection, result, now=now)
    return "settled"
