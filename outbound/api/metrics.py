"""What Prometheus scrapes: requests of this process; a registry of its own, so that nothing else leaks in."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from outbound.api.problems import route_of
from outbound.places import tzdata_age

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ("method", "route", "status")
        self.requests = Counter("outbound_http_requests", "Requests answered.", names, registry=self.registry)
        self.seconds = Histogram(
            "outbound_http_request_seconds",
            "Time from a request to its answer; streams are left out.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.at_work = Gauge("outbound_http_requests_at_work", "Requests being answered.", registry=self.registry)
        tzdata = Gauge("outbound_tzdata_outdated", "1 when the tz database in use is too old.", registry=self.registry)
        tzdata.set_function(lambda: float(tzdata_age(datetime.now(UTC)) is not None))


METRICS = web.AppKey("metrics", Metrics)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time every request by the pattern of its address."""
    metrics, began = request.app[METRICS], time.perf_counter()
    route, method = route_of(request), request.method if request.method in METHODS else "other"
    status = 500
    with metrics.at_work.track_inprogress():
        try:
            answer = await handler(request)
            status = answer.status
            if answer.content_type != "text/event-stream":
                metrics.seconds.labels(method, route).observe(time.perf_counter() - began)
            return answer
        finally:
            metrics.requests.labels(method, route, str(status)).inc()


async def show_metrics(request: web.Request) -> web.Response:
    """Answer ``/metrics`` in Prometheus' text format."""
    body = generate_latest(request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
