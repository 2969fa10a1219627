"""The event stream: told as it happens, resumed without a gap, ended when the client or the service leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse

from outbound.api import event_routes
from outbound.api.event_routes import OPEN_STREAMS
from tests.outbound.conftest import Api, a_person

pytestmark = pytest.mark.integration


class Stream:
    """Reads a stream message by message."""

    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while (line := (await self.answer.content.readline()).decode()) != "\n":
            assert line, "the stream has ended"
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.strip()
        return fields

    async def event(self) -> dict[str, Any]:
        while "data" not in (block := await self.block()):
            pass
        event: dict[str, Any] = json.loads(block["data"])
        assert block["id"] == str(event["id"])
        return event


@asynccontextmanager
async def following(api: Api, path: str = "/v1/events", **headers: str) -> AsyncIterator[Stream]:
    async with api.client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        stream = Stream(answer)
        assert await stream.block() == {"retry": "1000"}
        yield stream


async def test_events_arrive_as_they_happen(api: Api) -> None:
    async with following(api) as stream:
        assert stream.answer.headers["Cache-Control"] == "no-store"
        campaign = await api.a_campaign()
        event = await stream.event()
        assert (event["kind"], event["campaign_id"]) == ("campaign.created", campaign)
        await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1), expect=200)
        await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
        kinds = [(await stream.event())["kind"] for _ in range(3)]
        assert kinds == ["import.done", "campaign.started", "attempt.due"]


async def test_a_stream_goes_on_behind_the_last_event_that_is_known(api: Api) -> None:
    for _ in range(3):
        await api.a_campaign()
    async with following(api, "/v1/events?after=0") as stream:
        events = [await stream.event() for _ in range(3)]
    for more in ({"path": f"/v1/events?after={events[0]['id']}"}, {"Last-Event-ID": str(events[0]["id"])}):
        async with following(api, **more) as stream:
            assert await stream.event() == events[1]
            assert await stream.event() == events[2]
    async with following(api, "/v1/events?after=0", **{"Last-Event-ID": str(events[1]["id"])}) as stream:
        assert await stream.event() == events[2]


async def test_a_campaigns_stream_tells_of_nothing_else(api: Api) -> None:
    first, second = await api.a_campaign(), await api.a_campaign()
    async with following(api, f"/v1/campaigns/{second}/events") as stream:
        await api("POST", f"/v1/campaigns/{first}/cancel", expect=200)
        await api("POST", f"/v1/campaigns/{second}/start", expect=200)
        event = await stream.event()
        assert (event["kind"], event["campaign_id"]) == ("campaign.started", second)


async def test_silence_is_broken_by_signs_of_life(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_routes, "HEARTBEAT_S", 0.0)
    async with following(api) as stream:
        assert await stream.block() == {"": "alive"}


async def test_a_client_that_leaves_is_noticed(api: Api) -> None:
    streams = api.client.app[OPEN_STREAMS]
    async with following(api):
        (task,) = streams.tasks
    async with asyncio.timeout(20):
        await asyncio.wait([task])
    assert streams.tasks == set()
    assert not api.services.stream._waiters


async def test_the_service_can_stop_while_somebody_follows(api: Api) -> None:
    async with following(api) as stream:
        await api.client.app.shutdown()
        rest = await stream.answer.content.read()
        assert rest == b""


async def test_wrong_places_to_begin_are_refused(api: Api) -> None:
    for last in ("x", "-1", "9" * 30, "\u00b2", "1.5"):
        problem = await api.refused("GET", "/v1/events", headers={"Last-Event-ID": last}, expect=400)
        assert problem["errors"][0]["field"] == "Last-Event-ID"
    for after in ("-1", "x", str(2**63)):
        await api.refused("GET", f"/v1/events?after={after}", expect=422)
