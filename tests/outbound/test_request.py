"""What a line is asked for: whose value each variable has is told with it."""

from __future__ import annotations

from typing import Any

import pytest

from outbound.request import call_request
from outbound.store.attempts import Intent

pytestmark = pytest.mark.unit
SETTINGS: dict[str, Any] = {"language": "en", "ring_timeout_s": 25.0, "max_duration_s": 60.0, "agent_uri": ""}


def intent(*, campaign: dict[str, str], contact: dict[str, str], name: str = "") -> Intent:
    settings = SETTINGS | {"record": False, "variables": campaign}
    person = {"id": "01WHO", "number": "+447700900123", "name": name, "language": "", "zones": ["Europe/London"]}
    return Intent(
        attempt={"id": "01TRY"},  # type: ignore[arg-type]
        campaign={"flow": {}, "settings": settings},  # type: ignore[arg-type]
        contact=person | {"variables": contact},  # type: ignore[arg-type]
        trunk={"name": "default", "settings": {"host": "127.0.0.1"}},  # type: ignore[arg-type]
        call_id="01TRY-1@outbound",
    )


def test_what_the_contact_brings_is_not_shared() -> None:
    made = call_request(
        intent(campaign={"business": "Acme", "day": "Monday"}, contact={"day": "Tuesday"}, name="Philippa"),
        fence=1,
        send_before=1.0,
    )
    assert made.variables == {"business": "Acme", "day": "Tuesday", "customer_name": "Philippa"}
    assert made.shared == ("business",)


def test_a_name_that_the_campaign_gives_everybody_is() -> None:
    made = call_request(
        intent(campaign={"customer_name": "neighbour"}, contact={}, name="Philippa"), fence=1, send_before=1.0
    )
    assert made.variables == {"customer_name": "neighbour"}
    assert made.shared == ("customer_name",)
