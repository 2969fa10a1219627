"""Puts an upload on disk as it comes in, in flat memory; it never looks at the content."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from outbound.errors import OutboundError

UPLOAD_LIMIT = 1024 * 1024 * 1024
WRITE_SIZE = 1024 * 1024
ABANDONED_S = 24 * 3600
PART = ".part"


class UploadTooLarge(OutboundError):
    """The upload is beyond the limit."""

    code = "too_large"
    status = 413


class DiskFull(OutboundError):
    """There is no room for the upload."""

    code = "disk_full"
    status = 507
    retryable = True


async def spool(chunks: AsyncIterator[bytes], path: Path, *, limit: int = UPLOAD_LIMIT) -> bytes:
    """Write ``chunks`` to ``path``, durable when this returns, and return their SHA-256; whole or not at all.

    Raises :class:`UploadTooLarge` or :class:`DiskFull`; what was written is removed then.
    """
    part = path.with_suffix(path.suffix + PART)
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    try:
        digest = await _receive(chunks, part, limit)
        await asyncio.to_thread(part.replace, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull("the disk is full; make room below data_dir and send the file again") from error
        raise
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return digest


async def _receive(chunks: AsyncIterator[bytes], part: Path, limit: int) -> bytes:
    digest, total, pending = hashlib.sha256(), 0, bytearray()
    file = await asyncio.to_thread(part.open, "wb")
    try:
        async for chunk in chunks:
            total += len(chunk)
            if total > limit:
                raise UploadTooLarge(f"the file is larger than {limit // 2**20} MiB; split it")
            digest.update(chunk)
            pending += chunk
            if len(pending) >= WRITE_SIZE:
                await asyncio.to_thread(file.write, bytes(pending))
                pending.clear()
        await asyncio.to_thread(_finish, file, bytes(pending))
    finally:
        await asyncio.to_thread(file.close)
    return digest.digest()


def _finish(file: BinaryIO, rest: bytes) -> None:
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())


def forget_abandoned(directory: Path) -> int:
    """Remove uploads that were broken off over a day ago (the process died under them); return how many."""
    old = [path for path in directory.glob(f"*{PART}") if path.stat().st_mtime < time.time() - ABANDONED_S]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
