"""Operators' API keys: made, found by their digest, revoked; the secret itself is never stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from outbound.errors import Conflict, NotFound
from outbound.ids import new_id
from outbound.store.schema import api_keys

MARK = "ob_"
"""Every key begins with it, so that one that leaked is recognised."""
SHOWN = 10


def digest(secret: str) -> bytes:
    """SHA-256 of a key: enough for 256 random bits, which nobody can guess."""
    return hashlib.sha256(secret.encode()).digest()


def make(connection: Connection, *, name: str, now: float) -> tuple[RowMapping, str]:
    """Make a key; return its row and its secret, which is known only now."""
    secret = MARK + secrets.token_urlsafe(32)
    row = {"id": new_id(now), "name": name, "prefix": secret[:SHOWN], "digest": digest(secret), "created_at": now}
    connection.execute(insert(api_keys), row)
    return get(connection, row["id"]), secret


def get(connection: Connection, key_id: object) -> RowMapping:
    """Read a key by its id. Raises :class:`NotFound`."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no API key {key_id}")
    return row


def find(connection: Connection, secret: str) -> RowMapping | None:
    """Return the live key with this secret."""
    query = select(api_keys).where(api_keys.c.digest == digest(secret), api_keys.c.revoked_at.is_(None))
    return connection.execute(query).mappings().first()


def find_by_id(connection: Connection, key_id: str) -> RowMapping | None:
    """Return the live key with this id."""
    query = select(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    return connection.execute(query).mappings().first()


def page(connection: Connection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """List keys in the order they were made, revoked ones among them."""
    query = select(api_keys).order_by(api_keys.c.id).limit(limit)
    if after is not None:
        query = query.where(api_keys.c.id > after)
    return connection.execute(query).mappings().all()


def revoke(connection: Connection, key_id: str, *, now: float) -> None:
    """Revoke a key, once and for ever. Raises :class:`Conflict` for the last live one."""
    row = get(connection, key_id)
    if row["revoked_at"] is not None:
        return
    live = connection.execute(select(func.count()).select_from(api_keys).where(api_keys.c.revoked_at.is_(None)))
    if live.scalar_one() == 1:
        raise Conflict("this is the last live key; make another before it is revoked", code="last_key")
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now))
