"""``/v1/webhooks``: secrets shown once, targets refused with the field, deliveries listed and replayed."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from outbound.callflows import CallflowLibrary
from outbound.services import Services
from outbound.settings import Settings
from outbound.store import Store, events, webhook_deliveries
from outbound.store.schema import idempotency_keys
from outbound.store.schema import webhook_deliveries as deliveries
from outbound.store.schema import webhooks as webhooks_table
from outbound.stream import EventStream
from outbound.webhooks.deliverer import deliver_webhooks
from outbound.webhooks.fan_out import fan_out
from tests.outbound.conftest import Api, Clock, Enqueued
from tests.outbound.webhook_world import an_endpoint

pytestmark = pytest.mark.integration

HOOK = {"url": "https://8.8.8.8/hooks", "description": "Shop", "kinds": ["attempt.*"]}


@pytest.fixture
async def services(store: Store, tmp_path: Path, clock: Clock, enqueued: Enqueued) -> Services:
    """A host that may post to this machine."""
    stream = EventStream(store)
    stream.start()
    made = Services(
        settings=Settings(data_dir=tmp_path, webhook_private_targets="127.0.0.0/8"),
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=enqueued,
        kick=lambda: None,
        clock=clock,
    )
    enqueued.services = made
    return made


async def tell(api: Api, *kinds: str, at: float | None = None, **place: Any) -> None:
    when = api.clock() if at is None else at
    same = {"at": when, "campaign_id": None, "attempt_id": None, "data": {}} | place
    await api.services.store.write(lambda c: events.append_all(c, [same | {"kind": kind} for kind in kinds]))


async def spread(api: Api) -> None:
    """Do what a worker would, but post nothing."""
    while (await api.services.store.write(lambda c: fan_out(c, now=api.clock()))).more:
        pass


async def end(api: Api, state: str) -> None:
    """Let everything that waits end."""
    ended = update(deliveries).where(deliveries.c.state == "waiting").values(state=state, ended_at=api.clock(), tries=3)
    await api.services.store.write(lambda c: c.execute(ended))


async def test_a_secret_is_shown_once(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Idempotency-Key": "hook-1"}
    made = await api("POST", "/v1/webhooks", HOOK, headers=headers, expect=201)
    secret = made["secret"]
    assert secret.startswith("whsec_")
    again = await api("POST", "/v1/webhooks", HOOK, headers=headers, expect=201)
    assert (again["id"], again["secret"]) == (made["id"], None)
    shown = [await api("GET", f"/v1/webhooks/{made['id']}", expect=200), await api("GET", "/v1/webhooks", expect=200)]
    shown.append(await api("PATCH", f"/v1/webhooks/{made['id']}", {"description": "x"}, expect=200))
    kept = await api.services.store.read(lambda c: c.execute(select(idempotency_keys.c.body)).scalars().all())
    assert secret not in f"{shown} {again} {kept} {caplog.text}"
    assert (made["secrets"], made["waiting"], made["dead"], made["private_allowed"]) == (1, 0, 0, False)


async def test_a_secret_is_turned_over_with_an_overlap(api: Api) -> None:
    made = await api("POST", "/v1/webhooks", HOOK, expect=201)
    path = f"/v1/webhooks/{made['id']}"
    fresh = await api("POST", f"{path}/rotate", {"overlap_s": 60}, expect=200)
    assert fresh["secret"] not in (None, made["secret"])
    assert fresh["secrets"] == 2
    api.clock.now += 60
    assert (await api("GET", path))["secrets"] == 1
    await api.refused("POST", f"{path}/rotate", {"overlap_s": 10**7}, expect=422)
    await api.refused("POST", "/v1/webhooks/nowhere/rotate", {}, expect=404)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://8.8.8.8/", "https_required"),
        ("https://10.0.0.1/", "private_target"),
        ("https://[::ffff:192.168.0.1]/", "private_target"),
        ("https://169.254.169.254/latest/meta-data", "private_target"),
        ("https://user:secret@8.8.8.8/", "credentials_in_url"),
        ("gopher://8.8.8.8/", "no_url"),
    ],
)
async def test_targets_that_are_not_allowed_are_named_with_the_remedy(api: Api, url: str, code: str) -> None:
    made = await api("POST", "/v1/webhooks", HOOK, expect=201)
    for method, path in (("POST", "/v1/webhooks"), ("PATCH", f"/v1/webhooks/{made['id']}")):
        problem = await api.refused(method, path, {"url": url}, expect=422)
        (error,) = problem["errors"]
        assert (error["field"], error["code"]) == ("url", code)
    assert (await api("GET", f"/v1/webhooks/{made['id']}"))["url"] == HOOK["url"]


async def test_what_the_operator_allows_is_taken(api: Api) -> None:
    made = await api("POST", "/v1/webhooks", {"url": "http://127.0.0.1:9/hook"}, expect=201)
    assert made["private_allowed"]
    changed = await api("PATCH", f"/v1/webhooks/{made['id']}", {"url": "https://8.8.8.8/"}, expect=200)
    assert not changed["private_allowed"]


async def test_wrong_fields_are_named(api: Api) -> None:
    wrong: dict[str, Any] = {
        "kinds": ["Attempt.done"],
        "description": "x" * 121,
        "campaign_id": "nowhere",
        "enabled": 1,
    }
    for field, value in wrong.items():
        problem = await api.refused("POST", "/v1/webhooks", HOOK | {field: value}, expect=422)
        assert problem["errors"][0]["field"].startswith(field)
    await api.refused("POST", "/v1/webhooks", HOOK | {"secret": "whsec_x"}, expect=422)


async def test_webhooks_are_listed_changed_and_deleted(api: Api) -> None:
    ids = []
    for _ in range(3):
        api.clock.now += 1
        ids.append((await api("POST", "/v1/webhooks", HOOK, expect=201))["id"])
    page = await api("GET", "/v1/webhooks?limit=2")
    rest = await api("GET", f"/v1/webhooks?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in page["items"] + rest["items"]] == ids
    path = f"/v1/webhooks/{ids[0]}"
    changed = await api("PATCH", path, {"kinds": [], "enabled": False}, expect=200)
    assert (changed["kinds"], changed["enabled"], changed["url"]) == ([], False, HOOK["url"])
    assert (await api.refused("POST", f"{path}/test", expect=409))["code"] == "webhook_disabled"
    await api("DELETE", path, expect=204)
    for method, more, body in (("GET", "", None), ("DELETE", "", None), ("PATCH", "", {}), ("POST", "/test", None)):
        problem = await api.refused(method, path + more, body, expect=404)
        assert problem["code"] == "webhook_not_found"
    assert len((await api("GET", "/v1/webhooks"))["items"]) == 2
    kept = await api.services.store.read(lambda c: c.execute(select(webhooks_table)).mappings().first())
    assert kept is not None
    assert (kept["secrets"], kept["url"]) == ([], "")


async def test_a_test_event_arrives_at_the_one_that_asked(api: Api) -> None:
    async with an_endpoint() as endpoint, an_endpoint() as other:
        made = await api("POST", "/v1/webhooks", {"url": endpoint.url, "kinds": ["campaign.*"]}, expect=201)
        await api("POST", "/v1/webhooks", {"url": other.url}, expect=201)
        sent = await api("POST", f"/v1/webhooks/{made['id']}/test", expect=202)
        assert (sent["state"], sent["kind"], sent["tries"]) == ("waiting", "webhook.test", 0)
        worker = asyncio.create_task(deliver_webhooks(api.services))
        (post,) = await endpoint.until(1)
        while (await api("GET", f"/v1/webhooks/{made['id']}/deliveries?state=delivered"))["items"] == []:
            pass
        campaign = await api.a_campaign()
        await endpoint.until(2)
        await other.until(1)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert (post.id, post.told["type"]) == (sent["message_id"], "webhook.test")
    assert [one.told["data"]["campaign_id"] for one in other.got] == [campaign]


async def test_deliveries_are_listed_by_state_and_replayed(api: Api) -> None:
    hook = (await api("POST", "/v1/webhooks", HOOK, expect=201))["id"]
    path = f"/v1/webhooks/{hook}"
    for state in ("delivered", "dead"):
        await tell(api, "attempt.due", "attempt.dialing", "call.answered")
        await spread(api)
        await end(api, state)
    await tell(api, "attempt.done")
    await spread(api)
    shown = await api("GET", path, expect=200)
    assert (shown["waiting"], shown["dead"]) == (1, 2)

    async def listed(query: str) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            page = await api("GET", f"{path}/deliveries?limit=2{query}{cursor}", expect=200)
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    everything = await listed("")
    assert [item["state"] for item in everything] == ["waiting", "dead", "dead", "delivered", "delivered"]
    assert [item["id"] for item in everything] == sorted((item["id"] for item in everything), reverse=True)
    dead = await listed("&state=dead")
    assert [item["kind"] for item in dead] == ["attempt.dialing", "attempt.due"]
    again = await api("POST", f"{path}/deliveries/{dead[0]['id']}/replay", expect=202)
    assert (again["state"], again["tries"], again["message_id"]) == ("waiting", 0, dead[0]["message_id"])
    assert (await api("POST", f"{path}/deliveries/replay-dead", expect=202))["deliveries"] == 1
    assert (await api("GET", path))["dead"] == 0
    for wrong in ("0", "x", "9" * 30, "-1"):
        await api.refused("POST", f"{path}/deliveries/{wrong}/replay", expect=404)
    await api.refused("GET", f"{path}/deliveries?state=lost", expect=422)
    await api.refused("GET", f"{path}/deliveries?cursor=eHg=", expect=422)


async def test_a_range_of_the_past_is_replayed_also_from_before_the_webhook(api: Api) -> None:
    await tell(api, "attempt.due", at=api.clock() - 7200)
    await tell(api, "attempt.dialing", "call.answered", at=api.clock() - 60)
    hook = (await api("POST", "/v1/webhooks", HOOK, expect=201))["id"]
    path = f"/v1/webhooks/{hook}"
    await tell(api, "attempt.done")
    await spread(api)
    await end(api, "delivered")

    async def replay(**body: Any) -> Any:
        return await api("POST", f"{path}/replay", body, expect=202)

    assert await replay(after_id=0, kinds=["attempt.due"]) == {"deliveries": 1, "next_after_id": None}
    since = "2026-11-24T11:58:00Z"
    assert (await replay(since=since))["deliveries"] == 2
    waiting = (await api("GET", f"{path}/deliveries?state=waiting"))["items"]
    assert sorted(item["kind"] for item in waiting) == ["attempt.dialing", "attempt.done", "attempt.due"]
    assert (await replay(after_id=0))["deliveries"] == 0
    for wrong in ({}, {"since": since, "after_id": 1}, {"after_id": -1}, {"since": "yesterday"}):
        await api.refused("POST", f"{path}/replay", wrong, expect=422)


async def test_delivered_events_are_forgotten_after_a_month(api: Api) -> None:
    hook = (await api("POST", "/v1/webhooks", HOOK, expect=201))["id"]
    for state in ("delivered", "dead"):
        await tell(api, "attempt.due")
        await spread(api)
        await end(api, state)
    api.clock.now += webhook_deliveries.DELIVERED_KEPT_S + 1
    await tell(api, "attempt.due")
    await spread(api)
    await end(api, "delivered")
    found = await api.services.store.read(lambda c: webhook_deliveries.outdated(c, now=api.clock()))
    assert await api.services.store.write(lambda c: webhook_deliveries.purge(c, found)) == 1
    assert not await api.services.store.read(lambda c: webhook_deliveries.outdated(c, now=api.clock()))
    left = (await api("GET", f"/v1/webhooks/{hook}/deliveries"))["items"]
    assert [item["state"] for item in left] == ["delivered", "dead"]


async def test_very_much_that_waits_stays_in_the_outbox(api: Api) -> None:
    hook = (await api("POST", "/v1/webhooks", HOOK, expect=201))["id"]
    await tell(api, *["attempt.due"] * 10)

    async def spread_some() -> bool:
        return (await api.services.store.write(lambda c: fan_out(c, now=api.clock(), batch=3, backlog=5))).more

    while await spread_some():
        pass
    assert (await api("GET", f"/v1/webhooks/{hook}"))["waiting"] == 6
    await end(api, "delivered")
    while await spread_some():
        pass
    assert (await api("GET", f"/v1/webhooks/{hook}"))["waiting"] == 4
    found = (await api("GET", f"/v1/webhooks/{hook}/deliveries"))["items"]
    assert len({item["event_id"] for item in found}) == len(found) == 10
