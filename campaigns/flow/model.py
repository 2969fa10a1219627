"""A call flow as a value: its steps, variables, keys and sentences.

It reads no documents and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from campaigns.flow.findings import Finding
from campaigns.flow.moves import End, Move
from campaigns.flow.prompt import Prompt
from campaigns.flow.variables import Variable
from campaigns.flow.wording import wording

if TYPE_CHECKING:
    from campaigns.flow.inputs import Input
    from campaigns.flow.reading import Reader
    from campaigns.flow.turn import Turn
    from campaigns.understanding.matcher import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one call brings to a flow."""

    variables: Mapping[str, str]
    """Campaign and contact variables together."""
    language: str
    """Primary tag; a flow without it speaks its own first language."""
    now: datetime
    """Aware."""
    zone: str
    """IANA zone of the customer: times are spoken and understood in it."""
    can_hand_off: bool = True
    """Whether an agent may be rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A way from a step to another."""

    label: str
    """Where the document names it, for example ``answers.yes.then``."""
    to: str
    """Empty when the document names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Base of all step types: parse, enter, resume; everything else is there for the lint."""

    type: ClassVar[str]
    waits: ClassVar[bool] = False
    """Whether it always listens before it goes on."""
    takes_values: ClassVar[bool] = False
    """Whether an answer is a value (a number, a time) rather than one of several meanings."""
    ends: ClassVar[bool] = False
    """Whether it may end the conversation by itself."""
    speaks: ClassVar[bool] = False
    """Whether it says something even where no prompt is written: one of the built-in sentences."""
    name: str

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Step:
        """Read the step from its mapping; what is wrong is noted in the reader."""
        raise TypeError(f"{cls.__name__} cannot be read")

    def enter(self, turn: Turn) -> Move:
        """Begin the step."""
        return End()

    def resume(self, turn: Turn, event: Input) -> Move:
        """Take an input that the engine did not take itself."""
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Wait as before, without saying anything."""
        return End()

    def afterthought(self, turn: Turn) -> Move | None:
        """Take words said during the goodbye; ``None`` when they change nothing."""
        return None

    def refused_by(self, matches: Sequence[Match]) -> bool:
        """Whether these words refuse what the step offers."""
        return False

    def claimed(self, turn: Turn, matches: Sequence[Match]) -> frozenset[str]:
        """Intents taken at any time that these words do not mean here, because the step listens for the very words."""
        return frozenset()

    def takes(self, turn: Turn) -> bool:
        """Whether the customer's words are one of the step's own answers."""
        return False

    def expected(self) -> frozenset[str]:
        """Intents and ``digit:N`` that the step asks for, and takes itself."""
        return frozenset()

    def exits(self) -> tuple[Exit, ...]:
        """Ways to other steps."""
        return ()

    def prompts(self) -> Mapping[str, Prompt]:
        """Everything it may say itself, by key."""
        return {}

    def assigns(self) -> Mapping[str, str]:
        """Variables it sets -> how they are said."""
        return {}

    def choices(self, language: str) -> Mapping[str, str]:
        """Its answers by name, each with an example that it takes for that answer."""
        return {}

    def asks(self) -> str:
        """The system of the business that it asks; empty for none."""
        return ""

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """Findings that only this type of step can have."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys that work at any time; empty when there is none."""

    opt_out: str = "9"
    agent: str = "0"
    language: str = ""

    def taken(self) -> Mapping[str, str]:
        """Key -> what it does."""
        named = {"opt_out": self.opt_out, "agent": self.agent, "language": self.language}
        return {key: name for name, key in named.items() if key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voicemail:
    """What to do with an answering machine."""

    leave: Prompt | None = None
    """The message; ``None`` to hang up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faq:
    """A question that customers ask, and its answer."""

    ask: Mapping[str, tuple[str, ...]]
    """Language -> examples of how it is asked; it is known by meaning."""
    say: Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A call flow."""

    name: str
    title: str
    source: str
    """File name, for findings."""
    languages: tuple[str, ...]
    variables: Mapping[str, Variable]
    start: str
    steps: Mapping[str, Step]
    anytime: Mapping[str, str]
    """``opt_out``, ``agent``, ``call_later`` -> step, where there is one."""
    keys: Keys = field(default_factory=Keys)
    voicemail: Voicemail | None = None
    wordings: Mapping[str, Prompt] = field(default_factory=dict)
    """Sentences said in place of the built-in ones."""
    faq: Mapping[str, Faq] = field(default_factory=dict)
    """Questions that are answered at any step."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Variable -> how it is said where a prompt names no filter."""

    @property
    def required(self) -> tuple[str, ...]:
        """Variables that campaign or contact must supply."""
        return tuple(name for name, variable in self.variables.items() if variable.default is None)

    @property
    def systems(self) -> tuple[str, ...]:
        """Systems of the business that its steps ask."""
        return tuple(dict.fromkeys(name for step in self.steps.values() if (name := step.asks())))

    def words(self, key: str) -> Prompt:
        """A sentence of the flow's own, else the built-in one."""
        return self.wordings.get(key) or wording(key)

    def plain_words(self, key: str, language: str) -> str:
        """The same as text that can be spoken at any time: the built-in sentence where the flow's own has variables."""
        templates = (prompt.template(language) for prompt in (self.words(key), wording(key)))
        return next((template.source for template in templates if template is not None and not template.names), "")
