"""The rehearsal's REST client against a small real server: problems, pages, imports, and events over broken lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from outbound.errors import OutboundError, Unavailable
from outbound.rehearsal.client import RestClient

pytestmark = pytest.mark.integration


class Server:
    """Answers as the product does, as far as these tests ask."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.uploaded = b""
        self.polls = 0
        self.connections: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/things", self.things)
        app.router.add_post("/v1/things", self.make)
        app.router.add_post("/v1/campaigns/{id}/contacts", self.contacts)
        app.router.add_get("/v1/imports/{id}", self.imports)
        app.router.add_get("/v1/events", self.events)
        return app

    async def things(self, request: web.Request) -> web.Response:
        page = {None: ([1, 2], "next"), "next": ([3], None)}[request.query.get("cursor")]
        self.seen.append((request.headers["Authorization"], request.query["number"]))
        return web.json_response({"items": [{"n": n} for n in page[0]], "next_cursor": page[1]})

    async def make(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        body = await request.json()
        if body.get("good"):
            return web.json_response(body, status=201)
        if body.get("bare"):
            return web.Response(status=500, text="<html>")
        problem = {
            "code": "invalid",
            "detail": "2 fields are wrong",
            "errors": [{"field": "number", "reason": "too short"}],
        }
        return web.json_response(problem, status=422, content_type="application/problem+json")

    async def contacts(self, request: web.Request) -> web.Response:
        self.uploaded = await request.read()
        return web.json_response({"id": "i1", "state": "queued"}, status=202)

    async def imports(self, request: web.Request) -> web.Response:
        self.polls += 1
        state = "running" if self.polls == 1 else "failed" if self.uploaded == b"bad" else "done"
        return web.json_response({"id": "i1", "state": state, "error": "no column 'number'", "accepted": 1})

    async def events(self, request: web.Request) -> web.StreamResponse:
        after = int(request.headers["Last-Event-ID"])
        self.connections.append(request.headers["Last-Event-ID"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": alive\n\n")
        for number in range(after + 1, after + 3):
            data = json.dumps({"id": number, "kind": "call.said", "data": {"text": "data: " + "x" * 70_000}})
            await response.write(f"id: {number}\nevent: call.said\ndata: {data}\n\n".encode())
        return response  # and the connection ends here


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    made = Server()
    runner = web.AppRunner(made.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_list_is_read_page_by_page_with_the_operators_key(server: tuple[Server, str]) -> None:
    made, url = server
    async with RestClient(url, "secret") as client:
        assert await client.items("/v1/things", number="+1") == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert made.seen == [("Bearer secret", "+1")] * 2


async def test_every_write_has_its_own_key_and_a_problem_becomes_an_error(server: tuple[Server, str]) -> None:
    made, url = server
    async with RestClient(url, "secret") as client:
        assert await client.post("/v1/things", {"good": True}) == {"good": True}
        with pytest.raises(OutboundError, match="POST /v1/things: 2 fields are wrong\n  number: too short") as wrong:
            await client.post("/v1/things", {})
        assert (wrong.value.code, wrong.value.status) == ("invalid", 422)
        with pytest.raises(OutboundError, match="HTTP 500"):
            await client.post("/v1/things", {"bare": True})
    assert len(set(made.keys)) == 3


async def test_a_host_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    async with RestClient(f"http://127.0.0.1:{unused_tcp_port}", "secret") as client:
        with pytest.raises(Unavailable, match="GET /v1/things"):
            await client.get("/v1/things")


async def test_an_upload_is_followed_to_the_end_of_its_import(server: tuple[Server, str]) -> None:
    made, url = server
    async with RestClient(url, "secret") as client:
        done = await client.upload("c1", b"number\n+1\n")
        assert (done["accepted"], made.uploaded, made.polls) == (1, b"number\n+1\n", 2)
        with pytest.raises(OutboundError, match="no column 'number'"):
            await client.upload("c1", b"bad")


async def test_events_come_once_each_over_broken_connections(server: tuple[Server, str]) -> None:
    made, url = server
    found: list[dict[str, Any]] = []
    async with RestClient(url, "secret") as client:
        async for event in client.follow():
            found.append(event)
            if len(found) == 5:
                break
    assert [event["id"] for event in found] == [1, 2, 3, 4, 5]
    assert made.connections[:3] == ["0", "2", "4"]
