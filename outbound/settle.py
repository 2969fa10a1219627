"""Settles what became of a call: disposition, opt-out, next attempt, contact and campaign, in one unit of work.

A result under an old fence changes nothing; the same result twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from campaigns.retries import NextTry, RetryPolicy, Tried, next_try
from dialer.messages import CallResult
from outbound import aftermath
from outbound.contact_numbers import numbers_of
from outbound.dispatch import ways
from outbound.erasing.scrubbing import emptied_result, reopen
from outbound.ids import new_id
from outbound.planning import schedule
from outbound.store import events, optouts, refusals
from outbound.store.campaigns import complete_if_over
from outbound.store.erased import is_token
from outbound.store.schema import attempts, callbacks, campaigns, contacts, opt_outs
from outbound.timing import local_part

FAILOVER_S = 1.0
"""A call that one trunk could not carry goes to another after so long; the customer heard nothing of it."""


def settle(connection: Connection, result: CallResult, *, now: float) -> bool:
    """Write a call's result and everything that follows from it; return whether it was the one awaited."""
    events.take_turn(connection)
    attempt = _attempt(connection, result.attempt_id)
    if attempt is not None and result.disposition is Disposition.OPTED_OUT and not _opt_outs_of(connection, attempt):
        # even when the result comes too late; else the call has told what is covered
        opt_out(connection, attempt, words=_last_words(result), scope="all", now=now)
    if attempt is not None and result.disposition is Disposition.DECLINED:
        refuse_offer(connection, attempt, words=_last_words(result), now=now)
    if attempt is not None and result.recording and is_token(attempt["number"]):
        reopen(connection, attempt["number"])
    if attempt is None or attempt["fence"] != result.fence or attempt["state"] != State.DIALING:
        return False
    check_transition(State.DIALING, State.DONE)
    record = asdict(result)
    record |= emptied_result(record) if is_token(attempt["number"]) else {}
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == attempt["campaign_id"])).mappings().one()
    contact = connection.execute(select(contacts).where(contacts.c.id == attempt["contact_id"])).mappings().one()
    abandoned = aftermath.abandons(campaign, result, handed_over=result.disposition is Disposition.HANDED_OFF)
    values = {
        "state": State.DONE,
        "abandoned": abandoned,
        "disposition": result.disposition,
        "outcome": result.outcome,
        "hangup_cause": result.hangup_cause,
        "sip_code": result.sip_code,
        "answered_at": result.answered_at.timestamp() if result.answered_at else None,
        "ended_at": result.ended_at.timestamp(),
        "lease_until": None,
        "step": "",
        "result": {key: record[key] for key in ("transcript", "variables", "timings", "recording")},
    }
    connection.execute(update(attempts).where(attempts.c.id == attempt["id"]).values(**values))
    data = {
        "number": attempt["number"],
        "name": contact["name"],
        "ordinal": attempt["ordinal"],
        "disposition": result.disposition,
        "outcome": result.outcome,
        "hangup_cause": result.hangup_cause,
        "timings": record["timings"],
        "recording": bool(record["recording"]),
        "abandoned": abandoned,
    }
    events.append(
        connection, at=now, kind="attempt.done", campaign_id=campaign["id"], attempt_id=attempt["id"], data=data
    )
    aftermath.conclude(connection, campaign, contact, attempt, result, abandoned=abandoned, now=now)
    _follow_up(connection, campaign, contact, attempt, result, now)
    complete_if_over(connection, campaign["id"], now=now)
    return True


def opt_out(
    connection: Connection, attempt: RowMapping, *, words: str, scope: str, now: float, source: str = "speech"
) -> None:
    """Store the customer's opt-out, unless one of the same attempt covers it already, and cancel what it covers.

    ``scope`` is ``purpose`` for the one of the attempt's campaign (campaigns/flow/effects.py), else ``all``.
    """
    covers = _purpose(connection, attempt) if scope == "purpose" else "all"
    if {"all", covers} & _opt_outs_of(connection, attempt):
        return
    optouts.record(
        connection,
        number=attempt["number"],
        scope=covers,
        source=source,
        words=_kept(attempt, words),
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        now=now,
    )


def refuse_offer(connection: Connection, attempt: RowMapping, *, words: str, now: float) -> None:
    """Store that the customer refused the offer, once an attempt: in some countries nobody may ask again soon."""
    refusals.record(
        connection,
        number=attempt["number"],
        purpose=_purpose(connection, attempt),
        words=_kept(attempt, words),
        source="speech",
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        now=now,
    )


def book(connection: Connection, attempt: RowMapping, *, at: float | None, words: str, now: float) -> None:
    """Store the customer's wish to be called at another time; a later wish in the same call replaces the earlier."""
    words = _kept(attempt, words)
    changed = update(callbacks).where(callbacks.c.attempt_id == attempt["id"]).values(at=at, words=words)
    if connection.execute(changed).rowcount == 0:
        row = {"id": new_id(now), "attempt_id": attempt["id"], "number": attempt["number"], "at": at, "words": words}
        connection.execute(insert(callbacks), row | {"created_at": now})
    data = {"number": attempt["number"], "at": at, "words": words}
    events.append(
        connection,
        at=now,
        kind="callback.created",
        campaign_id=attempt["campaign_id"],
        attempt_id=attempt["id"],
        data=data,
    )


def leave_undetermined(connection: Connection, attempt: RowMapping, *, now: float) -> None:
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
            data={"number": attempt["number"]},
        )
        complete_if_over(connection, attempt["campaign_id"], now=now)


def retry_policy(settings: Mapping[str, Any]) -> RetryPolicy:
    """Read the retry policy of a campaign's stored settings."""
    retry = settings["retry"]
    delays = {Disposition(name): float(delay) for name, delay in retry["delays_s"].items()}
    return RetryPolicy(
        max_attempts=retry["max_attempts"],
        delays_s=delays,
        spread_s=retry.get("spread_s", 0.0),
        backoff=retry.get("backoff", 1.0),
        other_part_of_day=retry.get("other_part_of_day", False),
        other_number_after=frozenset(Disposition(name) for name in retry.get("other_number_after", ())),
        max_by_disposition={Disposition(name): most for name, most in retry.get("max_by_disposition", {}).items()},
    )


def _follow_up(
    connection: Connection,
    campaign: RowMapping,
    contact: RowMapping,
    attempt: RowMapping,
    result: CallResult,
    now: float,
) -> None:
    """Schedule the next attempt if the policy has one, else settle the contact."""
    following = None
    if campaign["state"] in ("running", "paused") and not is_token(attempt["number"]):
        following = _following(connection, campaign, contact, attempt, result)
    if following is not None:
        ordinal = attempt["ordinal"] + 1
        if schedule(connection, campaign, contact, following, ordinal=ordinal, now=now) is not None:
            return
    mine = update(contacts).where(contacts.c.id == contact["id"])
    connection.execute(mine.values(disposition=result.disposition))


def _following(
    connection: Connection, campaign: RowMapping, contact: RowMapping, attempt: RowMapping, result: CallResult
) -> NextTry | None:
    theirs = select(attempts).where(attempts.c.contact_id == contact["id"]).order_by(attempts.c.ordinal)
    rows = connection.execute(theirs).mappings().all()
    failed_on = {row["trunk"] for row in rows if row["disposition"] == Disposition.CONGESTION}
    if result.disposition is Disposition.CONGESTION and not failed_on.issuperset(ways.names_of(campaign)):
        return NextTry(number=attempt["number"], earliest=result.ended_at.timestamp() + FAILOVER_S)
    return next_try(
        retry_policy(campaign["settings"]),
        [_tried(row, contact["zones"][0]) for row in _without_failovers(rows)],
        numbers_of(contact),
        seed=attempt["id"],
        retry_after_s=result.retry_after_s or 0.0,
    )


def _without_failovers(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """Attempts that were passed on to another trunk count as one with the attempt there."""
    failed = Disposition.CONGESTION
    after = [*rows[1:], None]
    return [
        row
        for row, later in zip(rows, after, strict=True)
        if not (later is not None and row["disposition"] == failed and later["trunk"] != row["trunk"])
    ]


def _tried(row: RowMapping, zone: str) -> Tried:
    return Tried(
        number=row["number"],
        disposition=Disposition(row["disposition"]),
        ended_at=row["ended_at"],
        answered=row["answered_at"] is not None,
        hangup_cause=row["hangup_cause"],
        part=None if row["dialed_at"] is None else local_part(row["dialed_at"], zone),
    )


def _attempt(connection: Connection, attempt_id: str) -> RowMapping | None:
    query = select(attempts).where(attempts.c.id == attempt_id).with_for_update()
    return connection.execute(query).mappings().first()


def _opt_outs_of(connection: Connection, attempt: RowMapping) -> set[str]:
    """Scopes of the opt-outs that were stored of an attempt; in a call none is narrowed otherwise."""
    return set(connection.execute(select(opt_outs.c.scope).where(opt_outs.c.attempt_id == attempt["id"])).scalars())


def _purpose(connection: Connection, attempt: RowMapping) -> str:
    purpose = select(campaigns.c.purpose).where(campaigns.c.id == attempt["campaign_id"])
    return str(connection.execute(purpose).scalar_one())


def _kept(attempt: RowMapping, words: str) -> str:
    """What may be stored of a customer's words: nothing once they were erased, however late the words come."""
    return "" if is_token(attempt["number"]) else words


def _last_words(result: CallResult) -> str:
    return next((turn.text for turn in reversed(result.transcript) if turn.who == "customer"), "")
