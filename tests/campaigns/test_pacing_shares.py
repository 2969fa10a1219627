"""Lanes get what they are due by weight, in strict order of priority, and nobody claims what silence has cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.pacing import Lane, deal, served

pytestmark = pytest.mark.unit

EXACT_SHARES = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0])
"""Shares whose turns add up without rounding."""


@st.composite
def lanes(draw: st.DrawFn, *, shares: st.SearchStrategy[float] = EXACT_SHARES, most: int = 12) -> list[Lane]:
    return [
        Lane(
            key=f"c{number}",
            priority=draw(st.integers(0, 2)),
            share=draw(shares),
            served=draw(st.integers(0, 400)) / 4,
            waiting=draw(st.integers(0, most)),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


def lane(key: str, *, priority: int = 0, share: float = 1.0, served: float = 0.0, waiting: int = 1000) -> Lane:
    return Lane(key=key, priority=priority, share=share, served=served, waiting=waiting)


def play(hands: list[Lane], rounds: int) -> Counter[str]:
    """Deal one place at a time, as lines become free, and store what was served."""
    got: Counter[str] = Counter()
    for _ in range(rounds):
        dealt = deal(hands, 1)
        times = served(hands, dealt)
        hands = [
            replace(one, served=times[one.key], waiting=one.waiting - 1) if one.key in times else one for one in hands
        ]
        got.update(dealt)
    return got


def test_turns_follow_the_shares() -> None:
    assert deal([lane("a", share=2.0), lane("b")], 6) == ["a", "b", "a", "a", "b", "a"]


def test_a_smaller_priority_is_served_first_and_alone() -> None:
    hands = [lane("marketing", priority=5, share=100.0), lane("parcel", priority=1, served=900.0, waiting=2)]
    assert deal(hands, 4) == ["parcel", "parcel", "marketing", "marketing"]


def test_what_was_silent_claims_no_arrears() -> None:
    busy, silent = lane("busy", served=500.0), lane("silent", served=3.0)
    assert deal([busy, silent], 6).count("silent") == 3


def test_a_new_lane_neither_starves_the_old_ones_nor_starves() -> None:
    dealt = deal([lane("old", served=10_000.0), lane("older", served=10_000.5), lane("new")], 30)
    assert Counter(dealt) == {"old": 10, "older": 9, "new": 11}


def test_an_idle_lane_keeps_the_time() -> None:
    """What came back is no further behind than what was served last, even when that has nothing waiting now."""
    hands = [lane("done", served=500.0, waiting=0), lane("here", served=499.0), lane("back", served=2.0)]
    assert Counter(deal(hands, 10)) == {"here": 5, "back": 5}
    assert served(hands, ["back"]) == {"back": 500.0}


def test_virtual_time_begins_with_the_first_turn() -> None:
    first = Lane(key="first", priority=0, share=2.0, waiting=3)
    assert served([first], ["first"]) == {"first": 0.5}
    assert served([first, lane("other")], ["first", "other", "first"]) == {"first": 1.0, "other": 1.0}
    assert deal([first], 0) == []


@pytest.mark.parametrize("share", [0.0, -1.0, float("nan")])
def test_a_share_is_more_than_nothing(share: float) -> None:
    with pytest.raises(ValueError, match="must be more than 0"):
        lane("a", share=share)


@settings(deadline=None)
@given(hands=lanes(), places=st.integers(-2, 80))
def test_nothing_is_dealt_that_is_not_there(hands: list[Lane], places: int) -> None:
    dealt = Counter(deal(hands, places))
    assert dealt.total() == min(max(0, places), sum(one.waiting for one in hands))
    assert all(dealt[one.key] <= one.waiting for one in hands)


@settings(deadline=None)
@given(hands=lanes(), places=st.integers(0, 60))
def test_nothing_of_a_greater_priority_goes_before_a_smaller_one(hands: list[Lane], places: int) -> None:
    priorities = {one.key: one.priority for one in hands}
    order = [priorities[key] for key in deal(hands, places)]
    assert order == sorted(order)
    if order:
        assert all(one.waiting <= deal(hands, places).count(one.key) for one in hands if one.priority < order[-1])


@settings(deadline=None)
@given(hands=lanes(), places=st.integers(0, 60), salt=st.randoms(use_true_random=False))
def test_the_order_is_the_same_however_the_lanes_are_listed(hands: list[Lane], places: int, salt: Random) -> None:
    shuffled = list(hands)
    salt.shuffle(shuffled)
    assert deal(shuffled, places) == deal(hands, places)


@settings(deadline=None)
@given(hands=lanes(most=400), rounds=st.integers(1, 60))
def test_between_two_that_wait_no_more_than_a_turn_of_each(hands: list[Lane], rounds: int) -> None:
    """Goyal, Vin, Cheng 1996, theorem 1, from any moment on at which all of them have waited."""
    rivals = [replace(one, priority=0, waiting=one.waiting + rounds) for one in hands]
    settled = [replace(one, served=served(rivals, deal(rivals, 40)).get(one.key, one.served)) for one in rivals]
    start = max(one.served - 1 / one.share for one in settled)
    settled = [replace(one, served=max(one.served, start)) for one in settled]
    got = Counter(deal(settled, rounds))
    for one in settled:
        for other in settled:
            apart = got[one.key] / one.share - got[other.key] / other.share
            assert abs(apart) <= 1 / one.share + 1 / other.share


@settings(deadline=None)
@given(hands=lanes(), places=st.integers(0, 40))
def test_dealing_one_by_one_is_dealing_at_once(hands: list[Lane], places: int) -> None:
    at_once = Counter(deal(hands, places))
    assert play(hands, places) == at_once


@settings(deadline=None)
@given(hands=lanes(shares=st.floats(0.01, 100.0)), places=st.integers(0, 40))
def test_virtual_time_goes_forward_by_turns(hands: list[Lane], places: int) -> None:
    dealt = deal(hands, places)
    times = served(hands, dealt)
    assert set(times) == set(dealt)
    for one in hands:
        if one.key in times:
            assert times[one.key] >= one.served + dealt.count(one.key) / one.share - 1e-9


@settings(deadline=None)
@given(shares=st.lists(st.floats(0.1, 10.0), min_size=2, max_size=5))
def test_nobody_starves_in_the_long_run(shares: list[float]) -> None:
    hands = [lane(f"c{number}", share=share) for number, share in enumerate(shares)]
    got = play(hands, 400)
    for one in hands:
        assert got[one.key] >= 400 * one.share / sum(shares) - len(shares) - 1


@pytest.mark.parametrize("slowness", [2, 3, 10])
def test_lanes_of_a_slow_trunk_share_it_while_others_run_ahead(slowness: int) -> None:
    hands = {one.key: one for one in (lane("a", share=3.0), lane("b"), lane("ahead"))}
    got: Counter[str] = Counter()
    for turn in range(1200):
        on_the_slow_trunk = turn % slowness == 0
        order = deal(list(hands.values()), 50)
        key = next(key for key in order if (key != "ahead") == on_the_slow_trunk)
        hands[key] = replace(hands[key], served=served(list(hands.values()), [key])[key])
        got[key] += 1
    assert 2 <= got["a"] / got["b"] <= 4
