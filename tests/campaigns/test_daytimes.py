"""Parts of the day, and which hour promises most."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.daytimes import DayKind, HourRate, PartOfDay, best, liking, part_of, untried

pytestmark = pytest.mark.unit

MORNING, AFTERNOON, EVENING = PartOfDay
RATES = st.integers(0, 500).flatmap(
    lambda tried: st.builds(HourRate, tried=st.just(tried), answered=st.integers(0, tried))
)
DAYS = st.sampled_from([day.value for day in DayKind])
CELLS = st.dictionaries(st.tuples(DAYS, st.integers(8, 20)), RATES, max_size=12)
CANDIDATES = st.lists(st.tuples(st.floats(0, 1e9), DAYS, st.integers(8, 20)), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("minutes", "part"),
    [(0, MORNING), (719, MORNING), (720, AFTERNOON), (1019, AFTERNOON), (1020, EVENING), (1439, EVENING)],
)
def test_a_day_has_three_parts(minutes: int, part: PartOfDay) -> None:
    assert part_of(minutes) is part


@pytest.mark.parametrize("minutes", [-1, 1440])
def test_a_day_has_no_other_minutes(minutes: int) -> None:
    with pytest.raises(ValueError, match="a day has no minute"):
        part_of(minutes)


def test_the_parts_tried_least_are_next() -> None:
    assert untried([]) == set(PartOfDay)
    assert untried([MORNING, MORNING]) == {AFTERNOON, EVENING}
    assert untried([MORNING, EVENING]) == {AFTERNOON}
    assert untried([MORNING, EVENING, AFTERNOON]) == set(PartOfDay)
    assert untried([MORNING, EVENING, AFTERNOON, EVENING]) == {MORNING, AFTERNOON}


@settings(deadline=None)
@given(tried=st.lists(st.sampled_from(PartOfDay)))
def test_there_is_always_a_part_left_and_none_is_tried_twice_before_another_once(tried: list[PartOfDay]) -> None:
    parts = untried(tried)
    assert parts
    assert all(tried.count(part) <= tried.count(other) for part in parts for other in PartOfDay)


def test_little_knowledge_neither_praises_nor_condemns() -> None:
    cells = {("workday", 10): HourRate(tried=1000, answered=300), ("workday", 19): HourRate(tried=1, answered=1)}
    assert liking(cells, "workday", 10) == pytest.approx(0.3, abs=0.001)
    assert liking(cells, "workday", 19) == pytest.approx((1 + 20 * 301 / 1001) / 21)
    assert liking(cells, "weekend", 19) == pytest.approx(301 / 1001), "nothing is known: the overall share"
    assert liking({}, "workday", 10) == 0


@settings(deadline=None)
@given(cells=CELLS, day=DAYS, hour=st.integers(8, 20))
def test_a_liking_is_between_what_was_seen_and_the_overall_share(
    cells: dict[tuple[str, int], HourRate], day: str, hour: int
) -> None:
    tried = sum(cell.tried for cell in cells.values())
    overall = sum(cell.answered for cell in cells.values()) / tried if tried else 0.0
    cell = cells.get((day, hour))
    seen = cell.answered / cell.tried if cell and cell.tried else overall
    low, high = sorted((seen, overall))
    assert low - 1e-12 <= liking(cells, day, hour) <= high + 1e-12


def test_the_best_hour_wins_and_of_good_ones_the_earliest() -> None:
    cells = {
        ("workday", 10): HourRate(tried=1000, answered=200),
        ("workday", 18): HourRate(tried=1000, answered=400),
        ("weekend", 11): HourRate(tried=1000, answered=402),
    }
    assert best([(1.0, "workday", 10), (2.0, "workday", 18)], cells) == 2
    assert best([(3.0, "weekend", 11), (2.0, "workday", 18)], cells) == 2, "as good, within a hundredth"
    assert best([(2.0, "workday", 18), (1.0, "workday", 18)], cells) == 1
    assert best([(9.0, "workday", 18), (4.0, "workday", 10)], {}) == 4


def test_there_must_be_a_candidate() -> None:
    with pytest.raises(ValueError, match="empty"):
        best([], {})


@settings(deadline=None)
@given(candidates=CANDIDATES, cells=CELLS)
def test_nothing_is_liked_notably_better_than_the_best(
    candidates: list[tuple[float, str, int]], cells: dict[tuple[str, int], HourRate]
) -> None:
    chosen = best(candidates, cells)
    likings = {(at, day, hour): liking(cells, day, hour) for at, day, hour in candidates}
    enough = 0.99 * max(likings.values())
    assert any(at == chosen and like >= enough for (at, _, _), like in likings.items())
    assert all(like < enough for (at, _, _), like in likings.items() if at < chosen)
