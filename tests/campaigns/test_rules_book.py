"""Which packs there are, and which of them apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from campaigns.rules import RulePack, RulesError, applicable, built_in_packs, load_pack, merge, read_pack
from campaigns.rules.lint import rules_of
from campaigns.rules.model import (
    AbandonmentLimit,
    Ban,
    Cap,
    ConsentRule,
    Disclosure,
    Guard,
    Hours,
    RefusalBar,
    Register,
)
from tests.campaigns.test_rules_reading import GOOD

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


NEW_YEAR = date(2027, 1, 1)
FIRST, LAST = date(2020, 1, 1).toordinal(), NEW_YEAR.toordinal()


def test_until_a_newer_pack_begins_every_rule_of_the_older_one_holds() -> None:
    """A rule dropped here would be a call that the law forbids today, for a pack that is to come."""
    older = read_pack(GOOD, file="xx.toml")
    newer = replace(older, version="2", effective_from=NEW_YEAR)

    kept, put = merge([older, load_pack("fr")], [newer])[1:]

    assert put == newer
    assert tuple(replace(rule, until_day=None) for rule in rules_of(kept)) == rules_of(older)
    assert {rule.until_day for rule in rules_of(kept)} == {LAST}
    assert {type(rule) for rule in rules_of(kept)} == {
        *(Hours, Cap, ConsentRule, Ban, RefusalBar, Register, Guard, AbandonmentLimit, Disclosure)
    }


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ((FIRST, None), [(FIRST, LAST)]),
        ((None, None), [(None, LAST)]),
        ((FIRST, LAST - 9), [(FIRST, LAST - 9)]),
        ((FIRST, LAST + 9), [(FIRST, LAST)]),
        ((LAST - 1, None), [(LAST - 1, LAST)]),
        ((LAST, None), []),
        ((LAST + 1, None), []),
    ],
)
def test_a_rule_of_the_older_pack_ends_with_it_or_before(
    dates: tuple[int | None, int | None], expected: list[tuple[int | None, int | None]]
) -> None:
    older = read_pack(GOOD, file="xx.toml")
    (ban,) = older.bans
    older = replace(older, bans=(replace(ban, from_day=dates[0], until_day=dates[1]),))

    kept, _ = merge([older], [replace(older, version="2", effective_from=NEW_YEAR)])

    assert [(rule.from_day, rule.until_day) for rule in kept.bans] == expected


def test_a_pack_that_begins_no_later_takes_the_place_of_the_older_one() -> None:
    older = read_pack(GOOD, file="xx.toml")
    second, third = (replace(older, version=version, effective_from=NEW_YEAR) for version in ("2", "3"))
    early = replace(older, version="4", effective_from=date(2019, 1, 1))

    assert [pack.version for pack in merge([older], [second, third])] == ["1", "3"]
    assert [pack.version for pack in merge([older, second], [early])] == ["4"]
    assert merge([older], [replace(older, version="5")])[0].version == "5"
