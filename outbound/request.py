"""Makes the request that a line process gets from a committed intent; plain data, nothing is read or stored here."""

from __future__ import annotations

from typing import Any

from campaigns.routing import caller_id
from dialer.legs import Trunk
from dialer.messages import CallRequest
from outbound.callflows import with_faq
from outbound.store.attempts import Intent


def call_request(intent: Intent, *, fence: int, send_before: float) -> CallRequest:
    """Put everything one call needs together; the contact's variables win over the campaign's."""
    campaign, contact, settings = intent.campaign, intent.contact, intent.campaign["settings"]
    variables = {**settings["variables"], **contact["variables"]}
    if contact["name"]:
        variables.setdefault("customer_name", contact["name"])
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
        record=settings["record"],
        on_machine=settings.get("on_machine", ""),
    )


def _shown(number: str, intent: Intent) -> dict[str, Any]:
    """Who is shown as calling: by the number's prefix, else the campaign's, else the trunk's own."""
    settings, own = intent.campaign["settings"], intent.trunk["settings"].get("caller_id", "")
    return {"caller_id": caller_id(number, settings.get("caller_ids", {}), settings.get("caller_id") or own)}


def trunk(name: str, settings: dict[str, Any]) -> Trunk:
    """Read a row of the trunk table as the dialer's trunk; pacing stays with the host."""
    known = {key: value for key, value in settings.items() if key in Trunk.__dataclass_fields__ and key != "name"}
    return Trunk(name=name, **{**known, "codecs": tuple(known.get("codecs", ("PCMU", "PCMA")))})
