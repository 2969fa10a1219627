"""What an unanswered leg means: from its SIP final response and Reason header to a disposition and a pause.

It reads one :class:`dialer.legs.Ended` and decides nothing about what is tried next.
"""

from __future__ import annotations

import re

from campaigns.dispositions import Disposition
from dialer.legs import Ended, EndedBy

_BY_CODE = {
    404: Disposition.INVALID_NUMBER,
    408: Disposition.NO_ANSWER,
    410: Disposition.INVALID_NUMBER,
    480: Disposition.NO_ANSWER,
    484: Disposition.INVALID_NUMBER,
    486: Disposition.BUSY,
    487: Disposition.NO_ANSWER,
    503: Disposition.CONGESTION,
    600: Disposition.BUSY,
    603: Disposition.REJECTED,
    604: Disposition.INVALID_NUMBER,
    607: Disposition.BLOCKED,
    608: Disposition.BLOCKED,
}
"""RFC 3261 §21, RFC 8197 (607), RFC 8688 (608); all others below are failures of the network or of our set-up."""

_BY_Q850 = {
    1: Disposition.INVALID_NUMBER,
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,
    19: Disposition.NO_ANSWER,
    20: Disposition.NO_ANSWER,
    21: Disposition.REJECTED,
    22: Disposition.INVALID_NUMBER,
    28: Disposition.INVALID_NUMBER,
    34: Disposition.CONGESTION,
    41: Disposition.CONGESTION,
    42: Disposition.CONGESTION,
    44: Disposition.CONGESTION,
    47: Disposition.CONGESTION,
}
"""ITU-T Q.850 §2.2.7: unallocated, busy, no user, no answer, absent, rejected, changed, format, then congestion."""

_VAGUE = frozenset({400, 480, 487, 500, 502, 503, 504})
"""Responses gateways give for anything: a Q.850 cause in Reason says more (RFC 3326, RFC 3398 §8.2.6.1)."""

_NETWORK_BLOCKED = re.compile(r"network\s+blocked", re.IGNORECASE)
"""Reason phrase of "603+" (ATIS-1000099): rejected by an analytics engine, not by the callee."""

_Q850 = re.compile(r"Q\.850\s*(?:;[^,]*?)?;\s*cause\s*=\s*(\d{1,3})", re.IGNORECASE)
_DELTA_SECONDS = re.compile(r"\s*(\d{1,9})(?!\d)")


def disposition_of(ended: Ended) -> Disposition:
    """How an attempt ended whose leg was never answered."""
    if ended.by is EndedBy.US:
        return Disposition.NO_ANSWER
    if ended.by is EndedBy.NETWORK:
        return Disposition.FAILED
    if 300 <= ended.code <= 399:
        return Disposition.REDIRECTED
    if ended.code == 603 and _NETWORK_BLOCKED.search(ended.reason):
        return Disposition.BLOCKED
    cause = q850_cause(ended)
    if ended.code in _VAGUE and cause in _BY_Q850:
        return _BY_Q850[cause]
    return _BY_CODE.get(ended.code, Disposition.FAILED)


def q850_cause(ended: Ended) -> int | None:
    """The ISDN cause in a Reason header (RFC 3326 §2), ``None`` without one."""
    for value in ended.headers.get("reason", []):
        found = _Q850.search(value)
        if found:
            return int(found.group(1))
    return None


def retry_after_s(ended: Ended) -> float | None:
    """How long the far end asks us to stay away (RFC 3261 §20.33), comments aside; ``None`` if it does not say."""
    for value in ended.headers.get("retry-after", []):
        found = _DELTA_SECONDS.match(value)
        if found:
            return float(found.group(1))
    return None
