"""Refusals that end: who was refused for want of consent, of an opt-in or of a fresh list is planned again with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from outbound.store import Store, campaigns, consents, optins, optouts
from outbound.store.contacts import CURED_BY_CONSENT, CURED_BY_OPT_IN, CURED_BY_REGISTER, reconsider, refused
from outbound.store.schema import attempts, contacts, events
from tests.outbound.both import KINDS, empty_database
from tests.outbound.conftest import CAMPAIGN, Api, a_person
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+447700900002"
OPT_OUT = {"number": ANN, "scope": "all", "source": "rest", "words": "stop"}


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def states(world: World) -> list[tuple[str, bool, str | None]]:
    """Number, whether planned, and disposition of all contacts."""
    rows = await world.rows(contacts)
    return sorted((row["number"], row["planned"], row["disposition"]) for row in rows)


async def again(world: World, codes: Collection[str], **who: Any) -> set[str]:
    return await world.store.write(lambda c: reconsider(c, codes, now=world.now, **who))


async def test_who_is_refused_for_want_of_consent_is_planned_again_with_it(world: World) -> None:
    campaign = await world.campaign([ANN, BEN], purpose="marketing")
    assert await states(world) == [(ANN, True, "refused"), (BEN, True, "refused")]
    assert await again(world, CURED_BY_CONSENT, numbers=[ANN]) == {campaign}
    assert await states(world) == [(ANN, False, None), (BEN, True, "refused")]
    (told,) = [row for row in await world.rows(events) if row["kind"] == "contact.reconsidered"]
    assert (told["campaign_id"], told["data"]) == (campaign, {"number": ANN, "name": ""})
    about = consents.About(number=ANN, scope="all", source="rest", at=world.now)
    proof = {"kind": "express_written", "proof": "form 1", "expires_at": None}
    await world.store.write(lambda c: consents.grant(c, about, **proof, now=world.now))  # type: ignore[arg-type]
    await world.plan(campaign)
    assert [row["number"] for row in await world.attempts()] == [ANN]


async def test_without_consent_the_gate_refuses_again(world: World) -> None:
    campaign = await world.campaign([ANN], purpose="marketing")
    await again(world, CURED_BY_CONSENT, numbers=[ANN])
    await world.plan(campaign)
    assert await states(world) == [(ANN, True, "refused")]
    assert [row["code"] for row in await world.receipts()] == ["consent_missing"] * 2


@pytest.mark.parametrize(("state", "planned"), [("paused", False), ("completed", True), ("cancelled", True)])
async def test_campaigns_that_are_over_are_left_alone(world: World, state: str, planned: bool) -> None:
    campaign = await world.campaign([ANN], purpose="marketing")
    await world.set_state(campaign, state)
    assert await again(world, CURED_BY_CONSENT, numbers=[ANN]) == (set() if planned else {campaign})
    assert [row["planned"] for row in await world.rows(contacts)] == [planned]


@pytest.mark.parametrize("codes", [CURED_BY_OPT_IN, CURED_BY_REGISTER])
async def test_what_does_not_cure_changes_nothing(world: World, codes: Collection[str]) -> None:
    await world.campaign([ANN], purpose="marketing")
    assert await again(world, codes, numbers=[ANN]) == set()
    assert await states(world) == [(ANN, True, "refused")]


async def test_the_newest_receipt_decides(world: World) -> None:
    campaign = await world.campaign([ANN], purpose="marketing")
    await again(world, CURED_BY_CONSENT, numbers=[ANN])
    await world.store.write(lambda c: optouts.record(c, **OPT_OUT, now=world.now))
    await world.plan(campaign)
    assert [row["code"] for row in await world.receipts()] == ["consent_missing", "opted_out"]
    assert await again(world, CURED_BY_CONSENT, numbers=[ANN]) == set()
    assert await again(world, CURED_BY_OPT_IN, numbers=[ANN]) == {campaign}


async def test_who_was_tried_is_not_tried_anew(world: World) -> None:
    await world.campaign([ANN], purpose="marketing")
    (contact,) = await world.rows(contacts)
    tried = {"id": "A", "campaign_id": contact["campaign_id"], "contact_id": contact["id"], "number": ANN}
    tried |= {"ordinal": 1, "state": "done", "due_at": world.now}
    await world.store.write(lambda c: c.execute(insert(attempts), tried))
    assert await again(world, CURED_BY_CONSENT, numbers=[ANN]) == set()
    assert await states(world) == [(ANN, True, "refused")]


async def test_an_opt_in_brings_back_both_numbers_of_a_telephone(world: World) -> None:
    said = {"number": "+541123456789", "scope": "all", "source": "sms", "words": "x"}
    await world.store.write(lambda c: optouts.record(c, **said, now=world.now))
    campaign = await world.campaign(["+5491123456789"])
    world.now += 60
    await world.store.write(lambda c: optins.record(c, **said, at=world.now, now=world.now))
    assert await again(world, CURED_BY_OPT_IN, numbers=["+541123456789"]) == {campaign}
    await world.plan(campaign)
    assert [row["state"] for row in await world.attempts()] == ["due"]


async def test_refused_contacts_are_found_some_at_a_time(world: World) -> None:
    await world.campaign([f"+4477009000{n:02}" for n in range(5)], purpose="marketing")
    every = sorted(row["id"] for row in await world.rows(contacts))
    assert await world.store.read(lambda c: refused(c, CURED_BY_CONSENT, after="", limit=3)) == every[:3]
    assert await world.store.read(lambda c: refused(c, CURED_BY_CONSENT, after=every[2], limit=3)) == every[3:]
    assert await world.store.read(lambda c: refused(c, CURED_BY_REGISTER, after="", limit=3)) == []
    await again(world, CURED_BY_CONSENT, ids=every[:2])
    assert await world.store.read(lambda c: refused(c, CURED_BY_CONSENT, after="", limit=9)) == every[2:]


async def test_no_campaign_is_completed_over_the_heads_of_the_reconsidered(world: World) -> None:
    campaign = await world.campaign([ANN], purpose="marketing")
    did: list[str] = []

    def unit(connection: Connection) -> bool:
        event.listen(connection, "before_cursor_execute", lambda *seen: did.append(seen[2]))
        return campaigns.complete_if_over(connection, campaign, now=world.now)

    await again(world, CURED_BY_CONSENT, numbers=[ANN])
    assert not await world.store.write(unit)
    if not world.store.is_sqlite:  # which has one writer
        assert "pg_advisory_xact_lock" in did[0]


# Over HTTP


async def a_refused_contact(api: Api, **changes: Any) -> str:
    campaign = str((await api("POST", "/v1/campaigns", CAMPAIGN | changes, expect=201))["id"])
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1), expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    (contact,) = (await api("GET", f"/v1/campaigns/{campaign}/contacts"))["items"]
    assert contact["disposition"] == "refused"
    api.enqueued.jobs.clear()
    api.clock.now += 1
    return campaign


async def is_due(api: Api, campaign: str) -> bool:
    found = (await api("GET", f"/v1/campaigns/{campaign}/attempts"))["items"]
    return [item["state"] for item in found] == ["due"]


async def test_granted_consent_has_the_campaign_planned_again(api: Api) -> None:
    campaign = await a_refused_contact(api, purpose="marketing")
    body = {"number": ANN, "kind": "express_written", "source": "web_form", "proof": "order 17, box ticked"}
    await api("POST", "/v1/consents", body, expect=201)
    assert api.enqueued.jobs == [("plan_campaign", campaign)]
    assert await is_due(api, campaign)
    await api("POST", "/v1/consents", body, expect=201)
    assert api.enqueued.jobs == [("plan_campaign", campaign)]


@pytest.mark.parametrize(
    ("path", "body", "lifts"),
    [
        ("/v1/optins", {"number": ANN, "source": "speech", "words": "call me again"}, True),
        ("/v1/inbound/calls", {"from": ANN, "act": "opt_in", "words": "call me again"}, True),
        ("/v1/inbound/messages", {"from": ANN, "text": "START"}, False),  # for messages alone: refused again
    ],
)
async def test_an_opt_in_has_the_campaign_planned_again(api: Api, path: str, body: dict[str, str], lifts: bool) -> None:
    await api("POST", "/v1/optouts", {"number": ANN}, expect=201)
    campaign = await a_refused_contact(api)
    await api("POST", path, body)
    assert api.enqueued.jobs == [("plan_campaign", campaign)]
    assert await is_due(api, campaign) is lifts
