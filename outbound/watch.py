"""Follows the event stream for what concerns calls in progress: opt-outs, cancelled campaigns, prompts to prepare."""

from __future__ import annotations

from outbound.pool import LinePool
from outbound.services import Services
from outbound.static_prompts import static_prompts


async def watch(services: Services, pool: LinePool) -> None:
    """Act on events until cancelled; a missed event costs nothing but time, for the gate looks again at the intent."""
    after = await services.stream.latest()
    async for batch in services.stream.follow(after=after):
        for event in batch:
            match event["kind"]:
                case "optout.created":
                    pool.hang_up("opted_out", number=event["data"]["number"], except_attempt=event["attempt_id"])
                case "campaign.cancelled":
                    pool.hang_up("campaign_cancelled", campaign_id=event["campaign_id"])
                case "campaign.started":
                    for language, texts in (await static_prompts(services.store, event["campaign_id"])).items():
                        pool.prepare(texts, language)
                case "attempt.due":
                    pool.kick()
