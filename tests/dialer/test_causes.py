"""What an unanswered leg means, response by response."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.dispositions import ANSWERED, NOT_SENT, Disposition
from dialer.causes import disposition_of, q850_cause, retry_after_s
from dialer.legs import Ended, EndedBy

pytestmark = pytest.mark.unit


def said(code: int, phrase: str = "", *, because: str | None = None, retry_after: str | None = None) -> Ended:
    headers = {"reason": because, "retry-after": retry_after}
    lines = {name: [value] for name, value in headers.items() if value is not None}
    return Ended(by=EndedBy.PEER, code=code, reason=phrase, headers=lines)


@pytest.mark.parametrize(
    ("code", "disposition"),
    [
        (300, Disposition.REDIRECTED),
        (301, Disposition.REDIRECTED),
        (302, Disposition.REDIRECTED),
        (401, Disposition.FAILED),
        (403, Disposition.FAILED),
        (404, Disposition.INVALID_NUMBER),
        (407, Disposition.FAILED),
        (408, Disposition.NO_ANSWER),
        (410, Disposition.INVALID_NUMBER),
        (480, Disposition.NO_ANSWER),
        (484, Disposition.INVALID_NUMBER),
        (486, Disposition.BUSY),
        (487, Disposition.NO_ANSWER),
        (488, Disposition.FAILED),
        (500, Disposition.FAILED),
        (502, Disposition.FAILED),
        (503, Disposition.CONGESTION),
        (504, Disposition.FAILED),
        (600, Disposition.BUSY),
        (603, Disposition.REJECTED),
        (604, Disposition.INVALID_NUMBER),
        (606, Disposition.FAILED),
        (607, Disposition.BLOCKED),
        (608, Disposition.BLOCKED),
    ],
)
def test_every_final_response(code: int, disposition: Disposition) -> None:
    assert disposition_of(said(code)) is disposition


@pytest.mark.parametrize(
    ("code", "cause", "disposition"),
    [
        (480, 17, Disposition.BUSY),
        (480, 19, Disposition.NO_ANSWER),
        (500, 1, Disposition.INVALID_NUMBER),
        (502, 21, Disposition.REJECTED),
        (503, 28, Disposition.INVALID_NUMBER),
        (500, 34, Disposition.CONGESTION),
        (500, 127, Disposition.FAILED),
        (486, 1, Disposition.BUSY),
        (404, 17, Disposition.INVALID_NUMBER),
    ],
)
def test_an_isdn_cause_explains_vague_responses_alone(code: int, cause: int, disposition: Disposition) -> None:
    reason = f'SIP;cause={code}, Q.850 ;cause={cause} ;text="x"'
    assert disposition_of(said(code, because=reason)) is disposition


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("Q.850;cause=16", 16),
        ('Q.850 ; text="a;b" ; cause = 17', 17),
        ("q.850;CAUSE=19", 19),
        ("SIP;cause=486", None),
        ("SIP;cause=200, Q.850;cause=31", 31),
        ("Q.850", None),
        ("", None),
    ],
)
def test_reading_reason(value: str, cause: int | None) -> None:
    assert q850_cause(said(480, because=value)) == cause


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 18000;duration=3600", 18000.0),
        ("120 (I'm in a meeting)", 120.0),
        ("0", 0.0),
        ("-5", None),
        ("soon", None),
        ("Fri, 26 Sep 1997 12:00:00 GMT", None),
        ("9" * 40, None),
    ],
)
def test_reading_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after_s(said(503, retry_after=value)) == seconds


def test_the_network_blocked_it_not_the_callee() -> None:
    assert disposition_of(said(603, "Network Blocked")) is Disposition.BLOCKED
    assert disposition_of(said(603, "Decline")) is Disposition.REJECTED


def test_who_ended_it_matters() -> None:
    assert disposition_of(Ended(by=EndedBy.US, code=487)) is Disposition.NO_ANSWER
    assert disposition_of(Ended(by=EndedBy.NETWORK, code=408)) is Disposition.FAILED
    assert disposition_of(Ended(by=EndedBy.NETWORK, code=503)) is Disposition.FAILED
    assert retry_after_s(Ended(by=EndedBy.US)) is None


@given(st.sampled_from(EndedBy), st.integers(0, 999), st.text(max_size=30), st.lists(st.text(max_size=60), max_size=3))
def test_nothing_is_too_odd_to_be_read(by: EndedBy, code: int, reason: str, values: list[str]) -> None:
    ended = Ended(by=by, code=code, reason=reason, headers={"reason": values, "retry-after": values})
    disposition = disposition_of(ended)
    assert disposition not in ANSWERED | NOT_SENT
    pause_s = retry_after_s(ended)
    assert pause_s is None or pause_s >= 0
