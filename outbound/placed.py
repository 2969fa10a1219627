"""What a host has placed where: claims on their way, calls in progress, and the legs they hold; it places nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.handoff import LONGEST_TALK_S
from dialer.messages import CallRequest
from outbound.importing.numbers import same_mobile
from outbound.store.attempts import Claim

MARGIN_S = 60.0
"""What a call may take beyond its own limits: last words, a recording to be written, a result to be acknowledged."""


@dataclass(slots=True)
class Placed:
    """A claim and what is known of the call that it becomes."""

    claim: Claim
    answered: bool = False
    called_off: str = ""
    """Why it is not to ring (any longer)."""
    ends_by: float = float("inf")
    """Monotonic instant by which a sound line has told its end."""


class PlacedCalls:
    """The calls of one host, by attempt."""

    def __init__(self) -> None:
        self._items: dict[str, Placed] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, attempt_id: str) -> Placed:
        return self._items[attempt_id]

    def get(self, attempt_id: str) -> Placed | None:
        """The call of an attempt, if it is here."""
        return self._items.get(attempt_id)

    @property
    def attempt_ids(self) -> list[str]:
        """Attempts that are here."""
        return list(self._items)

    def put(self, claim: Claim) -> None:
        """A claim that holds its legs from now on."""
        self._items[claim.attempt_id] = Placed(claim)

    def sent(self, request: CallRequest, *, at: float) -> None:
        """A call was handed to its line at the monotonic instant ``at``."""
        talk_s = request.max_duration_s + (request.agent_ring_timeout_s + LONGEST_TALK_S if request.agent_uri else 0.0)
        self._items[request.attempt_id].ends_by = at + request.ring_timeout_s + talk_s + MARGIN_S

    def forget(self, attempt_id: str, fence: int) -> None:
        """Give back the legs of a claim, unless another has taken its place."""
        item = self._items.get(attempt_id)
        if item is not None and item.claim.fence == fence:
            del self._items[attempt_id]

    def free_legs(self, capacity: Mapping[str, int]) -> dict[str, int]:
        """Legs that are free on each line, where any is."""
        free = dict(capacity)
        for item in self._items.values():
            if item.claim.line in free:
                free[item.claim.line] -= item.claim.legs
        return {name: legs for name, legs in free.items() if legs > 0}

    def to_number(self, number: str) -> set[str]:
        """Attempts to a telephone, whichever way its number is written."""
        forms = same_mobile(number)
        return {key for key, item in self._items.items() if item.claim.number in forms}

    def of_campaign(self, campaign_id: str) -> set[str]:
        """Attempts of a campaign."""
        return {key for key, item in self._items.items() if item.claim.campaign_id == campaign_id}

    def overdue_lines(self, at: float) -> set[str]:
        """Lines that owe the end of a call: they would keep its legs, channel and lease for ever."""
        return {item.claim.line for item in self._items.values() if item.ends_by <= at}
