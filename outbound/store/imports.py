"""Imports: which file is read for which campaign, how far, and which rows were not taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from outbound.errors import NotFound
from outbound.store import campaigns, contacts, events
from outbound.store.contacts import Ready
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import import_rejects as rejects
from outbound.store.schema import imports

OPEN = ("queued", "running")
FIELD_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that is not taken; the names are those of the table."""

    row: int
    field: str
    code: str
    reason: str


def create(
    connection: Connection,
    import_id: str,
    *,
    campaign_id: str,
    format: str,  # noqa: A002 - the column's name
    path: str,
    options: dict[str, Any],
    now: float,
) -> RowMapping:
    """Store an import that is still to be run."""
    row = {"id": import_id, "campaign_id": campaign_id, "state": "queued", "format": format, "path": path}
    connection.execute(insert(imports), row | {"options": options, "created_at": now})
    return get(connection, import_id)


def get(connection: Connection, import_id: str) -> RowMapping:
    """Read an import. Raises :class:`NotFound`."""
    row = connection.execute(select(imports).where(imports.c.id == import_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no import {import_id}", code="import_not_found")
    return row


def unfinished(connection: Connection) -> list[str]:
    """Ids of imports that are not over: a sweep enqueues ``run_import`` for each, which is safe to do twice."""
    return list(connection.execute(select(imports.c.id).where(imports.c.state.in_(OPEN))).scalars())


def page_rejects(connection: Connection, import_id: str, *, after: int, limit: int) -> Sequence[RowMapping]:
    """List rejected rows in the order of the file."""
    query = select(rejects).where(rejects.c.import_id == import_id, rejects.c.row > after)
    return connection.execute(query.order_by(rejects.c.row).limit(limit)).mappings().all()


def advance(
    connection: Connection,
    import_id: str,
    *,
    before: int,
    through: int,
    batch: Sequence[Ready],
    refused: Sequence[Rejected],
    read_as: str,
    now: float,
) -> bool:
    """Settle the rows after ``before`` up to ``through``; return whether they were still to be settled.

    ``False`` means that another run was faster, or that the import is over: this run then stops.
    """
    row = get(connection, import_id)
    campaign = campaigns.get(connection, row["campaign_id"], lock=True)
    values = {"rows": through, "state": "running", "read_as": read_as}
    mine = update(imports).where(imports.c.id == import_id, imports.c.rows == before, imports.c.state.in_(OPEN))
    if connection.execute(mine.values(**values)).rowcount != 1:
        return False
    if campaign["state"] in ("cancelled", "completed"):
        fail(connection, import_id, f"the campaign is {campaign['state']}; make a new one for these contacts", now=now)
        return False
    added = contacts.add_ready(connection, campaign["id"], batch, now=now)
    twice = [duplicate(number) for number in added.duplicates]
    totals = {
        "accepted": imports.c.accepted + added.accepted,
        "duplicates": imports.c.duplicates + len(twice),
        "rejected": imports.c.rejected + len(refused),
    }
    connection.execute(update(imports).where(imports.c.id == import_id).values(**totals))
    listed = [_reject_row(import_id, item) for item in (*refused, *twice)]
    if listed:
        connection.execute(insert_or_skip(connection, rejects), listed)
    return True


def duplicate(row: int) -> Rejected:
    """Say that a row's number is in the campaign already."""
    reason = "the number is in this campaign already, or earlier in this file; remove the row"
    return Rejected(row=row, field="number", code="duplicate", reason=reason)


def finish(connection: Connection, import_id: str, *, now: float) -> RowMapping:
    """End an import whose rows are all settled."""
    return _end(connection, import_id, {"state": "done"}, now)


def fail(connection: Connection, import_id: str, error: str, *, now: float) -> RowMapping:
    """End an import that cannot go on; rows that are in stay in."""
    return _end(connection, import_id, {"state": "failed", "error": error}, now)


def _end(connection: Connection, import_id: str, values: dict[str, Any], now: float) -> RowMapping:
    mine = update(imports).where(imports.c.id == import_id, imports.c.state.in_(OPEN))
    moved = connection.execute(mine.values(**values, ended_at=now)).rowcount
    row = get(connection, import_id)
    if moved:
        tell(connection, row, now=now)
        campaigns.complete_if_over(connection, row["campaign_id"], now=now)
    return row


def tell(connection: Connection, row: RowMapping, *, now: float) -> None:
    """Append the event of an import that is over."""
    names = ("accepted", "duplicates", "rejected", "state")
    data = {"import_id": row["id"]} | {name: row[name] for name in names}
    events.append(connection, at=now, kind="import.done", campaign_id=row["campaign_id"], data=data)


def _reject_row(import_id: str, item: Rejected) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "row": item.row,
        "field": item.field[:FIELD_LENGTH],
        "code": item.code,
        "reason": item.reason,
    }
