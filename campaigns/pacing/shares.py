"""Fair queueing among the lanes that wait for one trunk: whose turn it is. It starts nothing and stores nothing.

Start-time fair queueing (Goyal, Vin, Cheng: Start-Time Fair Queueing, SIGCOMM 1996, pp. 157-168). The turn of a lane
starts at ``S = max(v, F)`` and finishes at ``F = S + 1 / share``; the least start goes first. ``F`` is stored by lane,
and ``v``, the system's virtual time, is the start of what was served last: the greatest ``F - 1 / share`` there is.
So between two lanes that both wait, what each got by its share never differs by more than one turn of each.

Of turns that start at once, the one goes first whose lane was silent longest by its share. So lanes that all lag behind
``v``, because they wait for a trunk that is slower than the others', still share it by weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What waits for a trunk under one name: a campaign, or the notifications of one priority."""

    key: str
    """Unique among the lanes of a deal; decides where nothing else does."""
    priority: int
    """The smaller comes first, always: while a smaller one waits, a greater one gets nothing."""
    share: float
    """Weight within the priority."""
    served: float = 0.0
    """Virtual time at which its last turn finished, as :func:`served` returned it; 0 for a new lane."""
    waiting: int
    """Attempts that could be taken now."""

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise ValueError(f"the share of lane {self.key!r} is {self.share}; it must be more than 0")


def deal(lanes: Sequence[Lane], places: int) -> list[str]:
    """Keys in the order in which they are served, at most ``places`` of them and each at most ``waiting`` times.

    Pass idle lanes too: they get nothing, but keep the system's virtual time from being forgotten.
    """
    starts = _starts(lanes)
    turns = merge(*(_turns(lane, starts[lane.key]) for lane in lanes))
    return [key for *_, key in islice(turns, max(0, places))]


def served(lanes: Sequence[Lane], dealt: Sequence[str]) -> dict[str, float]:
    """New virtual times of the lanes that were ``dealt`` to: what :func:`deal` said, or that part of it which began."""
    starts, taken = _starts(lanes), Counter(dealt)
    return {lane.key: starts[lane.key] + taken[lane.key] / lane.share for lane in lanes if taken[lane.key]}


def _turns(lane: Lane, start: float) -> Iterator[tuple[int, float, float, str]]:
    silent = (start - lane.served) * lane.share
    for turn in range(lane.waiting):
        yield lane.priority, start + turn / lane.share, 0.0 if turn else -silent, lane.key


def _starts(lanes: Sequence[Lane]) -> dict[str, float]:
    """When the next turn of each lane starts. One that was silent, or is new, has no arrears: it starts now."""
    now: dict[int, float] = {}
    for lane in lanes:
        now[lane.priority] = max(now.get(lane.priority, 0.0), lane.served - 1 / lane.share)
    return {lane.key: max(now[lane.priority], lane.served) for lane in lanes}
