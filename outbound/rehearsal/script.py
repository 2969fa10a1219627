"""What one simulated customer does in each of its calls, as plain data for the process that is that customer.

It performs nothing and imports no engine; every sound it names is a WAV file rendered before the calls start.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Reply(StrEnum):
    """What becomes of an INVITE."""

    ANSWER = "answer"
    REJECT = "reject"
    """A final response of 300 or above, 486 by default."""
    RING = "ring"
    """180 and nothing more, until the caller gives up."""


class Deed(StrEnum):
    """One thing a customer does on the line."""

    LISTEN = "listen"
    """Wait until the other side has spoken for ``at_least_s`` and then been quiet for ``quiet_s``."""
    HEAR = "hear"
    """Wait until the other side has spoken for ``at_least_s``: what follows cuts in."""
    SAY = "say"
    PRESS = "press"
    PAUSE = "pause"
    BEEP = "beep"
    """Play a tone; what is heard afterwards is the message."""
    HANG_UP = "hang_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deed and its particulars; what a deed does not use stays empty."""

    deed: Deed
    text: str = ""
    """Words to say, or digits to press."""
    sound: str = ""
    """WAV file with those words."""
    seconds: float = 0.0
    """Of a pause or a beep."""
    at_least_s: float = 0.0
    quiet_s: float = 0.0
    at_most_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """What happens in one call."""

    reply: Reply = Reply.ANSWER
    after_s: float = 0.0
    """Seconds of ringing before the reply."""
    code: int = 486
    """Final response of a rejection."""
    acts: tuple[Act, ...] = ()
    stay_s: float = 90.0
    """Longest call; then the customer hangs up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerScript:
    """One customer: who it is, where it registers, and its calls in order; the last one repeats."""

    user: str
    exchange: str
    """``host:port`` of the exchange."""
    calls: tuple[CallScript, ...]
    tapes: str
    """Directory for the recordings."""
    log: str = ""
    """File for what goes wrong in its process; empty: where its parent writes."""
    max_calls: int = 6
    """Further calls are rejected with 486."""
    max_life_s: float = 600.0

    def call(self, ordinal: int) -> CallScript:
        """Return the script of the call with this number, 1 for the first."""
        return self.calls[min(ordinal, len(self.calls)) - 1]

    def dump(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def load_script(path: Path) -> CustomerScript:
    """Read what :meth:`CustomerScript.dump` wrote. Raises ``ValueError`` or ``TypeError`` for anything else."""
    document = json.loads(path.read_text(encoding="utf-8"))
    calls = tuple(
        CallScript(
            **{
                **call,
                "reply": Reply(call["reply"]),
                "acts": tuple(Act(**{**act, "deed": Deed(act["deed"])}) for act in call["acts"]),
            }
        )
        for call in document.pop("calls")
    )
    return CustomerScript(calls=calls, **document)
