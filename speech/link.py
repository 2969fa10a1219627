"""A client's connections to speech processes: requests, replies, events, and connecting again for as long as it lives.

It knows nothing of what is asked; a lost connection fails what was asked and is tried again at once, then ever slower.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from speech import wire
from speech.seams import SpeechError

FIRST_RETRY_S = 0.02
SLOWEST_RETRY_S = 0.5


class LinkLost(SpeechError):
    """The speech process went away."""

    code = "speech_process_lost"


class Link:
    """A connection that mends itself. ``hello`` is what the process said of itself, ``None`` while there is none."""

    def __init__(
        self, socket: Path, *, on_change: Callable[[], None], on_event: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.socket = socket
        self.hello: dict[str, Any] | None = None
        self.load = 0
        """What the process last said of its load."""
        self.generation = 0
        """Counts connections; what the process knew is gone when it grows."""
        self._on_change = on_change
        self._on_event = on_event
        self._writer: asyncio.StreamWriter | None = None
        self._replies: dict[int, asyncio.Future[wire.Message]] = {}
        self._numbers = itertools.count(1)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, in the background; needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._stay_connected())

    async def close(self) -> None:
        """Disconnect for good."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        """Queue a message. Raises :class:`LinkLost` when there is no connection."""
        if self._writer is None or self.hello is None or self._writer.is_closing():
            raise LinkLost(f"no speech process answers at {self.socket}")
        self._writer.write(wire.pack(header, payload))

    async def request(self, header: dict[str, Any], payload: bytes = b"") -> wire.Message:
        """Ask and wait for the reply; taken back when cancelled. Raises :class:`LinkLost` or the process's error."""
        number = next(self._numbers)
        reply: asyncio.Future[wire.Message] = asyncio.get_running_loop().create_future()
        self.send({**header, "seq": number}, payload)
        self._replies[number] = reply
        try:
            answer = await reply
        except asyncio.CancelledError:
            with contextlib.suppress(LinkLost):
                self.send({"op": "forget", "of": number})
            raise
        finally:
            self._replies.pop(number, None)
        wire.raise_failure(answer[0])
        return answer

    async def _stay_connected(self) -> None:
        pause_s = FIRST_RETRY_S
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self.socket))
            except OSError:
                await asyncio.sleep(pause_s)
                pause_s = min(SLOWEST_RETRY_S, pause_s * 1.5)
                continue
            self._writer = writer
            try:
                await self._listen(reader)
                pause_s = FIRST_RETRY_S
            except SpeechError:  # it does not speak our protocol: ask again, slowly
                pause_s = SLOWEST_RETRY_S
            finally:
                self._lose(writer)
            await asyncio.sleep(pause_s)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while (message := await wire.read(reader)) is not None:
            header, _ = message
            match header.get("event"):
                case "hello":
                    self.hello, self.load = header, int(header.get("load", 0))
                    self.generation += 1
                    self._on_change()
                case "load":
                    self.load = int(header["load"])
                case None:
                    reply = self._replies.get(int(header.get("re", 0)))
                    if reply is not None and not reply.done():
                        reply.set_result(message)
                case _:
                    if self._on_event is not None:
                        self._on_event(header)

    def _lose(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        self._writer = self.hello = None
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(LinkLost(f"the speech process at {self.socket} went away"))
        self._on_change()


class Links:
    """Connections to several processes of one kind."""

    def __init__(self, sockets: Sequence[Path | str], *, unavailable: str) -> None:
        self._changed = asyncio.Event()
        self._unavailable = unavailable
        self.all = [Link(Path(socket), on_change=self._change, on_event=self.event) for socket in sockets]
        self.on_event: Callable[[dict[str, Any]], None] | None = None

    def event(self, header: dict[str, Any]) -> None:
        """Pass an event on."""
        if self.on_event is not None:
            self.on_event(header)

    def start(self) -> None:
        """Begin to connect to all."""
        for link in self.all:
            link.start()

    async def close(self) -> None:
        """Disconnect from all, for good."""
        for link in self.all:
            await link.close()

    def _change(self) -> None:
        self._changed.set()

    async def first(self, choose: Callable[[list[Link]], Link | None], before: float) -> Link:
        """The link that ``choose`` picks of those connected, as soon as it picks one. Raises after ``before``."""
        self.start()
        while True:
            self._changed.clear()
            link = choose([link for link in self.all if link.hello is not None])
            if link is not None:
                return link
            try:
                async with asyncio.timeout(before - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                sockets = ", ".join(str(link.socket) for link in self.all) or "no socket"
                raise SpeechError(f"no speech process answers at {sockets}", code=self._unavailable) from None
