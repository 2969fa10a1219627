"""hangup: says goodbye and ends the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow.model import Step
from campaigns.flow.moves import End, Move
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn

ALLOWED = (
    Disposition.ACCEPTED,
    Disposition.DECLINED,
    Disposition.INFORMED,
    Disposition.NO_RESPONSE,
    Disposition.WRONG_PERSON,
    Disposition.CALLBACK_BOOKED,
)
"""Dispositions that a flow may give; the others are not its to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup(Step):
    """The end."""

    type: ClassVar[str] = "hangup"
    ends: ClassVar[bool] = True
    say: Prompt | None = None
    disposition: Disposition | None = None
    """What to end with; without it, what was settled on the way, else ``informed``."""
    outcome: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Hangup:
        """Read ``say``, ``disposition`` and ``outcome``; each may be left out."""
        return cls(
            name=name,
            say=reader.prompt("say"),
            disposition=reader.disposition("disposition", ALLOWED),
            outcome=reader.identifier("outcome"),
        )

    def enter(self, turn: Turn) -> Move:
        """Say goodbye and hang up; silence after an understood answer is no lack of response."""
        turn.say(self.say)
        if self.disposition is Disposition.NO_RESPONSE and turn.state.settled:
            return End(outcome=turn.state.outcome)
        return End(disposition=self.disposition, outcome=self.outcome)

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        return {"say": self.say} if self.say else {}


STEP = Hangup
