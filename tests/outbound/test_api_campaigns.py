"""Campaigns over REST: checked when made, changed while a draft, moved by guarded steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from outbound.store.schema import attempts, events, trunks
from outbound.store.schema import campaigns as campaigns_table
from tests.outbound.conftest import CAMPAIGN, PARCEL, Api, a_person
from tests.outbound.world import NOON

pytestmark = pytest.mark.integration
LATER = (datetime.fromtimestamp(NOON, UTC) + timedelta(days=2)).isoformat()
EARLIER = (datetime.fromtimestamp(NOON, UTC) - timedelta(days=2)).isoformat()


async def test_a_campaign_comes_back_as_it_was_sent(api: Api) -> None:
    sent = CAMPAIGN | {
        "windows": [{"days": ["mon", "tue"], "start": "22:00", "end": "02:00"}],
        "retry": {"max_attempts": 2, "delays_s": {"busy": 60}},
        "expires_at": LATER,
        "agent_uri": "sip:agent@127.0.0.1:5070",
        "default_region": "GB",
    }
    created = await api("POST", "/v1/campaigns", sent, expect=201)
    shown = await api("GET", f"/v1/campaigns/{created['id']}", expect=200)
    assert shown == created
    assert shown["state"] == "draft"
    for name in ("name", "windows", "agent_uri", "variables", "default_region"):
        assert shown[name] == sent[name]
    assert shown["retry"].items() >= sent["retry"].items()
    assert datetime.fromisoformat(shown["expires_at"]) == datetime.fromisoformat(LATER)


WRONG: list[tuple[dict[str, Any], int, str, str]] = [
    ({"callflow": "parcell"}, 404, "callflow_not_found", "there are"),
    ({"trunk": "nowhere"}, 404, "trunk_not_found", "there are default"),
    ({"language": "ko"}, 422, "invalid", "it speaks en"),
    ({"variables": {"busines": "Acme"}}, 422, "invalid", "did you mean 'business'"),
    ({"expires_at": EARLIER}, 422, "invalid", "it has passed"),
    ({"starts_at": LATER, "expires_at": LATER}, 422, "invalid", "not after starts_at"),
    ({"expires_at": "2126-11-24T12:00:00Z"}, 422, "invalid", "from 2000 to 2099"),
    ({"expires_at": "2026-12-24T12:00:00"}, 422, "invalid", "expires_at: Input should have timezone"),
    ({"expires_at": 1795521600}, 422, "invalid", "expires_at"),
    ({"windows": [{"days": ["mon"], "start": "09:00", "end": "09:00"}]}, 422, "invalid", "00:00-24:00"),
    ({"windows": [{"days": ["mon"], "start": "25:00", "end": "09:00"}]}, 422, "invalid", "windows[0].start"),
    ({"windows": [{"days": ["mon"], "strat": "1"}]}, 422, "invalid", "did you mean 'start'"),
    ({"retry": {"delays_s": {"lazy": 5}}}, 422, "invalid", "retry.delays_s"),
    ({"max_concurrent": "5"}, 422, "invalid", "max_concurrent: Input should be a valid integer"),
    ({"nmae": "x"}, 422, "invalid", "did you mean 'name'"),
    ({"name": " "}, 422, "invalid", "name"),
    ({"purpose": "fun"}, 422, "invalid", "purpose"),
    ({"agent_uri": "tel:+1"}, 422, "invalid", "agent_uri"),
]


async def test_a_wrong_campaign_is_refused_by_field_with_the_remedy(api: Api) -> None:
    for changes, status, code, said in WRONG:
        problem = await api.refused("POST", "/v1/campaigns", CAMPAIGN | changes, expect=status)
        assert problem["code"] == code
        assert said in problem["detail"]
    assert (await api("GET", "/v1/campaigns"))["items"] == []


async def test_every_fault_is_listed_at_once(api: Api) -> None:
    body = {"callflow": "parcel", "purpose": "fun", "nmae": "x", "windows": [{"days": []}]}
    problem = await api.refused("POST", "/v1/campaigns", body, expect=422)
    assert {error["field"] for error in problem["errors"]} == {
        "name",
        "nmae",
        "purpose",
        "windows[0].days",
        "windows[0].start",
        "windows[0].end",
    }


async def test_a_draft_is_changed_and_checked_again(api: Api) -> None:
    campaign = await api.a_campaign()
    path = f"/v1/campaigns/{campaign}"
    changed = await api("PATCH", path, {"name": "Other", "max_concurrent": 3, "expires_at": LATER}, expect=200)
    assert (changed["name"], changed["max_concurrent"], changed["callflow"]) == ("Other", 3, "parcel")
    assert (await api("PATCH", path, {"expires_at": None}, expect=200))["expires_at"] is None
    assert "language" in (await api.refused("PATCH", path, {"language": "ko"}, expect=422))["detail"]
    assert "name" in (await api.refused("PATCH", path, {"name": None}, expect=422))["detail"]
    await api("POST", f"{path}/start", expect=200)
    problem = await api.refused("PATCH", path, {"name": "Late"}, expect=409)
    assert (problem["code"], problem["state"], problem["allowed"]) == ("campaign_state", "running", ["pause", "cancel"])


TRANSITIONS = {
    "draft": {"start": "running", "cancel": "cancelled"},
    "running": {"pause": "paused", "cancel": "cancelled"},
    "paused": {"resume": "running", "cancel": "cancelled"},
    "completed": {},
    "cancelled": {},
}


@pytest.mark.parametrize("state", TRANSITIONS)
async def test_only_guarded_steps_are_taken(api: Api, state: str) -> None:
    for action in ("start", "pause", "resume", "cancel"):
        campaign = await api.a_campaign()
        placed = update(campaigns_table).where(campaigns_table.c.id == campaign).values(state=state)
        await api.services.store.write(lambda c, placed=placed: c.execute(placed))
        path = f"/v1/campaigns/{campaign}/{action}"
        if action in TRANSITIONS[state]:
            assert (await api("POST", path, expect=200))["state"] == TRANSITIONS[state][action]
            continue
        problem = await api.refused("POST", path, expect=409)
        assert problem["code"] == "campaign_state"
        assert (problem["state"], problem["allowed"]) == (state, list(TRANSITIONS[state]))
        assert (await api("GET", f"/v1/campaigns/{campaign}"))["state"] == state


async def test_life_is_told_as_events(api: Api) -> None:
    campaign = await api.a_campaign()
    for action in ("start", "pause", "resume", "cancel"):
        await api("POST", f"/v1/campaigns/{campaign}/{action}", expect=200)
    kinds = await api.services.store.read(
        lambda c: c.execute(select(events.c.kind).order_by(events.c.id)).scalars().all()
    )
    assert kinds == [f"campaign.{done}" for done in ("created", "started", "paused", "resumed", "cancelled")]


async def test_starting_plans_and_wakes_the_lines(api: Api) -> None:
    campaign = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(1), a_person(2)], expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    assert api.enqueued.jobs == [("plan_campaign", campaign), ("kick",)]
    shown = await api("GET", f"/v1/campaigns/{campaign}")
    assert (shown["counts"]["contacts"], shown["counts"]["due"]) == (2, 2)


async def test_cancelling_ends_what_waits(api: Api) -> None:
    campaign = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(1), a_person(2)], expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    live = select(attempts.c.id).limit(1).scalar_subquery()
    await api.services.store.write(
        lambda c: c.execute(update(attempts).where(attempts.c.id == live).values(state="dialing"))
    )
    counts = (await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200))["counts"]
    assert (counts["due"], counts["in_progress"], counts["done"]) == (0, 1, 1)
    assert counts["dispositions"] == {"cancelled": 1}


async def test_a_start_needs_every_variable(api: Api) -> None:
    campaign = await api.a_campaign(variables={"business": "Acme", "day": "Monday"})
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(1, variables={}), expect=200)
    await api("PATCH", f"/v1/campaigns/{campaign}", {"variables": {"business": "Acme"}}, expect=200)
    problem = await api.refused("POST", f"/v1/campaigns/{campaign}/start", expect=409)
    assert (problem["code"], problem["variable"], problem["contacts"]) == ("variable_missing", "day", 1)


async def test_a_start_needs_time_left(api: Api) -> None:
    campaign = await api.a_campaign(expires_at=LATER)
    api.clock.now += 3 * 86400
    problem = await api.refused("POST", f"/v1/campaigns/{campaign}/start", expect=409)
    assert problem["code"] == "campaign_expired"


async def test_a_later_edit_of_the_flow_leaves_the_campaign_alone(api: Api) -> None:
    campaign = await api.a_campaign()
    await api("DELETE", "/v1/callflows/parcel", expect=204)
    await api("PATCH", f"/v1/campaigns/{campaign}", {"name": "Still here"}, expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    flow = select(campaigns_table.c.flow).where(campaigns_table.c.id == campaign)
    assert (await api.services.store.read(lambda c: c.execute(flow).scalar_one()))["title"] == PARCEL["title"]


async def test_lists_are_paged_without_gaps_or_repeats(api: Api) -> None:
    made = set()
    for number in range(7):
        api.clock.now += 1
        made.add(await api.a_campaign(name=f"c{number}"))
    seen: list[str] = []
    query = "?limit=3"
    while True:
        page = await api("GET", f"/v1/campaigns{query}", expect=200)
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=3&cursor={page['next_cursor']}"
    assert seen == sorted(made, reverse=True)


async def test_lists_are_filtered_by_state(api: Api) -> None:
    first, second = await api.a_campaign(), await api.a_campaign()
    await api("POST", f"/v1/campaigns/{second}/cancel", expect=200)
    drafts = await api("GET", "/v1/campaigns?state=draft")
    assert [item["id"] for item in drafts["items"]] == [first]


WRONG_QUERIES = [
    ("limit=0", "limit"),
    ("limit=x", "limit"),
    ("limit=501", "limit"),
    ("cursor=%21%21", "next_cursor"),
    ("cursor=w6k", "next_cursor"),
    ("stat=draft", "did you mean 'state'"),
    ("state=draft&state=done", "give the parameter once"),
    ("state=%00", "control characters"),
]


async def test_wrong_queries_are_refused_by_name(api: Api) -> None:
    for query, said in WRONG_QUERIES:
        problem = await api.refused("GET", f"/v1/campaigns?{query}", expect=422)
        assert said in problem["detail"]


async def test_figures_come_from_measured_calls(api: Api) -> None:
    campaign = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(n) for n in range(3)], expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    empty = await api("GET", f"/v1/campaigns/{campaign}/stats", expect=200)
    assert empty["answer_to_audio_p50_s"] is None

    def answer(connection: Any) -> None:
        ids = connection.execute(select(attempts.c.id)).scalars().all()
        for first, attempt in zip((0.1, 0.2, 0.3), ids, strict=True):
            timings = {"answer_to_audio_s": first, "turn_gaps_s": [first, 1.0]}
            row = update(attempts).where(attempts.c.id == attempt)
            connection.execute(row.values(state="done", answered_at=NOON, result={"timings": timings}))

    await api.services.store.write(answer)
    stats = await api("GET", f"/v1/campaigns/{campaign}/stats", expect=200)
    assert stats["answer_to_audio_p50_s"] == pytest.approx(0.2)
    assert stats["answer_to_audio_p95_s"] == pytest.approx(0.29)
    assert stats["turn_gap_p50_s"] == pytest.approx(0.65)
    assert stats["counts"]["done"] == 3


async def test_what_is_not_there_is_said(api: Api) -> None:
    for path in ("", "/stats", "/attempts", "/contacts", "/events"):
        problem = await api.refused("GET", f"/v1/campaigns/nope{path}", expect=404)
        assert problem["code"] == "campaign_not_found"
    for action in ("start", "pause", "resume", "cancel"):
        await api.refused("POST", f"/v1/campaigns/nope/{action}", expect=404)


async def test_a_trunk_that_was_deleted_is_gone_for_new_campaigns(api: Api) -> None:
    await api("DELETE", "/v1/trunks/default", expect=204)
    problem = await api.refused("POST", "/v1/campaigns", CAMPAIGN, expect=404)
    assert "POST /v1/trunks" in problem["detail"]
    assert await api.services.store.read(lambda c: c.execute(select(trunks)).all()) == []


async def test_what_is_done_with_a_machine_is_checked_against_the_flow(api: Api) -> None:
    made = await api("POST", "/v1/campaigns", CAMPAIGN | {"on_machine": "hang_up"}, expect=201)
    assert made["on_machine"] == "hang_up"
    silent = PARCEL | {"name": "silent", "voicemail": "hangup"}
    await api("PUT", "/v1/callflows/silent", {"document": silent}, expect=201)
    wanted = CAMPAIGN | {"callflow": "silent", "on_machine": "leave_message"}
    refused = await api.refused("POST", "/v1/campaigns", wanted, expect=422)
    assert [(fault["field"], fault["code"]) for fault in refused["errors"]] == [("on_machine", "no_message")]
    refused = await api.refused("POST", "/v1/campaigns", CAMPAIGN | {"on_machine": "send_sms"}, expect=422)
    assert refused["errors"][0]["field"] == "on_machine"


async def test_a_campaign_answers_questions_of_its_own(api: Api) -> None:
    hours = {"ask": {"en": ["when are you open"]}, "say": {"en": "From nine to six."}}
    made = await api("POST", "/v1/campaigns", CAMPAIGN | {"faq": {"hours": hours}}, expect=201)
    assert made["faq"] == {"hours": hours}
    changed = await api("PATCH", f"/v1/campaigns/{made['id']}", {"faq": {}})
    assert changed["faq"] == {}
    mute = hours | {"say": {"en": "From {{opening}}."}}
    refused = await api.refused("POST", "/v1/campaigns", CAMPAIGN | {"faq": {"hours": mute}}, expect=422)
    assert refused["code"] == "callflow_invalid"
    assert "faq.hours.say names {{opening}}" in refused["detail"]
