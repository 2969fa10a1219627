"""``/v1/keys`` and ``/v1/session``: who may use this API; a secret is shown once and never stored."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import Connection

from outbound.api import access, views
from outbound.api.calls import Call
from outbound.api.models import ApiKeyCreated, ApiKeyIn, ApiKeyOut, ListQuery, Page, SessionIn
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.store import apikeys

routes = Routes("keys")


@routes.add("POST", "/v1/keys", "Make an API key", status=201)
async def create_key(call: Call, body: ApiKeyIn) -> Answer[ApiKeyCreated]:
    """The secret is in this answer alone."""

    def unit(connection: Connection) -> Answer[ApiKeyCreated]:
        row, secret = apikeys.make(connection, name=body.name, now=call.now)
        shown = views.api_key(row).model_dump()
        return Answer(body=ApiKeyCreated(**shown, key=secret), repeated=ApiKeyCreated(**shown))

    return await call.commit(unit)


@routes.add("GET", "/v1/keys", "List API keys")
async def list_keys(call: Call, query: ListQuery) -> Page[ApiKeyOut]:
    """In the order they were made, revoked ones among them."""
    after = cursor_of(query)
    return await call.read(
        lambda connection: cut(apikeys.page(connection, after=after, limit=query.limit + 1), query, views.api_key)
    )


@routes.add("DELETE", "/v1/keys/{key_id}", "Revoke an API key", status=204)
async def revoke_key(call: Call, key_id: str) -> Answer[None]:
    """Counts at once, sessions that were begun with it included."""

    def unit(connection: Connection) -> Answer[None]:
        apikeys.revoke(connection, key_id, now=call.now)
        return Answer(body=None)

    return await call.commit(unit)


@routes.add("POST", "/v1/session", "Begin a browser session", is_open=True)
async def begin_session(call: Call, body: SessionIn) -> web.StreamResponse:
    """Exchanges a key for a cookie that scripts cannot read, for the console and its event stream."""
    key = await access.key_of(call.services, body.key.strip())
    if key is None:
        raise access.Unauthorized("the key is not valid; `outbound up` prints the operator's")
    answer = web.json_response(text=views.api_key(key).model_dump_json(), headers={"Cache-Control": "no-store"})
    answer.set_cookie(
        access.COOKIE,
        access.session(key, now=call.now),
        max_age=access.SESSION_S,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=call.request.secure,
    )
    return answer


@routes.add("GET", "/v1/session", "Show whose session this is")
async def get_session(call: Call) -> ApiKeyOut:
    """The key this request was let in with."""
    return views.api_key(await call.read(lambda connection: apikeys.get(connection, call.api_key_id)))


@routes.add("DELETE", "/v1/session", "End a browser session", status=204, is_open=True)
async def end_session(call: Call) -> web.StreamResponse:
    """Takes the cookie away."""
    answer = web.Response(status=204)
    answer.del_cookie(access.COOKIE, path="/")
    return answer
