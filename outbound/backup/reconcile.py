"""Compares a dialer's journals with its database, and stops the campaigns of one that turns out to be older than them.

A restored database does not know of calls made since, nor of people who said stop since. So everything here fails
closed: what was sent is never sent again, and nothing runs until the operator resumes it (docs/backup.md).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from dialer.journal import Send, read_sends
from outbound.backup import lineage
from outbound.backup.lineage import Seen
from outbound.backup.making_up import CAUSE, MadeUp, Standing, enter_end, is_lost, is_unended, make_up
from outbound.store import Store, events
from outbound.store.campaigns import pause
from outbound.store.schema import attempts, campaigns

log = structlog.get_logger(__name__)
LOOKED_UP = 2000
"""Attempts looked up in one query."""
MADE_UP = 200
"""Sends made up for in one unit of work: bounds how long other writers wait."""
REMEMBER_EVERY_S = 60.0
MARGIN = timedelta(days=1)
"""Journals are read from so long before the event that was seen: a call may have begun the day before it ended."""
SKEW_S = 5.0
"""Machines that share a journal directory may differ so much about the time."""
REASON = (
    "the database is older than the calls that were made: a restored backup lacks later opt-outs; "
    "load them again, then resume"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a comparison brought to light."""

    lost: list[Send]
    """Sends that the database does not know of."""
    unended: list[Send]
    """Calls that it left undetermined although their end is in the journal."""


class Reconciliation:
    """The comparison of one dialer's journal directory with the database."""

    def __init__(self, store: Store, lines: Collection[str], journal_dir: Path, clock: Callable[[], float]) -> None:
        self._store, self._lines, self._directory, self._clock = store, lines, journal_dir, clock
        self._seen: Seen | None = None
        self._remembered_at = 0.0
        self._in_doubt = False
        """The database was away: whatever answers now may be another, or lack what it had confirmed last."""

    async def compare(self) -> None:
        """Settle every send the database does not know of, before anything is dialled; see the module's docstring.

        Only journals that are younger than the event seen last are read while the database still has that event:
        what had happened by then is in it.
        """
        seen = self._seen or await asyncio.to_thread(lineage.read, self._directory)
        copied, unbroken = await self._store.read(lambda connection: _look(connection, seen))
        accounted = seen.looked_at if seen is not None and unbroken else None
        found = await self._find(accounted)
        if copied or not unbroken or found.lost:
            await self._fail_closed(found.lost)
        for some in _parts(found.unended, MADE_UP):
            await self._store.write(lambda connection, some=some: self._enter_ends(connection, some))  # type: ignore[misc]
        await self._store.write(lineage.take_home)
        self._seen = await self._store.read(lambda connection: lineage.newest(connection, now=self._clock()))
        await self._remember()
        self._in_doubt = False

    def doubt(self) -> None:
        """Have the next :meth:`reassure` compare: the database was away."""
        self._in_doubt = True

    async def reassure(self) -> None:
        """Compare if there is doubt."""
        if self._in_doubt:
            await self.compare()

    async def look_again(self) -> None:
        """Compare anew if the database is another than a moment ago (restored, or a standby that lagged took over)."""
        seen = self._seen
        try:
            unbroken, now_newest = await self._store.read(
                lambda connection: (
                    seen is None or lineage.holds(connection, seen),
                    lineage.newest(connection, now=self._clock()),
                )
            )
        except Exception:
            self.doubt()
            raise
        if self._in_doubt or not unbroken:
            await self.compare()
            return
        self._seen = now_newest
        if self._clock() - self._remembered_at > REMEMBER_EVERY_S:
            await self._remember()

    async def _find(self, accounted: float | None) -> _Found:
        """Compare; a send before ``accounted`` is in the database, or its loss was made up for as far as it can be."""
        since = None if accounted is None else datetime.fromtimestamp(accounted, UTC) - MARGIN
        sends = await asyncio.to_thread(read_sends, self._directory, since=since)
        found = await self._compare(list(sends.values()))
        lost = [send for send in found.lost if accounted is None or send.at >= accounted - SKEW_S]
        if lost:  # a line may just have told that one did not leave: what is lost, the journal says twice
            again = await asyncio.to_thread(read_sends, self._directory, since=since)
            lost = [send for send in lost if (same := again.get(send.attempt_id)) and same.fence == send.fence]
        return _Found(lost=lost, unended=found.unended)

    async def _compare(self, sends: Sequence[Send]) -> _Found:
        found = _Found(lost=[], unended=[])
        now = self._clock()
        for some in _parts(sends, LOOKED_UP):
            known = await self._store.survey(lambda connection, some=some: _standings(connection, some))  # type: ignore[misc]
            for send in some:
                standing = known.get(send.attempt_id)
                if is_lost(standing, send):
                    found.lost.append(send)
                elif is_unended(standing, send, own=send.line in self._lines, now=now):
                    found.unended.append(send)
        return found

    async def _fail_closed(self, lost: list[Send]) -> None:
        """Pause first: whatever happens in between, nothing runs on what the database lacks."""
        since = await self._store.read(lambda connection: _newest_at(connection, lost, self._clock()))
        paused = await self._store.write(lambda connection: self._pause(connection, len(lost), since))
        done: Counter[MadeUp] = Counter()
        for some in _parts(lost, MADE_UP):
            done += await self._store.write(lambda connection, some=some: self._make_up(connection, some))  # type: ignore[misc]
        data = {"missing_sends": len(lost), "unknown_contacts": done[MadeUp.STRANGER], "since": since}
        told = data | {"paused": paused, "reason": REASON}
        await self._store.write(
            lambda connection: events.append(connection, at=self._clock(), kind="store.restored", data=told)
        )
        log.error("the database is older than the calls made: campaigns are paused", paused=paused, **data)

    def _pause(self, connection: Connection, missing: int, since: float) -> int:
        now = self._clock()
        events.take_turn(connection)
        running = connection.execute(select(campaigns.c.id).where(campaigns.c.state == "running")).scalars().all()
        for campaign_id in running:
            pause(connection, campaign_id, reason=REASON, cause=CAUSE, now=now)
            data = {"missing_sends": missing, "since": since, "reason": REASON}
            events.append(connection, at=now, kind="store.restored", campaign_id=campaign_id, data=data)
        return len(running)

    def _make_up(self, connection: Connection, some: Sequence[Send]) -> Counter[MadeUp]:
        now = self._clock()
        return Counter(make_up(connection, send, now=now) for send in some)

    def _enter_ends(self, connection: Connection, some: Sequence[Send]) -> None:
        now = self._clock()
        for send in some:
            enter_end(connection, send, now=now)

    async def _remember(self) -> None:
        if self._seen is not None:
            try:
                await asyncio.to_thread(lineage.write, self._directory, self._seen)
            except OSError as error:  # a full disk; the next start reads more of the journals, and that is all
                log.warning("what was seen of the database is not remembered", error=type(error).__name__)
        self._remembered_at = self._clock()


def _look(connection: Connection, seen: Seen | None) -> tuple[bool, bool]:
    return lineage.is_copy(connection), seen is None or lineage.holds(connection, seen)


def _standings(connection: Connection, sends: Sequence[Send]) -> Mapping[str, Standing]:
    columns = select(attempts.c.id, attempts.c.state, attempts.c.fence)
    found = connection.execute(columns.where(attempts.c.id.in_([send.attempt_id for send in sends])))
    return {attempt_id: (state, fence) for attempt_id, state, fence in found}


def _newest_at(connection: Connection, lost: Sequence[Send], now: float) -> float:
    """From when on the database lacks what happened, as far as can be told."""
    newest = lineage.newest(connection, now=now)
    known = [send.at for send in lost] + ([newest.at] if newest else [])
    return min(known, default=now)


def _parts(sends: Sequence[Send], size: int) -> Iterator[Sequence[Send]]:
    return (sends[start : start + size] for start in range(0, len(sends), size))
