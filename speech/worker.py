"""A speech process: ``python -m speech.worker recognizer|synthesizer --engine NAME --socket PATH --language en``.

One engine, one model; it prints one JSON line when it is ready (or why it cannot be), and ends with its parent. It is
started, watched and restarted by others, who build its command line with :class:`speech.worker_spec.WorkerSpec`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from speech import logs
from speech.engines import load_recognizer, load_synthesizer
from speech.models import ModelStore
from speech.recognizing import RecognizerService
from speech.seams import Recognizer, SpeechError, Synthesizer
from speech.service import Service
from speech.synthesizing import SynthesizerService
from speech.worker_spec import Kind, WorkerSpec

CANNOT_START = 3
"""Exit code when the engine or its model is not there."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent does (prctl(2), Linux); a closed stdin does the rest."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _service(spec: WorkerSpec) -> tuple[Recognizer | Synthesizer, Callable[[], Service]]:
    """Load the engine; returns it and a function that makes its service, to be called in the event loop."""
    store = ModelStore(root=spec.models, own=spec.own_models)
    if spec.kind is Kind.RECOGNIZER:
        recognizer = load_recognizer(spec.engine, store, spec.languages, threads=spec.threads)
        return recognizer, lambda: RecognizerService(recognizer, spec.languages)
    synthesizer = load_synthesizer(spec.engine, store, spec.languages, threads=spec.threads)
    return synthesizer, lambda: SynthesizerService(synthesizer)


def _listener(path: Path) -> socket.socket:
    """Listen on ``path``; a dead socket file is replaced, a living one is an error."""
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise SpeechError(f"another process serves {path}", code="socket_in_use", retryable=False)
    path.unlink(missing_ok=True)
    mask = os.umask(0o077)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise SpeechError(
            f"cannot listen on {path}: {error.strerror}", code="socket_unusable", retryable=False
        ) from error
    finally:
        os.umask(mask)
    return listener


async def _stdin_closed() -> None:
    """Wait until the parent closes our stdin; for ever when stdin is no pipe."""
    mode = os.fstat(0).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        await asyncio.Event().wait()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


async def _serve(spec: WorkerSpec, make: Callable[[], Service], ready: dict[str, Any]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    service = make()
    server = await asyncio.start_unix_server(service.serve, sock=_listener(spec.socket))
    print(json.dumps(ready), flush=True)  # noqa: T201 - the parent waits for this line
    ends = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(_stdin_closed())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    server.close()
    await service.close()
    spec.socket.unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Load, say so, serve; returns the exit code."""
    spec = WorkerSpec.parse(argv)
    for library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # numpy's spinning helpers would take the calls' CPU
        os.environ.setdefault(library, "1")
    die_with_parent()
    logs.configure(f"{spec.kind}/{spec.engine}")
    began = time.monotonic()
    try:
        engine, make = _service(spec)
        ready = {
            "ready": True,
            "kind": spec.kind.value,
            "engine": engine.name,
            "languages": list(spec.languages),
            "socket": str(spec.socket),
            "pid": os.getpid(),
            "load_s": round(time.monotonic() - began, 3),
        }
        asyncio.run(_serve(spec, make, ready))
    except SpeechError as error:
        print(json.dumps({"ready": False, "code": error.code, "message": str(error)}), flush=True)  # noqa: T201
        return CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
