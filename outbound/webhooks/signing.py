"""Signs what is posted, after the Standard Webhooks specification, and turns secrets over; it stores and sends nothing.

A webhook's secrets are kept the newest first, each with the instant at which it ends; all that have not ended sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification wants 24 to 64."""
Secrets = Sequence[Mapping[str, Any]]
"""``secret`` and ``until`` (seconds since the epoch, ``None`` for good), the newest first."""


def new_secret() -> str:
    """Make a secret: random bytes in base64 behind ``whsec_``."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def first(secret: str) -> list[dict[str, Any]]:
    """What is kept of the first secret."""
    return [{"secret": secret, "until": None}]


def rotated(kept: Secrets, secret: str, *, now: float, overlap_s: float) -> list[dict[str, Any]]:
    """Put a new secret before the others, which go on signing for ``overlap_s`` at most."""
    ends = now + overlap_s
    old = [{"secret": one["secret"], "until": min(ends, one["until"] or ends)} for one in in_force(kept, now=now)]
    return first(secret) + [one for one in old if one["until"] > now]


def in_force(kept: Secrets, *, now: float) -> list[Mapping[str, Any]]:
    """The secrets that sign now."""
    return [one for one in kept if one["until"] is None or one["until"] > now]


def signature(kept: Secrets, *, message_id: str, timestamp: int, body: bytes, now: float) -> str:
    """The header ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of ``id.timestamp.body``, one for each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_digest(one['secret'], signed)}" for one in in_force(kept, now=now))


def _digest(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
