"""The variables a call flow declares, and whether given values will do.

It fetches no values; campaign and contact supply them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.flow.filters import FILTERS, READERS
from campaigns.flow.findings import Finding
from campaigns.flow.reading import IDENTIFIER, Reader

KEY_VARIABLES = ("key_opt_out", "key_agent", "key_language")
"""Always there: the keys that work at any time, for prompts that tell the customer of them."""
CALLBACK_TIME = "callback_time"
"""Set by every step that books a callback."""
KINDS = frozenset(FILTERS) - {"default"}
_EXAMPLES = {"date": "2026-12-05", "day": "2026-12-05", "money": "49.90 USD", "time": "15:30", "window": "9:00-12:00"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value that campaign or contact supply."""

    name: str
    kind: str = "text"
    """How it is said where a prompt names no filter; one of the filters."""
    per: str = "contact"
    """``campaign`` (the same for everybody: prompts of such variables alone can be rendered ahead) or ``contact``."""
    default: str | None = None
    """Used when nothing is given; ``None`` when it must be given."""
    example: str = ""
    description: str = ""


def parse_variable(name: str, reader: Reader) -> Variable:
    """Read a declaration."""
    if not IDENTIFIER.fullmatch(name) or name in {*KEY_VARIABLES, CALLBACK_TIME}:
        remedy = "Use a-z, 0-9 and _, and none of the names that are always there."
        reader.wrong("bad_name", f"A variable cannot be called {name!r}.", remedy)
    default = reader.take("default")
    variable = Variable(
        name=name,
        kind=reader.one_of("type", KINDS, "text"),
        per=reader.one_of("per", {"campaign", "contact"}, "contact"),
        default=None if default is None else str(default),
        example=reader.text("example"),
        description=reader.text("description"),
    )
    reader.done()
    return variable


def check_values(declared: Mapping[str, Variable], values: Mapping[str, str], *, file: str) -> tuple[Finding, ...]:
    """Say which values are missing or cannot be read; names that nobody declared do no harm and are passed over."""
    findings = []
    for variable in declared.values():
        value = values.get(variable.name, "").strip()
        if not value and variable.default is None:
            message = f"The variable {variable.name!r} has no value."
            remedy = f"Give it in the campaign's or the contact's variables{_like(variable)}."
            findings.append(Finding(file=file, step="", code="variable_missing", message=message, remedy=remedy))
        elif value and variable.kind in READERS and READERS[variable.kind](value) is None:
            message = f"The variable {variable.name!r} cannot be read as {variable.kind}."
            remedy = f"Write it{_like(variable)}."
            findings.append(Finding(file=file, step="", code="variable_unreadable", message=message, remedy=remedy))
    return tuple(findings)


def _like(variable: Variable) -> str:
    example = variable.example or _EXAMPLES.get(variable.kind, "")
    return f" like {example!r}" if example else ""
