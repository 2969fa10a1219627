"""What the peer saw, kept as it is told: every INVITE with its instant, and what became of it. It judges nothing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from outbound.rehearsal.children import Told


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One INVITE transaction at the peer; one that was sent again is the same."""

    number: str
    call_id: str
    branch: str
    at: float
    """Epoch seconds at which the kernel took it."""
    again: int = 0
    """How often it was repeated."""
    code: int = 0
    """The peer's final response; 0 when it gave none."""
    code_at: float = 0.0
    """Epoch seconds at which we heard of it: no earlier than it was given."""
    over_at: float = 0.0
    """The same of the call's end; 0 while it goes on."""
    ended_by: str = ""
    """``refused``, ``peer``, ``caller``, or ``abandoned`` by a caller that was killed."""

    @property
    def answered(self) -> bool:
        """Whether somebody picked up."""
        return self.code == 200


class Sightings:
    """Everything the peer told, in its order."""

    def __init__(self) -> None:
        self.all: list[Sighting] = []
        self.called: Counter[str] = Counter()
        """INVITEs by number."""
        self._by_branch: dict[str, Sighting] = {}
        self._open: set[str] = set()

    @property
    def in_progress(self) -> int:
        """Calls that ring or are talked in now."""
        return len(self._open)

    def hear(self, told: Told) -> None:
        """Take one line of the peer's."""
        data = told.data
        at = time.time() - max(0.0, time.monotonic() - told.at_monotonic)
        match told.kind:
            case "invite":
                seen = Sighting(number=data["number"], call_id=data["call_id"], branch=data["branch"], at=data["at"])
                self._by_branch[seen.branch] = seen
                self.all.append(seen)
                self.called[seen.number] += 1
                self._open.add(seen.branch)
            case "again":
                self._by_branch[data["branch"]].again += 1
            case "final":
                self._by_branch[data["branch"]].code = data["code"]
                self._by_branch[data["branch"]].code_at = at
            case "over":
                self._by_branch[data["branch"]].ended_by = data["by"]
                self._by_branch[data["branch"]].over_at = at
                self._open.discard(data["branch"])
