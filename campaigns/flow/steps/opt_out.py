"""opt_out: records that the customer must not be called again, says so once, and ends the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow.effects import RecordOptOut
from campaigns.flow.model import Step
from campaigns.flow.moves import End, Move
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(Step):
    """Never again. Recorded before a word is said; nothing is asked (47 CFR 64.1200(b)(3))."""

    type: ClassVar[str] = "opt_out"
    ends: ClassVar[bool] = True
    say: Prompt | None = None
    scope: str = "all"

    @classmethod
    def parse(cls, reader: Reader, name: str) -> OptOut:
        """Read ``say`` (the confirmation) and ``scope``; each may be left out."""
        return cls(name=name, say=reader.prompt("say"), scope=reader.one_of("scope", {"all", "purpose"}, "all"))

    def enter(self, turn: Turn) -> Move:
        """Record, confirm, hang up."""
        turn.effects.append(RecordOptOut(words=turn.state.words, scope=self.scope))
        turn.settle(Disposition.OPTED_OUT)
        turn.change(opted_out=True, opt_out_scope=self.scope, wish="")
        turn.say(self.say or turn.flow.words("opt_out"))
        return End(disposition=Disposition.OPTED_OUT, outcome="opted_out")

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        return {"say": self.say} if self.say else {}


STEP = OptOut
