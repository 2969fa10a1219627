"""The store: SQLite with one writer, or PostgreSQL; every state the service must not lose is here."""

from outbound.store.store import Store

__all__ = ["Store"]
