"""What a campaign will say to everybody, known before its first call and so rendered ahead of it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from campaigns.flow.ahead import spoken_ahead
from campaigns.flow.document import parse_flow
from outbound.callflows import with_faq
from outbound.store import Store
from outbound.store.schema import campaigns


async def static_prompts(store: Store, campaign_id: str, *, now: float) -> dict[str, list[str]]:
    """Texts by language, the opening first; empty for a campaign that is not there."""
    row = await store.read(
        lambda connection: connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).mappings().first()
    )
    if row is None:
        return {}
    flow = parse_flow(with_faq(row["flow"], row["settings"].get("faq") or {}), source=row["callflow"])
    instant = datetime.fromtimestamp(now, UTC)
    spoken = row["settings"]["language"]
    return {spoken: list(spoken_ahead(flow, spoken, row["settings"]["variables"], instant))}
