"""Who is tried again, when and on which number; and above all who is not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.daytimes import PartOfDay
from campaigns.dispositions import NOT_SENT, Disposition
from campaigns.retries import AT_THAT_HOUR, NEVER_RETRIED_CAUSES, OVER, TOLD, NextTry, RetryPolicy, Tried, next_try

pytestmark = pytest.mark.unit

MAIN, WORK, MOBILE = "+12025550101", "+12025550102", "+12025550103"
NUMBERS = (MAIN, WORK, MOBILE)
EVERYTHING = dict.fromkeys(Disposition, 600.0)
"""A policy that names even what must never be retried."""
POLICY = RetryPolicy(max_attempts=4, delays_s={Disposition.BUSY: 600, Disposition.NO_ANSWER: 7200})
AGAIN = sorted(set(Disposition) - TOLD - OVER)


def tried(
    disposition: Disposition = Disposition.BUSY,
    *,
    number: str = MAIN,
    ended_at: float = 1000.0,
    answered: bool = False,
    cause: str = "",
    part: PartOfDay | None = None,
) -> Tried:
    return Tried(
        number=number, disposition=disposition, ended_at=ended_at, answered=answered, hangup_cause=cause, part=part
    )


def after(policy: RetryPolicy, *done: Tried, numbers: tuple[str, ...] = NUMBERS, retry_after_s: float = 0) -> NextTry:
    following = next_try(policy, done, numbers, seed="s", retry_after_s=retry_after_s)
    assert following is not None
    return following


def ends(policy: RetryPolicy, *done: Tried, numbers: tuple[str, ...] = NUMBERS) -> bool:
    return next_try(policy, done, numbers, seed="s") is None


POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 8),
    delays_s=st.dictionaries(st.sampled_from(Disposition), st.floats(0, 1e6)),
    spread_s=st.floats(0, 1e4),
    backoff=st.floats(1, 5),
    max_delay_s=st.floats(0, 1e6),
    other_part_of_day=st.booleans(),
    other_number_after=st.frozensets(st.sampled_from(Disposition)),
    max_by_disposition=st.dictionaries(st.sampled_from(Disposition), st.integers(1, 4)),
)
HISTORIES = st.lists(
    st.builds(
        Tried,
        number=st.sampled_from(NUMBERS),
        disposition=st.sampled_from(Disposition),
        ended_at=st.floats(0, 2e9),
        answered=st.booleans(),
        hangup_cause=st.sampled_from(["", "sip_486", *NEVER_RETRIED_CAUSES]),
        part=st.none() | st.sampled_from(PartOfDay),
    ),
    min_size=1,
    max_size=6,
)
CONTACTS = st.lists(st.sampled_from(NUMBERS), max_size=4)


@settings(deadline=None)
@given(policy=POLICIES, done=HISTORIES, numbers=CONTACTS, seed=st.text(max_size=8), wait=st.floats(0, 1e6))
def test_no_policy_makes_a_second_call_for_one_notice(
    policy: RetryPolicy, done: list[Tried], numbers: list[str], seed: str, wait: float
) -> None:
    following = next_try(policy, done, numbers, seed=seed, retry_after_s=wait)
    if following is None:
        return
    last = done[-1]
    assert len(done) < policy.max_attempts
    assert last.disposition in policy.delays_s
    assert not {one.disposition for one in done} & TOLD
    assert last.disposition not in OVER
    assert not {one.hangup_cause for one in done} & NEVER_RETRIED_CAUSES
    assert not any(one.answered and one.disposition is Disposition.FAILED for one in done)
    assert following.number in numbers
    assert Tried(number=following.number, disposition=Disposition.INVALID_NUMBER, ended_at=0) not in [
        replace(one, ended_at=0, answered=False, hangup_cause="", part=None) for one in done
    ]


@settings(deadline=None)
@given(policy=POLICIES, done=HISTORIES, numbers=CONTACTS, seed=st.text(max_size=8), wait=st.floats(0, 1e6))
def test_it_is_never_before_its_time_and_never_long_after(
    policy: RetryPolicy, done: list[Tried], numbers: list[str], seed: str, wait: float
) -> None:
    following = next_try(policy, done, numbers, seed=seed, retry_after_s=wait)
    if following is not None:
        last = done[-1]
        least = min(policy.delays_s[last.disposition], policy.max_delay_s)
        assert following.earliest >= last.ended_at + max(least, min(wait, 86400)) - 1e-3
        assert following.earliest <= last.ended_at + max(policy.max_delay_s, 86400) + policy.spread_s + 1e-3
        assert following.avoid < set(PartOfDay), "there is always a part of the day left"
        assert following == next_try(policy, done, numbers, seed=seed, retry_after_s=wait)


@pytest.mark.parametrize("disposition", sorted(TOLD | OVER))
def test_what_settles_the_matter_is_never_tried_again_even_when_named(disposition: Disposition) -> None:
    assert ends(RetryPolicy(max_attempts=9, delays_s=EVERYTHING), tried(disposition))


@pytest.mark.parametrize("disposition", sorted(TOLD))
def test_nor_after_any_later_attempt(disposition: Disposition) -> None:
    assert ends(POLICY, tried(disposition), tried())


def test_what_a_customer_was_told_or_decided_is_settled() -> None:
    told = {"accepted", "declined", "informed", "opted_out", "handed_off", "undetermined"}
    assert told == TOLD
    assert NOT_SENT | {Disposition.CANCELLED, Disposition.CALLBACK_BOOKED} == OVER


def test_a_callback_that_was_not_answered_is_tried_again() -> None:
    assert not ends(POLICY, tried(Disposition.CALLBACK_BOOKED), tried(Disposition.NO_ANSWER))


@pytest.mark.parametrize("disposition", AGAIN)
def test_every_other_end_is_as_the_policy_says(disposition: Disposition) -> None:
    named = RetryPolicy(max_attempts=2, delays_s={disposition: 60})
    assert ends(named, tried(disposition)) is (disposition is Disposition.INVALID_NUMBER)
    assert ends(RetryPolicy(max_attempts=2, delays_s={}), tried(disposition))


@pytest.mark.parametrize("cause", sorted(NEVER_RETRIED_CAUSES))
def test_a_call_of_which_nobody_knows_what_was_heard_is_not_made_again(cause: str) -> None:
    named = RetryPolicy(max_attempts=9, delays_s=EVERYTHING)
    assert ends(named, tried(Disposition.FAILED, cause=cause))
    assert ends(named, tried(Disposition.FAILED, answered=True))
    assert not ends(named, tried(Disposition.FAILED, cause="sip_500"))


def test_attempts_are_counted_over_all_numbers() -> None:
    assert not ends(POLICY, *[tried(number=number) for number in NUMBERS])
    assert ends(POLICY, *[tried(number=number) for number in (*NUMBERS, MAIN)])


def test_a_way_to_end_has_a_cap_of_its_own() -> None:
    capped = replace(POLICY, max_by_disposition={Disposition.BUSY: 2})
    assert not ends(capped, tried())
    assert ends(capped, tried(), tried())
    assert not ends(capped, tried(), tried(), tried(Disposition.NO_ANSWER)), "only the last end counts"


def test_the_delay_runs_from_the_end_and_grows_with_ends_of_its_kind() -> None:
    growing = replace(POLICY, max_attempts=9, backoff=2.0, max_delay_s=2000.0)
    quiet = tried(Disposition.NO_ANSWER)
    assert after(POLICY, tried(ended_at=5000.0)).earliest == 5600
    assert after(growing, tried()).earliest == 1600
    assert after(growing, tried(), tried()).earliest == 2200
    assert after(growing, tried(), quiet, tried()).earliest == 2200
    assert after(growing, *[tried()] * 4).earliest == 3000, "up to the longest delay"


def test_a_policy_of_delays_alone_changes_neither_number_nor_hour_nor_delay() -> None:
    done = [tried(part=PartOfDay.MORNING)] * 3
    assert next_try(POLICY, done, NUMBERS, seed="s") == NextTry(number=MAIN, earliest=1600)
    assert next_try(replace(POLICY, delays_s={Disposition.BUSY: 0}), done, NUMBERS, seed="s") == NextTry(
        number=MAIN, earliest=1000
    )
    assert POLICY.max_delay_s == 14 * 86400


def test_the_far_end_may_ask_for_longer_but_not_for_more_than_a_day() -> None:
    assert after(POLICY, tried(), retry_after_s=30).earliest == 1600
    assert after(POLICY, tried(), retry_after_s=3600).earliest == 4600
    assert after(POLICY, tried(), retry_after_s=1e9).earliest == 1000 + 86400


def test_the_spread_is_even_and_the_same_for_the_same_seed() -> None:
    spread = replace(POLICY, spread_s=100.0)
    instants = sorted(
        following.earliest - 1600
        for number in range(2000)
        if (following := next_try(spread, [tried()], NUMBERS, seed=f"contact-{number}"))
    )
    assert len(instants) == 2000
    assert 0 <= instants[0] <= instants[-1] < 100
    assert max(later - earlier for earlier, later in pairwise(instants)) < 1.5
    assert sum(instants) / 2000 == pytest.approx(50, abs=2)


def test_a_number_that_nobody_has_is_never_tried_again() -> None:
    gone = tried(Disposition.INVALID_NUMBER)
    elsewhere = replace(
        POLICY,
        delays_s={Disposition.INVALID_NUMBER: 5, Disposition.BUSY: 600},
        other_number_after=frozenset({Disposition.INVALID_NUMBER, Disposition.BUSY}),
    )
    assert ends(replace(elsewhere, other_number_after=frozenset()), gone)
    assert after(elsewhere, gone) == NextTry(number=WORK, earliest=1005)
    assert ends(elsewhere, gone, numbers=(MAIN,))
    assert after(elsewhere, gone, tried(number=WORK)).number == MOBILE
    assert after(elsewhere, gone, tried(number=WORK), tried(number=MOBILE)).number == WORK, "in turn, but not the dead"


def test_the_same_number_is_tried_until_its_turn_is_over() -> None:
    turns = replace(POLICY, other_number_after=frozenset({Disposition.NO_ANSWER}))
    assert after(turns, tried(number=WORK)).number == WORK
    assert after(turns, tried(Disposition.NO_ANSWER, number=WORK)).number == MOBILE
    assert after(turns, tried(Disposition.NO_ANSWER, number=MOBILE)).number == MAIN
    assert after(turns, tried(Disposition.NO_ANSWER), numbers=(MAIN,)).number == MAIN, "it has no other"


def test_a_number_that_is_no_longer_the_contacts_is_not_called() -> None:
    assert after(POLICY, tried(number="+12025550199")).number == MAIN
    assert ends(POLICY, tried(), numbers=())
    assert after(POLICY, tried(), numbers=(WORK, WORK)).number == WORK


def test_somebody_who_did_not_answer_is_tried_at_another_time_of_the_day() -> None:
    other = replace(POLICY, other_part_of_day=True, max_attempts=9)
    morning = tried(Disposition.NO_ANSWER, part=PartOfDay.MORNING)
    evening = tried(Disposition.NO_ANSWER, part=PartOfDay.EVENING)
    afternoon = tried(Disposition.NO_ANSWER, part=PartOfDay.AFTERNOON)
    assert after(POLICY, morning).avoid == frozenset()
    assert after(other, morning).avoid == {PartOfDay.MORNING}
    assert after(other, morning, evening).avoid == {PartOfDay.MORNING, PartOfDay.EVENING}
    assert after(other, morning, evening, afternoon).avoid == frozenset()
    assert after(other, tried(Disposition.NO_ANSWER)).avoid == frozenset(), "its hour is not known"


def test_whom_a_busy_line_or_the_network_kept_away_is_tried_at_any_time() -> None:
    other = replace(POLICY, other_part_of_day=True)
    assert Disposition.BUSY not in AT_THAT_HOUR
    assert after(other, tried(part=PartOfDay.MORNING)).avoid == frozenset()
    quiet = tried(Disposition.NO_ANSWER, part=PartOfDay.EVENING)
    assert after(other, tried(part=PartOfDay.MORNING), quiet).avoid == {PartOfDay.EVENING}


@pytest.mark.parametrize(
    "wrong", [{"backoff": 0.5}, {"spread_s": -1.0}, {"max_delay_s": -1.0}, {"spread_s": float("nan")}]
)
def test_a_policy_that_hurries_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"before its time|sooner and sooner"):
        RetryPolicy(max_attempts=3, delays_s={}, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="before its time"):
        RetryPolicy(max_attempts=3, delays_s={Disposition.BUSY: -1})
