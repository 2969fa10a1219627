"""When a delivery is tried again: the schedule of the Standard Webhooks specification, without clock and randomness."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

SCHEDULE_S = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""The pause before each try."""
JITTER = 0.1
"""A pause grows by up to this share, so that what failed together does not come back together."""
LONGEST_S = 86400.0
"""No ``Retry-After`` counts for more."""


def pause_s(tries: int, jitter: float, retry_after_s: float = 0.0) -> float | None:
    """Seconds until the next try after so many, or ``None`` when that was the last.

    ``jitter``: from 0 to 1. ``Retry-After`` (RFC 9110 §10.2.3) makes a pause longer, never shorter.
    """
    if tries >= len(SCHEDULE_S):
        return None
    return max(SCHEDULE_S[tries] * (1 + JITTER * jitter), retry_after_s)


def retry_after_s(header: str, *, now: float) -> float:
    """Read ``Retry-After``, seconds or a date (RFC 9110 §10.2.3); 0 where it says nothing that can be understood."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_S)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return min(max((aware - datetime.fromtimestamp(now, UTC)).total_seconds(), 0.0), LONGEST_S)
