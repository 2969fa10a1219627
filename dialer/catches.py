"""What the ears catch of a customer, and who is told of it at once.

Plain data and one seam; nothing here listens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from campaigns.flow.effects import Listen
from campaigns.flow.inputs import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """An utterance that ended."""

    text: str
    said: str = ""
    """What was really said, where ``text`` only stands for its meaning."""
    alternatives: tuple[str, ...] = ()
    """Other readings, best first."""
    confidence: float
    engine: str
    started_s: float
    """On the loop's clock."""
    lasted_s: float
    at: datetime

    def as_input(self, *, unheard: int) -> Heard:
        """What the flow is told of it."""
        return Heard(
            text=self.text,
            alternatives=self.alternatives,
            confidence=self.confidence,
            at=self.at,
            unheard=unheard,
            lasted_s=self.lasted_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Digits that were entered."""

    digits: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Beeped:
    """A machine's beep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signalled:
    """A tone of the network, or of a fax."""

    name: str
    """``busy``, ``reorder``, ``sit`` or ``fax``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Nothing came in time."""


Caught = Words | Keys | Beeped | Signalled


class Attention(Protocol):
    """Who is told at once, on the frame, what the ears notice."""

    def on_speaking(self, *, started_s: float, spoken_ms: int) -> None:
        """The customer is speaking, for ``spoken_ms`` by now."""

    def on_key(self) -> None:
        """A key was pressed."""

    def patience_ms(self, words: Words, listen: Listen, language: str) -> int:
        """How much silence ends an utterance that seems to be ``words`` so far."""

    def wants_glimpse(self, started_s: float) -> bool:
        """Whether an utterance that began then may be a machine's or the network's."""

    def is_enough(self, words: Words) -> bool:
        """Whether these words, of an utterance that goes on, show that no person speaks."""

    def on_late(self) -> None:
        """An utterance ended a while ago and is not understood yet."""

    def on_caught(self, caught: Words | Beeped | Signalled) -> bool:
        """An utterance ended or a tone sounded; returns whether it is to be kept as an input."""
