"""The web application: every route in one table, with what stands before them; it opens no port and starts nothing."""

from __future__ import annotations

import asyncio
import json
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from outbound.api import (
    attempt_routes,
    callflow_routes,
    campaign_routes,
    consent_routes,
    contact_routes,
    decision_routes,
    event_routes,
    evidence_routes,
    forecast_routes,
    inbound_routes,
    key_routes,
    notification_routes,
    openapi,
    optout_routes,
    register_routes,
    rule_routes,
    system_routes,
    trunk_routes,
    webhook_routes,
)
from outbound.api.access import access
from outbound.api.calls import AT_WORK, SERVICES, dispatch
from outbound.api.metrics import measured
from outbound.api.pages import Pages
from outbound.api.problems import problems
from outbound.api.routes import Route
from outbound.api.tracing import traced
from outbound.importing.spool import UPLOAD_LIMIT, forget_abandoned
from outbound.observing import endpoint
from outbound.services import Services

TABLES = (
    campaign_routes,
    contact_routes,
    notification_routes,
    attempt_routes,
    optout_routes,
    consent_routes,
    register_routes,
    inbound_routes,
    decision_routes,
    rule_routes,
    forecast_routes,
    evidence_routes,
    event_routes,
    callflow_routes,
    trunk_routes,
    system_routes,
    webhook_routes,
    key_routes,
)
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def all_routes() -> list[Route]:
    """Every route of REST version 1."""
    return [route for table in TABLES for route in table.routes.all]


def create_app(services: Services, *, pages: Pages | None = None) -> web.Application:
    """Build the application of a host."""
    tracing = [traced] if services.tracing is not None else []
    app = web.Application(middlewares=[measured, *tracing, problems, access], client_max_size=UPLOAD_LIMIT)
    app[SERVICES] = services
    app[AT_WORK] = set()
    app[event_routes.OPEN_STREAMS] = event_routes.OpenStreams()
    for route in all_routes():
        if route.method == "GET":
            app.router.add_get(route.path, _handler(route), allow_head="text/event-stream" not in route.produces)
        else:
            app.router.add_route(route.method, route.path, _handler(route))
    _add_open_routes(app, pages or Pages())
    app.on_response_prepare.append(_make_safe)
    app.on_startup.append(_clear_away)
    app.on_shutdown.append(event_routes.end_streams)
    return app


def _handler(route: Route) -> Handler:
    return partial(dispatch, route=route)


def _add_open_routes(app: web.Application, pages: Pages) -> None:
    body = json.dumps(openapi.document(), ensure_ascii=False).encode()

    async def show_openapi(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-cache"})

    app.router.add_get("/openapi.json", show_openapi)
    endpoint.add_routes(app, app[SERVICES])
    for path in ("/", "/docs", "/favicon.ico", "/favicon.svg", "/assets/{name:.+}"):
        app.router.add_get(path, pages.show)


async def _make_safe(_: web.Request, answer: web.StreamResponse) -> None:
    for name, value in SAFE_HEADERS.items():
        answer.headers.setdefault(name, value)


async def _clear_away(app: web.Application) -> None:
    await asyncio.to_thread(forget_abandoned, app[SERVICES].settings.data_dir / "imports")
