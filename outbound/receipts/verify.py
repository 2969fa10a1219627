"""Verifies the chain: every receipt, every day, and what was kept of it outside. It reads only, in flat memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, Select, exists, func, or_, select, type_coerce
from sqlalchemy.types import NullType

from outbound.receipts.diagnosis import diagnose
from outbound.receipts.heads import Head
from outbound.receipts.links import GENESIS, day_of
from outbound.receipts.report import RESTORE, Report
from outbound.receipts.stored import BATCH, Stored, query, read
from outbound.receipts.walk import DayWalk
from outbound.store.schema import attempts, erasures, receipt_days, receipts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day as the table has it."""

    day: str
    before: bytes
    count: int
    head: bytes


def verify(connection: Connection, *, heads: Sequence[Head] = (), day: str | None = None) -> Report:
    """Verify the whole chain, or one ``day`` of it with its ties to its neighbours, against ``heads`` kept outside.

    The connection must see one instant (opening.py): otherwise what is appended meanwhile looks like damage.
    """
    report = Report()
    days = [_Day(**row) for row in connection.execute(_days()).mappings()]
    _check_ties(report, days, day)
    by_day = defaultdict(list)
    for head in heads:
        if day is None or head.day == day:
            by_day[head.day].append(head)
    _walk(connection, report, days, by_day, day)
    if day is None:
        _check_unchained(connection, report)
        _check_erased(connection, report)
        _check_sends(connection, report)
    return report


def _days() -> Select[Any]:
    names = ("day", "before", "count", "head")
    columns: list[Any] = [type_coerce(receipt_days.c[name], NullType()).label(name) for name in names]
    return select(*columns).order_by(receipt_days.c.day)


def _check_ties(report: Report, days: list[_Day], only: str | None) -> None:
    """Every day begins where the one before it ended, so that a whole missing day shows."""
    if days and days[0].before != GENESIS and only in (None, days[0].day):
        report.add(days[0].day, None, "the chain does not begin here: earlier days are missing", RESTORE)
    for earlier, later in pairwise(days):
        if earlier.head != later.before and only in (None, earlier.day, later.day):
            what = f"it does not begin where {earlier.day} ended: a day between is missing, or one of them was changed"
            report.add(later.day, None, what, RESTORE)


def _walk(
    connection: Connection, report: Report, days: list[_Day], heads: dict[str, list[Head]], only: str | None
) -> None:
    known = {item.day: item for item in days}
    wanted = ({only} if only else known.keys() | heads.keys()) & (known.keys() | heads.keys())
    ended = {later.day: earlier.head for earlier, later in pairwise(days)}
    for day, found in _by_day(connection, only):
        stated = known.get(day)
        if stated is None:
            report.add(day, None, "what the day came to is missing (receipt_days)", RESTORE)
        befores = [stated.before] if stated else [_head_before(days, day)]
        walk = DayWalk(
            report,
            day,
            [*befores, ended.get(day, GENESIS)],
            heads.get(day, ()),
            lambda receipt, past: diagnose(connection, receipt, past),
        )
        for receipt in found:
            walk.step(receipt)
            report.receipts += 1
        walk.end(stated.count if stated else None, stated.head if stated else None)
        report.days += 1
        wanted = wanted - {day}
    for day in sorted(wanted):
        report.add(day, None, "all receipts of the day are missing", RESTORE)
    if only and not report.days and not wanted:
        report.add(only, None, "there are no receipts of this day", "check the day; it is a UTC day as YYYY-MM-DD")


def _by_day(connection: Connection, only: str | None) -> Iterator[tuple[str, Iterator[Stored]]]:
    chosen = query().where(receipts.c.day == only if only else receipts.c.day.is_not(None))
    rows = read(connection, chosen.order_by(receipts.c.day, receipts.c.seq))
    return groupby(rows, key=lambda receipt: str(receipt.fields["day"]))


def _head_before(days: list[_Day], day: str) -> bytes:
    return next((item.head for item in reversed(days) if item.day < day), GENESIS)


def _check_unchained(connection: Connection, report: Report) -> None:
    """Receipts without a day are from before the chain, or were taken out of it, or put in beside it."""
    first = connection.execute(select(func.min(receipts.c.id)).where(receipts.c.day.is_not(None))).scalar()
    loose = receipts.c.day.is_(None)
    marks = or_(receipts.c.hash.is_not(None), receipts.c.commitment.is_not(None), receipts.c.seq.is_not(None))
    late = marks if first is None else or_(marks, receipts.c.id > first)
    total = connection.execute(select(func.count()).select_from(receipts).where(loose)).scalar_one()
    odd = 0
    for key in connection.execute(select(receipts.c.id).where(loose, late).order_by(receipts.c.id)).scalars():
        odd += 1
        report.add("", None, f"receipt {key} is outside the chain though it was written after the chain began")
    report.before_chain = total - odd


def _check_erased(connection: Connection, report: Report) -> None:
    """Personal data goes only by an erasure, which counts what it took."""
    counted = sum(int(row.get("receipts", 0)) for row in connection.execute(select(erasures.c.counts)).scalars())
    if report.erased > counted:
        missing = report.erased - counted
        report.add("", None, f"{missing} receipts lost their personal data although no erasure took it", RESTORE)


def _check_sends(connection: Connection, report: Report) -> None:
    """Nothing leaves without the receipt that permitted it; the end of a chain that was cut off shows here, too."""
    chained = select(receipts.c.at).where(receipts.c.day.is_not(None)).order_by(receipts.c.id).limit(1)
    permitted = exists().where(receipts.c.attempt_id == attempts.c.id, receipts.c.allowed)
    left: list[Any] = [type_coerce(attempts.c[name], NullType()).label(name) for name in ("id", "dialed_at")]
    unseen = select(*left).where(attempts.c.dialed_at >= chained.scalar_subquery(), ~permitted)
    for row in connection.execute(unseen.order_by(attempts.c.id), execution_options={"yield_per": BATCH}):
        what = f"attempt {row.id} left and no receipt permits it: the chain's end was cut off, or the gate passed by"
        report.add(_day_if_any(row.dialed_at), None, what, RESTORE)


def _day_if_any(at: Any) -> str:
    try:
        return day_of(at)
    except (TypeError, ValueError, OverflowError, OSError):  # whoever cut the chain may have spoilt this, too
        return ""
