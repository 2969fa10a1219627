"""Parts of the local day and the hours at which customers answer. It knows no zones: local times are arguments.

Whether a call is allowed at an hour is the gate's business; here is only which of the allowed ones promises most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class PartOfDay(StrEnum):
    """A part of the customer's local day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class DayKind(StrEnum):
    """Kinds of days on which people are at home at different hours."""

    WORKDAY = "workday"
    WEEKEND = "weekend"


BEGINS_MIN: Mapping[PartOfDay, int] = {
    PartOfDay.MORNING: 0,
    PartOfDay.AFTERNOON: 12 * 60,
    PartOfDay.EVENING: 17 * 60,
}
"""Minute of the local day at which each part begins."""
CLOSE = 0.01
"""Hours whose liking differs by no more than this share of the best are equally good."""

Cells = Mapping[tuple[str, int], "HourRate"]
"""What is known of each hour (0 to 23) of each :class:`DayKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRate:
    """How many calls were tried in an hour of the day, and how many of them a person answered."""

    tried: int
    answered: int


def part_of(local_minutes: int) -> PartOfDay:
    """The part of the day at ``local_minutes`` after local midnight."""
    if not 0 <= local_minutes < 24 * 60:
        raise ValueError(f"a day has no minute {local_minutes}")
    return max((part for part, begin in BEGINS_MIN.items() if begin <= local_minutes), key=BEGINS_MIN.__getitem__)


def untried(parts_tried: Iterable[PartOfDay]) -> frozenset[PartOfDay]:
    """The parts that were tried least often: those never tried, and all three when they were tried alike."""
    times = Counter(parts_tried)
    fewest = min(times[part] for part in PartOfDay)
    return frozenset(part for part in PartOfDay if times[part] == fewest)


def liking(cells: Cells, day: str, hour: int, *, prior_tried: float = 20) -> float:
    """The expected share of calls that are answered at that hour, drawn towards the overall share.

    The mean of a Beta posterior whose prior is the overall share, worth ``prior_tried`` calls: an hour of which little
    is known is neither praised nor condemned.
    """
    return _smoothed(cells.get((day, hour)), _overall(cells), prior_tried)


def best(candidates: Sequence[tuple[float, str, int]], cells: Cells, *, prior_tried: float = 20) -> float:
    """The instant of the candidate (instant, day, hour) that is liked best; the earliest of those as good as that.

    Raises ``ValueError`` without candidates.
    """
    overall = _overall(cells)
    rated = [(_smoothed(cells.get((day, hour)), overall, prior_tried), at) for at, day, hour in candidates]
    enough = max(rated)[0] * (1 - CLOSE)
    return min(at for rate, at in rated if rate >= enough)


def _overall(cells: Cells) -> float:
    tried = sum(cell.tried for cell in cells.values())
    return sum(cell.answered for cell in cells.values()) / tried if tried else 0.0


def _smoothed(cell: HourRate | None, overall: float, prior_tried: float) -> float:
    if cell is None:
        return overall
    return (cell.answered + overall * prior_tried) / (cell.tried + prior_tried)
