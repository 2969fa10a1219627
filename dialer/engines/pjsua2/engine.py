"""The asyncio side of the SIP engine: it checks what is asked, paces it and hands it to the engine thread.

It touches no native object.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from dialer.engines import EngineOptions
from dialer.engines import _sip_text as text
from dialer.engines._exchange import Exchange
from dialer.engines._sip_leg import SipLeg
from dialer.engines.pjsua2.accounts import Registration
from dialer.engines.pjsua2.thread import EngineThread
from dialer.incoming import Invitation, Listener
from dialer.legs import Dial, LegError, LegEvent, Trunk

log = logging.getLogger(__name__)

CALL_GAP_S = 1 / 40
"""Closed sockets linger in the wheel's select queue: more than about 60 new calls a second abort the process."""

CLOSING_TURNS, CLOSING_TURN_S = 15, 0.02
"""A slot whose leg is over is free once the far end confirmed the BYE: wait that long for it, not for a silent one."""

_one_endpoint = threading.Lock()
"""The native library holds one endpoint a process; this says whether it is taken."""


class Pjsua2Engine:
    """Implements :class:`dialer.legs.Engine`; also registers with registrars and takes incoming legs."""

    name = "pjsua2"

    def __init__(self, options: EngineOptions, listener: Listener | None = None) -> None:
        self._options, self._listener = options, listener
        self._thread: EngineThread | None = None
        self._wake_socket: socket.socket | None = None
        self._next_call_at = 0.0
        self._registrations: dict[str, Registration] = {}
        self._registering: dict[str, list[asyncio.Future[Registration]]] = {}

    @property
    def capacity(self) -> int:
        """Legs at once, as the library allows; 0 while the engine is not running."""
        return self._thread.capacity if self._thread is not None else 0

    @property
    def free(self) -> int:
        """Legs that can be had now; one may stay taken for a moment after its ``Ended``."""
        return self._thread.free if self._thread is not None else 0

    @property
    def addresses(self) -> Mapping[str, str]:
        """``host:port`` we listen on, by transport."""
        return MappingProxyType(self._thread.addresses if self._thread is not None else {})

    @property
    def registrations(self) -> Mapping[str, Registration]:
        """What registrars said last, by trunk name."""
        return MappingProxyType(self._registrations)

    async def start(self) -> None:
        """Open sockets and the media clock."""
        if not _one_endpoint.acquire(blocking=False):
            raise LegError(
                "this process already runs a SIP engine: stop that first, or use another process",
                code="engine_running",
                retryable=False,
            )
        ready: asyncio.Future[LegError | None] = asyncio.get_running_loop().create_future()
        self._closed = asyncio.Event()
        self._wake_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._exchange = Exchange(self._wake)
        self._thread = EngineThread(
            self._options,
            self._exchange,
            on_ready=lambda error: None if ready.done() else ready.set_result(error),
            on_closed=self._closed.set,
            on_incoming=self._announce if self._listener is not None else None,
            on_registration=self._registered,
        )
        self._thread.start()
        atexit.register(self._stop_at_exit)
        error = await ready
        if error is not None:
            await self.stop()
            raise error

    async def dial(self, dial: Dial, on_event: Callable[[LegEvent], None]) -> SipLeg:
        """Send the INVITE. Events may come before this returns; a trunk out of reach is an ``Ended`` by the network."""
        text.check_trunk(dial.trunk)
        uri, headers = text.target_uri(dial), text.headers_to_send(dial)
        thread = self._running()
        invitation = Invitation(uri=uri, caller=dial.trunk.caller_id, called=dial.target)
        leg = SipLeg(self._exchange, dial.call_id, invitation)
        leg.report_to(on_event)
        await self._pace()
        place = functools.partial(thread.place, leg, uri, dial, headers)
        try:
            for _ in range(CLOSING_TURNS):
                if await self._exchange.run(place):
                    return leg
                await asyncio.sleep(CLOSING_TURN_S)
        except asyncio.CancelledError:
            self._exchange.cast(functools.partial(_abandon, leg, 0))
            raise
        raise LegError("every free leg of this engine is still closing: try again", code="no_free_leg")

    async def register(self, trunk: Trunk) -> Registration:
        """Register with a registrar trunk and wait for its word; a refusal or silence is a code, not an error."""
        text.check_trunk(trunk)
        if trunk.kind != "registrar":
            raise LegError(f"trunk {trunk.name!r} is no registrar", code="bad_trunk", retryable=False)
        thread = self._running()
        said: asyncio.Future[Registration] = asyncio.get_running_loop().create_future()
        waiters = self._registering.setdefault(trunk.name, [])
        waiters.append(said)
        try:
            await self._exchange.run(functools.partial(thread.register, trunk))
            return await said
        finally:
            if said in waiters:
                waiters.remove(said)

    async def stop(self) -> None:
        """Hang up everything, close and wait for it; idempotent."""
        thread = self._thread
        if thread is None:
            return
        thread.stopping = True
        self._wake()
        await self._closed.wait()
        if self._thread is None:  # another stop() came first
            return
        self._thread = None
        thread.join()
        for waiters in self._registering.values():
            for waiter in waiters:
                waiter.cancel()
        self._registering.clear()
        if self._wake_socket is not None:
            self._wake_socket.close()
        atexit.unregister(self._stop_at_exit)
        _one_endpoint.release()

    def _stop_at_exit(self) -> None:
        """The interpreter ends without :meth:`stop`: the library must still be closed in its own thread."""
        if self._thread is not None:
            self._thread.stopping = True
            self._wake()
            self._thread.join(5)
        if self._wake_socket is not None:
            self._wake_socket.close()

    def _running(self) -> EngineThread:
        if self._thread is None or self._thread.stopping:
            raise LegError("the engine is not running: start it", code="engine_stopped", retryable=False)
        return self._thread

    def _wake(self) -> None:
        """Cut the poll short with an empty line sent to our own SIP port (a keep-alive of RFC 5626 §3.5.1)."""
        address = self._thread.addresses.get("udp") if self._thread is not None else None
        if address is not None and self._wake_socket is not None:
            host, _, port = address.rpartition(":")
            with contextlib.suppress(OSError):
                self._wake_socket.sendto(b"\r\n", (host, int(port)))

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_call_at)
        self._next_call_at = turn + CALL_GAP_S
        if turn > now:
            await asyncio.sleep(turn - now)

    def _registered(self, name: str, registration: Registration) -> None:
        self._registrations[name] = registration
        for waiter in self._registering.pop(name, []):
            if not waiter.done():
                waiter.set_result(registration)

    def _announce(self, leg: SipLeg) -> None:
        assert self._listener is not None
        try:
            leg.report_to(self._listener(leg))
        except Exception:
            log.exception("the listener failed: the call is refused")
            self._exchange.cast(functools.partial(_abandon, leg, 500))


def _abandon(leg: SipLeg, code: int) -> None:
    """End a leg nobody looks after (engine thread)."""
    if leg.dialog is not None:
        leg.dialog.finish(code, "", {})
