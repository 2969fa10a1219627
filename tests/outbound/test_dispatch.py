"""Who goes next, on which trunk, at what pace: shared by all dialers in a real database of either kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from campaigns.dispositions import Disposition
from outbound.dispatch.claiming import claim
from outbound.dispatch.intents import record_intents
from outbound.dispatch.lanes import something_waits
from outbound.dispatch.standing import standings
from outbound.planning import plan_contacts
from outbound.settling.settle import settle
from outbound.store import Store, campaigns, events, rulepacks
from outbound.store.attempts import Claim
from outbound.store.schema import attempts, contacts, paces, rule_packs, trunks
from outbound.store.schema import campaigns as campaign_table
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN = "+447700900001"


def people(count: int, first: int = 0) -> list[str]:
    return [f"+4477009{first + index:05}" for index in range(count)]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    yield World(store)
    store.close()


async def end(world: World, item: Claim, disposition: Disposition, **changes: Any) -> None:
    """A claimed call is made and ends so."""
    assert await world.intend(item) is not None
    await world.store.write(lambda c: settle(c, world.result(item, disposition, **changes), now=world.now))


async def own(world: World, campaign_id: str) -> dict[str, Any]:
    rows = await world.rows(campaign_table)
    return next(row for row in rows if row["id"] == campaign_id)


# -- tokens and channels ----------------------------------------------------------------------------------------------


async def test_two_dialers_share_one_bucket(world: World) -> None:
    await world.trunk(calls_per_second=10)
    await world.campaign(people(20))
    assert len(await world.claim(free={"a-line-1": 8})) == 1
    assert await world.claim(free={"b-line-1": 8}) == []
    assert len(await world.claim(free={"b-line-1": 8}, now=world.now + 0.11)) == 1
    assert await world.claim(free={"a-line-1": 8}, now=world.now + 0.11) == []


async def test_a_clock_behind_the_other_dialers_mints_no_tokens(world: World) -> None:
    await world.trunk(calls_per_second=1)
    await world.campaign(people(5))
    assert len(await world.claim(now=world.now + 60)) == 1
    assert await world.claim(now=world.now + 1) == []
    assert len(await world.claim(now=world.now + 61)) == 1


async def test_the_house_has_a_bucket_over_all_trunks(world: World) -> None:
    for name in ("default", "other"):
        await world.trunk(name)
        await world.campaign(people(5, first=100 * len(name)), trunk=name)
    assert len(await world.claim(rate=1.0)) == 2
    assert await world.claim(rate=1.0) == []


async def test_it_is_said_when_the_next_token_comes(world: World) -> None:
    await world.trunk(calls_per_second=4)
    await world.campaign(people(3))

    async def look() -> Any:
        return await world.store.write(
            lambda c: claim(c, now=world.now, lease_s=30, limit=9, free_legs={"line-1": 9}, rate_per_s=1000.0)
        )

    assert len((await look()).claims) == 1
    assert (await look()).again_at == pytest.approx(world.now + 0.25)


async def test_channels_hold_over_campaigns_and_come_back_with_the_call(world: World) -> None:
    await world.trunk(channels=3)
    await world.campaign(people(4))
    await world.campaign(people(4, first=10))
    claimed = await world.claim()
    assert len(claimed) == 3
    assert await world.claim(now=world.now + 1) == []
    await end(world, claimed[0], Disposition.ACCEPTED)
    assert len(await world.claim(now=world.now + 2)) == 1


# -- who goes next ----------------------------------------------------------------------------------------------------


async def served(world: World, tokens: int) -> list[str]:
    """The campaigns of the next claims, one after the other, while their calls end at once."""
    order = []
    for _ in range(tokens):
        world.now += 1
        (item,) = await world.claim(limit=1)
        order.append(item.campaign_id)
        await end(world, item, Disposition.ACCEPTED)
    return order


async def test_campaigns_share_a_trunk_by_their_weights(world: World) -> None:
    await world.trunk()
    large = await world.campaign(people(40), settings={"share": 3.0})
    small = await world.campaign(people(40, first=50))
    counted = Counter(await served(world, 20))
    assert counted == {large: 15, small: 5}


async def test_a_campaign_that_comes_later_has_no_arrears(world: World) -> None:
    await world.trunk()
    old = await world.campaign(people(40))
    await served(world, 10)
    new = await world.campaign(people(40, first=50))
    counted = Counter(await served(world, 10))
    assert counted == {old: 5, new: 5}


async def test_transactional_goes_before_marketing_and_notifications_before_both(world: World) -> None:
    await world.trunk()
    texts = {"variables": {}}
    marketing = await world.campaign([ANN], plan=False, purpose="marketing", settings=texts)
    await world.store.write(lambda c: c.execute(update(contacts).values(consent="express_written")))
    await world.plan(marketing)
    transactional = await world.campaign(people(1, first=20), purpose="transactional")
    notification = await world.campaign(people(1, first=30), purpose="transactional", kind="notification")
    assert await served(world, 3) == [notification, transactional, marketing]


async def test_a_lane_without_room_does_not_hold_up_the_others(world: World) -> None:
    await world.trunk()
    narrow = await world.campaign(people(5), purpose="transactional", max_concurrent=1)
    wide = await world.campaign(people(5, first=10))
    assert Counter(item.campaign_id for item in await world.claim(limit=4)) == {narrow: 1, wide: 3}


async def test_a_paused_campaign_waits_without_being_looked_at(world: World) -> None:
    await world.trunk()
    paused = await world.campaign(people(3))
    await world.set_state(paused, "paused")
    assert not await world.store.read(lambda c: something_waits(c, now=world.now))
    assert await world.claim() == []
    notified = await world.campaign(people(1, first=10), kind="notification")
    await world.set_state(notified, "paused")
    assert await world.claim() == []


# -- which way out ----------------------------------------------------------------------------------------------------


async def trunk_with(world: World, name: str, **settings: Any) -> None:
    columns = {"channels": settings.pop("channels", 30), "calls_per_second": settings.pop("calls_per_second", 1000.0)}
    row = {"name": name, "settings": {"host": "127.0.0.1:5060", **settings}, "created_at": world.now, **columns}
    await world.store.write(lambda c: c.execute(insert(trunks), row))


async def test_what_the_first_trunk_has_no_room_for_goes_through_the_next(world: World) -> None:
    await trunk_with(world, "default", channels=2)
    await trunk_with(world, "backup")
    await world.campaign(people(5), settings={"fallback_trunks": ["backup"]})
    assert Counter(item.trunk for item in await world.claim()) == {"default": 2, "backup": 3}


async def test_each_destination_goes_where_it_is_allowed_and_cheapest(world: World) -> None:
    await trunk_with(world, "default", destinations=["+44"], rates={"+44": 0.02})
    await trunk_with(world, "world", rates={"+4477": 0.05, "+4420": 0.01, "+49": 0.01})
    settings = {"fallback_trunks": ["world"], "routing": "cheapest"}
    await world.campaign([ANN, "+442079460001", "+4915112345678"], settings=settings)
    assert {item.number: item.trunk for item in await world.claim()} == {
        ANN: "default",
        "+442079460001": "world",
        "+4915112345678": "world",
    }


async def test_a_destination_no_trunk_is_open_to_is_refused_with_a_receipt(world: World) -> None:
    await trunk_with(world, "default", destinations=["+44", "!+4470"])
    await world.campaign([ANN, "+4915112345678"])
    refused = next(row for row in await world.rows(contacts) if row["number"] != ANN)
    assert refused["disposition"] == "refused"
    assert (await world.receipts())[-1]["code"] == "destination_not_allowed"
    assert [item.number for item in await world.claim()] == [ANN]


async def test_a_destination_that_was_closed_after_planning_is_refused_at_the_intent(world: World) -> None:
    await trunk_with(world, "default")
    await world.campaign([ANN])
    shut = update(trunks).values(settings={"host": "127.0.0.1:5060", "destinations": ["+49"]})
    await world.store.write(lambda c: c.execute(shut))
    (item,) = await world.claim()
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert (attempt["disposition"], attempt["hangup_cause"]) == ("refused", "destination_not_allowed")


@pytest.mark.parametrize("destinations", [[], ["+1"]])
async def test_premium_numbers_need_a_destination_of_their_own(world: World, destinations: list[str]) -> None:
    await trunk_with(world, "default", destinations=destinations)
    await world.campaign(["+19005551234"])
    (item,) = await world.claim()
    assert await world.intend(item) is None
    assert (await world.receipts())[-1]["code"] == "destination_not_allowed"


# -- rests and breakers -----------------------------------------------------------------------------------------------


async def test_a_trunk_that_asks_to_be_left_alone_is(world: World) -> None:
    await trunk_with(world, "default")
    await world.campaign(people(3))
    (item,) = await world.claim(limit=1)
    await end(world, item, Disposition.CONGESTION, sip_code=503, retry_after_s=120.0)
    assert await world.claim(now=world.now + 119) == []
    stand = (await world.store.read(lambda c: standings(c, ["default"], now=world.now)))["default"]
    assert (stand.state, stand.until) == ("resting", world.now + 120)
    assert len(await world.claim(limit=1, now=world.now + 121)) == 1
    assert "trunk.resting" in await world.kinds()


async def test_a_trunk_on_which_calls_fail_is_left_alone_then_probed(world: World) -> None:
    await trunk_with(world, "default")
    await world.campaign(people(60), settings={"breaker": None})
    for item in await world.claim(limit=25):
        await end(world, item, Disposition.FAILED, sip_code=500)
    assert await world.claim(now=world.now + 30) == []
    assert (await world.kinds()).count("trunk.tripped") == 1
    world.now += 61
    (probe,) = await world.claim()
    assert await world.claim() == []
    await end(world, probe, Disposition.ACCEPTED)
    assert "trunk.recovered" in await world.kinds()
    assert len(await world.claim(limit=5)) == 5


async def test_calls_one_trunk_cannot_carry_go_to_another_at_once(world: World) -> None:
    await trunk_with(world, "default")
    await trunk_with(world, "backup")
    retry = {"max_attempts": 1, "delays_s": {}}
    await world.campaign([ANN], settings={"fallback_trunks": ["backup"], "retry": retry})
    (item,) = await world.claim()
    await end(world, item, Disposition.CONGESTION, sip_code=503)
    world.now += 2
    (again,) = await world.claim()
    assert (item.trunk, again.trunk, again.number) == ("default", "backup", ANN)
    await end(world, again, Disposition.CONGESTION, sip_code=503)
    world.now += 3600
    assert await world.claim() == []
    assert [row["disposition"] for row in await world.rows(contacts)] == ["congestion"]


async def test_a_campaign_whose_calls_fail_pauses_itself_and_says_why(world: World) -> None:
    await trunk_with(world, "default")
    campaign = await world.campaign(people(60))
    for item in await world.claim(limit=20):
        await end(world, item, Disposition.INVALID_NUMBER, sip_code=404)
    row = await own(world, campaign)
    assert (row["state"], row["pause_reason"]) == ("paused", "20 of the last 20 calls failed within 3600 s")
    assert "campaign.paused" in await world.kinds()
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.RESUME, now=world.now))
    (item,) = await world.claim(limit=1)
    await end(world, item, Disposition.INVALID_NUMBER, sip_code=404)
    row = await own(world, campaign)
    assert (row["state"], row["pause_reason"]) == ("running", "")


# -- budgets ----------------------------------------------------------------------------------------------------------


async def test_a_spend_budget_counts_calls_in_progress_at_the_most_they_may_cost(world: World) -> None:
    await trunk_with(world, "default", rates={"+44": 0.10})
    settings = {"budget": {"spend": 0.25}, "max_duration_s": 60.0, "retry": {"max_attempts": 1, "delays_s": {}}}
    campaign = await world.campaign(people(4), settings=settings)
    first, second, third, _ = await world.claim()
    assert await world.intend(first) is not None
    assert await world.intend(second) is not None
    assert await world.intend(third) is None
    released = next(row for row in await world.attempts() if row["id"] == third.attempt_id)
    assert (released["state"], released["due_at"]) == ("due", world.now + 60)
    no_answer = world.result(first, Disposition.NO_ANSWER, answered_at=None)
    await world.store.write(lambda c: settle(c, no_answer, now=world.now))
    talked = {"answered_at": datetime.fromtimestamp(world.now - 30, UTC)}
    await world.store.write(lambda c: settle(c, world.result(second, Disposition.ACCEPTED, **talked), now=world.now))
    assert (await own(world, campaign))["cost"] == pytest.approx(0.10)
    costs = {row["id"]: row["cost"] for row in await world.attempts() if row["state"] == "done"}
    assert costs == pytest.approx({first.attempt_id: 0.0, second.attempt_id: 0.10})


async def test_without_a_rate_a_spend_budget_permits_nothing(world: World) -> None:
    await trunk_with(world, "default", rates={"+49": 0.10})
    await world.campaign([ANN], settings={"budget": {"spend": 100.0}})
    (item,) = await world.claim()
    assert await world.intend(item) is None
    assert (await world.receipts())[-1]["code"] == "budget_spent"


async def test_what_was_not_sent_is_not_counted(world: World) -> None:
    from outbound.store.attempts import release

    await trunk_with(world, "default", rates={"+44": 0.10})
    campaign = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    row = await own(world, campaign)
    assert (row["dialed"], row["cost"]) == (1, pytest.approx(0.10))
    await world.store.write(
        lambda c: release(c, attempt_id=item.attempt_id, fence=1, due_at=world.now, now=world.now, reason="test")
    )
    row = await own(world, campaign)
    assert (row["dialed"], row["cost"]) == (0, pytest.approx(0.0))


# -- agents -----------------------------------------------------------------------------------------------------------


def in_france(count: int) -> list[str]:
    """Where no law that we know of speaks of abandoned calls, only the house does."""
    return [f"+3363998{index:04}" for index in range(count)]


def for_agents(mode: str, agents: int, **pacing: Any) -> dict[str, Any]:
    limits = {"wrap_up_s": 0.0, "abandonment_share": 0.03, "abandonment_period_s": 86400}
    return {"pacing": {"mode": mode, "agents": agents, **limits, **pacing}, "agent_uri": "sip:agents@127.0.0.1"}


async def test_progressive_dials_one_call_for_each_free_agent(world: World) -> None:
    await trunk_with(world, "default")
    settings = for_agents("progressive", 3, wrap_up_s=60.0) | {"ring_timeout_s": 25.0}
    await world.campaign(people(20), settings=settings)
    claimed = await world.claim()
    assert len(claimed) == 3
    await end(world, claimed[0], Disposition.HANDED_OFF, answered_at=datetime.fromtimestamp(world.now - 5, UTC))
    assert await world.claim(now=world.now + 1) == []
    assert len(await world.claim(now=world.now + 61)) == 1


async def test_predictive_dials_ahead_once_few_answer_and_stops_when_calls_were_abandoned(world: World) -> None:
    await trunk_with(world, "default", channels=500)
    campaign = await world.campaign(in_france(300), settings=for_agents("predictive", 10), max_concurrent=400)
    assert len(await world.claim(limit=400, free={"line-1": 900})) == 10
    day = f"{datetime.fromtimestamp(world.now, UTC):%Y-%m-%d}"

    async def had(tried: int, answered: int, abandoned: int) -> None:
        row = {"name": f"campaign:{campaign}", "reach": {day: [tried, answered, abandoned]}}
        await world.store.write(lambda c: (c.execute(paces.delete()), c.execute(insert(paces), row)))

    await had(10_000, 3_000, 0)
    ahead = len(await world.claim(limit=400, free={"line-1": 900}, now=world.now + 1))
    assert 3 <= ahead <= 20
    await had(10_000, 3_000, 90)
    assert await world.claim(limit=400, free={"line-1": 900}, now=world.now + 2) == []


async def test_a_person_whom_no_agent_took_counts_as_abandoned(world: World) -> None:
    await trunk_with(world, "default")
    campaign = await world.campaign(people(3), settings=for_agents("progressive", 3))
    handed, failed, declined = await world.claim()
    await hands_off(world, handed, "connected")
    await hands_off(world, failed, "failed")
    answered = {"answered_at": datetime.fromtimestamp(world.now - 5, UTC)}
    await end(world, handed, Disposition.HANDED_OFF, **answered)
    await end(world, failed, Disposition.CALLBACK_BOOKED, **answered)
    await end(world, declined, Disposition.DECLINED, **answered)
    found = {row["id"]: row["abandoned"] for row in await world.attempts()}
    assert found == {handed.attempt_id: False, failed.attempt_id: True, declined.attempt_id: False}
    reach = next(row["reach"] for row in await rows_of_paces(world) if row["name"] == f"campaign:{campaign}")
    assert list(reach.values()) == [[3, 3, 1]]


async def hands_off(world: World, item: Claim, state: str) -> None:
    """What the line tells when it sought an agent."""
    row = {"at": world.now, "kind": "call.handoff", "attempt_id": item.attempt_id, "campaign_id": item.campaign_id}
    told = [row | {"data": {"state": "ringing"}}, row | {"data": {"state": state}}]
    await world.store.write(lambda c: events.append_all(c, told))


async def rows_of_paces(world: World) -> list[dict[str, Any]]:
    return await world.store.read(lambda c: [dict(row) for row in c.execute(select(paces)).mappings()])


# -- limits of abandoned calls ----------------------------------------------------------------------------------------

AGENTS = 10
AFTERNOON_S = 6 * 3600.0
"""After noon in London: a time of day at which customers in New York may be called as well."""


async def ahead_for(world: World, numbers: list[str], *, places: list[str] | None = None, **changes: Any) -> str:
    """A predictive campaign with ten agents to customers in ``places`` who agreed; nobody was called yet."""
    await trunk_with(world, "default", channels=500, destinations=changes.pop("destinations", []))
    settings = for_agents("predictive", AGENTS, **changes.pop("pacing", {}))
    campaign = await world.campaign(numbers, settings=settings, max_concurrent=400, plan=False, **changes)
    agreed = update(contacts).values(consent="express_written", jurisdictions=places or [])
    await world.store.write(lambda c: c.execute(agreed.where(contacts.c.campaign_id == campaign)))
    await world.plan(campaign)
    return campaign


async def have_had(world: World, campaign: str, days: dict[int, list[int]]) -> None:
    """So many were tried, answered and abandoned, by days ago."""
    dated = {f"{datetime.fromtimestamp(world.now - 86400 * ago, UTC):%Y-%m-%d}": row for ago, row in days.items()}
    row = {"name": f"campaign:{campaign}", "reach": dated}
    await world.store.write(lambda c: (c.execute(paces.delete()), c.execute(insert(paces), row)))


async def begun(world: World, later_s: float = 0.0, *, limit: int = 100) -> list[Claim]:
    return await world.claim(limit=limit, free={"line-1": 900}, now=world.now + later_s)


def in_new_york(count: int) -> list[str]:
    return [f"+1212555{index:04}" for index in range(100, 100 + count)]


GOOD_DAY = [10_000, 3_000, 0]


@pytest.mark.parametrize(
    ("purpose", "weeks_ago", "ahead"),
    [
        ("marketing", 100, True),
        # 2.9% of 6000: the law's limit may have been reached, as certain as that is known.
        ("marketing", 174, False),
        # The law speaks of telemarketing, and the house of a day.
        ("informational", 174, True),
    ],
)
async def test_what_was_abandoned_weeks_ago_counts_where_the_law_says_so(
    world: World, purpose: str, weeks_ago: int, ahead: bool
) -> None:
    world.now += AFTERNOON_S
    campaign = await ahead_for(world, in_new_york(90), places=["US", "US-NY"], purpose=purpose)
    await have_had(world, campaign, {0: GOOD_DAY, 20: [10_000, 3_000, weeks_ago]})

    assert (len(await begun(world)) > AGENTS) is ahead


async def test_nobody_is_dialled_ahead_while_a_customer_is_near_whose_country_allows_none(world: World) -> None:
    world.now += AFTERNOON_S
    campaign = await ahead_for(world, in_new_york(90), places=["US", "US-NY"], purpose="marketing")
    await have_had(world, campaign, {0: GOOD_DAY})
    ringing = await begun(world, limit=AGENTS + 5)
    assert len(ringing) == AGENTS + 5
    ann = {"id": "ANN", "campaign_id": campaign, "number": ANN, "zones": ["Europe/London"], "variables": {}}
    ann |= {"jurisdictions": ["GB"], "consent": "express_written", "created_at": world.now}

    def add(connection: Any) -> None:
        connection.execute(insert(contacts), ann)
        plan_contacts(connection, campaign, now=world.now, limit=10)
        connection.execute(update(attempts).where(attempts.c.number == ANN).values(due_at=world.now - 1))

    await world.store.write(add)
    assert await begun(world, 1) == []
    for item in ringing[:6]:
        await end(world, item, Disposition.NO_ANSWER)
    (hers,) = await begun(world, 2)
    assert hers.number == ANN
    assert await begun(world, 3) == []
    await end(world, ringing[6], Disposition.NO_ANSWER)
    assert len(await begun(world, 4)) == 1
    await end(world, hers, Disposition.NO_ANSWER)
    assert len(await begun(world, 5)) > 1


@pytest.mark.parametrize(("share", "ahead"), [(0.03, True), (0.01, False), (0.0, False)])
async def test_a_stricter_limit_of_the_campaign_wins(world: World, share: float, ahead: bool) -> None:
    campaign = await ahead_for(world, in_france(90), pacing={"abandonment_share": share})
    await have_had(world, campaign, {0: [10_000, 3_000, 27]})

    assert (len(await begun(world)) > AGENTS) is ahead


async def test_the_house_limits_each_day_however_long_the_campaign_s_own_period(world: World) -> None:
    campaign = await ahead_for(world, in_france(90), pacing={"abandonment_period_s": 30 * 86400})
    await have_had(world, campaign, {0: [1_000, 300, 9], 20: GOOD_DAY})

    assert len(await begun(world)) == AGENTS


async def test_a_customer_somewhere_unknown_is_not_dialled_ahead(world: World) -> None:
    campaign = await ahead_for(world, [*in_france(90), "+88351000000001"], destinations=["+33", "+8835"])
    await have_had(world, campaign, {0: GOOD_DAY})

    assert len(await world.attempts()) == 91
    assert len(await begun(world)) == AGENTS


@pytest.mark.parametrize("limited", ["nowhere", "unreadably"])
async def test_without_rules_that_can_be_read_nobody_is_dialled_ahead(world: World, limited: str) -> None:
    campaign = await ahead_for(world, in_france(90))
    await have_had(world, campaign, {0: GOOD_DAY})
    plain = {"name": "house", "title": "x", "version": "2", "effective_from": "1970-01-01", "jurisdictions": ["*"]}
    document = plain if limited == "nowhere" else {"name": "house"}
    await world.store.write(lambda c: rulepacks.put(c, "house", document, version="2", now=world.now))
    assert len(await begun(world, limit=50)) == AGENTS
    await world.store.write(lambda c: c.execute(rule_packs.delete()))
    assert await begun(world, 1)


# -- what a hostile reader found --------------------------------------------------------------------------------------


async def test_failover_passes_a_call_on_once_though_the_other_trunk_has_no_room(world: World) -> None:
    await trunk_with(world, "default")
    await trunk_with(world, "backup", destinations=["+33"])
    retry = {"max_attempts": 1, "delays_s": {}}
    await world.campaign([ANN], settings={"fallback_trunks": ["backup"], "retry": retry})
    calls = 0
    while claimed := await world.claim():
        await end(world, claimed[0], Disposition.CONGESTION, sip_code=503)
        calls += 1
        world.now += 2
    assert calls <= 2


async def test_a_budget_of_attempts_holds_within_one_batch(world: World) -> None:
    await trunk_with(world, "default")
    campaign = await world.campaign(people(5), settings={"budget": {"attempts": 1}})
    claimed = await world.claim()
    intents = await world.store.write(lambda c: record_intents(c, claimed, now=world.now))
    assert len(intents) == 1
    assert (await own(world, campaign))["dialed"] == 1


async def test_a_spend_budget_lets_its_last_call_begin(world: World) -> None:
    await trunk_with(world, "default", rates={"+44": 0.10})
    await world.campaign(people(4), settings={"budget": {"spend": 0.30}, "max_duration_s": 60.0})
    claimed = await world.claim()
    intents = await world.store.write(lambda c: record_intents(c, claimed, now=world.now))
    assert len(intents) == 3


async def test_a_trunk_that_was_closed_to_a_destination_since_the_claim_does_not_carry_it(world: World) -> None:
    await trunk_with(world, "default")
    await trunk_with(world, "backup")
    await world.campaign([ANN], settings={"fallback_trunks": ["backup"]})
    (item,) = await world.claim()
    shut = update(trunks).where(trunks.c.name == "default")
    closed = {"host": "127.0.0.1:5060", "destinations": ["+33"]}
    await world.store.write(lambda c: c.execute(shut.values(settings=closed)))
    assert await world.intend(item) is None
    (again,) = await world.claim()
    assert (item.trunk, again.trunk) == ("default", "backup")


@pytest.mark.parametrize(("waiting", "limit"), [(400, 100), (4, 1)])
async def test_those_who_wait_for_a_resting_trunk_do_not_hide_others(world: World, waiting: int, limit: int) -> None:
    await trunk_with(world, "default")
    await trunk_with(world, "open")
    for number in people(waiting):
        await world.campaign([number], kind="notification", max_concurrent=1)
    rest = {"name": "trunk:default", "resting_until": world.now + 3600}
    await world.store.write(lambda c: c.execute(insert(paces), rest))
    behind = await world.campaign(["+442079460001"], kind="notification", trunk="open")
    world.now += 1
    assert [item.campaign_id for item in await world.claim(limit=limit)] == [behind]


async def test_a_clock_that_was_far_ahead_once_does_not_stop_the_house(world: World) -> None:
    await trunk_with(world, "default")
    await world.campaign(people(4))
    assert len(await world.claim(limit=1, now=world.now + 86400)) == 1
    assert len(await world.claim(limit=1, now=world.now + 1)) == 1


async def test_without_a_trunk_contacts_wait(world: World) -> None:
    await trunk_with(world, "default")
    campaign = await world.campaign([ANN], plan=False)
    await world.store.write(lambda c: c.execute(update(trunks).values(deleted_at=world.now)))
    await world.plan(campaign)
    assert [row["state"] for row in await world.attempts()] == ["due"]
    assert await world.claim() == []


async def test_a_campaign_whose_last_call_ended_while_it_was_paused_completes_when_it_is_resumed(world: World) -> None:
    await trunk_with(world, "default")
    campaign = await world.campaign([ANN])
    (item,) = await world.claim()
    assert await world.intend(item) is not None
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.PAUSE, now=world.now))
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.ACCEPTED), now=world.now))
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.RESUME, now=world.now))
    assert (await own(world, campaign))["state"] == "completed"
