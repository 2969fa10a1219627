"""The gate: whether one contact may be reached now, and if not, why and from when; pure, and it fails closed.

It runs when planning, to find the next permitted instant, and again inside the intent transaction just before the
INVITE or the message. It never reads a clock or a list: whoever asks supplies every fact (:class:`Question`) and the
rules that apply (:class:`Regime`, made from rule packs by :func:`compile_regime`).
"""

from __future__ import annotations

from campaigns.gate.decide import decide
from campaigns.gate.facts import (
    CODES,
    Budget,
    CampaignTerms,
    Consent,
    Decision,
    Listing,
    OptIn,
    OptOut,
    Question,
    Reached,
    Refusal,
    RegisterFact,
    Scope,
    Withdrawal,
    Zone,
)
from campaigns.gate.regime import OwnTerms, Regime, compile_regime

__all__ = [
    "CODES",
    "Budget",
    "CampaignTerms",
    "Consent",
    "Decision",
    "Listing",
    "OptIn",
    "OptOut",
    "OwnTerms",
    "Question",
    "Reached",
    "Refusal",
    "Regime",
    "RegisterFact",
    "Scope",
    "Withdrawal",
    "Zone",
    "compile_regime",
    "decide",
]
