"""Where a call's audio meets its track, once each 20 ms in the media clock's thread. Knows nothing of calls."""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from dialer.engines._track import FRAME_BYTES, SILENCE, Track
from dialer.engines.pjsua2.native import buffer_address, frame_bytes, pj, trace

log = logging.getLogger(__name__)

REST_S = 0.2
"""Bridge operations are asynchronous: a port given back may still be called for a few ticks."""


class Tick:
    """Tells the end of a tick of the media clock, so that the loop is woken once for all legs' frames.

    In each tick the bridge first asks every connected port for a frame, then gives every one a frame.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._asking = False
        self._awaited = 0
        self._attached: set[int] = set()

    def asked(self) -> None:
        """A port was asked for a frame."""
        if not self._asking:
            self._asking = True
            if self._awaited > 0:  # a port that was taken out meanwhile never got its frame
                self._on_end()
            self._awaited = 0
            self._attach()
        self._awaited += 1

    def given(self) -> None:
        """A port was given a frame."""
        self._asking = False
        self._awaited -= 1
        if self._awaited <= 0:
            self._on_end()

    def _attach(self) -> None:
        """Keep one Python thread state for the clock rather than make one a callback: a third of its processor time."""
        if threading.get_ident() not in self._attached:
            self._attached.add(threading.get_ident())
            ctypes.pythonapi.PyGILState_Ensure()


class Port(pj.AudioMediaPort):  # type: ignore[misc]
    """One port of the conference bridge, s16le mono at 8000 Hz."""

    def __init__(self, name: str, tick: Tick) -> None:
        super().__init__()
        self.track: Track | None = None
        self._tick = tick
        self._buffer = pj.ByteVector(SILENCE)  # reused: the binding copies it into each frame
        self._address = buffer_address(self._buffer)
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, 8000, 1, 20_000, 16)
        self.createPort(name, audio)

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802
        """What this side says next."""
        try:
            self._tick.asked()
            audio = self.track.pull() if self.track is not None else None
            if audio is None:
                frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
                return
            ctypes.memmove(self._address, audio, FRAME_BYTES)
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
            frame.buf = self._buffer
            frame.size = FRAME_BYTES
        except BaseException:
            log.error("the audio of a leg could not be sent", extra=trace())

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802
        """What the far end said."""
        try:
            if self.track is not None:
                self.track.push(frame_bytes(frame))
            self._tick.given()
        except BaseException:
            log.error("the audio of a leg could not be received", extra=trace())


class Ports:
    """Ports, made when first needed and reused while the engine lives; engine thread only."""

    def __init__(self, on_tick: Callable[[], None]) -> None:
        self._tick = Tick(on_tick)
        self._all: list[Port] = []
        self._resting: deque[tuple[float, Port]] = deque()

    def take(self, track: Track) -> Port:
        """A port for ``track``."""
        if self._resting and self._resting[0][0] <= time.monotonic():
            port = self._resting.popleft()[1]
        else:
            port = Port(f"leg{len(self._all)}", self._tick)
            self._all.append(port)
        port.track = track
        return port

    def give(self, port: Port) -> None:
        """Back to the pool."""
        port.track = None
        self._resting.append((time.monotonic() + REST_S, port))

    def clear(self) -> None:
        """Only after the media clock has stopped."""
        self._resting.clear()
        self._all.clear()
