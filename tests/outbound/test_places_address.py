"""What postal addresses tell: country, region and postcode as people write them, and what to supply instead."""

from __future__ import annotations

import pytest

from outbound.places import ZoneRefused
from outbound.places.address import address_place
from outbound.places.postcodes import postcode_place
from outbound.places.regions import country_code, region_codes

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["US", "us", "USA", "United States", "united states of america"])
def test_countries_are_read_as_people_write_them(text: str) -> None:
    assert country_code(text) == "US"


@pytest.mark.parametrize(
    ("country", "text", "codes"),
    [
        ("US", "FL", ("US-FL",)),
        ("US", "US-FL", ("US-FL",)),
        ("US", "florida", ("US-FL",)),
        ("FR", "Île-de-France", ("FR-IDF",)),
        ("FR", "ile de france", ("FR-IDF",)),
        ("ES", "Barcelona", ("ES-B", "ES-CT")),
        ("ES", "Comunidad de Madrid", ("ES-MD",)),
        ("DE", "Bayern", ("DE-BY",)),
        ("CA", "Québec", ("CA-QC",)),
        ("BR", "sao paulo", ("BR-SP",)),
        ("AU", "nsw", ("AU-NSW",)),
    ],
)
def test_regions_are_read_as_people_write_them(country: str, text: str, codes: tuple[str, ...]) -> None:
    assert region_codes(country, text) == codes


@pytest.mark.parametrize(
    ("country", "region", "postcode", "zones", "jurisdictions"),
    [
        ("US", "", "32401", ("America/Chicago",), ("US", "US-FL")),
        ("US", "FL", "32401-1234", ("America/Chicago",), ("US", "US-FL")),
        ("US", "FL", "", ("America/New_York", "America/Chicago"), ("US", "US-FL")),
        ("", "US-FL", "", ("America/New_York", "America/Chicago"), ("US", "US-FL")),
        ("US", "", "2115", ("America/New_York",), ("US", "US-MA")),
        ("US", "", "86503", ("America/Denver", "America/Phoenix"), ("US", "US-AZ")),
        ("US", "", "85001", ("America/Phoenix",), ("US", "US-AZ")),
        ("US", "", "89883", ("America/Denver", "America/Los_Angeles"), ("US", "US-NV")),
        ("US", "", "00601", ("America/Puerto_Rico",), ("US", "US-PR")),
        ("US", "NY", "32401", ("America/Chicago", "America/New_York"), ("US", "US-NY", "US-FL")),
        ("US", "TX", "99999", ("America/Chicago", "America/Denver"), ("US", "US-TX")),
        ("CA", "", "K1A 0B1", ("America/Toronto",), ("CA", "CA-ON")),
        ("CA", "", "X0A 0H0", ("America/Iqaluit",), ("CA", "CA-NU")),
        ("AU", "", "2880", ("Australia/Broken_Hill", "Australia/Sydney"), ("AU", "AU-NSW")),
        ("AU", "", "2898", ("Australia/Lord_Howe",), ("AU", "AU-NSW")),
        ("AU", "", "800", ("Australia/Darwin",), ("AU", "AU-NT")),
        ("AU", "", "0872", ("Australia/Darwin", "Australia/Adelaide", "Australia/Perth"), ("AU", "AU-NT")),
        ("BR", "", "69000-000", ("America/Manaus",), ("BR", "BR-AM")),
        ("BR", "", "1310100", ("America/Sao_Paulo",), ("BR", "BR-SP")),
        ("ES", "", "35001", ("Atlantic/Canary",), ("ES", "ES-CN")),
        ("MX", "", "77500", ("America/Cancun",), ("MX", "MX-ROO")),
        ("PT", "", "9500-150", ("Atlantic/Azores",), ("PT", "PT-20")),
        ("RU", "", "236001", ("Europe/Kaliningrad",), ("RU", "RU-KGD")),
        ("CN", "", "830000", ("Asia/Shanghai", "Asia/Urumqi"), ("CN", "CN-XJ")),
        ("FR", "", "75001", ("Europe/Paris",), ("FR",)),
        ("FR", "", "97400", ("Indian/Reunion",), ("FR", "RE")),
        ("FR", "Guadeloupe", "", ("America/Guadeloupe",), ("FR", "FR-971")),
        ("GB", "England", "SW1A 1AA", ("Europe/London",), ("GB", "GB-ENG")),
        ("JP", "", "100-0001", ("Asia/Tokyo",), ("JP",)),
        ("XK", "", "", ("Europe/Belgrade",), ("XK",)),
    ],
)
def test_an_address_tells_its_zones_and_jurisdictions(
    country: str, region: str, postcode: str, zones: tuple[str, ...], jurisdictions: tuple[str, ...]
) -> None:
    place = address_place(country, region, postcode)
    assert set(zones) <= set(place.zones)
    assert set(jurisdictions) <= set(place.jurisdictions)
    if len(zones) == 1 and place.country not in ("CA", "BR"):
        assert place.zones == zones


@pytest.mark.parametrize(
    ("country", "region", "postcode", "field", "code", "told"),
    [
        ("Germny", "", "", "country", "country_unknown", "Germany"),
        ("ZZ", "", "", "country", "country_unknown", "ISO 3166-1"),
        ("", "Florida", "", "country", "country_needed", "ISO 3166-1"),
        ("", "", "10115", "country", "country_needed", "ISO 3166-1"),
        ("US", "Floridda", "", "region", "region_unknown", "Florida"),
        ("CN", "Xinjiang", "", "region", "region_unknown", "Xinjiang Uygur"),
        ("DE", "ZZ", "", "region", "region_unknown", "DE-BB"),
        ("US", "", "99999", "postcode", "postcode_unknown", "region"),
        ("US", "", "SW1A 1AA", "postcode", "postcode_unknown", "region"),
        ("US", "", "<script>", "postcode", "postcode_unknown", "not a postcode"),
        ("JP", "", "1" * 20, "postcode", "postcode_unknown", "not a postcode"),
    ],
)
def test_what_there_is_not_is_refused_with_the_remedy(
    country: str, region: str, postcode: str, field: str, code: str, told: str
) -> None:
    with pytest.raises(ZoneRefused) as refused:
        address_place(country, region, postcode)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert told in refused.value.detail


def test_military_mail_is_at_no_place() -> None:
    found = postcode_place("US", "09001")
    assert found is not None
    assert found.placeless
    assert address_place("US", "", "09001").zones == ()


def test_countries_that_the_us_post_serves_are_their_own() -> None:
    found = postcode_place("US", "96960")
    assert found is not None
    assert found.subdivisions == ("MH",)


def test_a_country_alone_is_all_its_zones_and_says_so() -> None:
    place = address_place("US", "", "")
    assert not place.narrow
    assert {"America/New_York", "Pacific/Honolulu"} <= set(place.zones)
