"""Settles calls whose line or host is gone, from the dialers' journals of sends; nobody is dialled again on a guess."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, RowMapping

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from dialer.journal import Entry, What, read_journals
from dialer.messages import CallResult
from outbound.backup import lineage
from outbound.backup.making_up import LATE_RESULT_S
from outbound.backup.reconcile import Reconciliation
from outbound.settling.settle import leave_undetermined, settle
from outbound.store import Store, events
from outbound.store.attempts import expired, live, release, still_live

log = structlog.get_logger(__name__)
LEASE_EXPIRED = "lease_expired"
END_NOTED = "end_noted"
"""Hangup cause of a call whose end the journal knows: what follows is the policy's to say, as after any other."""
MARK = "mark"
"""File in the journal directory: what tells it from others."""
SINCE = "since"
"""File in the journal directory: when the directory began. It cannot vouch for calls made before."""
FOREIGN_GRACE_S = 30.0
"""So long after a lease ended its own host, which knows more, may still settle the call before others do."""
LONGEST_SEND_S = 10.0
"""The longest send window there is (``OUTBOUND_SEND_WINDOW_S``)."""
MARGIN = timedelta(hours=1)
"""A line's clock may be so much behind the one that dated the intent."""
Journal = Mapping[str, Entry]


class Recovery:
    """Settles what lines of this host, or hosts that are gone, were doing."""

    def __init__(self, store: Store, lines: Collection[str], journal_dir: Path, clock: Callable[[], float]) -> None:
        self._store, self._lines, self._journal_dir, self._clock = store, lines, journal_dir, clock
        self._reconciliation = Reconciliation(store, lines, journal_dir, clock)

    async def open(self) -> None:
        """Note when the journals began, once; call it before any line sends."""
        mark = await asyncio.to_thread(_note_beginning, self._journal_dir, self._clock())
        if await self._store.read(lambda connection: lineage.journal_of(connection, self._lines)) != mark:
            # another directory may know of later calls of these lines: the silence of this one says nothing of them
            await asyncio.to_thread(_begin_anew, self._journal_dir, self._clock())
            await self._store.write(lambda connection: lineage.take_journal(connection, self._lines, mark))

    def doubt(self) -> None:
        """The database was away: it may come back without what it had confirmed last (a standby that lagged)."""
        self._reconciliation.doubt()

    async def reassure(self) -> None:
        """Compare with the journals if there is doubt; call it before anything is claimed. Raises while it is away."""
        await self._reconciliation.reassure()

    async def settle_leftovers(self) -> None:
        """Settle what this host's lines were doing before it started: lines die with their host.

        A database that is older than the journals (a restored backup) is brought up to them first. A line that was
        stopped when its host died has not noticed yet, and may send while its window is open: what is so fresh, and not
        in its journal, is left to the end of its lease.
        """
        await self._reconciliation.compare()
        rows = await self._store.read(live)
        await self._settle([row for row in rows if row["line"] in self._lines], "line_lost", dead=False)

    async def settle_lost(self, attempt_ids: Collection[str]) -> None:
        """Settle the calls of a line that has just died."""
        rows = await self._store.read(live)
        await self._settle([row for row in rows if row["id"] in attempt_ids], "line_lost")

    async def settle_expired(self) -> None:
        """Settle attempts whose lease has ended, whoever held them; look whether the database is still the same."""
        await self._reconciliation.look_again()
        now = self._clock()
        rows = await self._store.read(lambda connection: expired(connection, now=now))
        await self._settle([row for row in rows if self._may_settle(row, now)], LEASE_EXPIRED)

    def _may_settle(self, row: RowMapping, now: float) -> bool:
        own = row["line"] in self._lines or row["state"] == State.CLAIMED
        return own or bool(row["lease_until"] < now - FOREIGN_GRACE_S)

    async def _settle(self, rows: Sequence[RowMapping], cause: str, *, dead: bool = True) -> None:
        if not rows:
            return
        journal, since = await asyncio.to_thread(_read, self._journal_dir, rows)
        for row in rows:
            own = row["line"] in self._lines
            if not dead and row["call_id"] not in journal and _may_still_send(row, self._clock()):
                continue
            known = told_by_own(row, journal, since) if own else told_by_another(row, journal, now=self._clock())
            done = await self._store.write(
                lambda connection, row=row, known=known: recover(  # type: ignore[misc]
                    connection, row, known, now=self._clock(), cause=cause
                )
            )
            log.warning("attempt recovered", cause=cause, outcome=done, attempt_id=row["id"])


def _note_beginning(directory: Path, now: float) -> bytes:
    """Note when the directory began and give it a mark of its own; return the mark."""
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), (directory / MARK).open("xb") as file:
        file.write(secrets.token_bytes(32))
    with contextlib.suppress(FileExistsError), (directory / SINCE).open("x", encoding="ascii") as file:
        file.write(repr(now))
    return (directory / MARK).read_bytes()


def _begin_anew(directory: Path, now: float) -> None:
    fresh = directory / f"{SINCE}.new"
    fresh.write_text(repr(now), encoding="ascii")
    fresh.replace(directory / SINCE)


def _read(directory: Path, rows: Sequence[RowMapping]) -> tuple[Journal, float]:
    """What the journals say of all these calls, read once, and since when they are kept (for ever: not at all)."""
    sent = {row["call_id"]: row["dialed_at"] for row in rows if row["dialed_at"] is not None}
    if not sent:
        return {}, float("inf")
    oldest = datetime.fromtimestamp(min(sent.values()), UTC) - MARGIN
    try:
        since = float((directory / SINCE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        since = float("inf")
    return read_journals(directory, sent, since=oldest), since


def _may_still_send(attempt: RowMapping, now: float) -> bool:
    return attempt["dialed_at"] is not None and now - attempt["dialed_at"] <= LONGEST_SEND_S


def told_by_own(attempt: RowMapping, journal: Journal, since: float) -> Journal | None:
    """What the journal of a line of ours, which is certainly dead, tells of a call.

    ``None`` when it is silent and began after it (an emptied disk). Its silence says that nothing was sent: a line
    writes before it sends, and the dead write no more.
    """
    entry = journal.get(attempt["call_id"])
    if entry is not None:
        return {entry.call_id: entry}
    return {} if attempt["dialed_at"] is None or since <= attempt["dialed_at"] else None


def told_by_another(attempt: RowMapping, journal: Journal, *, now: float) -> Journal | None:
    """What the journal of another host's line, in a directory that is shared, proves of a call; else ``None``.

    That host may live and only be cut off from the database. So:

    - That nothing left (``unsent``) was written by the line after its last chance: it stays true.
    - An end is true as well, but the line still holds the result and says more once it is heard (words, a recording,
      whether the customer is to be tried again); only when it did not come for ``LATE_RESULT_S`` is the journal's word
      taken. Until then the attempt is undetermined, which the result may still change.
    - A send without an end may be a call in progress, or one of whose end nobody will ever tell: undetermined.
    - Silence proves nothing, however long ago the send window and the lease have ended. The window is measured by the
      line's monotonic clock, which stands still while its machine does: a virtual machine that was paused between
      intent and journal, and goes on an hour later, finds its window open and sends. And a shared file system may show
      us a directory as it was. Only the line's own host, once it has started again under its name's lock, knows that
      its lines are dead; it finds the attempt undetermined then, and undetermined it stays.
    """
    entry = journal.get(attempt["call_id"])
    if entry is None:
        return None
    told_long_ago = entry.what is What.ENDED and now - entry.at.timestamp() > LATE_RESULT_S
    return {entry.call_id: entry} if entry.what is What.UNSENT or told_long_ago else None


def _unsent(entry: Entry | None) -> bool:
    return entry is None or entry.what is What.UNSENT


def recover(connection: Connection, attempt: RowMapping, journal: Journal | None, *, now: float, cause: str) -> str:
    """Settle one live attempt whose dialer is gone, or was not heard of for long; return what was done with it.

    ``journal``: last entries by Call-ID of the dialer that had it, as far as they prove anything; ``None`` when they
    prove nothing (:func:`told_by_own`, :func:`told_by_another`).
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
        leave_undetermined(connection, attempt, cause=cause, now=now)
        return "undetermined"
    entry = journal[attempt["call_id"]]
    ended = entry.what is What.ENDED and entry.disposition in set(Disposition)
    result = CallResult(
        attempt_id=attempt["id"],
        fence=attempt["fence"],
        call_id=attempt["call_id"],
        disposition=Disposition(entry.disposition) if ended else Disposition.FAILED,
        hangup_cause=END_NOTED if ended and entry.disposition != Disposition.FAILED else cause,
        ended_at=entry.at if ended else datetime.fromtimestamp(now, UTC),
    )
    settle(connection, result, now=now)
    return "settled"
