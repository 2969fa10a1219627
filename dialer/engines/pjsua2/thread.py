"""The thread that owns every native object, whole because order is all: open the library, poll it, call, close it.

It is told what to do through an exchange, and calls nobody directly.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from dialer.engines import EngineOptions
from dialer.engines import _sip_text as text
from dialer.engines._exchange import Exchange
from dialer.engines._sip_leg import SipLeg
from dialer.engines.pjsua2.accounts import Account, Accounts, Registration
from dialer.engines.pjsua2.calls import Call
from dialer.engines.pjsua2.native import check_layout, library, pj, trace
from dialer.engines.pjsua2.ports import Ports
from dialer.legs import Dial, Ended, EndedBy, LegError, Trunk

log = logging.getLogger(__name__)

POLL_MS = 20
"""Orders do not wait for it: a datagram to our own port wakes the poll."""
STATISTICS_EVERY_S = 0.2
LAST_PATIENCE_S = 1.0
"""How long far ends and registrars may take to confirm the end when we stop."""

_ETOOMANY, _EINVAL, _EINVALIDURI, _EADDRINUSE, _EADDRNOTAVAIL = 70010, 70004, 171039, 120098, 120099
_EBUSY = 171001


class EngineThread(threading.Thread):
    """Implements :class:`dialer.engines.pjsua2.calls.Surroundings`.

    ``capacity``, ``free`` and ``addresses`` may be read anywhere; everything else is this thread's, except what is
    handed in through the exchange.
    """

    def __init__(
        self,
        options: EngineOptions,
        exchange: Exchange,
        *,
        on_ready: Callable[[LegError | None], None],
        on_closed: Callable[[], None],
        on_incoming: Callable[[SipLeg], None] | None,
        on_registration: Callable[[str, Registration], None],
    ) -> None:
        super().__init__(name="sip-engine", daemon=True)
        self.options, self.exchange = options, exchange
        self.capacity = self.free = 0
        self.addresses: dict[str, str] = {}
        self.stopping = False
        self.ports = Ports(exchange.ring)
        self.calls: set[Call] = set()
        self._accounts = Accounts(options, self._make_account)
        self._grave: list[Call] = []
        self._alive: weakref.WeakSet[Any] = weakref.WeakSet()
        self._codecs: dict[str, str] = {}
        self._offered: tuple[str, ...] = ()
        self._next_statistics_at = 0.0
        self._on_ready, self._on_closed = on_ready, on_closed
        self._on_incoming, self._on_registration = on_incoming, on_registration

    def run(self) -> None:
        """Open, poll until told to stop, close; all in this thread, whatever fails."""
        error = self._opened()
        self.exchange.post(self._on_ready, error)
        try:
            while error is None and not self.stopping:
                self._endpoint.libHandleEvents(POLL_MS)
                self.exchange.work()
                self._tidy()
        except Exception:
            log.error("the SIP engine failed and stops", extra=trace())
        self._close()
        self.exchange.close()
        self.exchange.post(self._on_closed)

    def _opened(self) -> LegError | None:
        """Open; what went wrong, without the traceback that would keep native objects."""
        try:
            self._open()
        except LegError as error:
            return LegError(str(error), code=error.code, retryable=error.retryable)
        except pj.Error as error:
            return LegError(f"the SIP engine could not start: {error.reason} ({error.status})")
        except Exception as error:
            return LegError(f"the SIP engine could not start: {error}")
        return None

    def _open(self) -> None:
        options = self.options
        self._library = library()
        self._library.pj_log_set_level(options.native_log_level)
        self._endpoint = pj.Endpoint()
        self._endpoint.libCreate()
        check_layout()
        # The wheel's 32 s would hold a slot that long after a call nobody answered a word to (RFC 3261 §17, T1..T4).
        timeout_ms = int(options.transaction_timeout_s * 1000)
        self._library.pjsip_tsx_set_timers(500, 4000, min(5000, timeout_ms), timeout_ms)
        self._endpoint.libInit(self._endpoint_config())
        self.capacity = self.free = int(self._library.pjsua_call_get_max_count())  # clipped to the build's limit
        for transport in dict.fromkeys(("udp", *options.transports)):
            self._listen(transport)
        self._endpoint.libStart()
        self._endpoint.audDevManager().setNullDev()
        codecs = self._endpoint.codecEnum2()
        self._codecs = {codec.codecId.partition("/")[0].upper(): codec.codecId for codec in codecs}
        self.offer_codecs(options.codecs)
        self._accounts.open_own(self.addresses["udp"])

    def _endpoint_config(self) -> Any:
        options, config = self.options, pj.EpConfig()
        agent, media = config.uaConfig, config.medConfig
        agent.maxCalls, agent.threadCnt, agent.mainThreadOnly = options.max_calls, 0, True
        agent.userAgent = options.user_agent
        for server in options.nameservers:
            agent.nameserver.append(server)
        config.logConfig.level = config.logConfig.consoleLevel = options.native_log_level
        media.clockRate = media.sndClockRate = 8000
        media.audioFramePtime, media.ecTailLen, media.noVad, media.quality = 20, 0, True, 3
        media.maxMediaPorts = max(254, options.max_calls * 4)
        return config

    def _listen(self, transport: str) -> None:
        """Open a transport once. Raises :class:`LegError` that names the port."""
        if transport in self.addresses:
            return
        options, config = self.options, pj.TransportConfig()
        config.boundAddress, config.publicAddress = options.bind, options.public_address
        config.port = options.port + (transport == "tls") if options.port else 0  # 5060 and 5061
        if transport == "tls":
            tls = config.tlsConfig
            tls.method = pj.PJSIP_TLSV1_2_METHOD
            tls.CaListFile = options.tls_ca_file or _system_ca_file(listening=bool(options.tls_cert_file))
            tls.certFile, tls.privKeyFile = options.tls_cert_file, options.tls_key_file
            tls.verifyServer = options.tls_verify
        kind = getattr(pj, f"PJSIP_TRANSPORT_{transport.upper()}", None)
        if kind is None:
            raise LegError(f"transport {transport!r} does not exist: use udp, tcp or tls", code="bad_transport")
        try:
            number = self._endpoint.transportCreate(kind, config)
        except pj.Error as error:
            raise self._not_bound(f"{transport} port {config.port} at {options.bind}", error) from None
        self.addresses[transport] = str(self._endpoint.transportGetInfo(number).localName)

    def _not_bound(self, place: str, error: Any) -> LegError:
        if error.status == _EADDRINUSE:
            remedy = "is taken by another program: end it, or choose another SIP port (0 takes any free one)"
            return LegError(f"{place} {remedy}", code="port_in_use", retryable=False)
        if error.status == _EADDRNOTAVAIL:
            remedy = "cannot be opened, this machine has no such address: correct the bind address"
            return LegError(f"{place} {remedy}", code="bad_bind", retryable=False)
        return LegError(f"{place} cannot be opened: {error.reason} ({error.status})", code="bad_transport")

    # Orders, handed in through the exchange.

    def place(self, leg: SipLeg, uri: str, dial: Dial, headers: dict[str, str]) -> bool:
        """Send one INVITE; raises :class:`LegError` only when nothing was sent.

        ``False`` when the last free slot is held by the closing transaction of a leg that is over: ask again soon.
        """
        if self._slots_taken() >= self.capacity:
            if len(self.calls) < self.capacity:
                return False
            raise LegError(f"all {self.capacity} legs of this engine are taken: add a line", code="no_free_leg")
        self._listen(dial.trunk.transport)
        account, _ = self._accounts.get(dial.trunk, (call.account for call in self.calls))
        self.offer_codecs(dial.trunk.codecs)
        call = Call(self, account, leg)
        try:
            call.place(uri, dial, headers)
        except pj.Error as error:
            if error.status not in (_ETOOMANY, _EINVAL, _EINVALIDURI):
                call.close(Ended(by=EndedBy.NETWORK, code=503, reason=str(error.reason)))
                return True
            call.over = True
            self.bury(call)
            code = "no_free_leg" if error.status == _ETOOMANY else "bad_target"
            raise LegError(f"no INVITE was sent: {error.reason}", code=code) from None
        return True

    def register(self, trunk: Trunk) -> None:
        """Send REGISTER."""
        self._listen(trunk.transport)
        account, new = self._accounts.get(trunk, (call.account for call in self.calls))
        if new:  # it registers by itself
            return
        try:
            account.setRegistration(True)
        except pj.Error as error:
            if error.status != _EBUSY:  # else a REGISTER is under way, and its answer is ours, too
                raise LegError(f"could not register: {error.reason} ({error.status})") from None

    def offer_codecs(self, codecs: tuple[str, ...]) -> None:
        """Set the order of codecs for the next offer or answer; the library keeps one for all calls."""
        if not codecs or codecs == self._offered:
            return
        wanted = [codec.upper() for codec in codecs]
        if not set(wanted) <= self._codecs.keys():
            unknown = ", ".join(sorted(set(wanted) - self._codecs.keys()))
            has = ", ".join(sorted(self._codecs))
            raise LegError(
                f"codec {unknown} is not in this build: choose among {has}", code="bad_trunk", retryable=False
            )
        for name, codec_id in self._codecs.items():
            self._endpoint.codecSetPriority(codec_id, 250 - wanted.index(name) if name in wanted else 0)
        self._offered = codecs

    # Calls and accounts.

    def keep(self, call: Call) -> None:
        """Hold a call until it is over."""
        self.calls.add(call)
        self._alive.add(call)

    def bury(self, call: Call) -> None:
        """Drop a call one turn later, outside its own callback."""
        self._grave.append(call)

    def _make_account(self, trunk: Trunk | None) -> Account:
        def said(name: str, registration: Registration) -> None:
            self.exchange.post(self._on_registration, name, registration)

        account = Account(trunk, said, self._invited)
        self._alive.add(account)
        return account

    def _invited(self, account: Account, call_id: int, message: str) -> None:
        invitation = text.invitation_of(message)
        leg = SipLeg(self.exchange, invitation.headers.get("call-id", [""])[0], invitation)
        call = Call(self, account, leg, call_id)
        call.codecs = self.options.codecs if account.trunk is None else account.trunk.codecs
        if self._on_incoming is None:
            call.finish(480, "", {})  # nobody takes calls here
        else:
            self.exchange.post(self._on_incoming, leg)

    def _tidy(self) -> None:
        """Once a turn: drop the dead, count packets and free legs."""
        if self._grave:
            self._drop_dead()
        now = time.monotonic()
        if self.calls and now >= self._next_statistics_at:
            self._next_statistics_at = now + STATISTICS_EVERY_S
            for call in self.calls:
                call.count_packets()
            del call
        self.free = self.capacity - self._slots_taken()

    def _drop_dead(self) -> None:
        """Destroying a Call hangs up whatever call has its id: one whose id was given away waits until that is free."""
        dead, self._grave = self._grave, []
        for call in dead:
            call.let_go()
            self.calls.discard(call)
            if call.isActive():
                self._grave.append(call)

    # The end.

    def _close(self) -> None:
        """Hang up, stop the media clock, drop everything in order, destroy."""
        try:
            self._hang_up()
            self._grave.clear()
            self._endpoint.audDevManager().setNoDev()
            self.ports.clear()
            self._accounts.close()
        except Exception:
            log.error("the SIP engine could not close in order", extra=trace())
        gc.collect()
        for stray in self._alive:
            stray.this.disown()  # leaked rather than destroyed after the library is
        with contextlib.suppress(Exception):
            self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)  # what could still come was waited for
        self._endpoint = None
        self.addresses.clear()
        self.capacity = self.free = 0

    def _hang_up(self) -> None:
        """End every call and registration and give the far ends a moment."""
        for call in list(self.calls):
            with contextlib.suppress(pj.Error):
                call.finish(480 if call.incoming and not call.confirmed else 0, "", {})
        with contextlib.suppress(pj.Error):
            self._accounts.unregister()
        patience = time.monotonic() + LAST_PATIENCE_S
        while time.monotonic() < patience and (self._slots_taken() or self._accounts.registered):
            self._endpoint.libHandleEvents(10)
            self._tidy()
        for call in list(self.calls):
            call.close(Ended(by=EndedBy.US, code=0 if call.confirmed else 487))
        self._tidy()

    def _slots_taken(self) -> int:
        """Dialogs the library still holds; after a leg's end one lives on until its last transaction is over."""
        return int(self._library.pjsua_call_get_count())


def _system_ca_file(*, listening: bool) -> str:
    """The system's certificates; not for a listener, whose handshake would stall on naming them all."""
    return "" if listening else ssl.get_default_verify_paths().cafile or ""
