"""Reads CSV row by row in flat memory; a bad record costs itself alone, whatever is wrong with it.

Quoting follows RFC 4180: quotes double inside quotes, quoted cells may hold line breaks. A quote that is never closed
costs the line it stands in: reading goes on behind that line.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path

from outbound.importing.columns import Wanted, normal, read_header
from outbound.importing.records import Record, too_long
from outbound.importing.source import RECORD_LIMIT, FileRefused, Line, TooLong, lines, open_lines
from outbound.store.imports import Rejected

DELIMITERS = (",", ";", "\t", "|")
NAMES = {"\t": "tab"}
MAX_COLUMNS = 200
BLOCK = 500
"""Lines that are parsed together while nothing is wrong with them."""
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
    def waiting(self) -> bool:
        """Whether lines were put back."""
        return bool(self._again)

    @property
    def first(self) -> int:
        """Number of the line the current record began in."""
        return self.line - max(len(self._taken) - 1, 0)

    def block(self) -> list[str]:
        """Take up to :data:`BLOCK` lines at once, none of which is read again unless :meth:`put_back` says so.

        It ends before a line that is too long, and is empty where lines have to be taken singly.
        """
        taken: list[str] = []
        if self._again:
            return taken
        for line in islice(self._source, BLOCK):
            if isinstance(line, TooLong):
                self._again.append(line)
                break
            taken.append(line)
        self.line += len(taken)
        return taken

    def put_back(self, lines: Sequence[str]) -> None:
        """Have the last lines of a block read again, one by one."""
        self._again.extendleft(reversed(lines))
        self.line -= len(lines)
        self.begin()

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
            header = self._read_header()
            self.columns = read_header(header, wanted)
        except BaseException:
            self._file.close()
            raise
        self._width = len(header)
        self.read_as = f"CSV, {encoding}, delimiter {NAMES.get(self._delimiter, repr(self._delimiter))}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def records(self) -> Iterator[Record | Rejected]:
        """Yield every row behind the header but empty ones, numbered by the line it begins in."""
        for item in self.rows():
            yield item if isinstance(item, Rejected) else Record(row=item[0], fields=self.columns.fields(item[1]))

    def rows(self) -> Iterator[tuple[int, list[str]] | Rejected]:
        """Yield what :meth:`records` does as numbers of lines and cells."""
        while True:
            before = self._feed.line
            block = self._feed.block()
            reader = csv.reader(block, delimiter=self._delimiter, strict=True)
            begun = taken = 0
            try:
                for cells in reader:
                    begun, taken = taken, reader.line_num
                    if taken - begun > 1 and sum(map(len, block[begun:taken])) > RECORD_LIMIT:
                        taken = begun
                        break
                    if len(cells) == self._width and any(map(str.strip, cells)):
                        yield before + begun + 1, cells
                    elif (found := self._arrange(before + begun + 1, cells)) is not None:
                        yield found
            except csv.Error:
                pass  # taken singly, the same lines say what is wrong
            if taken < len(block) or not block:
                self._feed.put_back(block[taken:])
                if (yield from self._single_rows()):
                    return

    def _single_rows(self) -> Generator[tuple[int, list[str]] | Rejected, None, bool]:
        """Yield rows until no line is left that has to be taken singly; return whether the file is over."""
        reader = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
        while True:
            self._feed.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return True
            except (_OpenQuote, _LineTooLong, csv.Error) as error:
                yield self._refuse(error)
                reader = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
            else:
                if (found := self._arrange(self._feed.first, cells)) is not None:
                    yield found
            if not self._feed.waiting:
                return False

    def _arrange(self, row: int, cells: list[str]) -> tuple[int, list[str]] | Rejected | None:
        """Pass over an empty row, refuse one that is too long."""
        if not any(map(str.strip, cells)):
            return None
        if any(map(str.strip, cells[self._width :])):
            sizes = f"the row has {len(cells)} cells and the header {self._width}"
            reason = f"{sizes}; put cells that hold {self._delimiter!r} in quotes"
            return Rejected(row=row, field="row", code="columns", reason=reason)
        return row, cells

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
