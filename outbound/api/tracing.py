"""Puts a span around every write, and knows its ``traceparent`` for what is stored with it; reads have none."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from outbound.api.calls import SERVICES, WRITES
from outbound.api.problems import route_of

TRACEPARENT = web.RequestKey("traceparent", str)


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Trace a write; a trace that the caller began (W3C Trace Context) goes on here."""
    tracing = request.app[SERVICES].tracing
    if tracing is None or request.method not in WRITES:
        return await handler(request)
    with tracing.request(request.method, route_of(request), request.headers) as (span, traceparent):
        request[TRACEPARENT] = traceparent
        answer = await handler(request)
        span.set_attribute("http.response.status_code", answer.status)
        return answer


def traceparent_of(request: web.Request) -> str:
    """The ``traceparent`` of a write, to be stored with what it makes; empty when nothing is traced."""
    found: str = request.get(TRACEPARENT, "")
    return found
