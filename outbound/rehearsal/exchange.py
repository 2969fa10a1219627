"""The rehearsal's telephone exchange: a stateless SIP proxy with a registrar on loopback UDP (RFC 3261 §16.11, §10).

It carries no media, keeps no transaction, and never forwards to an address outside this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sipmessage import URI, Message, Parameters, Request, Response, Via

from outbound.rehearsal.child import run, tell, until_told_to_end
from outbound.rehearsal.registrar import Endpoint, Registrar

PHRASES = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    483: "Too Many Hops",
}
MAGIC = "z9hG4bK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One call that reached the exchange: an INVITE outside a dialog, retransmissions not counted."""

    user: str
    call_id: str
    at_monotonic: float
    """``time.monotonic()`` of this machine when the datagram was read."""
    answer: int
    """What the exchange itself answered, 0 when the call was passed on."""


class Exchange(asyncio.DatagramProtocol):
    """Routes requests by the user part of the Request-URI; replies go back along their Via."""

    def __init__(self, registrar: Registrar, *, on_rung: Callable[[Rung], None] = lambda rung: None) -> None:
        self.registrar = registrar
        self.rung: list[Rung] = []
        self.address: Endpoint = ("", 0)
        self._on_rung = on_rung
        self._seen: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self, *, bind: str = "127.0.0.1", port: int = 0) -> None:
        """Begin to listen. Raises ``OSError`` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(bind, port))
        self.address = self._transport.get_extra_info("sockname")[:2]

    def stop(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        """Read one message; what is not SIP (a keep-alive, noise) is dropped (RFC 3261 §18.3)."""
        now = time.monotonic()
        try:
            message = Message.parse(data)
            if isinstance(message, Response):
                self._pass_back(message)
            else:
                self._take(message, addr, now)
        except (ValueError, KeyError, IndexError):
            return

    def error_received(self, exc: Exception) -> None:
        """Ignore an ICMP port unreachable: the caller's own timers decide (RFC 3261 §16.11)."""

    def _take(self, request: Request, source: Endpoint, now: float) -> None:
        _stamp(request, source)
        target, code = self._decide(request, source, now)
        self._count(request, code, now)
        if target is not None:
            self._pass_on(request, target)
        elif request.method != "ACK":  # an ACK is never answered (RFC 3261 §17)
            self._answer(request, code)

    def _decide(self, request: Request, source: Endpoint, now: float) -> tuple[Endpoint | None, int]:
        """Return where a request goes, or the code it is answered with."""
        if request.max_forwards == 0:
            return None, 483
        if not self._is_mine(request.uri):
            return (self._elsewhere(request.uri), 0) if _is_loopback(request.uri.host) else (None, 403)
        if request.method == "REGISTER":
            code, bound = self.registrar.register(request, source=source, now=now)
            request.headers.setlist("Contact", [str(contact) for contact in bound])
            return None, code
        user = request.uri.user
        if user is None:
            return None, 200 if request.method == "OPTIONS" else 404
        binding = self.registrar.find(user, now=now)
        if binding is not None:
            request.uri = binding.contact.uri  # RFC 3261 §16.5: the location service's address
            return binding.target, 0
        if request.method == "CANCEL":
            return None, 481
        return None, 480 if self.registrar.knows(user) else 404

    def _is_mine(self, uri: URI) -> bool:
        return (uri.host, uri.port or 5060) == self.address

    def _elsewhere(self, uri: URI) -> Endpoint:
        return uri.host, uri.port or 5060

    def _count(self, request: Request, code: int, now: float) -> None:
        """Note a new call once; a tag in To makes it a re-INVITE (RFC 3261 §14)."""
        if request.method != "INVITE" or "tag" in request.to_address.parameters:
            return
        branch = request.via[0].parameters.get("branch") or request.call_id
        if branch in self._seen:
            return
        self._seen.add(branch)
        user = request.to_address.uri.user or ""
        rung = Rung(user=user, call_id=request.call_id, at_monotonic=now, answer=code)
        self.rung.append(rung)
        self._on_rung(rung)

    def _pass_on(self, request: Request, target: Endpoint) -> None:
        host, port = self.address
        forwards = request.max_forwards
        request.headers.set("Max-Forwards", str(70 if forwards is None else forwards - 1))
        own = Via(transport="UDP", host=host, port=port, parameters=Parameters(branch=_branch(request)))
        request.headers.setlist("Via", [str(own), *request.headers.getlist("Via")])
        route = request.headers.getlist("Route")
        if route and f"{host}:{port}" in route[0]:  # loose routing: take ourselves off (RFC 3261 §16.4)
            request.headers.setlist("Route", route[1:]) if route[1:] else request.headers.remove("Route")
        self._send(request, target)

    def _pass_back(self, response: Response) -> None:
        """Take our Via off and send along the next (RFC 3261 §16.11, §18.2.2)."""
        own, *rest = response.via
        if (own.host, own.port) != self.address or not rest:
            return
        response.headers.setlist("Via", [str(via) for via in rest])
        self._send(response, _return_path(rest[0]))

    def _answer(self, request: Request, code: int) -> None:
        response = Response(code, PHRASES[code])
        response.via = request.via
        for name in ("From", "Call-ID", "CSeq"):
            response.headers.set(name, request.headers[name])
        to = request.headers["To"]
        # The same tag for every retransmission: we remember nothing (RFC 3261 §8.2.7).
        response.headers.set("To", to if ";tag=" in to else f"{to};tag={_digest(request.call_id)}")
        for contact in request.headers.getlist("Contact") if request.method == "REGISTER" else []:
            response.headers.add("Contact", contact)
        response.headers.set("Content-Length", "0")
        self._send(response, _return_path(request.via[0]))

    def _send(self, message: Request | Response, target: Endpoint) -> None:
        if self._transport is not None and _is_loopback(target[0]):
            self._transport.sendto(bytes(message), target)


def _stamp(request: Request, source: Endpoint) -> None:
    """Write where a request really came from into its top Via (RFC 3261 §18.2.1, RFC 3581 §4)."""
    top, *rest = request.via
    parameters = top.parameters.replace(received=source[0])
    if "rport" in top.parameters:
        parameters = parameters.replace(rport=str(source[1]))
    stamped = Via(transport=top.transport, host=top.host, port=top.port, parameters=parameters)
    request.headers.setlist("Via", [str(stamped), *(str(via) for via in rest)])


def _return_path(via: Via) -> Endpoint:
    """Where a response to this Via goes (RFC 3581 §4, RFC 3261 §18.2.2)."""
    rport = via.parameters.get("rport")
    return via.parameters.get("received") or via.host, int(rport) if rport else via.port or 5060


def _branch(request: Request) -> str:
    """One branch per transaction, the same for its CANCEL, ACK and retransmissions (RFC 3261 §16.11)."""
    received = request.via[0].parameters.get("branch") or ""
    return MAGIC + _digest(received if received.startswith(MAGIC) else f"{request.call_id}{request.cseq.sequence}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def serve(*, bind: str, port: int, users: list[str]) -> None:
    """Be an exchange until the parent ends; says who is rung, as it happens."""
    exchange = Exchange(Registrar(known=frozenset(users)), on_rung=lambda rung: tell("rung", **asdict(rung)))
    try:
        await exchange.start(bind=bind, port=port)
    except OSError as error:
        tell("failed", reason=f"UDP port {port} of {bind} cannot be taken ({error.strerror}): choose another")
        return
    tell("listening", port=exchange.address[1])
    await until_told_to_end()
    exchange.stop()


def main(arguments: list[str]) -> None:
    """``python -m outbound.rehearsal.exchange BIND PORT USER…``."""
    bind, port, *users = arguments
    run(serve(bind=bind, port=int(port), users=users))


if __name__ == "__main__":
    main(sys.argv[1:])
