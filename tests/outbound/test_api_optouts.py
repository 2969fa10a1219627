"""Opt-outs: recorded once and for all, and what waits for that number is cancelled in the same transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from outbound.store.schema import attempts, events
from tests.outbound.conftest import CAMPAIGN, Api, a_person

pytestmark = pytest.mark.integration
NUMBER = "+447700900001"


async def running(api: Api, purpose: str) -> str:
    campaign = await api("POST", "/v1/campaigns", CAMPAIGN | {"purpose": purpose}, expect=201)
    people = [a_person(n, consent="express_written") for n in (1, 2)]
    await api("POST", f"/v1/campaigns/{campaign['id']}/contacts", people, expect=200)
    await api("POST", f"/v1/campaigns/{campaign['id']}/start", expect=200)
    return str(campaign["id"])


async def states(api: Api, campaign: str) -> dict[str, str]:
    listed = await api("GET", f"/v1/campaigns/{campaign}/attempts")
    return {item["number"]: item["disposition"] or item["state"] for item in listed["items"]}


async def test_an_opt_out_cancels_what_waits_in_every_campaign(api: Api) -> None:
    notices, offers = await running(api, "informational"), await running(api, "marketing")
    kept = await api("POST", "/v1/optouts", {"number": "+44 7700 900 001", "words": "别再打了"}, expect=201)
    assert (kept["number"], kept["scope"], kept["source"], kept["words"]) == (NUMBER, "all", "rest", "别再打了")
    for campaign in (notices, offers):
        assert await states(api, campaign) == {NUMBER: "cancelled", "+447700900002": "due"}
    told = await api.services.store.read(
        lambda c: c.execute(select(events.c.kind).order_by(events.c.id)).scalars().all()
    )
    assert told[-3:] == ["optout.created", "attempt.done", "attempt.done"]


async def test_an_opt_out_of_a_purpose_leaves_the_others(api: Api) -> None:
    notices, offers = await running(api, "informational"), await running(api, "marketing")
    await api("POST", "/v1/optouts", {"number": NUMBER, "scope": "marketing"}, expect=201)
    assert (await states(api, notices))[NUMBER] == "due"
    assert (await states(api, offers))[NUMBER] == "cancelled"


async def test_a_campaign_with_nothing_left_is_completed(api: Api) -> None:
    campaign = await running(api, "informational")
    for number in (NUMBER, "+447700900002"):
        await api("POST", "/v1/optouts", {"number": number}, expect=201)
    assert (await api("GET", f"/v1/campaigns/{campaign}"))["state"] == "completed"


async def test_later_campaigns_do_not_reach_them_either(api: Api) -> None:
    await api("POST", "/v1/optouts", {"number": NUMBER}, expect=201)
    campaign = await running(api, "informational")
    assert await states(api, campaign) == {"+447700900002": "due"}
    counts = (await api("GET", f"/v1/campaigns/{campaign}"))["counts"]
    assert counts["dispositions"] == {"refused": 1}


async def test_calls_in_progress_are_left_to_the_lines(api: Api) -> None:
    campaign = await running(api, "informational")
    live = attempts.update().where(attempts.c.number == NUMBER).values(state="dialing")
    await api.services.store.write(lambda c: c.execute(live))
    await api("POST", "/v1/optouts", {"number": NUMBER}, expect=201)
    assert (await states(api, campaign))[NUMBER] == "dialing"


async def test_opt_outs_are_listed_the_newest_first(api: Api) -> None:
    for number in (NUMBER, "+18005551234", NUMBER):
        api.clock.now += 1
        await api("POST", "/v1/optouts", {"number": number}, expect=201)
    listed = (await api("GET", "/v1/optouts", expect=200))["items"]
    assert [item["number"] for item in listed] == [NUMBER, "+18005551234", NUMBER]
    assert len((await api("GET", "/v1/optouts?number=%2B18005551234"))["items"]) == 1


async def test_a_number_is_needed(api: Api) -> None:
    for body in ({}, {"number": ""}, {"number": "stop"}, {"number": "7700900001"}, {"number": NUMBER, "scope": "some"}):
        problem = await api.refused("POST", "/v1/optouts", body, expect=422)
        assert problem["errors"][0]["field"] in ("number", "scope")
