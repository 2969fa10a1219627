"""What each table loses when a person is erased: which columns are emptied, which facts of an event may stay.

What may stay is listed, not what must go: a new kind of event or a new column is erased until somebody says otherwise.
The order of things, and whether it may be done at all, is in erasure.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, func, literal, null, or_, select, update

from outbound.store.schema import (
    attempts,
    callbacks,
    consents,
    contacts,
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
    contacts: {"ref": "", "name": "", "variables": {}},
    attempts: {},
    opt_outs: {"words": ""},
    opt_ins: {"words": "", "proof": ""},
    consents: {"words": "", "proof": ""},
    refusals: {"words": ""},
    callbacks: {"words": ""},
}
"""Tables of a person's rows, whose ``number`` becomes the token, and what else in them is emptied."""
KEPT_OF_RESULT = ("timings",)
KEPT_OF_EVENT = frozenset(
    {"at", "by", "channel", "code", "codec", "disposition", "due_at", "early_media", "event", "expires_at"}
    | {"hangup_cause", "id", "kind", "language", "meaning", "only_campaign", "ordinal", "outcome", "played_ms"}
    | {"purpose", "queue", "reason", "recording", "rule", "scope", "source", "state", "step", "timings", "type"}
)
"""Keys of events that say nothing of who it was or of what was said."""
_BATCH = 500


def rename(connection: Connection, number: str, token: str) -> dict[str, int]:
    """Give a person's rows the token for a name and empty them; return how many rows of each table."""
    counts = {"receipts": _forget_in_receipts(connection, number)}
    _empty_results(connection, number)
    for table, emptied in EMPTIED.items():
        theirs = update(table).where(table.c.number == number)
        counts[table.name] = connection.execute(theirs.values(number=token, **emptied)).rowcount
    return counts


def _forget_in_receipts(connection: Connection, number: str) -> int:
    """The commitment stays, and with it the chain; without its salt nobody can tell what it was made of."""
    theirs = select(contacts.c.id).where(contacts.c.number == number)
    known = update(receipts).where(receipts.c.contact_id.in_(theirs), receipts.c.salt.is_not(None))
    return connection.execute(known.values(personal=null(), salt=None)).rowcount


def _empty_results(connection: Connection, number: str) -> None:
    ended = select(attempts.c.id, attempts.c.result).where(attempts.c.number == number, attempts.c.result.is_not(None))
    for key, result in connection.execute(ended).all():
        kept = {name: result[name] for name in KEPT_OF_RESULT if name in (result or {})}
        values = {"transcript": [], "variables": {}, "recording": ""} | kept
        connection.execute(update(attempts).where(attempts.c.id == key).values(result=values))


def mentions(connection: Connection, number: str, *, after: int = 0) -> list[int]:
    """Ids of events beyond ``after`` that name a number: those of its campaigns, and those of no campaign.

    It may read long where a campaign is large, so it is asked beside the writer first, and again for the rest.
    """
    places = select(contacts.c.campaign_id).where(contacts.c.number == number)
    near = or_(events.c.campaign_id.in_(places), events.c.campaign_id.is_(None))
    query = select(events.c.id).where(events.c.id > after, near, _names(events.c.data, number))
    return list(connection.execute(query).scalars())


def of_attempts(connection: Connection, number: str) -> list[int]:
    """Ids of the events of a number's attempts."""
    theirs = select(attempts.c.id).where(attempts.c.number == number)
    return list(connection.execute(select(events.c.id).where(events.c.attempt_id.in_(theirs))).scalars())


def scrub_events(connection: Connection, ids: Iterable[int], number: str, token: str) -> int:
    """Take out of events what they tell of a person; return how many had something to tell."""
    wanted, scrubbed = sorted(set(ids)), 0
    for start in range(0, len(wanted), _BATCH):
        some = select(events.c.id, events.c.data).where(events.c.id.in_(wanted[start : start + _BATCH]))
        for key, data in connection.execute(some).all():
            kept = scrub(data, number, token)
            if kept != data:
                scrubbed += connection.execute(update(events).where(events.c.id == key).values(data=kept)).rowcount
    return scrubbed


def scrub(data: Mapping[str, Any], number: str, token: str) -> dict[str, Any]:
    """Return what may stay of an event's data."""
    kept = {
        name: value for name, value in data.items() if name in KEPT_OF_EVENT and number[1:] not in json.dumps(value)
    }
    return kept | {name: token for name in ("number",) if name in data}


def forget_answers(connection: Connection, number: str) -> int:
    """Empty kept answers that name a number; a repeat of the write is still recognised, and still done only once."""
    naming = or_(_holds(connection, number), _names(idempotency_keys.c.headers, number))
    return connection.execute(update(idempotency_keys).where(naming).values(body=b"", headers={})).rowcount


def forget_rejects(connection: Connection, number: str) -> int:
    """Empty the reasons of rejected rows that quote a number."""
    forgotten = 0
    for table in (import_rejects, register_rejects):
        quoting = update(table).where(_names(table.c.reason, number))
        forgotten += connection.execute(quoting.values(reason="erased")).rowcount
    return forgotten


def _names(column: ColumnElement[Any], number: str) -> ColumnElement[bool]:
    return cast(column, Text).contains(number[1:], autoescape=True)


def _holds(connection: Connection, number: str) -> ColumnElement[bool]:
    """Whether the bytes of a body hold a number's digits."""
    place = func.pg_catalog.position if connection.dialect.name == "postgresql" else func.instr
    found: ColumnElement[bool] = place(idempotency_keys.c.body, literal(number[1:].encode())) > 0
    return found
