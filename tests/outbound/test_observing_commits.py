"""What the store commits is heard once, whole, and only when it is true; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from outbound.errors import Unavailable
from outbound.observing import commits
from outbound.observing.commits import Commit
from outbound.store import Store, events
from tests.outbound.both import KINDS, empty_database

pytestmark = pytest.mark.integration


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store(empty_database(request.param, request, tmp_path))
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
async def heard(store: Store) -> list[Commit]:
    found: list[Commit] = []
    commits.listen(await store.read(lambda connection: connection.engine), found.append)
    return found


def told(found: list[Commit]) -> list[str]:
    return [row["kind"] for commit in found for table, row in commit.rows if table == "events"]


async def test_rows_are_heard_before_whoever_wrote_them_goes_on(store: Store, heard: list[Commit]) -> None:
    rows = [{"at": 1.0, "kind": kind, "campaign_id": None, "attempt_id": None, "data": {}} for kind in ("b", "c")]

    def unit(connection: Any) -> None:
        events.append(connection, at=1.0, kind="a", data={"x": 1})
        events.append_all(connection, rows)

    await store.write(unit)

    assert told(heard) == ["a", "b", "c"]
    assert [commit.units for commit in heard] == [1]
    assert heard[0].rows[0][1]["data"] == {"x": 1}
    assert heard[0].seconds > 0


async def test_what_a_unit_took_back_was_never_there(store: Store, heard: list[Commit]) -> None:
    def fails(connection: Any) -> None:
        events.append(connection, at=1.0, kind="lost")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(fails)
    await store.write(lambda connection: events.append(connection, at=1.0, kind="kept"))

    assert told(heard) == ["kept"]


async def test_a_commit_that_fails_is_not_heard(store: Store, heard: list[Commit]) -> None:
    """The database refuses at the very end: a reference that is checked at the commit leads nowhere."""

    def prepare(connection: Any) -> None:
        connection.execute(text("CREATE TABLE above (id INTEGER PRIMARY KEY)"))
        reference = "REFERENCES above(id) DEFERRABLE INITIALLY DEFERRED"
        connection.execute(text(f"CREATE TABLE below (id INTEGER {reference})"))

    def dangling(connection: Any) -> None:
        events.append(connection, at=1.0, kind="lost")
        connection.execute(text("INSERT INTO below VALUES (1)"))

    await store.write(prepare)
    heard.clear()
    with pytest.raises(Unavailable):
        await store.write(dangling)
    await store.write(lambda connection: events.append(connection, at=1.0, kind="kept"))

    assert told(heard) == ["kept"]


async def test_reading_is_silent(store: Store, heard: list[Commit]) -> None:
    await store.read(lambda connection: connection.execute(text("SELECT 1")).scalar())

    assert heard == []
