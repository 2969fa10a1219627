"""Idempotency keys: a write's answer is stored in the transaction of the write itself, so both are there or neither.

Knows nothing of HTTP beyond status, headers and body.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from outbound.errors import Invalid
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import idempotency_keys as keys

KEPT_S = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of an ``Idempotency-Key``."""

    api_key_id: str
    key: str
    fingerprint: bytes
    """SHA-256 of what was asked: the same key may not be used for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim(connection: Connection, use: Use, *, now: float) -> Kept | None:
    """Take the key for this transaction, or return the answer that was given under it.

    A second transaction with the same key waits for the first (one writer on SQLite, the unique index on PostgreSQL).
    Raises :class:`Invalid` when the key was used for something else.
    """
    mine = (keys.c.api_key_id == use.api_key_id) & (keys.c.key == use.key)
    connection.execute(delete(keys).where(mine, keys.c.created_at < now - KEPT_S))
    row = {"api_key_id": use.api_key_id, "key": use.key, "fingerprint": use.fingerprint, "created_at": now}
    taking = insert_or_skip(connection, keys).values(row | {"status": 0, "headers": {}, "body": b""})
    if connection.execute(taking.returning(keys.c.key)).first() is not None:
        return None
    known = connection.execute(select(keys).where(mine)).mappings().one()
    if known["fingerprint"] != use.fingerprint:
        raise Invalid(
            "this Idempotency-Key was used for another request within 24 hours; use a new key for a new request",
            code="idempotency_key_reused",
        )
    return Kept(status=known["status"], headers=known["headers"], body=known["body"])


def keep(connection: Connection, use: Use, answer: Kept) -> None:
    """Store the answer under a key that :func:`claim` took in this transaction."""
    mine = (keys.c.api_key_id == use.api_key_id) & (keys.c.key == use.key)
    values = {"status": answer.status, "headers": answer.headers, "body": answer.body}
    connection.execute(update(keys).where(mine).values(**values))


def purge(connection: Connection, *, now: float) -> int:
    """Forget answers older than 24 hours; return how many. A periodic sweep calls it."""
    return connection.execute(delete(keys).where(keys.c.created_at < now - KEPT_S)).rowcount


def forget(connection: Connection, use: Use) -> None:
    """Give a key free again."""
    connection.execute(delete(keys).where(keys.c.api_key_id == use.api_key_id, keys.c.key == use.key))
