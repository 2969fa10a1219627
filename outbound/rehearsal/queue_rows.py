"""The rows that the queue's bench works on: one trunk, one running campaign, its contacts and their due attempts.

Written with plain INSERTs, so that what is measured afterwards is the product and nothing that made its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from outbound.store.schema import attempts, campaigns, contacts, trunks

NOON = datetime(2026, 11, 24, 20, 0, tzinfo=UTC).timestamp()
"""A Tuesday noon in California, where everybody lives: every rule allows the call."""
TRUNK = "bench"
RUNNING, PAUSED = "R" * 26, "P" * 26
PIECE = 5000
RETRY = {"max_attempts": 3, "delays_s": {"busy": 600}}
SETTINGS = {
    "windows": [],
    "ring_timeout_s": 25.0,
    "max_duration_s": 60.0,
    "variables": {},
    "retry": RETRY,
    "agent_uri": "",
    "language": "en",
    "record": False,
}
Places = Mapping[str, list[str]]
CALIFORNIA: Places = {"zones": ["America/Los_Angeles"], "jurisdictions": ["US", "US-CA"]}
MOST_CALLS_PER_S = 1e6
"""More than any machine makes: pacing is asked, and never the limit."""


def found_campaign(
    connection: Connection,
    *,
    key: str = RUNNING,
    state: str = "running",
    settings: dict[str, Any] | None = None,
    flow: dict[str, Any] | None = None,
    now: float = NOON,
) -> None:
    """Insert a campaign on the bench's trunk."""
    named = {"id": key, "kind": "campaign", "name": "Bench", "state": state, "purpose": "informational"}
    said = {"trunk": TRUNK, "callflow": "none", "flow": flow or {}, "settings": settings or SETTINGS}
    connection.execute(insert(campaigns), named | said | {"max_concurrent": 100_000, "created_at": now})


def found_trunk(connection: Connection, host: str = "127.0.0.1:5060", *, now: float = NOON) -> None:
    """Insert the trunk of the bench, wide enough for everything."""
    row = {"name": TRUNK, "settings": {"host": host}, "channels": 100_000}
    connection.execute(insert(trunks), row | {"calls_per_second": MOST_CALLS_PER_S, "created_at": now})


def add_due(connection: Connection, numbers: Sequence[int], *, now: float = NOON, where: Places = CALIFORNIA) -> None:
    """Insert a contact of the running campaign for each of ``numbers`` (from 0), with an attempt that is due."""
    for start in range(0, len(numbers), PIECE):
        piece = numbers[start : start + PIECE]
        connection.execute(insert(contacts), [_contact(number, now, where) for number in piece])
        connection.execute(insert(attempts), [_attempt(number, now) for number in piece])


def clear(connection: Connection) -> None:
    """Take everything out of a PostgreSQL that a bench left there."""
    connection.execute(text("TRUNCATE trunks, paces, attempts, contacts, campaigns, reach_hours CASCADE"))


def telephone(number: int) -> str:
    """The E.164 number of a contact."""
    return f"+1415{2_000_000 + number}"


def _contact(number: int, now: float, where: Places) -> dict[str, Any]:
    named = {"id": f"C{number:025d}", "campaign_id": RUNNING, "number": telephone(number), "name": f"Name {number}"}
    return {**named, **where} | {"variables": {}, "planned": True, "created_at": now}


def _attempt(number: int, now: float) -> dict[str, Any]:
    whose = {"id": f"A{number:025d}", "contact_id": f"C{number:025d}", "campaign_id": RUNNING, "lane": RUNNING}
    return whose | {"number": telephone(number), "ordinal": 1, "priority": 20, "state": "due", "due_at": now}
