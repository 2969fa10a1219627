"""Opt-ins: only the customer's own act brings a number back, and only from opt-outs that are older than it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outbound.store import optins
from outbound.store.schema import events, opt_outs
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration

ANN = "+447700900001"
START = {"number": "+44 7700 900 001", "source": "sms", "words": "START"}


async def test_an_opt_in_is_stored_beside_the_opt_out(api: Api) -> None:
    await api("POST", "/v1/optouts", {"number": ANN}, expect=201)
    api.clock.now += 60
    kept = await api("POST", "/v1/optins", START | {"scope": "marketing", "channel": "sms"}, expect=201)
    assert (kept["number"], kept["scope"], kept["channel"], kept["words"]) == (ANN, "marketing", "sms", "START")
    assert kept["at"] == "2026-11-24T12:01:00Z"
    assert len((await api("GET", "/v1/optouts"))["items"]) == 1
    told = await api.services.store.read(lambda c: c.execute(select(events).order_by(events.c.id)).mappings().all())
    assert (told[-1]["kind"], told[-1]["data"]["scope"]) == ("optin.created", "marketing")


async def test_one_that_is_told_late_is_as_old_as_the_act(api: Api) -> None:
    early = "2026-11-24T11:00:00Z"
    kept = await api("POST", "/v1/optins", START | {"at": early}, expect=201)
    assert kept["at"] == early
    await api("POST", "/v1/optouts", {"number": ANN}, expect=201)
    (opt_in,) = await api.services.store.read(lambda c: optins.of(c, [ANN]))
    opted_out_at = await api.services.store.read(lambda c: c.execute(select(opt_outs.c.created_at)).scalar_one())
    assert opt_in["created_at"] < opted_out_at


@pytest.mark.parametrize("source", ["agent", "rest", "import"])
async def test_nobody_else_brings_a_number_back(api: Api, source: str) -> None:
    problem = await api.refused("POST", "/v1/optins", START | {"source": source}, expect=422)
    assert problem["errors"][0]["field"] == "source"
    assert "only the customer's own act" in problem["errors"][0]["reason"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"words": " "}, "at least 1 character"),
        ({"words": None}, "valid string"),
        ({"source": "web_form"}, "needs proof"),
        ({"at": "2026-11-24T12:00:01Z"}, "not come yet"),
        ({"at": "yesterday"}, "valid datetime"),
        ({"scope": "emergency"}, "'all'"),
        ({"number": "+1"}, ""),
    ],
)
async def test_what_is_wrong_is_said(api: Api, wrong: dict[str, Any], said: str) -> None:
    problem = await api.refused("POST", "/v1/optins", START | wrong, expect=422)
    assert said in problem["errors"][0]["reason"]
    assert (await api("GET", "/v1/optins"))["items"] == []


async def test_a_web_form_with_proof(api: Api) -> None:
    proof = "form 17, ticked at 11:58 from 192.0.2.1"
    await api("POST", "/v1/optins", START | {"source": "web_form", "proof": proof}, expect=201)
    (kept,) = (await api("GET", "/v1/optins", params={"number": ANN}))["items"]
    assert kept["proof"] == proof


async def test_opt_ins_are_listed_the_newest_first(api: Api) -> None:
    for words in ("START", "UNSTOP", "START again"):
        api.clock.now += 1
        await api("POST", "/v1/optins", START | {"words": words}, expect=201)
    first = await api("GET", "/v1/optins?limit=2")
    assert [item["words"] for item in first["items"]] == ["START again", "UNSTOP"]
    rest = await api("GET", "/v1/optins", params={"limit": 2, "cursor": first["next_cursor"]})
    assert [item["words"] for item in rest["items"]] == ["START"]
    assert (await api("GET", "/v1/optins", params={"number": "+447700900009"}))["items"] == []
