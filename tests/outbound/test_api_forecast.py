"""``/v1/campaigns/{id}/forecast``: whom the gate would let a campaign reach, hour by hour."""

from __future__ import annotations

import pytest

from tests.outbound.conftest import Api, a_person

pytestmark = pytest.mark.integration


async def forecast(api: Api, campaign: str, query: str = "") -> dict[str, object]:
    found = await api("GET", f"/v1/campaigns/{campaign}/forecast{query}", expect=200)
    return dict(found)


async def test_zones_windows_and_opt_outs_shape_the_hours(api: Api) -> None:
    """At noon in London: open until nine there, and in Los Angeles from four o'clock London time until five."""
    campaign = await api.a_campaign()
    people = [a_person(n) for n in range(6)] + [a_person(n, zone="America/Los_Angeles") for n in range(6, 10)]
    await api("POST", f"/v1/campaigns/{campaign}/contacts", people, expect=200)
    await api("POST", "/v1/optouts", {"number": people[0]["number"], "words": "stop"}, expect=201)
    found = await forecast(api, campaign)
    hours = found["hours"]
    assert isinstance(hours, list)
    assert found["contacts"] == 10
    assert found["never"] == {"opted_out": 1}
    assert found["later"] == 0
    # London is open until 21:00 UTC, Los Angeles from 16:00 (08:00 there) until 05:00
    assert [hour["reachable"] for hour in hours[:9]] == [5, 5, 5, 5, 9, 9, 9, 9, 9]
    assert [hour["reachable"] for hour in hours[9:20]] == [4] * 8 + [0] * 3
    assert hours[20]["reachable"] == 5
    assert sum(hour["newly"] for hour in hours) == 9
    assert hours[0]["newly"] == 5
    assert hours[0]["start"] == "2026-11-24T12:00:00Z"


async def test_customers_with_a_history_are_asked_about_one_by_one(api: Api) -> None:
    campaign = await api.a_campaign(caps=[{"attempts": 1, "per": "30 days"}])
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(1), a_person(2)], expect=200)
    await api("POST", "/v1/optouts", {"number": a_person(1)["number"], "channel": "sms"}, expect=201)
    found = await forecast(api, campaign, "?hours=1")
    hours = found["hours"]
    assert isinstance(hours, list)
    assert hours[0]["reachable"] == 2


async def test_who_can_only_be_reached_later_is_counted_so(api: Api) -> None:
    campaign = await api.a_campaign(windows=[{"days": ["sun"], "start": "10:00", "end": "12:00"}])
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1), expect=200)
    found = await forecast(api, campaign, "?hours=24")
    assert (found["later"], found["never"]) == (1, {})
    sunday = await forecast(api, campaign, "?hours=24&start=2026-11-29T00:00:00Z")
    hours = sunday["hours"]
    assert isinstance(hours, list)
    assert [number for number, hour in enumerate(hours) if hour["reachable"]] == [10, 11]


async def test_a_forecast_of_nothing_known_is_refused(api: Api) -> None:
    problem = await api.refused("GET", "/v1/campaigns/nobody/forecast", expect=404)
    assert problem["code"] == "campaign_not_found"
    campaign = await api.a_campaign()
    problem = await api.refused("GET", f"/v1/campaigns/{campaign}/forecast?hours=1000", expect=422)
    assert problem["errors"][0]["field"] == "hours"
