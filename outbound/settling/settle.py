"""Settles what became of calls, many in one unit of work: disposition, opt-outs, what follows, contact and campaign.

A result under an old fence changes nothing; the same result twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from campaigns.retries import TOLD
from dialer.messages import CallResult
from outbound.dispatch import ways
from outbound.erasing.scrubbing import emptied_result, reopen
from outbound.receipts.sparing import CAMPAIGN
from outbound.settling import aftermath
from outbound.settling.following import follow
from outbound.settling.over import Over
from outbound.settling.said import opt_out, opt_outs_of, refuse_offer
from outbound.store import by_id, events
from outbound.store.campaigns import complete_if_over
from outbound.store.ending import end_unsent
from outbound.store.erased import is_token
from outbound.store.schema import attempts, campaigns, contacts, trunks
from outbound.store.schema import events as event_table

RESOLVED = "resolved"
"""Hangup cause of an attempt of which an operator said how it ended (outbound/settling/resolving.py)."""
AWAITED = (State.DIALING, State.UNDETERMINED)
"""States in which a result is taken: a dialer that was cut off may bring one for a call that was given up."""


def settle(connection: Connection, result: CallResult, *, now: float) -> bool:
    """Write a call's result and everything that follows from it; return whether it was the one awaited.

    One that comes late, after the attempt was left undetermined, makes it done: nothing that is known is lost.
    """
    return settle_all(connection, [result], now=now) == {result.attempt_id}


def settle_all(connection: Connection, results: Sequence[CallResult], *, now: float) -> set[str]:
    """Write the results of calls and everything that follows from them; return the attempts that awaited them."""
    events.take_turn(connection)
    rows = by_id.rows(connection, attempts, {result.attempt_id for result in results}, lock=True)
    for result in results:
        if result.attempt_id in rows:
            _keep_what_was_said(connection, rows[result.attempt_id], result, now)
    awaited = {
        result.attempt_id: result
        for result in results
        if (row := rows.get(result.attempt_id)) is not None and _awaits(row, result)
    }
    _call_off(connection, [(rows[one.attempt_id], one) for one in results if one.attempt_id in rows], now)
    over = _over(connection, [rows[key] for key in awaited], awaited)
    if over:
        _write(connection, over, now)
        aftermath.conclude(connection, over, now=now)
        follow(connection, over, now=now)
        for campaign_id in {one.campaign["id"]: None for one in over}:
            complete_if_over(connection, campaign_id, now=now)
    return set(awaited)


def leave_undetermined(connection: Connection, attempt: RowMapping, *, cause: str = "", now: float) -> None:
    """Nobody knows what became of a committed send: shown to the operator, never dialled again by itself."""
    events.take_turn(connection)
    check_transition(State(attempt["state"]), State.UNDETERMINED)
    values = {"state": State.UNDETERMINED, "disposition": Disposition.UNDETERMINED, "lease_until": None}
    mine = (attempts.c.id == attempt["id"]) & (attempts.c.fence == attempt["fence"])
    if connection.execute(update(attempts).where(mine, attempts.c.state == State.DIALING).values(**values)).rowcount:
        done = update(contacts).where(contacts.c.id == attempt["contact_id"])
        connection.execute(done.values(disposition=Disposition.UNDETERMINED))
        events.append(
            connection,
            at=now,
            kind="attempt.undetermined",
            campaign_id=attempt["campaign_id"],
            attempt_id=attempt["id"],
            data={"number": attempt["number"], "cause": cause},
        )
        complete_if_over(connection, attempt["campaign_id"], now=now)


def _awaits(row: RowMapping, result: CallResult) -> bool:
    return bool(row["fence"] == result.fence and row["state"] in AWAITED)


def _keep_what_was_said(connection: Connection, attempt: RowMapping, result: CallResult, now: float) -> None:
    """Store an opt-out or a refusal even when the result comes too late; else the call has told what is covered."""
    if result.disposition is Disposition.OPTED_OUT and not opt_outs_of(connection, attempt):
        opt_out(connection, attempt, words=_last_words(result), scope="all", now=now)
    if result.disposition is Disposition.DECLINED:
        refuse_offer(connection, attempt, words=_last_words(result), now=now)
    if result.recording and is_token(attempt["number"]):
        reopen(connection, attempt["number"])


def _call_off(connection: Connection, heard: Sequence[tuple[RowMapping, CallResult]], now: float) -> None:
    """End what an operator planned for somebody who, as a late result tells, was reached: it would be a second call."""
    told = [row for row, one in heard if _resolved(row) and row["fence"] == one.fence and one.disposition in TOLD]
    theirs = attempts.c.contact_id.in_([row["contact_id"] for row in told]) & (attempts.c.state == State.DUE)
    query = select(attempts, campaigns.c.purpose).join(campaigns, attempts.c.campaign_id == campaigns.c.id)
    due = connection.execute(query.where(theirs).with_for_update(of=attempts)).mappings().all() if told else []
    reason = "the customer was reached before"
    end_unsent(connection, due, Disposition.CANCELLED, code="reached", reason=reason, rule=CAMPAIGN, now=now)
    for campaign_id in {row["campaign_id"] for row in due}:
        complete_if_over(connection, campaign_id, now=now)


def _resolved(row: RowMapping) -> bool:
    return bool(row["state"] == State.DONE and row["hangup_cause"] == RESOLVED)


def _over(connection: Connection, rows: Sequence[RowMapping], awaited: dict[str, CallResult]) -> list[Over]:
    known = by_id.rows(connection, campaigns, {row["campaign_id"] for row in rows})
    people = by_id.rows(connection, contacts, {row["contact_id"] for row in rows})
    trunk_rows = by_id.rows(connection, trunks, {row["trunk"] for row in rows}, column="name")
    left_waiting = _left_waiting(connection, [row for row in rows if aftermath.for_agents(known[row["campaign_id"]])])
    found = []
    for row in rows:
        result, campaign, trunk = awaited[row["id"]], known[row["campaign_id"]], trunk_rows.get(row["trunk"])
        talked_s = (result.ended_at - result.answered_at).total_seconds() if result.answered_at else 0.0
        one = Over(
            attempt=row,
            contact=people[row["contact_id"]],
            campaign=campaign,
            trunk=trunk,
            result=result,
            abandoned=row["id"] in left_waiting and aftermath.by_a_person(result.disposition),
            cost=None if trunk is None else ways.price(row["number"], trunk["settings"], talked_s),
        )
        found.append(one)
    return found


def _left_waiting(connection: Connection, rows: Sequence[RowMapping]) -> set[str]:
    """Calls in which an agent was sought and none came (47 CFR 64.1200(a)(7): not connected to a live person)."""
    if not rows:
        return set()
    sought = event_table.c.attempt_id.in_([row["id"] for row in rows]) & (event_table.c.kind == "call.handoff")
    told = connection.execute(select(event_table.c.attempt_id, event_table.c.data).where(sought)).all()
    came = {row.attempt_id for row in told if row.data.get("state") == "connected"}
    return {row.attempt_id for row in told} - came


_COLUMNS = (
    "state",
    "abandoned",
    "cost",
    "disposition",
    "outcome",
    "hangup_cause",
    "sip_code",
    "answered_at",
    "ended_at",
    "lease_until",
    "step",
    "result",
)
"""What the end of a call writes."""
_DONE = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"), attempts.c.fence == bindparam("held"))
    .where(attempts.c.state == bindparam("before"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
)


def _write(connection: Connection, over: Sequence[Over], now: float) -> None:
    """Write the ends of calls, and tell them."""
    values, told = [], []
    for one in over:
        attempt, result = one.attempt, one.result
        check_transition(State(attempt["state"]), State.DONE)
        record = _record(result)
        record |= emptied_result(record) if is_token(attempt["number"]) else {}
        values.append(_values(one, record))
        place = {"at": now, "campaign_id": attempt["campaign_id"], "attempt_id": attempt["id"]}
        told.append(place | {"kind": "attempt.done", "data": _told(one, record)})
    if connection.execute(_DONE, values).rowcount != len(values):
        raise RuntimeError("an attempt moved while its row was held")
    events.append_all(connection, told)


def _record(result: CallResult) -> dict[str, Any]:
    """What is kept of a result as JSON; ``asdict`` would copy every value of it deeply."""
    return {
        "transcript": [asdict(turn) for turn in result.transcript],
        "variables": result.variables,
        "timings": asdict(result.timings),
        "recording": result.recording,
    }


def _values(one: Over, record: dict[str, Any]) -> dict[str, Any]:
    result = one.result
    values = {
        "state": State.DONE,
        "abandoned": one.abandoned,
        "cost": one.cost,
        "disposition": result.disposition,
        "outcome": result.outcome,
        "hangup_cause": result.hangup_cause,
        "sip_code": result.sip_code,
        "answered_at": result.answered_at.timestamp() if result.answered_at else None,
        "ended_at": result.ended_at.timestamp(),
        "lease_until": None,
        "step": "",
        "result": record,
    }
    held = {"key": one.attempt["id"], "held": one.attempt["fence"], "before": one.attempt["state"]}
    return held | {f"new_{name}": value for name, value in values.items()}


def _told(one: Over, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": one.attempt["number"],
        "name": one.contact["name"],
        "ordinal": one.attempt["ordinal"],
        "disposition": one.result.disposition,
        "outcome": one.result.outcome,
        "hangup_cause": one.result.hangup_cause,
        "timings": record["timings"],
        "recording": bool(record["recording"]),
        "abandoned": one.abandoned,
    }


def _last_words(result: CallResult) -> str:
    return next((turn.text for turn in reversed(result.transcript) if turn.who == "customer"), "")
