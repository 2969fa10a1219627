"""What is put together once for very many questions: each pack with its own calendar, each day worked out once."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest

from campaigns.gate.regime import Timetable, compile_regime
from campaigns.rules import Calendar, RulePack, make_calendar
from campaigns.rules.windows import WHOLE_DAY, Span
from tests.campaigns.gate_world import hours, pack

pytestmark = pytest.mark.unit


class Counted:
    """A rule of hours that notes which days it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def open_on(self, ordinal: int) -> tuple[Span, ...]:
        self.asked.append(ordinal)
        return WHOLE_DAY


def test_a_day_is_worked_out_once() -> None:
    rule = Counted()
    timetable = Timetable([cast("Any", rule)])
    assert [timetable.open_on(day) for day in (7, 8, 7, 8)] == [WHOLE_DAY] * 4
    assert rule.asked == [7, 8]


def test_days_are_forgotten_before_they_fill_the_memory() -> None:
    rule = Counted()
    timetable = Timetable([cast("Any", rule)])
    for day in range(4097):
        timetable.open_on(day)
    timetable.open_on(4096)
    timetable.open_on(0)
    assert rule.asked == [*range(4097), 0]


def test_before_any_pack_is_in_force_no_day_is_open() -> None:
    timetable = Timetable([], 7)
    assert [timetable.open_on(day) for day in (6, 7)] == [(), WHOLE_DAY]


def test_a_regime_is_closed_before_its_first_pack_is_in_force_and_tells_its_packs() -> None:
    day = date(2026, 11, 25)
    regime = compile_regime(
        [pack(effective_from=str(day), hours=[hours("daily 00:00-24:00")])], "informational", "voice"
    )
    assert regime.packs == ("trial@1",)
    assert [regime.timetable.open_on(day.toordinal() - ago) for ago in (1, 0)] == [(), WHOLE_DAY]


def test_each_pack_is_closed_on_its_own_holidays() -> None:
    french, german = (
        pack(name=name, holidays={"country": name.upper()}, hours=[hours("daily 09:00-20:00", closed_on=["holiday"])])
        for name in ("fr", "de")
    )
    days = {"fr": date(2026, 7, 14), "de": date(2026, 10, 3)}

    def look_up(asked: RulePack) -> Calendar:
        return make_calendar([days[asked.name]], first=date(2026, 1, 1), last=date(2026, 12, 31))

    regime = compile_regime([french, german], "informational", "voice", calendar=look_up)
    for (_, table), closed, opened in zip(regime.law, ("fr", "de"), ("de", "fr"), strict=True):
        assert table.open_on(days[closed].toordinal()) == ()
        assert table.open_on(days[opened].toordinal()) == ((9 * 3600, 20 * 3600),)
