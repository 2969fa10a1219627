"""The words of every refusal, whole: an operator reads them beside the number, and an auditor years later."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.gate import (
    CODES,
    Budget,
    CampaignTerms,
    Decision,
    Listing,
    OptOut,
    OwnTerms,
    Reached,
    Refusal,
    RegisterFact,
    compile_regime,
    decide,
)
from campaigns.rules import RulePack, week_window
from tests.campaigns.gate_world import NOON_IN_PARIS, QUESTION, ask, hours, instant, pack, rule

pytestmark = pytest.mark.unit

ALWAYS = hours("daily 00:00-24:00")
TOO_LITTLE = ("house", "what is not known to be permitted is refused", "H")
"""Rule, source and mark of what the house refuses because it knows too little."""


def with_rules(**rules: Any) -> RulePack:
    return pack(hours=[ALWAYS], **rules)


def words(decision: Decision) -> tuple[str, str, str, str, str]:
    return decision.code, decision.reason, decision.rule, decision.source, decision.mark


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        (
            {"purpose": "chatting"},
            "purpose_unknown",
            "purpose 'chatting' is not known; use one of marketing, informational, transactional, emergency",
        ),
        ({"channel": "fax"}, "channel_unknown", "channel 'fax' is not known; use one of voice, sms"),
        (
            {"zones": ()},
            "zone_unknown",
            "the customer's time zone is not known; supply zone, or country and postcode",
        ),
    ],
)
def test_what_the_house_refuses_for_want_of_knowledge(changes: dict[str, Any], code: str, reason: str) -> None:
    assert words(ask(**changes)) == (code, reason, *TOO_LITTLE)


def test_days_without_rules() -> None:
    none = decide(QUESTION, compile_regime((), "informational", "voice"))
    early = ask(pack(effective_from="2026-12-01", hours=[ALWAYS]))
    assert words(none) == ("rules_unknown", "no rule pack applies; put one in force", *TOO_LITTLE)
    assert words(early) == ("rules_unknown", "no rule pack is in force on that day", *TOO_LITTLE)


@pytest.mark.parametrize(
    ("changes", "code", "reason", "cite"),
    [
        ({"opt_outs": (OptOut(id="7", at=0.0),)}, "opted_out", CODES["opted_out"], "opt-out 7"),
        ({"house_lists": (Listing(name="no-calls", since=0.0),)}, "opted_out", CODES["opted_out"], "register no-calls"),
        (
            {"campaign": CampaignTerms(expires_at=NOON_IN_PARIS)},
            "expired",
            "the campaign's deadline has passed",
            "campaign",
        ),
        (
            {"campaign": CampaignTerms(starts_at=NOON_IN_PARIS + 1)},
            "not_started",
            "the campaign has not begun",
            "campaign",
        ),
        (
            {"campaign": CampaignTerms(budget=Budget(limit=5, used=6))},
            "budget_spent",
            "the campaign has made 6 of 5 attempts",
            "campaign",
        ),
        (
            {"own": OwnTerms(windows=(week_window(["tue"], "07:00", "10:00"),))},
            "outside_campaign_windows",
            "it is outside the campaign's hours in Europe/Paris",
            "campaign",
        ),
    ],
)
def test_what_the_customer_and_the_campaign_forbid(changes: dict[str, Any], code: str, reason: str, cite: str) -> None:
    assert words(ask(**changes)) == (code, reason, cite, "", "")


@pytest.mark.parametrize(
    ("rules", "changes", "code", "reason"),
    [
        ({"bans": [rule("x", reason="the law says so")]}, {}, "banned", "the law says so"),
        (
            {"consents": [rule("x", needs="express_written")]},
            {},
            "consent_missing",
            "informational by voice needs express written consent; supply it with its proof",
        ),
        (
            {"consents": [rule("x", needs="express", proof=True)]},
            {"channel": "sms"},
            "consent_missing",
            "informational by sms needs express consent recorded with proof; supply it with its proof",
        ),
        (
            {"registers": [rule("x", register="nodnc", max_age_days=31)]},
            {},
            "register_missing",
            "register 'nodnc' was never loaded; load it, or record the customer's consent",
        ),
        (
            {"registers": [rule("x", register="nodnc", max_age_days=31)]},
            {"registers": {"nodnc": RegisterFact(as_of=NOON_IN_PARIS, listed=True)}},
            "registered",
            "the number is on register 'nodnc'",
        ),
        (
            {"registers": [rule("x", register="nodnc", max_age_days=31)]},
            {"registers": {"nodnc": RegisterFact(as_of=0.0, listed=False)}},
            "register_stale",
            "register 'nodnc' is older than 31 days; load a newer one",
        ),
        (
            {"refusals": [rule("x", days=60)]},
            {"refusals": (Refusal(id="r", at=NOON_IN_PARIS, purpose="informational"),)},
            "refused_before",
            "the customer refused less than 60 days ago",
        ),
        (
            {"refusals": [rule("x", days="ever")]},
            {"refusals": (Refusal(id="r", at=0.0, purpose="informational"),)},
            "refused_before",
            "the customer refused and may not be asked again",
        ),
    ],
)
def test_what_a_rule_forbids(rules: dict[str, Any], changes: dict[str, Any], code: str, reason: str) -> None:
    assert words(ask(with_rules(**rules), **changes)) == (code, reason, "trial@1#x", "a test", "H")


@pytest.mark.parametrize(
    ("cap", "reason"),
    [
        ({"per": "24 hours"}, "the number was tried 1 times within 24 hours"),
        ({"per": "71 hours"}, "the number was tried 1 times within 71 hours"),
        ({"per": "72 hours"}, "the number was tried 1 times within 3 days"),
        ({"per": "1 calendar day"}, "the number was tried 1 times within one calendar day"),
        ({"per": "2 calendar days"}, "the number was tried 1 times within 2 calendar days"),
        ({"per": "calendar week"}, "the number was tried 1 times within one calendar week"),
        ({"per": "24 hours", "scope": "campaign"}, "the number was tried 1 times in this campaign within 24 hours"),
    ],
)
def test_which_cap_is_reached(cap: dict[str, Any], reason: str) -> None:
    capped = with_rules(caps=[rule("x", attempts=1, **cap)])
    decision = ask(capped, history=(Reached(at=NOON_IN_PARIS - 60),))
    assert words(decision) == ("attempt_cap", reason, "trial@1#x", "a test", "H")


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2026-11-24T03:00:00+01:00", "it is outside the permitted hours in Europe/Paris"),
        (
            "2026-11-24T19:59:40+01:00",
            "it is outside the permitted hours in Europe/Paris; it closes in 20 s and may ring for 25",
        ),
    ],
)
def test_outside_the_hours(at: str, reason: str) -> None:
    decision = ask(pack(hours=[hours("daily 09:00-20:00")]), at=instant(at))
    assert words(decision) == ("outside_hours", reason, "trial@1#hours", "a test", "H")


def test_a_permission_names_the_packs_that_could_have_forbidden_it() -> None:
    decision = ask(with_rules())
    assert words(decision) == ("permitted", "every rule allows it", "trial@1", "", "")
