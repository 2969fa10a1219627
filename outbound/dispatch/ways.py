"""Reads trunks as ways out: where each may go, what it costs, and whether it has room now; it chooses none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select

from campaigns.pacing import TokenBucket
from campaigns.routing import Choice, Way, allowed, choose, cost, rate
from outbound.dispatch import paces
from outbound.dispatch.paces import Pace
from outbound.places.kinds import kind_of
from outbound.store.schema import trunks

Settings = Mapping[str, Any]
ORDINARY = "mobile"


@dataclass(slots=True, kw_only=True)
class Trunk:
    """A trunk with what is left of it at this moment."""

    name: str
    settings: Settings
    channels: int
    live: int
    pace: Pace
    bucket: TokenBucket
    taken: bool = False
    """Whether a token was spent on it in this unit of work."""

    def way(self, now: float) -> Way:
        """What a choice is made of."""
        rested = self.pace.resting_until <= now and self.pace.breaker.may_begin(now, self.live)
        return Way(
            trunk=self.name,
            destinations=tuple(self.settings.get("destinations", ())),
            rates=self.settings.get("rates", {}),
            free_channels=max(0, self.channels - self.live),
            tokens=self.bucket.available,
            open=rested,
        )

    def take(self) -> None:
        """A call begins on it."""
        self.live += 1
        self.taken = True
        self.bucket = self.bucket.take()


_TRUNKS = select(trunks).where(trunks.c.deleted_at.is_(None))
_SETTINGS = select(trunks.c.settings).where(
    trunks.c.name.in_(bindparam("names", expanding=True)), trunks.c.deleted_at.is_(None)
)


def trunks_now(connection: Connection, live: Counter[str], *, now: float) -> dict[str, Trunk]:
    """Every trunk, given how many calls are live on each."""
    rows = connection.execute(_TRUNKS).mappings().all()
    kept = paces.read(connection, [paces.trunk_key(row["name"]) for row in rows])
    return {row["name"]: _trunk(row, kept[paces.trunk_key(row["name"])], live[row["name"]], now) for row in rows}


def _trunk(row: RowMapping, pace: Pace, live: int, now: float) -> Trunk:
    bucket = pace.bucket(row["calls_per_second"], now)
    return Trunk(
        name=row["name"], settings=row["settings"], channels=row["channels"], live=live, pace=pace, bucket=bucket
    )


def names_of(campaign: Mapping[str, Any] | RowMapping) -> list[str]:
    """The trunks a campaign may use, the preferred one first."""
    return [campaign["trunk"], *campaign["settings"].get("fallback_trunks", ())]


def choice(
    number: str,
    campaign: Mapping[str, Any] | RowMapping,
    known: Mapping[str, Trunk],
    *,
    after: Collection[str] = (),
    now: float,
) -> Choice:
    """The trunk for a call of ``campaign`` to ``number`` now, or why there is none.

    ``after``: trunks that have just failed to carry the call; they are asked last.
    """
    names = sorted(names_of(campaign), key=lambda name: name in after)
    ways = [known[name].way(now) for name in names if name in known]
    return choose(number, kind_of(number), ways, order=campaign["settings"].get("routing", "listed"))


def barred(
    connection: Connection, campaign: Mapping[str, Any] | RowMapping, numbers: Sequence[str], *, kinds: bool = True
) -> set[str]:
    """Those of ``numbers`` that none of the campaign's trunks may ever carry.

    Without ``kinds`` only prefixes are compared, which is quick: whether a number is dear is asked at its intent.
    """
    found = connection.execute(_SETTINGS, {"names": names_of(campaign)}).scalars()
    lists = [tuple(settings.get("destinations", ())) for settings in found]
    if not lists:  # one may be added: it waits, as in a choice
        return set()
    return {number for number in numbers if not _carried(number, kind_of(number) if kinds else ORDINARY, lists)}


def carries(settings: Settings, number: str) -> bool:
    """Whether a trunk with these settings may ever carry a call to ``number``."""
    return allowed(number, kind_of(number), tuple(settings.get("destinations", ())))


def _carried(number: str, kind: str, lists: Sequence[tuple[str, ...]]) -> bool:
    return any(allowed(number, kind, each) for each in lists)


def price(number: str, settings: Settings, duration_s: float) -> float | None:
    """What a call of ``duration_s`` to ``number`` costs on a trunk; ``None`` when its rate is not known."""
    per_minute = rate(number, settings.get("rates", {}))
    if per_minute is None:
        return None
    return cost(per_minute, duration_s, increment_s=settings.get("billing_increment_s", 60), minimum_s=0.0)
