"""Sends traces to an OpenTelemetry collector: from the POST to the hang-up, as W3C Trace Context joins them.

Loaded only where OUTBOUND_OTLP_ENDPOINT is set. Spans are told from what was committed, so nothing waits for a
collector; one that is away costs the spans that do not fit into a queue. It keeps nothing of a customer.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import Connection, select

from outbound.observing.commits import Commit, Row
from outbound.observing.spans import ENDS, Attributes, Fact, SpanTold, attempt_span
from outbound.store import Store
from outbound.store.schema import campaigns

log = structlog.get_logger(__name__)
MOST_ATTEMPTS = 10_000
"""Attempts remembered while they last; the oldest is forgotten first."""
MOST_CAMPAIGNS = 1000
EXPORT_S = 5.0
"""How long a batch is offered, tries and pauses together: a stop waits no longer for one that is away."""
_TRACE_CONTEXT = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where a campaign came from."""

    kind: str = "campaign"
    trunk: str = ""
    traceparent: str = ""


class Tracing:
    """Makes spans of this process's requests and of what it commits."""

    def __init__(self, *, endpoint: str, name: str, store: Store) -> None:
        resource = Resource.create({"service.name": "outbound", "service.instance.id": name})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("outbound")
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[tuple[float, Commit]] = asyncio.Queue()
        self._attempts: OrderedDict[str, list[Fact]] = OrderedDict()
        self._origins: OrderedDict[str, _Origin] = OrderedDict()

    def committed(self, commit: Commit) -> None:
        """Take note of a commit; called in a store thread, in the order of an attempt's life."""
        if commit.rows and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heard.put_nowait, (time.time(), commit))

    async def run(self) -> None:
        """Tell spans of what was committed, until cancelled."""
        while True:
            told_at, commit = await self._heard.get()
            await asyncio.shield(self._tell(told_at, commit))

    async def close(self) -> None:
        """Tell what is left and send it."""
        while not self._heard.empty():
            await self._tell(*self._heard.get_nowait())
        await asyncio.to_thread(self._provider.shutdown)

    @contextmanager
    def request(self, method: str, route: str, headers: Mapping[str, str]) -> Iterator[tuple[Span, str]]:
        """A span around a request, within the caller's trace if it has one; yields it and its ``traceparent``."""
        context = _TRACE_CONTEXT.extract({name.lower(): value for name, value in headers.items()})
        attributes: Attributes = {"http.request.method": method, "http.route": route}
        span = self._tracer.start_span(
            f"{method} {route}", context=context, kind=SpanKind.SERVER, attributes=attributes
        )
        carrier: dict[str, str] = {}
        _TRACE_CONTEXT.inject(carrier, set_span_in_context(span, Context()))
        try:
            yield span, carrier.get("traceparent", "")
        finally:
            span.end()

    async def _tell(self, told_at: float, commit: Commit) -> None:
        planned: Counter[tuple[str, float]] = Counter()
        for table, row in commit.rows:
            if table == "events" and row["kind"] == "attempt.due" and row["data"].get("ordinal") == 1:
                planned[row["campaign_id"], row["at"]] += 1
            elif row["attempt_id"] is not None:
                await self._note(table, row, told_at)
        for (campaign_id, at), number in planned.items():
            await self._plan(campaign_id, at, told_at, number)

    async def _plan(self, campaign_id: str, at: float, told_at: float, number: int) -> None:
        """A batch of one campaign that was planned together, in the trace that started it."""
        origin = await self._origin(campaign_id)
        told: Attributes = {"outbound.campaign.id": campaign_id, "outbound.attempts": number}
        self._emit(SpanTold(name="plan", start=at, end=max(at, told_at), attributes=told), _context(origin))

    async def _note(self, table: str, row: Row, told_at: float) -> None:
        attempt_id = row["attempt_id"]
        if table == "receipts":
            data = {name: row[name] for name in ("allowed", "code", "rule")}
            fact = Fact(kind="receipt", at=row["at"], told_at=told_at, data=data)
        else:
            fact = Fact(kind=row["kind"], at=row["at"], told_at=told_at, data=row["data"] or {})
        if fact.kind == "attempt.claimed":
            self._attempts[attempt_id] = [fact]
            if len(self._attempts) > MOST_ATTEMPTS:
                self._attempts.popitem(last=False)
        elif attempt_id in self._attempts:
            self._attempts[attempt_id].append(fact)
            if fact.kind in ENDS:
                await self._end(attempt_id, row["campaign_id"], self._attempts.pop(attempt_id))

    async def _end(self, attempt_id: str, campaign_id: str, facts: list[Fact]) -> None:
        origin = await self._origin(campaign_id)
        told: Attributes = {"outbound.attempt.id": attempt_id, "outbound.campaign.id": campaign_id}
        told["outbound.trunk"] = str(facts[0].data.get("trunk") or origin.trunk)
        span = attempt_span(facts, told)
        if origin.kind == "notification":
            self._emit(span, _context(origin))
            return
        # many attempts in one trace could not be looked at: each has its own, which names the campaign's
        parent = get_current_span(_context(origin)).get_span_context()
        self._emit(span, Context(), links=[Link(parent)] if parent.is_valid else [])

    async def _origin(self, campaign_id: str) -> _Origin:
        if campaign_id not in self._origins:
            try:
                self._origins[campaign_id] = await self._store.read(lambda connection: _origin(connection, campaign_id))
            except Exception as error:  # the store may be away for a while; the trace then begins here
                log.warning("origin of a trace not read", campaign_id=campaign_id, error=type(error).__name__)
                return _Origin()
            if len(self._origins) > MOST_CAMPAIGNS:
                self._origins.popitem(last=False)
        return self._origins[campaign_id]

    def _emit(self, told: SpanTold, context: Context, links: list[Link] | None = None) -> None:
        span = self._tracer.start_span(
            told.name, context=context, attributes=told.attributes, links=links, start_time=_ns(told.start)
        )
        for child in told.children:
            self._emit(child, set_span_in_context(span, Context()))
        if told.failed:
            span.set_status(StatusCode.ERROR)
        span.end(_ns(told.end))


def _context(origin: _Origin) -> Context:
    return _TRACE_CONTEXT.extract({"traceparent": origin.traceparent}, Context())


def _origin(connection: Connection, campaign_id: str) -> _Origin:
    columns = (campaigns.c.kind, campaigns.c.trunk, campaigns.c.traceparent)
    row = connection.execute(select(*columns).where(campaigns.c.id == campaign_id)).mappings().first()
    return _Origin(**row) if row is not None else _Origin()


def _ns(at: float) -> int:
    return int(at * 1e9)
