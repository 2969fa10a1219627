"""Follows the event stream for what concerns calls in progress: opt-outs, cancelled campaigns, prompts to prepare."""

from __future__ import annotations

import asyncio

import structlog

from campaigns.flow.findings import FlowError
from outbound.pool import LinePool
from outbound.services import Services
from outbound.static_prompts import static_prompts
from outbound.store.optouts import OPTED_OUT, Cover, covered
from outbound.stream import Event

log = structlog.get_logger(__name__)
PAUSE_S = 1.0


async def watch(services: Services, pool: LinePool) -> None:
    """Act on events until cancelled; a missed event costs nothing but time, for the gate looks again at the intent."""
    after = await services.stream.latest()
    while True:
        try:
            async for batch in services.stream.follow(after=after):
                for event in batch:
                    after = event["id"]
                    await _act(services, pool, event)
        except Exception as error:  # the store may be away for a while, a line may die
            log.exception("watch interrupted", error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)


async def _act(services: Services, pool: LinePool, event: Event) -> None:
    match event["kind"]:
        case "optout.created":
            await _hang_up(services, pool, event)
        case "register.listed":
            pool.hang_up_number(event["data"]["number"], OPTED_OUT, except_attempt=None)
        case "campaign.cancelled":
            pool.hang_up_campaign(event["campaign_id"], "campaign_cancelled")
        case "campaign.started":
            await _prepare(services, pool, event["campaign_id"])
        case "attempt.due":
            pool.kick()


async def _hang_up(services: Services, pool: LinePool, event: Event) -> None:
    """End calls that an opt-out covers; all to the number where that cannot be told: nobody is rung on a guess.

    The customer's other numbers count, too.
    """
    number, attempt_id = event["data"]["number"], event["attempt_id"]
    names = ("scope", "channel", "only_campaign")
    cover = Cover(number=number, **{name: event["data"][name] for name in names if name in event["data"]})
    if cover.everything:  # at once, before anything is looked up
        pool.hang_up_number(number, OPTED_OUT, except_attempt=attempt_id)
    try:
        theirs = await services.store.read(lambda connection: covered(connection, cover))
    except Exception as error:
        log.exception("opt-out not looked up, ending all calls to the number", error=type(error).__name__)
        pool.hang_up_number(number, OPTED_OUT, except_attempt=attempt_id)
    else:
        pool.hang_up(theirs - {attempt_id}, OPTED_OUT)


async def _prepare(services: Services, pool: LinePool, campaign_id: str) -> None:
    """Have what everybody will hear rendered; without it the first customers wait a little longer, no more."""
    try:
        texts = await static_prompts(services.store, campaign_id, now=services.clock())
    except FlowError as error:
        log.warning("prompts not prepared", campaign_id=campaign_id, reason=str(error))
        return
    for language, spoken in texts.items():
        pool.prepare(spoken, language)
