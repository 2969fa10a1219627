"""Keys and sessions: nothing below /v1 without one, revoked at once, and no secret is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outbound.api.access import COOKIE, SESSION_S
from outbound.api.app import all_routes
from outbound.store.schema import api_keys, idempotency_keys
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration
NO_KEY: dict[str, Any] = {"headers": {"Authorization": ""}}


@pytest.fixture
async def api(bare_api: Api) -> Api:
    return bare_api


async def test_every_route_below_v1_wants_a_key(api: Api) -> None:
    for route in all_routes():
        if route.is_open:
            continue
        path = route.path.replace("{", "").replace("}", "")
        problem = await api.refused(route.method, path, expect=401, **NO_KEY)
        assert problem["code"] == "unauthorized", route
    for path in ("/v1", "/v1/", "/v1/nothing"):
        await api.refused("GET", path, expect=401, **NO_KEY)


async def test_a_refusal_says_how_to_be_let_in(api: Api) -> None:
    async with api.client.get("/v1/campaigns", **NO_KEY) as answer:
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="outbound"'


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer ob_wrong", "Basic b2I6eA==", "Bearer " + "x" * 5000, "Bearer k\u00e9y", "bearer \t"],
)
async def test_wrong_keys_are_refused(api: Api, header: str) -> None:
    await api.refused("GET", "/v1/campaigns", headers={"Authorization": header}, expect=401)


async def test_the_rest_is_open(api: Api) -> None:
    for path in ("/", "/docs", "/healthz", "/metrics", "/openapi.json"):
        async with api.client.get(path, **NO_KEY) as answer:
            assert answer.status == 200, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_key_is_made_shown_once_used_and_revoked(api: Api) -> None:
    made = await api("POST", "/v1/keys", {"name": "shop"}, expect=201)
    assert made["key"].startswith("ob_")
    assert made["key"].startswith(made["prefix"])
    theirs = {"headers": {"Authorization": f"bearer {made['key']}"}}
    assert (await api("GET", "/v1/session", expect=200, **theirs))["id"] == made["id"]
    listed = (await api("GET", "/v1/keys"))["items"]
    assert {item["name"] for item in listed} == {"test", "shop"}
    assert made["key"] not in str(listed)
    await api("DELETE", f"/v1/keys/{made['id']}", expect=204)
    await api.refused("GET", "/v1/session", expect=401, **theirs)
    await api("DELETE", f"/v1/keys/{made['id']}", expect=204)
    await api.refused("DELETE", "/v1/keys/nope", expect=404)


async def test_the_last_key_stays(api: Api) -> None:
    own = (await api("GET", "/v1/session"))["id"]
    assert (await api.refused("DELETE", f"/v1/keys/{own}", expect=409))["code"] == "last_key"


async def test_no_secret_is_stored_even_for_repeats(api: Api) -> None:
    headers = {"Idempotency-Key": "k1"}
    made = await api("POST", "/v1/keys", {"name": "shop"}, headers=headers, expect=201)
    again = await api("POST", "/v1/keys", {"name": "shop"}, headers=headers, expect=201)
    assert (again["id"], again["key"]) == (made["id"], None)

    def everything(connection: Any) -> str:
        return str([connection.execute(select(table)).all() for table in (api_keys, idempotency_keys)])

    stored = await api.services.store.read(everything)
    assert made["key"] not in stored
    assert api.key not in stored


async def test_a_browser_exchanges_its_key_for_a_session(api: Api) -> None:
    jar = api.client.session.cookie_jar
    async with api.client.post("/v1/session", json={"key": api.key}, **NO_KEY) as answer:
        assert answer.status == 200
        cookie = answer.cookies[COOKIE]
        assert api.key not in cookie.value
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    jar.update_cookies({COOKIE: cookie.value}, api.client.make_url("/"))
    assert (await api("GET", "/v1/session", expect=200, **NO_KEY))["name"] == "test"
    await api("POST", "/v1/keys", {"name": "from the console"}, expect=201, **NO_KEY)
    cross = {"Authorization": "", "Sec-Fetch-Site": "cross-site"}
    assert (await api.refused("POST", "/v1/keys", {"name": "x"}, headers=cross, expect=403))["code"] == "cross_site"
    api.clock.now += SESSION_S + 1
    await api.refused("GET", "/v1/session", expect=401, **NO_KEY)
    api.clock.now -= SESSION_S + 1
    await api("DELETE", "/v1/session", expect=204, **NO_KEY)
    await api.refused("GET", "/v1/session", expect=401, **NO_KEY)


async def test_a_session_ends_with_its_key(api: Api) -> None:
    made = await api("POST", "/v1/keys", {"name": "shop"}, expect=201)
    await api("POST", "/v1/session", {"key": made["key"]}, expect=200, **NO_KEY)
    assert (await api("GET", "/v1/session", expect=200, **NO_KEY))["id"] == made["id"]
    await api("DELETE", f"/v1/keys/{made['id']}", expect=204)
    await api.refused("GET", "/v1/session", expect=401, **NO_KEY)


async def test_a_forged_session_is_refused(api: Api) -> None:
    async with api.client.post("/v1/session", json={"key": api.key}) as answer:
        good = answer.cookies[COOKIE].value
    key_id, until, signature = good.split(".")
    forged = [
        f"{key_id}.{int(until) + 999}.{signature}",
        f"{key_id}.{until}.{signature[:-2]}xx",
        f"nope.{until}.{signature}",
        f"{key_id}.{until}.",
        f"{key_id}.x.{signature}",
        ".",
        "\u00b2.\u00b2.\u00b2",
    ]
    for value in forged:
        api.client.session.cookie_jar.clear()
        headers = {"Authorization": "", "Cookie": f"{COOKIE}={value}"}
        await api.refused("GET", "/v1/session", headers=headers, expect=401)
    await api.refused("POST", "/v1/session", {"key": "ob_wrong"}, expect=401)


async def test_an_authorization_header_wins_over_the_cookie(api: Api) -> None:
    await api("POST", "/v1/session", {"key": api.key}, expect=200)
    await api.refused("GET", "/v1/session", headers={"Authorization": "Bearer wrong"}, expect=401)
