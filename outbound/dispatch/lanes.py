"""Finds what waits: a lane is a running campaign, or the notifications of one priority; it claims nothing.

Every look goes through the partial index of due attempts (lane, due_at, id): ten million rows cost what ten do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, exists, func, select, tuple_

from outbound.store.schema import DUE, attempts, campaigns

PRIORITY = {"emergency": 0, "transactional": 10, "informational": 20, "marketing": 30}
"""Smaller goes first; a notification goes before campaigns of its purpose."""
NOTIFICATIONS = {f"notification-{priority - 1}": priority - 1 for priority in PRIORITY.values()}
"""Lanes of notifications with their priorities: each is a campaign of one contact, too many to look at one by one."""
CAMPAIGN_COLUMNS = ("id", "kind", "purpose", "trunk", "settings", "max_concurrent", "served")


def lane_of(campaign: Mapping[str, Any] | RowMapping) -> tuple[str, int]:
    """The lane of a campaign's attempts, and their priority."""
    priority = PRIORITY[campaign["purpose"]]
    if campaign["kind"] == "notification":
        return f"notification-{priority - 1}", priority - 1
    return campaign["id"], priority


@dataclass(slots=True, kw_only=True)
class Waiting:
    """A lane in which something is due."""

    lane: str
    priority: int
    share: float = 1.0
    served: float = 0.0
    campaigns: dict[str, RowMapping] = field(default_factory=dict)
    """By id: the one campaign, or those of the notifications in ``rows``."""
    rows: list[RowMapping] = field(default_factory=list)
    """Due attempts, the next one last."""
    after: tuple[float, str] | None = None
    """Due instant and id of the last one that was read, when there may be more."""


def waiting(connection: Connection, *, now: float) -> list[Waiting]:
    """Lanes in which an attempt is due at ``now``."""
    found = []
    for row in connection.execute(_WAITING, {"now": now}).mappings():
        lane, priority = lane_of(row)
        share, served = row["settings"].get("share", 1.0), row["served"]
        found.append(Waiting(lane=lane, priority=priority, share=share, served=served, campaigns={row["id"]: row}))
    firsts = connection.execute(_FIRST_NOTIFICATIONS).one()
    for (lane, priority), due_at in zip(NOTIFICATIONS.items(), firsts, strict=True):
        if due_at is not None and due_at <= now:
            found.append(Waiting(lane=lane, priority=priority))
    return found


def something_waits(connection: Connection, *, now: float) -> bool:
    """Whether an attempt of a running campaign is due."""
    if connection.execute(_WAITING, {"now": now}).first():
        return True
    return any(connection.execute(_NOTIFIED, {"lane": lane, "now": now}).first() for lane in NOTIFICATIONS)


def load(connection: Connection, lane: Waiting, *, now: float, limit: int) -> None:
    """Read up to ``limit`` more due attempts of a lane and hold them, the longest due first."""
    one = lane.lane not in NOTIFICATIONS
    query = _DUE if one else _DUE_OF_RUNNING
    if lane.after is not None:
        query = query.where(attempts.c.due_at >= lane.after[0], tuple_(attempts.c.due_at, attempts.c.id) > lane.after)
    found = connection.execute(query, {"lane": lane.lane, "now": now, "most": limit}).mappings().all()
    lane.rows = list(reversed(found))
    lane.after = (lane.rows[0]["due_at"], lane.rows[0]["id"]) if len(lane.rows) == limit else None
    if not one:
        theirs = campaigns.c.id.in_([row["campaign_id"] for row in lane.rows])
        lane.campaigns = {row["id"]: row for row in connection.execute(_campaigns(theirs)).mappings()}


def _campaigns(condition: Any) -> Select[Any]:
    return select(*(campaigns.c[name] for name in CAMPAIGN_COLUMNS)).where(condition)


def _first_due(lane: Any) -> Any:
    return select(func.min(attempts.c.due_at)).where(attempts.c.lane == lane, DUE).scalar_subquery()


_WAITING = _campaigns(
    (campaigns.c.state == "running")
    & (campaigns.c.kind == "campaign")
    & (_first_due(campaigns.c.id) <= bindparam("now"))
)
_FIRST_NOTIFICATIONS = select(*(_first_due(lane) for lane in NOTIFICATIONS))
_RUNS = exists().where(campaigns.c.id == attempts.c.campaign_id, campaigns.c.state == "running")
_IN_LANE = (attempts.c.lane == bindparam("lane")) & DUE & (attempts.c.due_at <= bindparam("now"))
_NOTIFIED = select(attempts.c.id).where(_IN_LANE, _RUNS).limit(1)
_DUE = (
    select(attempts)
    .where(_IN_LANE)
    .order_by(attempts.c.due_at, attempts.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=attempts, skip_locked=True)
)
_DUE_OF_RUNNING = _DUE.where(_RUNS)
"""Statements are built once: building one costs more than running it."""
