"""Contacts of a campaign as JSON, NDJSON or CSV; imports and what they did not take; a number's journey, its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from sqlalchemy import Connection

from outbound.api import bodies, views
from outbound.api.calls import Call
from outbound.api.faults import field_errors
from outbound.api.models import (
    Contact,
    ContactIn,
    ContactsQuery,
    ContactsResult,
    FieldError,
    Import,
    ImportQuery,
    Journey,
    Page,
    Reject,
)
from outbound.api.paging import cursor_of, cut
from outbound.api.problems import InvalidFields
from outbound.api.receipt_models import Erasure
from outbound.api.routes import Answer, Routes
from outbound.api.waiting import hold
from outbound.erasing import erasure
from outbound.errors import NotFound, OutboundError
from outbound.ids import new_id
from outbound.importing.batches import contact_rules
from outbound.importing.numbers import NumberRefused, e164
from outbound.importing.rows import ContactRules
from outbound.importing.spool import spool
from outbound.store import attempt_views, campaigns, contacts, events, imports
from outbound.store.contacts import NewContact
from outbound.store.imports import Rejected

routes = Routes("contacts")
JSON_LIMIT = 4 * 1024 * 1024
LIST_LIMIT = 5000
CHUNK = 64 * 1024
FIRST_REJECTS = 100
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
CSV = ("text/csv", "text/tab-separated-values")
_TEXT = {"type": "string"}


@routes.add(
    "POST",
    "/v1/campaigns/{campaign_id}/contacts",
    "Add contacts",
    consumes={
        "application/json": {"anyOf": [ContactIn, {"type": "array", "items": ContactIn, "maxItems": LIST_LIMIT}]},
        "application/x-ndjson": _TEXT,
        "text/csv": _TEXT,
    },
    answers={200: ContactsResult, 202: Import},
)
async def add_contacts(call: Call, campaign_id: str, query: ImportQuery) -> Answer[ContactsResult | Import]:
    """JSON (one contact or a list) is answered at once; NDJSON and CSV become an import, 202 with its address.

    A CSV column that is no field of a contact is a variable of the call flow. With ``Prefer: wait=N`` the answer to a
    file is held for up to N seconds until the import is over.
    """
    kind = bodies.require_type(call.request, *bodies.JSON_TYPES, *NDJSON, *CSV)
    row = await call.read(lambda connection: campaigns.get(connection, campaign_id))
    if kind in bodies.JSON_TYPES:
        value, call.fingerprint = await bodies.read_json(call.request, JSON_LIMIT)
        rules = await asyncio.to_thread(contact_rules, row)
        return await _add_json(call, campaign_id, value, rules)
    return await _add_file(call, campaign_id, "ndjson" if kind in NDJSON else "csv", query)


@routes.add("GET", "/v1/campaigns/{campaign_id}/contacts", "List a campaign's contacts")
async def list_contacts(call: Call, campaign_id: str, query: ContactsQuery) -> Page[Contact]:
    """In the order they came."""
    after = cursor_of(query)

    def unit(connection: Connection) -> Page[Contact]:
        campaigns.get(connection, campaign_id)
        chosen = {"disposition": query.disposition, "after": after}
        rows = contacts.page(connection, campaign_id, limit=query.limit + 1, **chosen)
        return cut(rows, query, views.contact)

    return await call.read(unit)


@routes.add("GET", "/v1/imports/{import_id}", "Show an import")
async def get_import(call: Call, import_id: str) -> Import:
    """With its first 100 rejects."""
    return await call.read(lambda connection: _show(connection, import_id))


@routes.add(
    "GET",
    "/v1/imports/{import_id}/rejects",
    "Download every reject of an import",
    produces={"application/x-ndjson": Reject},
)
async def get_rejects(call: Call, import_id: str) -> web.StreamResponse:
    """One JSON object a line, in the order of the file."""
    await call.read(lambda connection: imports.get(connection, import_id))
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    await answer.prepare(call.request)
    after = -1
    while rows := await call.read(lambda c, after=after: imports.page_rejects(c, import_id, after=after, limit=1000)):  # type: ignore[misc]
        lines = (json.dumps(views.reject(row).model_dump(), ensure_ascii=False) for row in rows)
        await answer.write("".join(f"{line}\n" for line in lines).encode())
        after = rows[-1]["row"]
    await answer.write_eof()
    return answer


@routes.add("GET", "/v1/contacts/{number}", "Show a number's journey")
async def get_journey(call: Call, number: str) -> Journey:
    """Attempts, opt-outs and callbacks of an E.164 number over all campaigns."""
    wanted = _number(number)

    def unit(connection: Connection) -> Journey:
        found = contacts.journey(connection, wanted)
        chosen = attempt_views.Filter(number=wanted)
        tries = attempt_views.page(connection, chosen, before=None, limit=contacts.JOURNEY_LIMIT)
        journey = Journey(
            number=wanted,
            campaigns=[views.membership(row) for row in found["campaigns"]],
            attempts=[views.attempt(row) for row in tries],
            opt_outs=[views.opt_out(row) for row in found["opt_outs"]],
            callbacks=[views.callback(row) for row in found["callbacks"]],
        )
        if not (journey.campaigns or journey.attempts or journey.opt_outs or journey.callbacks):
            raise NotFound("nothing is known of this number", code="contact_not_found")
        return journey

    return await call.read(unit)


@routes.add("DELETE", "/v1/contacts/{number}", "Erase a person")
async def erase_contact(call: Call, number: str) -> Answer[Erasure]:
    """What is known of an E.164 number goes, over all campaigns; its opt-out stays in force, its receipts verifiable.

    The number is replaced by a token, also in the history of events. Refused as ``contact_busy`` while a call is being
    made. National registers, uploads that still wait, and what was exported or backed up before are not touched.
    """
    wanted = _number(number)
    seen = await call.read(lambda connection: erasure.look(connection, wanted))

    def unit(connection: Connection) -> Answer[Erasure]:
        done = erasure.erase(connection, wanted, seen, now=call.now)
        after = (lambda: erasure.clear_files(call.services),) if done.is_new else ()
        return Answer(body=Erasure(token=done.token, erased=done.counts), after=after)

    return await call.commit(unit)


async def _add_json(call: Call, campaign_id: str, value: Any, rules: ContactRules) -> Answer[ContactsResult | Import]:
    single = not isinstance(value, list)
    items = [value] if single else value
    if len(items) > LIST_LIMIT:
        detail = f"the list has {len(items)} contacts and {LIST_LIMIT} are taken at once; send NDJSON or CSV"
        raise OutboundError(detail, code="too_large", status=413)
    outcomes = await asyncio.to_thread(lambda: [_check(rules, row, item) for row, item in enumerate(items, start=1)])
    if single and isinstance(outcomes[0], Rejected):
        fault = outcomes[0]
        raise InvalidFields([FieldError(field=fault.field, code=fault.code, reason=fault.reason)])
    good = [outcome for outcome in outcomes if isinstance(outcome, NewContact)]
    bad = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    services = call.services

    def unit(connection: Connection) -> Answer[ContactsResult | Import]:
        campaign = campaigns.get(connection, campaign_id, lock=True)
        if campaign["state"] in ("cancelled", "completed"):
            raise campaigns.wrong_state(campaign, "contacts were sent")
        added = contacts.add(connection, campaign_id, good, now=call.now)
        listed = sorted([*bad, *map(imports.duplicate, added.duplicates)], key=lambda item: item.row)
        result = ContactsResult(
            accepted=added.accepted,
            duplicates=len(added.duplicates),
            rejected=len(bad),
            rejects=[Reject(row=item.row, field=item.field, code=item.code, reason=item.reason) for item in listed],
        )
        data = {"import_id": None} | result.model_dump(exclude={"rejects"})
        events.append(connection, at=call.now, kind="import.done", campaign_id=campaign_id, data=data)
        running = campaign["state"] == "running" and added.accepted
        return Answer(body=result, after=((lambda: services.enqueue("plan_campaign", campaign_id)),) if running else ())

    return await call.commit(unit)


def _check(rules: ContactRules, row: int, item: Any) -> NewContact | Rejected:
    """Check one contact of a list, as strictly as any JSON."""
    try:
        contact = ContactIn.model_validate_json(json.dumps(item), strict=True)
    except ValidationError as error:
        fault = field_errors(error, ContactIn)[0]
        return Rejected(row=row, field=fault.field, code=fault.code, reason=fault.reason)
    return rules.check_contact(row, contact)


async def _add_file(call: Call, campaign_id: str, kind: str, query: ImportQuery) -> Answer[ContactsResult | Import]:
    import_id = new_id(call.now)
    path = call.services.settings.data_dir / "imports" / f"{import_id}.{kind}"
    ignored = [name.strip() for name in query.ignore_columns.split(",") if name.strip()]
    options = {"ignore_columns": ignored, "charset": call.request.charset}
    call.fingerprint = await spool(_chunks(call.request), path)
    latest = await call.services.stream.latest()

    def unit(connection: Connection) -> Answer[ContactsResult | Import]:
        campaign = campaigns.get(connection, campaign_id, lock=True)
        if campaign["state"] in ("cancelled", "completed"):
            raise campaigns.wrong_state(campaign, "contacts were sent")
        imports.create(
            connection,
            import_id,
            campaign_id=campaign_id,
            format=kind,
            path=path.name,
            options=options,
            now=call.now,
        )
        return Answer(
            body=_show(connection, import_id),
            status=202,
            headers={"Location": f"/v1/imports/{import_id}"},
            after=(lambda: call.services.enqueue("run_import", import_id),),
        )

    try:
        answer = await call.commit(unit)
    except Exception:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    if answer.stored is not None:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return answer
    return await _wait(call, answer, import_id, latest)


async def _wait(
    call: Call, answer: Answer[ContactsResult | Import], import_id: str, after: int
) -> Answer[ContactsResult | Import]:
    """Hold the answer until the import is over, as long as is asked for."""
    waited_s = await hold(call, "import.done", import_id, after=after)
    if waited_s is None:
        return answer
    shown = await call.read(lambda connection: _show(connection, import_id))
    headers = dict(answer.headers) | {"Preference-Applied": f"wait={waited_s}"}
    return Answer(body=shown, status=200, headers=headers)


def _show(connection: Connection, import_id: str) -> Import:
    row = imports.get(connection, import_id)
    first = imports.page_rejects(connection, import_id, after=-1, limit=FIRST_REJECTS)
    return views.import_(row, [views.reject(item) for item in first])


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(CHUNK):
        yield chunk


def _number(text: str) -> str:
    try:
        return e164(text)
    except NumberRefused as error:
        raise InvalidFields([FieldError(field="number", code=error.code, reason=error.detail)]) from error
