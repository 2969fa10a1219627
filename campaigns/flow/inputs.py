"""What may happen to a conversation: the inputs of ``advance``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The customer said something (an utterance ended, at any time, also while the robot was speaking)."""

    text: str
    """What the recogniser understood; empty when there was speech that nobody could make out."""
    confidence: float = 1.0
    """0..1: how well it was heard."""
    alternatives: tuple[str, ...] = ()
    """Other readings of the same sound, best first; looked at when ``text`` means nothing."""
    at: datetime | None = None
    """When the utterance ended, aware, in any zone; relative times ("tomorrow at three") are read from it."""
    unheard: int = 0
    """How many ``Say`` effects of the last batch were cut off or never begun when the customer spoke; 0 when everything
    had been said. With two or more the question had not been put yet, and a bare "yes?" is no answer to it."""
    lasted_s: float = 0.0
    """How long the utterance was; music lasts, and has no words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """The customer pressed digits: as many as were listened for, or fewer when the terminator or a pause came."""

    digits: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing was said or pressed within the Listen's ``timeout_s``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """An answering machine (or network voicemail) answered; a beep may follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffEnded:
    """The handoff came to an end: connected and over, or nobody took it."""

    connected: bool
    reason: str = ""
    """Stable code when not connected: ``no_agent``, ``busy``, ``no_answer``, ``failed``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """The system that a ``Request`` asked gave its answer, or none."""

    result: str = ""
    """The word it answered with; empty when there was no answer."""
    values: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    """Why there was no answer; for the operator, never spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp:
    """The customer hung up (BYE), or the call was lost; nothing can be said any more."""


Input = Heard | Digits | Silence | Machine | HandoffEnded | Replied | HungUp
