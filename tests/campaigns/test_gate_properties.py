"""The gate against an oracle that is slow and plain: it reads the wall clock at the instant, minute by minute.

What the gate permits the oracle permits; the next permitted instant is one, and no earlier one is: across spring gaps,
autumn overlaps, skipped days, half-hour zones and clocks that move in the middle of a fast.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.gate import OwnTerms, Question, Reached, Zone, compile_regime, decide
from campaigns.rules import make_calendar, week_window
from tests.campaigns.gate_world import QUESTION, hours, pack, rule, zone

pytestmark = pytest.mark.unit

ZONES = (
    "Europe/Paris",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",  # moves its clocks at midnight
    "America/Asuncion",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # moves by half an hour
    "Africa/Casablanca",  # moves for Ramadan
    "Pacific/Kiritimati",
    "Pacific/Chatham",
    "Pacific/Apia",
)
TURNS = (  # within hours of something odd
    "2026-03-08T07:00:00+00:00",
    "2026-11-01T06:00:00+00:00",
    "2026-03-29T01:00:00+00:00",
    "2026-10-25T01:00:00+00:00",
    "2026-10-03T15:30:00+00:00",
    "2026-04-04T15:00:00+00:00",
    "2026-02-15T02:00:00+00:00",
    "2026-03-22T02:00:00+00:00",
    "2011-12-30T10:00:00+00:00",
    "2026-12-31T23:00:00+00:00",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS = (date(2026, 3, 9), date(2026, 10, 5), date(2026, 11, 2), date(2012, 1, 2))
CALENDAR = make_calendar(HOLIDAYS, first=date(2010, 1, 1), last=date(2029, 12, 31))


@dataclass(frozen=True)
class Week:
    """Windows of a week, in minutes of the day, as the oracle reads them."""

    windows: tuple[tuple[frozenset[int], int, int], ...]
    closed_on_holidays: bool

    def allows(self, local: datetime) -> bool:
        day, minute = local.date(), local.hour * 60 + local.minute
        if self._closed(day):
            return False
        before = day - timedelta(days=1)
        for days, start, end in self.windows:
            if start < end and day.weekday() in days and start <= minute < end:
                return True
            if end <= start and day.weekday() in days and minute >= start:
                return True
            if end <= start and before.weekday() in days and not self._closed(before) and minute < end:
                return True
        return False

    def _closed(self, day: date) -> bool:
        return self.closed_on_holidays and day in HOLIDAYS

    def as_rule(self, name: str) -> dict[str, Any]:
        texts = [f"{','.join(DAYS[day] for day in sorted(days))} {_hm(a)}-{_hm(b)}" for days, a, b in self.windows]
        closed = {"closed_on": ["holiday"]} if self.closed_on_holidays else {}
        return hours(*texts, **closed) | {"id": name}


@dataclass
class Oracle:
    weeks: tuple[Week, ...]
    zones: tuple[str, ...]
    guard_s: int
    caps: tuple[tuple[int, float], ...] = ()
    history: tuple[float, ...] = field(default=())

    def allows(self, at: float) -> bool:
        if any(sum(at - period < then for then in self.history) >= most for most, period in self.caps):
            return False
        minutes = range(0, self.guard_s + 1, 30)
        return all(self._open(at + after) for after in (*minutes, self.guard_s))

    def _open(self, at: float) -> bool:
        instant = datetime.fromtimestamp(at, UTC)
        local = [instant.astimezone(ZoneInfo(name)) for name in self.zones]
        return all(week.allows(one) for week in self.weeks for one in local)


def _hm(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    windows = []
    for _ in range(draw(st.integers(1, 3))):
        days = draw(st.frozensets(st.integers(0, 6), min_size=3))
        start = draw(st.integers(0, 95)) * 15
        end = draw(st.integers(1, 96).filter(lambda quarter, start=start: quarter * 15 != start)) * 15  # type: ignore[misc]
        windows.append((days, start, end))
    return Week(tuple(windows), draw(st.booleans()))


INSTANTS = st.one_of(
    st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2027, 6, 1)).map(
        lambda at: at.replace(tzinfo=UTC).timestamp()
    ),
    st.tuples(st.sampled_from(TURNS), st.integers(-30 * 3600, 8 * 3600)).map(
        lambda pair: datetime.fromisoformat(pair[0]).timestamp() + pair[1]
    ),
)


@settings(max_examples=4 * settings().max_examples, deadline=None)
@given(
    at=INSTANTS,
    names=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    rules=st.lists(weeks(), min_size=1, max_size=2),
    own=st.none() | weeks(),
    guard_s=st.sampled_from([0, 25, 120, 3600]),
    ages=st.lists(st.integers(0, 3 * 86400), max_size=6),
    cap=st.tuples(st.integers(1, 4), st.sampled_from([3600.0, 86400.0, 7 * 86400.0])),
)
def test_the_gate_agrees_with_the_oracle(
    at: float,
    names: list[str],
    rules: list[Week],
    own: Week | None,
    guard_s: int,
    ages: list[int],
    cap: tuple[int, float],
) -> None:
    history = tuple(float(int(at)) - age for age in ages)
    packs = (
        [
            pack(
                holidays={"country": "FR"},
                hours=[week.as_rule(f"week-{number}") for number, week in enumerate(rules)],
                caps=[rule("cap", attempts=cap[0], per=f"{cap[1] / 3600:g} hours")],
            )
        ]
        if _may_open(rules)
        else []
    )
    if not packs:
        return
    own = None if own is None or own.closed_on_holidays else own
    windows = (
        ()
        if own is None
        else tuple(week_window([DAYS[day] for day in sorted(days)], _hm(a), _hm(b)) for days, a, b in own.windows)
    )
    regime = compile_regime(packs, "informational", "voice", own=OwnTerms(windows=windows), calendar=lambda _: CALENDAR)
    question = replace(
        QUESTION,
        at=at,
        zones=tuple(zone(name) for name in names),
        guard_s=float(guard_s),
        history=tuple(Reached(at=then) for then in history),
    )
    oracle = Oracle((*rules, *([own] if own else [])), tuple(names), guard_s, (cap,), history)
    _compare(question, regime, oracle)


def _may_open(rules: list[Week]) -> bool:
    """Whether the reader would take these windows: it refuses those that leave nothing of any week."""
    try:
        pack(holidays={"country": "FR"}, hours=[week.as_rule(f"w{number}") for number, week in enumerate(rules)])
    except Exception as error:
        assert "leave no hour open" in str(error)  # noqa: PT017
        return False
    return True


def _compare(question: Question, regime: Any, oracle: Oracle) -> None:
    decision = decide(question, regime)
    assert decision.allowed is oracle.allows(question.at)
    following = decision.next_at
    if following is None:
        probes = [question.at + minutes * 60 for minutes in range(0, 9 * 1440, 45)]
        assert not any(oracle.allows(probe) for probe in probes)
        return
    again = decide(replace(question, at=following), regime)
    assert again.allowed
    assert oracle.allows(following)
    span = following - question.at
    probes = [question.at + span * part / 61 for part in range(61)]
    probes += [following - before for before in (1, 2, 30, 61, 1800, 3600) if following - before > question.at]
    assert not any(oracle.allows(probe) for probe in probes if question.at <= probe < following)


@settings(deadline=None)
@given(
    at=INSTANTS,
    name=st.sampled_from(ZONES),
    per=st.sampled_from(["1 calendar day", "2 calendar days", "30 calendar days", "calendar week", "calendar month"]),
    ages=st.lists(st.integers(0, 40 * 86400), min_size=1, max_size=5),
    most=st.integers(1, 3),
)
def test_calendar_caps_agree_with_counting_dates(at: float, name: str, per: str, ages: list[int], most: int) -> None:
    history = tuple(at - age for age in ages)
    capped = pack(hours=[hours("daily 00:00-24:00")], caps=[rule("cap", attempts=most, per=per)])
    regime = compile_regime([capped], "informational", "voice")
    question = replace(
        QUESTION, at=at, zones=(zone(name),), guard_s=0.0, history=tuple(Reached(at=then) for then in history)
    )

    def full(when: float) -> bool:
        return sum(_same_period(per, _day(name, then), _day(name, when)) for then in history) >= most

    decision = decide(question, regime)
    assert decision.allowed is not full(at)
    assert decision.next_at is not None
    assert not full(decision.next_at)
    whole = int(decision.next_at)
    assert decision.allowed or full(whole - 1)


def _day(name: str, at: float) -> date:
    return datetime.fromtimestamp(int(at // 1), ZoneInfo(name)).date()


def _same_period(per: str, then: date, today: date) -> bool:
    if per == "calendar week":
        return then >= today - timedelta(days=today.weekday())
    if per == "calendar month":
        return then >= today.replace(day=1)
    return (today - then).days < int(per.split()[0])


def test_zones_are_compared_by_name_and_clock_alone() -> None:
    one, other = zone("Europe/Paris"), zone("Europe/Paris")
    decide(
        replace(QUESTION, zones=(one,)),
        compile_regime([pack(hours=[hours("daily 09:00-20:00")])], "informational", "voice"),
    )
    assert one == other
    assert isinstance(one, Zone)
