"""The seam of incoming legs: what an engine hands over when somebody rings it, and what can be done with it.

An incoming leg is a :class:`dialer.legs.Leg` that may also be answered and may press keys. Nothing here decides what to
do with a caller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from dialer.legs import Leg, LegEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The INVITE that came, as plain data."""

    uri: str
    """Request-URI."""
    caller: str
    """User part of From: an E.164 number or a name."""
    called: str
    """User part of To."""
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Lower-case long header names; values in order."""


class IncomingLeg(Leg, Protocol):
    """A leg somebody else began."""

    invitation: Invitation

    async def answer(self, code: int = 200) -> None:
        """Send a provisional (180, 183 with SDP) or the 200 response; idempotent once the leg is answered or over.

        After 183 what is played sounds as early media (RFC 3960).
        """

    async def reject(self, code: int, *, reason: str = "", headers: dict[str, str] | None = None) -> None:
        """Send a final response of 300 or above, with ``headers`` (Retry-After, Contact…). ``Ended`` follows."""

    async def send_digits(self, digits: str, *, method: str = "rfc4733", duration_ms: int = 160) -> None:
        """Press keys (``0-9*#A-D``) one after the other; ``method`` is ``rfc4733`` or ``info`` (SIP INFO)."""


Listener = Callable[[IncomingLeg], Callable[[LegEvent], None]]
"""Called on the asyncio thread when somebody rings; returns the sink of the leg's events. Must not block."""
