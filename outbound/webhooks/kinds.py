"""Which events a webhook wants: kinds by name or by their beginning, of one campaign or of all; it knows no table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from outbound.webhooks.message import TEST


def wanted(kind: str, patterns: Sequence[str]) -> bool:
    """Whether a kind is one of ``patterns`` (``attempt.done``, ``attempt.*``, ``*``); without any, all are."""
    return not patterns or any(_matches(kind, pattern) for pattern in patterns)


def wants(webhook: Mapping[Any, Any], event: Mapping[Any, Any]) -> bool:
    """Whether a webhook's row wants an event's row."""
    campaign_id = webhook["campaign_id"]
    if event["kind"] == TEST or campaign_id not in (None, event["campaign_id"]):
        return False
    return wanted(event["kind"], webhook["kinds"])


def stream_of(event: Mapping[Any, Any]) -> str:
    """What an event keeps its order with: its attempt's, else its campaign's; one of a customer alone stands alone."""
    if event["attempt_id"]:
        return str(event["attempt_id"])
    if event["campaign_id"] and not event["kind"].startswith("contact."):
        return str(event["campaign_id"])
    return str(event["id"])


def _matches(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith("*") and kind.startswith(pattern[:-1]))
