"""How far dialling may go ahead shrinks with what was abandoned, and few calls fool nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.pacing import CONNECT_WITHIN_S, FCC_LIMIT, OFCOM_LIMIT, Abandonment, AnswerShare, target

pytestmark = pytest.mark.unit

COUNTS = st.integers(0, 20_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def measured(live_answers: int, abandoned: int) -> Abandonment:
    return Abandonment(live_answers=live_answers, abandoned=abandoned)


def test_the_limits_are_those_of_the_law() -> None:
    assert (FCC_LIMIT.share, FCC_LIMIT.period_s) == (0.03, 30 * 86400)
    assert (OFCOM_LIMIT.share, OFCOM_LIMIT.period_s) == (0.03, 86400)
    assert CONNECT_WITHIN_S == 2
    assert "64.1200(a)(7)" in FCC_LIMIT.source
    assert "no share is safe" in OFCOM_LIMIT.source


def test_the_share_is_of_abandoned_and_connected_calls() -> None:
    assert measured(0, 0).share == 0
    assert measured(200, 6).share == 0.03


@pytest.mark.parametrize("counts", [(0, 1), (5, 6), (5, -1)])
def test_more_cannot_be_abandoned_than_was_answered(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot have been abandoned"):
        measured(*counts)


@settings(deadline=None)
@given(counts=COUNTS)
def test_the_upper_share_is_wilsons(counts: tuple[int, int]) -> None:
    """By its definition: the share from which the measured one is 1.6449 standard errors away (one-sided 95%)."""
    answers, _ = counts
    seen = measured(*counts)
    upper = seen.upper_share
    assert upper >= seen.share - 1e-12
    if answers:
        assert (upper - seen.share) ** 2 * answers == pytest.approx(1.6449**2 * upper * (1 - upper), abs=1e-9)


def test_nothing_is_certain_before_any_answer() -> None:
    assert measured(0, 0).upper_share == 1


@pytest.mark.parametrize(
    ("live_answers", "abandoned", "expected"),
    [
        (0, 0, 0.0),
        (80, 0, 0.0),
        (100, 0, pytest.approx(0.024 * (0.03 - 0.026343) / 0.006, abs=1e-4)),
        (1000, 0, 0.024),
        (1000, 30, 0.0),
        (100_000, 2000, 0.024),
        (100_000, 2990, 0.0),
        (1, 1, 0.0),
    ],
)
def test_it_goes_ahead_by_what_is_certain(live_answers: int, abandoned: int, expected: float) -> None:
    assert target(FCC_LIMIT, measured(live_answers, abandoned)) == expected


@settings(deadline=None)
@given(counts=COUNTS, aim=st.floats(0.05, 0.95))
def test_it_never_aims_beyond_the_limit_and_stops_at_it(counts: tuple[int, int], aim: float) -> None:
    seen = measured(*counts)
    here = target(FCC_LIMIT, seen, aim=aim)
    assert 0 <= here <= aim * FCC_LIMIT.share
    if seen.share >= FCC_LIMIT.share:
        assert here == 0


@pytest.mark.parametrize("counts", [(0, 0), (10_000, 0), (10_000, 9)])
def test_where_nobody_may_be_abandoned_it_is_progressive(counts: tuple[int, int]) -> None:
    assert target(replace(FCC_LIMIT, share=0.0), measured(*counts)) == 0


@settings(deadline=None)
@given(counts=COUNTS)
def test_one_more_abandoned_never_dials_further_ahead(counts: tuple[int, int]) -> None:
    answers, abandoned = counts
    here = target(FCC_LIMIT, measured(answers, abandoned))
    assert target(FCC_LIMIT, measured(answers + 1, abandoned + 1)) <= here
    assert target(FCC_LIMIT, measured(answers + 1, abandoned)) >= here
    assert target(replace(FCC_LIMIT, share=0.01), measured(answers, abandoned)) <= here


@pytest.mark.parametrize("aim", [0.0, 1.0, -0.5, float("nan")])
def test_the_aim_is_below_the_limit(aim: float) -> None:
    with pytest.raises(ValueError, match="it must be a share of the limit"):
        target(FCC_LIMIT, measured(10, 0), aim=aim)


def test_the_answer_share_is_cautious_until_it_knows() -> None:
    assert AnswerShare(answered=0, tried=0).mean == 0.5
    assert AnswerShare(answered=2, tried=20).mean == pytest.approx(0.3)
    assert AnswerShare(answered=2000, tried=20_000).mean == pytest.approx(0.1, abs=0.001)
    assert AnswerShare(answered=0, tried=10, prior_share=1.0, prior_tried=10).mean == 0.5


@settings(deadline=None)
@given(counts=COUNTS)
def test_the_answer_share_is_between_prior_and_measured(counts: tuple[int, int]) -> None:
    tried, answered = counts
    seen = answered / tried if tried else 0.5
    low, high = sorted((seen, 0.5))
    assert low - 1e-12 <= AnswerShare(answered=answered, tried=tried).mean <= high + 1e-12
