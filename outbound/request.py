"""Makes the request that a line process gets from a committed intent; plain data, nothing is read or stored here."""

from __future__ import annotations

from typing import Any

from campaigns.flow.disclosing import Told
from campaigns.gate.regime import Regime
from campaigns.routing import caller_id
from campaigns.rules.reading import RECORDING_NEEDS
from dialer.legs import Trunk
from dialer.messages import CallRequest
from outbound.callflows import with_faq
from outbound.store.attempts import Intent


def call_request(intent: Intent, *, fence: int, send_before: float, interpret: bool = False) -> CallRequest:
    """Put everything one call needs together; the contact's variables win over the campaign's."""
    campaign, contact, settings = intent.campaign, intent.contact, intent.campaign["settings"]
    variables = {**settings["variables"], **contact["variables"]}
    if contact["name"]:
        variables.setdefault("customer_name", contact["name"])
    recording, disclosures = respects(intent.regime, intent.day, record=settings["record"])
    return CallRequest(
        attempt_id=intent.attempt["id"],
        fence=fence,
        call_id=intent.call_id,
        contact_id=intent.contact["id"],
        number=contact["number"],
        trunk=trunk(intent.trunk["name"], intent.trunk["settings"] | _shown(contact["number"], intent)),
        flow=with_faq(campaign["flow"], settings.get("faq") or {}),
        variables=variables,
        shared=tuple(name for name in settings["variables"] if name not in contact["variables"]),
        language=contact["language"] or settings["language"],
        zone=contact["zones"][0],
        ring_timeout_s=settings["ring_timeout_s"],
        max_duration_s=settings["max_duration_s"],
        send_before=send_before,
        agent_uri=settings["agent_uri"],
        record=settings["record"] and recording != "never",
        record_on_consent=recording == "consent",
        disclosures=disclosures,
        interpret=interpret,
        on_machine=settings.get("on_machine", ""),
    )


def respects(regime: Regime | None, day: int, *, record: bool) -> tuple[str, tuple[Told, ...]]:
    """On what terms the call may be recorded (``""``, ``notice``, ``consent``, ``never``), and what must be said in it.

    Without rules nothing is recorded. The notice comes last: first who calls and what the law wants to be known.
    """
    if regime is None:
        return "never", ()
    told = [Told(when=one.when, say=one.say) for one in regime.disclosures if one.say and one.holds_on(day)]
    rules = [rule for rule in regime.recordings if rule.holds_on(day)]
    strictest = max(rules, key=lambda rule: RECORDING_NEEDS.index(rule.needs), default=None)
    if strictest is None:
        return "", tuple(told)
    if record and strictest.needs != "never":
        told.append(Told(when="start", say=strictest.say))
    return strictest.needs, tuple(told)


def _shown(number: str, intent: Intent) -> dict[str, Any]:
    """Who is shown as calling: by the number's prefix, else the campaign's, else the trunk's own."""
    settings, own = intent.campaign["settings"], intent.trunk["settings"].get("caller_id", "")
    return {"caller_id": caller_id(number, settings.get("caller_ids", {}), settings.get("caller_id") or own)}


def trunk(name: str, settings: dict[str, Any]) -> Trunk:
    """Read a row of the trunk table as the dialer's trunk; pacing stays with the host."""
    known = {key: value for key, value in settings.items() if key in Trunk.__dataclass_fields__ and key != "name"}
    return Trunk(name=name, **{**known, "codecs": tuple(known.get("codecs", ("PCMU", "PCMA")))})
