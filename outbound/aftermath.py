"""What a call's end means beyond its contact: for trunk, campaign, budget, agents and the hours at which people answer.

It is part of the unit of work that settles the call, and decides nothing about who is tried next.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, insert, update

from campaigns.daytimes import DayKind
from campaigns.dispositions import ANSWERED, Disposition
from campaigns.pacing import BreakerPolicy, Mode, failed_campaign, failed_trunk
from campaigns.retries import LONGEST_RETRY_AFTER_S
from dialer.messages import CallResult
from outbound.dispatch import paces, ways
from outbound.dispatch.paces import Pace
from outbound.store import campaigns as campaign_store
from outbound.store import events
from outbound.store.schema import attempts, campaigns, reach_hours, trunks

NOT_A_PERSON = frozenset({Disposition.MACHINE, Disposition.MESSAGE_LEFT, Disposition.NO_MEDIA})
UNREACHED = frozenset({Disposition.NO_ANSWER, Disposition.BUSY, Disposition.REJECTED})
TRUNK_POLICY = BreakerPolicy()
BREAKER = "breaker"
"""Why a campaign was paused, as the event says it."""


def conclude(
    connection: Connection,
    campaign: RowMapping,
    contact: RowMapping,
    attempt: RowMapping,
    result: CallResult,
    *,
    abandoned: bool,
    now: float,
) -> None:
    """Take a call that has just been settled into account."""
    names = [paces.trunk_key(attempt["trunk"]), paces.campaign_key(campaign["id"])]
    known = paces.read(connection, names)
    trunk, own = (known[name] for name in names)
    road = connection.execute(trunks.select().where(trunks.c.name == attempt["trunk"])).mappings().first()
    if road is not None:
        _charge(connection, attempt, road, result)
        _rate_trunk(connection, trunk, attempt, result, now)
    _rate_campaign(connection, own, campaign, attempt, result, abandoned=abandoned, now=now)
    paces.write(connection, [trunk] if road is not None else [], columns=("resting_until", "breaker"))
    paces.write(connection, [own], columns=("breaker", "reach"))
    _learn_hour(connection, contact, attempt, result)


def by_a_person(disposition: Disposition) -> bool:
    """Whether a person answered."""
    return disposition in ANSWERED and disposition not in NOT_A_PERSON


def abandons(campaign: RowMapping, result: CallResult, *, handed_over: bool) -> bool:
    """Whether a call that was dialled for an agent found none: nobody took the handoff of a person who answered.

    47 CFR 64.1200(a)(7): abandoned unless connected to a live representative in time.
    """
    mode = Mode((campaign["settings"].get("pacing") or {}).get("mode", Mode.AGENTLESS))
    return mode is not Mode.AGENTLESS and by_a_person(result.disposition) and not handed_over


def policy_of(campaign: RowMapping) -> BreakerPolicy | None:
    """When a campaign is paused by itself; ``None`` when its operator wants that never."""
    breaker = campaign["settings"].get("breaker", {})
    if breaker is None:
        return None
    return BreakerPolicy(window_s=3600.0, least=20, share=0.8) if not breaker else BreakerPolicy(**breaker)


def _charge(connection: Connection, attempt: RowMapping, road: RowMapping, result: CallResult) -> None:
    """Put what the call cost in the place of the most it might have cost."""
    talked_s = (result.ended_at - result.answered_at).total_seconds() if result.answered_at else 0.0
    price = ways.price(attempt["number"], road["settings"], talked_s)
    change = (price or 0.0) - (attempt["cost"] or 0.0)
    connection.execute(update(attempts).where(attempts.c.id == attempt["id"]).values(cost=price))
    if change:
        theirs = update(campaigns).where(campaigns.c.id == attempt["campaign_id"])
        connection.execute(theirs.values(cost=campaigns.c.cost + change))


def _rate_trunk(connection: Connection, pace: Pace, attempt: RowMapping, result: CallResult, now: float) -> None:
    """Rest when asked to (503 with Retry-After, RFC 3261 §21.5.4), and open the breaker when too many calls fail."""
    if result.disposition is Disposition.CONGESTION and result.retry_after_s:
        until = result.ended_at.timestamp() + min(result.retry_after_s, LONGEST_RETRY_AFTER_S)
        if until > pace.resting_until:
            pace.resting_until = until
            _tell_trunk(connection, "trunk.resting", attempt["trunk"], until, "it asked to be left alone", now)
    failed = failed_trunk(result.disposition)
    if failed is None:
        return
    before = pace.breaker
    pace.breaker = before.note(result.ended_at.timestamp(), failed, TRUNK_POLICY, began_at=attempt["dialed_at"])
    if pace.breaker.trips > before.trips and pace.breaker.rest_until is not None:
        until, why = pace.breaker.rest_until, pace.breaker.why(TRUNK_POLICY)
        _tell_trunk(connection, "trunk.tripped", attempt["trunk"], until, why, now)
    elif before.trips and not pace.breaker.trips:
        _tell_trunk(connection, "trunk.recovered", attempt["trunk"], now, "a call went through again", now)


def _tell_trunk(connection: Connection, kind: str, name: str, until: float, reason: str, now: float) -> None:
    events.append(connection, at=now, kind=kind, data={"trunk": name, "until": until, "reason": reason})


def _rate_campaign(
    connection: Connection,
    pace: Pace,
    campaign: RowMapping,
    attempt: RowMapping,
    result: CallResult,
    *,
    abandoned: bool,
    now: float,
) -> None:
    """Count who answered, and pause the campaign when too many of its calls fail: its list or its purpose is wrong."""
    day = f"{result.ended_at.astimezone(UTC):%Y-%m-%d}"
    pace.count(day, answered=by_a_person(result.disposition), abandoned=abandoned)
    policy, failed = policy_of(campaign), failed_campaign(result.disposition)
    if policy is None or failed is None:
        return
    before = pace.breaker
    pace.breaker = before.note(result.ended_at.timestamp(), failed, policy, began_at=attempt["dialed_at"])
    if pace.breaker.trips > before.trips:
        reason = pace.breaker.why(policy).partition(";")[0]
        campaign_store.pause(connection, campaign["id"], reason=reason, cause=BREAKER, now=now)


def _learn_hour(connection: Connection, contact: RowMapping, attempt: RowMapping, result: CallResult) -> None:
    answered = by_a_person(result.disposition)
    told = answered or result.disposition in UNREACHED or result.disposition in NOT_A_PERSON
    if not told or attempt["dialed_at"] is None:
        return
    day, hour = day_and_hour(attempt["dialed_at"], contact["zones"][0])
    here = (reach_hours.c.day == day) & (reach_hours.c.hour == hour)
    more = {"tried": reach_hours.c.tried + 1, "answered": reach_hours.c.answered + int(answered)}
    if not connection.execute(update(reach_hours).where(here).values(**more)).rowcount:
        connection.execute(insert(reach_hours), {"day": day, "hour": hour, "tried": 1, "answered": int(answered)})


def day_and_hour(at: float, zone: str) -> tuple[str, int]:
    """The kind of day and the hour of it at an instant, where the customer is."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return (DayKind.WEEKEND if local.weekday() >= 5 else DayKind.WORKDAY), local.hour
