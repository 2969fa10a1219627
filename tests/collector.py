"""An OpenTelemetry collector for tests: takes OTLP over HTTP (protobuf) and keeps the spans."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """One span as it came over the wire."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    attributes: dict[str, Any]
    links: tuple[str, ...]
    """Trace ids."""


@dataclass(slots=True)
class Collector:
    """What was received so far."""

    url: str = ""
    spans: list[Kept] = field(default_factory=list)
    raw: bytes = b""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, *names: str) -> None:
        """Wait until a span of each name is there."""
        async with asyncio.timeout(60):
            while not set(names) <= {span.name for span in self.spans}:
                self.changed.clear()
                await self.changed.wait()

    def tree(self, trace_id: str, parent_id: str = "") -> list[Any]:
        """Names of the spans of a trace below ``parent_id``, those with children as (name, children), by start."""
        mine = [span for span in self.spans if span.trace_id == trace_id]
        known = {span.span_id for span in mine}
        below = [
            span for span in mine if span.parent_id == parent_id or (not parent_id and span.parent_id not in known)
        ]
        shown = []
        for span in sorted(below, key=lambda one: (one.start, one.end)):
            children = self.tree(trace_id, span.span_id)
            shown.append((span.name, children) if children else span.name)
        return shown

    async def take(self, request: web.Request) -> web.Response:
        """``POST /v1/traces``."""
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":  # aiohttp has undone it where it could
            body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_kept(span) for span in scope.spans]
        self.changed.set()
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def _kept(span: Any) -> Kept:
    attributes = {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in span.attributes}
    return Kept(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        attributes=attributes,
        links=tuple(link.trace_id.hex() for link in span.links),
    )


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """A collector on a free port."""
    made = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
