"""Counts the agents of campaigns whose calls are meant for one, and how many more calls may begin for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from campaigns.pacing import Abandonment, AnswerShare, Limit, Mode, places, target
from outbound.dispatch import paces
from outbound.dispatch.paces import Pace
from outbound.store.schema import attempts

Campaign = Mapping[str, Any] | RowMapping
ANSWERS_S = 2 * 86400
"""How often calls are answered is learnt from so long."""


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
            self._known[key] = self._look(campaign, pacing)
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

    def _look(self, campaign: Campaign, pacing: Mapping[str, Any]) -> tuple[int, float, float]:
        name = paces.campaign_key(campaign["id"])
        pace = paces.read(self._connection, [name])[name]
        limit = Limit(
            share=pacing["abandonment_share"], period_s=pacing["abandonment_period_s"], source="the campaign's pacing"
        )
        tried, answered, _ = pace.reached(self._day(ANSWERS_S))
        share = AnswerShare(answered=answered, tried=tried).mean
        return self._wrapping(campaign, pacing["wrap_up_s"]), share, target(limit, abandonment(pace, limit, self._now))

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
