"""Contacts with postal addresses, by every way in: their place is resolved once and stored with them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import RowMapping, select

from outbound.store.schema import contacts
from tests.outbound.conftest import Api, a_person

pytestmark = pytest.mark.integration
ADDRESS = {"country": "US", "region": "Florida", "postcode": "32401"}
PLACE = (["America/Chicago"], ["US", "US-FL", "US-NY"])


async def stored(api: Api) -> Sequence[RowMapping]:
    query = select(contacts).order_by(contacts.c.id)
    return await api.services.store.read(lambda connection: connection.execute(query).mappings().all())


async def test_a_list_of_contacts_with_addresses(api: Api) -> None:
    campaign = await api.a_campaign()
    sent = [
        a_person(1, number="+12125550123", zone="", **ADDRESS),
        a_person(2, number="+12125550124", zone="", country="Germny"),
        a_person(3, number="+12125550125", zone="", country="US", region="Floridda"),
        a_person(4, number="+12125550126", zone="", country="US", postcode="99999"),
        a_person(5, number="+12125550127", zone="", region="FL"),
    ]
    result = await api("POST", f"/v1/campaigns/{campaign}/contacts", sent, expect=200)
    assert [(reject["row"], reject["field"], reject["code"]) for reject in result["rejects"]] == [
        (2, "country", "country_unknown"),
        (3, "region", "region_unknown"),
        (4, "postcode", "postcode_unknown"),
        (5, "country", "country_needed"),
    ]
    assert [(row["zones"], row["jurisdictions"]) for row in await stored(api)] == [PLACE]


async def test_a_reason_quotes_no_cell_and_still_says_what_would_do(api: Api) -> None:
    """Reasons are kept longer than their row, also when its person was erased."""
    campaign = await api.a_campaign()
    secret = 'Zaphod "Zed" O\'Beeble'
    sent = [
        a_person(1, zone="Europe/Lodnon"),
        a_person(2, zone=secret),
        a_person(3, zone="", country=secret),
        a_person(4, zone="", country="US", region=secret),
        a_person(5, zone="", country="US", postcode="Zaphod+1"),
        a_person(6, number="4.4770090012E+11"),
    ]
    rejects = (await api("POST", f"/v1/campaigns/{campaign}/contacts", sent, expect=200))["rejects"]
    assert [reject["row"] for reject in rejects] == [1, 2, 3, 4, 5, 6]
    assert rejects[0]["reason"].startswith("there is no time zone '…'; give an IANA name: Europe/London")
    said = " ".join(reject["reason"] for reject in rejects)
    assert not [part for part in ("Zaphod", "Beeble", "Lodnon", "44770") if part in said]


async def test_a_notification_with_an_address(api: Api) -> None:
    body = {
        "number": "+12125550123",
        "callflow": "parcel",
        "purpose": "transactional",
        "variables": {"business": "Acme", "day": "Monday"},
    }
    async with api.client.post("/v1/notifications", json=body | ADDRESS) as answer:
        assert answer.status in (201, 422), await answer.text()
    assert [(row["zones"], row["jurisdictions"]) for row in await stored(api)] == [PLACE]
    problem = await api.refused("POST", "/v1/notifications", body | {"country": "Atlantis"}, expect=422)
    assert problem["errors"][0]["field"] == "country"
