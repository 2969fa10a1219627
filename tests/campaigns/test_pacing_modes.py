"""How many calls may ring for the agents there are: exact by the binomial model, never less than progressive."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.pacing import MOST_CALLS_PER_AGENT, UNLIMITED, Mode, abandoned_share, places

pytestmark = pytest.mark.unit

SHARES = st.floats(0.0, 1.0)
TARGETS = st.floats(0.0, 0.1)


def room(mode: Mode, *, agents: int, busy: int = 0, ringing: int = 0, share: float = 0.2, target: float = 0.03) -> int:
    return places(mode, agents=agents, busy=busy, ringing=ringing, answer_share=share, target=target)


def exact(calls: int, free: int, share: Fraction) -> Fraction:
    """``E[(X - free)^+] / E[X]`` in whole numbers, as it is defined."""
    excess = sum(
        ((n - free) * comb(calls, n) * share**n * (1 - share) ** (calls - n) for n in range(free, calls + 1)),
        Fraction(0),
    )
    return excess / (calls * share)


@settings(deadline=None)
@given(calls=st.integers(1, 40), free=st.integers(0, 40), hundredths=st.integers(1, 100))
def test_the_share_is_exact(calls: int, free: int, hundredths: int) -> None:
    expected = exact(calls, free, Fraction(hundredths, 100))
    assert abandoned_share(calls, free, hundredths / 100) == pytest.approx(float(expected), rel=1e-9, abs=1e-15)


def test_the_share_of_a_large_room_neither_underflows_nor_overflows() -> None:
    assert abandoned_share(6000, 2500, 0.5) == pytest.approx(1 - 2500 / 3000, rel=1e-3)
    assert abandoned_share(6000, 3500, 0.5) == pytest.approx(0, abs=1e-9)


def test_without_agents_every_answer_is_abandoned() -> None:
    assert abandoned_share(3, 0, 0.2) == pytest.approx(1)
    assert abandoned_share(1, 0, 0.0) == 1, "the limit: whoever answered would find nobody"


def test_when_everybody_answers_it_is_what_is_left_over() -> None:
    assert abandoned_share(4, 3, 1.0) == 0.25
    assert abandoned_share(4, 4, 1.0) == 0


@settings(deadline=None)
@given(calls=st.integers(1, 60), free=st.integers(0, 60), share=SHARES)
def test_the_share_grows_with_calls_and_shrinks_with_agents(calls: int, free: int, share: float) -> None:
    here = abandoned_share(calls, free, share)
    assert 0 <= here <= 1 + 1e-12
    assert abandoned_share(calls + 1, free, share) >= here - 1e-12
    assert abandoned_share(calls, free + 1, share) <= here + 1e-12


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_an_answer_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="must be within 0 and 1"):
        abandoned_share(3, 1, share)


def test_agentless_needs_nobody() -> None:
    assert room(Mode.AGENTLESS, agents=0, busy=5, ringing=5) == UNLIMITED > 10**6


@settings(deadline=None)
@given(agents=st.integers(0, 50), busy=st.integers(0, 60), ringing=st.integers(0, 60))
def test_progressive_never_rings_more_than_agents_can_take(agents: int, busy: int, ringing: int) -> None:
    more = room(Mode.PROGRESSIVE, agents=agents, busy=busy, ringing=ringing)
    assert more == max(0, agents - busy - ringing) or (busy > agents and more == 0)
    assert more == 0 or ringing + more <= agents - busy


@settings(deadline=None)
@given(
    agents=st.integers(0, 30),
    busy=st.integers(0, 30),
    ringing=st.integers(0, 90),
    hundredths=st.integers(1, 100),
    target=TARGETS,
)
def test_predictive_is_the_greatest_number_within_the_target(
    agents: int, busy: int, ringing: int, hundredths: int, target: float
) -> None:
    """Against a search that tries one number after the other."""
    share, free = hundredths / 100, max(0, agents - busy)
    most = max(0, free - ringing)
    while ringing + most + 1 <= MOST_CALLS_PER_AGENT * free and (
        target > 0 and abandoned_share(ringing + most + 1, free, share) <= target
    ):
        most += 1
    assert room(Mode.PREDICTIVE, agents=agents, busy=busy, ringing=ringing, share=share, target=target) == most


@settings(deadline=None)
@given(agents=st.integers(0, 30), busy=st.integers(0, 30), ringing=st.integers(0, 90), share=SHARES, target=TARGETS)
def test_predictive_is_never_less_than_progressive(
    agents: int, busy: int, ringing: int, share: float, target: float
) -> None:
    progressive = room(Mode.PROGRESSIVE, agents=agents, busy=busy, ringing=ringing)
    predictive = room(Mode.PREDICTIVE, agents=agents, busy=busy, ringing=ringing, share=share, target=target)
    assert predictive >= progressive
    if target == 0:
        assert predictive == progressive


@settings(deadline=None)
@given(agents=st.integers(1, 30), ringing=st.integers(0, 90), share=SHARES, less=TARGETS, more=TARGETS)
def test_more_may_ring_with_more_agents_a_greater_target_and_fewer_answers(
    agents: int, ringing: int, share: float, less: float, more: float
) -> None:
    less, more = sorted((less, more))
    here = room(Mode.PREDICTIVE, agents=agents, ringing=ringing, share=share, target=less)
    assert room(Mode.PREDICTIVE, agents=agents, ringing=ringing, share=share, target=more) >= here
    assert room(Mode.PREDICTIVE, agents=agents + 1, ringing=ringing, share=share, target=less) >= here
    assert room(Mode.PREDICTIVE, agents=agents, ringing=ringing, share=share / 2, target=less) >= here
    assert room(Mode.PREDICTIVE, agents=agents, ringing=ringing + 1, share=share, target=less) >= here - 1


def test_nothing_is_dialled_ahead_on_no_free_agent_or_an_unknown_target() -> None:
    assert room(Mode.PREDICTIVE, agents=4, busy=4) == 0
    assert room(Mode.PREDICTIVE, agents=4, busy=6) == 0
    assert room(Mode.PREDICTIVE, agents=4, target=float("nan")) == 4


def test_few_answers_are_bounded_by_the_calls_per_agent() -> None:
    assert room(Mode.PREDICTIVE, agents=10, share=0.001) == 30
    assert (
        places(Mode.PREDICTIVE, agents=10, busy=0, ringing=0, answer_share=0.001, target=0.03, calls_per_agent=1.55)
        == 15
    )
