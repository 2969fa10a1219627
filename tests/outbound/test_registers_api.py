"""Registers over REST: created once, lists sent as files, what became of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from outbound.registers.load import load_register
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration

CSV = {"Content-Type": "text/csv", "Prefer": "wait=20"}
ENTRIES = "/v1/registers/uk-tps/entries"
LIST = "number\n+447700900001\nnobody\n+447700900002\n"


async def send(api: Api, content: str, query: str = "as_of=2026-11-20", *, expect: int = 200, **headers: str) -> Any:
    return await api("POST", f"{ENTRIES}?{query}", data=content, headers=CSV | headers, expect=expect)


@pytest.fixture
async def tps(api: Api) -> Api:
    await api("PUT", "/v1/registers/uk-tps", {"kind": "national"}, expect=201)
    return api


async def test_a_register_is_created_once(tps: Api) -> None:
    shown = await tps("PUT", "/v1/registers/uk-tps", {"kind": "national"}, expect=200)
    assert shown == await tps("GET", "/v1/registers/uk-tps")
    assert (shown["name"], shown["kind"], shown["as_of"], shown["entries"]) == ("uk-tps", "national", None, 0)
    problem = await tps.refused("PUT", "/v1/registers/uk-tps", {"kind": "house"}, expect=409)
    assert problem["code"] == "register_kind"
    await tps.refused("PUT", "/v1/registers/UK%20TPS", {"kind": "house"}, expect=422)
    await tps("PUT", "/v1/registers/ours", {"kind": "house"}, expect=201)
    first = await tps("GET", "/v1/registers?limit=1")
    second = await tps("GET", "/v1/registers", params={"limit": 1, "cursor": first["next_cursor"]})
    assert [item["name"] for item in (*first["items"], *second["items"])] == ["ours", "uk-tps"]
    assert (await tps.refused("GET", "/v1/registers/none", expect=404))["code"] == "register_not_found"


async def test_a_list_is_loaded(tps: Api) -> None:
    made = await send(tps, LIST)
    assert (made["state"], made["accepted"], made["rejected"], made["mode"]) == ("done", 2, 1, "replace")
    assert made["rejects"][0]["row"] == 3
    assert made["as_of"] == "2026-11-20T00:00:00Z"
    shown = await tps("GET", "/v1/registers/uk-tps")
    assert (shown["entries"], shown["as_of"], shown["loading"]) == (2, "2026-11-20T00:00:00Z", None)
    path = f"/v1/registers/uk-tps/imports/{made['id']}"
    assert await tps("GET", path) == made
    async with tps.client.get(f"{path}/rejects") as answer:
        assert [json.loads(line)["row"] for line in (await answer.text()).splitlines()] == [3]
    await tps("PUT", "/v1/registers/ours", {"kind": "house"}, expect=201)
    await tps.refused("GET", path.replace("uk-tps", "ours"), expect=404)


async def test_it_is_answered_at_once_where_nobody_waits(tps: Api) -> None:
    tps.enqueued.held = True
    async with tps.client.post(f"{ENTRIES}?as_of=2026-11-20", data=LIST, headers={"Content-Type": "text/plain"}) as got:
        assert got.status == 202
        made = await got.json()
        assert got.headers["Location"] == f"/v1/registers/uk-tps/imports/{made['id']}"
    assert made["state"] == "queued"
    assert (await tps("GET", "/v1/registers/uk-tps"))["loading"] == made["id"]
    assert (await tps.refused("POST", f"{ENTRIES}?as_of=2026-11-21", data=LIST, headers=CSV, expect=409))[
        "code"
    ] == "register_busy"
    assert len(list((tps.services.settings.data_dir / "imports").iterdir())) == 1
    await load_register(tps.services, made["id"])
    assert (await tps("GET", "/v1/registers/uk-tps"))["entries"] == 2
    assert list((tps.services.settings.data_dir / "imports").iterdir()) == []


async def test_a_repeat_under_the_same_key_loads_once(tps: Api) -> None:
    first = await send(tps, LIST, **{"Idempotency-Key": "one"})
    again = await send(tps, LIST, expect=202, **{"Idempotency-Key": "one"})
    assert again["id"] == first["id"]
    assert list((tps.services.settings.data_dir / "imports").iterdir()) == []


async def test_a_list_that_was_cut_off_is_refused_unless_it_is_meant(tps: Api) -> None:
    await send(tps, "".join(f"+4477009000{n:02}\n" for n in range(10)))
    failed = await send(tps, LIST)
    assert failed["state"] == "failed"
    assert "shrink=true" in failed["error"]
    assert (await send(tps, LIST, "as_of=2026-11-20&shrink=true"))["state"] == "done"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "as_of_missing"),
        ("as_of=2026-11-26", 422, "invalid"),
        ("as_of=2026-11-24T12:00:01Z", 422, "invalid"),
        ("as_of=2026-11-24T12:00:00", 422, "invalid"),
        ("as_of=Tuesday", 422, "invalid"),
        ("as_of=2026-11-20&mode=add", 409, "register_not_loaded"),
        ("as_of=2026-11-20&mode=merge", 422, "invalid"),
        ("as_of=2026-11-20&default_region=uk", 422, "invalid"),
    ],
)
async def test_what_is_wrong_with_a_query_is_said(tps: Api, query: str, status: int, code: str) -> None:
    problem = await tps.refused("POST", f"{ENTRIES}?{query}", data=LIST, headers=CSV, expect=status)
    assert problem["code"] == code
    assert list((tps.services.settings.data_dir / "imports").glob("*")) == []


async def test_dates_count_from_their_beginning_wherever_they_begin_first(tps: Api) -> None:
    made = await send(tps, LIST, "as_of=2026-11-25&default_region=GB")
    assert made["as_of"] == "2026-11-24T12:00:00Z"
    later = await send(tps, LIST, "as_of=2026-11-24T13:00:00%2B01:00")
    assert later["as_of"] == "2026-11-24T12:00:00Z"


async def test_a_house_list_needs_no_date_and_only_grows(api: Api) -> None:
    await api("PUT", "/v1/registers/ours", {"kind": "house"}, expect=201)
    path = "/v1/registers/ours/entries"
    made = await api("POST", path, data="+447700900001\n", headers=CSV, expect=200)
    assert (made["state"], made["mode"], made["as_of"]) == ("done", "add", "2026-11-24T12:00:00Z")
    problem = await api.refused("POST", f"{path}?mode=replace", data="+447700900002\n", headers=CSV, expect=422)
    assert problem["code"] == "register_only_grows"
    await api.refused("POST", path, {"numbers": []}, expect=415)
