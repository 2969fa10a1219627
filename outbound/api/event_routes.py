"""The event stream as Server-Sent Events (WHATWG HTML §9.2): resumable, unbuffered, and it notices who has left."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from outbound.api import views
from outbound.api.calls import Call
from outbound.api.models import EventsQuery, FieldError, LiveEvent
from outbound.api.problems import InvalidFields
from outbound.api.routes import Routes
from outbound.store import campaigns

routes = Routes("events")
RETRY_MS = 1000
HEARTBEAT_S = 10.0
MAX_ID = 2**63 - 1


@dataclass(slots=True)
class OpenStreams:
    """The streams of this process."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    stopping: bool = False


OPEN_STREAMS = web.AppKey("open_streams", OpenStreams)


@routes.add("GET", "/v1/events", "Follow all events", produces={"text/event-stream": LiveEvent})
async def follow_events(call: Call, query: EventsQuery) -> web.StreamResponse:
    """One message an event, ``data`` as JSON, ``id`` to go on from with ``Last-Event-ID``."""
    return await _follow(call, query, None)


@routes.add(
    "GET",
    "/v1/campaigns/{campaign_id}/events",
    "Follow a campaign's events",
    produces={"text/event-stream": LiveEvent},
)
async def follow_campaign(call: Call, campaign_id: str, query: EventsQuery) -> web.StreamResponse:
    """Like ``/v1/events``, of one campaign."""
    await call.read(lambda connection: campaigns.get(connection, campaign_id))
    return await _follow(call, query, campaign_id)


async def end_streams(app: web.Application) -> None:
    """End every stream, so that a stop does not wait for clients that never leave."""
    streams = app[OPEN_STREAMS]
    streams.stopping = True
    for task in tuple(streams.tasks):
        task.cancel()


async def _follow(call: Call, query: EventsQuery, campaign_id: str | None) -> web.StreamResponse:
    after = _after(call.request, query)
    if after is None:
        after = await call.services.stream.latest()
    answer = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await answer.prepare(call.request)
    task = asyncio.current_task()
    assert task is not None
    streams = call.request.app[OPEN_STREAMS]
    streams.tasks.add(task)
    try:
        await answer.write(f"retry: {RETRY_MS}\n\n".encode())
        await _pump(call, answer, after, campaign_id)
    except ConnectionError:
        pass  # the client has left
    except asyncio.CancelledError:
        if not streams.stopping:
            raise
        task.uncancel()  # the client gets a proper end
    finally:
        streams.tasks.discard(task)
    return answer


async def _pump(call: Call, answer: web.StreamResponse, after: int, campaign_id: str | None) -> None:
    spoke = time.monotonic()
    events = call.services.stream.follow(after=after, campaign_id=campaign_id)
    try:
        async for batch in events:
            transport = call.request.transport
            if transport is None or transport.is_closing():
                return
            if batch:
                text = "".join(_message(views.live_event(event)) for event in batch)
            elif time.monotonic() - spoke >= HEARTBEAT_S:
                text = ": alive\n\n"
            else:
                continue
            await answer.write(text.encode())
            spoke = time.monotonic()
    finally:
        await events.aclose()  # type: ignore[attr-defined]


def _message(event: LiveEvent) -> str:
    return f"id: {event.id}\ndata: {event.model_dump_json()}\n\n"


def _after(request: web.Request, query: EventsQuery) -> int | None:
    last = request.headers.get("Last-Event-ID", "").strip()
    if not last:
        return query.after
    if not (last.isascii() and last.isdigit() and int(last[:20]) <= MAX_ID):
        reason = "it is no id of this stream; leave it out to begin now"
        raise InvalidFields([FieldError(field="Last-Event-ID", code="invalid_event_id", reason=reason)], status=400)
    return int(last)
