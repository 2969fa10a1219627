"""The one file that imports pjsua2, and what of its library the binding does not reach. Holds no state."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pjsua2 as pj

from dialer.engines._track import FRAME_BYTES, SILENCE
from dialer.legs import LegError

__all__ = ["buffer_address", "check_layout", "explained", "frame_bytes", "guarded", "library", "pj", "trace"]

log = logging.getLogger(__name__)

_PAIR = ctypes.c_size_t * 2


def trace() -> dict[str, str]:
    """Log fields of the exception being handled, as text: a kept traceback would keep native objects alive."""
    return {"trace": traceback.format_exc()}


def guarded(callback: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """No exception may leave a callback: the native caller would abort the process."""

    @functools.wraps(callback)
    def safe(self: Any, prm: Any) -> None:
        try:
            callback(self, prm)
        except BaseException:
            log.error("callback %s failed", callback.__name__, extra=trace())

    return safe


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Native errors leave as :class:`LegError`, plain data."""
    try:
        yield
    except pj.Error as error:
        raise LegError(f"could not {doing}: {error.reason} ({error.status})") from None


def library() -> ctypes.CDLL:
    """The shared object behind the binding, for functions the binding leaves out."""
    return ctypes.CDLL(str(next(Path(pj.__file__).parent.glob("_pjsua2*.so"))))


def buffer_address(vector: Any) -> int:
    """Where a ``ByteVector`` keeps its bytes."""
    return int(_PAIR.from_address(int(vector.this))[0])


def frame_bytes(frame: Any) -> bytes:
    """The audio of a ``MediaFrame`` {int; vector buf; unsigned}; ``bytes(frame.buf)`` costs 100 times as much."""
    begin, end = _PAIR.from_address(int(frame.this) + 8)
    return ctypes.string_at(begin, end - begin) if end > begin else b""


def check_layout() -> None:
    """Raises :class:`LegError` when this build keeps frames and vectors in another way than the pointers assume."""
    pattern = bytes(range(256)) + bytes(FRAME_BYTES - 256)
    vector, frame = pj.ByteVector(SILENCE), pj.MediaFrame()
    begin, end = _PAIR.from_address(int(vector.this))
    if end - begin == FRAME_BYTES:
        ctypes.memmove(begin, pattern, FRAME_BYTES)
        frame.buf = vector
        begin, end = _PAIR.from_address(int(frame.this) + 8)
    if end - begin != FRAME_BYTES or frame_bytes(frame) != pattern:
        raise LegError(
            "this build of pjsua2 keeps its frames in another way: install pjsua2-python 2.15.1",
            code="engine_missing",
            retryable=False,
        )
