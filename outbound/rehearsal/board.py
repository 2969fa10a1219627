"""What is going on in a rehearsal, built up from the product's live events; it draws nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class CampaignOnBoard:
    """How far a campaign is."""

    name: str
    contacts: int
    state: str = "draft"
    settled: dict[str, str] = field(default_factory=dict)
    """Number -> disposition, once no further attempt is due."""

    @property
    def tally(self) -> Counter[str]:
        """Dispositions and how many."""
        return Counter(self.settled.values())


@dataclass(slots=True, kw_only=True)
class CallOnBoard:
    """A call in progress."""

    attempt_id: str
    campaign_id: str
    number: str
    name: str
    ordinal: int
    state: str = "dialing"
    step: str = ""
    robot: str = ""
    """What the robot said last."""
    customer: str = ""
    """What it heard last."""


class Board:
    """The campaigns of a rehearsal and their calls; other campaigns are not looked at."""

    def __init__(self, names: dict[str, str]) -> None:
        self.campaigns: dict[str, CampaignOnBoard] = {}
        self.calls: dict[str, CallOnBoard] = {}
        self.refusals: dict[tuple[str, str], str] = {}
        """(campaign id, number) -> code of the gate's final refusal."""
        self._names = names

    def add(self, campaign_id: str, name: str, contacts: int) -> None:
        """Look at a campaign from now on."""
        self.campaigns[campaign_id] = CampaignOnBoard(name=name, contacts=contacts)

    def over(self, campaign_id: str) -> bool:
        """Whether a campaign has come to its end."""
        return self.campaigns[campaign_id].state in ("completed", "cancelled")

    def settled(self, campaign_id: str, number: str) -> bool:
        """Whether a campaign is done with a customer."""
        return number in self.campaigns[campaign_id].settled

    def take(self, event: Event) -> str:
        """Take one live event; returns a line for it, empty when it is not worth one."""
        campaign = self.campaigns.get(event.get("campaign_id") or "")
        if campaign is None:
            return ""
        kind, data = event["kind"], event.get("data") or {}
        area, _, what = kind.partition(".")
        if area == "campaign":
            if what in ("started", "completed", "cancelled", "paused"):
                campaign.state = what
                return f"{campaign.name}: {what}"
            return ""
        if area == "attempt":
            return self._attempt(campaign, event, what, data)
        if kind == "contact.refused":
            campaign.settled[data["number"]] = "refused"
            self.refusals[event["campaign_id"], data["number"]] = data["code"]
            return f"{self._name(data)}: not rung by {campaign.name}: {data.get('reason') or data['code']}"
        if area == "call":
            return self._call(event, what, data)
        return ""

    def _attempt(self, campaign: CampaignOnBoard, event: Event, what: str, data: Event) -> str:
        attempt_id = event["attempt_id"]
        if what == "dialing":
            self.calls[attempt_id] = CallOnBoard(
                attempt_id=attempt_id,
                campaign_id=event["campaign_id"],
                number=data["number"],
                name=self._name(data),
                ordinal=data.get("ordinal", 1),
            )
            return f"{self._name(data)}: rung by {campaign.name}"
        if what in ("done", "undetermined"):
            self.calls.pop(attempt_id, None)
            disposition = data.get("disposition") or what
            campaign.settled[data["number"]] = disposition
            return f"{self._name(data)}: {disposition}" + (f" ({data['outcome']})" if data.get("outcome") else "")
        if what == "due":
            campaign.settled.pop(data["number"], None)  # there will be another attempt
            return f"{self._name(data)}: to be tried again" if data.get("ordinal", 1) > 1 else ""
        return ""

    def _call(self, event: Event, what: str, data: Event) -> str:
        call = self.calls.get(event.get("attempt_id") or "")
        if call is None:
            return ""
        if what in ("ringing", "answered"):
            call.state = what
            return f"{call.name}: {what}" if what == "answered" else ""
        if what == "step":
            call.step = data.get("step", "")
        elif what == "said":
            call.robot = data.get("text", "")
            return f"{call.name} ‹ {call.robot}"
        elif what in ("hearing", "heard"):
            call.customer = data.get("text", "")
            return f"{call.name} › {call.customer or '(not understood)'}" if what == "heard" else ""
        elif what == "digits":
            call.customer = f"pressed {data.get('digits', '')}"
            return f"{call.name} › {call.customer}"
        elif what in ("machine", "handoff", "opt_out"):
            call.state = f"handoff {data.get('state', '')}" if what == "handoff" else what.replace("_", " ")
            return f"{call.name}: {call.state}"
        return ""

    def _name(self, data: Event) -> str:
        number = str(data["number"])
        return str(data.get("name") or self._names.get(number, number))
