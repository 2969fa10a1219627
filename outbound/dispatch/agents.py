"""Counts the agents of campaigns whose calls are meant for one, and how many more calls may begin for them.

It rings nobody, and reserves no agent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, func, select

from campaigns.pacing import Abandonment, AnswerShare, Limit, Mode, places, target
from campaigns.rules import RulesError
from outbound.contact_numbers import PLACES, reached_at
from outbound.dispatch import paces
from outbound.dispatch.lanes import lane_of
from outbound.dispatch.paces import Pace
from outbound.gatehouse.keeper import jurisdictions_in
from outbound.gatehouse.rulebook import abandonment_limits, edition
from outbound.store.schema import DUE, LIVE, attempts, contacts

log = structlog.get_logger(__name__)
Campaign = Mapping[str, Any] | RowMapping
ANSWERS_S = 2 * 86400
"""How often calls are answered is learnt from so long."""
LOOKED_AHEAD = 500
"""Due attempts whose customers' rules count: more than one claim looks through."""
NOBODY = Limit(share=0.0, period_s=86400.0, source="what is not known to be permitted is not done")
"""Where it is not known what may be: no call begins without a free agent."""


class Desks:
    """The agents of all campaigns, as one unit of work sees them."""

    def __init__(self, connection: Connection, live: Sequence[Any], *, now: float) -> None:
        self._connection, self._now = connection, now
        self._ringing = Counter(row.campaign_id for row in live if row.answered_at is None)
        self._talking = Counter(row.campaign_id for row in live if row.answered_at is not None)
        self._known: dict[str, tuple[int, float, float]] = {}

    def has_room(self, campaign: Campaign) -> bool:
        """Whether one more call of the campaign may begin."""
        pacing = campaign["settings"].get("pacing") or {}
        mode = Mode(pacing.get("mode", Mode.AGENTLESS))
        if mode is Mode.AGENTLESS:
            return True
        key = campaign["id"]
        if key not in self._known:
            self._known[key] = self._look(campaign, mode, pacing)
        wrapping, answer_share, aimed = self._known[key]
        more = places(
            mode,
            agents=pacing["agents"],
            busy=self._talking[key] + wrapping,
            ringing=self._ringing[key],
            answer_share=answer_share,
            target=aimed,
        )
        return more > 0

    def take(self, campaign: Campaign) -> None:
        """A call of the campaign begins."""
        self._ringing[campaign["id"]] += 1

    def _look(self, campaign: Campaign, mode: Mode, pacing: Mapping[str, Any]) -> tuple[int, float, float]:
        name = paces.campaign_key(campaign["id"])
        pace = paces.read(self._connection, [name])[name]
        tried, answered, _ = pace.reached(self._day(ANSWERS_S))
        share = AnswerShare(answered=answered, tried=tried).mean
        aimed = self._target(campaign, pacing, pace) if mode is Mode.PREDICTIVE else 0.0
        return self._wrapping(campaign, pacing["wrap_up_s"]), share, aimed

    def _target(self, campaign: Campaign, pacing: Mapping[str, Any], pace: Pace) -> float:
        """How much of dialling ahead the campaign's own limit and those of the rules leave: the least of them all."""
        share, period_s = pacing["abandonment_share"], pacing["abandonment_period_s"]
        own = Limit(share=share, period_s=period_s, source="the campaign's pacing")
        aimed = target(own, abandonment(pace, own, self._now))
        if not aimed:
            return 0.0  # the rules can only make it less
        limits = limits_of_rules(self._connection, campaign, now=self._now)
        return min(aimed, *(target(limit, abandonment(pace, limit, self._now)) for limit in limits))

    def _wrapping(self, campaign: Campaign, wrap_up_s: float) -> int:
        """Agents who write down what their last call was about."""
        if not wrap_up_s:
            return 0
        longest_s = campaign["settings"]["max_duration_s"]
        query = select(func.count()).where(
            attempts.c.campaign_id == campaign["id"],
            attempts.c.dialed_at > self._now - wrap_up_s - longest_s - campaign["settings"]["ring_timeout_s"],
            attempts.c.ended_at > self._now - wrap_up_s,
            attempts.c.disposition == "handed_off",
        )
        return int(self._connection.execute(query).scalar_one())

    def _day(self, ago_s: float) -> str:
        return f"{datetime.fromtimestamp(self._now, UTC) - timedelta(seconds=ago_s):%Y-%m-%d}"


def abandonment(pace: Pace, limit: Limit, now: float) -> Abandonment:
    """Calls that people answered, and those of them that no agent took in time, within the limit's period."""
    since = f"{datetime.fromtimestamp(now, UTC) - timedelta(seconds=limit.period_s):%Y-%m-%d}"
    _, answered, abandoned = pace.reached(since)
    return Abandonment(live_answers=answered, abandoned=abandoned)


def limits_of_rules(connection: Connection, campaign: Campaign, *, now: float) -> tuple[Limit, ...]:
    """What the rule packs allow a campaign to abandon now; :data:`NOBODY` where that is not known.

    Only somebody whose telephone rings can be abandoned. So the rules that count are those of all who are being rung
    and of the next to be: the strictest of them holds for the whole campaign until the last such call has ended, and
    nobody meets a room that was dialled ahead by laxer rules than their own. That costs a look at some hundred rows by
    their keys, however many contacts there are, and is never out of date.
    """
    where = _jurisdictions_at_hand(connection, campaign, now)
    if where is None:
        return (NOBODY,)
    try:
        rules = abandonment_limits(edition(connection), where, campaign["purpose"], at=now)
    except RulesError as error:
        log.error("rules cannot be read, nobody is dialled ahead", reason=str(error))
        return (NOBODY,)
    found = [Limit(share=rule.share, period_s=rule.period_s, source=rule.cite) for rule in rules]
    return tuple(found) or (NOBODY,)


def _jurisdictions_at_hand(connection: Connection, campaign: Campaign, now: float) -> frozenset[str] | None:
    """Wherever the customers may be who are being rung or are next; ``None`` when of one of them nobody knows."""
    who = (attempts.c.contact_id, attempts.c.number, attempts.c.campaign_id, attempts.c.answered_at)
    # all live calls, not the campaign's alone: SQLite would go through every attempt the campaign ever made
    live = connection.execute(select(*who).where(LIVE)).all()
    rung = [row for row in live if row.campaign_id == campaign["id"] and row.answered_at is None]
    due = select(*who).where(attempts.c.lane == lane_of(campaign)[0], DUE, attempts.c.due_at <= now)
    rung += connection.execute(due.order_by(attempts.c.due_at).limit(LOOKED_AHEAD)).all()
    places_of = (contacts.c[name] for name in ("id", "number", "alternates", *PLACES))
    query = select(*places_of).where(contacts.c.id.in_({row.contact_id for row in rung}))
    people = {row["id"]: row for row in connection.execute(query).mappings()}
    found: set[str] = set()
    for row in rung:
        where = jurisdictions_in(reached_at(people[row.contact_id], row.number))
        if not where:
            return None
        found.update(where)
    return frozenset(found)
