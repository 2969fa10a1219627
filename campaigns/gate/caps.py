"""How often somebody may be tried: rolling periods and calendar periods, which are different things."""

from __future__ import annotations

from datetime import date
from math import ceil

from campaigns.gate.clock import local_day, next_midnight
from campaigns.gate.consent import begins_after, holds
from campaigns.gate.facts import INFINITY, Question, Reached, Zone
from campaigns.gate.force import end_of_rule, in_force
from campaigns.gate.obstacle import Obstacle, obstacle
from campaigns.gate.regime import Regime
from campaigns.rules.model import CONSENT_RANK, Cap

_ANSWERED, _UNANSWERED = "answered", "unanswered"


def attempt_cap(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """The caps of packs and campaign, over everything that left before. A time ahead of the clock counts as well."""
    if not question.history:
        return None
    for cap in regime.caps:
        counted = [one for one in question.history if _counts(cap, one, question)]
        if len(counted) < cap.attempts or holds(question, _lifting(cap), at):
            continue
        zone = in_force(cap, question, at)
        if zone is None:
            continue
        until = _rolling(cap, cap.period_s, counted) if cap.period_s else _calendar(cap, question, counted, at)
        if at < until:
            lifts = begins_after(question, _lifting(cap), at)
            return _full(cap, min(until, lifts, end_of_rule(cap, zone, at)))
    return None


def _full(cap: Cap, until: float) -> Obstacle:
    where = " in this campaign" if cap.scope == "campaign" else ""
    reason = f"the number was tried {cap.attempts} times{where} within {_period(cap)}"
    return obstacle(cap, "attempt_cap", reason, until)


def _period(cap: Cap) -> str:
    if cap.period_s is not None:
        hours = cap.period_s / 3600
        return f"{hours:g} hours" if hours < 72 else f"{hours / 24:g} days"
    if cap.calendar_days is not None:
        return f"{cap.calendar_days} calendar days" if cap.calendar_days > 1 else "one calendar day"
    return f"one calendar {cap.calendar_unit}"


def _counts(cap: Cap, one: Reached, question: Question) -> bool:
    if one.channel not in cap.channels or (one.purpose and one.purpose not in cap.purposes):
        return False
    if cap.scope == "campaign" and one.campaign != question.campaign.id:
        return False
    return not cap.outcomes or not one.outcome or bool(cap.outcomes & _words(one))


def _words(one: Reached) -> set[str]:
    """What an outcome may be called in a cap; whether it was answered may not be known, and is then both."""
    words = {one.outcome}
    if one.answered is not False:
        words.add(_ANSWERED)
    if one.answered is not True:
        words.add(_UNANSWERED)
    return words


def _rolling(cap: Cap, period_s: float, counted: list[Reached]) -> float:
    """When enough of the attempts are older than the period."""
    newest = sorted((one.at for one in counted), reverse=True)
    return ceil(newest[cap.attempts - 1] + period_s)


def _calendar(cap: Cap, question: Question, counted: list[Reached], at: float) -> float:
    """The next midnight in a zone in which the calendar period is full; ``at`` when it is so in none."""
    for zone in question.zones:
        if sum(_same_period(cap, zone, one.at, at) for one in counted) >= cap.attempts:
            return next_midnight(zone, at)
    return at


def _same_period(cap: Cap, zone: Zone, then: float, at: float) -> bool:
    """Whether an attempt at ``then`` fell into the local calendar period that ends with the day of ``at``."""
    day, today = local_day(zone, then), local_day(zone, at)
    if cap.calendar_days is not None:
        return day > today - cap.calendar_days
    if cap.calendar_unit == "week":
        return day >= today - (today + 6) % 7
    return day >= _first_of_month(today)


def _first_of_month(ordinal: int) -> int:
    return date.fromordinal(ordinal).replace(day=1).toordinal()


def _lifting(cap: Cap) -> float:
    """Rank of the consent that lifts the cap; infinity: none does."""
    return CONSENT_RANK.get(cap.unless_consent, INFINITY)
