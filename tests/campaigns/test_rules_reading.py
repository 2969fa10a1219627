"""Rule packs as data: what a good one becomes, and that every fault is refused by file, key and remedy."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules import RulesError, Window, parse_pack, parse_windows, read_pack, week_window
from campaigns.rules.table import window_text
from campaigns.rules.windows import DAY_S, WHOLE_DAY, intersect, joined

pytestmark = pytest.mark.unit

RULE = {"purposes": ["marketing"], "channels": ["voice"], "source": "a law", "mark": "V"}
GOOD: dict[str, Any] = {
    "name": "xx",
    "title": "Xanadu",
    "version": "1",
    "effective_from": date(2020, 1, 1),
    "jurisdictions": ["XX", "XX-AB"],
    "holidays": {"country": "XX", "add": ["12-24", "easter-47"], "remove": ["nov thu 4 +1"]},
    "hours": [{**RULE, "id": "hours", "windows": ["mon-fri 09:00-20:00", "eve 10:00-19:00"], "closed_on": ["holiday"]}],
    "caps": [{**RULE, "id": "cap", "attempts": 3, "per": "24 hours", "outcomes": ["unanswered", "busy"]}],
    "consents": [{**RULE, "id": "consent", "needs": "express", "max_age_days": 365, "proof": True}],
    "bans": [{**RULE, "id": "ban", "reason": "it is forbidden", "channels": ["sms"]}],
    "refusals": [{**RULE, "id": "refusal", "days": 60}],
    "registers": [{**RULE, "id": "register", "register": "xx-dnc", "max_age_days": 31, "lifted_by": "express"}],
    "guards": [{**RULE, "id": "guard", "closing_s": 60}],
    "abandonment": [{**RULE, "id": "abandoned", "share": 0.03, "per": "30 days"}],
    "disclosures": [{**RULE, "id": "robot", "when": "start", "text": "say so", "within_s": 2}],
    "opt_out": {"honour": "at once", "words": ["STOP"], "wording": {"en": "Reply STOP."}, "source": "x", "mark": "S"},
    "notes": ["a note"],
}
MISSING = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good pack with one key put, or left out, at ``hours.0.windows``."""
    data = deepcopy(GOOD)
    *way, last = path.split(".")
    inside: Any = data
    for step in way:
        inside = inside[int(step) if step.isdigit() else step]
    if value is MISSING:
        del inside[last]
    else:
        inside[int(last) if last.isdigit() else last] = value
    return data


def test_good_pack_becomes_its_rules() -> None:
    pack = read_pack(GOOD, file="xx.toml")

    assert pack.id == "xx@1"
    (hours,), (cap,), (consent,) = pack.hours, pack.caps, pack.consents
    assert hours.cite == "xx@1#hours"
    assert hours.from_day == date(2020, 1, 1).toordinal()
    assert hours.needs_calendar
    assert [window_text(window) for window in hours.windows] == ["mon-fri 09:00-20:00", "eve 10:00-19:00"]
    assert (cap.attempts, cap.period_s, cap.outcomes) == (3, 86400, {"unanswered", "busy"})
    assert (consent.needs, consent.max_age_s, consent.proof) == ("express", 365 * 86400, True)
    assert pack.bans[0].reason == "it is forbidden"
    assert pack.refusals[0].days == 60
    assert (pack.registers[0].register, pack.registers[0].max_age_s) == ("xx-dnc", 31 * 86400)
    assert pack.guards[0].closing_s == 60
    assert (pack.abandonment[0].share, pack.abandonment[0].period_s) == (0.03, 30 * 86400)
    assert (pack.disclosures[0].when, pack.disclosures[0].within_s) == ("start", 2)
    assert pack.opt_out.wording == {"en": "Reply STOP."}
    assert pack.holidays is not None
    assert pack.holidays.add == ("12-24", "easter-47")


def test_a_rule_may_have_dates_of_its_own() -> None:
    data = changed("hours.0.from", "2026-01-31")
    data["hours"][0]["until"] = date(2026, 3, 1)

    (hours,) = read_pack(data, file="xx.toml").hours

    assert [hours.holds_on(date(2026, month, 1).toordinal()) for month in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("24 hours", {"period_s": 86400.0}),
        ("1 minute", {"period_s": 60.0}),
        ("7 days", {"period_s": 604800.0}),
        ("1 calendar day", {"calendar_days": 1}),
        ("30 calendar days", {"calendar_days": 30}),
        ("calendar week", {"calendar_unit": "week"}),
        ("calendar month", {"calendar_unit": "month"}),
    ],
)
def test_periods_of_caps(per: str, expected: dict[str, Any]) -> None:
    (cap,) = read_pack(changed("caps.0.per", per), file="xx.toml").caps

    found = {"period_s": cap.period_s, "calendar_days": cap.calendar_days, "calendar_unit": cap.calendar_unit}
    assert {key: value for key, value in found.items() if value} == expected


@pytest.mark.parametrize("per", ["24 hours", "1 day", "30 days", "720 hours"])
@pytest.mark.parametrize("share", [0, 0.03, 1])
def test_limits_of_abandoned_calls(share: float, per: str) -> None:
    data = changed("abandonment.0.per", per)
    data["abandonment"][0]["share"] = share

    (limit,) = read_pack(data, file="xx.toml").abandonment

    assert (limit.share, limit.period_s) == (share, 86400 if per in ("24 hours", "1 day") else 30 * 86400)


def test_refusal_may_bar_for_ever() -> None:
    assert read_pack(changed("refusals.0.days", "ever"), file="xx.toml").refusals[0].days is None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        # What every pack needs.
        ("name", MISSING, r"name is missing; add it"),
        ("name", "", r"name is ''; write text"),
        ("name", 7, r"name is 7; write text"),
        ("name", "Not A Name", r"name is 'Not A Name'; use a-z"),
        ("title", MISSING, r"title is missing"),
        ("version", MISSING, r"version is missing"),
        ("version", 1.0, r"version is 1\.0; write text"),
        ("effective_from", MISSING, r"effective_from is missing; write a date"),
        ("effective_from", "soon", r"effective_from is 'soon'; write a date"),
        ("effective_from", datetime(2026, 1, 1), r"effective_from is .*; write a date"),
        ("effective_from", date(1066, 10, 14), r"effective_from is .*1066.*; write a date"),
        ("jurisdictions", MISSING, r"jurisdictions is missing; write \[\"one\", \"two\"\]"),
        ("jurisdictions", "FR", r"jurisdictions is 'FR'; write \["),
        ("jurisdictions", ["France"], r"jurisdictions has 'France'; write ISO 3166"),
        # Keys that mean nothing.
        ("hour", [], r"hour means nothing here; Did you mean 'hours'\?"),
        ("hours.0.window", [], r"hours\[0\]\.window means nothing here; Did you mean 'windows'\?"),
        ("hours.0.untill", "2026-01-01", r"hours\[0\]\.untill means nothing here; Did you mean 'until'\?"),
        ("caps.0.attemps", 3, r"caps\[0\]\.attemps means nothing here; Did you mean 'attempts'\?"),
        ("caps.0.outcome", ["busy"], r"caps\[0\]\.outcome means nothing here; Did you mean 'outcomes'\?"),
        ("consents.0.need", "none", r"consents\[0\]\.need means nothing here; Did you mean 'needs'\?"),
        ("bans.0.reasons", "x", r"bans\[0\]\.reasons means nothing here"),
        ("refusals.0.day", 1, r"refusals\[0\]\.day means nothing here; Did you mean 'days'\?"),
        ("registers.0.lifted", "express", r"registers\[0\]\.lifted means nothing here; Did you mean 'lifted_by'\?"),
        ("guards.0.closing", 1, r"guards\[0\]\.closing means nothing here"),
        ("disclosures.0.texts", "x", r"disclosures\[0\]\.texts means nothing here; Did you mean 'text'\?"),
        ("holidays.contry", "XX", r"holidays\.contry means nothing here; Did you mean 'country'\?"),
        ("opt_out.word", ["STOP"], r"opt_out\.word means nothing here; Did you mean 'wor"),
        # What every rule needs.
        ("hours.0.id", MISSING, r"hours\[0\]\.id is missing"),
        ("hours.0.id", "A B", r"hours\[0\]\.id is 'A B'; give each rule a name of its own"),
        ("caps.0.id", "hours", r"caps\[0\]\.id is 'hours', which another rule of the pack has; give each"),
        ("hours.0.source", MISSING, r"hours\[0\]\.source is missing"),
        ("hours.0.mark", MISSING, r"hours\[0\]\.mark is missing"),
        ("hours.0.mark", "Q", r"hours\[0\]\.mark is 'Q'; There is H, M, S, V"),
        ("hours.0.purposes", MISSING, r"hours\[0\]\.purposes is missing"),
        ("hours.0.purposes", [], r"hours\[0\]\.purposes is empty; name some of marketing"),
        ("hours.0.purposes", ["marketting"], r"hours\[0\]\.purposes has 'marketting'; Did you mean 'marketing'\?"),
        ("hours.0.channels", ["email"], r"hours\[0\]\.channels has 'email'; There is sms, voice"),
        ("hours.0.until", date(2019, 1, 1), r"hours\[0\]\.until is not after 2020-01-01; give the first day"),
        ("hours.0.from", 20260101, r"hours\[0\]\.from is 20260101; write a date"),
        # Hours.
        ("hours.0.windows", MISSING, r"hours\[0\]\.windows is missing"),
        ("hours.0.windows", [], r"hours\[0\]\.windows opens no weekday; add windows, or write a ban"),
        ("hours.0.windows", ["eve 10:00-19:00"], r"hours\[0\]\.windows opens no weekday"),
        ("hours.0.windows", ["moon 09:00-20:00"], r"hours\[0\]\.windows cannot be read: 'moon' is no day"),
        ("hours.0.windows", ["mon 9-20"], r"hours\[0\]\.windows cannot be read: '9' is not a time of day"),
        ("hours.0.windows", ["mon 09:00-25:00"], r"hours\[0\]\.windows cannot be read: '25:00'"),
        ("hours.0.windows", ["mon 09:00-24:30"], r"'24:30' is after the end of the day"),
        ("hours.0.windows", ["mon 09:00-09:00"], r"the window 09:00-09:00 is empty"),
        ("hours.0.windows", ["mon 24:00-09:00"], r"the window 24:00-09:00 is empty"),
        ("hours.0.windows", ["09:00-20:00"], r"is no window; write it as"),
        ("hours.0.windows", ["mon 09:00-20:00", "eve 22:00-02:00"], r"cannot cross midnight; end it at 24:00"),
        ("hours.0.windows", ["mon 09:00-20:00", "02-30 09:00-12:00"], r"'02-30' is no day"),
        ("hours.0.closed_on", ["holidays"], r"hours\[0\]\.closed_on has 'holidays'; Did you mean 'holiday'\?"),
        ("hours.0.closed_on", ["eve"], r"hours\[0\]\.windows has hours for eve, which closed_on closes; remove one"),
        ("holidays", MISSING, r"hours\[0\] speaks of holidays; add \[holidays\] with the country"),
        ("holidays.half_days", True, r"hours\[0\] says nothing of half days.*; add a half_day window, or half_day to"),
        # Caps.
        ("caps.0.attempts", 0, r"caps\[0\]\.attempts is 0; give a number from 1"),
        ("caps.0.attempts", 1.5, r"caps\[0\]\.attempts is 1\.5; give a whole number"),
        ("caps.0.attempts", True, r"caps\[0\]\.attempts is True; give a number"),
        ("caps.0.attempts", MISSING, r"caps\[0\]\.attempts is missing; give a number"),
        ("caps.0.per", "day", r"caps\[0\]\.per cannot be read: 'day' is no period; write '24 hours'"),
        ("caps.0.per", "0 hours", r"caps\[0\]\.per cannot be read: '0 hours' is no period"),
        ("caps.0.per", "0 calendar days", r"caps\[0\]\.per cannot be read: '0 calendar days' is no"),
        ("caps.0.scope", "world", r"caps\[0\]\.scope is 'world'; There is campaign, number"),
        ("caps.0.outcomes", ["unanwsered"], r"caps\[0\]\.outcomes has 'unanwsered'; Did you mean 'unanswered'\?"),
        ("caps.0.unless_consent", "some", r"caps\[0\]\.unless_consent is 'some'; There is express"),
        ("caps.0.unless_consent", "none", r"caps\[0\]\.unless_consent is 'none'; There is express, express_written"),
        # The others.
        ("consents.0.needs", "expres", r"consents\[0\]\.needs is 'expres'; Did you mean 'express'\?"),
        ("consents.0.max_age_days", 0, r"consents\[0\]\.max_age_days is 0; give a number from 1"),
        ("consents.0.max_age_days", float("nan"), r"consents\[0\]\.max_age_days is nan; give a number"),
        ("consents.0.proof", "yes", r"consents\[0\]\.proof is 'yes'; write true or false"),
        ("bans.0.reason", MISSING, r"bans\[0\]\.reason is missing"),
        ("refusals.0.days", "never", r"refusals\[0\]\.days is 'never'; give a number"),
        ("refusals.0.days", MISSING, r"refusals\[0\]\.days is missing"),
        ("registers.0.register", MISSING, r"registers\[0\]\.register is missing"),
        ("registers.0.max_age_days", MISSING, r"registers\[0\]\.max_age_days is missing"),
        ("registers.0.max_age_days", 400, r"registers\[0\]\.max_age_days is 400; give a number from 1 to 366"),
        ("registers.0.lifted_by", "written", r"registers\[0\]\.lifted_by is 'written'; "),
        ("registers.0.lifted_by", "none", r"registers\[0\]\.lifted_by is 'none'; There is express, express_written"),
        ("guards.0.closing_s", -1, r"guards\[0\]\.closing_s is -1; give a number from 0"),
        ("abandonment.0.share", MISSING, r"abandonment\[0\]\.share is missing; give a number from 0 to 1"),
        ("abandonment.0.share", 3, r"abandonment\[0\]\.share is 3; give a number from 0 to 1"),
        ("abandonment.0.share", -0.01, r"abandonment\[0\]\.share is -0\.01; give a number from 0"),
        ("abandonment.0.per", MISSING, r"abandonment\[0\]\.per is missing"),
        ("abandonment.0.per", "often", r"abandonment\[0\]\.per cannot be read: 'often' is no period"),
        (
            "abandonment.0.per",
            "23 hours",
            r"abandonment\[0\]\.per is '23 hours'; give a rolling period from '24 hours'",
        ),
        (
            "abandonment.0.per",
            "31 days",
            r"abandonment\[0\]\.per is '31 days'; give a rolling period from .* to '30 days'",
        ),
        ("abandonment.0.per", "calendar month", r"abandonment\[0\]\.per is 'calendar month'; give a rolling period"),
        (
            "abandonment.0.channels",
            ["voice", "sms"],
            r"abandonment\[0\]\.channels has more than calls; write \[\"voice",
        ),
        ("abandonment.0.shares", 0.03, r"abandonment\[0\]\.shares means nothing here; Did you mean 'share'"),
        ("disclosures.0.when", "later", r"disclosures\[0\]\.when is 'later'; "),
        ("disclosures.0.within_s", "2", r"disclosures\[0\]\.within_s is '2'; give a number"),
        ("holidays.country", MISSING, r"holidays\.country is missing"),
        ("holidays.add", ["12-32"], r"holidays\.add cannot be read: '12-32' is no day of the calendar"),
        ("holidays.remove", ["xmas"], r"holidays\.remove cannot be read: 'xmas' is no day; write '12-24'"),
        ("holidays.half_days", 1, r"holidays\.half_days is 1; write true or false"),
        ("opt_out.mark", "X", r"opt_out\.mark is 'X'; There is"),
        ("opt_out.wording", {"en": 1}, r"opt_out\.wording\.en is 1; write text"),
        ("opt_out.words", [""], r"opt_out\.words is \[''\]; write"),
        ("notes", "text", r"notes is 'text'; write \["),
        # Shapes.
        ("hours", {"id": "x"}, r"hours must be a list of tables; write \[\[hours\]\]"),
        ("hours", ["x"], r"hours\[0\] must be a table of keys"),
        ("holidays", "FR", r"holidays must be a table of keys"),
        ("opt_out", [], r"opt_out must be a table of keys"),
    ],
)
def test_bad_pack_is_refused_by_file_key_and_remedy(path: str, value: Any, message: str) -> None:
    with pytest.raises(RulesError, match=rf"^xx\.toml: .*{message}"):
        read_pack(changed(path, value), file="xx.toml")


def test_hours_that_contradict_each_other_are_refused() -> None:
    data = changed("hours.0.windows", ["mon 09:00-12:00"])
    data["hours"].append({**data["hours"][0], "id": "other", "windows": ["mon 13:00-14:00", "tue 09:00-12:00"]})

    with pytest.raises(
        RulesError, match=r"hours of hours and other leave no hour open for marketing by voice; correct"
    ):
        read_pack(data, file="xx.toml")


def test_hours_that_contradict_each_other_from_a_later_day_are_refused() -> None:
    data = changed("hours.0.windows", ["mon-fri 09:00-12:00"])
    later = {**data["hours"][0], "id": "later", "windows": ["sat 09:00-12:00"], "from": date(2027, 1, 1)}
    data["hours"].append(later)

    with pytest.raises(RulesError, match="leave no hour open"):
        read_pack(data, file="xx.toml")
    data["hours"][0]["until"] = date(2027, 1, 1)
    assert len(read_pack(data, file="xx.toml").hours) == 2


def test_faulty_toml_is_refused_with_its_line() -> None:
    with pytest.raises(RulesError, match=r"^xx\.toml: .*line 2.*; correct the TOML there"):
        parse_pack('name = "xx"\ntitle = Xanadu\n', file="xx.toml")


def test_no_table_at_all_is_refused() -> None:
    with pytest.raises(RulesError, match=r"xx\.toml: the pack must be a table of keys"):
        read_pack([], file="xx.toml")  # type: ignore[arg-type]


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start, end = draw(st.lists(st.integers(0, 1440), min_size=2, max_size=2, unique=True))
    special = draw(st.sampled_from(["", "", "holiday", "eve", "half_day", "12-24", "02-29"]))
    if start == 1440 or (special and end < start):
        start, end = end, start
    days = frozenset() if special else frozenset(draw(st.sets(st.integers(0, 6), min_size=1)))
    return Window(days=days, special=special, start_s=start * 60, end_s=end * 60)


@given(windows())
def test_a_window_read_from_its_own_text_is_the_same(window: Window) -> None:
    assert parse_windows(window_text(window)) == (window,)


@given(st.text(max_size=30))
def test_any_text_is_a_window_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_windows(text)


@given(windows(), st.integers(0, DAY_S - 1))
def test_own_day_of_a_window_is_what_its_times_say(window: Window, second: int) -> None:
    start, end = window.own_day
    inside = window.start_s <= second and (second < window.end_s or window.crosses)

    assert (start <= second < end) == inside


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(51, 100)), max_size=4).map(joined)


@given(spans, spans, st.integers(0, 100))
def test_intersection_is_open_where_both_are(one: Any, other: Any, second: int) -> None:
    def is_open(parts: Any) -> bool:
        return any(start <= second < end for start, end in parts)

    assert is_open(intersect(one, other)) == (is_open(one) and is_open(other))
    assert intersect(one, WHOLE_DAY) == one


def test_spans_that_touch_are_one_and_share_nothing() -> None:
    assert joined([(10, 20), (0, 10), (30, 40), (32, 35)]) == ((0, 20), (30, 40))
    assert intersect(((0, 10),), ((10, 20),)) == ()


def test_a_day_that_is_none_is_refused_with_those_that_are() -> None:
    days = "mon, tue, wed, thu, fri, sat, sun, daily, holiday, eve, half_day"
    known = f"^'moon' is no day; days are {days}, spans such as mon-fri, and dates such as 12-24$"
    with pytest.raises(ValueError, match=known):
        parse_windows("mon,moon 09:00-20:00")


@pytest.mark.parametrize("day", ["01-31", "02-29", "04-30", "12-31"])
def test_dates_that_may_be_narrowed(day: str) -> None:
    assert parse_windows(f"{day} 09:00-12:00")[0].special == day


@pytest.mark.parametrize("text", ["02-30 09:00-12:00", "04-31 09:00-12:00", "13-01 09:00-12:00", "mon 09:60-12:00"])
def test_dates_and_times_that_there_are_not(text: str) -> None:
    """Taken as they stand, they would narrow no day at all, or another hour."""
    with pytest.raises(ValueError, match=r"is no day|is not a time of day"):
        parse_windows(text)


def test_spans_of_days_run_over_the_week_end() -> None:
    (window,) = parse_windows("sat-mon, wed 22:00-02:00")

    assert window.days == {5, 6, 0, 2}
    assert window.crosses


def test_week_window_is_built_from_day_names() -> None:
    assert week_window(["mon", "tue"], "09:00", "24:00") == Window(days=frozenset({0, 1}), start_s=32400, end_s=DAY_S)
    with pytest.raises(ValueError, match="is no day"):
        week_window(["monday"], "09:00", "20:00")
