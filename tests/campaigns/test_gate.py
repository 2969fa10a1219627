"""The gate: what it refuses, why, and from when it permits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.gate import OptOut, Question, Zone, decide
from campaigns.rules import RulesError, load_pack, parse_pack, parse_window

pytestmark = pytest.mark.unit

PACK = load_pack("default")
ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)


def zone(name: str) -> Zone:
    return Zone(name=name, tz=ZoneInfo(name))


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOON_IN_PARIS = instant("2026-11-24T12:00:00+01:00")
QUESTION = Question(
    at=NOON_IN_PARIS,
    purpose="informational",
    zones=(zone("Europe/Paris"),),
    consent="none",
    opt_outs=(),
    dialed_at=(),
    ring_s=25,
)


def test_it_permits_what_every_rule_allows() -> None:
    decision = decide(QUESTION, PACK)
    assert decision.allowed
    assert decision.code == "permitted"
    assert decision.rule == "default@2026-11-22"
    assert decision.next_at == QUESTION.at


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"zones": ()}, "zone_unknown"),
        ({"opt_outs": (OptOut(id="1", scope="all"),)}, "opted_out"),
        ({"opt_outs": (OptOut(id="1", scope="informational"),)}, "opted_out"),
        ({"purpose": "marketing", "consent": "express"}, "consent_missing"),
        ({"purpose": "marketing", "consent": "whatever"}, "consent_missing"),
        ({"purpose": "chatting"}, "purpose_unknown"),
        ({"expires_at": NOON_IN_PARIS}, "expired"),
    ],
)
def test_what_waiting_cannot_change_is_refused_for_good(change: dict[str, object], code: str) -> None:
    decision = decide(replace(QUESTION, **change), PACK)
    assert not decision.allowed
    assert decision.code == code
    assert decision.next_at is None


def test_an_opt_out_of_another_purpose_does_not_cover_this_one() -> None:
    assert decide(replace(QUESTION, opt_outs=(OptOut(id="1", scope="marketing"),)), PACK).allowed


def test_marketing_with_written_consent_is_permitted() -> None:
    assert decide(replace(QUESTION, purpose="marketing", consent="express_written"), PACK).allowed


@pytest.mark.parametrize(
    ("at", "allowed"),
    [
        ("2026-11-24T08:59:59+01:00", False),
        ("2026-11-24T09:00:00+01:00", True),
        ("2026-11-24T19:59:34+01:00", True),
        ("2026-11-24T19:59:36+01:00", False),  # would still ring at 20:00
        ("2026-11-24T03:00:00+01:00", False),
    ],
)
def test_local_hours_with_a_closing_guard(at: str, allowed: bool) -> None:
    assert decide(replace(QUESTION, at=instant(at)), PACK).allowed is allowed


def test_the_next_instant_is_the_next_mornings_opening() -> None:
    decision = decide(replace(QUESTION, at=instant("2026-11-24T21:30:00+01:00")), PACK)
    assert decision.code == "outside_hours"
    assert decision.next_at == instant("2026-11-25T09:00:00+01:00")


def test_every_candidate_zone_must_allow_it() -> None:
    both = replace(QUESTION, zones=(zone("America/New_York"), zone("America/Los_Angeles")))
    decision = decide(replace(both, at=instant("2026-11-24T09:30:00-05:00")), PACK)
    assert not decision.allowed
    assert decision.next_at == instant("2026-11-24T09:00:00-08:00")


def test_zones_without_a_common_hour_never_allow_it() -> None:
    apart = replace(QUESTION, zones=(zone("Europe/Paris"), zone("Pacific/Auckland")))
    assert decide(apart, PACK).next_at is None


def test_the_cap_over_all_campaigns_frees_to_the_second() -> None:
    first = QUESTION.at - 3 * 3600
    question = replace(QUESTION, dialed_at=(first, first + 60, first + 120, first + 180))
    decision = decide(question, PACK)
    assert decision.code == "attempt_cap"
    assert decision.next_at == first + 24 * 3600


def test_a_campaigns_own_windows_only_narrow() -> None:
    window = parse_window(["tue"], "07:00", "10:00")
    decision = decide(replace(QUESTION, campaign_windows=(window,)), PACK)
    assert decision.code == "outside_campaign_windows"
    assert decision.next_at == instant("2026-12-01T09:00:00+01:00")


def test_a_deadline_before_the_next_opening_means_never() -> None:
    question = replace(
        QUESTION, at=instant("2026-11-24T21:00:00+01:00"), expires_at=instant("2026-11-25T08:00:00+01:00")
    )
    assert decide(question, PACK).next_at is None


def test_an_emergency_is_not_bound_to_hours_but_to_opt_outs() -> None:
    night = replace(QUESTION, purpose="emergency", at=instant("2026-11-24T03:00:00+01:00"))
    assert decide(night, PACK).allowed
    assert not decide(replace(night, opt_outs=(OptOut(id="1", scope="all"),)), PACK).allowed


def test_a_window_that_crosses_midnight_belongs_to_the_day_it_began() -> None:
    window = parse_window(["sat"], "22:00", "02:00")
    assert window.holds(5, 23 * 60)
    assert window.holds(6, 60)
    assert not window.holds(5, 60)
    assert not window.holds(6, 23 * 60)


def test_the_hour_that_a_spring_night_skips_is_no_opening() -> None:
    window = parse_window(["sun"], "02:30", "24:00")
    pack = replace(PACK, windows=(window,))
    decision = decide(replace(QUESTION, at=instant("2027-03-28T01:00:00+01:00"), ring_s=0), pack)
    assert decision.next_at == instant("2027-03-28T03:00:00+02:00")


@settings(max_examples=60, deadline=None)
@given(
    at=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2028, 1, 1)),
    names=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    ring_s=st.sampled_from([0.0, 25.0, 120.0]),
)
def test_the_next_instant_is_permitted_and_no_earlier_one_is(at: datetime, names: list[str], ring_s: float) -> None:
    start = at.replace(tzinfo=UTC).timestamp()
    question = replace(QUESTION, at=start, zones=tuple(zone(name) for name in names), ring_s=ring_s)
    following = decide(question, PACK).next_at
    if following is None:
        probes = [start + minutes * 60 for minutes in range(0, 2 * 1440, 7)]
    else:
        assert decide(replace(question, at=following), PACK).allowed
        span = following - start
        probes = [start + span * part / 97 for part in range(97)] + [following - 1.0]
    assert not any(
        decide(replace(question, at=probe), PACK).allowed for probe in probes if start <= probe < (following or 1e12)
    )


def test_a_clock_that_jumps_back_frees_no_cap() -> None:
    ahead = QUESTION.at + timedelta(hours=2).total_seconds()
    assert decide(replace(QUESTION, dialed_at=(ahead,) * 4), PACK).code == "attempt_cap"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "name"),
        ("name = 'x", "default.toml"),
        ('name="x"\nversion="1"\nsource="s"\nconsent_for_marketing="none"\nwindows=[]\n', "caps"),
        (
            'name="x"\nversion="1"\nsource="s"\nconsent_for_marketing="none"\ncaps=[]\n'
            '[[windows]]\ndays=["someday"]\nstart="09:00"\nend="10:00"\n',
            "someday",
        ),
        (
            'name="x"\nversion="1"\nsource="s"\nconsent_for_marketing="none"\ncaps=[]\n'
            '[[windows]]\ndays=["mon"]\nstart="09:00"\nend="09:00"\n',
            "00:00-24:00",
        ),
    ],
)
def test_a_bad_pack_is_refused_by_name(text: str, part: str) -> None:
    with pytest.raises(RulesError, match=part) as caught:
        parse_pack(text, source="default.toml")
    assert "default.toml" in str(caught.value)


def test_an_unknown_pack_lists_the_known() -> None:
    with pytest.raises(RulesError, match="known are default"):
        load_pack("atlantis")


@pytest.mark.parametrize(("scope", "allowed"), [("all", False), ("informational", False), ("marketing", True)])
def test_an_opt_out_covers_its_purpose(scope: str, allowed: bool) -> None:
    assert decide(replace(QUESTION, opt_outs=(OptOut(id="1", scope=scope),)), PACK).allowed is allowed


def test_an_opt_out_of_unknown_scope_covers_everything() -> None:
    assert decide(replace(QUESTION, opt_outs=(OptOut(id="1", scope="purpose"),)), PACK).code == "opted_out"
