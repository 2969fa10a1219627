"""The plan of a chaos run: the same from the same seed, valid numbers, every kind of strike, people by campaign."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from outbound.errors import Invalid
from outbound.rehearsal.chaos.people import MOST_PEOPLE, Conduct, conduct, numbers
from outbound.rehearsal.chaos.plan import KINDS, Key, Layout, Never, draw_plan, night_zone

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)


def test_there_are_enough_fictional_numbers_and_all_are_valid() -> None:
    found = numbers(MOST_PEOPLE)
    assert len(set(found)) == MOST_PEOPLE > 25_000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in found[::37])
    with pytest.raises(Invalid, match="fictional numbers"):
        numbers(MOST_PEOPLE + 1)


@pytest.mark.parametrize("layout", Layout)
def test_a_seed_draws_the_same_run_and_another_seed_another(layout: Layout) -> None:
    first, same, other = (draw_plan(layout, attempts=100, kills=20, seed=seed, now=NOW) for seed in (1, 1, 2))
    assert first == same
    assert first != other


@pytest.mark.parametrize("layout", Layout)
def test_every_kind_of_strike_falls_and_in_order(layout: Layout) -> None:
    few = draw_plan(layout, attempts=60, kills=len(KINDS[layout]), seed=3, now=NOW)
    assert Counter(blow.kind for blow in few.blows) == Counter(KINDS[layout])
    many = draw_plan(layout, attempts=600, kills=100, seed=3, now=NOW)
    assert {blow.kind for blow in many.blows} == set(KINDS[layout])
    shares = [blow.share for blow in many.blows]
    assert len(shares) == 100
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


def test_everybody_is_in_one_campaign_and_some_must_never_be_rung() -> None:
    plan = draw_plan(Layout.EMBEDDED, attempts=100, kills=0, seed=1, now=NOW)
    assert len({person.number for person in plan.people}) == len(plan.people)
    assert plan.to_ring == 100
    assert Counter(person.never for person in plan.people) == {None: 100, Never.OPTED_OUT: 2, Never.NIGHT: 2}
    assert {person.campaign for person in plan.people} == set(Key)
    ringable = {person.number for person in plan.people if person.never is None}
    assert {number for _, number in plan.opt_outs} <= ringable


@pytest.mark.parametrize("hour", range(24))
def test_it_is_night_in_the_zone_of_the_night(hour: int) -> None:
    now = NOW.replace(hour=hour)
    assert now.astimezone(ZoneInfo(night_zone(now))).hour == 2


def test_telephones_behave_in_every_way_and_always_the_same() -> None:
    found = numbers(1000)
    drawn = {number: conduct(5, number, 1) for number in found}
    assert set(drawn.values()) == set(Conduct)
    assert drawn == {number: conduct(5, number, 1) for number in found}
    assert drawn != {number: conduct(5, number, 2) for number in found}
