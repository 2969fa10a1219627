"""The arithmetic of the chain: how a receipt becomes bytes, what it holds of a person, how it follows the one before.

Pure functions, without database and clock, so that anybody can check a chain with ten lines of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

GENESIS = bytes(32)
"""What the first receipt of all follows."""
BEFORE_EVIDENCE = ("allowed", "at", "attempt_id", "campaign_id", "channel", "code")
MIDDLE = ("contact_id", "day")
AFTER_EVIDENCE = ("next_at", "purpose", "reason", "rule", "seq", "source")
FIELDS = (*BEFORE_EVIDENCE, *MIDDLE, *AFTER_EVIDENCE)
"""What the hash of a receipt covers besides the hash before it, ``commitment`` and ``evidence``: all but ``personal``,
``salt`` and ``id``. In the order of the alphabet, in which they are hashed."""
_DAY_S = 86400
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical(value: Any) -> bytes:
    """Write a JSON value in its one form: keys sorted, no spaces, UTF-8, floats as Python's ``repr``.

    Raises ``ValueError`` for what is not JSON (NaN, infinities).
    """
    return _canonical(value).encode("utf-8", "surrogatepass")


def commit(salt: bytes, personal: bytes) -> bytes:
    """Commit to personal data in its canonical form: without the salt nobody can guess from this what it was."""
    return hashlib.sha256(salt + personal).digest()


def link(before: bytes, fields: Mapping[str, Any], evidence: bytes, commitment: bytes) -> bytes:
    """Return the hash of a receipt that follows one with the hash ``before``.

    It is SHA-256 of ``before`` and of the canonical form of ``FIELDS``, ``evidence`` and the hexadecimal ``commitment``
    in one object. ``evidence``, by far the longest, is given in its canonical form, so that it is written once only.
    """
    early = {name: fields[name] for name in BEFORE_EVIDENCE}
    early |= {"commitment": commitment.hex(), **{name: fields[name] for name in MIDDLE}}
    late = {name: fields[name] for name in AFTER_EVIDENCE}
    whole = (before, canonical(early)[:-1], b',"evidence":', evidence, b",", canonical(late)[1:])
    return hashlib.sha256(b"".join(whole)).digest()


def day_of(at: float) -> str:
    """Return the UTC day of an instant, as ``YYYY-MM-DD``."""
    return _day(int(at // _DAY_S))


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * _DAY_S, UTC).date().isoformat()
