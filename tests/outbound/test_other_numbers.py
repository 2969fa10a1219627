"""Customers with several numbers: imported, tried in turn, judged together by the gate, and forgotten together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from campaigns.dispositions import Disposition
from outbound.erasing.erasure import erase, look
from outbound.settling.settle import settle
from outbound.store import Store, optouts
from outbound.store.attempts import Claim
from outbound.store.contacts import Alternate, NewContact, add
from outbound.store.schema import attempts, contacts, events
from tests.outbound.both import KINDS, empty_database
from tests.outbound.conftest import Api, a_person
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, AT_WORK, BEN = "+447700900001", "+442079460002", "+447700900003"
RETRY = {"max_attempts": 3, "delays_s": {"no_answer": 600}, "other_number_after": ["no_answer"]}


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def with_two_numbers(world: World, *people: str) -> str:
    campaign = await world.campaign(list(people), settings={"retry": RETRY})
    other = [{"number": AT_WORK, "zones": ["Europe/London"], "jurisdictions": ["GB"]}]
    mine = update(contacts).where(contacts.c.number == ANN).values(alternates=other)
    await world.store.write(lambda c: c.execute(mine))
    return campaign


async def unanswered(world: World) -> Claim:
    (item,) = await world.claim(limit=1)
    assert await world.intend(item) is not None
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.NO_ANSWER), now=world.now))
    world.now += 601
    return item


async def test_who_does_not_answer_is_tried_on_the_other_number_and_back(world: World) -> None:
    await with_two_numbers(world, ANN)
    assert [(await unanswered(world)).number for _ in range(3)] == [ANN, AT_WORK, ANN]
    assert await world.claim() == []


async def test_an_opt_out_of_either_number_stops_the_other(world: World) -> None:
    await with_two_numbers(world, ANN)
    await unanswered(world)
    (item,) = await world.claim()
    assert item.number == AT_WORK
    await world.store.write(
        lambda c: optouts.record(c, number=ANN, scope="all", source="rest", words="stop", now=world.now)
    )
    assert await world.intend(item) is None
    assert (await world.receipts())[-1]["code"] == "opted_out"


async def test_a_number_that_is_another_customers_own_is_not_tried_for_this_one(world: World) -> None:
    await with_two_numbers(world, ANN, AT_WORK)
    for _ in range(4):
        await unanswered(world)
    mains = {row["id"]: row["number"] for row in await world.rows(contacts)}
    assert all(row["number"] == mains[row["contact_id"]] for row in await world.attempts())


async def test_whoever_is_forgotten_is_forgotten_on_every_number(world: World) -> None:
    await with_two_numbers(world, ANN)
    await unanswered(world)

    def forget(connection: Any) -> None:
        erase(connection, ANN, look(connection, ANN), now=world.now)

    await world.store.write(forget)
    assert await world.claim() == []
    for table in (contacts, attempts, events):
        rows = await world.store.read(lambda c, table=table: c.execute(select(table)).all())  # type: ignore[misc]
        assert not [row for row in rows if ANN[1:] in str(row) or AT_WORK[1:] in str(row)]


async def test_a_number_is_forgotten_where_it_was_only_the_second(world: World) -> None:
    await with_two_numbers(world, ANN)
    await world.store.write(lambda c: erase(c, AT_WORK, look(c, AT_WORK), now=world.now))
    (row,) = await world.rows(contacts)
    assert (row["number"], row["alternates"]) == (ANN, [])


async def test_other_numbers_come_in_by_rest_and_csv_and_bad_ones_are_named(api: Api) -> None:
    campaign = await api.a_campaign()
    person = a_person(1) | {"number_2": AT_WORK, "number_3": "12"}
    answer = await api("POST", f"/v1/campaigns/{campaign}/contacts", [person], expect=200)
    assert answer["rejects"][0]["field"] == "number_3"
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [person | {"number_3": person["number"]}], expect=200)
    listed = await api("GET", f"/v1/campaigns/{campaign}/contacts", expect=200)
    assert [(item["number_2"], item["number_3"]) for item in listed["items"]] == [(AT_WORK, "")]


async def test_an_opt_out_of_one_number_covers_a_call_that_rings_at_the_other(world: World) -> None:
    await with_two_numbers(world, ANN)
    (item,) = await world.claim()
    assert item.number == ANN
    assert await world.intend(item) is not None
    found = await world.store.read(lambda c: optouts.covered(c, optouts.Cover(number=AT_WORK)))
    assert found == {item.attempt_id}


async def test_who_is_forgotten_with_a_call_due_at_a_number_of_somebody_else_is_not_called_there(world: World) -> None:
    await with_two_numbers(world, ANN)
    await unanswered(world)
    await world.campaign([AT_WORK], plan=False)
    await world.store.write(lambda c: erase(c, ANN, look(c, ANN), now=world.now))
    assert [item for item in await world.claim() if item.campaign_id == world.campaign_ids[0]] == []


async def test_somebody_who_was_forgotten_does_not_come_back_as_the_second_number_of_another(world: World) -> None:
    campaign = await world.campaign([ANN], plan=False)
    await world.store.write(lambda c: erase(c, ANN, look(c, ANN), now=world.now))
    other = Alternate(number=ANN, zones=["Europe/London"], jurisdictions=["GB"])
    place = {"zones": ("Europe/London",), "jurisdictions": ("GB",)}
    row = NewContact(row=1, number=BEN, **place, variables={}, alternates=(other,))
    await world.store.write(lambda c: add(c, campaign, [row], now=world.now))
    assert [row["alternates"] for row in await world.rows(contacts) if row["number"] == BEN] == [[]]
