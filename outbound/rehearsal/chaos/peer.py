"""The far end of a chaos run: a SIP user agent on loopback UDP that counts INVITEs and behaves by number (RFC 3261).

It is never killed, forgets nothing, tells its parent everything it sees with the kernel's own time stamp, and has no
media: who is answered hears silence.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sipmessage import Message, Request, Response

from outbound.rehearsal.chaos.peer_messages import Endpoint, hang_up, respond, silence
from outbound.rehearsal.chaos.people import CODES, Conduct, conduct, draw
from outbound.rehearsal.child import run, tell, until_told_to_end

SO_TIMESTAMPNS = 35
"""Linux: each datagram comes with the instant (CLOCK_REALTIME) at which the kernel took it."""
RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024
T1_S, T2_S = 0.5, 4.0
"""RFC 3261 §17.1.1.1."""
REPEATS_S = 8.0
"""A final response that nobody confirms is not repeated for longer: the caller was killed."""
PATIENCE_S = 15.0
"""A call that its caller left ringing or talking for so long is over: the caller was killed."""
Say = Callable[..., None]


@dataclass(slots=True)
class Ring:
    """One INVITE transaction, and the call that it became."""

    invite: Request
    source: Endpoint
    branch: str
    conduct: Conduct
    pause: float
    """From 0 to 1: how long this one takes over everything."""
    answer: bytes = b""
    """The final response, once it is given."""
    confirmed: bool = False
    answered: bool = False
    over: bool = False
    bye: bytes = b""
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Peer:
    """All telephones of a run behind one socket."""

    def __init__(self, seed: int, say: Say = tell) -> None:
        self._seed, self._say = seed, say
        self._rings: dict[str, Ring] = {}
        """By branch: a repeated request has the same (RFC 3261 §17.2.3)."""
        self._dialogs: dict[str, Ring] = {}
        """By Call-ID."""
        self._called: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.address: Endpoint = self._socket.getsockname()[:2]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        for ring in self._rings.values():
            _stop(ring)
        self._socket.close()

    def _readable(self) -> None:
        while True:
            try:
                data, ancillary, _, source = self._socket.recvmsg(65536, 512)
            except BlockingIOError:
                return
            except OSError:  # an ICMP port unreachable of a caller that was killed
                continue
            try:
                message = Message.parse(data)
            except ValueError:  # a keep-alive, noise (RFC 3261 §18.3)
                continue
            self._take(message, source, _stamp(ancillary))

    def _take(self, message: Message, source: Endpoint, at: float) -> None:
        if isinstance(message, Response):
            self._take_response(message)
            return
        assert isinstance(message, Request)
        match message.method:
            case "INVITE":
                self._take_invite(message, source, at)
            case "ACK":
                self._take_ack(message)
            case "CANCEL":
                self._take_cancel(message, source, at)
            case "BYE":
                self._take_bye(message, source, at)
            case "OPTIONS" | "INFO" | "UPDATE":
                self._send(respond(message, 200), source)
            case _:
                self._send(respond(message, 405), source)

    # -- an INVITE and what becomes of it ----------------------------------------------------------------------

    def _take_invite(self, invite: Request, source: Endpoint, at: float) -> None:
        branch = invite.via[0].parameters.get("branch") or f"{invite.call_id}/{invite.cseq.sequence}"
        known = self._rings.get(branch)
        if known is not None:
            self._say("again", branch=branch, at=at)
            if known.answer:
                self._send(known.answer, source)
            return
        number = invite.uri.user or ""
        self._called[number] += 1
        nth = self._called[number]
        ring = Ring(
            invite=invite,
            source=source,
            branch=branch,
            conduct=conduct(self._seed, number, nth),
            pause=draw(self._seed, f"{number}/{nth}/pause"),
        )
        self._rings[branch] = ring
        self._say("invite", number=number, call_id=invite.call_id, branch=branch, at=at)
        self._dialogs[invite.call_id] = ring
        if ring.conduct in CODES:
            self._final(ring, CODES[ring.conduct])
            return
        self._send(respond(invite, 180, tag=_tag(ring)), source)
        if ring.conduct is Conduct.RINGS:
            self._later(ring, PATIENCE_S, lambda: self._abandon(ring))
        else:
            self._later(ring, 0.1 + 0.4 * ring.pause, lambda: self._pick_up(ring))

    def _pick_up(self, ring: Ring) -> None:
        ring.answered = True
        self._final(ring, 200)
        if ring.conduct is Conduct.ANSWERS:
            self._later(ring, 0.2 + 0.8 * ring.pause, lambda: self._put_down(ring))
        else:
            self._later(ring, PATIENCE_S, lambda: self._abandon(ring))

    def _put_down(self, ring: Ring) -> None:
        if ring.over:
            return
        self._end(ring, "peer")
        ring.bye = hang_up(ring.invite, self.address, tag=_tag(ring), branch=ring.branch)
        self._repeat(ring, lambda: ring.bye, T1_S, REPEATS_S)

    def _abandon(self, ring: Ring) -> None:
        """The caller was killed: nobody will ever end this call."""
        self._end(ring, "abandoned")

    def _final(self, ring: Ring, code: int) -> None:
        body = silence(self.address) if code == 200 else b""
        contact = f"<sip:peer@{self.address[0]}:{self.address[1]}>" if code == 200 else ""
        ring.answer = respond(ring.invite, code, tag=_tag(ring), contact=contact, body=body)
        self._say("final", branch=ring.branch, code=code)
        if code != 200:
            self._end(ring, "refused")
        self._repeat(ring, lambda: b"" if ring.confirmed else ring.answer, T1_S, REPEATS_S)

    def _end(self, ring: Ring, by: str) -> None:
        if not ring.over:
            ring.over = True
            self._say("over", branch=ring.branch, by=by)

    # -- what the caller sends later ---------------------------------------------------------------------------

    def _take_ack(self, ack: Request) -> None:
        ring = self._dialogs.get(ack.call_id)
        if ring is not None:
            ring.confirmed = True

    def _take_cancel(self, cancel: Request, source: Endpoint, at: float) -> None:
        ring = self._rings.get(cancel.via[0].parameters.get("branch") or "")
        self._send(respond(cancel, 200 if ring is not None else 481), source)
        if ring is not None and not ring.answer:
            _stop(ring)
            self._final(ring, 487)

    def _take_bye(self, bye: Request, source: Endpoint, at: float) -> None:
        ring = self._dialogs.get(bye.call_id)
        self._send(respond(bye, 200 if ring is not None else 481), source)
        if ring is not None:
            ring.confirmed = True
            self._end(ring, "caller")

    def _take_response(self, response: Response) -> None:
        ring = self._dialogs.get(response.call_id)
        if ring is not None and response.cseq.method == "BYE" and response.code >= 200:
            ring.bye = b""

    # -- sending -----------------------------------------------------------------------------------------------

    def _repeat(self, ring: Ring, what: Callable[[], bytes], pause_s: float, left_s: float) -> None:
        """Send until it is confirmed, ever more slowly (RFC 3261 §17.2.1, §13.3.1.4)."""
        data = what()
        if not data or left_s <= 0:
            return
        self._send(data, ring.source)
        following = min(pause_s * 2, T2_S)
        self._later(ring, pause_s, lambda: self._repeat(ring, what, following, left_s - pause_s))

    def _later(self, ring: Ring, seconds: float, act: Callable[[], None]) -> None:
        ring.timers.append(self._loop.call_later(seconds, act))

    def _send(self, data: bytes, target: Endpoint) -> None:
        if ipaddress.ip_address(target[0]).is_loopback:
            try:
                self._socket.sendto(data, target)
            except OSError:
                return  # whoever was there was killed


def _tag(ring: Ring) -> str:
    return f"{int(ring.pause * 2**52):x}"


def _stop(ring: Ring) -> None:
    for timer in ring.timers:
        timer.cancel()
    ring.timers.clear()


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> float:
    seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
    return float(seconds + nanoseconds / 1e9)


async def serve(seed: int) -> None:
    """Be the peer until the parent ends; says what happens, as it happens."""
    peer = Peer(seed)
    tell("listening", port=peer.address[1])
    await until_told_to_end()
    peer.close()


def main(arguments: list[str]) -> None:
    """``python -m outbound.rehearsal.chaos.peer SEED``."""
    run(serve(int(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
