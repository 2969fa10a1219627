"""Lets an operator say what became of an attempt of which nobody knows; only a person decides to call again."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from campaigns.retries import TOLD, NextTry
from outbound.errors import Conflict, NotFound
from outbound.planning import Following, schedule
from outbound.settling.said import refuse_offer
from outbound.store import events
from outbound.store.campaigns import complete_if_over
from outbound.store.erased import is_token
from outbound.store.schema import attempts, campaigns, contacts

OPEN = (State.DUE, State.CLAIMED, State.DIALING)


def resolve(
    connection: Connection, attempt_id: str, disposition: Disposition, *, again: bool, note: str, now: float
) -> None:
    """Settle an undetermined attempt as an operator says; with ``again`` plan another, through the gate.

    Raises :class:`NotFound`, and :class:`Conflict` when it is not undetermined or another cannot be planned.
    """
    events.take_turn(connection)
    row = connection.execute(select(attempts).where(attempts.c.id == attempt_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"there is no attempt {attempt_id}", code="attempt_not_found")
    if row["state"] != State.UNDETERMINED:
        detail = f"the attempt is {row['state']}; only what is undetermined is resolved"
        raise Conflict(detail, code="attempt_state", members={"state": row["state"]})
    if again and disposition in TOLD:
        detail = f"a customer who was reached ({disposition}) is not called again for the same matter"
        raise Conflict(detail, code="already_told")
    check_transition(State.UNDETERMINED, State.DONE)
    final = {"state": State.DONE, "disposition": disposition, "ended_at": now, "hangup_cause": "resolved"}
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(**final))
    data = {"number": row["number"], "ordinal": row["ordinal"], "disposition": disposition}
    data |= {"hangup_cause": "resolved", "note": note}
    place = {"campaign_id": row["campaign_id"], "attempt_id": attempt_id}
    events.append(connection, at=now, kind="attempt.done", data=data, **place)
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == row["campaign_id"])).mappings().one()
    contact = connection.execute(select(contacts).where(contacts.c.id == row["contact_id"])).mappings().one()
    if disposition is Disposition.DECLINED:
        refuse_offer(connection, row, words="", now=now)
    if again and (campaign["state"] not in ("running", "paused") or is_token(row["number"])):
        detail = f"the campaign is {campaign['state']}; nobody is called for it again"
        raise Conflict(detail, code="campaign_state", members={"state": campaign["state"]})
    later = select(attempts.c.ordinal, attempts.c.state).where(attempts.c.contact_id == contact["id"])
    tries = connection.execute(later).all()
    if again and any(each.state in OPEN for each in tries):
        detail = "another attempt to this customer is under way already"
        raise Conflict(detail, code="attempt_open")
    ordinal = 1 + max(each.ordinal for each in tries)
    following = Following(contact, NextTry(number=row["number"], earliest=now), ordinal)
    if not again or not schedule(connection, campaign, [following], now=now):
        theirs = update(contacts).where(contacts.c.id == contact["id"])
        connection.execute(theirs.values(disposition=disposition))
    complete_if_over(connection, campaign["id"], now=now)
