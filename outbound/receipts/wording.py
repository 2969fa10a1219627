"""Says in plain words what a receipt, an attempt or a statement holds; it makes text, not markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outbound.api.receipt_models import EvidenceAttempt, KeptReceipt, Statement

UTC_ONLY = ("UTC",)
VERBS = {"voice": ("call", "called"), "sms": ("text", "texted")}
STATEMENTS = {
    "opt_out": "asked not to be contacted",
    "opt_in": "asked to be contacted again",
    "consent_granted": "gave consent",
    "consent_withdrawn": "took consent back",
    "refusal": "refused an offer",
    "callback": "asked to be called back",
}


def moment(instant: datetime, zones: Sequence[str] = UTC_ONLY) -> str:
    """Write an instant as it was on the clocks of ``zones``: ``24 Nov 2026 at 20:59:31 in Denver``."""
    shown = []
    for name in dict.fromkeys(zones):
        zone = _zone(name)
        if zone is not None:
            local = instant.astimezone(zone)
            shown.append(f"{local.day} {local:%b %Y at %H:%M:%S} {_place(name)}")
    return " / ".join(shown) or moment(instant)


def zones_of(receipt: KeptReceipt, places: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Zones a receipt was decided for; ``places``: those of the contacts, where it names none."""
    named = receipt.evidence.get("zones")
    if isinstance(named, list):
        found = [name for name in named if isinstance(name, str)]
        if found:
            return found
    return places.get(receipt.contact_id) or UTC_ONLY


def decided(receipt: KeptReceipt, zones: Sequence[str]) -> str:
    """Say what was decided: whether, when, why."""
    present, _ = VERBS.get(receipt.channel, ("contact", "contacted"))
    verdict = f"it was permitted to {present}" if receipt.allowed else f"we did not {present}"
    return f"On {moment(receipt.at, zones)} {verdict}: {receipt.reason}"


def done(attempt: EvidenceAttempt, zones: Sequence[str]) -> str:
    """Say what was done."""
    _, past = VERBS.get(attempt.channel, ("contact", "contacted"))
    if attempt.dialed_at is None:
        why = f", {attempt.disposition}" if attempt.disposition else ""
        cause = f" ({attempt.hangup_cause})" if attempt.hangup_cause else ""
        return f"Attempt {attempt.ordinal}, due on {moment(attempt.due_at, zones)}: nobody was {past}{why}{cause}."
    answered = f", answered on {moment(attempt.answered_at, zones)}" if attempt.answered_at else ", not answered"
    end = f"; it ended as {attempt.disposition}" if attempt.disposition else "; it has not ended"
    return f"Attempt {attempt.ordinal}: we {past} on {moment(attempt.dialed_at, zones)}{answered}{end}."


def told(statement: Statement, zones: Sequence[str]) -> str:
    """Say what a person told us."""
    what = STATEMENTS[statement.kind]
    kind = f" ({statement.consent})" if statement.consent else ""
    scope = {"": "", "all": " for everything"}.get(statement.scope, f" for {statement.scope} matters")
    channel = f" by {statement.channel}" if statement.channel else ""
    only = f" in campaign {statement.only_campaign}" if statement.only_campaign else ""
    until = f", for {moment(statement.until, zones)}" if statement.kind == "callback" and statement.until else ""
    ends = (
        f", until {moment(statement.until, zones)}" if statement.kind == "consent_granted" and statement.until else ""
    )
    source = f"; it came by {statement.source}" if statement.source else ""
    return f"On {moment(statement.at, zones)} this person {what}{kind}{scope}{channel}{only}{until}{ends}{source}."


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _place(name: str) -> str:
    return name if name == "UTC" else f"in {name.rpartition('/')[2].replace('_', ' ')}"
