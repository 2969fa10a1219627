"""What is known of a run when it is over: the plan, what the peer saw, what REST says, what was done. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from outbound.rehearsal.chaos.part import Exit
from outbound.rehearsal.chaos.plan import Key, Plan
from outbound.rehearsal.chaos.sightings import Sighting
from outbound.rehearsal.chaos.striking import Struck
from outbound.rehearsal.client import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A time in which nobody of a campaign, or not this number, may be rung."""

    why: str
    since: float
    """Epoch seconds: the answer to the request had come, and the window for what was on its way is over."""
    until: float = float("inf")
    """Epoch seconds: before the request that took the ban back."""
    campaign: Key | None = None
    number: str = ""

    def covers(self, number: str, campaign: Key, at: float) -> bool:
        """Whether it forbids ringing ``number`` for ``campaign`` at ``at``."""
        mine = number == self.number if self.number else campaign is self.campaign
        return mine and self.since < at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The accounts that are compared."""

    plan: Plan
    sightings: Sequence[Sighting]
    attempts: Sequence[Document]
    """``Attempt`` documents of all campaigns."""
    contacts: Mapping[Key, Sequence[Document]]
    """``Contact`` documents by campaign."""
    bans: Sequence[Ban]
    started: Mapping[Key, float]
    """Epoch seconds at which the start of a campaign was asked for."""
    struck: Sequence[Struck] = ()
    exits: Sequence[Exit] = ()
    left_behind: Sequence[str] = ()
    """Commands of processes of the product that outlived it."""
    stops_s: Sequence[float | None] = ()
    """How long the last graceful stops took, ``None`` for one that failed."""
    took_s: float = 0.0
    longest_silence_s: float = 0.0
    """The longest that a request waited for its answer, tried again and again."""
    undecided: Sequence[str] = field(default_factory=tuple)
    """Campaigns that were not over in time."""


def epoch(instant: str | None) -> float | None:
    """Epoch seconds of an instant as REST writes it."""
    return None if instant is None else datetime.fromisoformat(instant).timestamp()
