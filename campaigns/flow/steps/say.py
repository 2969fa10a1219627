"""say: tells something and goes on; it asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow.model import Exit, Step
from campaigns.flow.moves import Move, Next
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn

SETTLED = (Disposition.ACCEPTED, Disposition.DECLINED, Disposition.INFORMED, Disposition.WRONG_PERSON)
"""What a step may settle on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Step):
    """A notice."""

    type: ClassVar[str] = "say"
    say: Prompt
    then: str
    settle: Disposition | None = None
    outcome: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Say:
        """Read ``say``, ``then``, and what it settles."""
        return cls(
            name=name,
            say=reader.prompt("say") or Prompt(),
            then=reader.text("then"),
            settle=reader.disposition("settle", SETTLED),
            outcome=reader.identifier("outcome"),
        )

    def enter(self, turn: Turn) -> Move:
        """Say it and go on."""
        turn.say(self.say, question=True)
        turn.settle(self.settle, self.outcome)
        return Next(step=self.then)

    def exits(self) -> tuple[Exit, ...]:
        """One way on."""
        return (Exit(label="then", to=self.then),)

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        return {"say": self.say}


STEP = Say
