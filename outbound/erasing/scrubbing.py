"""What each table loses when a person is erased: which columns are emptied, which facts of an event may stay.

What may stay is listed, not what must go: a new kind of event or a new column is erased until somebody says otherwise.
The order of things, and whether it may be done at all, is in erasure.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, func, literal, null, or_, select, update

from outbound.store.schema import (
    attempts,
    callbacks,
    consents,
    contacts,
    erasures,
    events,
    idempotency_keys,
    import_rejects,
    opt_ins,
    opt_outs,
    receipts,
    refusals,
    register_rejects,
)

EMPTIED: Mapping[Table, Mapping[str, Any]] = {
    contacts: {"ref": "", "name": "", "variables": {}, "alternates": []},
    attempts: {},
    opt_outs: {"words": ""},
    opt_ins: {"words": "", "proof": ""},
    consents: {"words": "", "proof": ""},
    refusals: {"words": ""},
    callbacks: {"words": ""},
}
"""Tables of a person's rows, whose ``number`` becomes the token, and what else in them is emptied."""
FILES = "files"
"""In the counts of an erasure: above 0 as long as files may hold something of it, recordings or SQLite's log."""
KEPT_OF_RESULT = ("timings",)
KEPT_OF_EVENT = frozenset(
    {"abandoned", "at", "by", "cause", "channel", "code", "codec", "disposition", "due_at", "early_media", "event"}
    | {"expires_at", "trunk", "until"}
    | {"hangup_cause", "id", "kind", "language", "meaning", "only_campaign", "ordinal", "outcome", "played_ms"}
    | {"purpose", "queue", "reason", "recording", "rule", "scope", "source", "state", "step", "timings", "type"}
)
"""Keys of events that say nothing of who it was or of what was said."""
_BATCH = 500
_DIALLED = "(?<![0-9])(?:00|011)?{digits}(?![0-9])"
"""A number and no longer one that holds its digits, with ``+``, nothing or an international prefix before it."""


def rename(connection: Connection, number: str, token: str) -> dict[str, int]:
    """Give a person's rows the token for a name and empty them; return how many rows of each table."""
    counts = {"receipts": _forget_in_receipts(connection, number)}
    _empty_results(connection, number)
    for table, emptied in EMPTIED.items():
        theirs = update(table).where(table.c.number == number)
        counts[table.name] = connection.execute(theirs.values(number=token, **emptied)).rowcount
    return counts


def alternates_of(connection: Connection, number: str) -> list[str]:
    """Other numbers of the customers whose main number it is, that are nobody's main number."""
    found = connection.execute(select(contacts.c.alternates).where(contacts.c.number == number)).scalars()
    others = sorted({each["number"] for alternates in found for each in alternates})
    mains = connection.execute(select(contacts.c.number).where(contacts.c.number.in_(others))).scalars()
    return sorted(set(others) - set(mains))


def drop_as_alternate(connection: Connection, number: str) -> int:
    """Take a number out of the contacts that have it besides their main one; return how many there were."""
    rows = connection.execute(select(contacts.c.id, contacts.c.alternates).where(_as_alternate(number))).all()
    for key, alternates in rows:
        left = [each for each in alternates if each["number"] != number]
        connection.execute(update(contacts).where(contacts.c.id == key).values(alternates=left))
    return len(rows)


def is_alternate(connection: Connection, number: str) -> bool:
    """Whether any contact has a number besides its main one."""
    return connection.execute(select(contacts.c.id).where(_as_alternate(number)).limit(1)).first() is not None


def _as_alternate(number: str) -> ColumnElement[bool]:
    text_of = cast(contacts.c.alternates, Text)
    return (text_of != "[]") & text_of.contains(f'"{number}"')


def _forget_in_receipts(connection: Connection, number: str) -> int:
    """The commitment stays, and with it the chain; without its salt nobody can tell what it was made of."""
    theirs = select(contacts.c.id).where(contacts.c.number == number)
    known = update(receipts).where(receipts.c.contact_id.in_(theirs), receipts.c.salt.is_not(None))
    return connection.execute(known.values(personal=null(), salt=None)).rowcount


def _empty_results(connection: Connection, number: str) -> None:
    ended = select(attempts.c.id, attempts.c.result).where(attempts.c.number == number, attempts.c.result.is_not(None))
    for key, result in connection.execute(ended).all():
        connection.execute(update(attempts).where(attempts.c.id == key).values(result=emptied_result(result or {})))


def emptied_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may stay of a call's result."""
    kept = {name: result[name] for name in KEPT_OF_RESULT if name in result}
    return {"transcript": [], "variables": {}, "recording": ""} | kept


def reopen(connection: Connection, token: str) -> None:
    """Have the files of somebody who was erased looked through again: a call that was given up has left one since."""
    theirs = erasures.c.token == token
    for key, counts in connection.execute(select(erasures.c.id, erasures.c.counts).where(theirs)).all():
        connection.execute(update(erasures).where(erasures.c.id == key).values(counts=counts | {FILES: 1}))


def mentions(connection: Connection, number: str, *, after: int = 0) -> list[int]:
    """Ids of events beyond ``after`` that name a number: those of its campaigns, and those of no campaign.

    It may read long where a campaign is large, so it is asked beside the writer first, and again for the rest.
    """
    places = select(contacts.c.campaign_id).where(contacts.c.number == number)
    near = or_(events.c.campaign_id.in_(places), events.c.campaign_id.is_(None))
    query = select(events.c.id, events.c.data).where(events.c.id > after, near, _holds(events.c.data, number))
    rows = connection.execute(query, execution_options={"yield_per": _BATCH})
    return [key for key, data in rows if names(data, number)]


def of_attempts(connection: Connection, number: str) -> list[int]:
    """Ids of the events of a number's attempts."""
    theirs = select(attempts.c.id).where(attempts.c.number == number)
    return list(connection.execute(select(events.c.id).where(events.c.attempt_id.in_(theirs))).scalars())


def scrub_events(connection: Connection, ids: Iterable[int], number: str, token: str) -> int:
    """Take out of events what they tell of a person; return how many had something to tell."""
    wanted, scrubbed = sorted(set(ids)), 0
    of_whom = select(events.c.id, events.c.data, attempts.c.number).outerjoin(
        attempts, attempts.c.id == events.c.attempt_id
    )
    for start in range(0, len(wanted), _BATCH):
        some = of_whom.where(events.c.id.in_(wanted[start : start + _BATCH]))
        for key, data, whose in connection.execute(some).all():
            theirs = (whose or data.get("number", number)) in (number, token)
            kept = scrub(data, number, token) if theirs else without(data, number)
            if kept != data:
                scrubbed += connection.execute(update(events).where(events.c.id == key).values(data=kept)).rowcount
    return scrubbed


def scrub(data: Mapping[str, Any], number: str, token: str) -> dict[str, Any]:
    """Return what may stay of the data of an event that is about the person, or about nobody else."""
    kept = {name: value for name, value in without(data, number).items() if name in KEPT_OF_EVENT}
    return kept | {name: token for name in ("number",) if name in data}


def without(data: Mapping[str, Any], number: str) -> dict[str, Any]:
    """Return what stays of the data of an event that is about somebody else and names the number on the way."""
    return {name: value for name, value in data.items() if not names({name: value}, number)}


def names(value: Any, number: str) -> bool:
    """Whether a JSON value names a number; one that merely holds its digits is another's."""
    return bool(_dialled(number).search(json.dumps(value, ensure_ascii=False)))


def forget_answers(connection: Connection, number: str) -> int:
    """Empty kept answers that name a number; a repeat of the write is still recognised, and still done only once."""
    kept = idempotency_keys.c
    query = select(kept.api_key_id, kept.key, kept.headers, kept.body)
    query = query.where(or_(_body_holds(connection, number), _holds(kept.headers, number)))
    forgotten = 0
    for row in connection.execute(query).all():
        if names([row.headers, _read(row.body)], number):
            mine = update(idempotency_keys).where(kept.api_key_id == row.api_key_id, kept.key == row.key)
            forgotten += connection.execute(mine.values(body=b"", headers={})).rowcount
    return forgotten


def forget_rejects(connection: Connection, number: str) -> int:
    """Empty the reasons of rejected rows that quote a number."""
    forgotten = 0
    for table in (import_rejects, register_rejects):
        query = select(table.c.import_id, table.c.row, table.c.reason).where(_holds(table.c.reason, number))
        for row in connection.execute(query).all():
            if names(row.reason, number):
                mine = update(table).where(table.c.import_id == row.import_id, table.c.row == row.row)
                forgotten += connection.execute(mine.values(reason="erased")).rowcount
    return forgotten


def _read(body: bytes) -> Any:
    """A body as JSON where it is, for what is escaped in it would hide where a number begins; else as text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


@lru_cache(maxsize=16)
def _dialled(number: str) -> re.Pattern[str]:
    return re.compile(_DIALLED.format(digits=re.escape(number[1:])))


def _holds(column: ColumnElement[Any], number: str) -> ColumnElement[bool]:
    """Whether a text holds a number's digits: what :func:`names` looks at more closely."""
    return cast(column, Text).contains(number[1:], autoescape=True)


def _body_holds(connection: Connection, number: str) -> ColumnElement[bool]:
    """The same of the bytes of a body."""
    place = func.pg_catalog.position if connection.dialect.name == "postgresql" else func.instr
    found: ColumnElement[bool] = place(idempotency_keys.c.body, literal(number[1:].encode())) > 0
    return found
