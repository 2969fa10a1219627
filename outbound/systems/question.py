"""What is sent to a system of the business, and how its answer is read; pure, nothing is sent here.

Signed after the Standard Webhooks specification; ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header) is the
same over all tries, so that a system which already acted answers as it did before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from outbound.webhooks import signing

MOST_VALUES = 50
LONGEST_VALUE = 500
"""Characters of one value: more than anybody listens to."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of one call."""

    id: str
    """Unique for good: attempt and the request's key."""
    attempt_id: str
    """Empty when an operator only tries the system."""
    request: Request
    asked_at: float
    """Seconds since the epoch."""

    def body(self) -> bytes:
        """The same bytes at every try."""
        told = {
            "id": self.id,
            "operation": self.request.operation,
            "values": dict(self.request.values),
            "attempt_id": self.attempt_id or None,
            "trial": not self.attempt_id,
            "asked_at": round(self.asked_at, 3),
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()

    def headers(self, secrets: signing.Secrets, body: bytes, *, now: float) -> dict[str, str]:
        """The headers of one try at ``now``."""
        timestamp = int(now)
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"Outbound/{version('outbound')}",
            "Idempotency-Key": f'"{self.id}"',
            "webhook-id": self.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.signature(
                secrets, message_id=self.id, timestamp=timestamp, body=body, now=now
            ),
        }


def read_answer(body: bytes) -> Replied:
    """Read ``{"result": word, "values": {name: text or number}}``; what is wrong with it is its ``problem``."""
    try:
        told = json.loads(body)
    except ValueError:
        return Replied(problem="its answer is no JSON")
    if not isinstance(told, dict):
        return Replied(problem='its answer is no JSON object; it must be {"result": …}')
    result, values = told.get("result"), told.get("values") or {}
    if not isinstance(result, str) or not _NAME.fullmatch(result):
        return Replied(problem='its answer has no "result": a word of a-z, 0-9 and _')
    if not isinstance(values, Mapping) or len(values) > MOST_VALUES:
        return Replied(problem=f'"values" of its answer is no object of at most {MOST_VALUES} values')
    read: dict[str, str] = {}
    for name, value in values.items():
        text = _text(value)
        if not _NAME.fullmatch(name) or text is None or len(text) > LONGEST_VALUE:
            problem = f"values.{name[:64]} of its answer is no text or number of at most {LONGEST_VALUE} characters"
            return Replied(problem=problem)
        read[name] = text
    return Replied(result=result, values=read)


def _text(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, str | int | float) else None
