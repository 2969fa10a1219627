"""The asyncio side of a SIP leg: its events, its audio and the orders it hands to the engine thread.

It touches no native object: :class:`Dialog` is the other side, which only the engine thread may use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dialer.engines._exchange import Exchange
from dialer.engines._sip_text import check_digits, check_headers
from dialer.engines._track import Clip, Track
from dialer.incoming import Invitation
from dialer.legs import Ended, Leg, LegError, LegEvent


class Dialog(Protocol):
    """One dialog as the engine thread sees it; orders to a dialog that is over do nothing."""

    def respond(self, code: int) -> None:
        """Send a response below 300 to the INVITE that came."""

    def finish(self, code: int, reason: str, headers: dict[str, str]) -> None:
        """Reject, cancel or hang up."""

    def press(self, digits: str, method: str, duration_ms: int) -> None:
        """Send digits."""

    def connect(self, other: Dialog) -> None:
        """Bridge two dialogs' audio."""

    def disconnect(self) -> None:
        """Undo :meth:`connect`."""


class SipLeg:
    """Implements :class:`dialer.legs.Leg` and :class:`dialer.incoming.IncomingLeg`."""

    def __init__(self, exchange: Exchange, call_id: str, invitation: Invitation) -> None:
        self.call_id = call_id
        self.invitation = invitation
        self.track = Track(exchange.leave)  # the media clock rings once a tick
        self.packets = 0
        self.dialog: Dialog | None = None
        """The engine thread's; ``None`` before and after the dialog."""
        self._exchange = exchange
        self._on_event: Callable[[LegEvent], None] | None = None
        self._partner: SipLeg | None = None
        self._over = False

    @property
    def packets_received(self) -> int:
        """RTP packets that came so far, refreshed five times a second."""
        return self.packets

    def report_to(self, on_event: Callable[[LegEvent], None]) -> None:
        """Where events go; set before the first one."""
        self._on_event = on_event

    def emit(self, event: LegEvent) -> None:
        """Pass an event on (asyncio thread); nothing follows ``Ended``."""
        if self._over:
            return
        if isinstance(event, Ended):
            self._over = True
            self._separate()
            self.track.close()
        if self._on_event is not None:
            self._on_event(event)

    def play(self, pcm: bytes) -> Clip:
        """Queue audio behind what is queued; it sounds as soon as the media is up."""
        return self.track.play(pcm)

    def on_audio(self, sink: Callable[[bytes], None] | None) -> None:
        """Give every received frame to ``sink``."""
        self.track.listen(sink)

    def tape(self) -> tuple[bytes, bytes]:
        """(received, sent) since the answer, sample-aligned."""
        return self.track.tape()

    async def answer(self, code: int = 200) -> None:
        """Send a response from 101 to 299."""
        if not 101 <= code <= 299:
            raise LegError(f"{code} does not answer a call: use 180, 183 or 200", code="bad_response", retryable=False)
        await self._order(lambda dialog: dialog.respond(code))

    async def reject(self, code: int, *, reason: str = "", headers: dict[str, str] | None = None) -> None:
        """Send a final response of 300 or above."""
        if not 300 <= code <= 699:
            raise LegError(f"{code} does not reject a call: use 300 to 699", code="bad_response", retryable=False)
        check_headers({**(headers or {}), "Reason": reason})
        await self._order(lambda dialog: dialog.finish(code, reason, headers or {}))

    async def hangup(self, *, code: int = 0, reason: str = "") -> None:
        """End the leg; ``code`` only matters for an incoming leg that is not answered yet."""
        check_headers({"Reason": reason})
        if code and not 300 <= code <= 699:
            raise LegError(f"{code} does not end a call: use 300 to 699, or 0", code="bad_response", retryable=False)
        await self._order(lambda dialog: dialog.finish(code, reason, {}))

    async def send_digits(self, digits: str, *, method: str = "rfc4733", duration_ms: int = 160) -> None:
        """Press keys, one after the other."""
        check_digits(digits, method)
        await self._order(lambda dialog: dialog.press(digits, method, duration_ms))

    async def bridge(self, other: Leg) -> None:
        """Connect the audio of two legs both ways."""
        if not isinstance(other, SipLeg) or other._exchange is not self._exchange or other is self:
            raise LegError("only two different legs of one engine can be bridged", code="bad_bridge", retryable=False)
        if self._over or other._over:
            raise LegError("a leg that is over cannot be bridged", code="leg_over", retryable=False)
        await self.unbridge()
        await other.unbridge()
        self._partner, other._partner = other, self
        self.track.join(other.track)
        other.track.join(self.track)

        def connect() -> None:
            if self.dialog is not None and other.dialog is not None:
                self.dialog.connect(other.dialog)

        try:
            await self._exchange.run(connect)
        except LegError:
            self._separate()
            raise

    async def unbridge(self) -> None:
        """Undo :meth:`bridge`."""
        if self._partner is not None:
            await self._order(lambda dialog: dialog.disconnect())
            self._separate()

    def _separate(self) -> None:
        partner, self._partner = self._partner, None
        self.track.part()
        if partner is not None:
            partner._separate()

    async def _order(self, order: Callable[[Dialog], None]) -> None:
        """Hand an order to the engine thread; a leg that is over, or an engine that stopped, needs none."""
        if self._over:
            return

        def job() -> None:
            if self.dialog is not None:
                order(self.dialog)

        try:
            await self._exchange.run(job)
        except LegError as error:
            if error.code != "engine_stopped":
                raise
