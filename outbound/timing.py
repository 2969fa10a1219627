"""Chooses when, of the instants the gate permits, an attempt falls due: at once, at a better hour, or at another one.

It asks the gate about every instant it chooses, and never chooses one that was not permitted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from campaigns.daytimes import BEGINS_MIN, Cells, DayKind, HourRate, PartOfDay, liking, part_of
from outbound.gatehouse.keeper import Examined, ask
from outbound.store.schema import reach_hours

AHEAD_H = 24
"""A better hour is looked for so far ahead."""
LOOKS = 8
"""Instants asked about at most to find another part of the day."""


def hours_known(connection: Connection) -> Cells:
    """How often customers answered, by kind of day and local hour."""
    rows = connection.execute(select(reach_hours)).mappings()
    return {(row["day"], row["hour"]): HourRate(tried=row["tried"], answered=row["answered"]) for row in rows}


def best_hour(answer: Examined, cells: Cells, *, seed: str) -> float | None:
    """The permitted instant within a day at which the customer most likely answers, spread over its hour.

    ``None`` when there is none, as :attr:`Decision.next_at`. Without experience it is the first permitted instant.
    """
    first = answer.decision.next_at
    if first is None or not cells:
        return first
    start = _local(answer, first).replace(minute=0, second=0, microsecond=0)
    hours = [start + timedelta(hours=ahead) for ahead in range(AHEAD_H)]
    liked = sorted(hours, key=lambda hour: (-round(liking(cells, _kind(hour), hour.hour), 3), hour))
    for hour in liked:
        at = max(first, hour.timestamp() + _within(seed, 3600.0))
        if at == first or _permitted(answer, at):
            return at
    return first


def other_part(answer: Examined, avoid: Collection[PartOfDay]) -> float | None:
    """The first permitted instant outside the parts of the day to avoid; the first of all where there is none."""
    first = at = answer.decision.next_at
    for _ in range(LOOKS):
        if at is None:
            return first
        local = _local(answer, at)
        part = part_of(local.hour * 60 + local.minute)
        if part not in avoid:
            return at
        at = _asked(answer, _end_of(local, part))
    return first


def local_part(at: float, zone: str) -> PartOfDay:
    """The part of the day at an instant, where the customer is."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return part_of(local.hour * 60 + local.minute)


def _end_of(local: datetime, part: PartOfDay) -> float:
    later = sorted(minute for minute in BEGINS_MIN.values() if minute > BEGINS_MIN[part])
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if later:
        return midnight.replace(hour=later[0] // 60, minute=later[0] % 60).timestamp()
    return (midnight + timedelta(days=1)).timestamp()


def _local(answer: Examined, at: float) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(answer.contact["zones"][0]))


def _kind(local: datetime) -> str:
    return DayKind.WEEKEND if local.weekday() >= 5 else DayKind.WORKDAY


def _asked(answer: Examined, at: float) -> float | None:
    return ask(replace(answer.question, at=at), answer.regime, "they could not be read when planning").next_at


def _permitted(answer: Examined, at: float) -> bool:
    return _asked(answer, at) == at


def _within(seed: str, span_s: float) -> float:
    """Uniform in [0, ``span_s``), the same for the same seed."""
    return int.from_bytes(sha256(seed.encode()).digest()[:6]) / 2**48 * span_s
