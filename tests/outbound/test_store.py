"""What the database's errors say: which rule was broken, never with whose number."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from outbound.errors import Unavailable
from outbound.store import Store
from outbound.store.store import BUSY_MS
from tests.outbound.both import KINDS, empty_database

pytestmark = pytest.mark.integration
NUMBER = "+447700900123"
ADD = text("INSERT INTO people VALUES (:number, :friend)")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open store in either database."""
    opened = Store(empty_database(request.param, request, tmp_path))
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
async def people(store: Store) -> Store:
    """The store with a table of people who are friends of each other."""
    friend = "friend VARCHAR(20) REFERENCES people (number) DEFERRABLE INITIALLY DEFERRED"
    made = f"CREATE TABLE people (number VARCHAR(20) PRIMARY KEY, {friend})"
    await store.write(lambda connection: connection.execute(text(made)))
    return store


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


async def test_a_refused_row_is_not_quoted(people: Store) -> None:
    def twice(connection: Any) -> None:
        for _ in range(2):
            connection.execute(ADD, {"number": NUMBER, "friend": None})

    with pytest.raises(IntegrityError) as caught:
        await people.write(twice)
    assert "people" in str(caught.value)
    assert NUMBER[1:] not in told(caught.value)


async def test_nor_are_many_nor_those_of_a_wrong_statement(people: Store) -> None:
    rows = [{"number": NUMBER, "friend": None}] * 2
    with pytest.raises(IntegrityError) as caught:
        await people.write(lambda connection: connection.execute(ADD, rows))
    assert NUMBER[1:] not in told(caught.value)
    wrong = text("SELECT * FROM nobody WHERE number = :number")
    with pytest.raises((OperationalError, ProgrammingError), match="nobody") as missing:
        await people.read(lambda connection: connection.execute(wrong, {"number": NUMBER}))
    assert NUMBER[1:] not in told(missing.value)


async def test_a_refused_commit_says_why_without_the_row(people: Store) -> None:
    with pytest.raises(Unavailable, match=r"refused the write \(.*(?i:foreign key constraint)") as caught:
        await people.write(lambda connection: connection.execute(ADD, {"number": "+1", "friend": NUMBER}))
    assert NUMBER[1:] not in told(caught.value)


async def test_an_error_of_another_kind_is_named_alone(people: Store) -> None:
    def unit(connection: Any) -> None:
        raise KeyboardInterrupt(NUMBER)

    with pytest.raises(Unavailable, match="KeyboardInterrupt") as caught:
        await people.write(unit)
    assert NUMBER not in str(caught.value)


async def test_sqlite_overwrites_what_it_deletes(people: Store) -> None:
    if people.is_sqlite:
        chosen = "PRAGMA secure_delete"
        assert await people.write(lambda connection: connection.execute(text(chosen)).scalar()) == 1


def content(path: str) -> bytes:
    return Path(path).read_bytes()


async def test_the_log_is_emptied_unless_somebody_reads_it(people: Store) -> None:
    await people.write(lambda connection: connection.execute(ADD, {"number": NUMBER, "friend": None}))
    if not people.is_sqlite:
        assert await people.compact_log()
        return
    log = f"{people.url.database}-wal"
    with people._engine.connect() as reading:
        reading.execute(text("SELECT * FROM people")).all()
        await people.write(lambda connection: connection.execute(text("DELETE FROM people")))
        assert not await people.compact_log()
        assert NUMBER.encode() in content(log)
    writing = people.write(lambda connection: connection.execute(ADD, {"number": "+1", "friend": None}))
    assert (await asyncio.gather(people.compact_log(), writing))[0]
    assert NUMBER.encode() not in content(log)
    assert await people.read(lambda connection: connection.execute(text("SELECT number FROM people")).scalar()) == "+1"
    assert await people.write(lambda connection: connection.execute(text("PRAGMA busy_timeout")).scalar()) == BUSY_MS
