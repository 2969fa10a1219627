"""Keeps what all dialers share of pacing: token buckets, rests that far ends ask for, breakers, who was reached.

Whoever writes has taken the turn of the unit of work (outbound/store/events.py), so no two dialers spend one token.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, select, update

from campaigns.pacing import Breaker, TokenBucket
from outbound.store.schema import paces

HOUSE = "house"
BURST_S = 0.1
"""A bucket holds the tokens of so long, and at least one: a trunk that allows 100 calls a second takes 10 at once."""
HOUSE_BURST = 2.0
AHEAD_S = 120.0
"""A bucket that was left by a clock so far ahead is not waited for: twice what outbound/clock.py tolerates."""
DAYS_KEPT = 31
COLUMNS = ("tokens", "at", "resting_until", "breaker", "reach")


def trunk_key(name: str) -> str:
    """The name of a trunk's pace."""
    return f"trunk:{name}"


def campaign_key(campaign_id: str) -> str:
    """The name of a campaign's pace."""
    return f"campaign:{campaign_id}"


@dataclass(slots=True, kw_only=True)
class Pace:
    """The pace of the house, a trunk or a campaign, as one unit of work reads and writes it."""

    name: str
    tokens: float = 0.0
    at: float = 0.0
    """When there were so many tokens; 0: never, the bucket is full."""
    resting_until: float = 0.0
    breaker: Breaker = field(default_factory=Breaker)
    reach: dict[str, list[int]] = field(default_factory=dict)
    """By UTC day: calls tried, answered by a person, abandoned."""
    stored: bool = False

    def bucket(self, rate_per_s: float, now: float, *, least: float = 1.0) -> TokenBucket:
        """The token bucket at ``now``."""
        burst = max(least, rate_per_s * BURST_S)
        if not self.at or self.at > now + AHEAD_S:
            return TokenBucket.full(rate_per_s=rate_per_s, burst=burst, at=now)
        tokens = min(self.tokens, burst)
        return TokenBucket(rate_per_s=rate_per_s, burst=burst, tokens=tokens, at=self.at).refill(now)

    def keep(self, bucket: TokenBucket) -> None:
        """Take over what a bucket holds."""
        self.tokens, self.at = bucket.tokens, bucket.at

    def count(self, day: str, *, answered: bool, abandoned: bool) -> None:
        """Count a call that ended on ``day`` (``YYYY-MM-DD``)."""
        row = self.reach.setdefault(day, [0, 0, 0])
        row[0] += 1
        row[1] += answered
        row[2] += abandoned
        if len(self.reach) > DAYS_KEPT:
            for old in sorted(self.reach)[:-DAYS_KEPT]:
                del self.reach[old]

    def reached(self, since: str) -> tuple[int, int, int]:
        """Calls tried, answered by a person and abandoned since the UTC day ``since``."""
        rows = [row for day, row in self.reach.items() if day >= since]
        tried, answered, abandoned = (sum(row[place] for row in rows) for place in range(3))
        return tried, answered, abandoned


_READ = select(paces).where(paces.c.name.in_(bindparam("names", expanding=True)))


def read(connection: Connection, names: Collection[str]) -> dict[str, Pace]:
    """The paces of ``names``; one that was never written is at rest, with a full bucket."""
    found = {name: Pace(name=name) for name in names}
    for row in connection.execute(_READ, {"names": list(names)}).mappings():
        fields: dict[str, Any] = dict(row) | {"breaker": Breaker.read(row["breaker"]), "stored": True}
        found[row["name"]] = Pace(**fields)
    return found


def write(connection: Connection, changed: Iterable[Pace], *, columns: Collection[str] = COLUMNS) -> None:
    """Store paces as they are now; of those that are there, only ``columns``."""
    told: list[dict[str, Any]] = []
    for pace in changed:
        if pace.stored:
            told.append({"key": pace.name} | {f"new_{name}": _value(pace, name) for name in columns})
        else:
            connection.execute(insert(paces), {"name": pace.name} | {name: _value(pace, name) for name in COLUMNS})
            pace.stored = True
    if told:
        connection.execute(_update(tuple(columns)), told)


def _value(pace: Pace, name: str) -> Any:
    return pace.breaker.document() if name == "breaker" else getattr(pace, name)


@cache
def _update(columns: tuple[str, ...]) -> Update:
    changed: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return update(paces).where(paces.c.name == bindparam("key")).values(changed)


def write_tokens(connection: Connection, changed: Iterable[Pace]) -> None:
    """Store what tokens are left."""
    write(connection, changed, columns=("tokens", "at"))
