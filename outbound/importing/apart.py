"""Reads and checks a large file in a process of its own, so that neither the event loop nor the writer waits for it.

The process holds no database: it gets a request and hands back batches. It ends with whoever started it, and whoever
started it can start another where the last settled row was.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import marshal
import os
import signal
import struct
import sys
import traceback
from collections.abc import AsyncGenerator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from outbound.errors import OutboundError
from outbound.importing.batches import Batch, Upload, batches
from outbound.importing.source import FileRefused
from outbound.store.imports import Rejected

AHEAD = 256 * 1024
"""Bytes that wait for the writer, about: the process is one or two batches ahead and then waits itself."""
_LENGTH = struct.Struct("!I")
_PR_SET_PDEATHSIG = 1


class ReadingEnded(OutboundError):
    """The process that read the file ended before the file did."""

    code = "reading_ended"
    retryable = True


class ReadingFailed(OutboundError):
    """There is a fault in what reads files."""

    code = "reading_failed"


async def batches_apart(upload: Upload) -> AsyncGenerator[Batch, None]:
    """Yield what :func:`batches` does. Raises as it does, and :class:`ReadingEnded` when the process is gone."""
    process = await _start()
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(upload) | {"path": str(upload.path)}).encode())
        process.stdin.write_eof()
        batch = None
        while batch is None or not batch.last:
            batch = await _receive(process.stdout)
            yield batch
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise ReadingEnded("the process that reads the file has ended") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _start() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outbound.importing.apart"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=AHEAD,
        )
    except OSError as error:  # of the machine, which has no room for it; not of the file
        raise ReadingEnded("the process that reads the file cannot be started") from error


async def _receive(stream: asyncio.StreamReader) -> Batch:
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    kind, *rest = marshal.loads(await stream.readexactly(length))  # noqa: S302 - from our own child, a plain pipe
    if kind == "refused":
        raise FileRefused(rest[0])
    if kind == "unreadable":
        raise OSError(*rest)
    if kind == "failed":
        raise ReadingFailed(rest[0])
    through, contacts, rejected, read_as, last = rest
    refused = [Rejected(row=row, field=field, code=code, reason=reason) for row, field, code, reason in rejected]
    return Batch(through=through, contacts=contacts, rejected=refused, read_as=read_as, last=last)


def _send(out: BinaryIO, *message: Any) -> None:
    data = marshal.dumps(message)
    out.write(_LENGTH.pack(len(data)) + data)
    out.flush()


def _hand_on(upload: Upload, out: BinaryIO) -> None:
    try:
        for batch in batches(upload):
            rejected = [(item.row, item.field, item.code, item.reason) for item in batch.rejected]
            _send(out, "batch", batch.through, batch.contacts, rejected, batch.read_as, batch.last)
    except FileRefused as error:
        _send(out, "refused", error.detail)
    except BrokenPipeError:
        raise
    except OSError as error:
        _send(out, "unreadable", error.errno, error.strerror)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        # the text of the error may quote a customer
        _send(out, "failed", f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}")


def main() -> None:
    """Serve one request and end."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    request = json.loads(sys.stdin.buffer.read())
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not print between the batches
        upload = Upload(**request)
        with contextlib.suppress(BrokenPipeError):
            _hand_on(replace(upload, path=Path(upload.path)), out)


if __name__ == "__main__":
    main()
