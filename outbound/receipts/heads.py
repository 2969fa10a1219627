"""Heads: where each day's chain ended, as lines of text that are kept outside the database.

Whoever changes the database can compute every hash anew; against a head that was copied elsewhere they cannot. The
file is only ever added to.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select

from outbound.errors import Invalid
from outbound.services import Services
from outbound.store.schema import receipt_days

FILE = "receipts.heads"
_LINE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2}) (?P<count>\d{1,18}) (?P<head>[0-9a-f]{64})(?P<open> open)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a day's chain came to."""

    day: str
    count: int
    head: bytes
    is_open: bool = False
    """Whether receipts may still be added to the day."""

    def line(self) -> str:
        """The head as one line, without its end."""
        return f"{self.day} {self.count} {self.head.hex()}{' open' if self.is_open else ''}"


def heads(connection: Connection) -> list[Head]:
    """Read the head of every day. A day is closed by the first receipt of a later one, not by the clock."""
    rows = connection.execute(_select().order_by(receipt_days.c.day)).mappings().all()
    last = len(rows) - 1
    return [Head(**row, is_open=index == last) for index, row in enumerate(rows)]


def closed_since(connection: Connection, day: str) -> list[Head]:
    """Read the heads of the closed days after ``day`` (empty: of all)."""
    newest = select(func.max(receipt_days.c.day)).scalar_subquery()
    query = _select().where(receipt_days.c.day > day, receipt_days.c.day < newest)
    return [Head(**row) for row in connection.execute(query.order_by(receipt_days.c.day)).mappings()]


def parse(text: str) -> list[Head]:
    """Read lines of heads. Raises :class:`Invalid` that names the line which is none."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        read = _LINE.fullmatch(line.strip())
        if read is None:
            detail = f"line {number} of the heads is none; it should be a day, a count and 64 hexadecimal digits"
            raise Invalid(detail, code="heads_unreadable")
        head = bytes.fromhex(read["head"])
        found.append(Head(day=read["day"], count=int(read["count"]), head=head, is_open=bool(read["open"])))
    return found


async def keep_heads(services: Services) -> None:
    """Add the heads of days that were closed since to the file in the data directory; the sweep calls it."""
    path = services.settings.data_dir / FILE
    known = await asyncio.to_thread(last_day, path)
    fresh = await services.store.read(lambda connection: closed_since(connection, known))
    if fresh:
        await asyncio.to_thread(add, path, fresh)


def last_day(path: Path) -> str:
    """Return the last day in the file, empty when there is none; what a crash tore off does not count."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - 1024))
            tail = file.read()
    except FileNotFoundError:
        return ""
    whole = tail[: tail.rfind(b"\n") + 1].decode(errors="replace")
    days = [read["day"] for line in whole.splitlines() if (read := _LINE.fullmatch(line))]
    return max(days, default="")


def add(path: Path, fresh: Sequence[Head]) -> None:
    """Append lines, durable when this returns; another host that appends at the same time waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        known = last_day(path)
        _drop_torn_line(fd)
        lines = "".join(f"{head.line()}\n" for head in fresh if head.day > known)
        os.write(fd, lines.encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def _select() -> Select[Any]:
    return select(receipt_days.c.day, receipt_days.c.count, receipt_days.c.head)


def _drop_torn_line(fd: int) -> None:
    size = os.fstat(fd).st_size
    tail = os.pread(fd, 1024, max(0, size - 1024))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(fd, size - len(tail) + tail.rfind(b"\n") + 1)
