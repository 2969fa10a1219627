"""handoff: connects the customer with a human agent; goes otherwise when nobody can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow.inputs import HandoffEnded, Input
from campaigns.flow.model import Exit, Step
from campaigns.flow.moves import End, Move, Next, Transfer
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.template import Template, TemplateError
from campaigns.flow.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(Step):
    """To a person."""

    type: ClassVar[str] = "handoff"
    ends: ClassVar[bool] = True
    speaks: ClassVar[bool] = True
    say: Prompt | None = None
    sorry: Prompt | None = None
    """Said when nobody is free."""
    queue: str = "default"
    summary: Template | None = None
    """For the agent's eyes."""
    otherwise: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Handoff:
        """Read ``say``, ``sorry``, ``queue``, ``summary`` and ``otherwise``."""
        return cls(
            name=name,
            say=reader.prompt("say"),
            sorry=reader.prompt("sorry"),
            queue=reader.text("queue", "default"),
            summary=reader.template("summary"),
            otherwise=reader.text("otherwise"),
        )

    def enter(self, turn: Turn) -> Move:
        """Ring an agent, unless it is known that nobody can be had."""
        if not turn.state.can_hand_off:
            return self._nobody(turn)
        turn.say(self.say or turn.flow.words("handoff"))
        return self.again(turn)

    def resume(self, turn: Turn, event: Input) -> Move:
        """The handoff is over: the call too, or go otherwise."""
        if not isinstance(event, HandoffEnded):
            return self.again(turn)
        if event.connected:
            turn.change(wish="")
            return End(disposition=Disposition.HANDED_OFF)
        turn.problem(f"Nobody took the handoff: {event.reason or 'no reason given'}.")
        turn.change(can_hand_off=False)
        return self._nobody(turn)

    def again(self, turn: Turn) -> Move:
        """Ring on."""
        return Transfer(queue=self.queue, summary=self._summary(turn))

    def exits(self) -> tuple[Exit, ...]:
        """The way when nobody is free."""
        return (Exit(label="otherwise", to=self.otherwise),)

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        named = {"say": self.say, "sorry": self.sorry}
        named["summary"] = Prompt(texts={"*": self.summary}) if self.summary else None
        return {key: prompt for key, prompt in named.items() if prompt is not None}

    def _nobody(self, turn: Turn) -> Move:
        turn.change(wish=turn.state.words, transferring=False)
        turn.say(self.sorry or turn.flow.words("no_agent"))
        return Next(step=self.otherwise)

    def _summary(self, turn: Turn) -> str:
        if self.summary is not None:
            try:
                return turn.render(self.summary)
            except TemplateError as error:
                turn.problem(str(error))
        said = f' The customer said: "{turn.state.words}".' if turn.state.words else ""
        return f"{turn.flow.title or turn.flow.name}, in {turn.state.language}.{said}"


STEP = Handoff
