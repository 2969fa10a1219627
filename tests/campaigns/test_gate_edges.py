"""Where the gate's loops and comparisons turn: the second of several rules, the exact second, the unset field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from campaigns.gate import (
    Budget,
    CampaignTerms,
    Consent,
    OptIn,
    OptOut,
    OwnTerms,
    Reached,
    Refusal,
    RegisterFact,
    Scope,
    Withdrawal,
)
from campaigns.rules import PURPOSES, Cap, RulePack
from tests.campaigns.gate_world import NOON_IN_PARIS, ask, hours, instant, pack, rule, zone

pytestmark = pytest.mark.unit

DAY = 86400
ALWAYS = hours("daily 00:00-24:00")
WRITTEN = Consent(id="c", kind="express_written", at=NOON_IN_PARIS - DAY)
JUST_NOW = (Reached(at=NOON_IN_PARIS - 60),)
THIS = CampaignTerms(id="this")


def with_rules(**rules: Any) -> RulePack:
    return pack(hours=[ALWAYS], **rules)


def cap(name: str, per: str = "24 hours", **fields: Any) -> dict[str, Any]:
    return rule(name, attempts=1, per=per) | fields


# -- the first rule that does not apply hides no other ----------------------------------------------------------------


@pytest.mark.parametrize(
    "silent",
    [
        cap("roomy", attempts=9),
        cap("lifted", unless_consent="express"),
        cap("ended", until="2026-11-01"),
        cap("elapsed", per="1 hour"),
    ],
    ids=lambda one: one["id"],
)
def test_a_cap_that_does_not_bind_hides_no_cap_after_it(silent: dict[str, Any]) -> None:
    both = with_rules(caps=[silent, cap("full")])
    decision = ask(both, history=(Reached(at=NOON_IN_PARIS - 7200),), consents=(WRITTEN,))
    assert (decision.code, decision.rule) == ("attempt_cap", "trial@1#full")


def test_a_ban_that_has_ended_hides_no_ban_after_it() -> None:
    ended = rule("ended", reason="it was forbidden", until="2026-11-01")
    assert ask(with_rules(bans=[ended, rule("ban", reason="it is forbidden")])).rule == "trial@1#ban"
    assert ask(with_rules(bans=[ended])).allowed


@pytest.mark.parametrize("first", [rule("given", needs="express"), rule("free", needs="none")])
def test_consent_that_is_there_hides_no_consent_that_is_missing(first: dict[str, Any]) -> None:
    both = with_rules(consents=[first, rule("strict", needs="express_written", proof=True)])
    assert ask(both, consents=(WRITTEN,)).rule == "trial@1#strict"


def test_consent_of_no_use_hides_no_consent_after_it() -> None:
    needs = with_rules(consents=[rule("consent", needs="express_written")])
    weak, over = replace(WRITTEN, kind="express"), replace(WRITTEN, until=NOON_IN_PARIS - 1)
    assert ask(needs, consents=(weak, over, WRITTEN)).allowed


def test_a_withdrawal_of_something_else_hides_no_withdrawal_after_it() -> None:
    needs = with_rules(consents=[rule("consent", needs="express_written")])
    proven = replace(WRITTEN, proven=True)
    taken_back = tuple(
        Withdrawal(id=one, at=NOON_IN_PARIS - 60, scope=Scope(purpose=one)) for one in ("marketing", "informational")
    )
    assert ask(needs, consents=(proven,), withdrawals=taken_back).code == "consent_missing"
    assert ask(needs, consents=(proven,), withdrawals=taken_back[:1]).allowed


def test_a_register_made_needless_hides_no_register_after_it() -> None:
    needless = rule("needless", register="one", max_age_days=31, lifted_by="express")
    both = with_rules(registers=[needless, rule("listed", register="two", max_age_days=31)])
    facts = {"two": RegisterFact(as_of=NOON_IN_PARIS, listed=True)}
    decision = ask(both, consents=(WRITTEN,), registers=facts)
    assert (decision.code, decision.rule) == ("registered", "trial@1#listed")


def test_a_refusal_of_something_else_hides_no_refusal_after_it() -> None:
    ended = rule("ended", days=90, until="2026-11-01")
    barring = with_rules(refusals=[ended, rule("bar", days=60)])
    refused = tuple(Refusal(id=one, at=NOON_IN_PARIS - DAY, purpose=one) for one in ("marketing", "informational"))
    assert ask(barring, refusals=refused).rule == "trial@1#bar"
    assert ask(barring, refusals=refused[:1]).allowed


def test_a_lifted_opt_out_hides_no_opt_out_after_it() -> None:
    outs = (OptOut(id="1", at=1000.0), OptOut(id="2", at=1000.0, scope=Scope(channel="sms")), OptOut(id="3", at=3000.0))
    assert ask(opt_outs=outs, opt_ins=(OptIn(id="4", at=2000.0),)).rule == "opt-out 3"


# -- every zone counts, not only the first ----------------------------------------------------------------------------

EAST_AND_WEST = (zone("Asia/Tokyo"), zone("America/New_York"))
TWO_DAYS = instant("2026-11-25T00:30:00+09:00")
"""Wednesday in Tokyo, Tuesday in New York."""


@pytest.mark.parametrize("zones", [EAST_AND_WEST, EAST_AND_WEST[::-1]], ids=["east first", "west first"])
def test_in_two_zones_the_stricter_day_decides(zones: Any) -> None:
    begins = rule("ban", reason="it is forbidden", **{"from": "2026-11-25"})
    assert ask(with_rules(bans=[begins]), zones=zones, at=TWO_DAYS).code == "banned"
    young = pack(effective_from="2026-11-25", hours=[ALWAYS])
    decision = ask(young, zones=zones, at=TWO_DAYS)
    assert (decision.code, decision.next_at) == ("rules_unknown", instant("2026-11-25T00:00:00-05:00"))
    full = with_rules(caps=[cap("cap", "1 calendar day")])
    decision = ask(full, zones=zones, at=TWO_DAYS, history=(Reached(at=TWO_DAYS - 3600),))
    assert (decision.code, decision.next_at) == ("attempt_cap", instant("2026-11-25T00:00:00-05:00"))
    barring = with_rules(refusals=[rule("bar", days=1)])
    refused = (Refusal(id="r", at=TWO_DAYS - 26 * 3600, purpose="informational"),)
    decision = ask(barring, zones=zones, at=TWO_DAYS, refusals=refused)
    assert (decision.code, decision.next_at) == ("refused_before", instant("2026-11-25T00:00:00-05:00"))


def test_a_rule_that_has_not_begun_forbids_nothing_and_one_without_dates_always_does() -> None:
    to_come = rule("ban", reason="it is forbidden", **{"from": "2026-11-26"})
    decision = ask(with_rules(bans=[to_come]))
    assert decision.allowed
    assert ask(with_rules(bans=[to_come]), at=instant("2026-11-26T00:00:00+01:00")).next_at is None


def test_a_rule_that_begins_today_by_utc_does_not_bind_where_it_is_still_yesterday() -> None:
    """Neither does one bind late: the shortcut past time zones is for days that have begun in all of them."""
    bans = with_rules(bans=[rule("ban", reason="it is forbidden", **{"from": "2026-11-25"})])
    young = pack(effective_from="2026-11-25", hours=[ALWAYS])
    for place, midnight in (
        ("Pacific/Pago_Pago", "2026-11-25T11:00:00+00:00"),
        ("Pacific/Kiritimati", "2026-11-24T10:00:00+00:00"),
    ):
        at = instant(midnight)
        place_and_time: dict[str, Any] = {"zones": (zone(place),), "guard_s": 0.0}
        before, then = place_and_time | {"at": at - 1}, place_and_time | {"at": at}
        assert ask(bans, **before).allowed
        assert ask(bans, **then).code == "banned"
        assert ask(young, **before).code == "rules_unknown"
        assert ask(young, **then).allowed


DATES = {"from": "2026-11-24", "until": "2026-11-26"}
LISTED = {"registers": {"nodnc": RegisterFact(as_of=NOON_IN_PARIS, listed=True)}}
REFUSED = {"refusals": (Refusal(id="r", at=NOON_IN_PARIS - 3 * DAY, purpose="informational"),)}


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ({"bans": [rule("x", reason="it is forbidden", **DATES)]}, {}),
        ({"consents": [rule("x", needs="express", **DATES)]}, {}),
        ({"registers": [rule("x", register="nodnc", max_age_days=31, **DATES)]}, {}),
        ({"registers": [rule("x", register="nodnc", max_age_days=31, **DATES)]}, LISTED),
        ({"refusals": [rule("x", days="ever", **DATES)]}, REFUSED),
        ({"refusals": [rule("x", days=60, **DATES)]}, REFUSED),
        ({"caps": [cap("x", "7 days", **DATES)]}, {"history": JUST_NOW}),
    ],
)
def test_what_a_rule_forbids_ends_with_the_rule(rules: dict[str, Any], changes: dict[str, Any]) -> None:
    decision = ask(with_rules(**rules), **changes)
    assert not decision.allowed
    assert decision.next_at == instant("2026-11-26T00:00:00+01:00")
    assert ask(with_rules(**rules), at=instant("2026-11-23T23:59:30+01:00"), guard_s=0, **changes).allowed


# -- the exact second -------------------------------------------------------------------------------------------------


def test_an_instant_given_as_an_end_is_past_at_that_instant() -> None:
    spent = CampaignTerms(budget=Budget(limit=3, used=3, frees_at=NOON_IN_PARIS))
    assert ask(campaign=spent).allowed
    assert ask(campaign=CampaignTerms(starts_at=NOON_IN_PARIS)).allowed
    lifted = with_rules(caps=[cap("cap", unless_consent="express")])
    assert not ask(lifted, history=JUST_NOW, consents=(replace(WRITTEN, until=NOON_IN_PARIS),)).allowed
    assert ask(lifted, history=JUST_NOW, consents=(replace(WRITTEN, until=NOON_IN_PARIS + 1),)).allowed


def test_consent_that_has_ended_does_not_turn_time_back() -> None:
    over = (replace(WRITTEN, until=WRITTEN.at + 60),)
    missing = with_rules(registers=[rule("x", register="nodnc", max_age_days=31, lifted_by="express")])
    assert ask(missing, consents=over).next_at is None
    full = with_rules(caps=[cap("cap", unless_consent="express")])
    assert ask(full, history=JUST_NOW, consents=over).next_at == NOON_IN_PARIS - 60 + DAY
    assert ask(with_rules(consents=[rule("x", needs="express")]), consents=over).next_at is None


def test_of_several_consents_to_come_the_first_counts() -> None:
    later = tuple(replace(WRITTEN, at=NOON_IN_PARIS + after) for after in (900, 300, 600))
    past = replace(WRITTEN, until=NOON_IN_PARIS - 1)
    needs = with_rules(consents=[rule("x", needs="express")])
    assert ask(needs, consents=(past, *later)).next_at == NOON_IN_PARIS + 300
    fleeting = replace(WRITTEN, at=NOON_IN_PARIS + 60.2, until=NOON_IN_PARIS + 60.8)
    assert ask(needs, consents=(fleeting,)).next_at is None


def test_a_window_closes_for_the_call_that_would_ring_at_its_end_and_says_so() -> None:
    """Also where the campaign has a window too, and where another rule is open beyond midnight."""
    whole, short = ALWAYS | {"id": "whole"}, hours("daily 09:00-24:00") | {"id": "short"}
    ringing_into_midnight = instant("2026-11-24T23:59:35+01:00")
    assert ask(pack(hours=[whole, short]), at=ringing_into_midnight).rule == "trial@1#short"
    assert ask(pack(hours=[whole, short]), at=ringing_into_midnight - 1).allowed
    assert ask(pack(hours=[whole]), at=ringing_into_midnight + 20).allowed


def test_a_deadline_at_the_instant_of_asking_has_passed_whatever_else_stands_in_the_way() -> None:
    night = instant("2026-11-24T03:00:00+01:00")
    assert ask(at=night, campaign=CampaignTerms(expires_at=night)).code == "expired"
    assert ask(at=night, campaign=CampaignTerms(expires_at=night + 1)).next_at is None


def test_a_calendar_day_on_which_the_clock_is_moved_ends_at_its_own_midnight() -> None:
    full = with_rules(caps=[cap("cap", "1 calendar day")])
    for day, midnight in (
        ("2026-03-29T00:30:00+01:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25T00:30:00+02:00", "2026-10-26T00:00:00+01:00"),
    ):
        at = instant(day)
        assert ask(full, at=at, history=(Reached(at=at - 60),)).next_at == instant(midnight)


# -- what is not set, and what nobody knows ---------------------------------------------------------------------------


def test_consent_lifts_only_a_cap_that_says_so() -> None:
    assert ask(with_rules(caps=[cap("cap")]), history=JUST_NOW, consents=(WRITTEN,)).code == "attempt_cap"


def test_a_rule_that_needs_a_kind_of_consent_nobody_knows_permits_nobody() -> None:
    plain = with_rules(consents=[rule("x", needs="express")])
    odd = replace(plain, consents=(replace(plain.consents[0], needs="signed_in_blood"),))
    assert ask(odd).code == ask(odd, consents=(WRITTEN,)).code == "consent_missing"
    strange = replace(WRITTEN, kind="a nod")
    assert ask(plain, consents=(strange,)).code == "consent_missing"


@pytest.mark.parametrize("outcome", ["", "busy", "a word to come"])
def test_a_cap_that_names_no_outcome_counts_every_one(outcome: str) -> None:
    reached = (replace(JUST_NOW[0], outcome=outcome, answered=False),)
    assert ask(with_rules(caps=[cap("cap")]), history=reached).code == "attempt_cap"


@pytest.mark.parametrize(
    ("counted", "outcome", "answered", "full"),
    [
        ("machine", "", False, True),
        ("machine", "busy", None, False),
        ("answered", "accepted", True, True),
        ("answered", "accepted", None, True),
        ("answered", "busy", False, False),
        ("unanswered", "accepted", None, True),
        ("unanswered", "accepted", True, False),
    ],
)
def test_an_attempt_whose_outcome_is_not_known_may_be_any(
    counted: str, outcome: str, answered: bool | None, full: bool
) -> None:
    reached = (replace(JUST_NOW[0], outcome=outcome, answered=answered),)
    assert ask(with_rules(caps=[cap("cap", outcomes=[counted])]), history=reached).allowed is not full


@pytest.mark.parametrize("counted", ["answered", "unanswered"])
def test_whether_an_attempt_was_answered_is_not_known_until_it_is_said(counted: str) -> None:
    reached = (Reached(at=NOON_IN_PARIS - 60, outcome="undetermined"),)
    assert ask(with_rules(caps=[cap("cap", outcomes=[counted])]), history=reached).code == "attempt_cap"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_opt_out_of_one_purpose_leaves_the_others_and_every_purpose_is_known(purpose: str) -> None:
    """A purpose that only the rules knew would be taken for a word nobody understands, and would bar everything."""
    out = (OptOut(id="1", at=0.0, scope=Scope(purpose=purpose)),)
    assert ask(opt_outs=out).allowed is (purpose != "informational")


def test_permission_for_one_campaign_is_good_for_that_one_and_for_all_when_none_is_named() -> None:
    out = (OptOut(id="1", at=0.0),)
    for scope, allowed in ((Scope(campaign="this"), True), (Scope(campaign="other"), False), (Scope(), True)):
        assert ask(campaign=THIS, opt_outs=out, opt_ins=(OptIn(id="2", at=5.0, scope=scope),)).allowed is allowed
    assert ask(opt_outs=out, opt_ins=(OptIn(id="2", at=5.0, scope=Scope(purpose="all")),)).allowed
    needs = with_rules(consents=[rule("x", needs="express")])
    assert ask(needs, campaign=THIS, consents=(replace(WRITTEN, scope=Scope(campaign="this")),)).allowed
    withdrawn = (Withdrawal(id="w", at=NOON_IN_PARIS - 1, scope=Scope(campaign="this")),)
    assert not ask(needs, campaign=THIS, consents=(WRITTEN,), withdrawals=withdrawn).allowed
    assert ask(needs, campaign=CampaignTerms(id="other"), consents=(WRITTEN,), withdrawals=withdrawn).allowed


def test_a_campaigns_own_cap_binds_though_it_has_no_dates() -> None:
    own = Cap(
        cite="campaign#cap",
        source="",
        mark="H",
        purposes=frozenset({"informational"}),
        channels=frozenset({"voice"}),
        attempts=1,
        period_s=3600,
    )
    elsewhere = (replace(JUST_NOW[0], campaign="other"),)
    decision = ask(with_rules(), own=OwnTerms(caps=(own,)), history=elsewhere, campaign=THIS)
    assert (decision.rule, decision.next_at) == ("campaign#cap", NOON_IN_PARIS + 3540)
    both = ask(with_rules(caps=[cap("cap")]), own=OwnTerms(caps=(own,)), history=JUST_NOW)
    assert (both.rule, both.next_at) == ("trial@1#cap", NOON_IN_PARIS - 60 + DAY)


# -- of everything that stands in the way, what is told ---------------------------------------------------------------

OF_OLD = {"from": "2000-01-01"}
NIGHT = instant("2026-11-24T03:00:00+01:00")
OBSTACLES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    # the code that it adds, what it adds to the pack, what it adds to the question
    ("budget_spent", {}, {"budget": Budget(limit=1, used=1)}),
    ("attempt_cap", {"caps": [cap("x", **OF_OLD)]}, {"history": (Reached(at=NIGHT - 60),)}),
    ("outside_hours", {"hours": [hours("daily 09:00-20:00", **OF_OLD)]}, {}),
    ("not_started", {}, {"starts_at": NIGHT + 60}),
    ("expired", {}, {"expires_at": NIGHT - 60}),
    ("refused_before", {"refusals": [rule("r", days=60, **OF_OLD)]}, REFUSED),
    ("registered", {"registers": [rule("d", register="nodnc", max_age_days=31, **OF_OLD)]}, LISTED),
    ("consent_missing", {"consents": [rule("c", needs="express", **OF_OLD)]}, {}),
    ("banned", {"bans": [rule("b", reason="it is forbidden", **OF_OLD)]}, {}),
    ("rules_unknown", {"effective_from": "2026-12-01"}, {}),
    ("zone_unknown", {}, {"zones": ()}),
    ("opted_out", {}, {"opt_outs": (OptOut(id="1", at=0.0),)}),
    ("channel_unknown", {}, {"channel": "fax"}),
)


def test_of_several_obstacles_the_one_that_waiting_and_work_change_least_is_told() -> None:
    """An operator who is told of closed hours waits for the morning, and then learns that the law forbids it."""
    rules: dict[str, Any] = {"hours": [ALWAYS]}
    question: dict[str, Any] = {}
    for code, more_rules, more in OBSTACLES:
        rules, question = rules | more_rules, question | more
        terms = {key: value for key, value in question.items() if key in ("budget", "starts_at", "expires_at")}
        asked = {key: value for key, value in question.items() if key not in terms}
        assert ask(pack(**rules), at=NIGHT, campaign=CampaignTerms(**terms), **asked).code == code
