"""The exchange: registration, routing, CANCEL, refusals and counting, with real UDP telephones on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sipmessage import Message, Request, Response

from outbound.rehearsal.exchange import Exchange, Rung
from outbound.rehearsal.registrar import Endpoint, Registrar

pytestmark = pytest.mark.integration
CUSTOMER, ABSENT = "+12025550101", "+12025550102"


class Telephone(asyncio.DatagramProtocol):
    """A bare UDP socket that speaks what it is told."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Request | Response] = asyncio.Queue()
        self.address: Endpoint = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.address = self._transport.get_extra_info("sockname")[:2]

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        self.inbox.put_nowait(Message.parse(data))

    def send(self, message: bytes, to: Endpoint) -> None:
        assert self._transport is not None
        self._transport.sendto(message, to)

    async def receive(self) -> Request | Response:
        return await asyncio.wait_for(self.inbox.get(), 5)

    async def request(self) -> Request:
        message = await self.receive()
        assert isinstance(message, Request)
        return message

    async def response(self) -> Response:
        message = await self.receive()
        assert isinstance(message, Response)
        return message

    def ask(
        self,
        exchange: Exchange,
        method: str,
        user: str,
        *,
        branch: str = "z9hG4bKone",
        host: str = "",
        forwards: int = 70,
        to_tag: str = "",
        extra: str = "",
    ) -> None:
        place = host or f"{exchange.address[0]}:{exchange.address[1]}"
        target = f"sip:{user}@{place}" if user else f"sip:{place}"
        record = user or CUSTOMER
        text = (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address[0]}:{self.address[1]};rport;branch={branch}\r\n"
            f"Max-Forwards: {forwards}\r\nFrom: <sip:robot@127.0.0.1>;tag=a\r\n"
            f"To: <sip:{record}@{place}>{to_tag}\r\nCall-ID: {branch}-call\r\nCSeq: 1 {method}\r\n"
            f"{extra}Content-Length: 0\r\n\r\n"
        )
        self.send(text.encode(), exchange.address)

    async def register(self, exchange: Exchange, user: str, *, expires: int = 60) -> Response:
        contact = f"Contact: <sip:{user}@{self.address[0]}:{self.address[1]}>\r\nExpires: {expires}\r\n"
        record = f"To: <sip:{user}@127.0.0.1>\r\n"
        text = (
            f"REGISTER sip:{exchange.address[0]}:{exchange.address[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address[0]}:{self.address[1]};rport;branch=z9hG4bKreg{expires}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{user}@127.0.0.1>;tag=r\r\n{record}"
            f"Call-ID: reg\r\nCSeq: 1 REGISTER\r\n{contact}Content-Length: 0\r\n\r\n"
        )
        self.send(text.encode(), exchange.address)
        return await self.response()


def reply(request: Request, code: int, phrase: str) -> bytes:
    response = Response(code, phrase)
    response.via = request.via
    for name in ("From", "To", "Call-ID", "CSeq"):
        response.headers.set(name, request.headers[name])
    response.headers.set("Content-Length", "0")
    return bytes(response)


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    running = Exchange(Registrar(known=frozenset({CUSTOMER, ABSENT})))
    await running.start()
    yield running
    running.stop()


@pytest.fixture
async def caller() -> AsyncIterator[Telephone]:
    telephone = Telephone()
    await telephone.open()
    yield telephone
    telephone.close()


@pytest.fixture
async def customer(exchange: Exchange) -> AsyncIterator[Telephone]:
    telephone = Telephone()
    await telephone.open()
    assert (await telephone.register(exchange, CUSTOMER)).code == 200
    yield telephone
    telephone.close()


async def test_a_call_reaches_the_registered_contact_and_its_answer_comes_back(
    exchange: Exchange, caller: Telephone, customer: Telephone
) -> None:
    caller.ask(exchange, "INVITE", CUSTOMER)
    invite = await customer.request()
    assert (invite.uri.host, invite.uri.port) == customer.address
    assert invite.max_forwards == 69
    assert [(via.host, via.port) for via in invite.via] == [exchange.address, caller.address]
    assert invite.via[1].parameters["rport"] == str(caller.address[1])
    customer.send(reply(invite, 200, "OK"), exchange.address)
    answer = await caller.response()
    assert answer.code == 200
    assert [(via.host, via.port) for via in answer.via] == [caller.address]


async def test_cancel_and_ack_travel_in_the_invites_transaction(
    exchange: Exchange, caller: Telephone, customer: Telephone
) -> None:
    caller.ask(exchange, "INVITE", CUSTOMER)
    invite = await customer.request()
    caller.ask(exchange, "CANCEL", CUSTOMER)
    cancel = await customer.request()
    caller.ask(exchange, "ACK", CUSTOMER)
    ack = await customer.request()
    branches = {request.via[0].parameters["branch"] for request in (invite, cancel, ack)}
    assert [cancel.method, ack.method, len(branches)] == ["CANCEL", "ACK", 1]
    caller.ask(exchange, "INVITE", CUSTOMER, branch="z9hG4bKtwo")
    other = await customer.request()
    assert other.via[0].parameters["branch"] not in branches


@pytest.mark.parametrize(("user", "code"), [("+12025550199", 404), (ABSENT, 480)])
async def test_an_unknown_user_is_not_found_and_an_unregistered_one_unavailable(
    exchange: Exchange, caller: Telephone, user: str, code: int
) -> None:
    caller.ask(exchange, "INVITE", user)
    first = await caller.response()
    caller.ask(exchange, "INVITE", user)  # a retransmission gets the same answer, tag included
    assert [first.code, bytes(await caller.response())] == [code, bytes(first)]
    caller.ask(exchange, "CANCEL", user)
    assert (await caller.response()).code == 481
    caller.ask(exchange, "ACK", user)
    caller.ask(exchange, "OPTIONS", "")
    assert (await caller.response()).cseq.method == "OPTIONS"  # so the ACK was not answered


async def test_only_provisioned_users_register_and_expiry_zero_takes_the_binding_back(
    exchange: Exchange, caller: Telephone, customer: Telephone
) -> None:
    assert (await caller.register(exchange, "+12025550199")).code == 404
    answer = await customer.register(exchange, CUSTOMER, expires=30)
    assert [contact.parameters["expires"] for contact in answer.contact] == ["30"]
    assert (await customer.register(exchange, CUSTOMER, expires=0)).code == 200
    caller.ask(exchange, "INVITE", CUSTOMER)
    assert (await caller.response()).code == 480


async def test_nothing_leaves_this_machine_and_nothing_goes_round_for_ever(
    exchange: Exchange, caller: Telephone
) -> None:
    caller.ask(exchange, "INVITE", CUSTOMER, host="192.0.2.1:5060")
    assert (await caller.response()).code == 403
    caller.ask(exchange, "INVITE", CUSTOMER, branch="z9hG4bKthree", forwards=0)
    assert (await caller.response()).code == 483


async def test_each_call_is_counted_once(exchange: Exchange, caller: Telephone, customer: Telephone) -> None:
    for branch in ("z9hG4bKa", "z9hG4bKa", "z9hG4bKb"):
        caller.ask(exchange, "INVITE", CUSTOMER, branch=branch)
        await customer.request()
    caller.ask(exchange, "INVITE", CUSTOMER, branch="z9hG4bKc", to_tag=";tag=x")  # inside a dialog
    await customer.request()
    caller.ask(exchange, "INVITE", ABSENT, branch="z9hG4bKd")
    await caller.response()
    assert [(rung.user, rung.answer) for rung in exchange.rung] == [(CUSTOMER, 0), (CUSTOMER, 0), (ABSENT, 480)]
    assert all(isinstance(rung, Rung) and rung.at_monotonic > 0 for rung in exchange.rung)


async def test_what_is_not_sip_is_dropped(exchange: Exchange, caller: Telephone) -> None:
    for noise in (b"\r\n\r\n", b"\x00\xff" * 40, b"INVITE sip:a SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n"):
        caller.send(noise, exchange.address)
    caller.ask(exchange, "OPTIONS", "")
    assert (await caller.response()).code == 200


async def test_a_taken_port_is_an_error(exchange: Exchange) -> None:
    with pytest.raises(OSError, match="in use"):
        await Exchange(Registrar()).start(port=exchange.address[1])
