"""What a conversation wants done: the effects that ``advance`` returns and the host performs in order.

How a batch is performed: effects run one after the other. While a ``Say`` sounds, the customer may speak or press a
digit: the host then stops the sound, skips the batch's remaining ``Say`` effects, still performs every other effect up
to (not including) the next ``Listen``, ``Handoff``, ``Request`` or ``Hangup``, and feeds the ``Heard`` or ``Digits`` to
``advance``. A batch always ends with exactly one of ``Listen``, ``Handoff``, ``Request`` or ``Hangup``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from campaigns.dispositions import Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEntered:
    """The conversation entered a step; shown live."""

    step: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """How the last input was taken; goes to the timeline beside the customer's words."""

    intent: str | None
    """Intent name, ``digit:1``, a slot name, or ``None`` when nothing matched."""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Speak ``text``, rendered from the template, in ``language``; one or more sentences."""

    text: str
    language: str
    barge_in: bool = True
    """Whether the customer's speech or digits stop it. False only where a law wants the words heard."""
    after_beep: bool = False
    """Wait for an answering machine's beep (or 2 s of silence, at most 20 s) before speaking; never interrupted."""
    slow: bool = False
    """Speak more slowly than usual: the customer asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Wait for speech or digits."""

    timeout_s: float = 6.0
    """Silence after the last ``Say`` that counts as no input."""
    end_silence_ms: int = 500
    """Silence that ends an utterance; longer where times or numbers are dictated."""
    phrases: tuple[str, ...] = ()
    """Words likely to be said here, in the conversation's language: a bias for the recogniser, never a forced match."""
    max_digits: int = 1
    """Digits to collect before they are an input; collection also ends at ``#`` or after 3 s of pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptOut:
    """The customer asked not to be called again: stored at once, before anything more is said."""

    words: str
    """The customer's words or digits, as evidence."""
    scope: str = "all"
    """``all`` (every campaign of this business, every channel) or ``purpose``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The customer refused what was offered: told at once and once a call. No opt-out, and no wish for another time.

    What it means in law (a pause before the next offer) is the host's to say.
    """

    words: str
    """The customer's words or digits, as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCallback:
    """The customer wishes to be called at ``at``; a later one in the same call takes the place of an earlier one."""

    at: datetime | None
    """Aware instant, or ``None`` when the words could not be read as a time: a human reads ``words``."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariable:
    """A collected value, for the timeline and the result."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A step could not do what it should; the conversation goes on another way and the operator sees why."""

    step: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """Ring a human agent and connect them with the customer; the host answers with ``HandoffEnded``."""

    queue: str
    summary: str
    """One sentence for the agent: who, what about, what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask a system of the business, while the customer is listened to; the host answers with ``Replied``.

    The same ``key`` again is the same request: it is waited for, not sent a second time.
    """

    system: str
    """Name under which the operator registered it."""
    operation: str
    """What it is asked to do, in the system's own words."""
    values: Mapping[str, str]
    deadline_s: float
    """Seconds for everything, retries included."""
    key: str
    """Unique within the call; with the attempt it keeps a retry from acting twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """End the call; the conversation is over with this disposition."""

    disposition: Disposition
    outcome: str = ""
    """The flow's own word for how it ended, for example ``will_be_home``."""


Effect = (
    StepEntered
    | Understood
    | Say
    | Listen
    | RecordOptOut
    | Refusal
    | RecordCallback
    | SetVariable
    | Problem
    | Handoff
    | Request
    | Hangup
)
