"""Settles what became of a call: disposition, opt-out, next attempt, contact and campaign, in one unit of work.

A result under an old fence changes nothing; the same result twice changes nothing the second time.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from campaigns.attempts import RetryPolicy, State, check_transition, retry_delay_s
from campaigns.dispositions import Disposition
from dialer.messages import CallResult
from outbound.erasing.scrubbing import emptied_result, reopen
from outbound.ids import new_id
from outbound.planning import schedule
from outbound.store import events, optouts, refusals
from outbound.store.campaigns import complete_if_over
from outbound.store.erased import is_token
from outbound.store.schema import attempts, callbacks, campaigns, contacts, opt_outs

LONGEST_RETRY_AFTER_S = 86400.0
"""A far end may ask for any pause (RFC 3261 §20.33); a campaign does not wait for ever."""


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
    ended_at = result.ended_at.timestamp()
    record = asdict(result)
    record |= emptied_result(record) if is_token(attempt["number"]) else {}
    values = {
        "state": State.DONE,
        "disposition": result.disposition,
        "outcome": result.outcome,
        "hangup_cause": result.hangup_cause,
        "sip_code": result.sip_code,
        "answered_at": result.answered_at.timestamp() if result.answered_at else None,
        "ended_at": ended_at,
        "lease_until": None,
        "step": "",
        "result": {key: record[key] for key in ("transcript", "variables", "timings", "recording")},
    }
    connection.execute(update(attempts).where(attempts.c.id == attempt["id"]).values(**values))
    campaign = connection.execute(select(campaigns).where(campaigns.c.id == attempt["campaign_id"])).mappings().one()
    contact = connection.execute(select(contacts).where(contacts.c.id == attempt["contact_id"])).mappings().one()
    data = {
        "number": attempt["number"],
        "name": contact["name"],
        "ordinal": attempt["ordinal"],
        "disposition": result.disposition,
        "outcome": result.outcome,
        "hangup_cause": result.hangup_cause,
        "timings": record["timings"],
        "recording": bool(record["recording"]),
    }
    events.append(
        connection, at=now, kind="attempt.done", campaign_id=campaign["id"], attempt_id=attempt["id"], data=data
    )
    _follow_up(connection, campaign, contact, attempt, result, ended_at, now)
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


def retry_policy(settings: dict[str, Any]) -> RetryPolicy:
    """Read the retry policy of a campaign's stored settings."""
    retry = settings["retry"]
    delays = {Disposition(name): float(delay) for name, delay in retry["delays_s"].items()}
    return RetryPolicy(max_attempts=retry["max_attempts"], delays_s=delays)


def _follow_up(
    connection: Connection,
    campaign: RowMapping,
    contact: RowMapping,
    attempt: RowMapping,
    result: CallResult,
    ended_at: float,
    now: float,
) -> None:
    """Schedule the next attempt if the policy has one, else settle the contact."""
    delay = retry_delay_s(
        retry_policy(campaign["settings"]),
        disposition=result.disposition,
        ordinal=attempt["ordinal"],
        answered=result.answered_at is not None,
        hangup_cause=result.hangup_cause,
    )
    following = None
    if delay is not None and campaign["state"] in ("running", "paused"):
        earliest = ended_at + max(delay, min(result.retry_after_s or 0.0, LONGEST_RETRY_AFTER_S))
        following = schedule(connection, campaign, contact, ordinal=attempt["ordinal"] + 1, earliest=earliest, now=now)
    if following is None:
        mine = update(contacts).where(contacts.c.id == contact["id"])
        connection.execute(mine.values(disposition=result.disposition))


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
