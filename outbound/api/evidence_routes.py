"""``/v1/receipts`` and the evidence for a number or a campaign, as JSON and as a page; it changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from outbound.api import receipt_views as views
from outbound.api.calls import Call
from outbound.api.models import FieldError, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.problems import InvalidFields
from outbound.api.receipt_models import (
    CampaignEvidence,
    EvidenceLine,
    EvidenceQuery,
    KeptReceipt,
    NumberEvidence,
    ReceiptsQuery,
)
from outbound.api.routes import Answer, Routes
from outbound.importing.numbers import NumberRefused, e164
from outbound.receipts import evidence, evidence_page
from outbound.receipts.heads import FILE, Head, parse
from outbound.store import campaigns
from outbound.store.erased import is_token

routes = Routes("receipts")
HTML = {"type": "string"}
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
}
NDJSON_HEADERS = {"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"}


@routes.add("GET", "/v1/receipts", "List receipts")
async def list_receipts(call: Call, query: ReceiptsQuery) -> Page[KeptReceipt]:
    """Every answer of the gate that reached or spared somebody, the newest first."""
    before = _before(query)
    number = None if query.number is None else number_or_token(query.number)
    chosen = evidence.Filter(number=number, campaign_id=query.campaign_id, code=query.code, allowed=query.allowed)
    return await call.read(
        lambda connection: cut(
            evidence.page(connection, chosen, before=before, limit=query.limit + 1), query, views.receipt
        )
    )


@routes.add(
    "GET",
    "/v1/contacts/{number}/evidence",
    "Export the evidence for a number",
    produces={"application/json": NumberEvidence, "text/html": HTML},
)
async def get_number_evidence(
    call: Call, number: str, query: EvidenceQuery
) -> Answer[NumberEvidence] | web.StreamResponse:
    """What was decided and done, by which rule, on what grounds, and whether the chain of receipts holds.

    With ``Accept: text/html`` or ``format=html`` a page to be read or printed.
    """
    wanted, heads = number_or_token(number), await _heads(call)
    found = await call.read(lambda connection: evidence.of_number(connection, wanted, heads=heads))
    shown = await asyncio.to_thread(views.of_number, found, now=call.now)
    if not _wants_page(call, query):
        return Answer(body=shown)
    return _page(await asyncio.to_thread(evidence_page.number_page, shown))


@routes.add(
    "GET",
    "/v1/campaigns/{campaign_id}/evidence",
    "Export the evidence for a campaign",
    produces={"application/x-ndjson": EvidenceLine, "text/html": HTML},
)
async def get_campaign_evidence(call: Call, campaign_id: str, query: EvidenceQuery) -> web.StreamResponse:
    """One JSON object a line: the campaign in sum, then all receipts, attempts and statements.

    With ``Accept: text/html`` or ``format=html`` a page with counts by rule and the newest 1,000 receipts.
    """
    await call.read(lambda connection: campaigns.get(connection, campaign_id))
    heads = await _heads(call)
    found = await call.read(lambda connection: evidence.of_campaign(connection, campaign_id, heads=heads))
    shown = views.of_campaign(found, now=call.now)
    if _wants_page(call, query):
        rows = await call.read(lambda connection: evidence.newest_receipts_of(connection, campaign_id))
        newest = [views.receipt(row) for row in rows]
        return _page(await asyncio.to_thread(evidence_page.campaign_page, shown, newest))
    answer = web.StreamResponse(headers=NDJSON_HEADERS)
    await answer.prepare(call.request)
    async for lines in _lines(call, campaign_id, shown):
        await answer.write("".join(f"{line.model_dump_json(exclude_none=True)}\n" for line in lines).encode())
    await answer.write_eof()
    return answer


def number_or_token(text: str) -> str:
    """Read an E.164 number; what stands for an erased one is taken as it is. Raises :class:`InvalidFields`."""
    if is_token(text):
        return text
    try:
        return e164(text)
    except NumberRefused as error:
        raise InvalidFields([FieldError(field="number", code=error.code, reason=error.detail)]) from error


async def _lines(call: Call, campaign_id: str, shown: CampaignEvidence) -> AsyncIterator[list[EvidenceLine]]:
    """The lines of a campaign's evidence, in pieces."""
    yield [EvidenceLine(type="campaign", campaign=shown)]
    for part in views.parts_of_campaign(campaign_id):
        after = part.begin
        while rows := await call.read(lambda connection, part=part, after=after: part.read(connection, after)):  # type: ignore[misc]
            yield [part.line(row) for row in rows]
            after = rows[-1]["id"]


def _before(query: ReceiptsQuery) -> int | None:
    cursor = cursor_of(query)
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        reason = "the cursor was not given out here; take next_cursor of the page before"
        raise InvalidFields([FieldError(field="cursor", code="invalid_cursor", reason=reason)])
    return int(cursor)


async def _heads(call: Call) -> list[Head]:
    """The heads that were kept in the data directory, if any were."""
    path = call.services.settings.data_dir / FILE
    if not await asyncio.to_thread(path.is_file):
        return []
    return parse(await asyncio.to_thread(path.read_text))


def _wants_page(call: Call, query: EvidenceQuery) -> bool:
    if query.format is not None:
        return query.format == "html"
    return "text/html" in call.request.headers.get("Accept", "").lower()


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=PAGE_HEADERS)
