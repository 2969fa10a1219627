"""What a host says of itself over HTTP: ``/metrics``, ``/livez``, ``/readyz``, ``/healthz``; open, and nothing else.

Where there is REST it is beside it; a port of its own serves hosts without (``OUTBOUND_METRICS_PORT``).
"""

from __future__ import annotations

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from outbound.errors import ConfigurationError
from outbound.observing.health import HealthDesk, Report
from outbound.services import Services

FRESH = {"Cache-Control": "no-store"}


def add_routes(app: web.Application, services: Services) -> None:
    """Serve the four addresses from ``app``."""
    desk = HealthDesk(services)

    async def metrics(_: web.Request) -> web.Response:
        if services.gauges is not None:
            await services.gauges.refresh()
        body = generate_latest(services.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def livez(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"}, headers=FRESH)

    async def readyz(_: web.Request) -> web.Response:
        return _answer(await desk.ask())

    app.router.add_get("/metrics", metrics)
    app.router.add_get("/livez", livez)
    for path in ("/readyz", "/healthz"):
        app.router.add_get(path, readyz)


def _answer(report: Report) -> web.Response:
    return web.json_response(report.document(), status=200 if report.ready else 503, headers=FRESH)


async def serve(services: Services, port: int) -> web.AppRunner:
    """Serve them on a port of their own; whoever calls cleans the runner up.

    Raises :class:`ConfigurationError` naming the port when it cannot be opened.
    """
    app = web.Application()
    add_routes(app, services)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    host = services.settings.host
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(
            f"port {port} on {host} cannot be opened ({error.strerror}); "
            "stop what uses it or set OUTBOUND_METRICS_PORT to another port"
        ) from error
    return runner


def address_of(host: str, runner: web.AppRunner) -> str:
    """Where a server is reached, without a trailing slash."""
    shown = host if ":" not in host else f"[{host}]"
    return f"http://{shown}:{runner.addresses[0][1]}"
