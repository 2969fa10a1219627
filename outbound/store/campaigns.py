"""Campaigns: stored, moved through their life in guarded steps, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, RowMapping, Update, bindparam, exists, func, insert, literal, select, update

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from outbound.errors import Conflict, NotFound
from outbound.receipts.sparing import AT_ONCE, CAMPAIGN, CAMPAIGN_CANCELLED, REASONS
from outbound.store import events
from outbound.store.ending import end_unsent
from outbound.store.schema import DUE, LIVE, UNPLANNED, attempts, campaigns, contacts, imports, paces


class Action(StrEnum):
    """What an operator may do to a campaign."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


FROM: Mapping[Action, tuple[str, ...]] = {
    Action.START: ("draft",),
    Action.PAUSE: ("running",),
    Action.RESUME: ("paused",),
    Action.CANCEL: ("draft", "running", "paused"),
}
LEADS_TO = {Action.START: "running", Action.PAUSE: "paused", Action.RESUME: "running", Action.CANCEL: "cancelled"}
TOLD_AS = {
    Action.START: "campaign.started",
    Action.PAUSE: "campaign.paused",
    Action.RESUME: "campaign.resumed",
    Action.CANCEL: "campaign.cancelled",
}
ENDED_AT_ONCE = 10_000
"""Attempts ended in one unit of work, each with its receipt; the sweep ends the others, which nobody can claim."""
COLUMNS = ("name", "purpose", "trunk", "callflow", "max_concurrent", "starts_at", "expires_at")
"""Fields of ``CampaignIn`` with a column of their own; the rest is in ``settings``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How far a campaign is: attempts by state, contacts by final disposition."""

    contacts: int = 0
    states: dict[str, int] = field(default_factory=dict)
    dispositions: dict[str, int] = field(default_factory=dict)


def create(
    connection: Connection,
    campaign_id: str,
    fields: Mapping[str, Any],
    *,
    flow: dict[str, Any],
    kind: str = "campaign",
    state: str = "draft",
    now: float,
    traceparent: str = "",
) -> RowMapping:
    """Store a campaign; ``fields`` is all of ``CampaignIn`` as JSON values, instants as epoch seconds.

    ``traceparent``: of the request, where it starts the campaign.
    """
    started = {"started_at": now} if state == "running" else {}
    row = {"id": campaign_id, "kind": kind, "state": state, "flow": flow, "created_at": now, **split(fields), **started}
    row |= {"traceparent": traceparent}
    connection.execute(insert(campaigns), row)
    tell(connection, row, "campaign.created", now)
    return get(connection, campaign_id)


def split(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Arrange the fields of ``CampaignIn`` as columns."""
    columns = {name: fields[name] for name in COLUMNS}
    return columns | {"settings": {name: value for name, value in fields.items() if name not in COLUMNS}}


def get(connection: Connection, campaign_id: str, *, lock: bool = False) -> RowMapping:
    """Read a campaign, with ``lock`` one that cannot change any more in this unit. Raises :class:`NotFound`."""
    if lock:
        events.take_turn(connection)
    query = select(campaigns).where(campaigns.c.id == campaign_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound(f"there is no campaign {campaign_id}", code="campaign_not_found")
    return row


def page(
    connection: Connection, *, kind: str, state: str | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List campaigns, the newest first."""
    query = select(campaigns).where(campaigns.c.kind == kind).order_by(campaigns.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(campaigns.c.state == state)
    if before is not None:
        query = query.where(campaigns.c.id < before)
    return connection.execute(query).mappings().all()


def replace(connection: Connection, campaign_id: str, fields: Mapping[str, Any], *, flow: dict[str, Any]) -> RowMapping:
    """Change a draft. Raises :class:`Conflict` when it is one no more."""
    row = get(connection, campaign_id, lock=True)
    if row["state"] != "draft":
        raise wrong_state(row, "changed")
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(flow=flow, **split(fields)))
    return get(connection, campaign_id)


def change(
    connection: Connection, campaign_id: str, action: Action, *, now: float, traceparent: str = ""
) -> RowMapping:
    """Start, pause, resume or cancel. Raises :class:`Conflict` naming the state and what it allows.

    ``traceparent``: of the request; a campaign keeps that of its start.
    """
    row = get(connection, campaign_id, lock=True)
    if row["state"] not in FROM[action]:
        raise wrong_state(row, f"{action} was asked for")
    values: dict[str, Any] = {"state": LEADS_TO[action], "pause_reason": ""}
    if action is Action.START:
        values |= {"started_at": now, "traceparent": traceparent}
    if action is Action.CANCEL:
        values["ended_at"] = now
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(**values))
    if action is Action.CANCEL:
        end_cancelled(connection, campaign_id, now=now)
    if action is Action.RESUME:  # what made it pause by itself is looked at anew
        connection.execute(update(paces).where(paces.c.name == f"campaign:{campaign_id}").values(breaker={}))
    tell(connection, row, TOLD_AS[action], now)
    if action is Action.RESUME:  # its last call may have ended meanwhile
        complete_if_over(connection, campaign_id, now=now)
    return get(connection, campaign_id)


def pause(connection: Connection, campaign_id: str, *, reason: str, cause: str, now: float) -> bool:
    """Pause a running campaign by itself, saying why; an operator resumes it. Returns whether it ran."""
    events.take_turn(connection)
    running = update(campaigns).where(campaigns.c.id == campaign_id, campaigns.c.state == "running")
    if connection.execute(running.values(state="paused", pause_reason=reason)).rowcount != 1:
        return False
    events.append(
        connection, at=now, kind="campaign.paused", campaign_id=campaign_id, data={"reason": reason, "cause": cause}
    )
    return True


def wrong_state(row: RowMapping | Mapping[str, Any], wish: str) -> Conflict:
    """Build the refusal of something the campaign's state does not allow."""
    allowed = [action.value for action, states in FROM.items() if row["state"] in states]
    may = f"it allows {', '.join(allowed)}" if allowed else "it is over and allows nothing more"
    detail = f"the campaign is {row['state']} ({wish}); {may}"
    return Conflict(detail, code="campaign_state", members={"state": row["state"], "allowed": allowed})


def counts(connection: Connection, ids: Sequence[str]) -> dict[str, Counts]:
    """Count contacts and attempts of campaigns."""
    found = {campaign_id: Counts() for campaign_id in ids}
    by_state = (
        select(attempts.c.campaign_id, attempts.c.state, func.count())
        .where(attempts.c.campaign_id.in_(ids))
        .group_by(attempts.c.campaign_id, attempts.c.state)
    )
    for campaign_id, state, number in connection.execute(by_state):
        found[campaign_id].states[state] = number
    by_disposition = (
        select(contacts.c.campaign_id, contacts.c.disposition, func.count())
        .where(contacts.c.campaign_id.in_(ids))
        .group_by(contacts.c.campaign_id, contacts.c.disposition)
    )
    totals = dict.fromkeys(ids, 0)
    for campaign_id, disposition, number in connection.execute(by_disposition):
        totals[campaign_id] += number
        if disposition is not None:
            found[campaign_id].dispositions[disposition] = number
    return {
        key: Counts(contacts=totals[key], states=item.states, dispositions=item.dispositions)
        for key, item in found.items()
    }


_KIND_AND_STATE = select(campaigns.c.kind, campaigns.c.state).where(campaigns.c.id == bindparam("key"))


@cache
def _over(kind: str) -> Update:
    """Complete a running campaign of a kind in which nothing is left."""
    key: Any = bindparam("key")
    live = exists().where(LIVE, attempts.c.campaign_id == key)
    unplanned = exists().where(contacts.c.campaign_id == key, UNPLANNED)
    importing = exists().where(imports.c.campaign_id == key, imports.c.state.in_(("queued", "running")))
    one = select(contacts.c.number).where(contacts.c.campaign_id == key)
    somebody = one.order_by(contacts.c.number).limit(1).scalar_subquery().is_not(None)  # by its index, on any day
    return (
        update(campaigns)
        .where(campaigns.c.id == key, campaigns.c.state == "running", somebody)
        .where(~_waits(kind, key), ~live, ~unplanned, ~importing)
        .values(state="completed", ended_at=bindparam("now"))
    )


def complete_if_over(connection: Connection, campaign_id: str, *, now: float) -> bool:
    """Complete a running campaign that has nothing left to plan, import or dial; return whether it did."""
    events.take_turn(connection)  # before looking: refused contacts may just be there to be planned again
    row = connection.execute(_KIND_AND_STATE, {"key": campaign_id}).first()
    if row is None or row.state != "running":
        return False
    if connection.execute(_over(row.kind), {"key": campaign_id, "now": now}).rowcount != 1:
        return False
    events.append(connection, at=now, kind="campaign.completed", campaign_id=campaign_id)
    return True


def tell(connection: Connection, row: RowMapping | Mapping[str, Any], kind: str, now: float) -> None:
    """Append an event of a campaign's life."""
    events.append(connection, at=now, kind=kind, campaign_id=row["id"], data={"name": row["name"], "kind": row["kind"]})


def end_cancelled(connection: Connection, campaign_id: str, *, after: str = "", now: float) -> str:
    """End up to ``ENDED_AT_ONCE`` attempts that wait in a cancelled campaign, by id; return the last, empty when over.

    What is claimed stands down by itself at its intent, what is being said may be finished.
    """
    row = get(connection, campaign_id, lock=True)
    if row["state"] != "cancelled":
        return ""
    query = select(attempts, literal(row["purpose"]).label("purpose")).order_by(attempts.c.id).limit(AT_ONCE)
    query = query.where(attempts.c.campaign_id == campaign_id, attempts.c.state == State.DUE)
    code, reason = CAMPAIGN_CANCELLED, REASONS[CAMPAIGN_CANCELLED]
    for _ in range(ENDED_AT_ONCE // AT_ONCE):
        rows = connection.execute(query.where(attempts.c.id > after).with_for_update()).mappings().all()
        end_unsent(
            connection, rows, Disposition.CANCELLED, code=code, reason=reason, rule=CAMPAIGN, now=now, tell=False
        )
        if len(rows) < AT_ONCE:
            return ""
        after = rows[-1]["id"]
    return after


def left_undone(connection: Connection) -> list[str]:
    """Ids of cancelled campaigns in which attempts still wait."""
    found: list[str] = []
    for kind in ("campaign", "notification"):
        cancelled = select(campaigns.c.id).where(campaigns.c.state == "cancelled", campaigns.c.kind == kind)
        found += connection.execute(cancelled.where(_waits(kind, campaigns.c.id))).scalars()
    return found


def _waits(kind: str, campaign_id: Any) -> Any:
    """Whether an attempt of a campaign is due, by the index of those that are: a campaign is a lane of its own."""
    if kind == "campaign":
        first = select(func.min(attempts.c.due_at)).where(attempts.c.lane == campaign_id, DUE)
        return first.scalar_subquery().is_not(None)
    return exists().where(attempts.c.campaign_id == campaign_id, attempts.c.state == State.DUE)
