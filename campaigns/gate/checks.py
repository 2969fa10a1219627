"""What may stand in the way, one function each: it says so, and from when it does no more.

A check is ``(question, regime, at) -> Obstacle | None``. An obstacle's ``until`` is never later than the first instant
at which the check would be silent, so that whoever steps from obstacle to obstacle passes over no permitted instant.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from campaigns.gate.caps import attempt_cap
from campaigns.gate.clock import local_day, next_midnight, opening, stretch
from campaigns.gate.consent import begins_after, holds, spans
from campaigns.gate.facts import CODES, INFINITY, Question, Zone
from campaigns.gate.force import end_of_rule, in_force, long_past
from campaigns.gate.obstacle import Obstacle, obstacle, unknown
from campaigns.gate.regime import CAMPAIGN, Regime
from campaigns.rules.model import CHANNELS, CONSENT_RANK, PURPOSES

Check = Callable[[Question, Regime, float], Obstacle | None]
HORIZON_S = 400 * 86400
"""How far ahead a next permitted instant is looked for: a year of holidays and the longest bars, and a month more."""


def purpose_and_channel(question: Question, _: Regime, __: float) -> Obstacle | None:
    """A word that nobody knows permits nothing."""
    if question.purpose not in PURPOSES:
        return unknown(
            "purpose_unknown", f"purpose {question.purpose!r} is not known; use one of {', '.join(PURPOSES)}"
        )
    if question.channel not in CHANNELS:
        return unknown(
            "channel_unknown", f"channel {question.channel!r} is not known; use one of {', '.join(CHANNELS)}"
        )
    return None


def destination_barred(question: Question, _: Regime, __: float) -> Obstacle | None:
    """A destination that the operator's trunks are not open to: what is dear to call is a fraudster's destination."""
    if not question.barred:
        return None
    reason = "no trunk of the campaign may call that destination; allow it in the trunk's destinations"
    return Obstacle("destination_not_allowed", reason, CAMPAIGN)


def opted_out(question: Question, _: Regime, at: float) -> Obstacle | None:
    """An opt-out counts whatever its own time; only a later act of the customer's own lifts it."""
    lifting = [opt_in for opt_in in question.opt_ins if opt_in.scope.permits(question)]
    barring = [(f"register {one.name}", one.since) for one in question.house_lists]
    barring += [(f"opt-out {one.id}", one.at) for one in question.opt_outs if one.scope.bars(question)]
    for cite, since in barring:
        acts = [opt_in.at for opt_in in lifting if opt_in.at > since]
        if not any(act <= at for act in acts):
            return Obstacle("opted_out", CODES["opted_out"], cite, until=min(map(ceil, acts), default=INFINITY))
    return None


def zone_unknown(question: Question, _: Regime, __: float) -> Obstacle | None:
    """Without a zone nobody knows what time it is for the customer."""
    if question.zones:
        return None
    return unknown("zone_unknown", "the customer's time zone is not known; supply zone, or country and postcode")


def rules_unknown(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """Before the first pack is in force nothing is known to be permitted."""
    begins = regime.in_force_from
    if begins is None:
        return unknown("rules_unknown", "no rule pack applies; put one in force")
    if long_past(begins, at):
        return None
    for zone in question.zones:
        if local_day(zone, at) < begins:
            return unknown("rules_unknown", "no rule pack is in force on that day", next_midnight(zone, at))
    return None


def banned(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """What is forbidden outright."""
    for ban in regime.bans:
        zone = in_force(ban, question, at)
        if zone is not None:
            return obstacle(ban, "banned", ban.reason, end_of_rule(ban, zone, at))
    return None


def consent_missing(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """Consent of the kind, age and proof that a rule asks for."""
    for rule in regime.consents:
        zone = in_force(rule, question, at)
        needed = CONSENT_RANK.get(rule.needs, INFINITY)
        if zone is None or needed == 0:
            continue
        held = tuple(spans(question, needed, max_age_s=rule.max_age_s, proven=rule.proof))
        if any(begin <= at < end for begin, end in held):
            continue
        later = min((ceil(begin) for begin, end in held if begin > at and ceil(begin) < end), default=INFINITY)
        with_proof = " recorded with proof" if rule.proof else ""
        kind = rule.needs.replace("_", " ")
        reason = f"{question.purpose} by {question.channel} needs {kind} consent{with_proof}; supply it with its proof"
        return obstacle(rule, "consent_missing", reason, min(later, end_of_rule(rule, zone, at)))
    return None


def on_register(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """A do-not-call register must have been loaded, be fresh, and not have the number; consent may make it needless."""
    for rule in regime.registers:
        zone = in_force(rule, question, at)
        if zone is None or (rule.lifted_by and holds(question, CONSENT_RANK[rule.lifted_by], at)):
            continue
        until = end_of_rule(rule, zone, at)
        if rule.lifted_by:
            until = min(until, begins_after(question, CONSENT_RANK[rule.lifted_by], at))
        fact = question.registers.get(rule.register)
        if fact is None or fact.as_of is None:
            reason = f"register {rule.register!r} was never loaded; load it, or record the customer's consent"
            return obstacle(rule, "register_missing", reason, until)
        if fact.listed:
            return obstacle(rule, "registered", f"the number is on register {rule.register!r}", until)
        if at >= fact.as_of + rule.max_age_s:
            days = rule.max_age_s / 86400
            reason = f"register {rule.register!r} is older than {days:g} days; load a newer one"
            return obstacle(rule, "register_stale", reason, until)
    return None


def refused_before(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """After a refusal nobody asks again for so many whole local days, or ever."""
    for rule in regime.refusals:
        for refusal in question.refusals:
            zone = in_force(rule, question, at)
            if zone is None or refusal.purpose != question.purpose:
                continue
            if rule.days is None:
                until = end_of_rule(rule, zone, at)
                return obstacle(rule, "refused_before", "the customer refused and may not be asked again", until)
            for place in question.zones:
                if local_day(place, at) <= local_day(place, refusal.at) + rule.days:
                    reason = f"the customer refused less than {rule.days} days ago"
                    until = min(next_midnight(place, at), end_of_rule(rule, zone, at))
                    return obstacle(rule, "refused_before", reason, until)
    return None


def expired(question: Question, _: Regime, at: float) -> Obstacle | None:
    """The campaign's deadline."""
    end = question.campaign.expires_at
    if end is not None and at >= end:
        return Obstacle("expired", "the campaign's deadline has passed", CAMPAIGN)
    return None


def not_started(question: Question, _: Regime, at: float) -> Obstacle | None:
    """The campaign's beginning."""
    start = question.campaign.starts_at
    if start is not None and at < start:
        return Obstacle("not_started", "the campaign has not begun", CAMPAIGN, until=ceil(start))
    return None


def outside_hours(question: Question, regime: Regime, at: float) -> Obstacle | None:
    """Local hours in every zone, and still when it has rung for as long as it may."""
    guard_s = max(question.guard_s, regime.closing_s)
    open_on = regime.timetable.open_on
    for zone in question.zones:
        is_open, until = stretch(open_on, zone, at)
        if is_open and until > at + guard_s:
            continue
        first = opening(open_on, zone, at, guard_s, at + HORIZON_S)
        if first > at:
            return _closed(regime, zone, at, first, guard_s)
    return None


def budget_spent(question: Question, _: Regime, at: float) -> Obstacle | None:
    """What the campaign may spend."""
    budget = question.campaign.budget
    if budget is None or (budget.used < budget.limit and not budget.money) or at >= budget.frees_at:
        return None
    reason = f"the campaign has made {budget.used:g} of {budget.limit:g} attempts"
    if budget.money:
        reason = f"the campaign has spent {budget.used:.2f} of {budget.limit:.2f}, and another attempt may cost more"
    return Obstacle(
        "budget_spent", reason, CAMPAIGN, until=ceil(budget.frees_at) if budget.frees_at < INFINITY else INFINITY
    )


CHECKS: tuple[Check, ...] = (
    purpose_and_channel,
    opted_out,
    destination_barred,
    zone_unknown,
    rules_unknown,
    banned,
    consent_missing,
    on_register,
    refused_before,
    expired,
    not_started,
    outside_hours,
    attempt_cap,
    budget_spent,
)
"""In this order: what is for good comes before what passes."""


def _closed(regime: Regime, zone: Zone, at: float, until: float, guard_s: float) -> Obstacle:
    """Say which rule keeps it closed: the first one that does so by itself, else the campaign."""
    for rule, table in regime.law:
        is_open, end = stretch(table.open_on, zone, at)
        if not is_open or (end <= at + guard_s and opening(table.open_on, zone, at, guard_s, at + guard_s) > at):
            late = f"; it closes in {end - at:.0f} s and may ring for {guard_s:g}" if is_open else ""
            reason = f"it is outside the permitted hours in {zone.name}{late}"
            return obstacle(rule, "outside_hours", reason, until)
    reason = f"it is outside the campaign's hours in {zone.name}"
    return Obstacle("outside_campaign_windows", reason, CAMPAIGN, until=until)
