"""The life of an attempt and its retries."""

from __future__ import annotations

import pytest

from campaigns.attempts import TRANSITIONS, RetryPolicy, State, TransitionError, check_transition, retry_delay_s
from campaigns.dispositions import Disposition

pytestmark = pytest.mark.unit

POLICY = RetryPolicy(max_attempts=3, delays_s={Disposition.BUSY: 600, Disposition.FAILED: 60})


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_only_the_table_leads_anywhere(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        check_transition(before, after)
    else:
        with pytest.raises(TransitionError, match=f"{before} cannot become {after}"):
            check_transition(before, after)


def test_done_is_the_end() -> None:
    assert TRANSITIONS[State.DONE] == frozenset()


@pytest.mark.parametrize(
    ("disposition", "ordinal", "cause", "delay"),
    [
        (Disposition.BUSY, 1, "sip_486", 600),
        (Disposition.BUSY, 2, "sip_486", 600),
        (Disposition.BUSY, 3, "sip_486", None),
        (Disposition.ACCEPTED, 1, "our_bye", None),
        (Disposition.OPTED_OUT, 1, "our_bye", None),
        (Disposition.FAILED, 1, "sip_500", 60),
        (Disposition.FAILED, 1, "line_lost", None),
        (Disposition.FAILED, 1, "lease_expired", None),
    ],
)
def test_retries_follow_the_policy(disposition: Disposition, ordinal: int, cause: str, delay: float | None) -> None:
    assert retry_delay_s(POLICY, disposition=disposition, ordinal=ordinal, hangup_cause=cause) == delay


def test_what_broke_down_after_the_answer_is_not_tried_again() -> None:
    assert retry_delay_s(POLICY, disposition=Disposition.FAILED, ordinal=1, answered=True) is None
    assert retry_delay_s(POLICY, disposition=Disposition.FAILED, ordinal=1) == 60
