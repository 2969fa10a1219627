"""A small world for tests of the host: a store with one campaign and its customers, and the moves of an attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from campaigns.dispositions import Disposition
from dialer.messages import CallResult
from outbound.dispatch.claiming import claim
from outbound.dispatch.intents import record_intents
from outbound.ids import new_id
from outbound.planning import plan_contacts
from outbound.store import Store
from outbound.store.attempts import Claim, Intent
from outbound.store.schema import attempts, campaigns, contacts, events, receipts, trunks

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
"""A Tuesday noon in London."""
RETRY = {"max_attempts": 3, "delays_s": {"busy": 600}}


@dataclass
class World:
    store: Store
    now: float = NOON
    campaign_ids: list[str] = field(default_factory=list)

    async def trunk(self, name: str = "default", *, channels: int = 30, calls_per_second: float = 1000.0) -> None:
        row = {"name": name, "settings": {"host": "127.0.0.1:5060"}, "channels": channels}
        row |= {"calls_per_second": calls_per_second, "created_at": self.now}
        await self.store.write(lambda c: c.execute(insert(trunks), row))

    async def campaign(self, numbers: list[str], *, plan: bool = True, **changes: Any) -> str:
        """A running campaign with a contact a number, all in London, planned."""
        settings = {"windows": [], "ring_timeout_s": 25.0, "max_duration_s": 60.0, "variables": {}, "retry": RETRY}
        settings |= {"agent_uri": "", "language": "en", "record": False} | changes.pop("settings", {})
        row = {
            "id": new_id(),
            "kind": "campaign",
            "name": "test",
            "state": "running",
            "purpose": "informational",
            "trunk": "default",
            "callflow": "shipping_alert",
            "flow": {},
            "settings": settings,
            "max_concurrent": 50,
            "created_at": self.now,
        } | changes
        people = [
            {
                "id": new_id(),
                "campaign_id": row["id"],
                "number": number,
                "zones": ["Europe/London"],
                "variables": {},
                "created_at": self.now,
            }
            for number in numbers
        ]

        def unit(connection: Any) -> None:
            connection.execute(insert(campaigns), row)
            if people:
                connection.execute(insert(contacts), people)
            if plan:
                plan_contacts(connection, row["id"], now=self.now, limit=10_000)

        await self.store.write(unit)
        self.campaign_ids.append(row["id"])
        return str(row["id"])

    async def plan(self, campaign_id: str) -> None:
        """Plan what is not planned."""
        await self.store.write(lambda c: plan_contacts(c, campaign_id, now=self.now, limit=10_000))

    async def claim(
        self, *, limit: int = 100, free: dict[str, int] | None = None, rate: float = 1000.0, now: float | None = None
    ) -> list[Claim]:
        """Claim what is due; ``rate``: calls a second of the house, which holds a tenth of it at once."""
        at = self.now if now is None else now
        found = await self.store.write(
            lambda c: claim(c, now=at, lease_s=30, limit=limit, free_legs=free or {"line-1": 100}, rate_per_s=rate)
        )
        return found.claims

    async def intend(self, item: Claim) -> Intent | None:
        found = await self.store.write(lambda c: record_intents(c, [item], now=self.now))
        return found[0] if found else None

    async def set_state(self, campaign_id: str, state: str) -> None:
        statement = update(campaigns).where(campaigns.c.id == campaign_id).values(state=state)
        await self.store.write(lambda c: c.execute(statement))

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        def unit(connection: Any) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]

        return await self.store.read(unit)

    async def attempts(self) -> list[dict[str, Any]]:
        return await self.rows(attempts)

    async def receipts(self) -> list[dict[str, Any]]:
        return await self.rows(receipts)

    async def kinds(self) -> list[str]:
        return [row["kind"] for row in await self.rows(events)]

    def result(self, item: Claim, disposition: Disposition, **changes: Any) -> CallResult:
        ended = datetime.fromtimestamp(self.now, UTC)
        values = {"attempt_id": item.attempt_id, "fence": item.fence, "call_id": "x", "disposition": disposition}
        return CallResult(**{**values, "ended_at": ended, "hangup_cause": "peer_bye", **changes})
