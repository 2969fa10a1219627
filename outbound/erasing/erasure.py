"""Erases a person: what we know of them goes, what we decided about them stays checkable, their opt-out stays in force.

The number is replaced by a token wherever it stood (store/erased.py); what else goes is in scrubbing.py. It is one unit
of work, except for what lies in files, recordings and SQLite's log, which goes once it is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, and_, delete, exists, func, insert, or_, select, update

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from outbound.erasing import scrubbing
from outbound.erasing.scrubbing import FILES
from outbound.errors import Conflict, NotFound
from outbound.ids import new_id
from outbound.receipts.sparing import spare
from outbound.services import Services
from outbound.store import events
from outbound.store.campaigns import complete_if_over
from outbound.store.erased import token_of, tokens_of
from outbound.store.schema import (
    UNPLANNED,
    attempts,
    campaigns,
    consents,
    contacts,
    erasures,
    opt_outs,
    register_entries,
    registers,
)
from outbound.store.schema import events as events_table

log = structlog.get_logger(__name__)
LIVE = (State.CLAIMED, State.DIALING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Events that name a number, as far as they were looked through."""

    ids: tuple[int, ...]
    through: int
    """Id of the newest event that was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did."""

    token: str
    counts: dict[str, int]
    """Rows by what they were; all 0 for somebody who was erased before and has not come back."""
    is_new: bool


def look(connection: Connection, number: str) -> Seen:
    """Find the events to be scrubbed; on a reading connection, so that no writer waits for it."""
    newest = connection.execute(select(func.max(events_table.c.id))).scalar() or 0
    return Seen(ids=tuple(scrubbing.mentions(connection, number)), through=newest)


def erase(connection: Connection, number: str, seen: Seen, *, now: float) -> Erased:
    """Erase everything that is known of an E.164 number, except what registers of the state say of it.

    Raises :class:`NotFound`, or :class:`Conflict` ``contact_busy`` while a call to it is being made.
    """
    events.take_turn(connection)
    named = {*seen.ids, *scrubbing.mentions(connection, number, after=seen.through)}
    if not named and not _is_known(connection, number):
        return _erased_before(connection, number)
    others = scrubbing.alternates_of(connection, number)
    for name in (number, *others):
        _refuse_while_busy(connection, name)
    token = token_of(connection, number)
    told = named | set(scrubbing.of_attempts(connection, number))
    touched = _cancel_due(connection, number, token, now)
    touched |= _leave_unplanned(connection, number)
    counts = scrubbing.rename(connection, number, token)
    counts["alternates"] = scrubbing.drop_as_alternate(connection, number)
    counts["events"] = scrubbing.scrub_events(connection, told, number, token)
    counts["answers"] = scrubbing.forget_answers(connection, number)
    counts["rejects"] = scrubbing.forget_rejects(connection, number)
    counts["register_entries"] = _replace_house_entries(connection, number, token, now)
    _withdraw_consent(connection, token, now)
    row = {"id": new_id(now), "token": token, "counts": counts | {FILES: 1}, "created_at": now}
    connection.execute(insert(erasures), row)
    events.append(connection, at=now, kind="contact.erased", data={"token": token, "counts": counts})
    for campaign_id in sorted(touched):
        complete_if_over(connection, campaign_id, now=now)
    for name in others:  # the same person's
        with contextlib.suppress(NotFound):
            erase(connection, name, look(connection, name), now=now)
    return Erased(token=token, counts=counts, is_new=True)


async def clear_files(services: Services) -> None:
    """Clear the files of what is erased and still in them; at the erasure, and again by the sweep."""
    unfinished = await services.store.read(_unfinished)
    compacted = bool(unfinished) and await services.store.compact_log()
    for key, token in unfinished:
        names = await services.store.read(lambda connection, token=token: _recordings(connection, token))  # type: ignore[misc]
        try:
            await asyncio.to_thread(_unlink, services.settings.recordings_dir, names)
        except OSError as error:
            log.error("recordings of an erased person not removed, trying again", error=error.strerror)
            continue
        if compacted:
            await services.store.write(lambda connection, key=key: _finish(connection, key))  # type: ignore[misc]


def _is_known(connection: Connection, name: str) -> bool:
    if any(connection.execute(select(exists().where(table.c.number == name))).scalar() for table in scrubbing.EMPTIED):
        return True
    return bool(_house_lists(connection, name)) or scrubbing.is_alternate(connection, name)


def _erased_before(connection: Connection, number: str) -> Erased:
    token = tokens_of(connection, (number,)).get(number)
    known = token and connection.execute(select(exists().where(erasures.c.token == token))).scalar()
    if not token or not known:
        raise NotFound("nothing is known of this number", code="contact_not_found")
    return Erased(token=token, counts={}, is_new=False)


def _refuse_while_busy(connection: Connection, number: str) -> None:
    live = exists().where(attempts.c.number == number, attempts.c.state.in_(LIVE))
    if connection.execute(select(live)).scalar():
        detail = "a call to this number is being made; ask again when it is over, nothing was erased"
        conflict = Conflict(detail, code="contact_busy")
        conflict.retryable = True
        raise conflict


def _cancel_due(connection: Connection, number: str, token: str, now: float) -> set[str]:
    """End what waits for the number; return the campaigns it was of."""
    query = select(attempts, campaigns.c.purpose).join(campaigns, attempts.c.campaign_id == campaigns.c.id)
    people = attempts.c.contact_id.in_(select(contacts.c.id).where(contacts.c.number == number))
    theirs = or_(attempts.c.number == number, people)  # a customer who is forgotten is called on no other number either
    query = query.where(theirs, attempts.c.state == State.DUE).with_for_update(of=attempts)
    rows = connection.execute(query).mappings().all()
    final = {"state": State.DONE, "disposition": Disposition.CANCELLED, "ended_at": now, "hangup_cause": "erased"}
    for row in rows:
        connection.execute(update(attempts).where(attempts.c.id == row["id"]).values(**final))
        contact = update(contacts).where(contacts.c.id == row["contact_id"])
        connection.execute(contact.values(disposition=Disposition.CANCELLED))
        data = {"number": token, "ordinal": row["ordinal"], "disposition": Disposition.CANCELLED}
        events.append(
            connection,
            at=now,
            kind="attempt.done",
            campaign_id=row["campaign_id"],
            attempt_id=row["id"],
            data=data | {"hangup_cause": "erased"},
        )
    spare(connection, rows, code="erased", reason="the customer's data was erased", rule="erasure", now=now)
    return {row["campaign_id"] for row in rows}


def _leave_unplanned(connection: Connection, number: str) -> set[str]:
    """Settle contacts that no attempt was planned for yet: there is nobody left to plan for."""
    waiting = and_(contacts.c.number == number, UNPLANNED)
    touched = set(connection.execute(select(contacts.c.campaign_id).where(waiting)).scalars())
    connection.execute(update(contacts).where(waiting).values(planned=True, disposition=Disposition.CANCELLED))
    return touched


def _house_lists(connection: Connection, number: str) -> list[str]:
    if not number[1:].isdecimal():
        return []
    query = select(register_entries.c.register).join(registers, registers.c.name == register_entries.c.register)
    query = query.where(registers.c.kind == "house", register_entries.c.number == int(number[1:]))
    return list(connection.execute(query).scalars())


def _replace_house_entries(connection: Connection, number: str, token: str, now: float) -> int:
    """A house list holds numbers alone, so its entry becomes an opt-out under the token."""
    lists = _house_lists(connection, number)
    for name in lists:
        entry = (register_entries.c.register == name) & (register_entries.c.number == int(number[1:]))
        connection.execute(delete(register_entries).where(entry))
        fewer = update(registers).where(registers.c.name == name)
        connection.execute(fewer.values(entries=registers.c.entries - 1))
    if lists:
        row = {"id": new_id(now), "number": token, "scope": "all", "source": "import", "created_at": now}
        connection.execute(insert(opt_outs), row)
    return len(lists)


def _withdraw_consent(connection: Connection, token: str, now: float) -> None:
    """Whoever wants to be forgotten consents to nothing any more, also when the number comes back."""
    row = {"id": new_id(now), "number": token, "event": "withdrawn", "kind": "", "scope": "all"}
    connection.execute(insert(consents), row | {"source": "erasure", "at": now, "created_at": now})


def _unfinished(connection: Connection) -> list[tuple[str, str]]:
    files = erasures.c.counts[FILES].as_integer() > 0
    return [(row.id, row.token) for row in connection.execute(select(erasures.c.id, erasures.c.token).where(files))]


def _recordings(connection: Connection, token: str) -> list[str]:
    """Names of the files that calls to somebody may have left (dialer/call.py names them), kept or half written."""
    rows = connection.execute(select(attempts.c.id, attempts.c.fence).where(attempts.c.number == token)).all()
    stems = [f"{key}-{fence}" for key, last in rows for fence in range(1, last + 1)]
    return [f"{stem}.{kind}" for stem in stems for kind in ("wav", "sealed", "part")]


def _unlink(directory: Path, names: list[str]) -> None:
    for name in names:
        (directory / name).unlink(missing_ok=True)


def _finish(connection: Connection, erasure_id: str) -> None:
    counts = connection.execute(select(erasures.c.counts).where(erasures.c.id == erasure_id)).scalar_one()
    connection.execute(update(erasures).where(erasures.c.id == erasure_id).values(counts=counts | {FILES: 0}))
