"""Legs without a network, both ends of the wire in one file: dialling hands the far end to a listener, the customer.

It behaves as the SIP engine does, call by call and frame by frame, but opens no socket and starts no thread; a far end
written for it also answers real SIP (:class:`dialer.incoming.IncomingLeg`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from dialer.engines import EngineOptions
from dialer.engines import _sip_text as text
from dialer.engines._track import SILENCE, Clip, Track
from dialer.incoming import Invitation, Listener
from dialer.legs import Answered, Dial, Digit, Ended, EndedBy, Leg, LegError, LegEvent, Ringing, Trying

log = logging.getLogger(__name__)

FRAME_S = 0.02


class Pace(Protocol):
    """When the next frame is due."""

    async def next_frame(self, busy: asyncio.Event) -> None:
        """Return when it is; ``busy`` is set while any wire carries audio."""


class RealTime:
    """Fifty frames a second by the loop's clock, without drift; late frames follow at once."""

    def __init__(self) -> None:
        self._due = 0.0

    async def next_frame(self, busy: asyncio.Event) -> None:
        """Sleep until the next multiple of 20 ms."""
        loop = asyncio.get_running_loop()
        if not busy.is_set():
            await busy.wait()
            self._due = loop.time()
        self._due += FRAME_S
        await asyncio.sleep(max(0.0, self._due - loop.time()))


class AtOnce:
    """As fast as possible: every task of the loop gets its turn between two frames."""

    async def next_frame(self, busy: asyncio.Event) -> None:
        """Yield once."""
        await busy.wait()
        await asyncio.sleep(0)


class ByHand:
    """Frames pass only in :meth:`advance`: the clock of a test."""

    def __init__(self) -> None:
        self._left = 0
        self._go, self._rest = asyncio.Event(), asyncio.Event()

    async def next_frame(self, busy: asyncio.Event) -> None:
        """Wait for :meth:`advance`."""
        while not self._left:
            self._rest.set()
            self._go.clear()
            await self._go.wait()
        self._left -= 1
        await asyncio.sleep(0)

    async def advance(self, ms: int) -> None:
        """Let ``ms`` of audio pass and wait until it has."""
        self._left += ms // 20
        self._rest.clear()
        self._go.set()
        await self._rest.wait()


class LoopbackLeg:
    """One end of a wire; implements :class:`dialer.incoming.IncomingLeg` (the near end is a plain leg)."""

    other: LoopbackLeg

    def __init__(self, engine: LoopbackEngine, call_id: str, invitation: Invitation) -> None:
        self.call_id, self.invitation = call_id, invitation
        self.track = Track(engine.post)
        self.packets_received = 0
        self.sending = True
        """Whether packets leave this end; ``False`` plays a far end whose media never comes."""
        self.answered = self.over = False
        self.partner: LoopbackLeg | None = None
        self._engine = engine
        self._on_event: Callable[[LegEvent], None] = _ignore

    def report_to(self, on_event: Callable[[LegEvent], None]) -> None:
        """Where events go."""
        self._on_event = on_event

    def emit(self, event: LegEvent) -> None:
        """Tell the owner soon."""
        self._engine.post(self._on_event, event)

    def play(self, pcm: bytes) -> Clip:
        """Queue audio behind what is queued."""
        return self.track.play(pcm)

    def on_audio(self, sink: Callable[[bytes], None] | None) -> None:
        """Give every received frame to ``sink``."""
        self.track.listen(sink)

    def tape(self) -> tuple[bytes, bytes]:
        """(received, sent) since the answer."""
        return self.track.tape()

    async def answer(self, code: int = 200) -> None:
        """Ring (180), open early media (183) or answer (200 to 299)."""
        if not 101 <= code <= 299:
            raise LegError(f"{code} does not answer a call: use 180, 183 or 200", code="bad_response", retryable=False)
        if self.over or self.answered or self is self._engine.near_end(self):
            return
        if code < 200:
            self.track.talking = code == 183 or self.track.talking
            self.other.emit(Ringing(code=code, early_media=code == 183))
        else:
            for end in (self, self.other):
                end.answered = end.track.talking = end.track.taping = True
                end.emit(Answered(codec="L16"))
        self._engine.look_after()

    async def reject(self, code: int, *, reason: str = "", headers: dict[str, str] | None = None) -> None:
        """Send a final response of 300 or above."""
        if not 300 <= code <= 699:
            raise LegError(f"{code} does not reject a call: use 300 to 699", code="bad_response", retryable=False)
        text.check_headers({**(headers or {}), "Reason": reason})
        if not self.answered:
            lines = {name.lower(): [value] for name, value in (headers or {}).items()}
            self._end(Ended(by=EndedBy.US, code=code), Ended(by=EndedBy.PEER, code=code, reason=reason, headers=lines))

    async def hangup(self, *, code: int = 0, reason: str = "") -> None:
        """End the leg; idempotent."""
        near = self is self._engine.near_end(self)
        if not self.answered and not near:
            await self.reject(code or 603, reason=reason)
        else:
            code = 0 if self.answered else 487
            self._end(Ended(by=EndedBy.US, code=code), Ended(by=EndedBy.PEER, code=code))

    def _end(self, here: Ended, there: Ended) -> None:
        if not self.over:
            for end, event in ((self, here), (self.other, there)):
                end.over = True
                end._separate()
                end.track.close()
                end.emit(event)
            self._engine.cut(self)

    async def send_digits(self, digits: str, *, method: str = "rfc4733", duration_ms: int = 160) -> None:
        """Press keys; the other end has them at once."""
        text.check_digits(digits, method)
        if self.answered and not self.over:
            for digit in digits:
                self.other.emit(Digit(digit=digit, method=method))

    async def bridge(self, other: Leg) -> None:
        """Connect the audio of two near legs both ways."""
        if not isinstance(other, LoopbackLeg) or other._engine is not self._engine or other is self:
            raise LegError("only two different legs of one engine can be bridged", code="bad_bridge", retryable=False)
        if self.over or other.over:
            raise LegError("a leg that is over cannot be bridged", code="leg_over", retryable=False)
        self._separate()
        other._separate()
        self.partner, other.partner = other, self
        self.track.join(other.track)
        other.track.join(self.track)

    async def unbridge(self) -> None:
        """Undo :meth:`bridge`."""
        self._separate()

    def _separate(self) -> None:
        partner, self.partner = self.partner, None
        self.track.part()
        if partner is not None:
            partner._separate()


class LoopbackEngine:
    """Implements :class:`dialer.legs.Engine`."""

    name = "loopback"

    def __init__(self, options: EngineOptions, listener: Listener | None = None, pace: Pace | None = None) -> None:
        self.capacity = options.max_calls
        self._listener = listener
        self._pace = pace or RealTime()
        self._near: list[LoopbackLeg] = []
        self._busy = asyncio.Event()
        self._clock: asyncio.Task[None] | None = None

    @property
    def free(self) -> int:
        """Legs that can be had now."""
        return self.capacity - len(self._near)

    async def start(self) -> None:
        """Start the clock."""
        self._clock = asyncio.create_task(self._run(), name="loopback clock")

    async def dial(self, dial: Dial, on_event: Callable[[LegEvent], None]) -> LoopbackLeg:
        """Ring the listener; without one the call is refused with 480."""
        text.check_trunk(dial.trunk)
        uri, headers = text.target_uri(dial), text.headers_to_send(dial)
        if self._clock is None:
            raise LegError("the engine is not running: start it", code="engine_stopped", retryable=False)
        if not self.free:
            raise LegError(f"all {self.capacity} legs of this engine are taken", code="no_free_leg")
        lines = {name.lower(): [value] for name, value in headers.items()}
        invitation = Invitation(uri=uri, caller=dial.trunk.caller_id, called=dial.target, headers=lines)
        near, far = (LoopbackLeg(self, dial.call_id, invitation) for _ in range(2))
        near.other, far.other = far, near
        near.report_to(on_event)
        near.emit(Trying())
        self._near.append(near)
        self.post(self._announce, far)
        return near

    async def stop(self) -> None:
        """Hang up everything and stop the clock; idempotent."""
        for near in list(self._near):
            await near.hangup()
        clock, self._clock = self._clock, None
        if clock is not None:
            clock.cancel()
            await asyncio.wait([clock])

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Call soon; a failing callback is logged and harms nobody."""
        asyncio.get_running_loop().call_soon(_safely, function, arguments)

    def near_end(self, end: LoopbackLeg) -> LoopbackLeg:
        """The end that dialled, of the wire ``end`` is on."""
        return end if end in self._near else end.other

    def cut(self, end: LoopbackLeg) -> None:
        """The wire is over."""
        self._near.remove(self.near_end(end))
        self.look_after()

    def look_after(self) -> None:
        """Audio begins or ends somewhere."""
        if any(near.answered or near.other.track.talking for near in self._near):
            self._busy.set()
        else:
            self._busy.clear()

    def _announce(self, far: LoopbackLeg) -> None:
        if far.over:
            return
        code = 480
        if self._listener is not None:
            try:
                far.report_to(self._listener(far))
                return
            except Exception:
                log.exception("the listener failed: the call is refused")
                code = 500
        far._end(Ended(by=EndedBy.US, code=code), Ended(by=EndedBy.PEER, code=code))

    async def _run(self) -> None:
        while True:
            await self._pace.next_frame(self._busy)
            self._tick()

    def _tick(self) -> None:
        """One frame each way on every wire; a bridged end says what its partner hears."""
        ends = [end for near in self._near if near.answered or near.other.track.talking for end in (near, near.other)]
        said = {end: end.track.pull() or SILENCE for end in ends}
        for end in ends:
            if end.partner in said:
                said[end] = said[end.partner.other]
        for end in ends:
            end.track.heard = said[end.other] if end.other.sending else SILENCE
        for end in ends:
            end.packets_received += end.other.sending
            end.track.push(end.track.heard)


def create(options: EngineOptions, listener: Listener | None) -> LoopbackEngine:
    """The engine, not yet started; frames pass in real time."""
    return LoopbackEngine(options, listener)


def _ignore(event: LegEvent) -> None:
    """Nobody listens."""


def _safely(function: Callable[..., object], arguments: tuple[object, ...]) -> None:
    try:
        function(*arguments)
    except Exception:
        log.exception("a callback of a leg failed")
