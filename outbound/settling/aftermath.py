"""What the ends of calls mean beyond their contacts: for trunk, campaign, budget, agents and the best hours.

It is part of the unit of work that settles the calls, and decides nothing about who is tried next.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, insert, update

from campaigns.daytimes import DayKind
from campaigns.dispositions import ANSWERED, Disposition
from campaigns.pacing import BreakerPolicy, Mode, failed_campaign, failed_trunk
from campaigns.retries import LONGEST_RETRY_AFTER_S, NEVER_RETRIED_CAUSES
from outbound.dispatch import paces
from outbound.dispatch.paces import Pace
from outbound.settling.over import Over
from outbound.store import campaigns as campaign_store
from outbound.store import events
from outbound.store.schema import campaigns, reach_hours

NOT_A_PERSON = frozenset({Disposition.MACHINE, Disposition.MESSAGE_LEFT, Disposition.SCREENED, Disposition.NO_MEDIA})
UNREACHED = frozenset(
    {
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.REJECTED,
        Disposition.POWERED_OFF,
        Disposition.UNREACHABLE,
    }
)
TRUNK_POLICY = BreakerPolicy()
CAMPAIGN_POLICY = BreakerPolicy(window_s=3600.0, least=20, share=0.8)
BREAKER = "breaker"
"""Why a campaign was paused, as the event says it."""


def conclude(connection: Connection, over: Sequence[Over], *, now: float) -> None:
    """Take calls that have just been settled into account."""
    trunks = {paces.trunk_key(one.attempt["trunk"]) for one in over if one.trunk is not None}
    own = {paces.campaign_key(one.campaign["id"]) for one in over}
    known = paces.read(connection, trunks | own)
    for one in over:
        if one.trunk is not None:
            _rate_trunk(connection, known[paces.trunk_key(one.attempt["trunk"])], one, now)
        _rate_campaign(connection, known[paces.campaign_key(one.campaign["id"])], one, now)
    paces.write(connection, [known[name] for name in trunks], columns=("resting_until", "breaker"))
    paces.write(connection, [known[name] for name in own], columns=("breaker", "reach"))
    _charge(connection, over)
    _learn_hours(connection, over)


def by_a_person(disposition: Disposition) -> bool:
    """Whether a person answered."""
    return disposition in ANSWERED and disposition not in NOT_A_PERSON


def for_agents(campaign: RowMapping) -> bool:
    """Whether a campaign's calls are dialled for agents."""
    return Mode((campaign["settings"].get("pacing") or {}).get("mode", Mode.AGENTLESS)) is not Mode.AGENTLESS


def policy_of(campaign: RowMapping) -> BreakerPolicy | None:
    """When a campaign is paused by itself; ``None`` when its operator wants that never."""
    breaker = campaign["settings"].get("breaker", {})
    if breaker is None:
        return None
    return BreakerPolicy(**breaker) if breaker else CAMPAIGN_POLICY


def day_and_hour(at: float, zone: str) -> tuple[str, int]:
    """The kind of day and the hour of it at an instant, where the customer is."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return (DayKind.WEEKEND if local.weekday() >= 5 else DayKind.WORKDAY), local.hour


def _rate_trunk(connection: Connection, pace: Pace, one: Over, now: float) -> None:
    """Rest when asked to (503 with Retry-After, RFC 3261 §21.5.4), and open the breaker when too many calls fail."""
    result, trunk = one.result, one.attempt["trunk"]
    if result.disposition is Disposition.CONGESTION and result.retry_after_s:
        until = result.ended_at.timestamp() + min(result.retry_after_s, LONGEST_RETRY_AFTER_S)
        if until > pace.resting_until:
            pace.resting_until = until
            _tell_trunk(connection, "trunk.resting", trunk, until, "it asked to be left alone", now)
    failed, before = failed_trunk(result.disposition), pace.breaker
    if failed is None or result.hangup_cause in NEVER_RETRIED_CAUSES:  # our own line broke down, not the trunk
        return
    pace.breaker = before.note(result.ended_at.timestamp(), failed, TRUNK_POLICY, began_at=one.attempt["dialed_at"])
    if pace.breaker.trips > before.trips and pace.breaker.rest_until is not None:
        until, why = pace.breaker.rest_until, pace.breaker.why(TRUNK_POLICY)
        _tell_trunk(connection, "trunk.tripped", trunk, until, why, now)
    elif before.trips and not pace.breaker.trips:
        _tell_trunk(connection, "trunk.recovered", trunk, now, "a call went through again", now)


def _tell_trunk(connection: Connection, kind: str, name: str, until: float, reason: str, now: float) -> None:
    events.append(connection, at=now, kind=kind, data={"trunk": name, "until": until, "reason": reason})


def _rate_campaign(connection: Connection, pace: Pace, one: Over, now: float) -> None:
    """Count who answered, and pause the campaign when too many of its calls fail: its list or its purpose is wrong."""
    result = one.result
    day = f"{result.ended_at.astimezone(UTC):%Y-%m-%d}"
    if failed_trunk(result.disposition) is not None:  # else nothing was tried, or nobody knows
        pace.count(day, answered=by_a_person(result.disposition), abandoned=one.abandoned)
    policy, failed, before = policy_of(one.campaign), failed_campaign(result.disposition), pace.breaker
    if policy is None or failed is None or result.hangup_cause in NEVER_RETRIED_CAUSES:
        return
    pace.breaker = before.note(result.ended_at.timestamp(), failed, policy, began_at=one.attempt["dialed_at"])
    if pace.breaker.trips > before.trips:
        reason = pace.breaker.why(policy).partition(";")[0]
        campaign_store.pause(connection, one.campaign["id"], reason=reason, cause=BREAKER, now=now)


def _charge(connection: Connection, over: Sequence[Over]) -> None:
    """Put what calls cost in the place of the most they might have cost."""
    changes: defaultdict[str, float] = defaultdict(float)
    for one in over:
        changes[one.campaign["id"]] += (one.cost or 0.0) - (one.attempt["cost"] or 0.0)
    for campaign_id, change in changes.items():
        if change:
            theirs = update(campaigns).where(campaigns.c.id == campaign_id)
            connection.execute(theirs.values(cost=campaigns.c.cost + change))


def _learn_hours(connection: Connection, over: Sequence[Over]) -> None:
    tried: Counter[tuple[str, int]] = Counter()
    answered: Counter[tuple[str, int]] = Counter()
    for one in over:
        end, dialed_at = one.result.disposition, one.attempt["dialed_at"]
        if dialed_at is not None and (end in UNREACHED or end in ANSWERED):
            cell = day_and_hour(dialed_at, one.contact["zones"][0])
            tried[cell] += 1
            answered[cell] += by_a_person(end)
    for (day, hour), count in tried.items():
        here = (reach_hours.c.day == day) & (reach_hours.c.hour == hour)
        more = {"tried": reach_hours.c.tried + count, "answered": reach_hours.c.answered + answered[day, hour]}
        if not connection.execute(update(reach_hours).where(here).values(**more)).rowcount:
            row = {"day": day, "hour": hour, "tried": count, "answered": answered[day, hour]}
            connection.execute(insert(reach_hours), row)
