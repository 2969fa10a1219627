"""branch: goes one way or another by a value; it says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from campaigns.flow.findings import Finding, nearest
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import Move, Next
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn
from campaigns.understanding.normal import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One condition; all that it names must hold."""

    values: tuple[str, ...] = ()
    """The value is one of these, whatever its case."""
    at_least: float | None = None
    below: float | None = None
    given: bool | None = None
    """Whether there is a value at all."""
    then: str

    def holds(self, value: str) -> bool:
        """Whether ``value`` meets the condition."""
        if self.given is not None and bool(value.strip()) is not self.given:
            return False
        if self.values and fold(value.strip()) not in {fold(known) for known in self.values}:
            return False
        if self.at_least is None and self.below is None:
            return True
        number = _number(value)
        if number is None or (self.at_least is not None and number < self.at_least):
            return False
        return self.below is None or number < self.below


def _number(value: str) -> float | None:
    """The number in ``49.90 USD``; ``None`` when there is none."""
    figures = "".join(
        character for character in value if character.isascii() and (character.isdigit() or character in ".-")
    )
    try:
        return float(Decimal(figures))
    except InvalidOperation:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Step):
    """A parting of ways."""

    type: ClassVar[str] = "branch"
    variable: str
    cases: tuple[Case, ...]
    otherwise: str

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Branch:
        """Read ``variable``, ``cases`` and ``otherwise``."""
        cases = []
        for item in reader.items("cases"):
            case = Case(
                values=item.words("is"),
                at_least=_limit(item, "at_least"),
                below=_limit(item, "below"),
                given=None if item.take("given") is None else item.flag("given", True),
                then=item.text("then"),
            )
            if not case.values and case.at_least is None and case.below is None and case.given is None:
                item.wrong("missing", f"{item.at} has no condition.", "Add is, at_least, below or given.")
            item.done()
            cases.append(case)
        if not cases:
            reader.wrong("missing", "cases is missing.", "Add cases: [{is: …, then: …}].")
        return cls(
            name=name,
            variable=reader.text("variable", required=True),
            cases=tuple(cases),
            otherwise=reader.text("otherwise"),
        )

    def enter(self, turn: Turn) -> Move:
        """Take the first case that holds."""
        value = turn.values.get(self.variable, "")
        return Next(step=next((case.then for case in self.cases if case.holds(value)), self.otherwise))

    def exits(self) -> tuple[Exit, ...]:
        """Every case, and otherwise."""
        cases = (Exit(label=f"cases[{number}].then", to=case.then) for number, case in enumerate(self.cases))
        return (*cases, Exit(label="otherwise", to=self.otherwise))

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """The variable must exist somewhere."""
        if self.variable in flow.kinds:
            return ()
        message = f"There is no variable {self.variable!r}."
        remedy = nearest(self.variable, flow.kinds)
        return (Finding(file=flow.source, step=self.name, code="unknown_variable", message=message, remedy=remedy),)


def _limit(item: Reader, key: str) -> float | None:
    return None if item.take(key) is None else item.number(key, 0.0, least=-1e12, most=1e12)


STEP = Branch
