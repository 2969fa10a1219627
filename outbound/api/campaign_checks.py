"""What must be true of a campaign before it is stored or started; it stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping

from campaigns.flow.document import Flow
from campaigns.flow.variables import check_values
from outbound.api.faults import nearest
from outbound.api.models import CampaignIn, FieldError, NotificationIn
from outbound.api.problems import InvalidFields
from outbound.callflows import Document, checked_flow, with_faq
from outbound.errors import Conflict
from outbound.store import contacts, systems, trunks

INSTANTS = ("starts_at", "expires_at")


def stored_fields(body: CampaignIn) -> dict[str, Any]:
    """The fields of a campaign as the store takes them: JSON values, instants as epoch seconds."""
    fields: dict[str, Any] = CampaignIn.model_validate(body, from_attributes=True).model_dump(mode="json")
    return fields | {name: value.timestamp() if (value := getattr(body, name)) else None for name in INSTANTS}


def flow_of(body: CampaignIn | NotificationIn, document: Document) -> Flow:
    """The call flow with the campaign's own questions. Raises :class:`CallflowInvalid` when the lint has an error."""
    faq = {name: one.model_dump(mode="json") for name, one in body.faq.items()}
    return checked_flow(with_faq(document, faq), source=body.callflow)


def check_campaign(body: CampaignIn | NotificationIn, flow: Flow, *, now: float) -> None:
    """Check a campaign against its call flow and the clock. Raises :class:`InvalidFields` naming every fault."""
    faults = [*language_faults(body.language, flow), *variable_faults(body.variables, flow), *_times(body, now)]
    faults += [*_agents(body), *_machine(body, flow)]
    if faults:
        raise InvalidFields(faults)


def check_start(connection: Connection, row: RowMapping, flow: Flow, *, now: float) -> None:
    """Check that a campaign can begin: time left, every required variable and every system there.

    Raises :class:`Conflict`.
    """
    check_systems(connection, flow)
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise Conflict("the campaign's expires_at has passed; PATCH it first", code="campaign_expired")
    given = row["settings"]["variables"]
    for name in flow.required:
        if given.get(name, "").strip() or name == "customer_name":
            continue
        lacking = contacts.lacking(connection, row["id"], name)
        if lacking:
            detail = f"{lacking} contact(s) have no {name!r}, which the call flow needs; give it in variables"
            raise Conflict(detail, code="variable_missing", members={"variable": name, "contacts": lacking})


def check_systems(connection: Connection, flow: Flow) -> None:
    """Check that every system a flow asks is known, before anybody is told "one moment". Raises :class:`Conflict`."""
    if lacking := systems.missing(connection, flow.systems):
        detail = (
            f"call flow {flow.name!r} asks the system {lacking[0]!r}, and nobody has told where it is; "
            f"PUT /v1/systems/{lacking[0]} first"
        )
        raise Conflict(detail, code="system_missing", members={"systems": lacking})


def language_faults(language: str, flow: Flow) -> list[FieldError]:
    """Say whether the flow cannot speak ``language``."""
    if language in flow.languages:
        return []
    reason = f"call flow {flow.name!r} does not speak {language!r}; it speaks {', '.join(flow.languages)}"
    return [FieldError(field="language", code="language_unknown", reason=reason)]


def variable_faults(given: Mapping[str, str], flow: Flow, *, complete: bool = False) -> list[FieldError]:
    """Say which values the flow does not know or cannot read; when ``complete``, also which are missing."""
    faults = []
    for name in given.keys() - flow.variables.keys():
        reason = f"call flow {flow.name!r} has no such variable; {nearest(name, list(flow.variables))}"
        faults.append(FieldError(field=f"variables.{name}", code="variable_unknown", reason=reason))
    for name, variable in flow.variables.items():
        for finding in check_values({name: variable}, given, file=""):
            if complete or finding.code != "variable_missing":
                reason = f"{finding.message} {finding.remedy}"
                faults.append(FieldError(field=f"variables.{name}", code=finding.code, reason=reason))
    return faults


def check_trunks(connection: Connection, body: CampaignIn | NotificationIn) -> None:
    """Check that every trunk a campaign names is there. Raises :class:`NotFound`."""
    for name in (body.trunk, *body.fallback_trunks):
        trunks.get(connection, name)


def _agents(body: BaseModel) -> list[FieldError]:
    """A campaign whose calls wait for agents says who they are."""
    pacing = getattr(body, "pacing", None)
    if pacing is None or pacing.mode == "agentless":
        return []
    if not getattr(body, "agent_uri", ""):
        reason = f"{pacing.mode} calls are for agents; give agent_uri, or use mode agentless"
        return [FieldError(field="agent_uri", code="agents_missing", reason=reason)]
    if not pacing.agents:
        reason = f"{pacing.mode} calls as many customers as agents can take; say how many there are"
        return [FieldError(field="pacing.agents", code="agents_missing", reason=reason)]
    return []


def _machine(body: BaseModel, flow: Flow) -> list[FieldError]:
    """A message can only be left where the flow has one."""
    has_message = flow.voicemail is not None and flow.voicemail.leave is not None
    if getattr(body, "on_machine", "") != "leave_message" or has_message:
        return []
    reason = f"call flow {flow.name!r} has no message for answering machines; write one under voicemail: leave"
    return [FieldError(field="on_machine", code="no_message", reason=reason)]


def _times(body: BaseModel, now: float) -> list[FieldError]:
    starts_at, expires_at = (getattr(body, name, None) for name in INSTANTS)
    if expires_at is None:
        return []
    if expires_at.timestamp() <= now:
        return [FieldError(field="expires_at", code="in_the_past", reason="it has passed; give an instant to come")]
    if starts_at is not None and starts_at >= expires_at:
        reason = "it is not after starts_at; no call could be made"
        return [FieldError(field="expires_at", code="before_start", reason=reason)]
    return []
