"""Reads CSV row by row in flat memory; a bad record costs itself alone, whatever is wrong with it.

Quoting follows RFC 4180: quotes double inside quotes, quoted cells may hold line breaks. A quote that is never closed
costs the line it stands in: reading goes on behind that line.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from outbound.importing.columns import Wanted, normal, read_header
from outbound.importing.records import Record, too_long
from outbound.importing.source import RECORD_LIMIT, FileRefused, Line, TooLong, lines, open_lines
from outbound.store.imports import Rejected

DELIMITERS = (",", ";", "\t", "|")
NAMES = {"\t": "tab"}
MAX_COLUMNS = 200
_EXCEL_HINT = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class _OpenQuote(Exception):
    """A quoted cell goes on for longer than a record may be."""


class _LineTooLong(Exception):
    """One line alone is longer than a record may be."""


class _Feed:
    """Hands lines to the csv module and remembers those of the current record, so that they can be read again."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._again: deque[Line] = deque()
        self._taken: list[str] = []
        self._size = 0
        self.line = 0
        """Number of the last line handed out; the first is 1."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.line += 1
        if isinstance(line, TooLong):
            if not self._taken:
                raise _LineTooLong
            self._again.appendleft(line)
            self.line -= 1
            raise _OpenQuote
        self._taken.append(line)
        self._size += len(line)
        if self._size > RECORD_LIMIT and len(self._taken) > 1:
            raise _OpenQuote
        return line

    @property
    def first(self) -> int:
        """Number of the line the current record began in."""
        return self.line - max(len(self._taken) - 1, 0)

    def begin(self) -> None:
        """A record was taken: the next line begins another."""
        self._taken.clear()
        self._size = 0

    def back_to_second_line(self) -> None:
        """Read the current record's lines again, without its first."""
        rest = self._taken[1:]
        self._again.extendleft(reversed(rest))
        self.line -= len(rest)
        self.begin()


class CsvReader:
    """The rows of one file; the caller closes it. Raises :class:`FileRefused` for a file without usable columns."""

    def __init__(self, path: Path, encoding: str, *, wanted: Wanted) -> None:
        self._file = open_lines(path, encoding)
        self._feed = _Feed(lines(self._file))
        self._delimiter = ","
        try:
            self._header = self._read_header()
            self._columns = read_header(self._header, wanted)
        except BaseException:
            self._file.close()
            raise
        self.read_as = f"CSV, {encoding}, delimiter {NAMES.get(self._delimiter, repr(self._delimiter))}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def records(self) -> Iterator[Record | Rejected]:
        """Yield every row behind the header but empty ones, numbered by the line it begins in."""
        reader = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
        while True:
            self._feed.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (_OpenQuote, _LineTooLong, csv.Error) as error:
                yield self._refuse(error)
                reader = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
                continue
            if any(cells) and any(cell.strip() for cell in cells):
                yield self._arrange(cells)

    def _arrange(self, cells: list[str]) -> Record | Rejected:
        row = self._feed.first
        if len(cells) > len(self._header) and any(cell.strip() for cell in cells[len(self._header) :]):
            sizes = f"the row has {len(cells)} cells and the header {len(self._header)}"
            reason = f"{sizes}; put cells that hold {self._delimiter!r} in quotes"
            return Rejected(row=row, field="row", code="columns", reason=reason)
        return Record(row=row, fields=self._columns.fields(cells))

    def _refuse(self, error: Exception) -> Rejected:
        row = self._feed.first
        if isinstance(error, _LineTooLong):
            return too_long(row)
        self._feed.back_to_second_line()
        reason = "a quote is opened and never properly closed; close it, or double quotes inside quotes"
        return Rejected(row=row, field="row", code="quotes", reason=reason)

    def _read_header(self) -> list[str]:
        first = self._next_line()
        hint = _EXCEL_HINT.fullmatch(first)
        if hint:
            self._delimiter = hint[1]
            first = self._next_line()
        else:
            self._delimiter = _sniff(first)
        rest = csv.reader(_chain(first, self._feed), delimiter=self._delimiter, strict=True)
        try:
            cells = next(rest)
        except (_OpenQuote, _LineTooLong, csv.Error, StopIteration) as error:
            raise FileRefused("the line of column names has a quote that is never closed; close it") from error
        if len(cells) > MAX_COLUMNS:
            raise FileRefused(f"the file has {len(cells)} columns; {MAX_COLUMNS} are allowed", code="columns")
        return cells

    def _next_line(self) -> str:
        try:
            while not (line := next(self._feed)).strip().strip("\ufeff"):
                self._feed.begin()
        except (StopIteration, _LineTooLong) as error:
            raise FileRefused("the file has no line of column names; the first line must name the columns") from error
        return line


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _sniff(header: str) -> str:
    """Take the delimiter that makes a column ``number``, else the one that makes most columns."""

    def rank(delimiter: str) -> tuple[bool, int]:
        try:
            cells = next(csv.reader([header], delimiter=delimiter))
        except csv.Error:
            return False, 0
        return "number" in map(normal, cells), len(cells)

    return max(DELIMITERS, key=rank)
