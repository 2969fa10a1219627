"""What readers hand on: numbered rows not yet looked at, whatever the format of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from outbound.importing.source import RECORD_LIMIT
from outbound.store.imports import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a file."""

    row: int
    """Line of the file it begins in, from 1."""
    fields: dict[str, object]
    """Fields of ``ContactIn`` as they were written."""


class Reader(Protocol):
    """An open file of contacts."""

    read_as: str
    """Format, encoding and delimiter, for the operator."""

    def records(self) -> Iterator[Record | Rejected]:
        """Yield its rows in order; those that cannot be read as rejects."""

    def close(self) -> None:
        """Close the file."""


def too_long(row: int) -> Rejected:
    """Refuse a line beyond the limit."""
    reason = f"the line is longer than {RECORD_LIMIT // 1024} KiB; shorten it"
    return Rejected(row=row, field="row", code="record_too_long", reason=reason)
