"""A copy of the database is whole at one instant, private, and put back only where it belongs."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from outbound.backup import lineage
from outbound.backup.copying import back_up
from outbound.backup.reconcile import Reconciliation
from outbound.backup.restoring import restore
from outbound.cli import main
from outbound.errors import ConfigurationError, Conflict, Invalid, Unavailable
from outbound.lock import DirectoryLock
from outbound.store import Store, events
from outbound.store.schema import attempts, campaigns
from outbound.store.schema import events as table
from tests.outbound.test_migrations import at_revision
from tests.outbound.world import NOON, World

pytestmark = pytest.mark.integration

ANN = "+447700900001"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(url(tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    await made.campaign([ANN])
    yield made
    store.close()


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'outbound.db'}"


def rows_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


async def test_a_copy_made_while_the_service_writes_holds_all_that_was_confirmed_before(
    world: World, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def write() -> int:
        count = 0
        while not stop.is_set():
            await world.store.write(lambda c: events.append(c, at=NOON, kind="test", data={"padding": "x" * 500}))
            count += 1
        return count

    for _ in range(200):
        await world.store.write(lambda c: events.append(c, at=NOON, kind="test"))
    before = await world.store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())
    writing = asyncio.create_task(write())
    await asyncio.to_thread(back_up, url(tmp_path), tmp_path / "copy.db")
    stop.set()
    written = await writing
    assert before <= rows_of(tmp_path / "copy.db") <= before + written
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert not await asyncio.to_thread((tmp_path / "copy.db.partial").exists)


async def test_a_copy_is_not_written_over_another(world: World, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(Conflict, match="name another file"):
        back_up(url(tmp_path), tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_database_that_is_not_there_and_a_folder_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="OUTBOUND_DATA_DIR"):
        back_up(url(tmp_path), tmp_path / "copy.db")
    sqlite3.connect(tmp_path / "outbound.db").close()
    with pytest.raises(Unavailable, match="name another file"):
        back_up(url(tmp_path), tmp_path / "missing" / "copy.db")


async def test_a_copy_goes_back_marked_and_the_old_one_is_kept(world: World, tmp_path: Path) -> None:
    back_up(url(tmp_path), tmp_path / "copy.db")
    await world.store.write(lambda c: events.append(c, at=NOON, kind="test.later"))
    world.store.close()
    with pytest.raises(Conflict, match="--keep-old"):
        restore(url(tmp_path), tmp_path, tmp_path / "copy.db", keep_old=False, now=NOON)
    aside = restore(url(tmp_path), tmp_path, tmp_path / "copy.db", keep_old=True, now=NOON)
    assert aside == tmp_path / "outbound.db.20261124T120000Z"
    assert rows_of(aside) == rows_of(tmp_path / "outbound.db") + 1
    again = Store(url(tmp_path))
    again.start()
    try:
        assert await again.read(lineage.is_copy)
        await again.write(lineage.take_home)
        assert not await again.read(lineage.is_copy)
        numbers = await again.read(lambda c: c.execute(select(attempts.c.number)).scalars().all())
        assert numbers == [ANN]
    finally:
        again.close()


async def test_a_copy_stops_what_runs_even_if_nothing_is_known_to_be_missing(world: World, tmp_path: Path) -> None:
    back_up(url(tmp_path), tmp_path / "copy.db")
    elsewhere = tmp_path / "elsewhere"
    assert restore(url(elsewhere), elsewhere, tmp_path / "copy.db", keep_old=False, now=NOON) is None
    again = Store(url(elsewhere))
    again.start()
    try:
        for _ in range(2):
            await Reconciliation(again, ["line-1"], elsewhere / "journal", lambda: NOON).compare()
        assert [row["state"] for row in await World(again).rows(campaigns)] == ["paused"]
        assert (await World(again).kinds()).count("store.restored") == 2  # of the campaign, and of the house
    finally:
        again.close()


def test_a_copy_of_an_earlier_version_is_restored_and_brought_up_to_date(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    at_revision(engine, "0002")
    engine.dispose()
    restore(url(tmp_path), tmp_path, tmp_path / "old.db", keep_old=False, now=NOON)
    store = Store(url(tmp_path))
    store.start()
    store.close()
    with closing(sqlite3.connect(tmp_path / "outbound.db")) as connection:
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert version > "0002"
        assert connection.execute("PRAGMA user_version").fetchone() == (lineage.COPY,)


async def test_what_an_old_log_holds_is_not_played_into_the_copy(world: World, tmp_path: Path) -> None:
    """A host that was killed leaves a log behind; SQLite would take it for the new database's."""
    back_up(url(tmp_path), tmp_path / "copy.db")
    await world.store.write(lambda c: events.append(c, at=NOON, kind="test.later"))
    other = tmp_path / "killed"
    other.mkdir()
    for name in ("outbound.db", "outbound.db-wal"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    aside = restore(url(other), other, tmp_path / "copy.db", keep_old=True, now=NOON)
    assert aside is not None
    assert not (other / "outbound.db-wal").exists()
    assert rows_of(aside) == rows_of(other / "outbound.db") + 1


async def test_nothing_is_restored_over_a_running_host(world: World, tmp_path: Path) -> None:
    back_up(url(tmp_path), tmp_path / "copy.db")
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    try:
        with pytest.raises(ConfigurationError, match="in use by process"):
            restore(url(tmp_path), tmp_path, tmp_path / "copy.db", keep_old=True, now=NOON)
    finally:
        lock.release()


async def test_only_a_whole_database_of_ours_is_restored(world: World, tmp_path: Path) -> None:
    good, empty = tmp_path / "copy.db", tmp_path / "empty"
    back_up(url(tmp_path), good)
    newer, damaged, foreign, raw = (tmp_path / name for name in ("newer.db", "damaged.db", "foreign.db", "raw.db"))
    newer.write_bytes(good.read_bytes())
    with closing(sqlite3.connect(newer)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    content = bytearray(good.read_bytes())
    content[4096 * 3 : 4096 * 30] = b"\x55" * (4096 * 27)
    damaged.write_bytes(content)
    with closing(sqlite3.connect(foreign)) as connection, connection:
        connection.execute("CREATE TABLE notes (words)")
    raw.write_bytes(good.read_bytes())
    raw.with_name("raw.db-wal").write_bytes(b"more")
    refusals = {
        newer: "newer version",
        damaged: "cannot be copied|damaged|read",
        foreign: "no database of this service",
    }
    for path, why in (refusals | {raw: "a part only"}).items():
        with pytest.raises(Invalid, match=why):
            restore(url(empty), empty, path, keep_old=False, now=NOON)
        assert [found.name for found in empty.iterdir()] == ["lock"]


async def test_the_commands_say_what_to_do_next(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("OUTBOUND_DATABASE_URL", raising=False)
    made = CliRunner().invoke(main, ["backup", str(tmp_path / "copy.db")])
    assert (made.exit_code, "operator.key" in made.output) == (0, True)
    world.store.close()
    refused = CliRunner().invoke(main, ["restore", str(tmp_path / "copy.db")])
    assert (refused.exit_code, "--keep-old" in refused.output) == (1, True)
    done = CliRunner().invoke(main, ["restore", "--keep-old", str(tmp_path / "copy.db")])
    assert (done.exit_code, "opt-outs" in done.output) == (0, True)


async def test_a_postgresql_database_is_dumped_and_a_dump_put_elsewhere_is_known_for_a_copy(
    postgres_url: str, tmp_path: Path
) -> None:
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("backup_source", "backup_target"):
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    source, target = (
        make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        for name in ("backup_source", "backup_target")
    )
    store = Store(source)
    store.start()
    world = World(store)
    await world.trunk()
    await world.campaign([ANN])
    await store.write(lineage.take_home)
    assert not await store.read(lineage.is_copy)
    dump = tmp_path / "copy.dump"
    await asyncio.to_thread(back_up, source, dump)
    store.close()
    assert dump.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="pg_restore --clean") as told:
        restore(source, tmp_path, dump, keep_old=False, now=NOON)
    command = told.value.detail.partition("pg_restore")[2].partition(";")[0]
    command = "pg_restore" + command.replace("/backup_source", "/backup_target")
    await asyncio.to_thread(subprocess.run, command, shell=True, check=True, capture_output=True)
    again = Store(target)
    again.start()
    try:
        assert await again.read(lineage.is_copy)
        assert [row["number"] for row in await World(again).attempts()] == [ANN]
        await again.write(lineage.take_home)
        assert not await again.read(lineage.is_copy)
    finally:
        again.close()
