"""What customers tell us by themselves, by message and by calling in, counts like what they say when we call."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outbound.store.schema import events
from tests.outbound.conftest import CAMPAIGN, Api, a_person

pytestmark = pytest.mark.integration

ANN = "+447700900001"
CHINA = "+8613800138000"


async def message(api: Api, text: str, sender: str = ANN, **more: Any) -> Any:
    return await api("POST", "/v1/inbound/messages", {"from": sender, "to": "60777", "text": text} | more, expect=200)


async def test_a_message_that_stops_cancels_on_all_channels(api: Api) -> None:
    campaign = await api("POST", "/v1/campaigns", CAMPAIGN, expect=201)
    await api("POST", f"/v1/campaigns/{campaign['id']}/contacts", a_person(1), expect=200)
    await api("POST", f"/v1/campaigns/{campaign['id']}/start", expect=200)
    shown = await message(api, " Stop. Thank you ")
    assert shown["meaning"] == "opt_out"
    opt_out = shown["opt_out"]
    assert (opt_out["source"], opt_out["scope"], opt_out["channel"]) == ("sms", "all", "")
    assert opt_out["words"] == "Stop. Thank you"
    (attempt,) = (await api("GET", f"/v1/campaigns/{campaign['id']}/attempts"))["items"]
    assert (attempt["disposition"], attempt["hangup_cause"]) == ("cancelled", "opted_out")


async def test_a_message_that_starts_brings_back_messages_alone(api: Api) -> None:
    shown = await message(api, "START")
    assert (shown["meaning"], shown["opt_in"]["channel"], shown["opt_in"]["source"]) == ("opt_in", "sms", "sms")
    assert shown["opt_out"] is None


@pytest.mark.parametrize(
    ("text", "sender", "offered", "meaning"),
    [
        ("HELP", ANN, [], "help"),
        ("When does it come?", ANN, [], "none"),
        ("", ANN, [], "none"),
        ("T", CHINA, [], "opt_out"),
        ("T", ANN, [], "none"),
        ("r", ANN, ["R"], "opt_out"),
        ("please stop texting me", ANN, [], "opt_out"),
        ("退订", CHINA, [], "opt_out"),
    ],
)
async def test_messages_are_understood(api: Api, text: str, sender: str, offered: list[str], meaning: str) -> None:
    assert (await message(api, text, sender, offered=offered))["meaning"] == meaning
    stored = (await api("GET", "/v1/optouts"))["items"]
    assert len(stored) == (meaning == "opt_out")


@pytest.mark.parametrize(
    ("sender", "kept"),
    [
        ("60777", "+60777"),
        ("+99912345678", "+99912345678"),
        ("07700 900001", "+07700900001"),
        ("0" * 15, "+" + "0" * 15),
    ],
)
async def test_a_stop_is_never_refused_for_its_numbers_shape(api: Api, sender: str, kept: str) -> None:
    assert (await message(api, "STOP", sender))["opt_out"]["number"] == kept
    called = await api("POST", "/v1/inbound/calls", {"from": sender, "act": "opt_out", "words": "9"}, expect=200)
    assert called["opt_out"]["number"] == kept
    for text in ("START", "hello"):
        body = {"from": sender, "to": "60777", "text": text}
        problem = await api.refused("POST", "/v1/inbound/messages", body, expect=422)
        assert problem["errors"][0]["field"] == "from"


@pytest.mark.parametrize("sender", ["Acme", "+", "0" * 16, "tel:60777"])
async def test_a_stop_of_nobody_is_refused(api: Api, sender: str) -> None:
    body = {"from": sender, "to": "60777", "text": "STOP"}
    problem = await api.refused("POST", "/v1/inbound/messages", body, expect=422)
    assert problem["errors"][0]["field"] == "from"
    assert (await api("GET", "/v1/optouts"))["items"] == []


async def test_a_yes_opts_in_only_where_it_was_asked_for(api: Api) -> None:
    assert (await message(api, "YES"))["meaning"] == "none"
    assert (await message(api, "YES", asked_yes=True))["opt_in"]["words"] == "YES"


async def test_the_event_tells_the_meaning_and_not_the_words(api: Api) -> None:
    await message(api, "my secret")
    query = select(events).order_by(events.c.id.desc()).limit(1)
    told = await api.services.store.read(lambda c: c.execute(query).mappings().one())
    assert told["kind"] == "inbound.message"
    assert told["data"] == {"number": ANN, "to": "60777", "meaning": "none"}


async def test_customers_who_call_in(api: Api) -> None:
    call = {"from": "+44 7700 900001", "to": "+442079460000", "words": "9"}
    out = await api("POST", "/v1/inbound/calls", call | {"act": "opt_out", "scope": "marketing"}, expect=200)
    assert (out["opt_out"]["source"], out["opt_out"]["scope"], out["opt_out"]["number"]) == (
        "inbound",
        "marketing",
        ANN,
    )
    back = await api("POST", "/v1/inbound/calls", call | {"act": "opt_in", "words": "call me again"}, expect=200)
    assert (back["opt_in"]["source"], back["opt_in"]["words"]) == ("inbound", "call me again")
    no = await api("POST", "/v1/inbound/calls", call | {"act": "refusal", "scope": "marketing"}, expect=200)
    assert (no["refusal"]["purpose"], no["refusal"]["source"]) == ("marketing", "inbound")
    assert len((await api("GET", "/v1/refusals"))["items"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"act": "refusal"}, {"act": "call_later"}, {"act": "opt_in", "words": ""}, {"act": "opt_out", "from": "x"}],
)
async def test_what_is_wrong_with_a_call_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    await api.refused("POST", "/v1/inbound/calls", {"from": ANN, "words": "9"} | wrong, expect=422)
    for stored in ("optouts", "optins", "refusals"):
        assert (await api("GET", f"/v1/{stored}"))["items"] == []
