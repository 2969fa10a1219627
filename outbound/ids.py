"""Ids: ULIDs, 26 characters that sort by the time they were made; no meaning beyond that is ever read from them."""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(at: float | None = None) -> str:
    """Make a ULID: 48 bits of milliseconds since the epoch, 80 bits of randomness, Crockford base 32."""
    value = int((time.time() if at is None else at) * 1000) << 80 | secrets.randbits(80)
    return "".join(ALPHABET[value >> shift & 31] for shift in range(125, -5, -5))


def call_id(attempt_id: str, fence: int) -> str:
    """Derive the SIP Call-ID of one send: the same attempt under another fence is another call."""
    return f"{attempt_id}-{fence}@outbound"
