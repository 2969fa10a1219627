"""The gate: whether one contact may be reached now, and if not, why and from when; pure, and it fails closed.

It runs when planning, to find the next permitted instant, and again inside the intent transaction just before the
INVITE. It never reads a clock or a list: whoever asks supplies every fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from campaigns.rules import MINUTES_A_DAY, RulePack, Window

HORIZON_S = 15 * 86400
"""How far ahead a next permitted instant is looked for: two weeks hold every weekly window."""
STEP_S = 3600
PURPOSES = frozenset({"marketing", "informational", "transactional", "emergency"})
CONSENT_RANK = {"none": 0, "express": 1, "express_written": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A time zone a contact may be in."""

    name: str
    tz: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One opt-out of this number."""

    id: str
    scope: str
    """A purpose; ``all``, like any other word, covers everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything the gate looks at. Instants are UTC epoch seconds."""

    at: float
    purpose: str
    zones: tuple[Zone, ...]
    """All zones the contact may be in; every one of them must allow the call. Empty: unknown."""
    consent: str
    opt_outs: tuple[OptOut, ...]
    dialed_at: tuple[float, ...]
    """When this number was dialled before, over all campaigns."""
    campaign_windows: tuple[Window, ...] = ()
    starts_at: float | None = None
    expires_at: float | None = None
    ring_s: float = 0.0
    """The call must still be allowed when it has rung this long: a closing guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The gate's answer."""

    allowed: bool
    code: str
    """Stable: ``permitted``, ``opted_out``, ``zone_unknown``, ``consent_missing``, ``expired``, ``not_started``,
    ``outside_hours``, ``outside_campaign_windows``, ``attempt_cap``."""
    reason: str
    rule: str
    """The deciding rule with its version."""
    next_at: float | None = None
    """The earliest permitted instant as far as is known now; ``None`` when there is none."""


def decide(question: Question, pack: RulePack) -> Decision:
    """Answer whether the contact may be reached at ``question.at``; a refusal carries the next permitted instant."""
    final = _never(question, pack)
    if final is not None:
        return final
    refusal = _refusal(question, question.at, pack)
    if refusal is None:
        return Decision(
            allowed=True, code="permitted", reason="every rule allows it", rule=pack.id, next_at=question.at
        )
    code, reason, rule = refusal
    return Decision(allowed=False, code=code, reason=reason, rule=rule, next_at=_next(question, pack))


def _never(question: Question, pack: RulePack) -> Decision | None:
    """What no waiting can change."""

    def refuse(code: str, reason: str, rule: str) -> Decision:
        return Decision(allowed=False, code=code, reason=reason, rule=rule)

    for opt_out in question.opt_outs:
        if opt_out.scope == question.purpose or opt_out.scope not in PURPOSES:
            return refuse("opted_out", "the customer asked not to be called", f"opt-out {opt_out.id}")
    if question.purpose not in PURPOSES:
        return refuse("purpose_unknown", f"purpose {question.purpose!r} is unknown", "house")
    if not question.zones:
        return refuse("zone_unknown", "the customer's time zone is unknown; supply zone", "house")
    needed = pack.consent_for_marketing if question.purpose == "marketing" else "none"
    if CONSENT_RANK.get(question.consent, -1) < CONSENT_RANK.get(needed, len(CONSENT_RANK)):
        return refuse("consent_missing", f"marketing needs {needed} consent; supply consent with its proof", pack.id)
    if question.expires_at is not None and question.at >= question.expires_at:
        return refuse("expired", "the campaign's deadline has passed", "campaign")
    return None


def _refusal(question: Question, at: float, pack: RulePack) -> tuple[str, str, str] | None:
    """Why ``at`` is not permitted: code, sentence, rule; ``None`` when it is."""
    if question.starts_at is not None and at < question.starts_at:
        return "not_started", "the campaign has not begun", "campaign"
    if question.purpose != "emergency":
        for instant in (at, at + question.ring_s):
            for zone in question.zones:
                if not _inside(pack.windows, zone, instant):
                    return "outside_hours", f"it is outside the permitted hours in {zone.name}", pack.id
                if question.campaign_windows and not _inside(question.campaign_windows, zone, instant):
                    return "outside_campaign_windows", f"it is outside the campaign's hours in {zone.name}", "campaign"
    for cap in pack.caps:
        if sum(at - cap.hours * 3600 < dialed for dialed in question.dialed_at) >= cap.attempts:
            reason = f"the number was dialled {cap.attempts} times within {cap.hours:g} hours"
            return "attempt_cap", reason, pack.id
    return None


def _inside(windows: tuple[Window, ...], zone: Zone, at: float) -> bool:
    """Evaluate the wall clock at the instant itself: a spring gap or an autumn overlap needs no special case."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone.tz)
    weekday, minute = local.weekday(), local.hour * 60 + local.minute
    return any(window.holds(weekday, minute) for window in windows)


def _next(question: Question, pack: RulePack) -> float | None:
    """Find the earliest permitted instant, to the second, within the horizon and before the deadline."""
    before = question.at
    end = min(question.at + HORIZON_S, question.expires_at or float("inf"))
    while before < end:
        after = min(before + STEP_S, _next_edge(question, before, pack), end)
        if _refusal(question, after, pack) is None:
            return _bisect(question, before, after, pack) if after < end or question.expires_at is None else None
        before = after
    return None


def _next_edge(question: Question, at: float, pack: RulePack) -> float:
    """The next instant, later than ``at``, at which a cap may free or a window may open if no clock moves before."""
    edges = [dialed + cap.hours * 3600 for cap in pack.caps for dialed in question.dialed_at]
    edges.append(question.starts_at or 0.0)
    starts = {window.start_minute % MINUTES_A_DAY for window in (*pack.windows, *question.campaign_windows)}
    for zone in question.zones:
        local = datetime.fromtimestamp(at, UTC).astimezone(zone.tz)
        second = (local.hour * 60 + local.minute) * 60 + local.second + local.microsecond / 1e6
        edges.extend(at + (start * 60 - second) % 86400 for start in starts)
    return min((edge for edge in edges if edge > at), default=float("inf"))


def _bisect(question: Question, refused: float, permitted: float, pack: RulePack) -> float:
    """Narrow down to the second: ``refused`` is not permitted, ``permitted`` is."""
    while permitted - refused > 1.0:
        middle = (refused + permitted) / 2
        if _refusal(question, middle, pack) is None:
            permitted = middle
        else:
            refused = middle
    whole = float(int(permitted))
    return whole if whole > refused and _refusal(question, whole, pack) is None else permitted
