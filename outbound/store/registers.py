"""Do-not-call registers and the numbers in them; how a list is loaded is in register_imports.py.

A number counts from the moment it is in, whichever list brought it; who must not be called the gate decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from outbound.errors import Conflict, NotFound
from outbound.importing.numbers import same_mobile
from outbound.store import events
from outbound.store.schema import register_entries as entries
from outbound.store.schema import register_imports as imports
from outbound.store.schema import registers

NUMBERS_AT_ONCE = 500
"""Numbers in one query at most: both databases bound the parameters of a statement."""
_PUT = (
    "INSERT INTO register_entries (register, number, generation) SELECT {register}, {numbers} WHERE true "
    "ON CONFLICT (register, number) DO UPDATE SET generation = excluded.generation"
)
_PUT_SQLITE = _PUT.format(register="?", numbers="value, ? FROM json_each(?)")
_PUT_POSTGRESQL = _PUT.format(register="%s", numbers="value, %s FROM unnest(%s::bigint[]) AS given (value)")
"""One statement a batch, three times as fast as a statement a row. ``WHERE true``: SQLite takes ON for a join else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterState:
    """What a register is worth."""

    kind: str
    """``national`` or ``house``."""
    as_of: float | None
    """Date of the newest list that was loaded whole."""
    loaded: bool
    """Whether any was."""


def create(connection: Connection, name: str, kind: str, *, now: float) -> bool:
    """Store an empty register; return whether it is new. Raises :class:`Conflict` when it is of another kind."""
    events.take_turn(connection)
    known = connection.execute(select(registers).where(registers.c.name == name)).mappings().first()
    if known is None:
        connection.execute(insert(registers), {"name": name, "kind": kind, "created_at": now})
        return True
    if known["kind"] != kind:
        detail = f"the register {name} is {known['kind']} and stays so; take another name"
        raise Conflict(detail, code="register_kind")
    return False


def get(connection: Connection, name: str, *, lock: bool = False) -> RowMapping:
    """Read a register. Raises :class:`NotFound`."""
    query = select(registers).where(registers.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound(f"there is no register {name}; PUT it first", code="register_not_found")
    return row


def page(connection: Connection, *, after: str | None, limit: int) -> Sequence[RowMapping]:
    """List registers by name."""
    query = select(registers).order_by(registers.c.name).limit(limit)
    if after is not None:
        query = query.where(registers.c.name > after)
    return connection.execute(query).mappings().all()


_STATES = select(registers)


def states(connection: Connection) -> dict[str, RegisterState]:
    """What each register is worth, by name."""
    return {
        row["name"]: RegisterState(kind=row["kind"], as_of=row["as_of"], loaded=row["loaded_at"] is not None)
        for row in connection.execute(_STATES).mappings()
    }


def lookup(connection: Connection, numbers: Sequence[str]) -> dict[str, frozenset[str]]:
    """Names of the registers that each number (E.164) is in; what is no number is in none."""
    found: dict[str, set[str]] = {number: set() for number in numbers}
    asked = _asked(found)
    for some in _parts(list(asked)):
        query = select(entries.c.register, entries.c.number)
        query = query.where(entries.c.register.in_(select(registers.c.name)), entries.c.number.in_(some))
        for register, entry in connection.execute(query):
            for number in asked[entry]:
                found[number].add(register)
    return {number: frozenset(names) for number, names in found.items()}


def told_at(connection: Connection, numbers: Sequence[str]) -> dict[str, dict[str, float]]:
    """When the newest list that holds a number was sent, by number and register; only what is listed is there.

    An act of the customer's own lifts an entry only when it came after that.
    """
    found: dict[str, dict[str, float]] = {}
    asked = _asked(numbers)
    sent = (entries.c.register == imports.c.register) & (entries.c.generation == imports.c.generation)
    for some in _parts(list(asked)):
        query = select(entries.c.number, entries.c.register, imports.c.created_at).join(imports, sent)
        query = query.where(entries.c.register.in_(select(registers.c.name)), entries.c.number.in_(some))
        for entry, register, at in connection.execute(query):
            for number in asked[entry]:
                lists = found.setdefault(number, {})
                lists[register] = max(at, lists.get(register, at))
    return found


def _asked(numbers: Iterable[str]) -> dict[int, list[str]]:
    """Entries that speak of ``numbers``, each with those it speaks of; what is no number has none."""
    asked: dict[int, list[str]] = {}
    for number in numbers:
        if number[:1] == "+" and number[1:].isdecimal():
            for form in same_mobile(number):
                asked.setdefault(int(form[1:]), []).append(number)
    return asked


def put(connection: Connection, name: str, generation: int, numbers: Sequence[int]) -> None:
    """Enter numbers, each there once; those that are in already become part of ``generation``."""
    if not numbers:
        return
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_PUT_POSTGRESQL, (name, generation, list(numbers)))
    else:
        connection.exec_driver_sql(_PUT_SQLITE, (name, generation, json.dumps(numbers)))


def count(connection: Connection, name: str, *, generation: int | None = None) -> int:
    """Count the numbers of a register, or those of one of its generations."""
    query = select(func.count()).select_from(entries).where(entries.c.register == name)
    if generation is not None:
        query = query.where(entries.c.generation == generation)
    return connection.execute(query).scalar_one()


def older(connection: Connection, name: str, generation: int, *, after: int, limit: int) -> list[int]:
    """Numbers above ``after`` that no list since ``generation`` has brought, in their order."""
    query = select(entries.c.number).where(entries.c.register == name, entries.c.number > after)
    query = query.where(entries.c.generation < generation).order_by(entries.c.number).limit(limit)
    return list(connection.execute(query).scalars())


def remove_older(connection: Connection, name: str, generation: int, numbers: Sequence[int]) -> None:
    """Remove ``numbers`` that are still of an older generation."""
    for some in _parts(numbers):
        theirs = delete(entries).where(entries.c.register == name, entries.c.number.in_(some))
        connection.execute(theirs.where(entries.c.generation < generation))


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + NUMBERS_AT_ONCE] for start in range(0, len(numbers), NUMBERS_AT_ONCE))
