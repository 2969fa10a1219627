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
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Select, select

from outbound.errors import Invalid
from outbound.receipts.links import day_of
from outbound.services import Services
from outbound.store.schema import receipt_days

log = structlog.get_logger(__name__)
FILE = "receipts.heads"
_LINE = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2}) (?P<count>\d{1,18}) (?P<head>[0-9a-f]{64})(?P<open> open( (?P<at>[0-9T:Z-]{20}))?)?"
)
_AT = "%Y-%m-%dT%H:%M:%SZ"
OPEN_EVERY_S = 3600.0
"""The head of a day that is not over goes into the file this often, if receipts were added."""
AHEAD_S = 2 * 86400.0
"""A day that is so far ahead of the clock is no matter of midnight: the operator is told."""
_TAIL = 1024
"""Bytes at the end of the file that are looked at: some lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a day's chain came to."""

    day: str
    count: int
    head: bytes
    is_open: bool = False
    """Whether receipts may still be added to the day."""
    at: float | None = None
    """When it was read, in whole seconds, where that is known."""

    def line(self) -> str:
        """The head as one line, without its end."""
        at = "" if self.at is None else datetime.fromtimestamp(self.at, UTC).strftime(f" {_AT}")
        return f"{self.day} {self.count} {self.head.hex()}{f' open{at}' if self.is_open else ''}"


def heads(connection: Connection) -> list[Head]:
    """Read the head of every day. A day is closed by the first receipt of a later one, not by the clock."""
    rows = connection.execute(_select().order_by(receipt_days.c.day)).mappings().all()
    last = len(rows) - 1
    return [Head(**row, is_open=index == last) for index, row in enumerate(rows)]


def heads_since(connection: Connection, last: Head | None, *, now: float) -> list[Head]:
    """Read the heads that a file with ``last`` at its end lacks: closed days, and the open one where it is time."""
    query = _select().order_by(receipt_days.c.day)
    rows = connection.execute(query if last is None else query.where(receipt_days.c.day >= last.day)).mappings()
    found = [Head(**row) for row in rows]
    if found:
        found[-1] = replace(found[-1], is_open=True, at=float(int(now)))
    return [head for head in found if _is_new(head, last)]


def _is_new(head: Head, last: Head | None) -> bool:
    """Whether a head goes behind ``last``. What is before it is in the file: lines come in the order of days."""
    if last is None or head.day > last.day:
        return True
    if head.day < last.day or not last.is_open:
        return False
    early = last.at is not None and head.at is not None and abs(head.at - last.at) < OPEN_EVERY_S
    return not head.is_open or (head.count > last.count and not early)


def parse(text: str) -> list[Head]:
    """Read lines of heads. Raises :class:`Invalid` that names the line which is none."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        head = _read(line.strip())
        if head is None:
            detail = f"line {number} of the heads is none; it should be a day, a count and 64 hexadecimal digits"
            raise Invalid(detail, code="heads_unreadable")
        found.append(head)
    return found


async def keep_heads(services: Services) -> None:
    """Add what is new to the file in the data directory; the sweep calls it."""
    path, now = services.settings.data_dir / FILE, services.clock()
    known = await asyncio.to_thread(last_head, path)
    fresh = await services.store.read(lambda connection: heads_since(connection, known, now=now))
    if not fresh:
        return
    await asyncio.to_thread(add, path, fresh)
    if fresh[-1].day > day_of(now + AHEAD_S):
        log.warning("the clock once was far ahead: receipts go into the day it showed", day=fresh[-1].day)


def last_head(path: Path) -> Head | None:
    """Return the head at the end of the file, if there is any; what a crash tore off does not count."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return None
    whole = tail[: tail.rfind(b"\n") + 1].decode(errors="replace")
    found = [head for line in whole.splitlines() if (head := _read(line))]
    return max(found, key=lambda head: (head.day, not head.is_open, head.count), default=None)


def add(path: Path, fresh: Sequence[Head]) -> None:
    """Append lines, durable when this returns; another host that appends at the same time waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        known = last_head(path)
        _drop_torn_line(fd)
        lines = "".join(f"{head.line()}\n" for head in fresh if _is_new(head, known))
        os.write(fd, lines.encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(line: str) -> Head | None:
    read = _LINE.fullmatch(line)
    if read is None:
        return None
    head = Head(day=read["day"], count=int(read["count"]), head=bytes.fromhex(read["head"]), is_open=bool(read["open"]))
    if not read["at"]:
        return head
    try:
        return replace(head, at=datetime.strptime(read["at"], _AT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _select() -> Select[Any]:
    return select(receipt_days.c.day, receipt_days.c.count, receipt_days.c.head)


def _drop_torn_line(fd: int) -> None:
    size = os.fstat(fd).st_size
    tail = os.pread(fd, _TAIL, max(0, size - _TAIL))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(fd, size - len(tail) + tail.rfind(b"\n") + 1)
