"""What numbers tell, swept over all area codes and calling codes and held against the number data, faults named."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.tzdata import TIMEZONE_DATA

from outbound.places.number import WORLD, NumberPlace, number_place
from outbound.places.tables import countries_table, number_tables, subdivision_zones
from outbound.places.timezones import countries_in, sharing_time, zone, zones_in
from tests.outbound.clocks import clock

pytestmark = pytest.mark.unit
EXCHANGES = ("2345678", "4000000", "5550123", "9999999")
WRITTEN_OTHERWISE = {
    "British Colombia": "CA-BC",
    "Washington D.C.": "US-DC",
    "Washington State": "US-WA",
}
"""Places as the number data calls them -> ISO 3166-2."""

WRONG = {
    ("1474", "America/Winnipeg"): "Saskatchewan",
    ("1689", "America/Chicago"): "Orlando",
    ("1867", "America/Vancouver"): "Yukon",
    ("1867", "America/Winnipeg"): "Rankin Inlet",
    ("1879", "America/Puerto_Rico"): "Newfoundland",
    ("1907", "Pacific/Honolulu"): "Unalaska",
    ("34827", "Atlantic/Canary"): "Cáceres",
    ("52201", "America/New_York"): "no such area code",
    ("52614", "America/Mazatlan"): "Chihuahua",
    ("5555", "America/Manaus"): "Rio Grande do Sul",
    ("5567", "America/Sao_Paulo"): "Mato Grosso do Sul",
    ("5569", "America/Sao_Paulo"): "Rondônia",
    ("5592", "America/Sao_Paulo"): "Amazonas",
    ("6186", "Australia/Adelaide"): "Western Australia",
    ("6189", "Australia/Adelaide"): "Western Australia and the islands served from there",
    ("6187", "Australia/Perth"): "South Australia and the Northern Territory",
    ("6188", "Australia/Perth"): "South Australia and the Northern Territory",
    ("740", "Europe/Bucharest"): "Kaliningrad",
    ("7840", "Europe/Bucharest"): "no such area code",
    ("7845", "Europe/Moscow"): "Saratov, an hour ahead since 2016",
}
"""Prefix and zone of the number data that is wrong there -> where it is in truth."""


def of(number: str) -> NumberPlace:
    return number_place(phonenumbers.parse(number))


def area_codes(region: str) -> Iterator[str]:
    pattern = re.compile(PhoneMetadata.metadata_for_region(region).fixed_line.national_number_pattern)
    for code in range(200, 1000):
        if any(pattern.fullmatch(f"{code}{rest}") for rest in EXCHANGES):
            yield str(code)


def described(code: str) -> set[str]:
    """States that the number data's English descriptions of an area code name."""
    known = {
        part.name: part.code for country in ("US", "CA") for part in pycountry.subdivisions.get(country_code=country)
    }
    short = {part.partition("-")[2]: part for part in known.values()}
    texts = [places.get("en", "") for prefix, places in GEOCODE_DATA.items() if prefix.startswith(f"1{code}")]
    found: set[str] = set()
    for text in texts:
        for name in text.split("/"):
            state = name.rpartition(", ")[2]
            found |= {
                table[key] for table, key in ((WRITTEN_OTHERWISE, name), (known, name), (short, state)) if key in table
            }
    return found


@pytest.mark.parametrize("region", ["US", "CA"])
def test_every_area_code_tells_its_states(region: str) -> None:
    table = number_tables()["1"].subdivisions
    valid = set(area_codes(region))
    assert valid == {code for code, places in table.items() if places[0].startswith(f"{region}-")}
    for code in valid:
        place = of(f"+1{code}5550123")
        told = {name for name in place.jurisdictions if "-" in name}
        ours = described(code)
        # One exchange of 201 is listed under New York.
        assert ours - {"US-NY"} <= told if code == "201" else ours <= told, (code, ours, told)
        assert ours, code
        assert told <= ours or code == "867", (code, ours, told)
        assert place.jurisdictions[0] == region


def test_every_area_code_of_the_islands_tells_its_country() -> None:
    for region in set(COUNTRY_CODE_TO_REGION_CODE[1]) - {"US", "CA"}:
        number = phonenumbers.example_number(region)
        assert number is not None
        place = number_place(number)
        assert place.countries == (region,)
        assert place.zones == zones_in(region)


def prefixes() -> Iterator[tuple[int, str, str, tuple[str, ...]]]:
    """Prefixes of the number data as calling code, national prefix, whole prefix and zones."""
    for prefix, names in TIMEZONE_DATA.items():
        length = next(n for n in (1, 2, 3) if int(prefix[:n]) in COUNTRY_CODE_TO_REGION_CODE)
        yield int(prefix[:length]), prefix[length:], prefix, names


def candidates(calling_code: int, national: str) -> set[str]:
    """All zones that numbers beginning so may be in, by our tables."""
    table = number_tables().get(str(calling_code))
    zones = set(table.zones_of(national)) if table else set()
    if zones:
        others = COUNTRY_CODE_TO_REGION_CODE[calling_code][1:] if calling_code == 61 else ()
        return zones | {name for code in others for name in zones_in(code)}
    parts = table.subdivisions_of(national) if table else ()
    known = subdivision_zones()
    countries = [code for code in parts if "-" not in code] or (
        []
        if parts
        else [countries_table().called.get(code, code) for code in COUNTRY_CODE_TO_REGION_CODE[calling_code]]
    )
    return {name for code in parts for name in known.get(code, ())} | {
        name for code in countries for name in zones_in(code)
    }


def test_our_candidates_hold_all_of_the_number_datas_but_its_faults() -> None:
    """The rule is the superset: the number data may know less than our tables, never more, unless it is wrong."""
    used = set()
    for calling_code, national, prefix, names in prefixes():
        if not national or (calling_code == 1 and national[:3] not in number_tables()["1"].subdivisions):
            continue
        clocks = {clock(name) for name in candidates(calling_code, national)}
        for name in names:
            if clock(name) in clocks:
                continue
            fault = next((key for key in WRONG if key[1] == name and prefix.startswith(key[0])), None)
            assert fault is not None, (prefix, name)
            used.add(fault)
    assert used >= set(WRONG)


def test_no_candidate_is_in_another_country_unless_a_table_says_so() -> None:
    said = {name for table in number_tables().values() for names in table.zones.values() for name in names}
    said |= {name for names in countries_table().zones.values() for name in names}
    for calling_code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            country = countries_table().called.get(region, region)
            if region == WORLD:
                continue
            names = zones_in(country)
            assert names or country == "BV", (calling_code, region)
            for name in names:
                assert country in sharing_time(name) or name in said, (region, name)
    for table in number_tables().values():
        for prefix, parts in table.subdivisions.items():
            homes = {part[:2] for part in parts}
            for name in table.zones_of(prefix) or [
                name for part in parts for name in subdivision_zones().get(part, ())
            ]:
                assert homes & (sharing_time(name) | set(countries_in(name))), (prefix, name)


def test_the_number_datas_foreign_zones_are_put_right() -> None:
    """A default of the number data that names a zone of another country: none of them is ours."""
    for calling_code, national, prefix, names in prefixes():
        regions = set(COUNTRY_CODE_TO_REGION_CODE[calling_code])
        foreign = {name for name in names if not sharing_time(name) & regions and zone(name) is not None}
        if not foreign or regions & {"XK", "AC"}:
            continue
        assert not foreign & candidates(calling_code, national), (prefix, foreign)


@pytest.mark.parametrize(
    ("number", "zones", "jurisdictions"),
    [
        ("+212661234567", ("Africa/Casablanca", "Africa/El_Aaiun"), ("MA",)),
        ("+213551234567", ("Africa/Algiers",), ("DZ",)),
        ("+211977123456", ("Africa/Juba",), ("SS",)),
        ("+218912345678", ("Africa/Tripoli",), ("LY",)),
        ("+37061234567", ("Europe/Vilnius",), ("LT",)),
        ("+375291234567", ("Europe/Minsk",), ("BY",)),
        ("+353851234567", ("Europe/Dublin",), ("IE",)),
        ("+50581234567", ("America/Managua",), ("NI",)),
        ("+38343201234", ("Europe/Belgrade",), ("XK",)),
        ("+24740123", ("Atlantic/St_Helena",), ("SH",)),
        ("+12192345678", ("America/Indiana/Indianapolis", "America/Chicago"), ("US", "US-IN")),
        ("+18502345678", ("America/New_York", "America/Chicago"), ("US", "US-FL")),
        ("+13052345678", ("America/New_York",), ("US", "US-FL")),
        ("+12702345678", ("America/Kentucky/Louisville", "America/New_York", "America/Chicago"), ("US", "US-KY")),
        ("+19312345678", ("America/Chicago", "America/New_York"), ("US", "US-TN")),
        ("+19282345678", ("America/Phoenix", "America/Denver"), ("US", "US-AZ")),
        ("+19152345678", ("America/Chicago", "America/Denver"), ("US", "US-TX")),
        ("+18072345678", ("America/Toronto", "America/Winnipeg", "America/Atikokan"), ("CA", "CA-ON")),
        ("+14162345678", ("America/Toronto",), ("CA", "CA-ON")),
        ("+12025550125", ("America/New_York",), ("US", "US-DC")),
        ("+628123456789", ("Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"), ("ID",)),
        ("+6433010048", ("Pacific/Auckland", "Pacific/Chatham"), ("NZ",)),
        ("+6449123456", ("Pacific/Auckland",), ("NZ",)),
        ("+8613912345678", ("Asia/Shanghai",), ("CN",)),
        ("+61891006123", ("Indian/Christmas", "Australia/Perth"), ("AU", "AU-WA")),
        ("+61891641234", ("Indian/Christmas",), ("CX",)),
        ("+869912345678", ("Asia/Shanghai", "Asia/Urumqi"), ("CN", "CN-XJ")),
        ("+34922123456", ("Atlantic/Canary",), ("ES", "ES-CN")),
        ("+5511987654321", ("America/Sao_Paulo",), ("BR", "BR-SP")),
        ("+905338123456", ("Europe/Istanbul", "Asia/Famagusta"), ("TR",)),
        ("+74012123456", ("Europe/Kaliningrad",), ("RU", "RU-KGD")),
    ],
)
def test_known_faults_are_put_right(number: str, zones: tuple[str, ...], jurisdictions: tuple[str, ...]) -> None:
    place = of(number)
    assert (place.zones, place.jurisdictions) == (zones, jurisdictions)


def test_australian_mobiles_are_in_australia_and_russian_ones_in_russia() -> None:
    australia, russia = of("+61491570006").zones, of("+79161234567").zones
    assert {"Australia/Sydney", "Australia/Perth", "Australia/Lord_Howe"} <= set(australia)
    assert not {"Indian/Christmas", "Indian/Cocos"} & set(australia)
    assert len(russia) == len(zones_in("RU"))
    assert "Asia/Almaty" not in russia


@pytest.mark.parametrize("number", ["+18005551234", "+15005550006", "+16002234567", "+88212345678", "+447012345678"])
def test_numbers_of_no_place_tell_no_zone(number: str) -> None:
    assert of(number).zones == ()


def test_unassigned_numbers_tell_no_zone_but_what_country_they_would_be_of() -> None:
    assert of("+12120551234") == NumberPlace(zones=(), countries=("US",), jurisdictions=("US", "US-NY"))
    assert of("+447700900123").zones == ()
    assert set(of("+447700900123").countries) == {"GB", "GG", "IM", "JE"}
    assert of("+88212345678").countries == ()


@given(st.integers(min_value=2, max_value=9_999_999_999_999))
def test_whatever_the_digits_zones_exist_and_jurisdictions_fit_the_country(digits: int) -> None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return
    place = number_place(number)
    assert all(zone(name) is not None for name in place.zones)
    assert {code[:2] for code in place.jurisdictions} <= set(place.countries)
    assert not place.zones or len(place.countries) == 1
