"""Where a trunk may call, what that costs, and which trunk carries an attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.routing import (
    DEAR_KINDS,
    NO_COUNTRY,
    ORDINARY_KINDS,
    NoWay,
    Order,
    Way,
    allowed,
    caller_id,
    choose,
    cost,
    rate,
)

pytestmark = pytest.mark.unit

LONDON = "+442079460000"
KINDS = sorted(ORDINARY_KINDS | DEAR_KINDS | {"unknown", "", "of tomorrow"})
DIGITS = st.text("0123456789", min_size=6, max_size=13)
NUMBERS = DIGITS.map(lambda digits: "+4" + digits)
ENTRIES = st.tuples(st.sampled_from(["", "!"]), st.text("0123456789", max_size=3)).map(lambda e: f"{e[0]}+4{e[1]}")
ROOM = Way(trunk="a", free_channels=1, tokens=1, open=True)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_list_only_ordinary_numbers_may_be_called(kind: str) -> None:
    assert allowed(LONDON, kind, ()) is (kind in ORDINARY_KINDS)


@pytest.mark.parametrize("code", NO_COUNTRY)
@pytest.mark.parametrize("kind", KINDS)
def test_satellites_and_networks_want_an_entry_whatever_their_kind_is_said_to_be(code: str, kind: str) -> None:
    assert not allowed(code + "1234567", kind, ())
    assert not allowed(code + "1234567", kind, ("+", "+8", "+9"))
    assert allowed(code + "1234567", kind, (code,))


@pytest.mark.parametrize(
    ("destinations", "expected"),
    [
        (("+44",), True),
        (("+4420", "+1"), True),
        (("+1", "+49"), False),
        (("+44", "!+4420"), False),
        (("!+44", "+4420"), True),
        (("+44", "!+44"), False),
        (("!+4420",), False),
        (("!+49",), True),
        (("+",), True),
    ],
)
def test_the_longest_entry_decides(destinations: tuple[str, ...], expected: bool) -> None:
    assert allowed(LONDON, "fixed", destinations) is expected
    assert allowed(LONDON, "fixed", destinations[::-1]) is expected


@pytest.mark.parametrize("kind", sorted(DEAR_KINDS))
def test_a_country_in_the_list_does_not_open_its_dear_numbers(kind: str) -> None:
    assert not allowed("+19005550100", kind, ("+1",))
    assert not allowed("+358600123456", kind, ("+358",))
    assert not allowed("+19005550100", kind, ("+",))
    assert allowed("+19005550100", kind, ("+1", "+1900"))
    assert not allowed("+19005550100", kind, ("!+1900", "+1"))


def test_what_is_of_no_known_kind_wants_an_entry() -> None:
    assert not allowed(LONDON, "unknown", ())
    assert not allowed(LONDON, "unknown", ("!+1",))
    assert allowed(LONDON, "unknown", ("+44",))


@pytest.mark.parametrize("number", ["", "442079460000", "sip:a@example.com", "00442079460000"])
def test_what_is_no_number_goes_nowhere(number: str) -> None:
    assert not allowed(number, "fixed", ())
    assert not allowed(number, "fixed", ("", "+44", "0"))


@settings(deadline=None)
@given(number=NUMBERS, kind=st.sampled_from(KINDS), destinations=st.lists(ENTRIES, max_size=6))
def test_one_more_entry_that_forbids_allows_nothing_new(number: str, kind: str, destinations: list[str]) -> None:
    for length in range(2, len(number)):
        narrower = [*destinations, "!" + number[:length]]
        if allowed(number, kind, narrower):
            assert allowed(number, kind, destinations) or any(not entry.startswith("!") for entry in destinations)
    assert not allowed(number, kind, [*destinations, "!" + number])


@settings(deadline=None)
@given(number=NUMBERS, kind=st.sampled_from(KINDS), destinations=st.lists(ENTRIES, min_size=1, max_size=6))
def test_an_oracle_that_shortens_the_number_agrees(number: str, kind: str, destinations: list[str]) -> None:
    expected = kind in ORDINARY_KINDS if all(entry.startswith("!") for entry in destinations) else False
    for length in range(len(number), 0, -1):
        if "!" + number[:length] in destinations:
            expected = False
            break
        if number[:length] in destinations:
            expected = kind not in DEAR_KINDS or length > 4
            break
    assert allowed(number, kind, destinations) is expected


def test_the_rate_is_that_of_the_longest_prefix() -> None:
    rates = {"+44": 0.02, "+4420": 0.01, "+447": 0.05}
    assert rate(LONDON, rates) == 0.01
    assert rate("+447700900000", rates) == 0.05
    assert rate("+44131", rates) == 0.02
    assert rate("+1", rates) is None
    assert rate("+1", {"+": 0.5}) == 0.5


@pytest.mark.parametrize(
    ("duration_s", "increment_s", "minimum_s", "billed_s"),
    [
        (0, 60, 60, 0),
        (0.4, 60, 0, 60),
        (60, 60, 0, 60),
        (60.01, 60, 0, 120),
        (61, 1, 0, 61),
        (61, 6, 0, 66),
        (12, 6, 30, 30),
        (31, 6, 30, 36),
        (21, 6, 20, 26),
        (0.1 + 0.2, 0.1, 0, 0.3),
    ],
)
def test_begun_increments_are_charged_after_the_minimum(
    duration_s: float, increment_s: float, minimum_s: float, billed_s: float
) -> None:
    assert cost(0.6, duration_s, increment_s, minimum_s) == pytest.approx(0.01 * billed_s)


def test_by_default_every_begun_minute_is_charged() -> None:
    assert cost(0.6, 61) == 1.2
    assert cost(0.6, 0.5) == 0.6


@settings(deadline=None)
@given(duration_s=st.floats(0.001, 7200), more_s=st.floats(0, 600), increment_s=st.sampled_from([1, 6, 60]))
def test_the_cost_covers_the_time_and_grows_with_it(duration_s: float, more_s: float, increment_s: int) -> None:
    here = cost(0.6, duration_s, increment_s)
    assert 0.01 * duration_s - 1e-6 <= here <= 0.01 * (duration_s + increment_s) + 1e-6
    assert cost(0.6, duration_s + more_s, increment_s) >= here


def test_the_next_trunk_takes_over_when_the_first_has_no_room() -> None:
    other = replace(ROOM, trunk="b")
    assert choose(LONDON, "fixed", [ROOM, other]).trunk == "a"
    for full in ({"free_channels": 0}, {"tokens": 0}, {"open": False}, {"destinations": ("+1",)}):
        assert choose(LONDON, "fixed", [replace(ROOM, **full), other]).trunk == "b"


def test_it_says_whether_waiting_helps() -> None:
    full, elsewhere = replace(ROOM, free_channels=0), replace(ROOM, trunk="b", destinations=("+1",))
    busy = choose(LONDON, "fixed", [elsewhere, full])
    assert (busy.trunk, busy.why) == (None, "busy")
    never = choose(LONDON, "fixed", [elsewhere])
    assert (never.trunk, never.why) == (None, "destination_not_allowed")
    assert choose(LONDON, "fixed", []).why is NoWay.BUSY, "a trunk may be added"
    assert choose(LONDON, "fixed", [ROOM]).why == ""


def test_the_cheapest_goes_first_and_what_has_no_price_last() -> None:
    ways = [
        ROOM,
        replace(ROOM, trunk="b", rates={"+44": 0.03}),
        replace(ROOM, trunk="c", rates={"+44": 0.5, "+4420": 0.01}),
        replace(ROOM, trunk="d", rates={"+4": 0.01}),
    ]
    order = []
    while ways:
        trunk = choose(LONDON, "fixed", ways, order=Order.CHEAPEST).trunk
        order.append(trunk)
        ways = [way for way in ways if way.trunk != trunk]
    assert order == ["c", "d", "b", "a"]


WAYS = st.lists(
    st.builds(
        Way,
        trunk=st.uuids().map(str),
        destinations=st.sampled_from([(), ("+44",), ("+1",), ("!+44",)]),
        rates=st.sampled_from([{}, {"+44": 0.1}, {"+": 0.05}]),
        free_channels=st.integers(0, 2),
        tokens=st.integers(0, 2),
        open=st.booleans(),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(ways=WAYS, kind=st.sampled_from(KINDS), order=st.sampled_from(Order))
def test_only_a_trunk_with_room_that_may_call_is_chosen(ways: list[Way], kind: str, order: Order) -> None:
    chosen = choose(LONDON, kind, ways, order=order)
    fit = [way for way in ways if allowed(LONDON, kind, way.destinations)]
    free = {way.trunk for way in fit if way.open and way.free_channels and way.tokens}
    assert (chosen.trunk in free) is bool(free)
    assert (chosen.why is NoWay.NONE) is bool(free)
    if not free:
        assert chosen.trunk is None
        assert (chosen.why is NoWay.DESTINATION_NOT_ALLOWED) is (bool(ways) and not fit)


def test_the_caller_id_is_that_of_the_longest_prefix() -> None:
    ids = {"+44": "+443000000000", "+4420": "+442000000000"}
    assert caller_id(LONDON, ids, "+1") == "+442000000000"
    assert caller_id("+447700900000", ids, "+1") == "+443000000000"
    assert caller_id("+33123456789", ids, "+1") == "+1"
    assert caller_id(LONDON, {}, "+1") == "+1"
