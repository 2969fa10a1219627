"""``/v1/attempts`` and ``/v1/callbacks``: what was tried, how it went, what was said; and what became of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web
from sqlalchemy import Connection

from dialer.vault import SUFFIX
from outbound.api import views
from outbound.api.calls import Call
from outbound.api.models import (
    AllAttemptsQuery,
    Attempt,
    AttemptDetail,
    AttemptsQuery,
    CallbackOut,
    NumberQuery,
    Page,
    ResolveIn,
)
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.errors import NotFound
from outbound.settling.resolving import resolve
from outbound.store import attempt_views, campaigns
from outbound.store.attempt_views import Filter

routes = Routes("attempts")
_WAV = {"type": "string", "format": "binary"}


@routes.add("GET", "/v1/campaigns/{campaign_id}/attempts", "List a campaign's attempts")
async def list_campaign_attempts(call: Call, campaign_id: str, query: AttemptsQuery) -> Page[Attempt]:
    """The newest first."""
    await call.read(lambda connection: campaigns.get(connection, campaign_id))
    return await _page(call, query, campaign_id)


@routes.add("GET", "/v1/attempts", "List attempts")
async def list_attempts(call: Call, query: AllAttemptsQuery) -> Page[Attempt]:
    """Over all campaigns, the newest first."""
    return await _page(call, query, query.campaign_id)


@routes.add("GET", "/v1/attempts/{attempt_id}", "Show an attempt")
async def get_attempt(call: Call, attempt_id: str) -> AttemptDetail:
    """With timeline, transcript, timings and receipts."""
    detail = await call.read(lambda connection: attempt_views.detail(connection, attempt_id))
    return views.attempt_detail(detail)


@routes.add("POST", "/v1/attempts/{attempt_id}/resolve", "Say what became of an undetermined attempt")
async def resolve_attempt(call: Call, attempt_id: str, body: ResolveIn) -> Answer[AttemptDetail]:
    """Nobody knows whether it was made, so it is never made again by itself; with ``again`` it is, by your decision."""

    def unit(connection: Connection) -> Answer[AttemptDetail]:
        resolve(connection, attempt_id, body.disposition, again=body.again, note=body.note, now=call.now)
        detail = attempt_views.detail(connection, attempt_id)
        return Answer(body=views.attempt_detail(detail), after=(call.services.kick,))

    return await call.commit(unit)


@routes.add(
    "GET", "/v1/attempts/{attempt_id}/recording", "Download an attempt's recording", produces={"audio/wav": _WAV}
)
async def get_recording(call: Call, attempt_id: str) -> web.StreamResponse:
    """Stereo WAV: the customer left, the robot right. Ranges are served (RFC 9110 §14)."""
    row = await call.read(lambda connection: attempt_views.get(connection, attempt_id))
    name = str((row["result"] or {}).get("recording") or "")
    path = call.services.settings.recordings_dir / name
    if not name or path.name != name or not await asyncio.to_thread(path.is_file):
        raise NotFound("this attempt has no recording", code="recording_not_found")
    headers = {"Content-Type": "audio/wav", "Cache-Control": "private, no-cache"}
    if not name.endswith(SUFFIX):  # of before recordings were sealed
        return web.FileResponse(path, headers=headers)
    wav = await asyncio.to_thread(call.services.settings.vault.read, name)
    return _ranged(call.request, wav, headers)


def _ranged(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.Response:
    """A body, or the range of it that was asked for."""
    headers = {**headers, "Accept-Ranges": "bytes"}
    try:
        asked = request.http_range
        begin, end, _ = asked.indices(len(body))
    except ValueError:
        begin, end, asked = 0, 0, slice(0, 0)
    if asked.start is None and asked.stop is None:
        return web.Response(body=body, headers=headers)
    if begin >= end:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(body)}"
    return web.Response(status=206, body=body[begin:end], headers=headers)


@routes.add("GET", "/v1/callbacks", "List wishes to be called back")
async def list_callbacks(call: Call, query: NumberQuery) -> Page[CallbackOut]:
    """The newest first."""
    before = cursor_of(query)

    def unit(connection: Connection) -> Page[CallbackOut]:
        rows = attempt_views.page_callbacks(connection, number=query.number, before=before, limit=query.limit + 1)
        return cut(rows, query, views.callback)

    return await call.read(unit)


async def _page(call: Call, query: AttemptsQuery, campaign_id: str | None) -> Page[Attempt]:
    before = cursor_of(query)
    chosen = Filter(campaign_id=campaign_id, number=query.number, state=query.state, disposition=query.disposition)
    return await call.read(
        lambda connection: cut(
            attempt_views.page(connection, chosen, before=before, limit=query.limit + 1), query, views.attempt
        )
    )
