"""The lint of rule packs: what can be read and still protects nobody, or not as it was meant.

It has no clock and no holidays: whoever asks names the day, and the countries whose holidays can be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from campaigns.flow.findings import Severity
from campaigns.rules.model import CHANNELS, CONSENT_RANK, EVERYWHERE, AbandonmentLimit, Cap, Rule, RulePack
from campaigns.rules.windows import WHOLE_DAY

SOLD = "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with the packs, and what to do about it."""

    severity: Severity
    """An error is never put in force."""
    pack: str
    rule: str
    """Empty when it concerns the whole pack."""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.pack}#{self.rule}" if self.rule else self.pack
        return f"{where}: {self.severity}: {self.message}; {self.remedy}"


def lint(
    packs: Sequence[RulePack], *, today: date | None = None, holiday_countries: Collection[str] | None = None
) -> list[Finding]:
    """Everything that is wrong with ``packs`` as a whole, errors first.

    Without ``today`` nothing is said of dates, without ``holiday_countries`` (``FR``; what can be looked up) nothing of
    countries.
    """
    checks: tuple[Callable[[RulePack], Iterator[Finding]], ...] = (
        _forbids_nothing,
        _limits_nothing,
        _hard_registers,
        _needless_holidays,
        _wording,
        partial(_unknown_countries, known=holiday_countries),
        partial(_not_yet, today=today),
        partial(_overdue, today=today),
    )
    found = [finding for pack in packs for check in checks for finding in check(pack)]
    found += [*_gaps(packs), *_shared_jurisdictions(packs)]
    return sorted(found, key=lambda finding: (finding.severity is Severity.WARNING, finding.pack, finding.rule))


def rules_of(pack: RulePack) -> tuple[Rule, ...]:
    """Every rule of a pack that may forbid or limit something, and what is to be said, in the order of their kinds."""
    return (
        *pack.hours,
        *pack.consents,
        *pack.caps,
        *pack.bans,
        *pack.refusals,
        *pack.registers,
        *pack.guards,
        *pack.abandonment,
        *pack.disclosures,
        *pack.recordings,
    )


def is_national(pack: RulePack) -> bool:
    """Whether it answers for countries by itself: it names some, and gives them hours."""
    return bool(pack.hours) and any("-" not in code and code != EVERYWHERE for code in pack.jurisdictions)


def _gaps(packs: Sequence[RulePack]) -> Iterator[Finding]:
    """Packs that answer for a country take it from the default, so together they must say all that the default says."""
    countries = sorted({code for pack in packs if is_national(pack) for code in pack.jurisdictions if "-" not in code})
    places = {code: [pack for pack in packs if code in pack.jurisdictions] for code in countries}
    places["countries without a pack"] = [pack for pack in packs if not pack.jurisdictions]
    told: set[tuple[str, str, str]] = set()
    for place, group in places.items():
        lead = next((pack.name for pack in group if pack.hours), "default")
        for channel in CHANNELS:
            for what, key in (("hours", "hours"), ("consent", "consents")):
                rules: list[Rule] = [rule for pack in group for rule in getattr(pack, key)]
                if (lead, channel, key) in told or any(_speaks_for_good(rule, channel) for rule in rules):
                    continue
                told.add((lead, channel, key))
                message = f"there is no {what} for {SOLD} by {channel} in {place}"
                remedy = f"add [[{key}]]; where no law was found write what is cautious, with mark H"
                yield Finding(severity=Severity.ERROR, pack=lead, rule="", message=message, remedy=remedy)


def _speaks_for_good(rule: Rule, channel: str) -> bool:
    return rule.covers(SOLD, channel) and rule.until_day is None


def _forbids_nothing(pack: RulePack) -> Iterator[Finding]:
    for hours in pack.hours:
        week = (hours.open_on((hours.from_day or 1) + ahead) == WHOLE_DAY for ahead in range(1, 8))
        if not hours.needs_calendar and not any(window.special for window in hours.windows) and all(week):
            yield _warning(pack, hours.cite, "it is open all the week", "write the hours that are meant, or remove it")
    for consent in pack.consents:
        if not CONSENT_RANK[consent.needs]:
            yield _warning(pack, consent.cite, "it asks for no consent", "write what it needs, or remove it")
    for cap in pack.caps:
        for other in pack.caps:
            if other is not cap and _fills_first(other, cap):
                message = f"it forbids nothing that {other.cite.partition('#')[2]} does not forbid before"
                yield _warning(pack, cap.cite, message, "correct its attempts or period, or remove it")


def _fills_first(other: Cap, cap: Cap) -> bool:
    """Whether ``other``, a rolling cap over every attempt, always leaves less than ``cap``, another one, would."""
    return (
        other.period_s is not None
        and cap.period_s is not None
        and other.attempts <= cap.attempts
        and other.period_s >= cap.period_s
        and other.purposes >= cap.purposes
        and other.channels >= cap.channels
        and (other.scope, other.outcomes, other.unless_consent) == ("number", frozenset(), "")
        and (other.from_day, other.until_day) == (cap.from_day, None)
    )


def _limits_nothing(pack: RulePack) -> Iterator[Finding]:
    for limit in pack.abandonment:
        if limit.share == 1:
            yield _warning(pack, limit.cite, "it lets every call be abandoned", "write the share meant, or remove it")
        for other in pack.abandonment:
            if other is not limit and _is_reached_first(other, limit):
                message = f"it limits nothing that {other.cite.partition('#')[2]} does not limit before"
                yield _warning(pack, limit.cite, message, "correct its share or period, or remove it")


def _is_reached_first(other: AbandonmentLimit, limit: AbandonmentLimit) -> bool:
    """Whether ``other`` is reached before ``limit``, whatever is measured: over periods that differ nobody knows."""
    return (
        (other.share == 0 or other.period_s == limit.period_s)
        and other.share < limit.share
        and other.purposes >= limit.purposes
        and (other.from_day, other.until_day) == (limit.from_day, None)
    )


def _hard_registers(pack: RulePack) -> Iterator[Finding]:
    for register in pack.registers:
        if not register.lifted_by:
            remedy = "write lifted_by, if the law lets recorded consent go before the register"
            yield _warning(pack, register.cite, "no consent makes consulting the register needless", remedy)


def _needless_holidays(pack: RulePack) -> Iterator[Finding]:
    if pack.holidays is not None and not any(rule.needs_calendar for rule in pack.hours):
        yield _warning(pack, "", "it has [holidays], but no hours that speak of them", "add closed_on, or remove it")


def _wording(pack: RulePack) -> Iterator[Finding]:
    if is_national(pack) and ("en" not in pack.opt_out.wording or not pack.opt_out.words):
        remedy = "add words and wording.en to [opt_out]"
        yield _warning(pack, "", "it does not say how customers are told to stop, nor by which words", remedy)


def _unknown_countries(pack: RulePack, known: Collection[str] | None) -> Iterator[Finding]:
    if known is None or pack.holidays is None:
        return
    country = pack.holidays.country.partition("-")[0]
    if country not in known:
        remedy = "correct the country of [holidays]; until then nobody there is reached"
        yield _error(pack, "", f"no holidays can be looked up for {country!r}", remedy)


def _not_yet(pack: RulePack, today: date | None) -> Iterator[Finding]:
    if today is None:
        return
    for rule in rules_of(pack):
        if rule.from_day is not None and rule.from_day > today.toordinal():
            begins = date.fromordinal(rule.from_day)
            yield _warning(pack, rule.cite, f"it holds only from {begins} on", "if it is law already, correct 'from'")


def _overdue(pack: RulePack, today: date | None) -> Iterator[Finding]:
    if today is None:
        return
    for rule in rules_of(pack):
        if rule.until_day is not None and rule.until_day <= today.toordinal():
            ended = date.fromordinal(rule.until_day)
            yield _warning(pack, rule.cite, f"it has not held since {ended}", "keep it for old receipts, or remove it")


def _shared_jurisdictions(packs: Sequence[RulePack]) -> Iterator[Finding]:
    """Two packs for one country are both obeyed, which is seldom what somebody meant who wrote a new one."""
    seen: dict[str, str] = {}
    for pack in packs:
        for code in pack.jurisdictions if pack.hours else ():
            if code != EVERYWHERE and code in seen:
                remedy = f"give it that name to replace the other, or keep both: {code} then obeys the stricter"
                yield _warning(pack, "", f"{code} has hours in the pack {seen[code]!r} too", remedy)
            seen.setdefault(code, pack.name)


def _error(pack: RulePack, cite: str, message: str, remedy: str) -> Finding:
    return _finding(Severity.ERROR, pack, cite, message, remedy)


def _warning(pack: RulePack, cite: str, message: str, remedy: str) -> Finding:
    return _finding(Severity.WARNING, pack, cite, message, remedy)


def _finding(severity: Severity, pack: RulePack, cite: str, message: str, remedy: str) -> Finding:
    rule = cite.partition("#")[2]
    return Finding(severity=severity, pack=pack.name, rule=rule, message=message, remedy=remedy)
