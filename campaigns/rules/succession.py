"""What a rule pack takes away from the one that it follows: a typing error there would be a call at 3 a.m."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.flow.findings import Severity
from campaigns.rules.lint import Finding
from campaigns.rules.model import CHANNELS, PURPOSES, Rule, RulePack

KINDS = {
    "hours": "hours",
    "consents": "consent",
    "caps": "caps",
    "bans": "bans",
    "refusals": "bars after a refusal",
    "registers": "registers",
    "abandonment": "limit of abandoned calls",
}
"""Lists of rules that may forbid something, and what they are called."""


def losses(older: RulePack, newer: RulePack, *, today: int) -> Iterator[Finding]:
    """Places, and kinds of rule for a purpose on a channel, that ``older`` has and ``newer`` lacks on its first day.

    ``today`` is a day number (``date.toordinal``): of a pack that began before, what holds today counts.
    """
    lost = sorted(set(older.jurisdictions) - set(newer.jurisdictions))
    if lost:
        yield _lost(newer, f"it no longer speaks for {', '.join(lost)}", "name them in jurisdictions")
    day = max(newer.effective_from.toordinal(), today)
    for key, called in KINDS.items():
        missing = _covered(getattr(older, key), day) - _covered(getattr(newer, key), day)
        for purpose, channel in sorted(missing):
            what = f"it has no {called} for {purpose} by {channel}, which {older.id} has"
            yield _lost(newer, what, f"add [[{key}]]")


def _covered(rules: tuple[Rule, ...], day: int) -> set[tuple[str, str]]:
    held = [rule for rule in rules if rule.holds_on(day)]
    return {
        (purpose, channel)
        for purpose in PURPOSES
        for channel in CHANNELS
        if any(rule.covers(purpose, channel) for rule in held)
    }


def _lost(pack: RulePack, message: str, remedy: str) -> Finding:
    return Finding(
        severity=Severity.ERROR, pack=pack.name, rule="", message=message, remedy=f"{remedy}, or say that you mean it"
    )
