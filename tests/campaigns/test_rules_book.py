"""Which packs there are, and which of them apply."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest

from campaigns.rules import RulePack, RulesError, applicable, built_in_packs, load_pack, merge

pytestmark = pytest.mark.unit

PACKS = built_in_packs()


def names(*jurisdictions: str) -> list[str]:
    return [pack.name for pack in applicable(PACKS, jurisdictions)]


@pytest.mark.parametrize(
    ("jurisdictions", "expected"),
    [
        (("FR",), ["eu", "fr", "house"]),
        (("RE",), ["eu", "fr", "house"]),
        (("FR-57",), ["eu", "fr", "house"]),
        (("GB",), ["gb", "house"]),
        (("US",), ["house", "us"]),
        (("US-FL",), ["house", "us", "us-fl"]),
        (("US", "US-FL"), ["house", "us", "us-fl"]),
        (("US-GA", "US-AL"), ["house", "us", "us-al"]),
        (("US-NY",), ["house", "us"]),
        (("PR",), ["house", "us"]),
        (("US", "CA"), ["ca", "house", "us"]),
        # A pack without hours, the Union's, is no reason to do without the default's.
        (("PL",), ["default", "eu", "house"]),
        (("NO",), ["default", "eu", "house"]),
        # No pack at all.
        (("KE",), ["default", "house"]),
        (("KE", "GB"), ["default", "gb", "house"]),
        ((), ["default", "house"]),
    ],
)
def test_packs_that_apply(jurisdictions: tuple[str, ...], expected: list[str]) -> None:
    assert names(*jurisdictions) == expected


def test_somewhere_unknown_in_a_country_is_everywhere_in_it_and_nowhere_else() -> None:
    """The strictest of all its parts decides, and no pack of another country nor the default's joins them."""
    american = [pack.name for pack in PACKS if any(code.startswith("US") for code in pack.jurisdictions)]
    uzbek = replace(load_pack("us-fl"), name="uz-a", jurisdictions=("UZ-A",))

    assert {"us", "us-fl", "us-wa"} <= set(american)
    assert names("US-?") == sorted(["house", *american])
    assert names("US-?", "GB") == sorted(["gb", "house", *american])
    assert uzbek not in applicable([*PACKS, uzbek], ["US-?"])
    assert uzbek in applicable([*PACKS, uzbek], ["UZ-?"])


def test_a_state_is_never_without_its_country() -> None:
    for pack in PACKS:
        for code in pack.jurisdictions:
            country = code.partition("-")[0]
            assert code == "*" or {pack.name, "house"} <= set(names(code))
            assert set(names(country)) <= {*names(code)} or code == "*"


def test_every_file_is_a_pack_of_that_name_and_they_are_in_that_order() -> None:
    stems = sorted(item.name[:-5] for item in files("campaigns.rules").iterdir() if item.name.endswith(".toml"))

    assert stems == [pack.name for pack in PACKS]


def test_a_pack_by_name() -> None:
    assert load_pack("fr").jurisdictions[0] == "FR"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RulesError, match=r"there is no rule pack 'xx'; known are ae, au, .*, za"):
        load_pack("xx")


def test_newer_packs_replace_those_of_their_name_and_others_are_added() -> None:
    newer = replace(load_pack("fr"), version="next")
    added = RulePack(name="aa", title="A", version="1", effective_from=newer.effective_from, jurisdictions=("AA",))

    merged = merge(PACKS, [newer, added])

    assert len(merged) == len(PACKS) + 1
    assert [pack.name for pack in merged] == sorted(pack.name for pack in merged)
    assert next(pack.version for pack in merged if pack.name == "fr") == "next"
    assert "aa" in [pack.name for pack in applicable(merged, ["AA"])]
