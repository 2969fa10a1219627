"""Delivers events to webhooks until it is told to stop: woken by the event stream, spreads, and nudges the couriers.

Any number of workers may do so at once; where nothing is subscribed it costs one small read a second.
"""

from __future__ import annotations

import asyncio

import structlog

from outbound.services import Services
from outbound.store import webhooks
from outbound.webhooks.books import Books
from outbound.webhooks.courier import Courier, Equipment
from outbound.webhooks.fan_out import fan_out
from outbound.webhooks.posting import Poster
from outbound.webhooks.targets import PrivateTargets

log = structlog.get_logger(__name__)
IDLE_S = 1.0
"""Between two looks while there is no webhook."""
FULL_S = 1.0
"""How long nothing more is spread for a webhook for which very much waits: counting it costs."""
ROUND_S = 0.05
"""Between two rounds: what happens meanwhile is served together."""


async def deliver_webhooks(services: Services, *, poster: Poster | None = None) -> None:
    """Deliver until cancelled."""
    allowed = PrivateTargets.read(services.settings.webhook_private_targets)
    async with poster or Poster(allowed, clock=services.clock) as posting:
        books = Books(services.store, services.clock)
        equipment = Equipment(store=services.store, poster=posting, books=books, clock=services.clock)
        deliverer = _Deliverer(services, equipment)
        try:
            await deliverer.run()
        finally:
            await deliverer.stop()
            await books.close()


class _Deliverer:
    """Couriers by webhook."""

    def __init__(self, services: Services, equipment: Equipment) -> None:
        self._services = services
        self._equipment = equipment
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._full: dict[str, float] = {}
        """Until when, on the loop's clock, a webhook for which very much waits is passed over."""

    async def run(self) -> None:
        async for _ in self._services.stream.changes():
            try:
                pause_s = await self._round()
            except Exception as error:  # the store may be away for a while
                log.exception("webhooks interrupted", error=type(error).__name__)
                pause_s = IDLE_S
            await asyncio.sleep(pause_s)

    async def _round(self) -> float:
        """Spread what is new and have what is due sent; return the pause until the next round."""
        store, clock = self._services.store, self._services.clock
        active = await store.read(webhooks.active)
        await self._staff(active.ids)
        if not active.ids:
            return IDLE_S
        more = active.behind
        while more:
            full = self._still_full()
            progress = await store.write(lambda c, full=full: fan_out(c, now=clock(), passing_over=full))  # type: ignore[misc]
            more = progress.more
            self._full |= dict.fromkeys(progress.full, asyncio.get_running_loop().time() + FULL_S)
            self._nudge()
        self._nudge()
        return ROUND_S

    def _still_full(self) -> frozenset[str]:
        now_s = asyncio.get_running_loop().time()
        return frozenset(webhook_id for webhook_id, until_s in self._full.items() if until_s > now_s)

    async def _staff(self, wanted: frozenset[str]) -> None:
        """Have one courier for each webhook that is posted to."""
        for webhook_id in wanted - self._couriers.keys():
            courier = Courier(webhook_id, self._equipment)
            self._couriers[webhook_id] = courier, asyncio.create_task(courier.run(), name="webhook courier")
        for webhook_id in self._couriers.keys() - wanted:
            await self._dismiss(webhook_id)

    async def _dismiss(self, webhook_id: str) -> None:
        _, task = self._couriers.pop(webhook_id)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def _nudge(self) -> None:
        for courier, _ in self._couriers.values():
            courier.nudge()

    async def stop(self) -> None:
        """Break off; what was taken and not sent is given back."""
        for webhook_id in tuple(self._couriers):
            await self._dismiss(webhook_id)
