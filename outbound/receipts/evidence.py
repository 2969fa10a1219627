"""Gathers what bears on whether somebody was rightly reached or not reached; it judges nothing and changes nothing.

What a number gathers fits in memory; a campaign is read piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, and_, case, func, select

from outbound.errors import NotFound
from outbound.receipts.heads import Head
from outbound.receipts.opening import as_of_now
from outbound.receipts.report import Report
from outbound.receipts.verify import verify
from outbound.store import campaigns
from outbound.store.erased import names_of
from outbound.store.schema import (
    attempts,
    callbacks,
    consents,
    contacts,
    erasures,
    opt_ins,
    opt_outs,
    receipt_days,
    receipts,
    refusals,
    registers,
)
from outbound.store.schema import campaigns as campaigns_table

RECEIPTS_LIMIT = 5000
"""Newest receipts of a number in its evidence."""
PAGE_LIMIT = 1000
"""Newest receipts of a campaign on its page."""
VERIFY_LIMIT = 100_000
"""Receipts that are verified for one answer of REST: about three seconds."""
PIECE = 1000
STATEMENTS: tuple[tuple[str, Table], ...] = (
    ("opt_out", opt_outs),
    ("opt_in", opt_ins),
    ("consent", consents),
    ("refusal", refusals),
    ("callback", callbacks),
)
Row = RowMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of the chain; ``report`` is ``None`` when it was too much to verify."""

    day: str
    count: int
    head: bytes
    report: Report | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfNumber:
    """What is known of a number."""

    number: str
    contacts: Sequence[Row]
    receipts: Sequence[Row]
    attempts: Sequence[Row]
    statements: Sequence[tuple[str, Row]]
    erasures: Sequence[Row]
    registers: Sequence[Row]
    days: Sequence[Day]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCampaign:
    """What is known of a campaign in sum."""

    campaign: Row
    contacts: int
    counts: Sequence[Row]
    """``allowed``, ``code``, ``rule``, ``source`` and how many ``receipts``."""
    registers: Sequence[Row]
    days: Sequence[Day]


def of_number(
    connection: Connection, number: str, *, heads: Sequence[Head] = (), limit: int | None = VERIFY_LIMIT
) -> OfNumber:
    """Gather what is known of an E.164 number or of a token. Raises :class:`NotFound`.

    ``limit``: receipts to be verified at most; ``None`` for all.
    """
    as_of_now(connection)
    names = names_of(connection, number)
    found = _places(connection, names)
    theirs = receipts.c.contact_id.in_([row["id"] for row in found])
    newest = kept().where(theirs).order_by(receipts.c.id.desc()).limit(RECEIPTS_LIMIT + 1)
    decided = connection.execute(newest).mappings().all()
    statements = _statements_of(connection, names)
    gone = select(erasures).where(erasures.c.token.in_(names)).order_by(erasures.c.id)
    erased = connection.execute(gone).mappings().all()
    if not (found or statements or erased):
        raise NotFound("nothing is known of this number", code="contact_not_found")
    shown = decided[:RECEIPTS_LIMIT][::-1]
    tries = select(attempts).where(attempts.c.number.in_(names)).order_by(attempts.c.id)
    return OfNumber(
        number=number,
        contacts=found,
        receipts=shown,
        attempts=connection.execute(tries).mappings().all(),
        statements=statements,
        erasures=erased,
        registers=_registers(connection),
        days=_days(connection, sorted({row["day"] for row in shown if row["day"]}), heads, limit),
        complete=len(decided) == len(shown),
    )


def of_campaign(
    connection: Connection, campaign_id: str, *, heads: Sequence[Head] = (), limit: int | None = VERIFY_LIMIT
) -> OfCampaign:
    """Gather what is known of a campaign in sum. Raises :class:`NotFound`."""
    as_of_now(connection)
    campaign = campaigns.get(connection, campaign_id)
    mine = receipts.c.campaign_id == campaign_id
    groups = [receipts.c[name] for name in ("allowed", "code", "rule", "source")]
    total = func.count().label("receipts")
    counts = select(*groups, total).where(mine).group_by(*groups).order_by(total.desc(), *groups)
    days = connection.execute(select(receipts.c.day).where(mine, receipts.c.day.is_not(None)).distinct()).scalars()
    people = select(func.count()).select_from(contacts).where(contacts.c.campaign_id == campaign_id)
    return OfCampaign(
        campaign=campaign,
        contacts=connection.execute(people).scalar_one(),
        counts=connection.execute(counts).mappings().all(),
        registers=_registers(connection),
        days=_days(connection, sorted(days), heads, limit),
    )


def kept() -> Select[Any]:
    """Select receipts, each with ``before``, the hash it follows: so it can be checked by itself."""
    earlier = receipts.alias("earlier")
    before = case((receipts.c.seq == 1, receipt_days.c.before), else_=earlier.c.hash).label("before")
    joined = receipts.outerjoin(receipt_days, receipt_days.c.day == receipts.c.day)
    follows = and_(earlier.c.day == receipts.c.day, earlier.c.seq == receipts.c.seq - 1)
    return select(receipts, before).select_from(joined.outerjoin(earlier, follows))


def receipts_of(connection: Connection, campaign_id: str, *, after: int) -> Sequence[Row]:
    """Read the next piece of a campaign's receipts."""
    query = kept().where(receipts.c.campaign_id == campaign_id, receipts.c.id > after)
    return connection.execute(query.order_by(receipts.c.id).limit(PIECE)).mappings().all()


def newest_receipts_of(connection: Connection, campaign_id: str) -> Sequence[Row]:
    """Read a campaign's newest receipts, in the order of writing."""
    query = kept().where(receipts.c.campaign_id == campaign_id).order_by(receipts.c.id.desc())
    return connection.execute(query.limit(PAGE_LIMIT)).mappings().all()[::-1]


def attempts_of(connection: Connection, campaign_id: str, *, after: str) -> Sequence[Row]:
    """Read the next piece of a campaign's attempts."""
    query = select(attempts).where(attempts.c.campaign_id == campaign_id, attempts.c.id > after)
    return connection.execute(query.order_by(attempts.c.id).limit(PIECE)).mappings().all()


def statements_of(connection: Connection, campaign_id: str, table: Table, *, after: str) -> Sequence[Row]:
    """Read the next piece of what a campaign's contacts told us, wherever they did."""
    query = select(table).join(contacts, contacts.c.number == table.c.number)
    query = query.where(contacts.c.campaign_id == campaign_id, table.c.id > after)
    return connection.execute(query.order_by(table.c.id).limit(PIECE)).mappings().all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which receipts; ``None`` means all."""

    number: str | None = None
    campaign_id: str | None = None
    code: str | None = None
    allowed: bool | None = None


def page(connection: Connection, chosen: Filter, *, before: int | None, limit: int) -> Sequence[Row]:
    """List receipts, the newest first."""
    query = kept().order_by(receipts.c.id.desc()).limit(limit)
    for name in ("campaign_id", "code", "allowed"):
        value = getattr(chosen, name)
        if value is not None:
            query = query.where(receipts.c[name] == value)
    if chosen.number is not None:
        theirs = select(contacts.c.id).where(contacts.c.number.in_(names_of(connection, chosen.number)))
        query = query.where(receipts.c.contact_id.in_(theirs))
    if before is not None:
        query = query.where(receipts.c.id < before)
    return connection.execute(query).mappings().all()


def _places(connection: Connection, names: Sequence[str]) -> Sequence[Row]:
    query = select(contacts, campaigns_table.c.name.label("campaign"), campaigns_table.c.purpose)
    query = query.join(campaigns_table, contacts.c.campaign_id == campaigns_table.c.id)
    return connection.execute(query.where(contacts.c.number.in_(names)).order_by(contacts.c.id)).mappings().all()


def _statements_of(connection: Connection, names: Sequence[str]) -> list[tuple[str, Row]]:
    found: list[tuple[str, Row]] = []
    for kind, table in STATEMENTS:
        query = select(table).where(table.c.number.in_(names)).order_by(table.c.id)
        found += [(kind, row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda item: item[1]["created_at"])


def _registers(connection: Connection) -> Sequence[Row]:
    return connection.execute(select(registers).order_by(registers.c.name)).mappings().all()


def _days(connection: Connection, wanted: Sequence[str], heads: Sequence[Head], limit: int | None) -> list[Day]:
    """Verify days as far as ``limit`` allows, the smallest first, so that as many as can be are."""
    found = connection.execute(_day_rows(wanted)).mappings().all()
    budget, reports = limit, dict[str, Report]()
    for row in sorted(found, key=lambda row: row["count"]):
        if budget is not None:
            budget -= row["count"]
            if budget < 0:
                break
        reports[row["day"]] = verify(connection, day=row["day"], heads=heads)
    known = {row["day"]: row for row in found}
    missing = [Day(day=day, count=0, head=b"", report=verify(connection, day=day)) for day in set(wanted) - set(known)]
    shown = [Day(day=d, count=row["count"], head=row["head"], report=reports.get(d)) for d, row in known.items()]
    return sorted([*missing, *shown], key=lambda day: day.day)


def _day_rows(wanted: Sequence[str]) -> Select[Any]:
    return select(receipt_days).where(receipt_days.c.day.in_(wanted))
