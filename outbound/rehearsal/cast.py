"""The cast of a rehearsal, read from YAML: who the customers are, how they behave and how each call should end.

It checks everything before anything starts and names file, line and remedy; it renders and rings nothing.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from campaigns.dispositions import Disposition
from outbound.api.models import Consent, Name, Slug
from outbound.errors import Invalid
from outbound.yaml_files import load_yaml

E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
User = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Keys = Annotated[str, StringConstraints(pattern=r"^[0-9*#]{1,32}$")]
Seconds = Annotated[float, Field(ge=0, le=120)]
M = TypeVar("M", bound=BaseModel)


class Shape(BaseModel):
    """Base of all shapes: unknown keys are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Patience(Shape):
    """How long a customer listens."""

    at_least_s: Seconds = 0.3
    """Of speech that must have been heard."""
    quiet_s: Seconds = 0.8
    """Of silence that means the other side has finished."""
    at_most_s: Seconds = 40.0


class Step(Shape):
    """One thing a customer does; exactly one of its keys is given."""

    listen: Patience | None = None
    """Until the other side has finished speaking."""
    hear: Seconds | None = None
    """Until the other side has spoken for so many seconds; the next step cuts in."""
    say: Words | None = None
    press: Keys | None = None
    pause: Seconds | None = None
    beep: Annotated[float, Field(gt=0.1, le=3)] | None = None
    """An answering machine's tone of so many seconds."""
    hang_up: Literal[True] | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_word(cls, value: Any) -> Any:
        """Take ``listen`` and ``hang_up`` as plain words."""
        if value == "listen":
            return {"listen": {}}
        return {"hang_up": True} if value == "hang_up" else value

    @model_validator(mode="after")
    def _one_key(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a step is exactly one of {', '.join(type(self).model_fields)}")
        return self


class Behaviour(Shape):
    """What a customer does with one call."""

    rings_s: Seconds = 0.6
    """Seconds of ringing before the reply."""
    reject: Annotated[int, Field(ge=400, le=699)] | None = None
    """Final response instead of an answer: 486 is busy, 603 declined."""
    ignore: bool = False
    """Never answer."""
    steps: list[Step] = Field(default_factory=list)
    """After the answer; at their end the customer stays on the line until the other side hangs up."""
    stay_s: Annotated[float, Field(gt=0, le=180)] = 90.0
    ends: list[Disposition] = Field(default_factory=list)
    """Dispositions that are right for this character where the cast expects nothing else; empty: any."""


class Voice(Shape):
    """Who speaks for a customer: never the robot's own voice."""

    engine: Literal["pyttsx3", "piper"] = "pyttsx3"
    voice: str = ""
    rate: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0


class Expectation(Shape):
    """How a customer should end in one campaign."""

    disposition: Disposition
    attempts: Annotated[int, Field(ge=0, le=10)] | None = None
    """Attempts that rang; not checked when left out."""
    heard: Words | None = None
    """Words that the customer must have heard, in its recording."""
    receipt: str | None = None
    """Code of the gate's refusal that must be on record."""


class Agent(Shape):
    """The human agent who takes handoffs."""

    user: User = "agent"
    name: Name
    voice: Voice = Voice()
    behaviour: str = "human_agent"
    says: dict[str, Words]
    """Words for the ``{placeholders}`` of the behaviour."""


class Customer(Shape):
    """One simulated customer."""

    number: E164
    name: Name
    voice: Voice = Voice()
    behaviour: str | list[str]
    """Behaviour of each call in order, the last one repeats; or one name for all."""
    says: dict[str, Words] = Field(default_factory=dict)
    """Words for the ``{placeholders}`` of the behaviour, beside ``{name}``."""
    variables: dict[str, str] = Field(default_factory=dict)
    """For a campaign file that brings no contacts of its own, as is ``consent``."""
    consent: Consent = Consent.NONE
    expect: dict[str, Expectation] = Field(default_factory=dict)
    """By file name of the campaign, without ``.yaml``; ``any`` for all others."""

    @property
    def behaviours(self) -> list[str]:
        """Names of the behaviours, one for each call."""
        return [self.behaviour] if isinstance(self.behaviour, str) else self.behaviour

    def expectation(self, campaign: str) -> Expectation | None:
        """Return how it should end in this campaign, or ``None`` when nothing is expected."""
        return self.expect.get(campaign, self.expect.get("any"))


class Cast(Shape):
    """Everybody who takes part."""

    behaviours: dict[Slug, Behaviour] = Field(default_factory=dict)
    """Beside the built-in ones, or instead of them."""
    agent: Agent | None = None
    customers: Annotated[list[Customer], Field(min_length=1, max_length=40)]


def built_in_behaviours() -> dict[str, Behaviour]:
    """Read the behaviours that come with the product."""
    source = resources.files("outbound.rehearsal") / "behaviours.yaml"
    with resources.as_file(source) as path:
        return load(path, _Behaviours).behaviours


class _Behaviours(Shape):
    behaviours: dict[Slug, Behaviour]


def load_cast(path: Path) -> Cast:
    """Read a cast. Raises :class:`Invalid` that names file, line and remedy."""
    cast = load(path, Cast)
    known = {**built_in_behaviours(), **cast.behaviours}
    cast = cast.model_copy(update={"behaviours": known})
    numbers = [customer.number for customer in cast.customers]
    for index, customer in enumerate(cast.customers):
        if customer.number in numbers[:index]:
            raise _wrong(path, ("customers", index, "number"), f"{customer.number} is there twice: give each its own")
        for name in customer.behaviours:
            if name not in known:
                _unknown_behaviour(path, ("customers", index, "behaviour"), name, known)
    if cast.agent is not None and cast.agent.behaviour not in known:
        _unknown_behaviour(path, ("agent", "behaviour"), cast.agent.behaviour, known)
    return cast


def load(path: Path, shape: type[M]) -> M:
    """Read one YAML file as ``shape``. Raises :class:`Invalid` that names file, line and what is wrong."""
    document = load_yaml(path)
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        problems = [_wrong(path, item["loc"], item["msg"].removeprefix("Value error, ")) for item in error.errors()]
        raise Invalid("\n".join(problem.detail for problem in problems), code="bad_file") from None


def _unknown_behaviour(path: Path, where: tuple[str | int, ...], name: str, known: dict[str, Behaviour]) -> None:
    raise _wrong(path, where, f"unknown behaviour {name!r}: use one of {', '.join(sorted(known))}")


def _wrong(path: Path, where: tuple[str | int, ...], problem: str) -> Invalid:
    field = ".".join(str(part) for part in where)
    return Invalid(f"{path.name}, line {_line(path, where)}: {field}: {problem}", code="bad_file")


def _line(path: Path, where: tuple[str | int, ...]) -> int:
    """Line of the deepest node on this way through the document, 1 for the first."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line = 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(part)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
