"""Posting: what is refused at the moment of connecting, and what becomes of answers that are slow, huge or none."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web

from outbound.webhooks.posting import ANSWER_LIMIT, Poster
from outbound.webhooks.targets import PrivateTargets, TargetRefused, examine
from tests.outbound.webhook_world import Endpoint, Post, an_endpoint

pytestmark = pytest.mark.integration

NONE, ALL = PrivateTargets.read("false"), PrivateTargets.read("true")
NAME = "shop.example"


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with an_endpoint() as made:
        yield made


class Rebinding:
    """A name server that says something else each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        assert host == NAME
        return self.answers.pop(0)


async def test_a_name_that_has_moved_to_a_private_address_since_is_not_connected_to(endpoint: Endpoint) -> None:
    port = endpoint.url.split(":")[2].split("/")[0]
    names = Rebinding(["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"])
    url = f"https://{NAME}:{port}/hook"
    assert not await examine(url, ALL, names)
    async with Poster(ALL, look_up=names) as poster:
        for _ in range(2):
            answer = await poster.post(url, {}, b"{}", private=False)
            assert (answer.code, answer.delivered) == (0, False)
            assert answer.error.startswith("refused: it leads to a private address")
    assert endpoint.got == []


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(endpoint: Endpoint) -> None:
    names = Rebinding(["127.0.0.1"], ["8.8.8.8"])
    async with Poster(ALL, look_up=names) as poster:
        assert (await poster.post(endpoint.url.replace("127.0.0.1", NAME), {}, b"{}", private=True)).code == 204
    assert len(endpoint.got) == 1
    assert names.answers == [["8.8.8.8"]]


async def test_an_address_in_the_url_is_checked_too_whatever_was_stored(endpoint: Endpoint) -> None:
    async with Poster(ALL) as open_minded, Poster(NONE) as strict:
        for poster, private in ((open_minded, False), (strict, True), (strict, False)):
            answer = await poster.post(endpoint.url, {}, b"{}", private=private)
            assert answer.error.startswith("refused")
        assert (await open_minded.post(endpoint.url, {}, b"{}", private=True)).delivered
    assert len(endpoint.got) == 1


async def test_a_webhook_made_for_http_in_a_private_network_does_not_leave_it() -> None:
    async with Poster(ALL, look_up=Rebinding(["8.8.8.8"])) as poster:
        answer = await poster.post(f"http://{NAME}/hook", {}, b"{}", private=True)
    assert answer.error == "refused: http is only for private networks; use https"


async def test_this_machine_by_its_name_is_refused() -> None:
    with pytest.raises(TargetRefused) as caught:
        await examine("https://localhost/", NONE)
    assert caught.value.code == "private_target"


async def test_an_endpoint_that_says_nothing_is_given_up(endpoint: Endpoint) -> None:
    never = asyncio.Event()

    async def hang(_: Post) -> web.Response:
        await never.wait()
        return web.Response()

    endpoint.answer = hang
    async with Poster(ALL, timeout_s=0.2) as poster:
        answer = await poster.post(endpoint.url, {}, b"{}", private=True)
    assert (answer.code, answer.error) == (0, "no answer in time")
    never.set()


async def test_the_status_is_the_verdict_however_the_rest_of_the_answer_comes(endpoint: Endpoint) -> None:
    async def endless(_: Post) -> web.StreamResponse:
        return web.Response(body=b"x" * (ANSWER_LIMIT * 50))

    async def bomb(_: Post) -> web.StreamResponse:
        packed = gzip.compress(b"\0" * 10_000_000)
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async def lying(_: Post) -> web.StreamResponse:
        return web.Response(body=b"plain", headers={"Content-Encoding": "gzip"})

    async with Poster(ALL) as poster:
        for answer in (endless, bomb, lying):
            endpoint.answer = answer
            assert (await poster.post(endpoint.url, {}, b"{}", private=True)).code == 200


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"]
)
async def test_what_is_no_http_is_a_failure(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server, Poster(ALL) as poster:
        port = server.sockets[0].getsockname()[1]
        for scheme in ("http", "https"):
            answer = await poster.post(f"{scheme}://127.0.0.1:{port}/", {}, b"{}", private=True)
            assert (answer.code, bool(answer.error)) == (0, True)
            assert "SSH" not in answer.error


async def test_a_closed_port_is_a_failure_that_says_so() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Poster(ALL) as poster:
        answer = await poster.post(f"http://127.0.0.1:{port}/", {}, b"{}", private=True)
    assert answer.error.startswith("no connection")


async def test_a_name_that_is_gone_is_a_failure_that_says_so() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    async with Poster(ALL, look_up=unknown) as poster:
        answer = await poster.post(f"https://{NAME}/", {}, b"{}", private=False)
    assert answer.error == "the name cannot be resolved"
