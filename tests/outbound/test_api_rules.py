"""``/v1/rules``: what is in force, what the operator puts in force, and that it counts from then on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from outbound.store.schema import rule_packs
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


NIGHT_IN_MIAMI = {
    "number": "+13055550123",
    "purpose": "marketing",
    "consent": "express_written",
    "at": "2026-11-25T01:30:00Z",
}
"""20:30 there; Florida closes at 20:00."""
FLORIDA = """
name = "us-fl"
title = "Florida, as of next year"
version = "2027"
effective_from = 2027-01-01
jurisdictions = ["US-FL"]

[[hours]]
id = "hours"
purposes = ["marketing"]
channels = ["voice", "sms"]
windows = ["daily 09:00-18:00"]
source = "a law to come"
mark = "H"

[[caps]]
id = "cap"
purposes = ["marketing"]
channels = ["voice", "sms"]
attempts = 2
per = "24 hours"
source = "a law to come"
mark = "H"
"""


async def test_a_pack_for_next_year_takes_nothing_away_today(bare_api: Api) -> None:
    before = await bare_api("POST", "/v1/decisions", NIGHT_IN_MIAMI, expect=200)
    await bare_api("PUT", "/v1/rules/us-fl", {"pack": FLORIDA}, expect=200)
    after = await bare_api("POST", "/v1/decisions", NIGHT_IN_MIAMI, expect=200)
    assert (after["code"], after["rule"]) == (before["code"], before["rule"]) == ("outside_hours", before["rule"])
    evening = NIGHT_IN_MIAMI | {"at": "2027-01-05T23:30:00Z"}  # 18:30, open under this year's rules
    answer = await bare_api("POST", "/v1/decisions", evening, expect=200)
    assert (answer["code"], answer["rule"]) == ("outside_hours", "us-fl@2027#hours")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (('jurisdictions = ["US-FL"]', 'jurisdictions = ["US-GA"]'), "no longer speaks for US-FL"),
        (("[[caps]]", "[[guards]]"), "caps"),
        (('channels = ["voice", "sms"]\nwindows', 'channels = ["voice"]\nwindows'), "no hours for marketing by sms"),
        (('id = "hours"', 'id = "hours"\nfrom = 2028-01-01'), "no hours for marketing"),
    ],
)
async def test_a_pack_that_takes_rules_away_must_say_so(bare_api: Api, change: Any, part: str) -> None:
    pack = FLORIDA.replace(*change)
    if "guards" in pack:
        pack = pack.replace('attempts = 2\nper = "24 hours"', "closing_s = 60")
    problem = await bare_api.refused("PUT", "/v1/rules/us-fl", {"pack": pack}, expect=422)
    assert problem["code"] == "rules_loosened"
    assert part in problem["detail"]
    await bare_api("PUT", "/v1/rules/us-fl?loosen=true", {"pack": pack}, expect=200)


async def test_a_place_that_does_not_exist_is_refused(bare_api: Api) -> None:
    typo = BAN.replace("US-LA", "US-LAS")
    problem = await bare_api.refused("PUT", "/v1/rules/us-la", {"pack": typo}, expect=422)
    assert "US-LAS" in problem["detail"]


async def test_packs_that_nobody_can_read_permit_nothing_and_can_be_mended(bare_api: Api) -> None:
    def spoil(connection: Connection) -> None:
        for number, name in enumerate(("aa", "us-la")):
            row = {"id": f"0{number}", "name": name, "document": {"name": name}, "created_at": 1.0}
            connection.execute(insert(rule_packs), row)

    await bare_api.services.store.write(spoil)
    asked = {**NEW_ORLEANS, **NOON}
    answer = await bare_api("POST", "/v1/decisions", asked, expect=200)
    assert (answer["allowed"], answer["code"], answer["next_at"]) == (False, "rules_unreadable", None)
    await bare_api("DELETE", "/v1/rules/aa", expect=200)
    await bare_api("PUT", "/v1/rules/us-la", {"pack": BAN}, expect=200)
    assert (await bare_api("POST", "/v1/decisions", asked, expect=200))["code"] == "banned"
