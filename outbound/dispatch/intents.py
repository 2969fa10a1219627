"""Commits the intent to send, for several claims together, after the gate has looked in that very transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, bindparam, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from outbound.contact_numbers import reached_at
from outbound.dispatch import ways
from outbound.gatehouse.keeper import Examined, examine_all, keep_receipts
from outbound.ids import call_id
from outbound.planning import refuse
from outbound.receipts.sparing import CAMPAIGN, CAMPAIGN_CANCELLED, CAMPAIGN_PAUSED, REASONS, spare
from outbound.store import by_id, events
from outbound.store.attempts import DIALING_LEASE_S, Claim, Intent, finish, release
from outbound.store.campaigns import complete_if_over
from outbound.store.schema import attempts, campaigns, contacts, trunks

Row = Mapping[str, Any] | RowMapping
Asked = tuple[RowMapping, Examined]
"""A claimed attempt and the gate's answer."""
TrunkRows = Mapping[str, RowMapping]
"""Trunks by name."""


def record_intents(
    connection: Connection, held: Sequence[Claim], *, now: float, lease_s: float = DIALING_LEASE_S
) -> list[Intent]:
    """Commit the intent to send for those claims for which it may be; whoever has a call renews its lease.

    Nothing may be sent for the others: the claim is lost, the campaign was paused or cancelled, or the gate refused;
    each of these attempts has then moved on by itself.
    """
    events.take_turn(connection)
    fences = {item.attempt_id: item.fence for item in held}
    found = by_id.rows(connection, attempts, fences, lock=True).values()
    mine = [row for row in found if row["state"] == State.CLAIMED and row["fence"] == fences[row["id"]]]
    known = by_id.rows(connection, campaigns, {row["campaign_id"] for row in mine})
    people = by_id.rows(connection, contacts, {row["contact_id"] for row in mine})
    trunk_rows = _trunk_rows(connection, {row["trunk"] for row in mine})
    allowed: list[Asked] = []
    for campaign_id, group in groupby(sorted(mine, key=_by_campaign), _by_campaign):
        campaign, theirs = known[campaign_id], list(group)
        if campaign["state"] != "running":
            _stand_down(connection, theirs, campaign, now)
            continue
        for some in _together(_still_carried(connection, theirs, campaign, trunk_rows, now), campaign):
            asked = _ask(connection, campaign, some, people, trunk_rows, now)
            good = [(row, answer) for row, answer in asked if answer.decision.allowed]
            _move(connection, good, trunk_rows, now=now, lease_s=lease_s)
            allowed += good
    return [_intent(row, answer, trunk_rows, now) for row, answer in allowed]


def _still_carried(
    connection: Connection, rows: Sequence[RowMapping], campaign: RowMapping, trunk_rows: TrunkRows, now: float
) -> list[RowMapping]:
    """Those whose trunk may still carry them; the others wait for another, where one of the campaign's may."""
    closed = {row["id"] for row in rows if not ways.carries(trunk_rows[row["trunk"]]["settings"], row["number"])}
    other = closed and ways.barred(connection, campaign, [row["number"] for row in rows])
    for row in rows:
        if row["id"] in closed and row["number"] not in other:
            release(connection, attempt_id=row["id"], fence=row["fence"], due_at=now, now=now, reason="trunk_changed")
    return [row for row in rows if row["id"] not in closed or row["number"] in other]


def _by_campaign(row: RowMapping) -> str:
    return str(row["campaign_id"])


def _together(rows: list[RowMapping], campaign: RowMapping) -> Iterator[list[RowMapping]]:
    """Attempts of a campaign about which the gate may be asked at once: where a budget is counted, one by one."""
    if _counted(campaign):
        yield from ([row] for row in rows)
    else:
        yield rows


def _counted(campaign: Row) -> bool:
    """Whether a budget counts the attempts of a campaign, or what they cost."""
    return any(limit is not None for limit in (campaign["settings"].get("budget") or {}).values())


def _ask(
    connection: Connection,
    campaign: RowMapping,
    rows: Sequence[RowMapping],
    people: Mapping[str, RowMapping],
    trunk_rows: TrunkRows,
    now: float,
) -> list[Asked]:
    """Ask the gate about attempts; those it refuses, or permits only later, move on here."""
    whom = [reached_at(people[row["contact_id"]], row["number"]) for row in rows]
    barred = ways.barred(connection, campaign, [row["number"] for row in rows])
    price = 0.0
    if _counted(campaign):  # then asked about one by one, each after the one before it is counted
        campaign = by_id.rows(connection, campaigns, {campaign["id"]})[campaign["id"]]
        known = _price(rows[0], campaign, trunk_rows)
        price = float("inf") if known is None else known
    answers = examine_all(connection, campaign, whom, at=now, barred=barred, price=price)
    asked = list(zip(rows, answers, strict=True))
    for row, answer in asked:
        if not answer.decision.allowed:
            _turn_away(connection, campaign, row, people[row["contact_id"]], answer, now)
    return asked


def _turn_away(
    connection: Connection, campaign: RowMapping, row: RowMapping, contact: RowMapping, answer: Examined, now: float
) -> None:
    decision = answer.decision
    if decision.next_at is not None:
        keep_receipts(connection, [answer], attempt_id=row["id"], at=now)
        due_at, code = decision.next_at, decision.code
        release(connection, attempt_id=row["id"], fence=row["fence"], due_at=due_at, now=now, reason=code)
        return
    refuse(connection, campaign, contact, answer, now=now, attempt_id=row["id"])
    final = Disposition.EXPIRED if decision.code == "expired" else Disposition.REFUSED
    finish(connection, row, final, now=now, hangup_cause=decision.code)
    complete_if_over(connection, campaign["id"], now=now)


_SENT = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"), attempts.c.fence == bindparam("held"))
    .where(attempts.c.state == State.CLAIMED)
    .values(state=State.DIALING, call_id=bindparam("sent_as"), cost=bindparam("most"))
    .values(dialed_at=bindparam("sent_at"), lease_until=bindparam("until"))
)
_COUNTED = (
    update(campaigns)
    .where(campaigns.c.id == bindparam("key"))
    .values(dialed=campaigns.c.dialed + bindparam("more"), cost=campaigns.c.cost + bindparam("most"))
)


def _move(
    connection: Connection, allowed: Sequence[Asked], trunk_rows: TrunkRows, *, now: float, lease_s: float
) -> None:
    """claimed -> dialing, with receipts and events, counted in the campaign's budget."""
    if not allowed:
        return
    check_transition(State.CLAIMED, State.DIALING)
    campaign = allowed[0][1].campaign
    values: list[dict[str, Any]] = [
        {"key": row["id"], "held": row["fence"], "sent_as": call_id(row["id"], row["fence"])}
        | {"most": _price(row, campaign, trunk_rows), "sent_at": now, "until": now + lease_s}
        for row, _ in allowed
    ]
    if connection.execute(_SENT, values).rowcount != len(allowed):
        raise RuntimeError("a claimed attempt moved while its row was held")
    keep_receipts(connection, [answer for _, answer in allowed], attempt_ids=[row["id"] for row, _ in allowed], at=now)
    most = sum(value["most"] or 0.0 for value in values)
    connection.execute(_COUNTED, {"key": campaign["id"], "more": len(allowed), "most": most})
    events.append_all(connection, [_told(row, answer, now) for row, answer in allowed])


def _told(row: RowMapping, answer: Examined, now: float) -> dict[str, Any]:
    data = {"number": row["number"], "name": answer.contact["name"], "ordinal": row["ordinal"], "trunk": row["trunk"]}
    kind = {"at": now, "kind": "attempt.dialing", "campaign_id": row["campaign_id"]}
    return kind | {"attempt_id": row["id"], "data": data}


def _intent(row: RowMapping, answer: Examined, trunk_rows: TrunkRows, now: float) -> Intent:
    return Intent(
        attempt=row,
        contact=answer.contact,
        campaign=answer.campaign,
        trunk=trunk_rows[row["trunk"]],
        call_id=call_id(row["id"], row["fence"]),
        regime=answer.regime,
        day=_local_day(answer, now),
    )


def _local_day(answer: Examined, now: float) -> int:
    zone = ZoneInfo(answer.contact["zones"][0])
    return datetime.fromtimestamp(now, zone).date().toordinal()


def _price(row: RowMapping, campaign: Row, trunk_rows: TrunkRows) -> float | None:
    """What the call may cost at most; ``None`` when the trunk's rate for it is not known."""
    return ways.price(row["number"], trunk_rows[row["trunk"]]["settings"], campaign["settings"]["max_duration_s"])


def _trunk_rows(connection: Connection, names: Collection[str]) -> TrunkRows:
    return by_id.rows(connection, trunks, names, column="name")


def _stand_down(connection: Connection, rows: Sequence[RowMapping], campaign: RowMapping, now: float) -> None:
    """The campaign no longer runs: wait with it, or end with it."""
    paused = campaign["state"] == "paused"
    code = CAMPAIGN_PAUSED if paused else CAMPAIGN_CANCELLED
    spared = [{**row, "purpose": campaign["purpose"]} for row in rows]
    spare(connection, spared, code=code, reason=REASONS[code], rule=CAMPAIGN, now=now)
    for row in rows:
        if paused:
            due_at = row["due_at"]
            release(connection, attempt_id=row["id"], fence=row["fence"], due_at=due_at, now=now, reason=code)
        else:
            finish(connection, row, Disposition.CANCELLED, now=now, hangup_cause=code)
    if not paused:
        theirs = update(contacts).where(contacts.c.id.in_([row["contact_id"] for row in rows]))
        connection.execute(theirs.values(disposition=Disposition.CANCELLED))
