"""On which days a rule is in force where the contact may be."""

from __future__ import annotations

from campaigns.gate.clock import EPOCH_DAY, local_day, next_midnight
from campaigns.gate.facts import INFINITY, Question, Zone
from campaigns.rules.model import Rule


def in_force(rule: Rule, question: Question, at: float) -> Zone | None:
    """A zone of the contact in which the rule is in force at ``at``."""
    if rule.until_day is None and (rule.from_day is None or long_past(rule.from_day, at)):
        return question.zones[0]
    for zone in question.zones:
        if rule.holds_on(local_day(zone, at)):
            return zone
    return None


def end_of_rule(rule: Rule, zone: Zone, at: float) -> float:
    """No later than the instant at which a rule in force ends: the next midnight, or never."""
    return INFINITY if rule.until_day is None else next_midnight(zone, at)


def long_past(day: int, at: float) -> bool:
    """Whether a local day has begun in every zone of the world, without asking any."""
    return day < at // 86400 + EPOCH_DAY - 1
