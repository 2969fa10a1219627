"""Asking recogniser processes from asyncio: begin an utterance, feed it, ask what was said.

Nothing here blocks the event loop or holds an engine; without a process that dies things go on, and with it once it is
back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from speech.link import Link, LinkLost, Links
from speech.seams import ModelMissing, SpeechError, Transcript

FEED_BYTES = 1600
"""Audio is sent on in pieces of 100 ms."""


class RecognizerClient:
    """Recognition by whichever process serves the language and has least to do."""

    def __init__(self, sockets: Sequence[Path | str]) -> None:
        self._links = Links(sockets, unavailable="recognizer_unavailable")
        self._links.on_event = self._on_event
        self._hearings: dict[int, RemoteHearing] = {}
        self._next = 1

    def start(self) -> None:
        """Begin to connect; also done by the first use."""
        self._links.start()

    async def ready(self, language: str, *, deadline_s: float = 30.0) -> str:
        """Wait until a process serves ``language``; returns its engine's name. Raises :class:`SpeechError`."""
        link = await self.pick(language, time.monotonic() + deadline_s)
        return str(link.hello["engine"]) if link.hello is not None else ""

    def hear(
        self,
        language: str,
        phrases: tuple[str, ...] = (),
        *,
        expects_digits: bool = False,
        on_partial: Callable[[str], None] | None = None,
    ) -> RemoteHearing:
        """Begin an utterance; returns at once, whether or not a process is there yet."""
        self._links.start()
        hearing = RemoteHearing(self, self._next, language, phrases, expects_digits, on_partial)
        self._hearings[self._next] = hearing
        self._next += 1
        hearing.attach()
        return hearing

    async def close(self) -> None:
        """Disconnect."""
        self._hearings.clear()
        await self._links.close()

    def choose(self, language: str, connected: list[Link]) -> Link | None:
        """The least loaded process for ``language``. Raises :class:`ModelMissing` when all are there, none with it."""
        serving = [link for link in connected if link.hello is not None and language in link.hello["languages"]]
        if not serving and connected and len(connected) == len(self._links.all):
            spoken = sorted({spoken for link in connected if link.hello for spoken in link.hello["languages"]})
            raise ModelMissing(f"no recogniser process serves {language!r}; they serve {', '.join(spoken)}")
        return min(serving, key=lambda link: link.load, default=None)

    def connected(self, language: str) -> Link | None:
        """The process to use now, if one is there."""
        try:
            return self.choose(language, [link for link in self._links.all if link.hello is not None])
        except ModelMissing:
            return None

    async def pick(self, language: str, before: float) -> Link:
        """The process to use, as soon as one is there. Raises :class:`SpeechError` after ``before``."""
        return await self._links.first(lambda connected: self.choose(language, connected), before)

    def forget(self, number: int) -> None:
        """An utterance is over."""
        self._hearings.pop(number, None)

    def _on_event(self, header: dict[str, Any]) -> None:
        hearing = self._hearings.get(int(header.get("hearing", 0)))
        if hearing is not None and hearing.on_partial is not None and header.get("event") == "partial":
            hearing.on_partial(str(header["text"]))


class RemoteHearing:
    """One utterance being recognised elsewhere. Its audio is kept until it is closed: should the process die, another
    hears it all again.
    """

    def __init__(
        self,
        client: RecognizerClient,
        number: int,
        language: str,
        phrases: tuple[str, ...],
        expects_digits: bool,
        on_partial: Callable[[str], None] | None,
    ) -> None:
        self.on_partial = on_partial
        """Called with the text so far while the customer speaks, by engines that stream."""
        self._client = client
        self._number = number
        self._language = language
        self._opening = {"phrases": list(phrases), "expects_digits": expects_digits}
        self._pcm = bytearray()
        self._sent = 0
        self._link: Link | None = None
        self._generation = 0
        self._last: tuple[int, Transcript] | None = None

    def feed(self, pcm: bytes) -> None:
        """Take more audio (s16le, 8 kHz); never waits and never fails."""
        self._pcm += pcm
        if len(self._pcm) - self._sent >= FEED_BYTES:
            self.attach()

    async def result(self, deadline_s: float = 2.0) -> Transcript:
        """Recognise everything fed so far; may be asked early, and again after more was fed.

        Raises :class:`SpeechError`: ``late`` after ``deadline_s``, ``recognizer_unavailable`` when no process was
        there in that time, :class:`ModelMissing` when none serves the language.
        """
        fed, before = len(self._pcm), time.monotonic() + deadline_s
        if self._last is not None and self._last[0] == fed:
            return self._last[1]
        while True:
            link = await self._attached(before)
            try:
                async with asyncio.timeout(before - time.monotonic()):
                    reply, _ = await link.request({"op": "result", "hearing": self._number, "before": before})
            except LinkLost:
                continue
            except TimeoutError:
                raise SpeechError(f"no result within {deadline_s:.1f} s", code="late") from None
            transcript = Transcript(
                text=str(reply["text"]),
                alternatives=tuple(str(reading) for reading in reply.get("alternatives", ())),
                confidence=float(reply["confidence"]),
                engine=str(reply["engine"]),
                cpu_s=float(reply["cpu_s"]),
            )
            self._last = fed, transcript
            return transcript

    def close(self) -> None:
        """Drop the utterance and its audio; idempotent."""
        self._client.forget(self._number)
        if self._attached_now() and self._link is not None:
            self._send({"op": "close", "hearing": self._number})
        self._link = None
        self._pcm.clear()

    def attach(self) -> None:
        """Send on what was not sent yet, to the same process if it still knows this utterance, else to another."""
        if not self._attached_now():
            self._open(self._client.connected(self._language))
        if self._link is not None and self._sent < len(self._pcm):
            piece = bytes(self._pcm[self._sent :])
            if self._send({"op": "audio", "hearing": self._number}, piece):
                self._sent += len(piece)

    async def _attached(self, before: float) -> Link:
        self.attach()
        while self._link is None:
            self._open(await self._client.pick(self._language, before))
            self.attach()
        return self._link

    def _attached_now(self) -> bool:
        link = self._link
        return link is not None and link.hello is not None and link.generation == self._generation

    def _open(self, link: Link | None) -> None:
        """Begin this utterance anew at ``link``."""
        self._link, self._sent = link, 0
        if link is not None:
            self._generation = link.generation
            link.load += 1  # until it says so itself
            self._send({"op": "open", "hearing": self._number, "language": self._language, **self._opening})

    def _send(self, header: dict[str, Any], payload: bytes = b"") -> bool:
        try:
            if self._link is not None:
                self._link.send(header, payload)
                return True
        except LinkLost:
            self._link = None
        return False
