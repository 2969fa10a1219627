"""Receipts as they lie in the tables, value by value as the database gives them: nothing is tidied before its check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, select, type_coerce
from sqlalchemy.types import NullType

from outbound.receipts.links import FIELDS, canonical, commit, link
from outbound.store.schema import receipts

BATCH = 2000
_JSON = ("evidence", "personal")
_COLUMNS = ("id", *FIELDS, "evidence", "personal", "salt", "commitment", "hash")


@dataclass(frozen=True, slots=True)
class Stored:
    """One receipt and what can be computed of it."""

    id: int
    fields: dict[str, Any]
    """What the hash covers, by name, but for evidence and commitment."""
    evidence: str
    """JSON text."""
    personal: str | None
    """JSON text."""
    salt: bytes | None
    commitment: Any
    hash: Any

    @property
    def seq(self) -> int:
        """The place it claims to have in its day."""
        seq: int = self.fields["seq"]
        return seq

    @property
    def is_erased(self) -> bool:
        """Whether its personal data is gone, as after an erasure."""
        return self.personal is None and self.salt is None

    def follows(self, before: bytes, **changes: Any) -> bytes | None:
        """Return its hash if it follows ``before``, with ``changes`` to its fields; ``None`` if it can have none."""
        commitment = changes.pop("commitment", self.commitment)
        fields = {**self.fields, **changes} if changes else self.fields
        try:
            made = link(before, fields, self.evidence.encode("utf-8", "surrogatepass"), commitment)
            if made == self.hash:  # it lies there as it was hashed
                return made
            return link(before, fields, canonical(json.loads(self.evidence)), commitment)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None

    def committed(self) -> bytes | None:
        """Return the commitment to its personal data as it is now; ``None`` if it can have none."""
        if self.salt is None or self.personal is None:
            return None
        try:
            made = commit(self.salt, self.personal.encode("utf-8", "surrogatepass"))
            if made == self.commitment:
                return made
            return commit(self.salt, canonical(json.loads(self.personal)))
        except (ValueError, TypeError, RecursionError):
            return None


def query() -> Select[Any]:
    """Select receipts for :func:`read`; add conditions and order."""
    columns: list[Any] = [
        (cast(receipts.c[name], Text) if name in _JSON else type_coerce(receipts.c[name], NullType())).label(name)
        for name in _COLUMNS
    ]
    return select(*columns)


def read(connection: Connection, chosen: Select[Any]) -> Iterator[Stored]:
    """Read receipts in flat memory."""
    for row in connection.execute(chosen, execution_options={"yield_per": BATCH}):
        yield stored(row)


def stored(row: Row[Any]) -> Stored:
    """Take a row of :func:`query`."""
    key, *values, evidence, personal, salt, commitment, hash_ = tuple(row)
    fields = dict(zip(FIELDS, values, strict=True))
    if fields["allowed"] in (0, 1):  # SQLite has no booleans
        fields["allowed"] = bool(fields["allowed"])
    return Stored(key, fields, evidence, None if personal == "null" else personal, salt, commitment, hash_)
