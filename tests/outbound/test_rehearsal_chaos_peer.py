"""The peer of a chaos run over a real socket: it counts INVITEs, tells repeats apart, behaves, and ends every call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sipmessage import Message, Request, Response

from outbound.rehearsal.chaos.peer import Peer
from outbound.rehearsal.chaos.people import Conduct, conduct, numbers
from outbound.rehearsal.chaos.sightings import Sightings
from outbound.rehearsal.children import Told

pytestmark = pytest.mark.integration

SEED = 7


def somebody(kind: Conduct) -> str:
    """A number whose first call goes like this."""
    return next(number for number in numbers(1000) if conduct(SEED, number, 1) is kind)


@dataclass
class Caller(asyncio.DatagramProtocol):
    """The near end: sends requests as they are, and confirms final responses."""

    peer: Peer
    sightings: Sightings
    got: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        message = Message.parse(data)
        if isinstance(message, Request):
            self.transport.sendto(_answer(message), self.peer.address)
        self.got.put_nowait(message)

    def send(self, method: str, number: str, call: str, *, branch: str = "", to_tag: str = "") -> None:
        host, port = self.address
        tag = f";tag={to_tag}" if to_tag else ""
        lines = [
            f"{method} sip:{number}@{self.peer.address[0]}:{self.peer.address[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{branch or call}",
            f"From: <sip:caller@{host}>;tag=near",
            f"To: <sip:{number}@{host}>{tag}",
            f"Call-ID: {call}-1@outbound",
            f"CSeq: 1 {method}",
            f"Contact: <sip:caller@{host}:{port}>",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        self.transport.sendto("".join(f"{line}\r\n" for line in [*lines, ""]).encode(), self.peer.address)

    async def until(self, code: int) -> Response:
        """Wait for a response, passing over what comes before it."""
        async with asyncio.timeout(20):
            while True:
                message = await self.got.get()
                if isinstance(message, Response) and message.code == code:
                    return message

    async def until_request(self, method: str) -> Request:
        async with asyncio.timeout(20):
            while True:
                message = await self.got.get()
                if isinstance(message, Request) and message.method == method:
                    return message


def _answer(request: Request) -> bytes:
    copied = "".join(f"{name}: {request.headers[name]}\r\n" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
    return f"SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n".encode()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    sightings = Sightings()
    peer = Peer(SEED, lambda kind, **data: sightings.hear(Told(kind=kind, at_monotonic=time.monotonic(), data=data)))
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(lambda: Caller(peer, sightings), local_addr=("127.0.0.1", 0))
    yield made
    transport.close()
    peer.close()


async def test_a_repeated_invite_is_one_and_gets_the_same_answer(caller: Caller) -> None:
    number, before = somebody(Conduct.BUSY), time.time()
    caller.send("INVITE", number, "a1")
    first = await caller.until(486)
    caller.send("INVITE", number, "a1")
    second = await caller.until(486)
    caller.send("ACK", number, "a1")
    assert first.headers["To"] == second.headers["To"]
    (seen,) = caller.sightings.all
    assert (seen.number, seen.call_id, seen.code, seen.ended_by) == (number, "a1-1@outbound", 486, "refused")
    assert seen.again >= 1
    assert before - 1 < seen.at < time.time() + 1
    assert caller.sightings.in_progress == 0


async def test_a_second_invite_of_one_call_id_is_a_second_one(caller: Caller) -> None:
    number = somebody(Conduct.UNKNOWN)
    caller.send("INVITE", number, "a1")
    await caller.until(404)
    caller.send("INVITE", number, "a1", branch="another")
    async with asyncio.timeout(10):
        while caller.sightings.called[number] < 2:
            await caller.got.get()
    assert [seen.call_id for seen in caller.sightings.all] == ["a1-1@outbound"] * 2


async def test_who_answers_hangs_up(caller: Caller) -> None:
    number = somebody(Conduct.ANSWERS)
    caller.send("INVITE", number, "a1")
    await caller.until(180)
    answer = await caller.until(200)
    assert b"m=audio" in answer.body
    tag = answer.headers["To"].partition(";tag=")[2]
    caller.send("ACK", number, "a1", branch="ack", to_tag=tag)
    bye = await caller.until_request("BYE")
    assert bye.headers["From"].endswith(f";tag={tag}")
    assert bye.headers["To"].endswith(";tag=near")
    (seen,) = caller.sightings.all
    assert (seen.answered, seen.ended_by) == (True, "peer")


async def test_who_only_rings_is_cancelled(caller: Caller) -> None:
    number = somebody(Conduct.RINGS)
    caller.send("INVITE", number, "a1")
    await caller.until(180)
    assert caller.sightings.in_progress == 1
    caller.send("CANCEL", number, "a1")
    await caller.until(487)
    (seen,) = caller.sightings.all
    assert (seen.answered, seen.code) == (False, 487)
    assert caller.sightings.in_progress == 0


async def test_who_is_mute_waits_for_the_caller_to_hang_up(caller: Caller) -> None:
    number = somebody(Conduct.MUTE)
    caller.send("INVITE", number, "a1")
    answer = await caller.until(200)
    tag = answer.headers["To"].partition(";tag=")[2]
    caller.send("ACK", number, "a1", branch="ack", to_tag=tag)
    caller.send("BYE", number, "a1", branch="bye", to_tag=tag)
    await caller.until(200)
    (seen,) = caller.sightings.all
    assert seen.ended_by == "caller"
