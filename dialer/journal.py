"""A line's journal of sends: what left this machine, on disk before it leaves, so that a crash can be settled.

It knows attempts, contacts, fences and Call-IDs only (opaque ids): never a number, a word or a digit, and it decides
nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from dialer.errors import DialerError

_NAME = re.compile(r"^(?P<line>.+)\.(?P<day>\d{8})\.(?P<part>\d+)\.jsonl$")


class JournalError(DialerError):
    """The journal could not be written; nothing may be sent without it."""

    code = "journal_failed"


class What(StrEnum):
    """What became of a send, in the order in which it happens."""

    SENDING = "sending"
    """On disk before the INVITE leaves: from here on the INVITE may have left."""
    UNSENT = "unsent"
    """The engine refused, or the send window closed while this was written: nothing left."""
    ANSWERED = "answered"
    ENDED = "ended"


_ANSWERED = b'"what":"answered"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal."""

    attempt_id: str
    fence: int
    call_id: str
    at: datetime
    what: What
    disposition: str = ""
    """Set with ``ended``: a :class:`campaigns.dispositions.Disposition`."""
    contact_id: str = ""
    """Who was called, so that a database that never heard of the attempt knows whom not to call again."""

    def line(self) -> bytes:
        """The entry as one JSON line."""
        fields = {
            "attempt_id": self.attempt_id,
            "fence": self.fence,
            "call_id": self.call_id,
            "at": self.at.isoformat(),
            "what": self.what.value,
        }
        if self.disposition:
            fields["disposition"] = self.disposition
        if self.contact_id:
            fields["contact_id"] = self.contact_id
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def parse_line(line: bytes) -> Entry | None:
    """Read one line; ``None`` for a torn or foreign one."""
    try:
        raw = json.loads(line.decode())
        return Entry(
            attempt_id=str(raw["attempt_id"]),
            fence=int(raw["fence"]),
            call_id=str(raw["call_id"]),
            at=datetime.fromisoformat(raw["at"]),
            what=What(raw["what"]),
            disposition=str(raw.get("disposition", "")),
            contact_id=str(raw.get("contact_id", "")),
        )
    except (ValueError, TypeError, KeyError):
        return None


@dataclass(slots=True, kw_only=True)
class Send:
    """An INVITE that left, or may have left, and the last that is known of it."""

    attempt_id: str
    fence: int
    call_id: str
    at: float
    """When it left, in epoch seconds."""
    line: str
    contact_id: str
    disposition: str = ""
    """How the call ended; empty when nobody wrote that down."""
    ended_at: float = 0.0


class Journal:
    """The append-only journal of one line: ``<line>.<day>.<part>.jsonl`` below ``directory``.

    A new file begins each UTC day and at ``max_bytes``; own files older than ``keep_days`` are removed then.
    Raises :class:`JournalError` from :meth:`write` when the disk refuses (full, read-only).
    """

    def __init__(
        self,
        directory: Path,
        line: str,
        *,
        max_bytes: int = 8_000_000,
        keep_days: int = 30,
    ) -> None:
        self._directory = directory
        self._line = line
        self._max_bytes = max_bytes
        self._keep_days = keep_days
        self._fd = -1
        self._path: Path | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")

    async def write(self, entry: Entry) -> None:
        """Append ``entry`` and wait until it is on disk (``fdatasync``), off the event loop."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._append, entry)
        except OSError as error:
            raise JournalError(
                f"journal in {self._directory} cannot be written ({error.strerror}): free space or fix permissions"
            ) from error

    async def lookup(self, call_ids: Iterable[str]) -> dict[str, Entry]:
        """The last state of each known Call-ID in this line's files."""
        wanted = list(call_ids)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: _last_states(self._own_files(), wanted))

    def close(self) -> None:
        """Finish what is being written and close the file."""
        self._thread.shutdown(wait=True)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, entry: Entry) -> None:
        fd = self._file(entry.at.astimezone(UTC))
        data = entry.line()
        while data:
            data = data[os.write(fd, data) :]
        os.fdatasync(fd)

    def _file(self, at: datetime) -> int:
        day = f"{at:%Y%m%d}"
        path = self._path
        if path is not None and self._fd >= 0 and _day(path) == day and os.fstat(self._fd).st_size < self._max_bytes:
            return self._fd
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._directory.mkdir(parents=True, exist_ok=True)
        self._path = self._next_path(day)
        self._fd = _open_for_append(self._path)
        self._prune(f"{at - timedelta(days=self._keep_days):%Y%m%d}")
        return self._fd

    def _next_path(self, day: str) -> Path:
        part = 0
        while True:
            path = self._directory / f"{self._line}.{day}.{part}.jsonl"
            if not path.exists() or path.stat().st_size < self._max_bytes:
                return path
            part += 1

    def _prune(self, oldest: str) -> None:
        for path in self._own_files():
            if _day(path) < oldest:
                path.unlink(missing_ok=True)

    def _own_files(self) -> list[Path]:
        return [path for path in _files(self._directory) if _match(path, "line") == self._line]


def read_journals(directory: Path, call_ids: Iterable[str], *, since: datetime | None = None) -> dict[str, Entry]:
    """The last state of each known Call-ID in the journals of every line below ``directory``; blocking.

    ``since``: files of earlier UTC days are not opened. A Call-ID that is missing here was never sent by this machine.
    """
    return _last_states(_files(directory, since), call_ids)


def read_sends(directory: Path, *, since: datetime | None = None) -> dict[str, Send]:
    """The newest send of each attempt in the journals of every line below ``directory``, by attempt; blocking.

    What the engine refused is not there: nothing left. ``since`` as in :func:`read_journals`.
    """
    sends: dict[str, Send] = {}
    for path in _files(directory, since):
        line = _match(path, "line")
        for written in _lines(path):
            if _ANSWERED not in written:  # says nothing here, and is a third of all
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    _follow(sends, json.loads(written.decode()), line)
    return sends


def _follow(sends: dict[str, Send], entry: dict[str, Any], line: str) -> None:
    """Bring what is known of an attempt's newest send up to ``entry``; there may be a million of them."""
    attempt_id, fence, what = entry["attempt_id"], entry["fence"], entry["what"]
    known = sends.get(attempt_id)
    if what == What.SENDING:
        if known is None or known.fence < fence:
            sends[attempt_id] = Send(
                attempt_id=attempt_id,
                fence=fence,
                call_id=entry["call_id"],
                at=datetime.fromisoformat(entry["at"]).timestamp(),
                line=line,
                contact_id=entry.get("contact_id", ""),
            )
    elif known is not None and known.fence == fence:
        if what == What.UNSENT:
            del sends[attempt_id]
        elif what == What.ENDED:
            known.disposition = entry.get("disposition", "")
            known.ended_at = datetime.fromisoformat(entry["at"]).timestamp()


def _last_states(files: Iterable[Path], call_ids: Iterable[str]) -> dict[str, Entry]:
    wanted = set(call_ids)
    found: dict[str, Entry] = {}
    for entry in _entries(files):
        if entry.call_id in wanted:
            found[entry.call_id] = entry
    return found


def _entries(files: Iterable[Path]) -> Iterator[Entry]:
    for path in files:
        for line in _lines(path):
            entry = parse_line(line)
            if entry is not None:
                yield entry


def _lines(path: Path) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as lines:
        yield from lines


def _files(directory: Path, since: datetime | None = None) -> list[Path]:
    oldest = "" if since is None else f"{since.astimezone(UTC):%Y%m%d}"
    found = [path for path in directory.glob("*.jsonl") if _NAME.match(path.name) and _day(path) >= oldest]
    return sorted(found, key=lambda path: (_day(path), int(_match(path, "part"))))


def _match(path: Path, group: str) -> str:
    matched = _NAME.match(path.name)
    return matched.group(group) if matched else ""


def _day(path: Path) -> str:
    return _match(path, "day")


def _open_for_append(path: Path) -> int:
    """Open ``path``, make its name durable, and close a line torn by a crash so that the next one stands alone."""
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        os.write(fd, b"\n")
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return fd
