"""Settles calls whose line or host is gone, from the dialers' journals of sends; nobody is dialled again on a guess."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from dialer.journal import Entry, What
from dialer.messages import CallResult
from outbound.settle import leave_undetermined, settle
from outbound.store.attempts import release


def _unsent(entry: Entry | None) -> bool:
    return entry is None or entry.what is What.UNSENT


def recover(
    connection: Connection, attempt: RowMapping, journal: Mapping[str, Entry] | None, *, now: float, cause: str
) -> str:
    """Settle one live attempt whose dialer is certainly gone; return what was done with it.

    ``journal``: last entries by Call-ID of the dialer that had it, ``None`` when that dialer's disk is not here.
    A claim is given back. A committed send is done when the journal knows it (``failed`` and never retried unless its
    end was noted), given back when the journal is here and holds no send, and undetermined otherwise.
    """
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
