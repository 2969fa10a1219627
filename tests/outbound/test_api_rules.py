"""``/v1/rules``: what is in force, what the operator puts in force, and that it counts from then on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration

BAN = """
name = "us-la"
title = "Louisiana, emergency declared"
version = "2026-11-24"
effective_from = 2026-11-24
jurisdictions = ["US-LA"]

[[bans]]
id = "emergency"
purposes = ["marketing"]
channels = ["voice", "sms"]
reason = "a state of emergency is declared"
source = "La. R.S. 45:844.14"
mark = "V"

[[hours]]
id = "hours"
purposes = ["marketing"]
channels = ["voice", "sms"]
windows = ["mon-sat 08:00-20:00"]
source = "La. R.S. 45:844.14"
mark = "V"

[[consents]]
id = "consent"
purposes = ["marketing"]
channels = ["voice", "sms"]
needs = "express_written"
source = "47 CFR 64.1200(a)(2)"
mark = "S"
"""
NEW_ORLEANS = {"number": "+15045550123", "purpose": "marketing", "consent": "express_written"}
NOON = {"at": "2026-11-24T18:00:00Z"}


async def test_the_packs_of_a_number_and_of_a_place(bare_api: Api) -> None:
    everything = await bare_api("GET", "/v1/rules", expect=200)
    assert len(everything["items"]) > 40
    french = await bare_api("GET", "/v1/rules?number=%2B33612345678", expect=200)
    assert [pack["name"] for pack in french["items"]] == ["eu", "fr", "house"]
    florida = await bare_api("GET", "/v1/rules?jurisdiction=us-fl", expect=200)
    assert {"us", "us-fl"} <= {pack["name"] for pack in florida["items"]}
    one = await bare_api("GET", "/v1/rules/fr", expect=200)
    assert one["origin"] == "built-in"
    assert all(rule["source"] and rule["mark"] in "VSMH" for rule in one["rules"])
    problem = await bare_api.refused("GET", "/v1/rules/atlantis", expect=404)
    assert problem["code"] == "rules_not_found"


async def test_a_pack_put_in_force_counts_at_once_and_can_be_withdrawn(bare_api: Api) -> None:
    asked = {**NEW_ORLEANS, **NOON}
    assert (await bare_api("POST", "/v1/decisions", asked, expect=200))["allowed"] is True
    put = await bare_api("PUT", "/v1/rules/us-la", {"pack": BAN}, expect=200)
    assert (put["origin"], put["version"]) == ("operator", "2026-11-24")
    answer = await bare_api("POST", "/v1/decisions", asked, expect=200)
    assert (answer["code"], answer["rule"]) == ("banned", "us-la@2026-11-24#emergency")
    newer = BAN.replace('version = "2026-11-24"', 'version = "2026-11-25"').replace("a state of", "still a state of")
    await bare_api("PUT", "/v1/rules/us-la", {"pack": newer}, expect=200)
    answer = await bare_api("POST", "/v1/decisions", asked, expect=200)
    assert answer["reason"] == "still a state of emergency is declared"
    await bare_api("DELETE", "/v1/rules/us-la", expect=200)
    assert (await bare_api("POST", "/v1/decisions", asked, expect=200))["allowed"] is True
    assert (await bare_api("GET", "/v1/rules/us-la", expect=200))["origin"] == "built-in"
    problem = await bare_api.refused("DELETE", "/v1/rules/us-la", expect=409)
    assert problem["code"] == "rules_built_in"


async def test_a_clock_put_back_does_not_bring_an_older_pack_back(bare_api: Api) -> None:
    asked = {**NEW_ORLEANS, **NOON}
    await bare_api("PUT", "/v1/rules/us-la", {"pack": BAN}, expect=200)
    bare_api.clock.now -= 3600
    newer = BAN.replace('version = "2026-11-24"', 'version = "2"')
    await bare_api("PUT", "/v1/rules/us-la", {"pack": newer}, expect=200)
    assert (await bare_api("POST", "/v1/decisions", asked, expect=200))["rule"] == "us-la@2#emergency"


@pytest.mark.parametrize(
    ("change", "code", "part"),
    [
        (("us-la", "us-l"), "invalid", "us-l"),
        (("mon-sat", "mon-sun,x"), "invalid", "'x' is no day"),
        (("express_written", "a nod"), "invalid", "needs"),
        (('mark = "S"', 'mark = "S"\nproved = true'), "invalid", "proved"),
        (("[[hours]]", '[holidays]\ncountry = "ZZ"\n\n[[hours]]'), "invalid", "ZZ"),
        (("jurisdictions", "jurisdiction"), "invalid", "jurisdiction"),
    ],
)
async def test_a_bad_pack_is_not_put_in_force(bare_api: Api, change: Any, code: str, part: str) -> None:
    problem = await bare_api.refused("PUT", "/v1/rules/us-la", {"pack": BAN.replace(*change)}, expect=422)
    assert problem["code"] == code
    assert part in problem["detail"]
    assert (await bare_api("GET", "/v1/rules/us-la", expect=200))["origin"] == "built-in"
