"""What a campaign itself asks of the gate: its hours and caps, its deadline, and what is left of its budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from campaigns.gate import Budget, CampaignTerms, OwnTerms
from campaigns.rules import Cap, parse_period, week_window
from outbound.store.schema import LIVE, attempts

Row = Mapping[str, Any] | RowMapping
SPEND_AGAIN_S = 60.0
"""Where calls in progress hold the rest of the money, it is looked again after this long."""


def own_terms(settings: Mapping[str, Any]) -> OwnTerms:
    """A campaign's own hours and caps, from its stored settings."""
    caps = json.dumps(settings.get("caps", []), sort_keys=True)
    return _own_terms(json.dumps(settings["windows"], sort_keys=True), caps, settings.get("closing_guard_s", 0.0))


@lru_cache(maxsize=512)
def _own_terms(windows: str, caps: str, closing_s: float) -> OwnTerms:
    made = tuple(week_window(item["days"], item["start"], item["end"]) for item in json.loads(windows))
    return OwnTerms(windows=made, caps=tuple(_cap(item) for item in json.loads(caps)), closing_s=closing_s)


def _cap(item: dict[str, Any]) -> Cap:
    return Cap(
        cite="campaign",
        source="the campaign's caps",
        mark="H",
        purposes=frozenset(("marketing", "informational", "transactional", "emergency")),
        channels=frozenset(item["channels"]),
        attempts=item["attempts"],
        scope="campaign",
        outcomes=frozenset(item["outcomes"]),
        **parse_period(item["per"]),
    )


def campaign_terms(connection: Connection, campaign: Row, at: float, *, price: float = 0.0) -> CampaignTerms:
    """What a campaign itself asks for at ``at``, before an attempt that may cost ``price``."""
    return CampaignTerms(
        id=campaign["id"],
        starts_at=campaign["starts_at"],
        expires_at=campaign["expires_at"],
        budget=_budget(connection, campaign, at, price),
    )


def _budget(connection: Connection, campaign: Row, at: float, price: float) -> Budget | None:
    """What the campaign may still spend: in all, and within any 24 hours; the tightest."""
    limits = campaign["settings"].get("budget") or {}
    if limits.get("attempts") is not None and campaign["dialed"] >= limits["attempts"]:
        return Budget(limit=limits["attempts"], used=campaign["dialed"])
    spend = limits.get("spend")
    if spend is not None and round(campaign["cost"] + price - spend, 6) > 0:
        # calls in progress count with the most they may cost: what they leave is free again when they end
        frees_at = at + SPEND_AGAIN_S if price <= spend and _in_progress(connection, campaign) else float("inf")
        return Budget(limit=spend, used=campaign["cost"], frees_at=frees_at, money=True)
    if limits.get("attempts_per_day") is not None:
        sent = select(func.count(), func.min(attempts.c.dialed_at)).where(attempts.c.campaign_id == campaign["id"])
        used, oldest = connection.execute(sent.where(attempts.c.dialed_at > at - 86400)).one()
        return Budget(limit=limits["attempts_per_day"], used=used, frees_at=(oldest or at) + 86400)
    return None


def _in_progress(connection: Connection, campaign: Row) -> bool:
    live = select(attempts.c.campaign_id).where(LIVE, attempts.c.cost > 0)  # by the index of what is live
    return campaign["id"] in connection.execute(live).scalars().all()
