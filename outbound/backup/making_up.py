"""Writes into an older database what a journal knows of a send: whoever was called is not called again on its account.

One unit of work for one send; where the sends come from is outbound/backup/reconcile.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from dialer.journal import Send
from dialer.messages import CallResult
from outbound.settling.settle import settle
from outbound.store import events
from outbound.store.attempts import finish
from outbound.store.campaigns import complete_if_over
from outbound.store.schema import attempts, campaigns, contacts

CAUSE = "store_restored"
LATE_RESULT_S = 600.0
"""Within this long of a call's end its own dialer may still bring the result, which says more than the journal."""
WAITING = (State.DUE, State.CLAIMED)
Standing = tuple[str, int]
"""State and fence of an attempt."""


class MadeUp(StrEnum):
    """What was done about a send."""

    SETTLED = "settled"
    """Its attempt was there, as if nothing had been sent."""
    ADDED = "added"
    """Its attempt was not there; its contact has it now."""
    STRANGER = "stranger"
    """Neither its attempt nor its contact is there: nobody here knows whom it called."""


def is_lost(standing: Standing | None, send: Send) -> bool:
    """Whether the database, in which the attempt stands so (``None``: not at all), does not know of ``send``."""
    if standing is None:
        return True
    state, fence = standing
    return fence < send.fence or (fence == send.fence and state in WAITING)


def is_unended(standing: Standing | None, send: Send, *, own: bool, now: float) -> bool:
    """Whether the journal knows how a call ended that the database left undetermined, and nobody else will tell."""
    if standing != (State.UNDETERMINED, send.fence) or not send.disposition:
        return False
    return own or now - send.ended_at > LATE_RESULT_S


def make_up(connection: Connection, send: Send, *, now: float) -> MadeUp:
    """Settle the attempt of ``send``: undetermined, or done where the journal has its end. Safe to run twice."""
    events.take_turn(connection)
    attempt = _locked(connection, send.attempt_id)
    if attempt is None:
        contact = _contact(connection, send.contact_id)
        if contact is None:
            return MadeUp.STRANGER
        _end_others(connection, contact, now)
        _add(connection, contact, send, now)
    elif is_lost((attempt["state"], attempt["fence"]), send) and attempt["state"] != State.DONE:
        _mark_sent(connection, attempt, send, now)
    enter_end(connection, send, now=now)
    return MadeUp.SETTLED if attempt is not None else MadeUp.ADDED


def enter_end(connection: Connection, send: Send, *, now: float) -> bool:
    """Write how a call ended whose result is lost, if its journal knows; an opt-out in it counts."""
    if send.disposition not in set(Disposition):
        return False
    result = CallResult(
        attempt_id=send.attempt_id,
        fence=send.fence,
        call_id=send.call_id,
        disposition=Disposition(send.disposition),
        hangup_cause=CAUSE,
        ended_at=datetime.fromtimestamp(send.ended_at, UTC),
    )
    return settle(connection, result, now=now)


def _mark_sent(connection: Connection, attempt: RowMapping, send: Send, now: float) -> None:
    if attempt["state"] != State.UNDETERMINED:
        check_transition(State(attempt["state"]), State.UNDETERMINED)
    mine = update(attempts).where(attempts.c.id == attempt["id"])
    connection.execute(mine.values(**_as_sent(send)))
    if attempt["dialed_at"] is None:
        _count(connection, attempt["campaign_id"])
    _tell(connection, attempt["campaign_id"], attempt["contact_id"], attempt["number"], send, now)


def _add(connection: Connection, contact: RowMapping, send: Send, now: float) -> None:
    """Give the contact the attempt that the database never had, after all that it has."""
    last = select(func.coalesce(func.max(attempts.c.ordinal), 0)).where(attempts.c.contact_id == contact["id"])
    row = {"id": send.attempt_id, "campaign_id": contact["campaign_id"], "contact_id": contact["id"]}
    row |= {"number": contact["number"], "ordinal": connection.execute(last).scalar_one() + 1, "due_at": send.at}
    connection.execute(insert(attempts), row | _as_sent(send))
    connection.execute(update(contacts).where(contacts.c.id == contact["id"]).values(planned=True))
    _count(connection, contact["campaign_id"])
    _tell(connection, contact["campaign_id"], contact["id"], contact["number"], send, now)


def _as_sent(send: Send) -> dict[str, Any]:
    return {
        "state": State.UNDETERMINED,
        "disposition": Disposition.UNDETERMINED,
        "fence": send.fence,
        "call_id": send.call_id,
        "line": send.line,
        "dialed_at": send.at,
        "lease_until": None,
    }


def _count(connection: Connection, campaign_id: str) -> None:
    """A send counts against its campaign's budget; what it cost is known by nobody here."""
    mine = update(campaigns).where(campaigns.c.id == campaign_id)
    connection.execute(mine.values(dialed=campaigns.c.dialed + 1))


def _end_others(connection: Connection, contact: RowMapping, now: float) -> None:
    """What waits for a contact that was called meanwhile would be the second call."""
    theirs = (attempts.c.contact_id == contact["id"]) & attempts.c.state.in_(WAITING)
    for attempt in connection.execute(select(attempts).where(theirs).with_for_update()).mappings().all():
        finish(connection, attempt, Disposition.UNDETERMINED, now=now, hangup_cause=CAUSE)


def _tell(connection: Connection, campaign_id: str, contact_id: str, number: str, send: Send, now: float) -> None:
    mine = update(contacts).where(contacts.c.id == contact_id)
    connection.execute(mine.values(disposition=Disposition.UNDETERMINED))
    data = {"number": number, "reason": CAUSE}
    kind = "attempt.undetermined"
    events.append(connection, at=now, kind=kind, campaign_id=campaign_id, attempt_id=send.attempt_id, data=data)
    complete_if_over(connection, campaign_id, now=now)


def _locked(connection: Connection, attempt_id: str) -> RowMapping | None:
    query = select(attempts).where(attempts.c.id == attempt_id).with_for_update()
    return connection.execute(query).mappings().first()


def _contact(connection: Connection, contact_id: str) -> RowMapping | None:
    query = select(contacts).where(contacts.c.id == contact_id).with_for_update()
    return connection.execute(query).mappings().first()
