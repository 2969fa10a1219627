"""Loads of registers: which list is read into which register, how far, and when it is whole and counts as the newest.

Until a list is whole the one before it counts too: a load that breaks off frees nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from campaigns.attempts import State
from outbound.errors import Conflict, Invalid, NotFound
from outbound.importing.numbers import same_mobile
from outbound.store import events, optouts, registers
from outbound.store.inserting import insert_or_skip
from outbound.store.schema import attempts
from outbound.store.schema import register_imports as imports
from outbound.store.schema import register_rejects as rejects
from outbound.store.schema import registers as table

OPEN = ("queued", "running")


def create(
    connection: Connection,
    import_id: str,
    *,
    register: str,
    mode: str | None,
    path: str,
    options: dict[str, Any],
    as_of: float | None,
    now: float,
) -> RowMapping:
    """Store a load that is still to be run. Raises what speaks against it; ``mode`` ``None``: as the kind has it."""
    events.take_turn(connection)
    row = registers.get(connection, register, lock=True)
    mode = mode or ("replace" if row["kind"] == "national" else "add")
    _check(row, mode, as_of)
    if open_import(connection, register) is not None:
        detail = f"a list is being loaded into the register {register}; wait until that is over"
        raise Conflict(detail, code="register_busy")
    newest = select(func.max(imports.c.generation)).where(imports.c.register == register)
    generation = max(connection.execute(newest).scalar() or 0, row["generation"]) + 1
    values: dict[str, Any] = {
        "id": import_id,
        "register": register,
        "state": "queued",
        "mode": mode,
        "path": path,
        "options": options,
    }
    values |= {"as_of": now if as_of is None else as_of, "generation": generation, "created_at": now}
    connection.execute(insert(imports), values)
    return get(connection, import_id)


def _check(row: RowMapping, mode: str, as_of: float | None) -> None:
    """Refuse lists that would free people or make a register look fresher than it is."""
    if row["kind"] == "house":
        if mode == "replace":
            detail = "a house list only grows; send the new numbers with mode=add"
            raise Invalid(detail, code="register_only_grows")
        return
    if as_of is None:
        raise Invalid("give as_of, the date of the list itself, such as 2026-11-20", code="as_of_missing")
    if mode == "add" and row["loaded_at"] is None:
        detail = "the register was never loaded whole; send the whole list with mode=replace first"
        raise Conflict(detail, code="register_not_loaded")
    if mode == "replace" and row["as_of"] is not None and as_of < row["as_of"]:
        detail = "the list is older than the one that is loaded, and would free people; send a newer one"
        raise Conflict(detail, code="register_older")


def get(connection: Connection, import_id: str, *, register: str | None = None) -> RowMapping:
    """Read a load, of ``register`` where that is given. Raises :class:`NotFound`."""
    row = connection.execute(select(imports).where(imports.c.id == import_id)).mappings().first()
    if row is None or (register is not None and row["register"] != register):
        raise NotFound(f"there is no import {import_id} of this register", code="import_not_found")
    return row


def open_import(connection: Connection, register: str) -> str | None:
    """The load of a register that is not over, if there is one."""
    query = select(imports.c.id).where(imports.c.register == register, imports.c.state.in_(OPEN))
    return connection.execute(query).scalar()


def unfinished(connection: Connection) -> list[str]:
    """Ids of loads that are not over: a sweep enqueues ``load_register`` for each, which is safe to do twice."""
    return list(connection.execute(select(imports.c.id).where(imports.c.state.in_(OPEN))).scalars())


def page_rejects(connection: Connection, import_id: str, *, after: int, limit: int) -> Sequence[RowMapping]:
    """List rejected lines in the order of the file."""
    query = select(rejects).where(rejects.c.import_id == import_id, rejects.c.row > after)
    return connection.execute(query.order_by(rejects.c.row).limit(limit)).mappings().all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one unit of work of a load does."""

    before: int
    """Lines that are settled."""
    through: int
    """Lines that are settled with it; the same while a part of their numbers is still to be entered."""
    numbers: Sequence[int]
    """Each once."""
    accepted: int
    """Lines that held a number."""
    rejected: Sequence[tuple[int, str]]
    """Lines that held none, each with the reason."""


def advance(connection: Connection, row: RowMapping, step: Step, *, house: bool, now: float) -> bool:
    """Take a step; return whether it was still to be taken.

    ``False`` means that another run was faster, or that the load is over: this run then stops. Attempts to numbers of a
    ``house`` list are cancelled with it.
    """
    if house:
        events.take_turn(connection)
    values = {"rows": step.through, "state": "running", "accepted": imports.c.accepted + step.accepted}
    mine = update(imports).where(imports.c.id == row["id"], imports.c.rows == step.before, imports.c.state.in_(OPEN))
    if connection.execute(mine.values(**values, rejected=imports.c.rejected + len(step.rejected))).rowcount != 1:
        return False
    registers.put(connection, row["register"], row["generation"], step.numbers)
    if step.rejected:
        listed = [{"import_id": row["id"], "row": line, "reason": reason} for line, reason in step.rejected]
        connection.execute(insert_or_skip(connection, rejects), listed)
    if house:
        _spare(connection, row["register"], step.numbers, now)
    return True


def make_newest(connection: Connection, row: RowMapping, *, entries: int, now: float) -> None:
    """Have a register stand as the list that is now in it whole; doing it again changes nothing.

    Numbers that were only added leave a national register as old as it was: nobody compared the rest of it.
    """
    events.take_turn(connection)
    register = registers.get(connection, row["register"], lock=True)
    if register["generation"] < row["generation"]:
        as_of = register["as_of"]
        if row["mode"] == "replace" or register["kind"] == "house":
            as_of = max(as_of or 0.0, row["as_of"])
        values = {"generation": row["generation"], "as_of": as_of, "entries": entries, "loaded_at": now}
        connection.execute(update(table).where(table.c.name == row["register"]).values(**values))


def finish(connection: Connection, import_id: str, *, now: float) -> None:
    """End a load that is whole."""
    _end(connection, import_id, {"state": "done"}, now)


def fail(connection: Connection, import_id: str, error: str, *, now: float) -> None:
    """End a load that cannot go on; numbers that are in stay in, and the list before it counts on."""
    _end(connection, import_id, {"state": "failed", "error": error}, now)


def _end(connection: Connection, import_id: str, values: dict[str, Any], now: float) -> None:
    events.take_turn(connection)  # before the row: a batch of a house list takes its turn and then the row
    mine = update(imports).where(imports.c.id == import_id, imports.c.state.in_(OPEN))
    if connection.execute(mine.values(**values, ended_at=now)).rowcount:
        row = get(connection, import_id)
        names = ("register", "state", "accepted", "rejected", "error")
        data = {"import_id": import_id} | {name: row[name] for name in names}
        events.append(connection, at=now, kind="register.done", data=data)


def _spare(connection: Connection, register: str, numbers: Sequence[int], now: float) -> None:
    """Cancel due attempts to numbers of a house list; have those that are claimed or ring ended by the line pool."""
    listed = {form for number in numbers for form in same_mobile(f"+{number}")}
    live = select(attempts.c.number).where(attempts.c.state.in_((State.CLAIMED, State.DIALING)))
    for number in connection.execute(live).scalars().all():
        if number in listed:
            data = {"register": register, "number": number}
            events.append(connection, at=now, kind="register.listed", data=data)
    optouts.cancel_due(connection, [f"+{number}" for number in numbers], rule=f"register {register}", now=now)
