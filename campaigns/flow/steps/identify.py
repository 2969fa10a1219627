"""identify: says who calls, for whom, and that it is a robot; asks nothing.

It is one short sentence, so that it can be rendered before the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.flow.findings import Finding, Severity
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import Move, Next
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn
from campaigns.flow.variables import KEY_VARIABLES
from campaigns.understanding.normal import fold

BUSINESS = "business"
"""The variable that names the business, in every flow."""
ROBOT_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "automated",
        "automatic",
        "robot",
        "virtual assistant",
        "computer",
        "artificial",
        "ai assistant",
        "recorded",
    ),
    "zh": ("自动", "机器人", "智能", "语音助手", "人工智能", "录音", "虚拟"),
}
"""Words that tell a customer they are not talking with a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(Step):
    """Who calls."""

    type: ClassVar[str] = "identify"
    say: Prompt
    then: str

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Identify:
        """Read ``say`` and ``then``."""
        return cls(name=name, say=reader.prompt("say") or Prompt(), then=reader.text("then"))

    def enter(self, turn: Turn) -> Move:
        """Say it and go on."""
        turn.say(self.say)
        return Next(step=self.then)

    def exits(self) -> tuple[Exit, ...]:
        """One way on."""
        return (Exit(label="then", to=self.then),)

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        return {"say": self.say}

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """Business and robot must be named in every language, and nothing of one customer's."""
        findings = []
        for language, template in self.say.texts.items():
            if BUSINESS not in template.names:
                findings.append(
                    self._finding(
                        flow,
                        "no_identification",
                        f"say.{language} does not name the business.",
                        f"Put {{{{{BUSINESS}}}}} in it.",
                    )
                )
            words = ROBOT_WORDS.get(language, ())
            if words and not any(word in fold(template.source) for word in words):
                findings.append(
                    self._finding(
                        flow,
                        "no_robot",
                        f"say.{language} does not say that a robot is calling.",
                        f"Use one of: {', '.join(words)}.",
                    )
                )
            findings += self._own_to_one(flow, language, template.names)
        return tuple(findings)

    def _own_to_one(self, flow: Flow, language: str, names: frozenset[str]) -> list[Finding]:
        static = {name for name, variable in flow.variables.items() if variable.per == "campaign"} | {*KEY_VARIABLES}
        own = sorted(names & flow.variables.keys() - static)
        if not own:
            return []
        message = f"say.{language} needs {', '.join(own)}, so it cannot be rendered before the call."
        remedy = "Say it in the next step, or declare the variable with per: campaign."
        return [self._finding(flow, "opening_not_static", message, remedy, Severity.WARNING)]

    def _finding(
        self, flow: Flow, code: str, message: str, remedy: str, severity: Severity = Severity.ERROR
    ) -> Finding:
        return Finding(file=flow.source, step=self.name, code=code, message=message, remedy=remedy, severity=severity)


STEP = Identify
