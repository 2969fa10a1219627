"""The life of an attempt: from where it may go where."""

from __future__ import annotations

import pytest

from campaigns.attempts import TRANSITIONS, State, TransitionError, check_transition

pytestmark = pytest.mark.unit


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
