"""Claims due attempts for this host: fairly among campaigns, each with the legs of a line, a token and a channel.

Tokens, channels and agents are counted from what is in the database, in the transaction that takes them: whatever
dies, nothing leaks. The gate is not asked here; the intent asks it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from campaigns.attempts import State, check_transition
from campaigns.dispositions import Disposition
from campaigns.pacing import Lane, TokenBucket, deal, served
from outbound.dispatch import agents, lanes, paces, ways
from outbound.dispatch.lanes import Waiting
from outbound.importing.numbers import same_mobile
from outbound.store import events
from outbound.store.attempts import Claim
from outbound.store.schema import LIVE, attempts, campaigns

FAILED_LATELY_S = 3600.0
"""For so long a trunk that could not carry a call is the last to be asked for the same contact."""
LEAST_LOOKED_AT = 50
LOOKED_THROUGH = 2000
"""Due rows of a lane looked through at most for the next place."""
LOOKED_AT = 4
"""Due rows looked at for each one wanted: some may wait for a number that is in a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What was claimed, and when it is worth to look again."""

    claims: list[Claim]
    again_at: float | None = None
    """When the next token is there for attempts that lacked only that."""


def claim(
    connection: Connection, *, now: float, lease_s: float, limit: int, free_legs: Mapping[str, int], rate_per_s: float
) -> Claimed:
    """Claim up to ``limit`` due attempts, the most urgent first and fairly among campaigns of one priority.

    ``free_legs``: by line of this host; ``rate_per_s``: calls a second over all trunks. A number that is in a live
    attempt anywhere is passed over: nobody is rung twice at the same time.
    """
    events.take_turn(connection)
    waiting = lanes.waiting(connection, now=now)
    if not waiting:
        return Claimed(claims=[])
    room = _Room(connection, free_legs, rate_per_s, now)

    def more(lane: Waiting) -> None:
        lanes.load(connection, lane, now=now, limit=max(limit * LOOKED_AT, LEAST_LOOKED_AT))
        room.remember_failures(connection, lane)

    for lane in waiting:
        more(lane)
    taken = _take(waiting, room, limit, more)
    claims = _hold(connection, taken, now=now, lease_s=lease_s)
    room.keep(connection)
    return Claimed(claims=claims, again_at=room.next_token())


@dataclass(frozen=True, slots=True)
class _Taken:
    row: RowMapping
    lane: Waiting
    trunk: str
    line: str
    legs: int


def _take(waiting: Sequence[Waiting], room: _Room, limit: int, more: Callable[[Waiting], None]) -> list[_Taken]:
    """Deal the places one by one: a lane that finds no room is out of this round, the others go on."""
    taken: list[_Taken] = []
    playing = {lane.lane: lane for lane in waiting}
    while playing and len(taken) < limit:
        hands = [_hand(lane) for lane in playing.values()]
        dealt = deal(hands, 1)
        if not dealt:
            break
        lane = playing[dealt[0]]
        found = _next(lane, room, more)
        if found is None:
            del playing[lane.lane]
            continue
        lane.served = served(hands, dealt)[lane.lane]
        taken.append(found)
    return taken


def _hand(lane: Waiting) -> Lane:
    return Lane(key=lane.lane, priority=lane.priority, share=lane.share, served=lane.served, waiting=len(lane.rows))


def _next(lane: Waiting, room: _Room, more: Callable[[Waiting], None]) -> _Taken | None:
    """The next attempt of a lane for which there is room now."""
    for _ in range(LOOKED_THROUGH):
        if not lane.rows and lane.after is not None:
            more(lane)  # who is first waits for a trunk that rests, or a number in a call; those behind do not
        if not lane.rows:
            return None
        row = lane.rows.pop()
        found = room.take(row, lane.campaigns[row["campaign_id"]])
        if found is not None:
            return _Taken(row, lane, *found)
        if room.shut(lane):
            return None
    return None


_LIVE_NOW = select(attempts.c.number, attempts.c.campaign_id, attempts.c.trunk, attempts.c.answered_at).where(LIVE)


class _Room:
    """What may still begin, given what is live anywhere and what is free here."""

    def __init__(self, connection: Connection, free_legs: Mapping[str, int], rate_per_s: float, now: float) -> None:
        self._now, self._free = now, dict(free_legs)
        live = connection.execute(_LIVE_NOW).all()
        self._numbers = {form for row in live for form in same_mobile(row.number)}
        self._by_campaign = Counter(row.campaign_id for row in live)
        self._trunks = ways.trunks_now(connection, Counter(row.trunk for row in live), now=now)
        self._house = paces.read(connection, [paces.HOUSE])[paces.HOUSE]
        self._bucket = self._house.bucket(rate_per_s, now, least=paces.HOUSE_BURST)
        self._agents = agents.Desks(connection, live, now=now)
        self._failed: defaultdict[str, set[str]] = defaultdict(set)
        self._short: set[str] = set()
        self._spent = False

    def remember_failures(self, connection: Connection, lane: Waiting) -> None:
        """Look up which trunks have just failed to carry calls to contacts of a lane, where there are others."""
        again = {
            row["contact_id"]
            for row in lane.rows
            if row["ordinal"] > 1 and len(ways.names_of(lane.campaigns[row["campaign_id"]])) > 1
        }
        if again:
            failed = select(attempts.c.contact_id, attempts.c.trunk).where(attempts.c.contact_id.in_(again))
            lately = attempts.c.ended_at > self._now - FAILED_LATELY_S
            for row in connection.execute(failed.where(attempts.c.disposition == Disposition.CONGESTION, lately)):
                self._failed[row.contact_id].add(row.trunk)

    def take(self, row: RowMapping, campaign: RowMapping) -> tuple[str, str, int] | None:
        """Count an attempt in; its trunk, line and legs, or ``None`` when number, campaign, trunk or line is full."""
        legs = 2 if campaign["settings"]["agent_uri"] else 1
        line = max(self._free, key=lambda name: self._free[name], default=None)
        if line is None or self._free[line] < legs or self._full(campaign) or row["number"] in self._numbers:
            return None
        failed = self._failed[row["contact_id"]]
        chosen = ways.choice(row["number"], campaign, self._trunks, after=failed, now=self._now)
        if chosen.trunk is None and chosen.why == "busy":
            self._short.update(ways.names_of(campaign))
            return None
        if self._bucket.available < 1:
            self._spent = True
            return None
        name = chosen.trunk or campaign["trunk"]  # nobody may carry it: the gate refuses it at its intent
        self._free[line] -= legs
        self._numbers.update(same_mobile(row["number"]))
        self._by_campaign[campaign["id"]] += 1
        self._agents.take(campaign)
        if chosen.trunk is not None:
            self._trunks[chosen.trunk].take()
            self._bucket = self._bucket.take()
        return name, line, legs

    def shut(self, lane: Waiting) -> bool:
        """Whether no other attempt of this lane can find room either."""
        legs = max(self._free.values(), default=0)
        return legs < 1 or self._spent or (len(lane.campaigns) == 1 and self._full(next(iter(lane.campaigns.values()))))

    def keep(self, connection: Connection) -> None:
        """Store what tokens are left."""
        self._house.keep(self._bucket)
        changed = [self._house]
        for trunk in self._trunks.values():
            if trunk.taken:
                trunk.pace.keep(trunk.bucket)
                changed.append(trunk.pace)
        paces.write_tokens(connection, changed)

    def next_token(self) -> float | None:
        """When a token comes that something waits for."""
        buckets: list[TokenBucket] = [self._bucket] if self._spent else []
        buckets += [self._trunks[name].bucket for name in self._short if name in self._trunks]
        return min((bucket.next_at() for bucket in buckets if bucket.available < 1), default=None)

    def _full(self, campaign: RowMapping) -> bool:
        busy = self._by_campaign[campaign["id"]] >= campaign["max_concurrent"]
        return busy or not self._agents.has_room(campaign)


_CLAIMED = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"), attempts.c.fence == bindparam("held"))
    .where(attempts.c.state == State.DUE)
    .values(state=State.CLAIMED, fence=bindparam("next"), line=bindparam("with_line"), trunk=bindparam("on_trunk"))
    .values(lease_until=bindparam("until"))
)
_SERVED = update(campaigns).where(campaigns.c.id == bindparam("key")).values(served=bindparam("now_served"))


def _hold(connection: Connection, taken: Sequence[_Taken], *, now: float, lease_s: float) -> list[Claim]:
    """Write the claims: due -> claimed, each under a fence of its own."""
    if not taken:
        return []
    check_transition(State.DUE, State.CLAIMED)
    values: list[dict[str, Any]] = []
    for item in taken:
        fence = item.row["fence"]
        values.append({"key": item.row["id"], "held": fence, "next": fence + 1})
        values[-1] |= {"with_line": item.line, "on_trunk": item.trunk, "until": now + lease_s}
    if connection.execute(_CLAIMED, values).rowcount != len(taken):
        raise RuntimeError("a due attempt moved while its row was held")
    _remember_served(connection, taken)
    told = {"at": now, "kind": "attempt.claimed"}
    events.append_all(
        connection,
        [
            told
            | {"campaign_id": item.row["campaign_id"], "attempt_id": item.row["id"]}
            | {"data": {"number": item.row["number"], "trunk": item.trunk}}
            for item in taken
        ],
    )
    return [_claim(item) for item in taken]


def _remember_served(connection: Connection, taken: Sequence[_Taken]) -> None:
    by_lane = {item.lane.lane: item.lane.served for item in taken if item.lane.lane not in lanes.NOTIFICATIONS}
    if by_lane:
        connection.execute(_SERVED, [{"key": key, "now_served": served} for key, served in by_lane.items()])


def _claim(item: _Taken) -> Claim:
    return Claim(
        attempt_id=item.row["id"],
        fence=item.row["fence"] + 1,
        number=item.row["number"],
        campaign_id=item.row["campaign_id"],
        trunk=item.trunk,
        line=item.line,
        legs=item.legs,
    )
