"""Makes of an uploaded file, batch by batch in flat memory, what is to be stored of it; it stores nothing itself.

It runs wherever there is time for it: in a thread for a small file, in a process of its own (apart.py) for a large one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping

from outbound.callflows import read_flow
from outbound.importing.csv_reader import CsvReader
from outbound.importing.ndjson_reader import NdjsonReader
from outbound.importing.quick import QuickCheck
from outbound.importing.rows import ContactRules
from outbound.importing.source import detect_encoding
from outbound.store.contacts import Ready, ready
from outbound.store.imports import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file and what its rows are checked against."""

    path: Path
    format: str
    """``csv`` or ``ndjson``."""
    options: Mapping[str, Any]
    """Of the import: ``charset``, ``ignore_columns``."""
    campaign: Mapping[str, Any]
    """``settings``, ``flow`` and ``callflow`` of the campaign."""
    settled: int
    """Rows up to this one are passed over."""
    batch: int
    """Rows that are handed on together."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """Rows to be settled together."""

    through: int
    """Row of the last of them."""
    contacts: list[Ready] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    read_as: str
    """Format, encoding and delimiter, for the operator."""
    last: bool = False


def contact_rules(campaign: Mapping[Any, Any] | RowMapping) -> ContactRules:
    """What ``campaign`` asks of its contacts."""
    settings = campaign["settings"]
    flow = read_flow(campaign["flow"], source=campaign["callflow"])
    return ContactRules(
        default_region=settings["default_region"],
        languages=flow.languages,
        declared=flow.variables,
        given=settings["variables"],
    )


def batches(upload: Upload) -> Iterator[Batch]:
    """Yield all that is still to be settled; the last batch, which may be empty, says so.

    Raises :class:`FileRefused` when nothing of the file can be taken, and ``OSError``.
    """
    rules = contact_rules(upload.campaign)
    encoding = detect_encoding(upload.path, upload.options.get("charset"))
    reader: CsvReader | NdjsonReader
    if upload.format == "ndjson":
        reader = NdjsonReader(upload.path, encoding)
        outcomes = _checked_lines(reader, rules, upload.settled)
    else:
        wanted = rules.wanted(upload.options.get("ignore_columns", ()))
        reader = CsvReader(upload.path, encoding, wanted=wanted)
        outcomes = _checked_rows(reader, rules, upload.settled)
    try:
        yield from _batched(outcomes, upload, reader.read_as)
    finally:
        reader.close()


def _batched(outcomes: Iterable[Ready | Rejected], upload: Upload, read_as: str) -> Iterator[Batch]:
    batch = Batch(through=upload.settled, read_as=read_as)
    for outcome in outcomes:
        if len(batch.contacts) + len(batch.rejected) == upload.batch:
            yield batch
            batch = Batch(through=batch.through, read_as=read_as)
        if isinstance(outcome, Rejected):
            batch.rejected.append(outcome)
            batch.through = outcome.row
        else:
            batch.contacts.append(outcome)
            batch.through = outcome[0]
    batch.last = True
    yield batch


def _checked_rows(reader: CsvReader, rules: ContactRules, settled: int) -> Iterator[Ready | Rejected]:
    quick, fields = QuickCheck(rules, reader.columns), reader.columns.fields
    for item in reader.rows():
        if isinstance(item, Rejected):
            if item.row > settled:
                yield item
            continue
        row, cells = item
        if row > settled:
            yield quick.take(row, cells) or _checked(rules, row, fields(cells))


def _checked_lines(reader: NdjsonReader, rules: ContactRules, settled: int) -> Iterator[Ready | Rejected]:
    for item in reader.records():
        if item.row > settled:
            yield item if isinstance(item, Rejected) else _checked(rules, item.row, item.fields)


def _checked(rules: ContactRules, row: int, fields: Mapping[str, object]) -> Ready | Rejected:
    outcome = rules.check(row, fields)
    return outcome if isinstance(outcome, Rejected) else ready(outcome)
