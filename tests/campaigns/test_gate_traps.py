"""The known traps of calling times, each as the case that tells a right gate from a nearly right one."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.gate import Reached
from tests.campaigns.gate_world import ask, hours, instant, pack, rule, zone

pytestmark = pytest.mark.unit

TRAPS: tuple[tuple[str, list[str], str, str, str | None], ...] = (
    # what, windows, zone, asked at -> next permitted instant (None: at once)
    (
        "a spring gap swallows the opening",
        ["daily 02:30-20:00"],
        "Europe/Paris",
        "2026-03-29T00:45:00+00:00",
        "2026-03-29T01:00:00+00:00",
    ),
    (
        "an autumn overlap opens twice",
        ["daily 02:30-02:45"],
        "Europe/Paris",
        "2026-10-25T00:46:00+00:00",
        "2026-10-25T01:30:00+00:00",
    ),
    ("and is open the first time", ["daily 02:30-02:45"], "Europe/Paris", "2026-10-25T00:31:00+00:00", None),
    (
        "closing time in an overlap comes twice",
        ["daily 00:00-02:30"],
        "Europe/Paris",
        "2026-10-25T00:31:00+00:00",
        "2026-10-25T01:00:00+00:00",
    ),
    (
        "Sunday in Kiritimati while UTC is on Saturday",
        ["mon-sat 09:00-20:00"],
        "Pacific/Kiritimati",
        "2026-11-28T20:00:00+00:00",
        "2026-11-29T19:00:00+00:00",
    ),
    (
        "Sunday in Honolulu while UTC is on Monday",
        ["mon-sat 09:00-20:00"],
        "Pacific/Honolulu",
        "2026-11-30T02:00:00+00:00",
        "2026-11-30T19:00:00+00:00",
    ),
    (
        "the day that Apia skipped",
        ["fri 09:00-20:00"],
        "Pacific/Apia",
        "2011-12-29T20:00:00+00:00",
        "2012-01-05T19:00:00+00:00",
    ),
    ("the day after it", ["sat 09:00-20:00"], "Pacific/Apia", "2011-12-30T09:59:59+00:00", "2011-12-30T19:00:00+00:00"),
    (
        "half an hour in Kolkata",
        ["daily 10:00-21:00"],
        "Asia/Kolkata",
        "2026-11-24T04:29:59+00:00",
        "2026-11-24T04:30:00+00:00",
    ),
    (
        "three quarters in Kathmandu",
        ["daily 10:00-21:00"],
        "Asia/Kathmandu",
        "2026-11-24T04:14:59+00:00",
        "2026-11-24T04:15:00+00:00",
    ),
    (
        "and in Chatham with summer time",
        ["daily 10:00-21:00"],
        "Pacific/Chatham",
        "2026-11-23T20:14:59+00:00",
        "2026-11-23T20:15:00+00:00",
    ),
    (
        "half an hour of summer time in Lord Howe",
        ["daily 02:00-03:00"],
        "Australia/Lord_Howe",
        "2026-10-03T15:00:00+00:00",
        "2026-10-03T15:30:00+00:00",
    ),
    (
        "the clock of Casablanca during Ramadan",
        ["daily 09:00-20:00"],
        "Africa/Casablanca",
        "2026-02-20T08:30:00+00:00",
        "2026-02-20T09:00:00+00:00",
    ),
    ("and after it", ["daily 09:00-20:00"], "Africa/Casablanca", "2026-04-20T08:00:00+00:00", None),
    (
        "a midnight that does not exist",
        ["sun 00:00-24:00"],
        "America/Havana",
        "2026-03-08T04:59:00+00:00",
        "2026-03-08T05:00:00+00:00",
    ),
    (
        "a window across midnight in the small hours",
        ["sat 22:00-02:00"],
        "America/New_York",
        "2026-11-29T06:30:00+00:00",
        None,
    ),
    (
        "the same hours a day before",
        ["sat 22:00-02:00"],
        "America/New_York",
        "2026-11-28T06:30:00+00:00",
        "2026-11-29T03:00:00+00:00",
    ),
    ("the last second that still rings out", ["daily 09:00-20:00"], "Europe/Paris", "2026-11-24T18:59:34+00:00", None),
    (
        "and the first that does not",
        ["daily 09:00-20:00"],
        "Europe/Paris",
        "2026-11-24T18:59:35+00:00",
        "2026-11-25T08:00:00+00:00",
    ),
    (
        "a leap day",
        ["02-29 10:00-12:00", "daily 00:00-24:00"],
        "Europe/Paris",
        "2028-02-29T05:00:00+00:00",
        "2028-02-29T09:00:00+00:00",
    ),
)


@pytest.mark.parametrize(("what", "windows", "place", "at", "expected"), TRAPS, ids=[trap[0] for trap in TRAPS])
def test_a_trap(what: str, windows: list[str], place: str, at: str, expected: str | None) -> None:
    decision = ask(pack(hours=[hours(*windows)]), zones=(zone(place),), at=instant(at))
    assert decision.allowed is (expected is None), what
    assert decision.next_at == instant(expected or at), what


CAPS: tuple[tuple[str, dict[str, Any], list[str], str, str | None], ...] = (
    (
        "three in 24 hours roll",
        {"attempts": 3, "per": "24 hours"},
        ["2026-11-23T20:00:00+01:00", "2026-11-24T09:00:00+01:00", "2026-11-24T10:00:00+01:00"],
        "2026-11-24T12:00:00+01:00",
        "2026-11-24T20:00:00+01:00",
    ),
    (
        "three a calendar day do not",
        {"attempts": 3, "per": "1 calendar day"},
        ["2026-11-23T20:00:00+01:00", "2026-11-24T09:00:00+01:00", "2026-11-24T10:00:00+01:00"],
        "2026-11-24T12:00:00+01:00",
        None,
    ),
    (
        "thirty calendar days count today",
        {"attempts": 1, "per": "30 calendar days"},
        ["2026-10-26T23:00:00+01:00"],
        "2026-11-24T12:00:00+01:00",
        "2026-11-25T00:00:00+01:00",
    ),
    (
        "and no thirty-first",
        {"attempts": 1, "per": "30 calendar days"},
        ["2026-10-25T23:00:00+01:00"],
        "2026-11-24T12:00:00+01:00",
        None,
    ),
    (
        "thirty days roll to the second",
        {"attempts": 1, "per": "30 days"},
        ["2026-10-25T12:00:01+01:00"],
        "2026-11-24T12:00:00+01:00",
        "2026-11-24T12:00:01+01:00",
    ),
    (
        "a calendar day of 25 hours",
        {"attempts": 1, "per": "1 calendar day"},
        ["2026-10-25T00:10:00+02:00"],
        "2026-10-25T23:50:00+01:00",
        "2026-10-26T00:00:00+01:00",
    ),
)


@pytest.mark.parametrize(("what", "cap", "history", "at", "expected"), CAPS, ids=[cap[0] for cap in CAPS])
def test_a_cap_trap(what: str, cap: dict[str, Any], history: list[str], at: str, expected: str | None) -> None:
    capped = pack(hours=[hours("daily 00:00-24:00")], caps=[rule("cap", **cap)])
    decision = ask(capped, at=instant(at), history=tuple(Reached(at=instant(one)) for one in history))
    assert decision.next_at == instant(expected or at), what
    assert decision.allowed is (expected is None), what
