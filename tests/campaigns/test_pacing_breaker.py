"""The breaker opens on a share of failures, rests longer each time, and lets one probe at a time decide."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.dispositions import Disposition
from campaigns.pacing import Breaker, BreakerPolicy, BreakerState, failed_campaign, failed_trunk
from campaigns.pacing.breaker import MOST_OUTCOMES

pytestmark = pytest.mark.unit

POLICY = BreakerPolicy(window_s=100.0, least=4, share=0.5, rest_s=60.0, longest_rest_s=200.0)
CALLS = st.lists(st.tuples(st.floats(0.0, 90.0), st.booleans()), max_size=60)


def after(*outcomes: tuple[float, bool], breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for at, failed in outcomes:
        breaker = breaker.note(at, failed, POLICY)
    return breaker


OPEN = after((0, True), (1, False), (2, True), (3, True))
"""Opened at 3, rests until 63."""


def test_it_opens_at_the_share_and_not_before() -> None:
    assert after((0, True), (1, True), (2, True)).state(3) is BreakerState.CLOSED, "three prove nothing"
    assert after((0, True), (1, False), (2, False), (3, True)).state(3) is BreakerState.OPEN
    assert after((0, True), (1, False), (2, False), (3, False), (4, True)).state(4) is BreakerState.CLOSED


def test_outcomes_leave_the_window() -> None:
    breaker = after((0, True), (1.5, True), (2, True), (101, False), (101.5, True))
    assert breaker.outcomes == ((2, True), (101, False), (101.5, True)), "at its end it is over"
    assert breaker.state(102) is BreakerState.CLOSED


def test_a_success_never_opens_it() -> None:
    """Though the failures become the greater part when older successes leave the window."""
    breaker = after((0, False), (0, False), (0, False), (50, True), (60, True), (70, False), (101, False))
    assert sum(failed for _, failed in breaker.outcomes) >= POLICY.share * len(breaker.outcomes)
    assert breaker.state(101) is BreakerState.CLOSED


def test_only_the_newest_are_kept() -> None:
    breaker = Breaker()
    for number in range(MOST_OUTCOMES + 7):
        breaker = breaker.note(number / 1000, False, POLICY)
    assert len(breaker.outcomes) == MOST_OUTCOMES
    assert breaker.outcomes[0] == (7 / 1000, False)


def test_nothing_begins_during_the_rest_and_one_probe_after_it() -> None:
    assert OPEN.opened_at == 3
    assert OPEN.rest_until == 63
    assert not OPEN.may_begin(62.9, 0)
    assert OPEN.state(63) is BreakerState.HALF_OPEN
    assert OPEN.may_begin(63, 0)
    assert not OPEN.may_begin(63, 1)


def test_closed_it_permits_any_number() -> None:
    assert Breaker().may_begin(0.0, 10_000)


def test_a_probe_that_succeeds_closes_and_forgets() -> None:
    assert OPEN.note(70, False, POLICY) == Breaker()


def test_a_probe_that_fails_doubles_the_rest_up_to_the_longest() -> None:
    breaker, rests = OPEN, []
    for _ in range(4):
        at = breaker.rest_until or 0
        breaker = breaker.note(at, True, POLICY)
        rests.append((breaker.rest_until or 0) - at)
    assert rests == [120, 200, 200, 200]
    assert breaker.trips == 5
    assert breaker.opened_at == 3, "operators see since when"


def test_the_first_rest_begins_again_after_it_was_closed() -> None:
    reopened = OPEN.note(63, True, POLICY).note(200, False, POLICY)
    assert after(*((300 + n, True) for n in range(4)), breaker=reopened).rest_until == 303 + 60


@pytest.mark.parametrize("failed", [True, False])
def test_calls_that_are_no_probes_change_nothing(failed: bool) -> None:
    assert OPEN.note(30, failed, POLICY) == OPEN, "it ended during the rest"
    assert OPEN.note(70, failed, POLICY, began_at=2.0) == OPEN, "it began before"
    assert OPEN.note(70, failed, POLICY, began_at=63.0) != OPEN


def test_it_says_why() -> None:
    assert Breaker().why(POLICY) == ""
    assert OPEN.why(POLICY) == "3 of the last 4 calls failed within 100 s; next try at 1970-01-01T00:01:03Z"
    again = OPEN.note(63, True, POLICY)
    assert "within 100 s; 1 probe(s) failed since; next try at 1970-01-01T00:03:03Z" in again.why(POLICY)


def test_trips_without_end_do_not_overflow() -> None:
    breaker = Breaker(opened_at=0.0, rest_until=1.0, trips=5000)
    assert breaker.note(2.0, True, POLICY).rest_until == 202.0


def test_the_defaults_are_those_of_the_documentation() -> None:
    policy = BreakerPolicy()
    assert (policy.window_s, policy.least, policy.share) == (300, 20, 0.5)
    assert (policy.rest_s, policy.longest_rest_s) == (60, 1800)
    assert MOST_OUTCOMES == 200


def test_the_strictest_policies_work() -> None:
    first = BreakerPolicy(window_s=0.5, least=1, share=1.0, rest_s=0.5, longest_rest_s=0.5)
    assert Breaker().note(0.0, True, first).rest_until == 0.5
    assert BreakerPolicy(least=MOST_OUTCOMES).least == MOST_OUTCOMES


@pytest.mark.parametrize(
    "wrong",
    [
        {"least": 0},
        {"least": MOST_OUTCOMES + 1},
        {"share": 0.0},
        {"share": 1.5},
        {"window_s": 0.0},
        {"rest_s": 0.0},
        {"rest_s": 60.0, "longest_rest_s": 59.0},
    ],
)
def test_a_policy_that_could_not_work_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a breaker needs"):
        BreakerPolicy(**wrong)  # type: ignore[arg-type]


@settings(deadline=None)
@given(calls=CALLS)
def test_it_survives_json(calls: list[tuple[float, bool]]) -> None:
    breaker = after(*sorted(calls))
    assert Breaker.read(json.loads(json.dumps(breaker.document()))) == breaker
    assert Breaker.read({}) == Breaker()


@settings(deadline=None)
@given(calls=st.lists(st.tuples(st.floats(0.0, 59.0), st.booleans()), max_size=40))
def test_it_opens_exactly_when_enough_calls_failed(calls: list[tuple[float, bool]]) -> None:
    """An oracle that counts all calls so far: all are within one window, and none ends after the first rest."""
    calls.sort(key=lambda call: call[0])
    so_far = [[failed for _, failed in calls[: count + 1]] for count in range(len(calls))]
    opens = any(seen[-1] and len(seen) >= POLICY.least and sum(seen) / len(seen) >= POLICY.share for seen in so_far)
    assert (after(*calls).state(59.0) is BreakerState.OPEN) is opens


@settings(deadline=None)
@given(calls=st.lists(st.tuples(st.floats(0.0, 500.0), st.booleans()), max_size=80), at=st.floats(0.0, 1000.0))
def test_its_states_agree_with_what_it_permits(calls: list[tuple[float, bool]], at: float) -> None:
    breaker = after(*sorted(calls))
    assert breaker.may_begin(at, 0) is (breaker.state(at) is not BreakerState.OPEN)
    assert breaker.may_begin(at, 1) is (breaker.state(at) is BreakerState.CLOSED)
    assert bool(breaker.why(POLICY)) is (breaker.rest_until is not None)
    if breaker.rest_until is not None and breaker.opened_at is not None:
        assert breaker.rest_until <= 500 + POLICY.longest_rest_s


@pytest.mark.parametrize("disposition", Disposition)
def test_every_disposition_says_something_of_a_trunk_or_nothing(disposition: Disposition) -> None:
    silent = {"refused", "cancelled", "expired", "undetermined"}
    expected = None if disposition in silent else disposition in {"congestion", "failed", "no_media"}
    assert failed_trunk(disposition) is expected


@pytest.mark.parametrize("disposition", Disposition)
def test_every_disposition_says_something_of_a_campaign_or_nothing(disposition: Disposition) -> None:
    silent = {"refused", "cancelled", "expired", "undetermined", "congestion"}
    bad = {"failed", "invalid_number", "blocked", "no_media"}
    assert failed_campaign(disposition) is (None if disposition in silent else disposition in bad)
