"""Listens to what this process commits: how long it took, how many units shared it, which rows told of something.

It goes by SQLAlchemy's events, so the store knows nothing of it; it reads no row again and changes none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Insert, event
from sqlalchemy.engine import ExceptionContext

from outbound.store.schema import events, receipts

Row = Mapping[str, Any]
HEARD = "heard"
"""Key in ``Connection.info``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What one transaction of this process made true."""

    seconds: float
    """From COMMIT to its answer: on disk."""
    units: int
    """Units of work that shared it."""
    rows: Sequence[tuple[str, Row]]
    """Table (``events`` or ``receipts``) and row of what was appended, in its order."""


@dataclass(slots=True, kw_only=True)
class _Heard:
    """A transaction while it lasts."""

    rows: list[tuple[str, Row]] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    """How many rows there were before each open savepoint: a unit that fails takes its rows back."""
    units: int = 0
    committing_since: float | None = None


def listen(engine: Engine, *tell: Callable[[Commit], None]) -> None:
    """Tell of every commit (in a store thread) before whoever waits for it is told; once an engine."""

    def begin(connection: Connection) -> None:
        connection.info[HEARD] = _Heard()

    def committing(connection: Connection) -> None:
        if (heard := connection.info.get(HEARD)) is not None:
            heard.committing_since = time.perf_counter()

    def rollback(connection: Connection) -> None:
        connection.info.pop(HEARD, None)

    def failed(context: ExceptionContext) -> None:
        connection = context.connection
        if connection is None or connection.invalidated:
            return
        heard = connection.info.get(HEARD)
        if heard is not None and heard.committing_since is not None:
            rollback(connection)

    def given_back(_: Any, record: Any) -> None:
        heard: _Heard | None = record.info.pop(HEARD, None)
        if heard is not None and heard.committing_since is not None:
            seconds = time.perf_counter() - heard.committing_since
            units = heard.units or 1  # one that had the transaction for itself needed no savepoint
            commit = Commit(seconds=seconds, units=units, rows=heard.rows)
            for hear in tell:
                hear(commit)

    event.listen(engine, "begin", begin)
    event.listen(engine, "savepoint", _enter)
    event.listen(engine, "release_savepoint", _leave)
    event.listen(engine, "rollback_savepoint", _take_back)
    event.listen(engine, "after_execute", _note)
    event.listen(engine, "commit", committing)
    event.listen(engine, "rollback", rollback)
    event.listen(engine, "handle_error", failed)
    event.listen(engine, "checkin", given_back)


def _enter(connection: Connection, _: str | None) -> None:
    if (heard := connection.info.get(HEARD)) is not None:
        heard.marks.append(len(heard.rows))


def _leave(connection: Connection, _: str, __: Any) -> None:
    if (heard := connection.info.get(HEARD)) is not None and heard.marks:
        heard.marks.pop()
        heard.units += not heard.marks


def _take_back(connection: Connection, _: str, __: Any) -> None:
    if (heard := connection.info.get(HEARD)) is not None and heard.marks:
        del heard.rows[heard.marks.pop() :]
        heard.units += not heard.marks


def _note(connection: Connection, clause: Any, many: Sequence[Row], one: Row, _: Any, __: Any) -> None:
    if isinstance(clause, Insert) and (clause.table is events or clause.table is receipts):
        heard = connection.info.get(HEARD)
        if heard is not None:
            name = clause.table.name
            heard.rows += [(name, row) for row in (many or [one])]
