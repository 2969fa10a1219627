"""Somebody who is known under two numbers of one telephone is known under both, whichever was told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outbound.erasing.erasure import erase, look
from outbound.gatehouse.facts import facts_of
from outbound.store import Store, consents, optins, optouts, register_imports, registers
from outbound.store.erased import names_of
from outbound.store.optouts import Cover, covered
from outbound.store.schema import events
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import NOON, World

pytestmark = pytest.mark.integration

HOME, ABROAD = "+541123456789", "+5491123456789"
BOTH_WAYS = pytest.mark.parametrize(("told", "asked"), [(HOME, ABROAD), (ABROAD, HOME), (HOME, HOME)])


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def opt_out(world: World, number: str) -> dict[str, Any]:
    said = {"number": number, "scope": "all", "source": "sms", "words": "STOP"}
    return dict(await world.store.write(lambda c: optouts.record(c, **said, now=world.now)))


@BOTH_WAYS
async def test_an_opt_out_counts_for_both_numbers(world: World, told: str, asked: str) -> None:
    await world.campaign([asked])
    await opt_out(world, told)
    assert [row["disposition"] for row in await world.attempts()] == ["cancelled"]
    await world.campaign([asked])
    assert (await world.receipts())[-1]["code"] == "opted_out"
    seen = await world.store.read(lambda c: optouts.page(c, names=names_of(c, asked), before=None, limit=9))
    assert [row["number"] for row in seen] == [told]


@BOTH_WAYS
async def test_a_live_call_is_covered(world: World, told: str, asked: str) -> None:
    await world.campaign([asked])
    (item,) = await world.claim()
    assert await world.store.read(lambda c: covered(c, Cover(number=told))) == {item.attempt_id}


async def test_facts_of_both_numbers_are_of_both(world: World) -> None:
    await opt_out(world, HOME)
    await world.campaign([ABROAD], purpose="emergency")
    found = await world.store.read(lambda c: facts_of(c, [HOME, ABROAD, "+14155550123"], at=NOON))
    assert [len(facts.opt_outs) for facts in found.values()] == [1, 1, 0]


@BOTH_WAYS
async def test_a_token_stands_for_both_numbers(world: World, told: str, asked: str) -> None:
    await opt_out(world, told)
    seen = await world.store.read(lambda c: look(c, told))
    await world.store.write(lambda c: erase(c, told, seen, now=world.now))
    found = await world.store.read(lambda c: facts_of(c, [asked], at=NOON))
    assert len(found[asked].opt_outs) == 1


@BOTH_WAYS
async def test_a_register_holds_both_numbers(world: World, told: str, asked: str) -> None:
    await world.store.write(lambda c: registers.create(c, "house", "house", now=NOON))
    created: dict[str, Any] = {"register": "house", "mode": "add", "path": "x", "options": {}, "as_of": None}
    await world.campaign([asked, "+447700900001"])
    (item,) = [item for item in await world.claim() if item.number == asked]
    row = await world.store.write(lambda c: register_imports.create(c, "I1", **created, now=NOON))
    step = register_imports.Step(before=0, through=1, numbers=[int(told[1:])], accepted=1, rejected=())
    assert await world.store.write(lambda c: register_imports.advance(c, row, step, house=True, now=NOON))
    found = await world.store.read(lambda c: registers.lookup(c, [asked, HOME, "+447700900001"]))
    assert found[asked] == found[HOME] == {"house"}
    assert found["+447700900001"] == frozenset()
    assert await world.store.read(lambda c: registers.told_at(c, [asked])) == {asked: {"house": NOON}}
    told_of = [row["data"]["number"] for row in await world.rows(events) if row["kind"] == "register.listed"]
    assert told_of == [item.number]


# A clock that was ahead


async def test_an_opt_in_of_a_clock_that_was_ahead_lifts_no_later_opt_out(world: World) -> None:
    said = {"number": ABROAD, "scope": "all", "source": "sms", "words": "START"}
    ahead = NOON + 86400
    await world.store.write(lambda c: optins.record(c, **said, at=ahead, now=ahead))
    assert (await opt_out(world, HOME))["created_at"] == ahead
    world.now = ahead + 3600
    await world.campaign([ABROAD])
    assert [row["code"] for row in await world.receipts()] == ["opted_out"]
    assert (await opt_out(world, HOME))["created_at"] == ahead + 3600


@pytest.mark.parametrize(
    ("granted", "withdrawn", "meets"),
    [
        ({}, {}, True),
        ({"scope": "marketing"}, {}, True),
        ({}, {"scope": "marketing", "channel": "voice", "only_campaign": "C"}, True),
        ({"scope": "marketing"}, {"scope": "informational"}, False),
        ({"channel": "sms"}, {"channel": "voice"}, False),
        ({"only_campaign": "C"}, {"only_campaign": "D"}, False),
        ({"number": "+447700900001"}, {}, False),
    ],
)
async def test_a_grant_of_a_clock_that_was_ahead_outlives_no_withdrawal(
    world: World, granted: dict[str, str], withdrawn: dict[str, str], meets: bool
) -> None:
    one = {"number": HOME, "scope": "all", "source": "rest", "at": NOON + 3600}
    other = {"number": ABROAD, "scope": "all", "source": "rest", "at": NOON + 600}
    proof = {"kind": "express_written", "proof": "form 1", "expires_at": None}
    await world.store.write(lambda c: consents.grant(c, consents.About(**one | granted), **proof, now=NOON))  # type: ignore[arg-type]
    row = await world.store.write(lambda c: consents.withdraw(c, consents.About(**other | withdrawn), now=NOON + 600))  # type: ignore[arg-type]
    assert row["at"] == (NOON + 3600 if meets else NOON + 600)
    assert row["created_at"] == NOON + 600
