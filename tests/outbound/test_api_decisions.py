"""``/v1/decisions``: the dry run of the gate, for one and for many, with what is stored and what is supposed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.outbound.conftest import Api, a_person

pytestmark = pytest.mark.integration

PARIS, DENVER, NEW_YORK = "+33612345678", "+13035550123", "+12125550123"
PACK = """
name = "trial"
title = "Trial"
version = "1"
effective_from = 2000-01-01
jurisdictions = ["FR"]

[[hours]]
id = "night"
purposes = ["marketing"]
channels = ["voice"]
windows = ["daily 22:00-02:00"]
source = "a try"
mark = "H"
"""


def when(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


async def decide(api: Api, **asked: Any) -> Any:
    return await api("POST", "/v1/decisions", asked, expect=200)


async def test_a_permission_names_packs_zones_versions_and_what_must_be_said(bare_api: Api) -> None:
    answer = await decide(
        bare_api, number=PARIS, purpose="marketing", at="2026-11-24T11:00:00+01:00", consent="express_written"
    )
    assert answer["allowed"] is True
    assert answer["code"] == "permitted"
    assert answer["next_at"] == "2026-11-24T10:00:00Z"
    assert answer["zones"] == ["Europe/Paris"]
    assert answer["jurisdictions"] == ["FR"]
    assert [pack.partition("@")[0] for pack in answer["packs"]] == ["eu", "fr", "house"]
    assert answer["tzdata"]
    assert answer["evidence"]["holidays"]
    assert {"eu", "fr"} <= {said["rule"].partition("@")[0] for said in answer["disclosures"]}


@pytest.mark.parametrize(
    ("asked", "code", "rule", "next_at"),
    [
        # the pause at noon, and the 25 seconds that it may ring
        ({"number": PARIS, "at": "2026-11-24T13:00:00+01:00"}, "outside_hours", "fr", "2026-11-24T14:00:00+01:00"),
        ({"number": PARIS, "at": "2026-11-24T12:59:40+01:00"}, "outside_hours", "fr", "2026-11-24T14:00:00+01:00"),
        # Friday evening, then a weekend
        ({"number": PARIS, "at": "2026-11-27T20:00:00+01:00"}, "outside_hours", "fr", "2026-11-30T10:00:00+01:00"),
        # Armistice day
        ({"number": PARIS, "at": "2026-11-11T11:00:00+01:00"}, "outside_hours", "fr", "2026-11-12T10:00:00+01:00"),
        ({"number": NEW_YORK, "at": "2026-11-24T07:59:59-05:00"}, "outside_hours", "us", "2026-11-24T08:00:00-05:00"),
        # the contact's own zone wins over the number's
        (
            {"number": NEW_YORK, "zone": "America/Los_Angeles", "at": "2026-11-24T09:00:00-05:00"},
            "outside_hours",
            "us",
            "2026-11-24T08:00:00-08:00",
        ),
    ],
)
async def test_a_refusal_carries_the_earliest_permitted_instant(
    bare_api: Api, asked: dict[str, Any], code: str, rule: str, next_at: str
) -> None:
    answer = await decide(bare_api, purpose="marketing", consent="express_written", **asked)
    assert answer["allowed"] is False
    assert answer["code"] == code
    assert answer["rule"].startswith(f"{rule}@")
    assert answer["source"]
    assert answer["next_at"] == when(next_at)


@pytest.mark.parametrize(
    ("supposed", "code"),
    [
        ({"consent": "none"}, "consent_missing"),
        ({"consent": "express"}, "consent_missing"),
        ({"opt_outs": [{}]}, "opted_out"),
        ({"opt_outs": [{"scope": "marketing", "channel": "voice"}]}, "opted_out"),
        ({"opt_outs": [{"channel": "sms"}]}, "permitted"),
        (
            {"opt_outs": [{"at": "2026-11-01T00:00:00Z"}], "opt_ins": [{"at": "2026-11-02T00:00:00Z"}]},
            "permitted",
        ),
        ({"house_lists": ["complaints"]}, "opted_out"),
        ({"expires_at": "2026-11-24T12:00:00Z"}, "expired"),
        ({"starts_at": "2026-11-25T12:00:00Z"}, "not_started"),
        ({"budget": {"limit": 3, "used": 3}}, "budget_spent"),
        ({"windows": [{"days": ["sat"], "start": "10:00", "end": "12:00"}]}, "outside_campaign_windows"),
        (
            {
                "caps": [{"attempts": 1, "per": "24 hours"}],
                "history": [{"at": "2026-11-24T10:00:00Z", "campaign_id": ""}],
            },
            "attempt_cap",
        ),
        ({"history": [{"at": f"2026-11-24T1{hour}:00:00Z"} for hour in range(4)]}, "attempt_cap"),
    ],
)
async def test_what_is_supposed_counts(bare_api: Api, supposed: dict[str, Any], code: str) -> None:
    asked = {"number": DENVER, "purpose": "marketing", "at": "2026-11-24T18:00:00Z", "consent": "express_written"}
    answer = await decide(bare_api, **(asked | supposed))
    assert answer["code"] == code
    assert answer["allowed"] is (code == "permitted")


async def test_a_french_refusal_bars_for_sixty_days_and_a_consent_can_be_withdrawn(bare_api: Api) -> None:
    asked = {"number": PARIS, "purpose": "marketing", "at": "2026-11-24T11:00:00+01:00"}
    written = {"kind": "express_written", "at": "2026-01-01T00:00:00Z"}
    refused = {"refusals": [{"at": "2026-10-10T10:00:00+02:00"}], "consents": [written]}
    answer = await decide(bare_api, **asked, **refused)
    assert (answer["code"], answer["next_at"]) == ("refused_before", when("2026-12-10T10:00:00+01:00"))
    withdrawn = [written | {"withdrawn_at": "2026-11-20T00:00:00Z"}]
    assert (await decide(bare_api, **asked, consents=withdrawn))["code"] == "consent_missing"


async def test_what_is_stored_counts_unless_it_is_left_out(bare_api: Api) -> None:
    await bare_api("POST", "/v1/optouts", {"number": DENVER, "words": "stop"}, expect=201)
    asked = {"number": DENVER, "purpose": "informational", "at": "2026-11-24T18:00:00Z"}
    assert (await decide(bare_api, **asked))["code"] == "opted_out"
    assert (await decide(bare_api, **asked, stored=False))["allowed"] is True


async def test_a_campaign_asks_with_its_own_terms_and_contact(api: Api) -> None:
    campaign = await api.a_campaign(windows=[{"days": ["sat"], "start": "10:00", "end": "12:00"}])
    person = a_person(1)
    await api("POST", f"/v1/campaigns/{campaign}/contacts", person, expect=200)
    answer = await decide(api, campaign_id=campaign, number=person["number"], at="2026-11-24T12:00:00Z")
    assert (answer["code"], answer["rule"]) == ("outside_campaign_windows", "campaign")
    assert answer["purpose"] == "informational"
    assert answer["zones"] == ["Europe/London"]
    assert answer["next_at"] == "2026-11-28T10:00:00Z"


async def test_a_pack_is_tried_out_alone_or_besides_those_in_force(bare_api: Api) -> None:
    asked = {"number": PARIS, "purpose": "marketing", "at": "2026-11-24T23:00:00+01:00"}
    alone = await decide(bare_api, **asked, rules=[PACK])
    assert alone["allowed"] is True
    assert alone["packs"] == ["trial@1"]
    besides = await decide(bare_api, **asked, rules=[PACK], in_force=True, consent="express")
    assert besides["code"] == "outside_hours"
    assert besides["next_at"] is None  # 22-02 and 10-20 never meet
    as_json = {
        "name": "trial",
        "title": "Trial",
        "version": "2",
        "effective_from": "2000-01-01",
        "jurisdictions": ["FR"],
        "bans": [
            {"id": "b", "purposes": ["marketing"], "channels": ["voice"], "reason": "no", "source": "s", "mark": "H"}
        ],
    }
    banned = await decide(bare_api, **asked, rules=[as_json])
    assert (banned["code"], banned["rule"]) == ("banned", "trial@2#b")


@pytest.mark.parametrize(
    ("rules", "part"),
    [
        (["name = 'x"], "rules[0]"),
        ([PACK.replace("22:00-02:00", "22:00-22:00")], "empty"),
        ([PACK.replace("windows", "window")], "windows"),
        ([{"name": "x"}], "version is missing"),
        ([PACK, PACK.replace('mark = "H"', 'mark = "Z"')], "rules[1]"),
    ],
)
async def test_a_bad_pack_is_refused_by_key_and_remedy(bare_api: Api, rules: list[Any], part: str) -> None:
    asked = {"number": PARIS, "purpose": "marketing", "rules": rules}
    problem = await bare_api.refused("POST", "/v1/decisions", asked, expect=422)
    assert part in problem["detail"]
    assert problem["errors"][0]["field"].startswith("rules[")


async def test_without_a_zone_nobody_is_reached_and_the_answer_says_what_to_supply(bare_api: Api) -> None:
    answer = await decide(bare_api, number="+18005550199", purpose="informational")
    assert (answer["allowed"], answer["code"], answer["next_at"]) == (False, "zone_unknown", None)
    assert "zone" in answer["reason"]
    assert (await decide(bare_api, purpose="informational"))["code"] == "zone_unknown"
    elsewhere = {"purpose": "informational", "country": "FR", "at": "2026-11-24T12:00:00Z"}
    assert (await decide(bare_api, **elsewhere))["zones"] == ["Europe/Paris"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"number": "12", "purpose": "marketing"}, "number"),
        ({"number": PARIS, "purpose": "chatting"}, "purpose"),
        ({"number": PARIS}, "purpose"),
        ({"number": PARIS, "purpose": "marketing", "zone": "Europe/Pariss"}, "zone"),
        ({"number": PARIS, "purpose": "marketing", "at": "yesterday"}, "at"),
        ({"number": PARIS, "purpose": "marketing", "channel": "pigeon"}, "channel"),
        ({"number": PARIS, "purpose": "marketing", "caps": [{"attempts": 1, "per": "a while"}]}, "caps[0]"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_field(
    bare_api: Api, asked: dict[str, Any], field: str
) -> None:
    problem = await bare_api.refused("POST", "/v1/decisions", asked, expect=422)
    assert problem["errors"][0]["field"] == field


async def test_a_batch_is_answered_in_its_order_and_a_bad_question_in_its_place(bare_api: Api) -> None:
    good = {"number": DENVER, "purpose": "informational", "at": "2026-11-24T18:00:00Z"}
    answer = await bare_api(
        "POST", "/v1/decisions", [good, good | {"number": "12"}, good | {"number": PARIS}], expect=200
    )
    first, second, third = answer["items"]
    assert first["allowed"] is True
    assert (second["allowed"], second["field"]) == (False, "number")
    assert third["zones"] == ["Europe/Paris"]
    problem = await bare_api.refused("POST", "/v1/decisions", [good] * 1001, expect=413)
    assert problem["code"] == "too_large"


async def test_rules_that_cannot_be_read_permit_nothing(bare_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from campaigns.rules import RulesError

    def fails(*_: Any, **__: Any) -> Any:
        raise RulesError("the holidays of FR are not known: no library; install it")

    monkeypatch.setattr("outbound.gatehouse.dry_run.regime", fails)
    answer = await decide(bare_api, number=PARIS, purpose="marketing")
    assert (answer["allowed"], answer["code"], answer["next_at"]) == (False, "rules_unreadable", None)
    assert "install it" in answer["reason"]
