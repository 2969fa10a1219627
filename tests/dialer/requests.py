"""Requests for calls, as the host would make them."""

from __future__ import annotations

import itertools
from typing import Any

from dialer.legs import Trunk
from dialer.messages import CallRequest

_numbers = itertools.count(1)

TRUNK = Trunk(name="loop", host="127.0.0.1")


def call_request(**changes: Any) -> CallRequest:
    """A request that can be sent at once; ``changes`` replace its fields."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "attempt_id": f"att-{number}",
        "fence": 1,
        "call_id": f"att-{number}-1@outbound",
        "number": "+14155550123",
        "trunk": TRUNK,
        "flow": {},
        "variables": {},
        "language": "en",
        "zone": "America/Los_Angeles",
        "send_before": 1e12,
    }
    return CallRequest(**{**fields, **changes})
