"""An event as it is posted: the specification's envelope around what the event stream says; it adds nothing to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

TEST = "webhook.test"
"""Goes to the webhook it was asked for and to no other."""


def message_id(webhook_id: str, event_id: int) -> str:
    """``webhook-id``: the same over all tries and replays, so that a receiver knows what it has had."""
    return f"msg_{webhook_id}_{event_id}"


def body(event: Mapping[Any, Any]) -> bytes:
    """``type``, ``timestamp`` and ``data`` of a row of ``events``; ``data`` is the message of the event stream."""
    at = datetime.fromtimestamp(event["at"], UTC).isoformat().replace("+00:00", "Z")
    names = ("id", "kind", "campaign_id", "attempt_id", "data")
    told = {name: event[name] for name in names} | {"at": at}
    envelope = {"type": event["kind"], "timestamp": at, "data": told}
    return json.dumps(envelope, separators=(",", ":")).encode()
