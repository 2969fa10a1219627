"""How a call that was talked on ended, when several reasons meet."""

from __future__ import annotations

import pytest

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Hangup
from dialer.ending import INTERNAL_ERROR, NO_MEDIA, talked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("reason", [INTERNAL_ERROR, NO_MEDIA, "host_gone", "line_stopped", "operator"])
def test_an_opt_out_stands_whatever_broke_after_it(reason: str) -> None:
    ending = talked(Hangup(disposition=Disposition.OPTED_OUT), None, reason)
    assert (ending.disposition, ending.cause) == (Disposition.OPTED_OUT, reason)


def test_a_fault_of_our_own_is_no_answer_of_the_customer() -> None:
    assert talked(Hangup(disposition=Disposition.INFORMED), None, INTERNAL_ERROR).disposition is Disposition.FAILED
