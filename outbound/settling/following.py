"""Decides what follows a call that is over: another trunk, another attempt by the campaign's retry policy, or nothing.

It plans through the gate like everything else, and dials nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from campaigns.attempts import State
from campaigns.dispositions import ANSWERED, Disposition
from campaigns.retries import NEVER_RETRIED_CAUSES, NextTry, RetryPolicy, Tried, next_try
from dialer.messages import CallResult
from outbound.contact_numbers import numbers_of
from outbound.dispatch import ways
from outbound.planning import Following, schedule
from outbound.settling.over import Over
from outbound.store.erased import is_token
from outbound.store.schema import attempts, contacts
from outbound.timing import local_part

FAILOVER_S = 1.0
"""A call that one trunk could not carry goes to another after so long; the customer heard nothing of it."""


_TRIED = (
    *("contact_id", "ordinal", "number", "trunk", "disposition", "hangup_cause"),
    *("ended_at", "answered_at", "dialed_at"),
)
_TRIES = (
    select(*(attempts.c[name] for name in _TRIED))
    .where(attempts.c.contact_id.in_(bindparam("keys", expanding=True)))
    .order_by(attempts.c.ordinal)
)
_SETTLED = update(contacts).where(contacts.c.id == bindparam("key")).values(disposition=bindparam("end"))


def follow(connection: Connection, over: Sequence[Over], *, now: float) -> None:
    """Schedule the next attempt of each contact whose policy has one; settle the others with their disposition.

    A result that came so late that another attempt follows already settles nothing more: the later one speaks for the
    contact.
    """
    tries = _tries(connection, over)
    mains = _mains(connection, over)
    over = [one for one in over if tries[one.contact["id"]][-1]["ordinal"] == one.attempt["ordinal"]]
    by_campaign: defaultdict[str, list[Following]] = defaultdict(list)
    settled = {one.contact["id"]: one.result.disposition for one in over}
    for one in over:
        following = _following(one, tries[one.contact["id"]], mains)
        if following is not None:
            ordinal = one.attempt["ordinal"] + 1
            next_one = replace(following, earliest=max(now, following.earliest))
            by_campaign[one.campaign["id"]].append(Following(one.contact, next_one, ordinal))
    campaigns = {one.campaign["id"]: one.campaign for one in over}
    for campaign_id, wanted in by_campaign.items():
        for contact_id in schedule(connection, campaigns[campaign_id], wanted, now=now):
            del settled[contact_id]
    if settled:
        connection.execute(_SETTLED, [{"key": key, "end": end} for key, end in settled.items()])


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


def _tries(connection: Connection, over: Sequence[Over]) -> dict[str, list[RowMapping]]:
    """All attempts so far of each contact, by its id, the first one first."""
    found: dict[str, list[RowMapping]] = {one.contact["id"]: [] for one in over}
    for row in connection.execute(_TRIES, {"keys": list(found)}).mappings():
        found[row["contact_id"]].append(row)
    return found


def _mains(connection: Connection, over: Sequence[Over]) -> set[tuple[str, str]]:
    """Campaign and number of contacts whose main number is another's alternate: they are called as themselves."""
    wanted = {number for one in over for number in numbers_of(one.contact)[1:]}
    if not wanted:
        return set()
    theirs = select(contacts.c.campaign_id, contacts.c.number).where(contacts.c.number.in_(wanted))
    return {(row.campaign_id, row.number) for row in connection.execute(theirs)}


def _following(one: Over, rows: Sequence[RowMapping], mains: Collection[tuple[str, str]]) -> NextTry | None:
    campaign, attempt, result = one.campaign, one.attempt, one.result
    if campaign["state"] not in ("running", "paused") or is_token(attempt["number"]):
        return None
    if result.hangup_cause in NEVER_RETRIED_CAUSES or (attempt["state"] == State.UNDETERMINED and _reached(result)):
        return None
    failed_on = [row["trunk"] for row in rows if row["disposition"] == Disposition.CONGESTION]
    first = failed_on.count(attempt["trunk"]) == 1  # another may never have room for it: each trunk passes it on once
    if result.disposition is Disposition.CONGESTION and first and not {*ways.names_of(campaign)} <= {*failed_on}:
        return NextTry(number=attempt["number"], earliest=result.ended_at.timestamp() + FAILOVER_S)
    return next_try(
        retry_policy(campaign["settings"]),
        [_tried(row, one.contact["zones"][0]) for row in _without_failovers(rows)],
        [number for number in numbers_of(one.contact) if _own(one, number, mains)],
        seed=attempt["id"],
        retry_after_s=result.retry_after_s or 0.0,
    )


def _reached(result: CallResult) -> bool:
    """Whether anybody answered: after a result that comes late only who certainly was not reached is tried again."""
    return result.answered_at is not None or result.disposition in ANSWERED


def _own(one: Over, number: str, mains: Collection[tuple[str, str]]) -> bool:
    """Whether a number is the contact's alone: else it would be rung twice for what may be the same notice."""
    return number == one.contact["number"] or (one.campaign["id"], number) not in mains


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
