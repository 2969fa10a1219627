"""Trunks: a password goes in and never comes out, and what is in use stays."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select

from outbound.request import trunk as dialers_trunk
from outbound.store.schema import idempotency_keys, trunks
from tests.outbound.conftest import TRUNK, Api

pytestmark = pytest.mark.integration
SECRET = TRUNK["password"]


async def test_the_dialer_gets_what_the_operator_gave(api: Api) -> None:
    row = await api.services.store.read(lambda c: c.execute(select(trunks)).mappings().one())
    made = dialers_trunk(row["name"], row["settings"])
    assert (made.host, made.username, made.password, made.codecs) == (TRUNK["host"], "shop", SECRET, ("PCMU", "PCMA"))
    assert (row["channels"], row["calls_per_second"]) == (30, 10.0)


async def test_the_password_is_never_shown(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Idempotency-Key": "trunk-1"}
    answers = [await api("POST", "/v1/trunks", TRUNK | {"name": "other"}, headers=headers, expect=201)]
    answers.append(await api("GET", "/v1/trunks/other", expect=200))
    answers.append(await api("GET", "/v1/trunks", expect=200))
    answers.append(await api("PUT", "/v1/trunks/other", {"host": "h", "password": "hunter22"}, expect=200))
    answers.append(await api.refused("POST", "/v1/trunks", TRUNK | {"codecs": ["x"]}, expect=422))
    answers.append(await api.refused("POST", "/v1/trunks", TRUNK, expect=409))
    assert answers[0]["password"] == "***"
    kept = await api.services.store.read(lambda c: c.execute(select(idempotency_keys.c.body)).scalars().all())
    everything = f"{answers} {kept} {caplog.text}"
    assert SECRET not in everything
    assert "hunter22" not in everything


async def test_replacing_keeps_the_password_unless_one_is_given(api: Api) -> None:
    async def stored() -> str:
        row = await api.services.store.read(lambda c: c.execute(select(trunks.c.settings)).scalar_one())
        return str(row["password"])

    body = {"host": "192.0.2.1", "channels": 4}
    shown = await api("PUT", "/v1/trunks/default", body, expect=200)
    assert (shown["host"], shown["channels"], shown["username"]) == ("192.0.2.1", 4, "")
    assert await stored() == SECRET
    await api("PUT", "/v1/trunks/default", body | {"password": "new"}, expect=200)
    assert await stored() == "new"
    await api("PUT", "/v1/trunks/default", body | {"password": ""}, expect=200)
    assert await stored() == ""
    await api.refused("PUT", "/v1/trunks/nowhere", body, expect=404)


async def test_a_trunk_in_use_stays(api: Api) -> None:
    campaign = await api.a_campaign()
    problem = await api.refused("DELETE", "/v1/trunks/default", expect=409)
    assert (problem["code"], problem["in_use"]) == ("trunk_in_use", 1)
    assert (await api("GET", "/v1/trunks/default"))["in_use"] == 1
    await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200)
    await api("DELETE", "/v1/trunks/default", expect=204)
    await api.refused("GET", "/v1/trunks/default", expect=404)
    assert (await api("GET", "/v1/trunks"))["items"] == []
    left = await api.services.store.read(lambda c: c.execute(select(trunks)).mappings().one())
    assert left["settings"] == {}
    await api("POST", "/v1/trunks", TRUNK, expect=201)
    assert (await api("GET", f"/v1/campaigns/{campaign}"))["trunk"] == "default"


async def test_wrong_settings_are_named(api: Api) -> None:
    wrong = {
        "host": "a b",
        "caller_id": "0123",
        "calls_per_second": 0,
        "channels": 0,
        "codecs": [],
        "transport": "carrier pigeon",
        "username": "a\r\nVia: x",
        "headers": {"X-A": "1\r\nX-B: 2"},
    }
    for field, value in wrong.items():
        problem = await api.refused("POST", "/v1/trunks", TRUNK | {"name": "new", field: value}, expect=422)
        assert problem["errors"][0]["field"].startswith(field)
    await api.refused("POST", "/v1/trunks", TRUNK | {"name": "Not a slug"}, expect=422)


async def test_trunks_are_listed_by_name(api: Api) -> None:
    for name in ("zulu", "alpha"):
        await api("POST", "/v1/trunks", TRUNK | {"name": name}, expect=201)
    page = await api("GET", "/v1/trunks?limit=2")
    rest = await api("GET", f"/v1/trunks?limit=2&cursor={page['next_cursor']}")
    assert [item["name"] for item in page["items"] + rest["items"]] == ["alpha", "default", "zulu"]
