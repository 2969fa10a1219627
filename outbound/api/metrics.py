"""Counts and times every request; what is counted otherwise is in outbound/observing."""

from __future__ import annotations

import time

from aiohttp import web
from aiohttp.typedefs import Handler

from outbound.api.calls import SERVICES
from outbound.api.problems import route_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time a request by the pattern of its address."""
    metrics, began = request.app[SERVICES].metrics, time.perf_counter()
    route, method = route_of(request), request.method if request.method in METHODS else "other"
    status = 500
    with metrics.at_work.track_inprogress():
        try:
            answer = await handler(request)
            status = answer.status
            if answer.content_type != "text/event-stream":
                metrics.request_seconds.labels(method, route).observe(time.perf_counter() - began)
            return answer
        finally:
            metrics.requests.labels(method, route, str(status)).inc()
