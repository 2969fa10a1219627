"""The circuit breaker of a trunk or a campaign: leave alone what fails. It reads no clock and ends no call.

Nygard, Release It! (2nd ed. 2018), "Circuit Breaker": closed, it counts; open, nothing begins; half open, one probe
decides. Instants are UTC epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from campaigns.dispositions import Disposition

MOST_OUTCOMES = 200
"""Outcomes that are remembered, however many calls fall into the window."""

_NETWORK = frozenset({Disposition.CONGESTION, Disposition.FAILED, Disposition.NO_MEDIA})
_CALLS = frozenset({Disposition.FAILED, Disposition.INVALID_NUMBER, Disposition.BLOCKED, Disposition.NO_MEDIA})
_SILENT = frozenset({Disposition.REFUSED, Disposition.CANCELLED, Disposition.EXPIRED, Disposition.UNDETERMINED})


class BreakerState(StrEnum):
    """Whether calls may begin."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When it opens, and for how long."""

    window_s: float = 300.0
    """How long an outcome counts."""
    least: int = 20
    """Fewer outcomes in the window prove nothing."""
    share: float = 0.5
    """Failures among the outcomes at which it opens."""
    rest_s: float = 60.0
    """The first rest; each failed probe doubles it."""
    longest_rest_s: float = 1800.0

    def __post_init__(self) -> None:
        if not (1 <= self.least <= MOST_OUTCOMES and 0 < self.share <= 1):
            raise ValueError(f"a breaker needs 1 to {MOST_OUTCOMES} outcomes at least and a share within 0 and 1")
        if not (self.window_s > 0 and 0 < self.rest_s <= self.longest_rest_s):
            raise ValueError("a breaker needs a window and a rest of more than 0 s, and a longest rest no shorter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """What is remembered of the calls; a fresh one is closed."""

    outcomes: tuple[tuple[float, bool], ...] = ()
    """When each of the newest calls ended and whether it failed, oldest first; while open, what opened it."""
    opened_at: float | None = None
    rest_until: float | None = None
    trips: int = 0
    """How often in a row it has opened: once, and once more for every failed probe."""

    def state(self, at: float) -> BreakerState:
        """Where it stands at ``at``."""
        if self.rest_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if at < self.rest_until else BreakerState.HALF_OPEN

    def may_begin(self, at: float, live: int) -> bool:
        """Whether a call may begin while ``live`` others are under way; half open, one probe at a time."""
        state = self.state(at)
        return state is BreakerState.CLOSED or (state is BreakerState.HALF_OPEN and live == 0)

    def note(self, at: float, failed: bool, policy: BreakerPolicy, *, began_at: float | None = None) -> Breaker:
        """The breaker after a call that ended at ``at``.

        Calls that end during the rest, or by ``began_at`` began before its end, were no probes and change nothing.
        """
        if self.rest_until is None:
            return self._counting(at, failed, policy)
        if at < self.rest_until or (began_at is not None and began_at < self.rest_until):
            return self
        return self._opened(at, policy) if failed else Breaker()

    def why(self, policy: BreakerPolicy) -> str:
        """A sentence for operators on why nothing begins; empty while it is closed."""
        if self.rest_until is None:
            return ""
        failures = sum(failed for _, failed in self.outcomes)
        probes = f"; {self.trips - 1} probe(s) failed since" if self.trips > 1 else ""
        until = datetime.fromtimestamp(self.rest_until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        within = f"within {policy.window_s:g} s"
        return f"{failures} of the last {len(self.outcomes)} calls failed {within}{probes}; next try at {until}"

    def document(self) -> dict[str, Any]:
        """As JSON; :meth:`read` is the way back."""
        return {
            "outcomes": [[at, failed] for at, failed in self.outcomes],
            "opened_at": self.opened_at,
            "rest_until": self.rest_until,
            "trips": self.trips,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Breaker:
        """Read what :meth:`document` wrote; an empty document is a fresh breaker."""
        return cls(
            outcomes=tuple((at, failed) for at, failed in document.get("outcomes", ())),
            opened_at=document.get("opened_at"),
            rest_until=document.get("rest_until"),
            trips=document.get("trips", 0),
        )

    def _counting(self, at: float, failed: bool, policy: BreakerPolicy) -> Breaker:
        within = (*self.outcomes, (at, failed))[-MOST_OUTCOMES:]
        if within[0][0] <= at - policy.window_s:
            within = tuple(one for one in within if one[0] > at - policy.window_s)
        noted = replace(self, outcomes=within)
        # A success never opens it, not even when older successes have left the window.
        if not failed or len(within) < policy.least:
            return noted
        failures = sum(failed for _, failed in within)
        return noted._opened(at, policy) if failures >= policy.share * len(within) else noted

    def _opened(self, at: float, policy: BreakerPolicy) -> Breaker:
        rest_s = min(policy.longest_rest_s, policy.rest_s * 2.0 ** min(self.trips, 60))
        since = at if self.opened_at is None else self.opened_at
        return replace(self, opened_at=since, rest_until=at + rest_s, trips=self.trips + 1)


def failed_trunk(disposition: Disposition) -> bool | None:
    """Whether the trunk failed; ``None`` when the end says nothing of it. Busy or silent customers are no failure."""
    return None if disposition in _SILENT else disposition in _NETWORK


def failed_campaign(disposition: Disposition) -> bool | None:
    """Whether a campaign's call failed: broke down, or its list is bad or unwanted; ``None`` when nothing is said.

    Congestion is the network's and says nothing of a campaign.
    """
    if disposition in _SILENT or disposition == Disposition.CONGESTION:
        return None
    return disposition in _CALLS
