"""Receipts for tests: made in numbers, appended, read back; and both databases they must be the same in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, select, text, update

from outbound.receipts.chain import NewReceipt, append
from outbound.receipts.verify import verify
from outbound.store import Store
from outbound.store.schema import receipts

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp()
DAY_S = 86400.0
NUMBER = "+447700900001"


def a_receipt(number: int = 0, **changes: Any) -> NewReceipt:
    """An answer of the gate, different for every ``number``."""
    fields: dict[str, Any] = {
        "at": NOON + number * 0.1,
        "campaign_id": f"01CAMPAIGN{number % 3:016d}",
        "contact_id": f"01CONTACT{number:017d}",
        "attempt_id": f"01ATTEMPT{number:017d}" if number % 2 else None,
        "channel": "voice",
        "purpose": "informational",
        "allowed": number % 2 == 1,
        "code": "allowed" if number % 2 else "outside_window",
        "reason": "within 08:00–21:00 – every zone" if number % 2 else "21:03 in Denver is after 21:00",
        "rule": "us/window@2026-01-27",
        "source": "47 CFR 64.1200(c)(1)",
        "next_at": None if number % 2 else NOON + 3600.1 + number,
        "evidence": {"zones": ["America/Denver"], "at": NOON + number * 0.1, "rules": {"us": "2026-01-27"}},
        "personal": {"number": f"+1303555{number:04d}", "name": "Zoë \u0001 \U0001f600"},
    }
    return NewReceipt(**fields | changes)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database of each kind, empty."""
    url = f"sqlite:///{tmp_path / 'outbound.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    opened = Store(url)
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def engine(either: Store) -> Engine:
    """Straight into the database, past the store: as somebody would who tampers with it."""
    return either._engine


def fill(connection: Connection, *batches: list[NewReceipt]) -> None:
    """Append batch after batch."""
    for batch in batches:
        append(connection, batch)


def three_days(connection: Connection, a_day: int = 4) -> None:
    """Some receipts on each of three days, one day without any between them."""
    for day in (0, 1, 3):
        numbers = range(day * 100, day * 100 + a_day)
        append(connection, [a_receipt(number, at=NOON + day * DAY_S + number) for number in numbers])


def rows(connection: Connection) -> list[dict[str, Any]]:
    """Every receipt in the order of writing."""
    return [dict(row) for row in connection.execute(select(receipts).order_by(receipts.c.id)).mappings()]


def change(connection: Connection, key: int, **values: Any) -> None:
    """Tamper with a receipt."""
    connection.execute(update(receipts).where(receipts.c.id == key).values(**values))


def found(connection: Connection, **arguments: Any) -> list[str]:
    """What a verification finds."""
    return [finding.line() for finding in verify(connection, **arguments).findings]
