"""The audio of one leg: what waits to be played, who listens, and the tape of both directions. Knows no engine.

Two threads meet here. The media clock calls :meth:`Track.pull` and :meth:`Track.push` once each 20 ms; everything else
is called on the asyncio thread. Audio is s16le mono at 8000 Hz.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

FRAME_BYTES = 320
"""One frame: 20 ms."""
BYTES_PER_MS = 16
SILENCE = bytes(FRAME_BYTES)

Post = Callable[..., None]
"""``post(function, *arguments)``: call it on the asyncio thread, in order, within the tick; any thread may ask."""


class Clip:
    """Audio queued on a track; implements :class:`dialer.legs.Playback`."""

    __slots__ = ("_done", "_track", "at", "pcm")

    def __init__(self, track: Track, pcm: bytes) -> None:
        self.pcm, self.at = pcm, 0
        self._track = track
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def played_ms(self) -> int:
        """How much has left us so far."""
        return self.at // BYTES_PER_MS

    async def wait(self) -> bool:
        """Wait for the end; ``True`` when all of it was played, ``False`` when it was stopped or the leg ended."""
        return await asyncio.shield(self._done)

    def stop(self) -> int:
        """Stop within one frame and drop the rest; returns the milliseconds that were played."""
        self._track.drop(self)
        return self.played_ms

    def settle(self) -> None:
        """Tell the waiters (asyncio thread)."""
        if not self._done.done():
            self._done.set_result(self.at >= len(self.pcm))


class Track:
    """Playing queue, listener and tape of one leg.

    ``talking`` and ``taping`` are switched by the engine: before the answer nothing is played and nothing is taped.
    """

    def __init__(self, post: Post) -> None:
        self.talking = False
        self.taping = False
        self.heard = SILENCE
        self._post = post
        self._lock = threading.Lock()
        self._queue: deque[Clip] = deque()
        self._sink: Callable[[bytes], Any] | None = None
        self._said = SILENCE
        self._partner: Track | None = None
        self._received, self._sent = bytearray(), bytearray()
        self._closed = False

    # The asyncio thread.

    def play(self, pcm: bytes) -> Clip:
        """Queue whole samples behind what is queued; after :meth:`close` the clip is over at once."""
        if len(pcm) % 2:
            raise ValueError("pcm must be whole 16-bit samples: its length is odd")
        clip = Clip(self, pcm)
        with self._lock:
            if pcm and not self._closed:
                self._queue.append(clip)
                return clip
        clip.settle()
        return clip

    def drop(self, clip: Clip) -> None:
        """Take one clip out of the queue."""
        with self._lock:
            if clip in self._queue:
                self._queue.remove(clip)
        clip.settle()

    def listen(self, sink: Callable[[bytes], Any] | None) -> None:
        """Give every received frame to ``sink``."""
        self._sink = sink

    def tape(self) -> tuple[bytes, bytes]:
        """(received, sent) since ``taping`` began, equally long: frame n of both was handled in the same clock tick."""
        with self._lock:
            return bytes(self._received), bytes(self._sent)

    def join(self, partner: Track) -> None:
        """From now on the sent side carries what ``partner`` hears; what was queued is dropped."""
        self._partner = partner
        self._clear()

    def part(self) -> None:
        """The sent side is our own again."""
        self._partner = None

    def close(self) -> None:
        """The leg is over: nothing more is played or taped, and every waiter is told."""
        self._closed = True
        self.talking = self.taping = False
        self._partner = None
        self._clear()

    def _clear(self) -> None:
        with self._lock:
            dropped = list(self._queue)
            self._queue.clear()
        for clip in dropped:
            clip.settle()

    def _deliver(self, frame: bytes) -> None:
        if self._sink is not None:
            try:
                self._sink(frame)
            except Exception:
                log.exception("the audio sink of a leg failed")

    # The media clock's thread.

    def pull(self) -> bytes | None:
        """The next frame to send; ``None`` is silence. Clips follow each other without a gap, within a frame too."""
        if not self._queue or not self.talking or self._partner is not None:
            self._said = SILENCE
            return None
        parts, missing = [], FRAME_BYTES
        with self._lock:
            while self._queue and missing:
                clip = self._queue[0]
                part = clip.pcm[clip.at : clip.at + missing]
                clip.at += len(part)
                missing -= len(part)
                parts.append(part)
                if clip.at >= len(clip.pcm):
                    self._queue.popleft()
                    self._post(clip.settle)
        self._said = b"".join(parts) if not missing else b"".join(parts).ljust(FRAME_BYTES, b"\0")
        return self._said

    def push(self, frame: bytes) -> None:
        """One received frame, empty for none; closes the tick on the tape."""
        if len(frame) != FRAME_BYTES:
            frame = frame[:FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        self.heard = frame
        if self.taping:
            partner = self._partner
            with self._lock:
                self._received += frame
                self._sent += self._said if partner is None else partner.heard
        if self._sink is not None:
            self._post(self._deliver, frame)
