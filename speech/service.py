"""What every speech process does: take connections on a unix socket, answer each request, say how busy it is.

It holds no engine; recognizing.py and synthesizing.py say what the requests are.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from abc import ABC, abstractmethod
from typing import Any

from speech import wire
from speech.engine_thread import EngineThread
from speech.seams import SpeechError

log = logging.getLogger(__name__)


class Connection:
    """One client; ``number`` is unique in this process."""

    _numbers = itertools.count(1)

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.number = next(self._numbers)
        self.pending: dict[int, asyncio.Future[Any]] = {}
        """Requests being worked on, by the client's sequence number."""
        self._writer = writer

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Queue a message; a client that went away gets nothing."""
        if not self._writer.is_closing():
            self._writer.write(wire.pack(header, payload))

    def close(self) -> None:
        """Drop the client."""
        self._writer.close()


class Service(ABC):
    """Serves one engine to many clients; every call of the engine happens in its thread."""

    def __init__(self, *, limit: int) -> None:
        self.thread = EngineThread()
        self._limit = limit
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._answered = 0
        self._failed = 0

    @abstractmethod
    def hello(self) -> dict[str, Any]:
        """What a client is told first."""

    @abstractmethod
    def handle(self, connection: Connection, header: dict[str, Any], payload: bytes) -> None:
        """Act on one message; must not block. Raises :class:`SpeechError`."""

    @abstractmethod
    def forget(self, connection: Connection) -> None:
        """A client is gone: drop what it left."""

    @property
    @abstractmethod
    def load(self) -> int:
        """How much is going on; clients choose the process with the least."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it closes."""
        connection = Connection(writer)
        self._connections.add(connection)
        connection.send({"event": "hello", "load": self.load, **self.hello()})
        try:
            while (message := await wire.read(reader)) is not None:
                header, payload = message
                try:
                    self._dispatch(connection, header, payload)
                except SpeechError as error:
                    self._fail(connection, header, error)
        except SpeechError as error:
            log.warning("client dropped", extra={"reason": str(error)})
        finally:
            self._connections.discard(connection)
            for future in connection.pending.values():
                future.cancel()
            self.forget(connection)
            connection.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def answer(self, connection: Connection, header: dict[str, Any], work: asyncio.Future[wire.Message]) -> None:
        """Send the outcome of ``work`` as the reply to ``header`` once it is there."""
        number = int(header["seq"])
        connection.pending[number] = work
        self._waiting += 1
        task = asyncio.get_running_loop().create_task(self._answer(connection, header, number, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def admit(self) -> None:
        """Refuse work beyond the limit: late answers help nobody."""
        if self._waiting >= self._limit:
            raise SpeechError(f"{self._waiting} requests wait already", code="busy")

    def announce(self) -> None:
        """Tell every client how busy this process is."""
        for connection in self._connections:
            connection.send({"event": "load", "load": self.load})

    async def close(self) -> None:
        """Drop the clients and end the engine's thread."""
        for connection in tuple(self._connections):
            connection.close()
        await self.thread.close()

    def _dispatch(self, connection: Connection, header: dict[str, Any], payload: bytes) -> None:
        match header.get("op"):
            case "forget":
                future = connection.pending.get(int(header.get("of", 0)))
                if future is not None:
                    future.cancel()
            case "stats":
                connection.send({"re": header["seq"], **self.stats()})
            case _:
                self.handle(connection, header, payload)

    def stats(self) -> dict[str, Any]:
        """CPU seconds of this process and what it did with them."""
        return {
            "cpu_s": round(time.process_time(), 4),
            "answered": self._answered,
            "failed": self._failed,
            "waiting": self._waiting,
            "load": self.load,
        }

    async def _answer(
        self, connection: Connection, header: dict[str, Any], number: int, work: asyncio.Future[wire.Message]
    ) -> None:
        try:
            reply, payload = await work
            self._answered += 1
            connection.send({"re": number, **reply}, payload)
        except asyncio.CancelledError:
            connection.send({"re": number, **wire.failure(SpeechError("the client took it back", code="forgotten"))})
        except SpeechError as error:
            self._fail(connection, header, error)
        except Exception as error:
            log.exception("speech engine failed", extra={"op": header.get("op")})
            self._fail(connection, header, SpeechError(f"the engine failed: {type(error).__name__}"))
        finally:
            self._waiting -= 1
            connection.pending.pop(number, None)

    def _fail(self, connection: Connection, header: dict[str, Any], error: SpeechError) -> None:
        self._failed += 1
        if "seq" in header:
            connection.send({"re": header["seq"], **wire.failure(error)})


def in_time(before: float) -> None:
    """Raise ``late`` when ``before`` (``time.monotonic()`` of this machine) has passed."""
    overdue = time.monotonic() - before
    if overdue > 0:
        raise SpeechError(f"its turn came {overdue:.2f} s too late", code="late")
