"""The order of trust: the contact's own zone, then its address, then its number; jurisdictions are united."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound.places import Place, ZoneRefused, jurisdictions_of, place_of, place_without_number
from outbound.places import zone as known_zone
from outbound.places.timezones import zone_names

pytestmark = pytest.mark.unit
NEW_YORK, CALIFORNIA, TOLL_FREE, GERMANY, SATELLITE = (
    phonenumbers.parse(text) for text in ("+12125550123", "+14155550123", "+18005551234", "+4930123456", "+88212345678")
)


def test_the_contacts_own_zone_wins_over_address_and_number() -> None:
    place = place_of(NEW_YORK, zone="America/Denver", country="US", region="FL")
    assert place == Place(zones=("America/Denver",), jurisdictions=("US", "US-FL", "US-NY"), known_by="zone")


def test_the_address_wins_over_the_number_and_both_jurisdictions_count() -> None:
    place = place_of(NEW_YORK, country="US", postcode="32401")
    assert place == Place(zones=("America/Chicago",), jurisdictions=("US", "US-FL", "US-NY"), known_by="address")


def test_the_number_tells_where_nothing_else_does() -> None:
    assert place_of(NEW_YORK) == Place(zones=("America/New_York",), jurisdictions=("US", "US-NY"), known_by="number")


def test_a_country_alone_leaves_it_to_a_number_of_that_country() -> None:
    assert place_of(NEW_YORK, country="US").zones == ("America/New_York",)
    reunion = phonenumbers.parse("+262692123456")
    assert place_of(reunion, country="FR").zones == ("Indian/Reunion",)
    assert place_of(GERMANY, country="FR").zones == ("Europe/Paris",)
    assert len(place_of(TOLL_FREE, country="US").zones) > 20


@pytest.mark.parametrize(
    ("number", "said", "jurisdictions"),
    [
        (TOLL_FREE, {"country": "US"}, ("US", "US-?")),
        (TOLL_FREE, {"country": "US", "region": "TX"}, ("US", "US-TX")),
        (TOLL_FREE, {"country": "CA", "region": "ON"}, ("CA", "CA-ON")),
        (TOLL_FREE, {"zone": "America/New_York"}, ("US", "US-?")),
        (TOLL_FREE, {"zone": "America/Phoenix"}, ("US", "US-AZ")),
        (TOLL_FREE, {"zone": "US/Hawaii"}, ("US", "US-HI")),
        (GERMANY, {"zone": "America/New_York"}, ("DE", "US", "US-?")),
        (GERMANY, {"country": "US"}, ("DE", "US", "US-?")),
        (CALIFORNIA, {"zone": "America/New_York"}, ("US", "US-CA")),
        (CALIFORNIA, {"zone": "America/New_York", "country": "US", "region": "NY"}, ("US", "US-CA", "US-NY")),
        (CALIFORNIA, {"zone": "US/Pacific"}, ("US", "US-CA")),
        (CALIFORNIA, {"zone": "UTC"}, ("US", "US-CA")),
        (NEW_YORK, {"zone": "America/Detroit"}, ("US", "US-MI", "US-NY")),
        (NEW_YORK, {"zone": "EST"}, ("US", "US-NY")),
    ],
)
def test_an_unknown_state_is_every_state(
    number: phonenumbers.PhoneNumber, said: dict[str, str], jurisdictions: tuple[str, ...]
) -> None:
    assert place_of(number, **said).jurisdictions == jurisdictions


@pytest.mark.parametrize(
    ("number", "zone", "jurisdictions"),
    [
        ("+12125550123", "Europe/Madrid", ("ES", "US", "US-NY")),
        ("+12125550123", "Europe/Paris", ("FR", "MC", "US", "US-NY")),
        ("+35226123456", "Europe/Brussels", ("LU",)),
        ("+4930123456", "Europe/Amsterdam", ("DE", "NL")),
        ("+447700900123", "Europe/London", ("GB",)),
        ("+17875551234", "America/Puerto_Rico", ("PR", "US", "US-PR")),
    ],
)
def test_a_zone_of_another_country_brings_its_jurisdiction(
    number: str, zone: str, jurisdictions: tuple[str, ...]
) -> None:
    assert place_of(phonenumbers.parse(number), zone=zone).jurisdictions == jurisdictions


def test_where_nothing_is_known_no_jurisdiction_is_named() -> None:
    assert place_of(SATELLITE, zone="UTC") == Place(zones=("UTC",), jurisdictions=(), known_by="zone")


@pytest.mark.parametrize(
    ("number", "said", "field", "code"),
    [
        (TOLL_FREE, {}, "zone", "zone_needed"),
        (SATELLITE, {}, "zone", "zone_needed"),
        (NEW_YORK, {"zone": "Mars/Base"}, "zone", "zone_unknown"),
        (NEW_YORK, {"zone": "Factory"}, "zone", "zone_unknown"),
        (NEW_YORK, {"country": "US", "postcode": "09001"}, "zone", "zone_needed"),
        (NEW_YORK, {"country": "BV"}, "zone", "zone_needed"),
        (NEW_YORK, {"zone": "Europe/Paris", "country": "Atlantis"}, "country", "country_unknown"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_to_supply(
    number: phonenumbers.PhoneNumber, said: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(ZoneRefused) as refused:
        place_of(number, **said)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert "give" in refused.value.detail


def test_without_a_number_address_and_zone_tell() -> None:
    assert place_without_number(country="US", region="FL").jurisdictions == ("US", "US-FL")
    assert place_without_number(zone="Europe/Paris").jurisdictions == ("FR", "MC")
    assert place_without_number() == Place(zones=(), jurisdictions=(), known_by="nothing")
    assert place_without_number(country="US", postcode="09001").jurisdictions == ("US", "US-?")
    with pytest.raises(ZoneRefused):
        place_without_number(zone="Mars/Base")


def test_jurisdictions_of_a_number_alone() -> None:
    assert jurisdictions_of("+12125550123") == ("US", "US-NY")
    assert jurisdictions_of("+18005551234") == ("US", "US-?")
    assert jurisdictions_of("+88212345678") == ()


@given(
    st.sampled_from([NEW_YORK, TOLL_FREE, GERMANY, SATELLITE]),
    st.sampled_from(["", *zone_names()]),
    st.sampled_from(["", "US", "FR", "AU", "ZZ"]),
    st.sampled_from(["", "FL", "NSW", "nowhere"]),
    st.sampled_from(["", "32401", "97400", "2880", "99999"]),
)
def test_whatever_is_said_it_is_a_place_or_a_refusal(
    number: phonenumbers.PhoneNumber, zone: str, country: str, region: str, postcode: str
) -> None:
    try:
        place = place_of(number, zone=zone, country=country, region=region, postcode=postcode)
    except ZoneRefused:
        return
    assert place.zones
    assert all(known_zone(name) is not None for name in place.zones)
    assert list(place.jurisdictions) == sorted(set(place.jurisdictions))
    assert not any("-" in code and code.partition("-")[0] not in place.jurisdictions for code in place.jurisdictions)
    if "US" in place.jurisdictions:
        assert any(code.startswith("US-") for code in place.jurisdictions)
