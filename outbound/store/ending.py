"""Ends attempts that were never sent, many at once, each with its receipt: cancelled, opted out, or too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from outbound.receipts.sparing import spare
from outbound.store import events
from outbound.store.schema import attempts, contacts


def end_unsent(
    connection: Connection,
    rows: Sequence[RowMapping],
    disposition: Disposition,
    *,
    code: str,
    reason: str,
    rule: str,
    now: float,
    tell: bool = True,
) -> None:
    """End due attempts (``rows`` of the table, held, with the ``purpose`` of their campaign) and their contacts.

    ``code`` and ``reason`` say why, ``rule`` what decided; without ``tell`` no event of each is appended.
    """
    if not rows:
        return
    check_transition(State.DUE, State.DONE)
    final = {"state": State.DONE, "disposition": disposition, "ended_at": now, "hangup_cause": code}
    mine = update(attempts).where(attempts.c.id.in_([row["id"] for row in rows]), attempts.c.state == State.DUE)
    connection.execute(mine.values(**final))
    theirs = update(contacts).where(contacts.c.id.in_([row["contact_id"] for row in rows]))
    connection.execute(theirs.values(disposition=disposition))
    if tell:
        events.append_all(connection, [_ended(row, disposition, code, now) for row in rows])
    spare(connection, rows, code=code, reason=reason, rule=rule, now=now)


def _ended(row: RowMapping, disposition: Disposition, code: str, now: float) -> dict[str, Any]:
    data = {"number": row["number"], "ordinal": row["ordinal"], "disposition": disposition, "hangup_cause": code}
    place = {"campaign_id": row["campaign_id"], "attempt_id": row["id"]}
    return place | {"at": now, "kind": "attempt.done", "data": data}
