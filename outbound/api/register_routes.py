"""``/v1/registers``: do-not-call lists, national and the house's own; files are only put on disk here."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from outbound.api import bodies, respect_views
from outbound.api.calls import Call
from outbound.api.given import list_date, wrong
from outbound.api.models import ListQuery, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.respect_models import Register, RegisterImport, RegisterIn, RegisterQuery, RegisterReject
from outbound.api.routes import Answer, Routes
from outbound.api.waiting import hold
from outbound.ids import new_id
from outbound.importing.spool import spool
from outbound.store import register_imports as imports
from outbound.store import registers

routes = Routes("registers")
CHUNK = 64 * 1024
FIRST_REJECTS = 100
TYPES = ("text/csv", "text/plain")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TEXT = {"type": "string"}


@routes.add("PUT", "/v1/registers/{name}", "Create a register", answers={200: Register, 201: Register})
async def put_register(call: Call, name: str, body: RegisterIn) -> Answer[Register]:
    """201 when it is new, 200 when it is there already; its kind never changes."""
    if not _NAME.fullmatch(name):
        raise wrong("name", "invalid_name", "a name has small letters, digits, - and _, at most 64, such as us-dnc")

    def unit(connection: Connection) -> Answer[Register]:
        created = registers.create(connection, name, body.kind, now=call.now)
        return Answer(body=_show(connection, name), status=201 if created else 200)

    return await call.commit(unit)


@routes.add("GET", "/v1/registers", "List registers")
async def list_registers(call: Call, query: ListQuery) -> Page[Register]:
    """By name."""
    after = cursor_of(query)

    def unit(connection: Connection) -> Page[Register]:
        rows = registers.page(connection, after=after, limit=query.limit + 1)
        open_ = {row["name"]: imports.open_import(connection, row["name"]) for row in rows}
        return cut(rows, query, lambda row: respect_views.register(row, open_[row["name"]]), key="name")

    return await call.read(unit)


@routes.add("GET", "/v1/registers/{name}", "Show a register")
async def get_register(call: Call, name: str) -> Register:
    """With the date of the newest list that was loaded whole."""
    return await call.read(lambda connection: _show(connection, name))


@routes.add(
    "POST",
    "/v1/registers/{name}/entries",
    "Load a list",
    status=202,
    consumes=dict.fromkeys(TYPES, _TEXT),
    answers={200: RegisterImport, 202: RegisterImport},
)
async def load_entries(call: Call, name: str, query: RegisterQuery) -> Answer[RegisterImport]:
    """One number a line, or CSV with a column ``number``; 202 with the address of the import.

    Until the list is in whole, the one before it counts too. With ``Prefer: wait=N`` the answer is held for up to N
    seconds until the import is over.
    """
    bodies.require_type(call.request, *TYPES)
    as_of = list_date(query.as_of, "as_of", now=call.now)
    await call.read(lambda connection: registers.get(connection, name))
    import_id = new_id(call.now)
    path = call.services.settings.data_dir / "imports" / f"{import_id}.list"
    options = {"charset": call.request.charset, "default_region": query.default_region, "shrink": query.shrink}
    call.fingerprint = await spool(_chunks(call.request), path)
    latest = await call.services.stream.latest()
    values: dict[str, Any] = {"register": name, "mode": query.mode, "path": path.name, "options": options}

    def unit(connection: Connection) -> Answer[RegisterImport]:
        imports.create(connection, import_id, **values, as_of=as_of, now=call.now)
        return Answer(
            body=_show_import(connection, name, import_id),
            status=202,
            headers={"Location": f"/v1/registers/{name}/imports/{import_id}"},
            after=(lambda: call.services.enqueue("load_register", import_id),),
        )

    try:
        answer = await call.commit(unit)
    except Exception:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    if answer.stored is not None:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        return answer
    waited_s = await hold(call, "register.done", import_id, after=latest)
    if waited_s is None:
        return answer
    shown = await call.read(lambda connection: _show_import(connection, name, import_id))
    return Answer(body=shown, status=200, headers=dict(answer.headers) | {"Preference-Applied": f"wait={waited_s}"})


@routes.add("GET", "/v1/registers/{name}/imports/{import_id}", "Show how a list is loaded")
async def get_register_import(call: Call, name: str, import_id: str) -> RegisterImport:
    """With its first 100 rejects."""
    return await call.read(lambda connection: _show_import(connection, name, import_id))


@routes.add(
    "GET",
    "/v1/registers/{name}/imports/{import_id}/rejects",
    "Download every reject of a list",
    produces={"application/x-ndjson": RegisterReject},
)
async def get_register_rejects(call: Call, name: str, import_id: str) -> web.StreamResponse:
    """One JSON object a line, in the order of the file."""
    await call.read(lambda connection: imports.get(connection, import_id, register=name))
    answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    await answer.prepare(call.request)
    after = -1
    while rows := await call.read(lambda c, after=after: imports.page_rejects(c, import_id, after=after, limit=1000)):  # type: ignore[misc]
        lines = (json.dumps(respect_views.register_reject(row).model_dump(), ensure_ascii=False) for row in rows)
        await answer.write("".join(f"{line}\n" for line in lines).encode())
        after = rows[-1]["row"]
    await answer.write_eof()
    return answer


def _show(connection: Connection, name: str) -> Register:
    return respect_views.register(registers.get(connection, name), imports.open_import(connection, name))


def _show_import(connection: Connection, name: str, import_id: str) -> RegisterImport:
    row = imports.get(connection, import_id, register=name)
    first = imports.page_rejects(connection, import_id, after=-1, limit=FIRST_REJECTS)
    return respect_views.register_import(row, [respect_views.register_reject(item) for item in first])


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(CHUNK):
        yield chunk
