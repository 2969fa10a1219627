"""Reads a list of numbers from an uploaded file, line by line in flat memory; it stores nothing.

One line is one entry: a number alone, or CSV whose column ``number`` counts. A line that holds no number costs itself
alone; a file that is no list is refused whole.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from outbound.importing.columns import normal
from outbound.importing.numbers import NumberRefused
from outbound.importing.source import FileRefused, Line, TooLong, detect_encoding, lines, open_lines
from outbound.registers.numbers import NumberReader

DELIMITERS = (",", ";", "\t", "|")
JUDGED_AFTER = 1000
"""Lines after which a file that holds fewer numbers than other things is given up."""
_DIGIT = re.compile(r"[0-9]")


@dataclass(slots=True, kw_only=True)
class Batch:
    """Lines to be settled together."""

    through: int
    """Number of the last of them; the first line of a file is 1."""
    numbers: list[int] = field(default_factory=list)
    """E.164 without ``+``, as they came: some may be there twice."""
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Lines that hold no number, each with the reason."""
    last: bool = False


class ListReader:
    """The lines of one file; the caller closes it. Raises :class:`FileRefused` for a file that is no list."""

    def __init__(self, path: Path, *, charset: str | None = None, default_region: str | None = None) -> None:
        with path.open("rb") as file:
            if not file.read(64 * 1024).strip():
                raise FileRefused("the list is empty; nobody was freed: send the whole list again")
        self._numbers = NumberReader(default_region)
        self._file = open_lines(path, detect_encoding(path, charset))
        self.lines = lines(self._file)
        self.line = 0
        """Number of the last line that was read."""
        self._delimiter, self._column = "", 0
        """Where the number stands; without a delimiter it is the whole line."""
        self._again: list[Line] = []
        try:
            self._find_column()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def skip(self, through: int) -> None:
        """Pass over the lines up to ``through``, which are settled."""
        while self.line < through and next(self, None) is not None:
            pass

    def batch(self, size: int) -> Batch:
        """Read up to ``size`` lines."""
        found = Batch(through=self.line)
        add, read = found.numbers.append, self._numbers.read
        for _ in range(size):
            line = next(self, None)
            if line is None:
                found.last = True
                break
            try:
                text = self._cell(line)
                if text is not None:
                    add(read(text))
            except NumberRefused as error:
                found.rejected.append((self.line, error.detail))
        found.through = self.line
        return found

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        line = self._again.pop() if self._again else next(self.lines)
        self.line += 1
        return line

    def _cell(self, line: Line) -> str | None:
        """The text in which the number should be; ``None`` for an empty line."""
        if isinstance(line, TooLong):
            raise NumberRefused("the line is too long to hold one number")
        if '"' not in line and not self._delimiter:
            return line.strip() or None
        cells = _cells(line, self._delimiter or ",")
        if not any(cells):
            return None
        if len(cells) <= self._column:
            raise NumberRefused(f"the line has {len(cells)} cells and the number stands in cell {self._column + 1}")
        return cells[self._column]

    def _find_column(self) -> None:
        """Look at the first line that holds something: does it name columns, or hold a number already?"""
        for first in self:
            if isinstance(first, TooLong):
                raise FileRefused("the first line is too long; the file is no list of numbers, one a line")
            if first.strip().strip("\ufeff"):
                break
        else:
            raise FileRefused("the list is empty; nobody was freed: send the whole list again")
        first = first.lstrip("\ufeff")
        self._delimiter = max(DELIMITERS, key=lambda sign: len(_cells(first, sign)))
        cells = _cells(first, self._delimiter)
        if len(cells) == 1:
            self._delimiter = ""
        named = [place for place, cell in enumerate(cells) if normal(cell) == "number"]
        if not named and not (len(cells) == 1 and not _DIGIT.search(first)):
            named = self._places(cells)
            self._again.append(first)
            self.line -= 1
        if len(named) > 1 or (not named and len(cells) > 1):
            raise FileRefused(_no_column(cells, len(named)))
        self._column = named[0] if named else 0

    def _places(self, cells: list[str]) -> list[int]:
        """Which cells of a first line without column names hold a number; that of a line with one cell is it."""
        return [place for place, cell in enumerate(cells) if len(cells) == 1 or self._is_number(cell)]

    def _is_number(self, cell: str) -> bool:
        try:
            return bool(self._numbers.read(cell))
        except NumberRefused:
            return False


def judge(accepted: int, rejected: int, *, example: str = "") -> str:
    """Say why a file with so many numbers and so many other lines is no list; empty when it is one."""
    if not accepted or rejected > accepted:
        said = f"{rejected} of {accepted + rejected} lines hold no number{example}"
        return f"{said}; what could be read counts all the same: put the list right and send it again"
    return ""


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line; a quote that is never closed is a part of its cell, for no list has cells of many lines."""
    text = line.strip(" \r\n")
    if '"' in text:
        try:
            return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
        except csv.Error:
            text = text.replace('"', "")
    return [cell.strip() for cell in text.split(delimiter)]


def _no_column(cells: list[str], found: int) -> str:
    there = ", ".join(repr(cell[:40]) for cell in cells[:12])
    why = "several columns hold numbers" if found else "there is no column 'number'"
    return f"{why} (line 1 has {there}); name the column of telephone numbers 'number' in the first line"
