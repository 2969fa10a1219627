"""What a line is asked for: whose value each variable has is told with it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from campaigns.gate.regime import Regime, compile_regime
from campaigns.rules.book import applicable, built_in_packs
from outbound.request import call_request, respects
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


def regime(*jurisdictions: str, purpose: str = "informational") -> Regime:
    return compile_regime(applicable(built_in_packs(), jurisdictions), purpose, "voice")


TODAY = date(2026, 11, 26).toordinal()


@pytest.mark.parametrize(
    ("places", "terms"),
    [
        (("US", "US-DC"), ""),
        (("US", "US-CA"), "notice"),
        (("US", "US-FL"), "consent"),
        (("US", "US-CA", "US-FL"), "consent"),
        (("GB",), "notice"),
        (("DE",), "consent"),
        (("CN",), "notice"),
    ],
)
def test_recordings_are_kept_on_the_strictest_terms_of_the_place(places: tuple[str, ...], terms: str) -> None:
    found, told = respects(regime(*places), TODAY, record=True)
    assert found == terms
    notices = [one.say["en"] for one in told if "recorded" in one.say["en"]]
    assert notices == (["This call is recorded."] if terms else [])


def test_who_records_nothing_says_nothing_of_it() -> None:
    _, told = respects(regime("GB"), TODAY, record=False)
    assert not any("recorded" in one.say["en"] for one in told)


def test_what_is_said_comes_before_that_it_is_recorded() -> None:
    _, told = respects(regime("DE", purpose="marketing"), TODAY, record=True)
    assert [one.say["en"] for one in told] == [
        "This is a marketing call.",
        "You are talking with an artificial intelligence.",
        "This call is recorded.",
    ]


def test_a_sentence_is_said_only_while_its_rule_holds() -> None:
    _, told = respects(regime("FR"), date(2026, 8, 1).toordinal(), record=False)
    assert not any("artificial" in one.say["en"] for one in told)


def test_without_rules_nothing_is_recorded() -> None:
    assert respects(None, TODAY, record=True) == ("never", ())
