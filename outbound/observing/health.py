"""Tells whether this process lives, whether it can do its work now, and which part cannot; it mends nothing.

Alive is whoever answers: the answer comes from the event loop. Ready is who can do its own work, and does not leave.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from outbound.places import tzdata_age, tzdata_version
from outbound.services import Services
from outbound.store import idempotency

log = structlog.get_logger(__name__)
TIMEOUT_S = 3.0
FRESH_S = 1.0
"""An answer this young is given again: the address is open, and its check of the store costs a write."""


class Status(StrEnum):
    """How a host is."""

    OK = "ok"
    DEGRADED = "degraded"
    """It does its work; a part it can do without for a while does not."""
    FAILING = "failing"
    """It cannot do its work."""
    DRAINING = "draining"
    """It is told to stop: calls in progress are finished, no other begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The health of one part."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether a host can do its work, and if not, which part cannot."""

    status: Status
    checks: dict[str, Check]

    @property
    def ready(self) -> bool:
        """Whether it should be given work."""
        return self.status in (Status.OK, Status.DEGRADED)

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {"status": self.status, "checks": {name: asdict(check) for name, check in self.checks.items()}}


class HealthDesk:
    """Asks every part, at most once a second."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: tuple[float, Report] | None = None
        self._turn = asyncio.Lock()

    async def ask(self) -> Report:
        """Ask all parts beside each other; one that does not answer in time is failing."""
        async with self._turn:
            if self._last is None or time.monotonic() - self._last[0] >= FRESH_S:
                self._last = time.monotonic(), await self._look()
            report = self._last[1]
        if self._services.draining.is_set():  # told at once, not when the last answer is old
            return Report(status=Status.DRAINING, checks=report.checks)
        return report

    async def _look(self) -> Report:
        parts = {part.name: part.check for part in self._services.health} | {"store": self._store_writes}
        found = await asyncio.gather(*(_ask(name, check) for name, check in parts.items()))
        checks = dict(zip(parts, found, strict=True))
        vital = {"store"} | {part.name for part in self._services.health if part.vital}
        ill = {name for name, check in checks.items() if not check.ok}
        status = Status.FAILING if ill & vital else Status.DEGRADED if ill else Status.OK
        return Report(status=status, checks=checks | {"tzdata": _tzdata()})

    async def _store_writes(self) -> bool:
        await self._services.store.write(_write_something)
        return True


async def _ask(name: str, check: Callable[[], Awaitable[bool]]) -> Check:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            well = await check()
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {TIMEOUT_S:g} s")
    except Exception as error:
        log.warning("health check failed", part=name, exc_info=error)
        return Check(ok=False, detail="it cannot be reached; the log says why")
    return Check(ok=bool(well), detail="" if well else "it does not do its work; the log says why")


def _tzdata() -> Check:
    """Name the tz database in use, or say that it is old: an alarm, but no reason to take the host out of service."""
    return Check(ok=True, detail=tzdata_age(datetime.now(UTC)) or tzdata_version())


def _write_something(connection: Connection) -> None:
    """Write and take back a row: a full disk or a read-only file shows, and nothing is left."""
    use = idempotency.Use(api_key_id="", key="health", fingerprint=bytes(32))
    idempotency.claim(connection, use, now=time.time())
    idempotency.forget(connection, use)
