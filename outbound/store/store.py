"""Opens the database and runs units of work: writes through one group-committing writer, reads beside it.

A unit is a plain function of a SQLAlchemy ``Connection``; it never awaits and never keeps the connection. Nothing here
knows what the rows mean.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError

from outbound.errors import Unavailable
from outbound.store.migrate import upgrade

T = TypeVar("T")
Unit = Callable[[Connection], T]
TOLD = "told"
"""Key in ``Connection.info`` that a unit sets when it appended events."""
BUSY_MS = 30000
"""How long a connection to SQLite waits for another."""
GROUP_LIMIT = 200
"""Units that share one commit at most: bounds how long the first of them waits."""


class Store:
    """The database behind one object: ``write`` for units that change something, ``read`` for those that don't.

    On SQLite one thread owns the only writing connection and commits units in groups (``synchronous=FULL``: a resolved
    ``write`` is on disk). On PostgreSQL each unit is a transaction of its own on a small pool.
    """

    def __init__(self, url: str, *, readers: int = 2) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._on_commit: list[Callable[[], None]] = []
        self._work: queue.SimpleQueue[tuple[Unit[Any] | None, Future[Any]] | None] = queue.SimpleQueue()
        """Units of work, each with its future; without a unit: compact the log; ``None``: the end."""
        self._writers: list[threading.Thread] = []
        self._readers = ThreadPoolExecutor(readers if self.is_sqlite else 8, thread_name_prefix="store-read")
        self._surveys = ThreadPoolExecutor(1, thread_name_prefix="store-survey")
        self._engine = self._create_engine()
        self._closed = False

    def _create_engine(self) -> Engine:
        if not self.is_sqlite:
            engine = create_engine(
                self.url,
                # a unit that waited for its turn sees what was committed meanwhile, whatever the server's default is
                isolation_level="READ COMMITTED",
                pool_size=16,
                max_overflow=8,
                pool_pre_ping=True,
                hide_parameters=True,
            )
            event.listen(engine, "handle_error", _hide_values)
            return engine
        engine = create_engine(self.url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def start(self) -> None:
        """Bring the schema up to date and start the writer. Raises :class:`Unavailable` naming what is wrong."""
        try:
            upgrade(self._engine)
        except DBAPIError as error:
            raise Unavailable(
                f"the database cannot be opened ({error.orig}); check database_url and the disk"
            ) from error
        for number in range(1 if self.is_sqlite else 4):
            name = f"store-write-{number}"
            thread = threading.Thread(target=self._write_loop, name=name, daemon=True)
            thread.start()
            self._writers.append(thread)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` (in a store thread) after every commit that appended events."""
        self._on_commit.append(callback)

    async def write(self, unit: Unit[T]) -> T:
        """Run ``unit`` in a durable transaction; its exception rolls back that unit alone and is raised here."""
        return await self._queued(unit)

    async def _queued(self, unit: Unit[T] | None) -> T:
        if self._closed:
            raise Unavailable("the store is closed")
        done: Future[T] = Future()
        self._work.put((unit, done))
        return await asyncio.shield(asyncio.wrap_future(done))

    async def compact_log(self) -> bool:
        """Empty SQLite's write-ahead log, which keeps pages as they were; ``False`` while somebody still reads them."""
        return await self._queued(None) if self.is_sqlite else True

    async def read(self, unit: Unit[T]) -> T:
        """Run ``unit`` on a reading connection; it sees every write that was resolved before."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, unit)

    async def survey(self, unit: Unit[T]) -> T:
        """Run a ``unit`` that reads very many rows, one at a time: those that read a few do not wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._surveys, self._read, unit)

    def _read(self, unit: Unit[T]) -> T:
        with self._engine.connect() as connection:
            return unit(connection)

    def close(self) -> None:
        """Finish what was queued and close."""
        self._closed = True
        for _ in self._writers:
            self._work.put(None)
        for thread in self._writers:
            thread.join()
        self._readers.shutdown()
        self._surveys.shutdown()
        self._engine.dispose()

    def _write_loop(self) -> None:
        while True:
            first = self._work.get()
            if first is None:
                return
            group = [first]
            while self.is_sqlite and len(group) < GROUP_LIMIT and not self._work.empty():
                item = self._work.get()
                if item is None:
                    self._work.put(None)
                    break
                group.append(item)
            if units := [(unit, done) for unit, done in group if unit is not None]:
                self._commit(units)
            for unit, done in group:
                if unit is None:
                    self._compact(done)

    def _compact(self, done: Future[bool]) -> None:
        """Move the log into the database and cut it, outside a transaction and past SQLAlchemy, which begins one."""
        try:
            with closing(self._engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                cursor.execute("PRAGMA busy_timeout=0")  # while it waited for readers every writer would wait for it
                try:
                    blocked, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        except Exception as error:
            _resolve(done, None, error)
        else:
            _resolve(done, not blocked, None)

    def _commit(self, group: list[tuple[Unit[Any], Future[Any]]]) -> None:
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        told = False
        try:
            with self._engine.begin() as connection:
                if len(group) == 1:
                    results.append((group[0][1], _alone(connection, group[0][0]), None))
                else:
                    results += [(done, *_attempt(connection, unit)) for unit, done in group]
                told = connection.info.pop(TOLD, False)
        except _UnitFailed as failed:
            _resolve(group[0][1], None, failed.error)
            return
        except BaseException as error:
            reason = error.orig if isinstance(error, DBAPIError) else type(error).__name__
            failure = Unavailable(f"the database refused the write ({reason}); check the disk and database_url")
            failure.__cause__ = error
            for _, done in group:
                _resolve(done, None, failure)
            return
        for done, value, problem in results:
            _resolve(done, value, problem)
        if told:
            for callback in self._on_commit:
                callback()


def _resolve(done: Future[Any], value: Any, error: BaseException | None) -> None:
    if not done.set_running_or_notify_cancel():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(value)


class _UnitFailed(Exception):
    """A unit that has the transaction for itself failed, and with it the transaction."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _alone(connection: Connection, unit: Unit[Any]) -> Any:
    """Run a unit that has the transaction for itself: no savepoint is needed, which on PostgreSQL costs two trips."""
    try:
        return unit(connection)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise _UnitFailed(error) from error
    except Exception as error:
        raise _UnitFailed(error) from error


def _attempt(connection: Connection, unit: Unit[Any]) -> tuple[Any, BaseException | None]:
    """Run one unit inside a savepoint, so that its failure leaves the rest of the group whole."""
    savepoint = connection.begin_nested()
    try:
        value = unit(connection)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        savepoint.rollback()
        return None, error
    except Exception as error:
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return value, None


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy emits BEGIN itself; the driver must not
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        "cache_size=-65536",
        "secure_delete=ON",  # not FAST, which spares pages that fall free whole: a transcript fills some
    ):
        connection.execute(f"PRAGMA {pragma}")


def _hide_values(context: ExceptionContext) -> None:
    """Leave out of PostgreSQL's errors the lines that quote rows ("Key (number)=(…) already exists")."""
    diagnosis = getattr(context.original_exception, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    if primary and context.sqlalchemy_exception is not None:
        quoting = str(context.original_exception)
        context.original_exception.args = (primary,)
        said = (str(part).replace(quoting, primary) for part in context.sqlalchemy_exception.args)
        context.sqlalchemy_exception.args = tuple(said)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
