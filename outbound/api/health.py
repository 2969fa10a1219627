"""``/healthz``: tells whether the service can do its work now, and which part cannot."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import structlog
from aiohttp import web
from sqlalchemy import Connection

from outbound.api.models import CheckOut, Health
from outbound.places import tzdata_age, tzdata_version
from outbound.services import Services
from outbound.store import idempotency

log = structlog.get_logger(__name__)
TIMEOUT_S = 3.0
FRESH_S = 1.0
"""An answer this young is given again: the address is open, and its check of the store costs a write."""


class HealthDesk:
    """Asks every part, at most once a second."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: tuple[float, Health] | None = None
        self._turn = asyncio.Lock()

    async def ask(self) -> Health:
        """Ask all parts beside each other; one that does not answer in time is failing."""
        async with self._turn:
            if self._last is not None and time.monotonic() - self._last[0] < FRESH_S:
                return self._last[1]
            parts = {part.name: part.check for part in self._services.health} | {"store": self._store_writes}
            found = await asyncio.gather(*(_ask(name, check) for name, check in parts.items()))
            checks = dict(zip(parts, found, strict=True)) | {"tzdata": _tzdata()}
            health = Health(status="ok" if all(check.ok for check in found) else "failing", checks=checks)
            self._last = time.monotonic(), health
            return health

    async def _store_writes(self) -> bool:
        await self._services.store.write(_write_something)
        return True


DESK = web.AppKey("health_desk", HealthDesk)


async def show_health(request: web.Request) -> web.Response:
    """200 when every part is well, else 503; the body says which is not."""
    health = await request.app[DESK].ask()
    status = 200 if health.status == "ok" else 503
    return web.json_response(text=health.model_dump_json(), status=status, headers={"Cache-Control": "no-store"})


async def _ask(name: str, check: object) -> CheckOut:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            well = await check()  # type: ignore[operator]
    except TimeoutError:
        return CheckOut(ok=False, detail=f"no answer within {TIMEOUT_S:g} s")
    except Exception as error:
        log.warning("health check failed", part=name, exc_info=error)
        return CheckOut(ok=False, detail="it cannot be reached; the log says why")
    return CheckOut(ok=bool(well), detail="" if well else "it does not do its work; the log says why")


def _tzdata() -> CheckOut:
    """Name the tz database in use, or say that it is old: an alarm, but no reason to take the host out of service."""
    return CheckOut(ok=True, detail=tzdata_age(datetime.now(UTC)) or tzdata_version())


def _write_something(connection: Connection) -> None:
    """Write and take back a row: a full disk or a read-only file shows, and nothing is left."""
    use = idempotency.Use(api_key_id="", key="health", fingerprint=bytes(32))
    idempotency.claim(connection, use, now=time.time())
    idempotency.forget(connection, use)
