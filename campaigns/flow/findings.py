"""What is wrong with a call flow or with what it was given, in words an author can act on.

It judges nothing itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: an error refuses the flow."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where, and what to do about it."""

    file: str
    step: str
    """Empty when the finding concerns the whole flow."""
    code: str
    """Stable, for machines."""
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.file}: step {self.step}" if self.step else self.file
        return f"{where}: {self.message} {self.remedy} [{self.code}]"


class FlowError(Exception):
    """A call flow, or what it was given, is refused; ``findings`` says all that is wrong."""

    code = "flow_invalid"
    retryable = False

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that offers what was probably meant, else all that there is."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"There is {', '.join(known)}." if known else "There is none."
