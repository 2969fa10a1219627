"""``/v1/trunks``: the ways out to the telephone network; a password goes in and never comes out."""

from __future__ import annotations

from sqlalchemy import Connection

from outbound.api import views
from outbound.api.calls import Call
from outbound.api.models import ListQuery, Page, TrunkIn, TrunkOut, TrunkSettings
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.dispatch.standing import Standing, standings
from outbound.store import trunks

routes = Routes("trunks")


@routes.add("POST", "/v1/trunks", "Create a trunk", status=201)
async def create_trunk(call: Call, body: TrunkIn) -> Answer[TrunkOut]:
    """Its name is what campaigns refer to."""
    settings = body.model_dump(mode="json", exclude={"name"})

    def unit(connection: Connection) -> Answer[TrunkOut]:
        row = trunks.create(connection, body.name, settings, now=call.now)
        return Answer(body=views.trunk(row, 0, Standing()), headers={"Location": f"/v1/trunks/{body.name}"})

    return await call.commit(unit)


@routes.add("GET", "/v1/trunks", "List trunks")
async def list_trunks(call: Call, query: ListQuery) -> Page[TrunkOut]:
    """By name."""
    after = cursor_of(query)

    def unit(connection: Connection) -> Page[TrunkOut]:
        rows = trunks.page(connection, after=after, limit=query.limit + 1)
        names = [row["name"] for row in rows]
        using, stand = trunks.users(connection, names), standings(connection, names, now=call.now)
        return cut(rows, query, lambda row: views.trunk(row, using[row["name"]], stand[row["name"]]), key="name")

    return await call.read(unit)


@routes.add("GET", "/v1/trunks/{name}", "Show a trunk")
async def get_trunk(call: Call, name: str) -> TrunkOut:
    """Without its password."""
    return await call.read(lambda connection: _show(connection, name, call.now))


@routes.add("PUT", "/v1/trunks/{name}", "Replace a trunk's settings")
async def replace_trunk(call: Call, name: str, body: TrunkSettings) -> Answer[TrunkOut]:
    """Counts for calls that begin from now on; without ``password`` the stored one stays."""
    settings = body.model_dump(mode="json")
    if "password" not in body.model_fields_set:
        del settings["password"]

    def unit(connection: Connection) -> Answer[TrunkOut]:
        trunks.replace(connection, name, settings)
        return Answer(body=_show(connection, name, call.now))

    return await call.commit(unit)


@routes.add("DELETE", "/v1/trunks/{name}", "Delete a trunk", status=204)
async def delete_trunk(call: Call, name: str) -> Answer[None]:
    """Refused while a campaign that is not over goes out through it."""

    def unit(connection: Connection) -> Answer[None]:
        trunks.remove(connection, name, now=call.now)
        return Answer(body=None)

    return await call.commit(unit)


def _show(connection: Connection, name: str, now: float) -> TrunkOut:
    row, using = trunks.get(connection, name), trunks.users(connection, [name])
    return views.trunk(row, using[name], standings(connection, [name], now=now)[name])
