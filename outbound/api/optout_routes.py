"""``/v1/optouts``: who must not be reached. An opt-out is recorded, never taken back here."""

from __future__ import annotations

from sqlalchemy import Connection

from outbound.api import views
from outbound.api.calls import Call
from outbound.api.models import FieldError, NumberQuery, OptOut, OptOutIn, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.problems import InvalidFields
from outbound.api.routes import Answer, Routes
from outbound.importing.numbers import NumberRefused, e164
from outbound.store import optouts

routes = Routes("opt-outs")


@routes.add("POST", "/v1/optouts", "Record an opt-out", status=201)
async def create_opt_out(call: Call, body: OptOutIn) -> Answer[OptOut]:
    """Counts at once, over all campaigns that ``scope`` covers; what waits for this number is cancelled with it."""
    try:
        number = e164(body.number)
    except NumberRefused as error:
        raise InvalidFields([FieldError(field="number", code=error.code, reason=error.detail)]) from error

    def unit(connection: Connection) -> Answer[OptOut]:
        row = optouts.record(connection, number=number, scope=body.scope, source="rest", words=body.words, now=call.now)
        return Answer(body=views.opt_out(row))

    return await call.commit(unit)


@routes.add("GET", "/v1/optouts", "List opt-outs")
async def list_opt_outs(call: Call, query: NumberQuery) -> Page[OptOut]:
    """The newest first."""
    before = cursor_of(query)
    return await call.read(
        lambda connection: cut(
            optouts.page(connection, number=query.number, before=before, limit=query.limit + 1), query, views.opt_out
        )
    )
