"""What stands in the way of reaching somebody, and until when."""

from __future__ import annotations

from typing import NamedTuple

from campaigns.gate.facts import INFINITY
from campaigns.rules.model import Rule


class Obstacle(NamedTuple):
    """One reason not to. A tuple, because very many are made while the next permitted instant is looked for."""

    code: str
    reason: str
    rule: str
    source: str = ""
    mark: str = ""
    until: float = INFINITY
    """Not later than the first instant at which it stands in the way no more; infinity: it will for good."""


def obstacle(rule: Rule, code: str, reason: str, until: float) -> Obstacle:
    """What a rule of a pack forbids."""
    return Obstacle(code, reason, rule.cite, rule.source, rule.mark, until)


def unknown(code: str, reason: str, until: float = INFINITY) -> Obstacle:
    """What the house forbids because it knows too little."""
    return Obstacle(code, reason, "house", "what is not known to be permitted is refused", "H", until)
