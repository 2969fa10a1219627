"""set: keeps values, made from templates, for later steps and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from campaigns.flow.model import Exit, Step
from campaigns.flow.moves import Move, Next
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import IDENTIFIER, Reader
from campaigns.flow.template import Template, TemplateError
from campaigns.flow.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Step):
    """Values to keep."""

    type: ClassVar[str] = "set"
    values: Mapping[str, Template] = field(default_factory=dict)
    then: str

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Set:
        """Read ``values`` (name -> template) and ``then``."""
        values = reader.pairs("values", reader.compiled)
        for variable in values:
            if not IDENTIFIER.fullmatch(variable):
                reader.wrong("bad_name", f"values.{variable} is no name.", "Use a-z, 0-9 and _.")
        if not values:
            reader.wrong("missing", "values is missing.", "Add values: {name: text}.")
        return cls(name=name, values=values, then=reader.text("then"))

    def enter(self, turn: Turn) -> Move:
        """Keep the values and go on."""
        for name, template in self.values.items():
            try:
                turn.assign(name, turn.render(template))
            except TemplateError as error:
                turn.problem(str(error))
                turn.assign(name, "")
        return Next(step=self.then)

    def exits(self) -> tuple[Exit, ...]:
        """One way on."""
        return (Exit(label="then", to=self.then),)

    def prompts(self) -> Mapping[str, Prompt]:
        """Its templates, so that their variables are checked; nothing of it is spoken."""
        return {f"values.{name}": Prompt(texts={"*": template}) for name, template in self.values.items()}

    def assigns(self) -> Mapping[str, str]:
        """The names it keeps."""
        return dict.fromkeys(self.values, "text")


STEP = Set
