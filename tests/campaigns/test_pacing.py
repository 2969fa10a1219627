"""The token bucket never lets more through than its rate and burst allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.pacing import TokenBucket

pytestmark = pytest.mark.unit


def test_it_spends_its_burst_and_then_waits() -> None:
    bucket = TokenBucket.full(rate_per_s=2.0, burst=3.0, at=10.0).take(3)
    assert bucket.available == 0
    assert bucket.next_at() == pytest.approx(10.5)
    assert bucket.refill(10.5).available == 1


def test_a_clock_that_jumps_back_mints_nothing() -> None:
    bucket = TokenBucket.full(rate_per_s=1.0, at=10.0).take()
    assert bucket.refill(5.0) == bucket
    assert bucket.refill(5.0).refill(10.5).available == 0


def test_more_than_there_is_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="2 tokens wanted"):
        TokenBucket.full(rate_per_s=1.0, at=0.0).take(2)


@given(
    rate=st.floats(0.1, 50),
    burst=st.floats(1, 10),
    steps=st.lists(st.floats(0, 3), max_size=40),
)
def test_it_never_exceeds_rate_and_burst(rate: float, burst: float, steps: list[float]) -> None:
    bucket, spent, now = TokenBucket.full(rate_per_s=rate, burst=burst, at=0.0), 0, 0.0
    for step in steps:
        now += step
        bucket = bucket.refill(now)
        spent += bucket.available
        bucket = bucket.take(bucket.available)
        assert spent <= burst + rate * now + 1e-6
