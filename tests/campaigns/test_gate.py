"""The gate: what it refuses, why, and from when it permits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import inf
from typing import Any

import pytest

from campaigns.gate import (
    CODES,
    Budget,
    CampaignTerms,
    Consent,
    Listing,
    OptIn,
    OptOut,
    OwnTerms,
    Reached,
    Refusal,
    RegisterFact,
    Scope,
    Withdrawal,
    compile_regime,
    decide,
)
from campaigns.rules import load_pack, make_calendar, week_window
from tests.campaigns.gate_world import NOON_IN_PARIS, QUESTION, ask, hours, instant, pack, rule, zone

pytestmark = pytest.mark.unit

DAY = 86400
ALWAYS = hours("daily 00:00-24:00")
OPEN = pack(hours=[ALWAYS])
NEEDS_WRITTEN = pack(hours=[ALWAYS], consents=[rule("consent", needs="express_written")])
WRITTEN = Consent(id="c", kind="express_written", at=NOON_IN_PARIS - DAY, proven=True)


def test_it_permits_what_every_rule_allows() -> None:
    decision = ask()
    assert decision.allowed
    assert decision.code == "permitted"
    assert decision.rule == "default@2026-11-25, house@2026-11-26"
    assert decision.next_at == NOON_IN_PARIS


def test_a_refusal_names_the_rule_its_version_its_source_and_how_sure_it_is() -> None:
    decision = ask(at=instant("2026-11-24T21:30:00+01:00"))
    assert decision.rule == "default@2026-11-25#hours"
    assert decision.source
    assert decision.mark == "H"
    assert "Europe/Paris" in decision.reason


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"zones": ()}, "zone_unknown"),
        ({"purpose": "chatting"}, "purpose_unknown"),
        ({"channel": "pigeon"}, "channel_unknown"),
        ({"opt_outs": (OptOut(id="1", at=0.0),)}, "opted_out"),
        ({"house_lists": (Listing(name="customers-who-said-no", since=0.0),)}, "opted_out"),
        ({"purpose": "marketing"}, "consent_missing"),
        ({"campaign": CampaignTerms(expires_at=NOON_IN_PARIS)}, "expired"),
        ({"campaign": CampaignTerms(budget=Budget(limit=5, used=5))}, "budget_spent"),
    ],
)
def test_what_waiting_cannot_change_is_refused_for_good(changes: dict[str, Any], code: str) -> None:
    decision = ask(**changes)
    assert not decision.allowed
    assert decision.code == code
    assert code in CODES
    assert decision.next_at is None


def test_without_any_pack_nothing_is_permitted() -> None:
    decision = decide(QUESTION, compile_regime((), "informational", "voice"))
    assert (decision.code, decision.next_at) == ("rules_unknown", None)


def test_before_the_first_pack_is_in_force_nothing_is_permitted() -> None:
    later = pack(effective_from="2026-12-01", hours=[ALWAYS])
    decision = ask(later)
    assert decision.code == "rules_unknown"
    assert decision.next_at == instant("2026-12-01T00:00:00+01:00")


# -- opt-outs and opt-ins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope(), False),
        (Scope(purpose="informational"), False),
        (Scope(purpose="marketing"), True),
        (Scope(purpose="whatever that is"), False),
        (Scope(channel="voice"), False),
        (Scope(channel="sms"), True),
        (Scope(campaign="this"), False),
        (Scope(campaign="another"), True),
        (Scope(purpose="informational", channel="sms"), True),
    ],
)
def test_an_opt_out_covers_its_purpose_channel_and_campaign(scope: Scope, allowed: bool) -> None:
    opted_out = (OptOut(id="1", at=0.0, scope=scope),)
    assert ask(opt_outs=opted_out, campaign=CampaignTerms(id="this")).allowed is allowed


def test_only_a_later_opt_in_that_covers_the_question_lifts_an_opt_out() -> None:
    out = (OptOut(id="1", at=1000.0),)
    for opt_in, allowed in (
        (OptIn(id="2", at=1001.0), True),
        (OptIn(id="2", at=1000.0), False),
        (OptIn(id="2", at=999.0), False),
        (OptIn(id="2", at=1001.0, scope=Scope(purpose="marketing")), False),
        (OptIn(id="2", at=1001.0, scope=Scope(purpose="no such purpose")), False),
        (OptIn(id="2", at=1001.0, scope=Scope(channel="sms")), False),
        (OptIn(id="2", at=1001.0, scope=Scope(purpose="informational", channel="voice")), True),
    ):
        assert ask(opt_outs=out, opt_ins=(opt_in,)).allowed is allowed


def test_an_opt_in_to_come_lifts_nothing_before_it_happens() -> None:
    tomorrow = NOON_IN_PARIS + DAY
    decision = ask(opt_outs=(OptOut(id="1", at=0.0),), opt_ins=(OptIn(id="2", at=tomorrow),))
    assert (decision.code, decision.next_at) == ("opted_out", tomorrow)


def test_the_newest_opt_out_after_an_opt_in_wins() -> None:
    outs = (OptOut(id="1", at=1000.0), OptOut(id="3", at=3000.0))
    decision = ask(opt_outs=outs, opt_ins=(OptIn(id="2", at=2000.0),))
    assert (decision.code, decision.rule) == ("opted_out", "opt-out 3")


def test_an_opt_out_with_a_time_ahead_of_the_clock_counts() -> None:
    assert ask(opt_outs=(OptOut(id="1", at=NOON_IN_PARIS + DAY),)).code == "opted_out"


def test_a_house_list_is_lifted_by_the_customers_own_act_alone() -> None:
    listed = (Listing(name="no", since=5.0),)
    assert ask(house_lists=listed, opt_ins=(OptIn(id="2", at=6.0),)).allowed
    assert ask(house_lists=listed, opt_ins=(OptIn(id="2", at=5.0),)).code == "opted_out"
    assert ask(house_lists=listed, consents=(WRITTEN,)).code == "opted_out"


# -- consent ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consent", "allowed"),
    [
        (WRITTEN, True),
        (replace(WRITTEN, kind="express"), False),
        (replace(WRITTEN, kind="a nod"), False),
        (replace(WRITTEN, at=NOON_IN_PARIS), True),
        (replace(WRITTEN, until=NOON_IN_PARIS), False),
        (replace(WRITTEN, until=NOON_IN_PARIS + 1), True),
        (replace(WRITTEN, scope=Scope(purpose="marketing")), False),
        (replace(WRITTEN, scope=Scope(purpose="informational")), True),
        (replace(WRITTEN, scope=Scope(channel="sms")), False),
        (replace(WRITTEN, scope=Scope(campaign="another")), False),
    ],
)
def test_consent_must_be_of_the_kind_for_what_is_asked_and_in_time(consent: Consent, allowed: bool) -> None:
    decision = ask(NEEDS_WRITTEN, consents=(consent,))
    assert decision.allowed is allowed
    assert allowed or decision.code == "consent_missing"


def test_consent_that_begins_later_permits_from_then() -> None:
    decision = ask(NEEDS_WRITTEN, consents=(replace(WRITTEN, at=NOON_IN_PARIS + 3600.5),))
    assert decision.next_at == NOON_IN_PARIS + 3601


@pytest.mark.parametrize(
    ("withdrawal", "allowed"),
    [
        (Withdrawal(id="w", at=WRITTEN.at - 1), True),
        (Withdrawal(id="w", at=WRITTEN.at), False),
        (Withdrawal(id="w", at=WRITTEN.at + 1), False),
        (Withdrawal(id="w", at=NOON_IN_PARIS + 1), True),
        (Withdrawal(id="w", at=WRITTEN.at + 1, scope=Scope(purpose="marketing")), True),
        (Withdrawal(id="w", at=WRITTEN.at + 1, scope=Scope(channel="voice")), False),
    ],
)
def test_a_withdrawal_ends_earlier_consent_that_it_covers(withdrawal: Withdrawal, allowed: bool) -> None:
    assert ask(NEEDS_WRITTEN, consents=(WRITTEN,), withdrawals=(withdrawal,)).allowed is allowed


def test_a_rule_may_ask_for_young_consent_and_for_proof() -> None:
    strict = pack(hours=[ALWAYS], consents=[rule("consent", needs="express", max_age_days=30, proof=True)])
    claimed = (replace(WRITTEN, proven=False),)
    assert ask(strict, consents=claimed).code == "consent_missing"
    assert "with proof" in ask(strict, consents=claimed).reason
    assert ask(strict, consents=(replace(WRITTEN, at=NOON_IN_PARIS - 30 * DAY + 1),)).allowed
    assert ask(strict, consents=(replace(WRITTEN, at=NOON_IN_PARIS - 30 * DAY),)).code == "consent_missing"


def test_what_an_import_claims_does_not_outlive_a_withdrawal_of_any_time() -> None:
    claimed = (replace(WRITTEN, proven=False),)
    withdrawn = (Withdrawal(id="w", at=WRITTEN.at - DAY),)
    assert ask(NEEDS_WRITTEN, consents=claimed).allowed
    assert ask(NEEDS_WRITTEN, consents=claimed, withdrawals=withdrawn).code == "consent_missing"
    assert ask(NEEDS_WRITTEN, consents=(*claimed, WRITTEN), withdrawals=withdrawn).allowed


def test_a_rule_that_needs_no_consent_asks_for_none() -> None:
    assert ask(pack(hours=[ALWAYS], consents=[rule("consent", needs="none")])).allowed


# -- registers, bans, refusals ----------------------------------------------------------------------------------------

REGISTER = pack(
    hours=[ALWAYS], registers=[rule("register", register="nodnc", max_age_days=31, lifted_by="express_written")]
)


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        (None, "register_missing"),
        (RegisterFact(as_of=None, listed=False), "register_missing"),
        (RegisterFact(as_of=NOON_IN_PARIS - 31 * DAY, listed=False), "register_stale"),
        (RegisterFact(as_of=NOON_IN_PARIS - 31 * DAY + 1, listed=False), "permitted"),
        (RegisterFact(as_of=NOON_IN_PARIS, listed=True), "registered"),
        (RegisterFact(as_of=NOON_IN_PARIS - 99 * DAY, listed=True), "registered"),
    ],
)
def test_a_register_must_be_loaded_fresh_and_without_the_number(fact: RegisterFact | None, code: str) -> None:
    assert ask(REGISTER, registers={} if fact is None else {"nodnc": fact}).code == code
    assert ask(REGISTER, registers={} if fact is None else {"nodnc": fact}, consents=(WRITTEN,)).allowed


def test_consent_to_come_makes_a_register_needless_from_then() -> None:
    decision = ask(REGISTER, consents=(replace(WRITTEN, at=NOON_IN_PARIS + 60),))
    assert (decision.code, decision.next_at) == ("register_missing", NOON_IN_PARIS + 60)


def test_a_ban_holds_between_its_days_in_the_customers_zone() -> None:
    banned = pack(
        hours=[ALWAYS], bans=[rule("ban", reason="it is forbidden", **{"from": "2026-11-20"}, until="2026-12-01")]
    )
    decision = ask(banned)
    assert (decision.code, decision.reason) == ("banned", "it is forbidden")
    assert decision.next_at == instant("2026-12-01T00:00:00+01:00")
    assert ask(banned, at=instant("2026-11-19T23:59:59+01:00"), guard_s=0).allowed
    assert ask(banned, at=instant("2026-11-20T00:00:00+01:00")).code == "banned"


def test_where_zones_differ_a_rule_is_in_force_when_it_is_in_one_of_them() -> None:
    banned = pack(hours=[ALWAYS], bans=[rule("ban", reason="it is forbidden", **{"from": "2026-11-25"})])
    both = (zone("America/New_York"), zone("Asia/Tokyo"))
    assert ask(banned, zones=both, at=instant("2026-11-25T00:30:00+09:00")).code == "banned"


@pytest.mark.parametrize(("ago", "allowed"), [(0, False), (59, False), (60, False), (61, True), (400, True)])
def test_a_refusal_bars_for_whole_local_days(ago: int, allowed: bool) -> None:
    barring = pack(hours=[ALWAYS], refusals=[rule("bar", days=60)])
    refused = (Refusal(id="r", at=NOON_IN_PARIS - ago * DAY, purpose="informational"),)
    decision = ask(barring, refusals=refused)
    assert decision.allowed is allowed
    assert allowed or decision.code == "refused_before"


def test_the_bar_after_a_refusal_ends_at_a_local_midnight() -> None:
    barring = pack(hours=[ALWAYS], refusals=[rule("bar", days=60)])
    refused = (Refusal(id="r", at=instant("2026-11-24T00:00:00+01:00"), purpose="informational"),)
    assert ask(barring, refusals=refused).next_at == instant("2027-01-24T00:00:00+01:00")


def test_some_refusals_bar_for_ever_and_only_for_their_purpose() -> None:
    barring = pack(hours=[ALWAYS], refusals=[rule("bar", days="ever")])
    refused = (Refusal(id="r", at=0.0, purpose="informational"),)
    assert ask(barring, refusals=refused).next_at is None
    assert ask(barring, refusals=(Refusal(id="r", at=0.0, purpose="marketing"),)).allowed


# -- hours ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-11-24T08:59:59+01:00", False),
        ("2026-11-24T09:00:00+01:00", True),
        ("2026-11-24T19:59:34+01:00", True),
        ("2026-11-24T19:59:35+01:00", False),  # would still ring at 20:00:00
        ("2026-11-24T03:00:00+01:00", False),
    ],
)
def test_local_hours_with_a_closing_guard(at: str, allowed: bool) -> None:
    assert ask(at=instant(at)).allowed is allowed


def test_a_pack_and_a_campaign_may_ask_for_a_longer_closing_guard() -> None:
    guarded = pack(hours=[hours("daily 09:00-20:00")], guards=[rule("guard", closing_s=600)])
    assert not ask(guarded, at=instant("2026-11-24T19:50:00+01:00")).allowed
    assert ask(guarded, at=instant("2026-11-24T19:49:59+01:00")).allowed
    assert not ask(guarded, at=instant("2026-11-24T19:40:00+01:00"), own=OwnTerms(closing_s=1200)).allowed


def test_the_next_instant_is_the_next_mornings_opening() -> None:
    decision = ask(at=instant("2026-11-24T21:30:00+01:00"))
    assert decision.code == "outside_hours"
    assert decision.next_at == instant("2026-11-25T09:00:00+01:00")


def test_split_windows_reopen_after_the_pause() -> None:
    split = pack(hours=[hours("mon-fri 10:00-13:00", "mon-fri 14:00-20:00")])
    assert ask(split, at=instant("2026-11-24T12:59:50+01:00")).next_at == instant("2026-11-24T14:00:00+01:00")
    assert ask(split, at=instant("2026-11-27T19:59:59+01:00")).next_at == instant("2026-11-30T10:00:00+01:00")


def test_every_candidate_zone_must_allow_it() -> None:
    both = (zone("America/New_York"), zone("America/Los_Angeles"))
    decision = ask(zones=both, at=instant("2026-11-24T09:30:00-05:00"))
    assert not decision.allowed
    assert "Los_Angeles" in decision.reason
    assert decision.next_at == instant("2026-11-24T09:00:00-08:00")


def test_zones_without_a_common_hour_never_allow_it() -> None:
    apart = (zone("Pacific/Honolulu"), zone("Pacific/Kiritimati"), zone("Europe/Paris"))
    assert ask(pack(hours=[hours("daily 10:00-16:00")]), zones=apart).next_at is None


def test_the_strictest_of_several_packs_wins() -> None:
    early, late = pack(hours=[hours("daily 06:00-12:00")]), pack(hours=[hours("daily 11:30-20:00")])
    assert not ask(early, late, at=instant("2026-11-24T11:29:59+01:00")).allowed
    assert ask(early, late, at=instant("2026-11-24T11:30:00+01:00")).allowed
    assert ask(early, late).next_at == instant("2026-11-25T11:30:00+01:00")


def test_a_campaigns_own_windows_only_narrow() -> None:
    own = OwnTerms(windows=(week_window(["tue"], "07:00", "10:00"),))
    decision = ask(own=own)
    assert (decision.code, decision.rule) == ("outside_campaign_windows", "campaign")
    assert decision.next_at == instant("2026-12-01T09:00:00+01:00")


def test_a_campaign_waits_for_its_beginning_and_ends_at_its_deadline() -> None:
    later = CampaignTerms(starts_at=instant("2026-11-26T08:30:00.5+01:00"))
    decision = ask(campaign=later)
    assert (decision.code, decision.next_at) == ("not_started", instant("2026-11-26T09:00:00+01:00"))
    night = instant("2026-11-24T21:00:00+01:00")
    ends = CampaignTerms(expires_at=instant("2026-11-25T09:00:00+01:00"))
    assert ask(at=night, campaign=ends).next_at is None
    assert ask(at=night, campaign=replace(ends, expires_at=ends.expires_at + 1)).next_at == ends.expires_at  # type: ignore[operator]


def test_a_rule_of_hours_that_comes_into_force_changes_the_hours_from_its_day() -> None:
    dated = pack(hours=[hours("daily 00:00-24:00"), hours("daily 12:00-14:00") | {"id": "new", "from": "2026-11-25"}])
    assert ask(dated, at=instant("2026-11-24T23:59:00+01:00"), guard_s=0).allowed
    assert ask(dated, at=instant("2026-11-25T00:00:00+01:00")).next_at == instant("2026-11-25T12:00:00+01:00")


# -- special days -----------------------------------------------------------------------------------------------------

CALENDAR = make_calendar(
    [date(2026, 12, 25), date(2027, 1, 1)], [date(2026, 12, 24)], first=date(2026, 1, 1), last=date(2028, 12, 31)
)


def test_holidays_are_closed_and_unknown_days_too() -> None:
    closed = pack(holidays={"country": "FR"}, hours=[hours("daily 09:00-20:00", closed_on=["holiday"])])
    assert ask(closed, calendar=CALENDAR).allowed
    christmas = instant("2026-12-25T12:00:00+01:00")
    decision = ask(closed, calendar=CALENDAR, at=christmas)
    assert (decision.code, decision.next_at) == ("outside_hours", instant("2026-12-26T09:00:00+01:00"))
    assert ask(closed, at=NOON_IN_PARIS).next_at is None
    assert not ask(closed, calendar=CALENDAR, at=instant("2029-03-01T12:00:00+01:00")).allowed


def test_eves_half_days_and_dates_narrow_their_weekday() -> None:
    narrow = pack(
        holidays={"country": "FR", "half_days": True},
        hours=[
            hours(
                "mon-sat 09:00-20:00",
                "eve 10:00-19:00",
                "half_day 00:00-13:00",
                "12-31 09:00-12:00",
                closed_on=["holiday"],
            )
        ],
    )
    for at, allowed in (
        ("2026-12-24 09:59 Europe/Paris", False),  # an eve
        ("2026-12-24 10:00 Europe/Paris", True),
        ("2026-12-24 13:00 Europe/Paris", False),  # and a half day
        ("2026-12-31 10:00 Europe/Paris", True),  # an eve and a date of its own
        ("2026-12-31 12:00 Europe/Paris", False),
        ("2026-12-27 10:00 Europe/Paris", False),  # a Sunday stays one
        ("2027-12-31 09:30 Europe/Paris", True),  # no eve: 2028-01-01 is no holiday of this calendar
    ):
        assert ask(narrow, calendar=CALENDAR, at=instant(at)).allowed is allowed, at


def test_a_window_that_crosses_midnight_belongs_to_the_day_it_began() -> None:
    night = pack(hours=[hours("sat 22:00-02:00")])
    for at, allowed in (
        ("2026-11-28 23:00 Europe/Paris", True),
        ("2026-11-29 01:00 Europe/Paris", True),
        ("2026-11-28 01:00 Europe/Paris", False),
        ("2026-11-29 23:00 Europe/Paris", False),
        ("2026-11-28 23:59 Europe/Paris", True),  # rings on into the other day
        ("2026-11-29 02:00 Europe/Paris", False),
    ):
        assert ask(night, at=instant(at)).allowed is allowed, at
    assert ask(night, at=instant("2026-11-29 02:00 Europe/Paris")).next_at == instant("2026-12-05 22:00 Europe/Paris")


def test_a_night_that_reaches_into_a_holiday_ends_at_midnight() -> None:
    night = pack(holidays={"country": "FR"}, hours=[hours("daily 22:00-02:00", closed_on=["holiday"])])
    assert ask(night, calendar=CALENDAR, at=instant("2026-12-24 23:59 Europe/Paris"), guard_s=0).allowed
    assert not ask(night, calendar=CALENDAR, at=instant("2026-12-24 23:59 Europe/Paris"), guard_s=60).allowed
    assert not ask(night, calendar=CALENDAR, at=instant("2026-12-25 01:00 Europe/Paris")).allowed
    assert not ask(night, calendar=CALENDAR, at=instant("2026-12-26 01:00 Europe/Paris")).allowed


# -- caps and budget --------------------------------------------------------------------------------------------------


def tries(*seconds_ago: float, **fields: Any) -> tuple[Reached, ...]:
    return tuple(Reached(at=NOON_IN_PARIS - ago, **fields) for ago in seconds_ago)


def capped(**fields: Any) -> Any:
    return pack(hours=[ALWAYS], caps=[rule("cap", **fields)])


def test_a_rolling_cap_frees_to_the_second() -> None:
    decision = ask(history=tries(3 * 3600, 3 * 3600 - 60, 3 * 3600 - 120, 3 * 3600 - 180.5))
    assert decision.code == "attempt_cap"
    assert decision.next_at == NOON_IN_PARIS - 3 * 3600 + DAY
    half = ask(capped(attempts=1, per="24 hours"), history=tries(0.5))
    assert half.next_at == NOON_IN_PARIS + DAY


@pytest.mark.parametrize(("ago", "allowed"), [(DAY, True), (DAY - 1, False)])
def test_a_rolling_period_is_open_at_its_end(ago: float, allowed: bool) -> None:
    assert ask(capped(attempts=1, per="24 hours"), history=tries(ago)).allowed is allowed


def test_a_gap_is_a_cap_of_one() -> None:
    decision = ask(capped(attempts=1, per="8 hours"), history=tries(3600))
    assert decision.next_at == NOON_IN_PARIS + 7 * 3600


def test_calendar_days_end_at_local_midnight_and_rolling_ones_do_not() -> None:
    late = (Reached(at=instant("2026-11-23T23:59:59+01:00")),)
    assert ask(capped(attempts=1, per="1 calendar day"), history=late).allowed
    assert not ask(capped(attempts=1, per="24 hours"), history=late).allowed
    thirty = capped(attempts=1, per="30 calendar days")
    decision = ask(thirty, history=(Reached(at=instant("2026-11-01T10:00:00+01:00")),))
    assert decision.next_at == instant("2026-12-01T00:00:00+01:00")


@pytest.mark.parametrize(
    ("per", "day", "allowed"),
    [
        ("calendar week", "2026-11-23", False),  # Monday of the week
        ("calendar week", "2026-11-22", True),
        ("calendar month", "2026-11-01", False),
        ("calendar month", "2026-10-31", True),
    ],
)
def test_weeks_begin_on_monday_and_months_on_the_first(per: str, day: str, allowed: bool) -> None:
    history = (Reached(at=instant(f"{day}T12:00:00+01:00")),)
    assert ask(capped(attempts=1, per=per), history=history).allowed is allowed


def test_the_next_calendar_month_frees_its_cap() -> None:
    decision = ask(capped(attempts=1, per="calendar month"), history=tries(60))
    assert decision.next_at == instant("2026-12-01T00:00:00+01:00")


@pytest.mark.parametrize(
    ("reached", "counts"),
    [
        (Reached(at=NOON_IN_PARIS), True),
        (Reached(at=NOON_IN_PARIS, purpose="informational"), True),
        (Reached(at=NOON_IN_PARIS, purpose="transactional"), False),
        (Reached(at=NOON_IN_PARIS, channel="fax"), False),
        (Reached(at=NOON_IN_PARIS + 7200), True),  # a clock that jumped back frees no cap
    ],
)
def test_a_cap_counts_its_own_purposes_and_channels(reached: Reached, counts: bool) -> None:
    assert ask(capped(attempts=1, per="24 hours"), history=(reached,)).allowed is not counts


@pytest.mark.parametrize(
    ("reached", "counts"),
    [
        ({"outcome": "busy", "answered": False}, True),
        ({"outcome": "accepted", "answered": True}, False),
        ({}, True),
        ({"outcome": "undetermined"}, True),
    ],
)
def test_a_cap_by_outcome_counts_what_it_names_and_what_nobody_knows(reached: dict[str, Any], counts: bool) -> None:
    cap = capped(attempts=1, per="24 hours", outcomes=["unanswered"])
    assert ask(cap, history=(Reached(at=NOON_IN_PARIS, **reached),)).allowed is not counts


def test_a_cap_by_disposition() -> None:
    cap = capped(attempts=1, per="24 hours", outcomes=["machine"])
    assert not ask(cap, history=tries(60, outcome="machine", answered=True)).allowed
    assert ask(cap, history=tries(60, outcome="accepted", answered=True)).allowed


def test_a_cap_within_a_campaign_counts_that_campaign_alone() -> None:
    cap = capped(attempts=1, per="24 hours", scope="campaign")
    this = CampaignTerms(id="this")
    assert not ask(cap, campaign=this, history=tries(60, campaign="this")).allowed
    assert ask(cap, campaign=this, history=tries(60, campaign="other")).allowed
    assert not ask(capped(attempts=1, per="24 hours"), campaign=this, history=tries(60, campaign="other")).allowed


def test_consent_may_lift_a_cap() -> None:
    cap = capped(attempts=1, per="30 days", unless_consent="express")
    assert ask(cap, history=tries(60), consents=(WRITTEN,)).allowed
    decision = ask(cap, history=tries(60), consents=(replace(WRITTEN, at=NOON_IN_PARIS + 90),))
    assert (decision.code, decision.next_at) == ("attempt_cap", NOON_IN_PARIS + 90)


def test_a_dated_cap_counts_in_its_time_only() -> None:
    cap = capped(attempts=1, per="24 hours", until="2026-11-25", **{"from": "2026-11-24"})
    assert ask(cap, history=tries(60)).next_at == instant("2026-11-25T00:00:00+01:00")
    assert ask(cap, at=NOON_IN_PARIS - DAY, history=tries(DAY + 60)).allowed


def test_a_budget_frees_when_it_is_said_to() -> None:
    spent = CampaignTerms(budget=Budget(limit=3, used=3, frees_at=NOON_IN_PARIS + 99.5))
    decision = ask(campaign=spent)
    assert (decision.code, decision.next_at) == ("budget_spent", NOON_IN_PARIS + 100)
    assert ask(campaign=CampaignTerms(budget=Budget(limit=3, used=2))).allowed
    assert ask(campaign=CampaignTerms(budget=Budget(limit=3, used=3, frees_at=inf))).next_at is None


def test_an_emergency_is_not_bound_to_hours_but_to_opt_outs() -> None:
    night = {"purpose": "emergency", "at": instant("2026-11-24T03:00:00+01:00")}
    assert ask(**night).allowed
    assert ask(**night, opt_outs=(OptOut(id="1", at=0.0),)).code == "opted_out"


def test_what_is_for_good_is_told_before_what_passes() -> None:
    night = instant("2026-11-24T03:00:00+01:00")
    assert ask(at=night, opt_outs=(OptOut(id="1", at=0.0),)).code == "opted_out"
    assert ask(at=night, purpose="marketing").code == "consent_missing"


def test_the_horizon_is_longer_than_a_year() -> None:
    once = pack(holidays={"country": "FR"}, hours=[hours("daily 00:00-24:00", closed_on=["holiday"])])
    closed = [date(2026, 11, 24) + timedelta(days=ahead) for ahead in range(390)]
    calendar = make_calendar(closed, first=date(2026, 1, 1), last=date(2029, 12, 31))
    assert ask(once, calendar=calendar).next_at == instant("2027-12-19T00:00:00+01:00")


def test_the_packs_of_the_house_are_there() -> None:
    assert load_pack("house").jurisdictions == ("*",)
    assert load_pack("default").jurisdictions == ()
