"""What a verification found, in words for whoever has to act on it; it looks at nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

LISTED = 1000
"""Findings that are kept; the rest is counted, so that a ruined chain does not fill the memory."""
INVESTIGATE = (
    "somebody changed the database from outside; keep a copy of it as it is, and compare this receipt with a backup"
)
RESTORE = "keep a copy of the database as it is, and look for what is missing in a backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it was written."""

    day: str
    """Empty where it is no day's."""
    seq: int | None
    what: str
    remedy: str = INVESTIGATE

    def line(self) -> str:
        """The finding as one line."""
        where = f"{self.day or 'all days'}{'' if self.seq is None else f' #{self.seq}'}"
        return f"{where}: {self.what}"


@dataclass(slots=True, kw_only=True)
class Report:
    """The result of a verification."""

    receipts: int = 0
    days: int = 0
    erased: int = 0
    """Receipts whose personal data was erased."""
    before_chain: int = 0
    """Receipts of a version that did not chain them yet; nothing can be said about those."""
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    """Findings beyond the first 1,000."""

    @property
    def unbroken(self) -> bool:
        """Whether everything is as it was written."""
        return not self.findings

    def add(self, day: str, seq: int | None, what: str, remedy: str = INVESTIGATE) -> None:
        """Keep a finding."""
        if len(self.findings) < LISTED:
            self.findings.append(Finding(day=day, seq=seq, what=what, remedy=remedy))
        else:
            self.unlisted += 1

    def summary(self) -> str:
        """The result as one line."""
        counted = f"{self.receipts:,} receipts over {self.days:,} days"
        state = "unbroken" if self.unbroken else f"BROKEN: {len(self.findings) + self.unlisted:,} findings"
        before = f"; {self.before_chain:,} from before the chain are not covered" if self.before_chain else ""
        return f"{counted}, {state}; {self.erased:,} erased{before}"
