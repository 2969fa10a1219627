"""Where a conversation stands, between two inputs: plain data that can be written down as JSON and read again.

It does not change itself; the engine makes a new one for every input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One conversation between two inputs."""

    flow: str
    """Name of the flow."""
    step: str = ""
    """The step that waits, or that hung up."""
    phase: str = ""
    """Where inside the step, in the step's own words."""
    language: str
    zone: str
    """IANA zone of the customer."""
    now: str
    """The latest instant known, RFC 3339 in the customer's zone."""
    can_hand_off: bool = True
    values: Mapping[str, str] = field(default_factory=dict)
    """Variables given and collected."""
    no_inputs: int = 0
    """Silences in this step."""
    no_matches: int = 0
    """Answers in this step that nobody could make out."""
    turns: int = 0
    """Inputs so far."""
    understood: int = 0
    """Inputs that only somebody can have meant: with one of them it is no answering machine."""
    question: tuple[str, ...] = ()
    """What was said to come to the present question, to be said again when the customer asks for it."""
    batch: tuple[str, ...] = ()
    """Everything that the last effects say, in order."""
    unsure: str = ""
    """What the customer was asked to confirm ("did you say …?"), while that is not answered."""
    words: str = ""
    """The customer's last words or digits."""
    wish: str = ""
    """Words with which the customer asked for a callback or for a person, while neither is settled."""
    settled: str = ""
    """The disposition as far as it is settled."""
    outcome: str = ""
    opted_out: bool = False
    opt_out_scope: str = ""
    """What the recorded opt-out covers, ``all`` or ``purpose``; empty as long as there is none."""
    refused: bool = False
    """Whether the customer refused the offer; it is told once."""
    slow: bool = False
    """Whether the customer asked to be spoken to more slowly."""
    screened: bool = False
    """Whether a screening assistant was told who calls, and nobody came yet."""
    transferring: bool = False
    awaiting: str = ""
    """Key of the request whose reply is awaited."""
    requests: int = 0
    """Requests so far."""
    ended: bool = False
    """Whether the last effects ended with a hangup."""

    @property
    def elsewhere(self) -> bool:
        """Whether the call waits for somebody else than the customer."""
        return self.transferring or bool(self.awaiting)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> State:
        """Read what :meth:`to_dict` gave, also after a way through JSON."""
        known = {field_.name for field_ in fields(cls)}
        tuples = {name: tuple(data[name]) for name in ("question", "batch") if name in data}
        return cls(**{name: value for name, value in data.items() if name in known} | tuples)
