"""Keeps receipts of due attempts that are not made for a reason the gate was not asked about; it cancels none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from outbound.receipts.chain import NewReceipt, append

Row = Mapping[str, Any] | RowMapping
AT_ONCE = 500
"""Receipts in one statement at most."""
CAMPAIGN = "campaign"
"""The rule of what a campaign's operators decided."""
CAMPAIGN_CANCELLED = "campaign_cancelled"
CAMPAIGN_PAUSED = "campaign_paused"
REASONS = {CAMPAIGN_CANCELLED: "the campaign was cancelled", CAMPAIGN_PAUSED: "the campaign was paused"}


def spare(connection: Connection, rows: Sequence[Row], *, code: str, reason: str, rule: str, now: float) -> None:
    """Append a receipt for each attempt in ``rows``: those of the table, with the ``purpose`` of their campaign."""
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        append(connection, [_receipt(row, code=code, reason=reason, rule=rule, now=now) for row in some])


def _receipt(row: Row, *, code: str, reason: str, rule: str, now: float) -> NewReceipt:
    return NewReceipt(
        at=now,
        campaign_id=row["campaign_id"],
        contact_id=row["contact_id"],
        attempt_id=row["id"],
        channel=row["channel"],
        purpose=row["purpose"],
        allowed=False,
        code=code,
        reason=reason,
        rule=rule,
        source="",
        next_at=None,
        evidence={"due_at": row["due_at"]},
        personal={"number": row["number"]},
    )
