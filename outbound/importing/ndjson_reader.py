"""Reads NDJSON line by line in flat memory: one JSON object a line, each a contact; a bad line costs itself alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from outbound.importing.records import Record, too_long
from outbound.importing.source import REPLACEMENT, TooLong, lines, open_lines
from outbound.store.imports import Rejected


class NdjsonReader:
    """The lines of one file; the caller closes it."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = open_lines(path, encoding)
        self.read_as = f"NDJSON, {encoding}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def records(self) -> Iterator[Record | Rejected]:
        """Yield every line that is not empty."""
        for number, line in enumerate(lines(self._file), start=1):
            if isinstance(line, TooLong):
                yield too_long(number)
            elif text := line.strip().strip("\ufeff"):
                yield _read(number, text)


def _read(row: int, text: str) -> Record | Rejected:
    def refuse(code: str, reason: str) -> Rejected:
        return Rejected(row=row, field="row", code=code, reason=reason)

    if REPLACEMENT in text:
        return refuse("encoding", "the line has bytes that are not in the file's encoding; save the file as UTF-8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return refuse("malformed_json", f"the line is not JSON: {error.msg} at column {error.colno}")
    except (RecursionError, ValueError):
        return refuse("malformed_json", "the line is not JSON that can be read: nested too deep, or a number too long")
    if not isinstance(value, dict):
        return refuse("malformed_json", 'the line is not a JSON object; write {"number": "+14155550123"}')
    return Record(row=row, fields=value)
