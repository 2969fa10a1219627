"""``/v1/campaigns``: made, changed while a draft, and moved through their life."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from outbound.api import bodies, views
from outbound.api.calls import Call
from outbound.api.campaign_checks import check_campaign, check_start, check_trunks, flow_of, stored_fields
from outbound.api.models import Campaign, CampaignIn, CampaignPatch, CampaignsQuery, Page, Stats
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.api.tracing import traceparent_of
from outbound.callflows import checked_flow, findings_of
from outbound.errors import OutboundError
from outbound.ids import new_id
from outbound.store import attempt_views, campaigns
from outbound.store.campaigns import Action

routes = Routes("campaigns")


@routes.add("POST", "/v1/campaigns", "Create a campaign", status=201)
async def create_campaign(call: Call, body: CampaignIn) -> Answer[Campaign]:
    """Store a draft whose call flow, trunk, language, variables and times are all good."""
    campaign_id = new_id(call.now)
    await warm(call, body.callflow)

    def unit(connection: Connection) -> Answer[Campaign]:
        document = call.services.callflows.document(connection, body.callflow)
        check_campaign(body, flow_of(body, document), now=call.now)
        check_trunks(connection, body)
        row = campaigns.create(connection, campaign_id, stored_fields(body), flow=document, now=call.now)
        headers = {"Location": f"/v1/campaigns/{campaign_id}"}
        return Answer(body=views.campaign(row, campaigns.Counts()), headers=headers)

    return await call.commit(unit)


@routes.add("GET", "/v1/campaigns", "List campaigns")
async def list_campaigns(call: Call, query: CampaignsQuery) -> Page[Campaign]:
    """The newest first; notifications with ``kind=notification``."""
    before = cursor_of(query)

    def unit(connection: Connection) -> Page[Campaign]:
        rows = campaigns.page(connection, kind=query.kind, state=query.state, before=before, limit=query.limit + 1)
        counts = campaigns.counts(connection, [row["id"] for row in rows])
        return cut(rows, query, lambda row: views.campaign(row, counts[row["id"]]))

    return await call.read(unit)


@routes.add("GET", "/v1/campaigns/{campaign_id}", "Show a campaign")
async def get_campaign(call: Call, campaign_id: str) -> Campaign:
    """With how far it is."""
    return await call.read(lambda connection: _show(connection, campaign_id))


@routes.add("PATCH", "/v1/campaigns/{campaign_id}", "Change a draft")
async def change_campaign(call: Call, campaign_id: str, body: CampaignPatch) -> Answer[Campaign]:
    """Fields left out stay; the result is checked like a new campaign."""
    if body.callflow is not None:
        await warm(call, body.callflow)

    def unit(connection: Connection) -> Answer[Campaign]:
        row = campaigns.get(connection, campaign_id, lock=True)
        before = CampaignIn.model_validate(views.campaign_fields(row)).model_dump(mode="json")
        merged = bodies.validate(CampaignIn, before | body.model_dump(mode="json", exclude_unset=True))
        document = row["flow"]
        if body.callflow is not None:
            document = call.services.callflows.document(connection, merged.callflow)
        check_campaign(merged, flow_of(merged, document), now=call.now)
        check_trunks(connection, merged)
        campaigns.replace(connection, campaign_id, stored_fields(merged), flow=document)
        return Answer(body=_show(connection, campaign_id))

    return await call.commit(unit)


@routes.add("POST", "/v1/campaigns/{campaign_id}/start", "Start a campaign")
async def start_campaign(call: Call, campaign_id: str) -> Answer[Campaign]:
    """From a draft; its contacts are planned, and due attempts are made within the permitted hours."""

    def check(connection: Connection) -> None:
        row = campaigns.get(connection, campaign_id, lock=True)
        if row["state"] == "draft":
            check_start(connection, row, checked_flow(row["flow"], source=row["callflow"]), now=call.now)

    return await _act(call, campaign_id, Action.START, check)


@routes.add("POST", "/v1/campaigns/{campaign_id}/pause", "Pause a campaign")
async def pause_campaign(call: Call, campaign_id: str) -> Answer[Campaign]:
    """Calls in progress are finished, nobody else is called."""
    return await _act(call, campaign_id, Action.PAUSE)


@routes.add("POST", "/v1/campaigns/{campaign_id}/resume", "Resume a paused campaign")
async def resume_campaign(call: Call, campaign_id: str) -> Answer[Campaign]:
    """Goes on where it was paused."""
    return await _act(call, campaign_id, Action.RESUME)


@routes.add("POST", "/v1/campaigns/{campaign_id}/cancel", "Cancel a campaign")
async def cancel_campaign(call: Call, campaign_id: str) -> Answer[Campaign]:
    """For good: waiting attempts end as ``cancelled``, calls in progress are finished."""
    return await _act(call, campaign_id, Action.CANCEL)


@routes.add("GET", "/v1/campaigns/{campaign_id}/stats", "Show a campaign's figures")
async def get_stats(call: Call, campaign_id: str) -> Stats:
    """Counts, and the timings measured from the recordings of its newest calls."""

    def unit(connection: Connection) -> tuple[campaigns.Counts, Sequence[dict[str, Any]]]:
        campaigns.get(connection, campaign_id)
        counts = campaigns.counts(connection, [campaign_id])
        return counts[campaign_id], attempt_views.timings(connection, campaign_id)

    counts, timings = await call.read(unit)
    first = [item["answer_to_audio_s"] for item in timings if item.get("answer_to_audio_s") is not None]
    gaps = [gap for item in timings for gap in item.get("turn_gaps_s", ())]
    return Stats(
        counts=views.campaign_counts(counts),
        answer_to_audio_p50_s=_percentile(first, 50),
        answer_to_audio_p95_s=_percentile(first, 95),
        turn_gap_p50_s=_percentile(gaps, 50),
        turn_gap_p95_s=_percentile(gaps, 95),
    )


async def _act(
    call: Call, campaign_id: str, action: Action, check: Callable[[Connection], None] | None = None
) -> Answer[Campaign]:
    services = call.services

    def unit(connection: Connection) -> Answer[Campaign]:
        if check is not None:
            check(connection)
        campaigns.change(connection, campaign_id, action, now=call.now, traceparent=traceparent_of(call.request))
        after: tuple[Any, ...] = ()
        if action in (Action.START, Action.RESUME):
            after = (lambda: services.enqueue("plan_campaign", campaign_id), services.kick)
        return Answer(body=_show(connection, campaign_id), after=after)

    return await call.commit(unit)


async def warm(call: Call, callflow: str) -> None:
    """Parse and lint a call flow beside the loop, so that the transaction finds it done."""
    with contextlib.suppress(OutboundError):
        document = await call.services.callflows.get(callflow)
        await asyncio.to_thread(findings_of, document, source=callflow)


def _show(connection: Connection, campaign_id: str) -> Campaign:
    row = campaigns.get(connection, campaign_id)
    return views.campaign(row, campaigns.counts(connection, [campaign_id])[campaign_id])


def _percentile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
