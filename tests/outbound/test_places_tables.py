"""The tables of places: every code exists, every zone exists, and none says less than the packages it completes."""

from __future__ import annotations

import pycountry
import pytest
import zipcodes

from outbound.places.tables import countries_table, number_tables, postcode_tables, subdivision_zones, with_others
from outbound.places.timezones import countries_in, links, similar_zones, zone, zone_names, zones_in, zones_of
from tests.outbound.clocks import clock

pytestmark = pytest.mark.unit
KNOWN = {part.code for part in pycountry.subdivisions} | {country.alpha_2 for country in pycountry.countries}
AT_SEVERAL = ("US", "CA", "AU", "BR", "MX", "ES", "PT", "CL", "NZ", "RU")
"""Countries of several zones of which every subdivision is in the table."""


def test_every_code_is_in_iso_3166() -> None:
    named = set(subdivision_zones())
    for table in (*number_tables().values(), *postcode_tables().values()):
        named |= {code for codes in table.subdivisions.values() for code in codes}
    also = countries_table().also
    named |= set(also) | {code for codes in also.values() for code in codes} | set(countries_table().only_in.values())
    assert named - KNOWN == set()


def test_every_zone_exists() -> None:
    named = {name for names in subdivision_zones().values() for name in names} | set(countries_table().only_in)
    named |= {name for names in countries_table().zones.values() for name in names}
    for table in (*number_tables().values(), *postcode_tables().values()):
        named |= {name for names in table.zones.values() for name in names}
    assert {name for name in named if zone(name) is None or name not in zone_names()} == set()


@pytest.mark.parametrize("country", AT_SEVERAL)
def test_every_subdivision_has_zones_and_every_zone_a_subdivision(country: str) -> None:
    table = subdivision_zones()
    parts = [part for part in pycountry.subdivisions.get(country_code=country) if part.parent_code is None]
    assert [part.code for part in parts if part.code not in table] == []
    theirs = {clock(name) for part in parts for name in table[part.code]}
    assert {name for name in zones_in(country) if clock(name) not in theirs} == set()


def test_every_country_has_zones() -> None:
    without = {country.alpha_2 for country in pycountry.countries if not zones_in(country.alpha_2)}
    assert without == {"BV", "HM"}, "uninhabited islands"


def test_zip_codes_keep_to_the_zones_of_their_state() -> None:
    known, strange = subdivision_zones(), set()
    for row in zipcodes.list_all():
        state, name = f"US-{row['state']}", row["timezone"]
        if state in known and zone(name) is not None and clock(name) not in {clock(one) for one in known[state]}:
            strange.add((row["state"], name))
    assert strange == set()


def test_a_zone_of_only_one_state_is_not_in_the_table_of_another() -> None:
    for name, state in countries_table().only_in.items():
        homes = {code for code, names in subdivision_zones().items() if name in names and code.startswith("US-")}
        assert homes <= {state}, name
        assert countries_in(name)[0] == "US"


def test_countries_of_a_zone_begin_with_its_own() -> None:
    assert countries_in("Europe/Paris")[0] == "FR"
    assert countries_in("Europe/Amsterdam") == ("NL",)
    assert set(countries_in("Europe/Brussels")) == {"BE", "LU", "NL"}
    assert countries_in("US/Eastern")[0] == "US"
    assert countries_in("Asia/Calcutta") == ("IN",)
    for name in ("UTC", "EST", "Etc/GMT+5", "CET"):
        assert countries_in(name) == ()


def test_names_kept_for_compatibility_are_zones_and_factory_is_none() -> None:
    assert links()["US/Arizona"] == "America/Phoenix"
    assert zone("US/Arizona") is not None
    assert zone("Factory") is None


def test_similar_zones_are_found_by_their_last_part() -> None:
    assert "Europe/London" in similar_zones("Londn")
    assert "America/New_York" in similar_zones("new york")


def test_the_longest_prefix_wins_and_a_finer_subdivision_beats_a_coarser_zone() -> None:
    australia = number_tables()["61"]
    assert "Australia/Adelaide" in australia.zones_of("8123")
    assert australia.zones_of("8912") == ()
    assert australia.subdivisions_of("8912") == ("AU-WA",)
    assert zones_of(("AU-WA",)) == ("Australia/Perth", "Australia/Eucla")
    assert zones_of(("US-NY", "XX-YY")) == ()


def test_territories_are_under_the_rules_of_their_country_too() -> None:
    assert with_others(["PR"]) == {"PR", "US", "US-PR"}
    assert with_others(["GP"]) == {"GP", "FR"}
    assert with_others(["US-NY"]) == {"US-NY"}
