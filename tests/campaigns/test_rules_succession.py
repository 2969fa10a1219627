"""What a pack takes away from the one that it follows is told, kind by kind, unless it had ended anyway."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from campaigns.flow.findings import Severity
from campaigns.rules import RulePack, load_pack, read_pack
from campaigns.rules.succession import KINDS, losses
from tests.campaigns.test_rules_reading import GOOD

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 26)
OLDER = read_pack(GOOD, file="xx.toml")


def told(older: RulePack, newer: RulePack, *, today: date = TODAY) -> list[str]:
    found = list(losses(older, newer, today=today.toordinal()))
    assert all(finding.severity is Severity.ERROR and finding.pack == newer.name for finding in found)
    return [f"{finding.message}; {finding.remedy}" for finding in found]


def test_a_pack_that_says_as_much_takes_nothing_away() -> None:
    assert told(OLDER, replace(OLDER, version="2")) == []


@pytest.mark.parametrize(("key", "called"), KINDS.items())
def test_a_kind_of_rule_that_is_gone_is_told(key: str, called: str) -> None:
    newer = replace(OLDER, version="2", **{key: ()})
    by = "sms" if key == "bans" else "voice"

    said = f"it has no {called} for marketing by {by}, which xx@1 has; add [[{key}]], or say that you mean it"
    assert told(OLDER, newer) == [said]
    assert told(newer, OLDER) == []


def test_places_that_are_gone_are_told() -> None:
    assert told(OLDER, replace(OLDER, jurisdictions=("XX",))) == [
        "it no longer speaks for XX-AB; name them in jurisdictions, or say that you mean it"
    ]


def test_what_the_older_pack_no_longer_says_on_the_first_day_is_no_loss() -> None:
    (limit,) = OLDER.abandonment
    older = replace(OLDER, abandonment=(replace(limit, until_day=TODAY.toordinal() + 9),))
    newer = replace(OLDER, abandonment=())

    assert len(told(older, newer)) == 1
    assert told(older, newer, today=date(2026, 12, 5)) == []
    assert told(older, replace(newer, effective_from=date(2026, 12, 5))) == []


def test_the_house_s_limit_of_abandoned_calls_is_not_lost_unseen() -> None:
    house = load_pack("house")

    assert len(told(house, replace(house, abandonment=()))) == 4
