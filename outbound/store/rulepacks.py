"""The operator's own rule packs: put in force and withdrawn, each version a row that stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from outbound.ids import ALPHABET, new_id
from outbound.store import events
from outbound.store.schema import rule_packs

_VERSIONS = select(rule_packs).order_by(rule_packs.c.id)


def put(connection: Connection, name: str, document: Mapping[str, Any] | None, *, version: str, now: float) -> None:
    """Put a pack in force, or with ``None`` withdraw the one of this name; every intent after the commit counts it."""
    events.take_turn(connection)
    pack_id = _later_than(connection, new_id(now))
    row = {"id": pack_id, "name": name, "document": document, "created_at": now}
    connection.execute(insert(rule_packs), row)
    kind = "rules.withdrawn" if document is None else "rules.put_in_force"
    events.append(connection, at=now, kind=kind, data={"name": name, "version": version})


def versions(connection: Connection) -> Sequence[RowMapping]:
    """Every version that was ever put in force, and every withdrawal (without a document), in their order."""
    return connection.execute(_VERSIONS).mappings().all()


def newest(connection: Connection) -> dict[str, RowMapping]:
    """The newest row of every name, withdrawn ones (without a document) among them."""
    latest = select(func.max(rule_packs.c.id)).group_by(rule_packs.c.name)
    rows = connection.execute(select(rule_packs).where(rule_packs.c.id.in_(latest)).order_by(rule_packs.c.name))
    return {row["name"]: row for row in rows.mappings()}


def _later_than(connection: Connection, pack_id: str) -> str:
    """An id above all others even when the clock was put back: the newest row is the one in force."""
    last = connection.execute(select(func.max(rule_packs.c.id))).scalar()
    if last is None or last < pack_id:
        return pack_id
    return f"{last[:-10]}{_next(last[-10:])}"


def _next(text: str) -> str:
    value = 0
    for character in text:
        value = value * 32 + ALPHABET.index(character)
    return "".join(ALPHABET[(value + 1) >> shift & 31] for shift in range(45, -5, -5))
