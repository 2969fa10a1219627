"""What an opt-out covers, by purpose, channel and campaign: that is cancelled and ended, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import update

from campaigns.attempts import State
from outbound.pool import LinePool
from outbound.services import Services
from outbound.store import Store, by_number, optouts
from outbound.store.optouts import Cover, covered
from outbound.store.schema import attempts, events, opt_outs
from outbound.stream import EventStream
from outbound.watch import watch
from tests.outbound.both import KINDS, empty_database
from tests.outbound.conftest import CAMPAIGN, Api
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+447700900002"


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def three_campaigns(world: World) -> dict[str, str]:
    """Ann and Ben wait in a notice, an offer, and another notice by text message."""
    named = {
        "notice": await world.campaign([ANN, BEN]),
        "message": await world.campaign([ANN, BEN]),
        "alert": await world.campaign([ANN, BEN], purpose="transactional"),
    }
    by_text = update(attempts).where(attempts.c.campaign_id == named["message"]).values(channel="sms")
    await world.store.write(lambda c: c.execute(by_text))
    return named


async def record(world: World, **covers: str) -> dict[str, Any]:
    chosen = {"number": ANN, "scope": "all", "source": "rest", "words": "stop"} | covers
    world.now += 1
    return dict(await world.store.write(lambda c: optouts.record(c, **chosen, now=world.now)))


@pytest.mark.parametrize(
    ("covers", "cancelled"),
    [
        ({}, {"notice", "message", "alert"}),
        ({"scope": "transactional"}, {"alert"}),
        ({"scope": "something new"}, {"notice", "message", "alert"}),
        ({"channel": "voice"}, {"notice", "alert"}),
        ({"channel": "sms"}, {"message"}),
        ({"scope": "informational", "channel": "voice"}, {"notice"}),
        ({"scope": "marketing"}, set()),
        ({"only_campaign": "alert"}, {"alert"}),
        ({"only_campaign": "alert", "channel": "sms"}, set()),
    ],
)
async def test_what_waits_is_cancelled_as_far_as_it_is_covered(
    world: World, covers: dict[str, str], cancelled: set[str]
) -> None:
    named = await three_campaigns(world)
    chosen = {key: named.get(value, value) if key == "only_campaign" else value for key, value in covers.items()}
    await record(world, **chosen)
    found = {
        name
        for row in await world.attempts()
        for name, campaign_id in named.items()
        if row["campaign_id"] == campaign_id and row["number"] == ANN and row["disposition"] == "cancelled"
    }
    assert found == cancelled
    assert {row["state"] for row in await world.attempts() if row["number"] == BEN} == {"due"}


async def test_the_event_says_what_is_covered_and_nothing_is_overwritten(world: World) -> None:
    await record(world, scope="marketing", channel="sms", only_campaign="X", source="speech", campaign_id="X")
    await record(world, source="import")
    told = [row["data"] for row in await world.rows(events) if row["kind"] == "optout.created"]
    names = ("number", "scope", "channel", "only_campaign", "source")
    assert [tuple(data[name] for name in names) for data in told] == [
        (ANN, "marketing", "sms", "X", "speech"),
        (ANN, "all", "", "", "import"),
    ]
    kept = await world.store.read(lambda c: optouts.of(c, [ANN, "a-token"]))
    assert [(row["scope"], row["source"], row["campaign_id"]) for row in kept] == [
        ("marketing", "speech", "X"),
        ("all", "import", None),
    ]


async def test_rows_are_found_under_every_name_of_a_person(world: World) -> None:
    await record(world)
    await record(world, number=BEN)
    await world.store.write(lambda c: c.execute(update(opt_outs).where(opt_outs.c.number == ANN).values(number="e:1")))
    for names, count in (([ANN], 0), (["e:1", ANN], 1), (None, 2)):
        found = await world.store.read(
            lambda c, names=names: by_number.page(c, opt_outs, names=names, before=None, limit=9)
        )
        assert len(found) == count


async def test_live_attempts_are_told_apart(world: World) -> None:
    notice = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    for cover, expected in (
        (Cover(number=ANN), {item.attempt_id}),
        (Cover(number=ANN, scope="informational", channel="voice", only_campaign=notice), {item.attempt_id}),
        (Cover(number=ANN, scope="marketing"), set()),
        (Cover(number=ANN, channel="sms"), set()),
        (Cover(number=BEN), set()),
    ):
        assert await world.store.read(lambda c, cover=cover: covered(c, cover)) == expected
    assert await world.store.read(lambda c: covered(c, Cover(number=ANN), (State.CLAIMED,))) == set()


async def test_the_opt_out_of_somebody_who_was_erased_is_found_by_the_number(api: Api) -> None:
    await api("POST", "/v1/optouts", {"number": ANN}, expect=201)
    await api("DELETE", f"/v1/contacts/{ANN}", expect=200)
    listed = (await api("GET", "/v1/optouts", params={"number": ANN}))["items"]
    assert listed
    assert all(item["number"].startswith("~") for item in listed)


class Calls:
    """The pool, as far as it is told what to end."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Any] = asyncio.Queue()

    def hang_up_number(self, number: str, reason: str, *, except_attempt: str | None) -> None:
        assert reason == "opted_out"
        self.told.put_nowait((number, except_attempt))

    def hang_up(self, attempt_ids: set[str], reason: str) -> None:
        assert reason == "opted_out"
        self.told.put_nowait(attempt_ids)


class StoreAway:
    """A store that cannot be read."""

    async def read(self, unit: Any) -> Any:
        raise ConnectionError("the database is away")


async def watched(world: World, store: Any = None, **covers: str) -> Any:
    """What the pool is told when an opt-out comes."""
    stream, calls = EventStream(world.store), Calls()
    stream.start()
    services: Any = SimpleNamespace(stream=stream, store=store or world.store)
    latest = asyncio.Event()
    ask = stream.latest

    async def asked() -> int:
        found = await ask()
        latest.set()
        return found

    stream.latest = asked  # type: ignore[method-assign]
    watching = asyncio.create_task(watch(cast("Services", services), cast("LinePool", calls)))
    await latest.wait()
    await record(world, **covers)
    async with asyncio.timeout(10):
        told = await calls.told.get()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    return told


async def test_the_watch_ends_what_is_covered_and_no_more(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    assert await watched(world) == (ANN, None)
    assert await watched(world, scope="informational") == {item.attempt_id}
    assert await watched(world, scope="marketing", attempt_id="A") == set()


async def test_the_watch_ends_every_call_to_the_number_when_it_cannot_look(world: World) -> None:
    assert await watched(world, StoreAway(), scope="marketing") == (ANN, None)


async def test_over_rest_with_source_channel_and_campaign(api: Api) -> None:
    campaign = await api.a_campaign()
    body = {"number": ANN, "source": "agent", "channel": "voice", "only_campaign": campaign, "campaign_id": campaign}
    kept = await api("POST", "/v1/optouts", body | {"words": "not about parcels"}, expect=201)
    assert {name: kept[name] for name in body} == body
    assert (kept["scope"], kept["words"]) == ("all", "not about parcels")
    plain = await api("POST", "/v1/optouts", {"number": ANN, "words": "never again"}, expect=201)
    assert (plain["scope"], plain["source"], plain["channel"], plain["only_campaign"]) == ("all", "rest", "", "")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"source": "speech"}, "source"),
        ({"source": "import"}, "source"),
        ({"channel": "fax"}, "channel"),
        ({"only_campaign": "nowhere"}, "only_campaign"),
        ({"campaign_id": "nowhere"}, "campaign_id"),
        ({"number": "12"}, "number"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, wrong: dict[str, str], field: str) -> None:
    problem = await api.refused("POST", "/v1/optouts", {"number": ANN} | wrong, expect=422)
    assert problem["errors"][0]["field"] == field
    assert (await api("GET", "/v1/optouts"))["items"] == []


async def test_an_opt_out_of_one_campaign_leaves_the_other(api: Api) -> None:
    person = {"number": ANN, "zone": "Europe/London", "variables": {"day": "Monday"}}
    ids = []
    for _ in range(2):
        created = await api("POST", "/v1/campaigns", CAMPAIGN, expect=201)
        await api("POST", f"/v1/campaigns/{created['id']}/contacts", person, expect=200)
        await api("POST", f"/v1/campaigns/{created['id']}/start", expect=200)
        ids.append(created["id"])
    await api("POST", "/v1/optouts", {"number": ANN, "only_campaign": ids[0]}, expect=201)
    states = [(await api("GET", f"/v1/campaigns/{one}/attempts"))["items"][0]["state"] for one in ids]
    assert states == ["done", "due"]
