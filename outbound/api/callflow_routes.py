"""``/v1/callflows``: call flows shown, checked, stored, and tried out in text before anybody is called."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from campaigns.flow.document import Context, Flow
from campaigns.flow.findings import FlowError, Severity
from campaigns.flow.simulate import Simulated, simulate
from outbound.api import bodies
from outbound.api.calls import Call
from outbound.api.campaign_checks import language_faults, variable_faults
from outbound.api.models import (
    Callflow,
    CallflowIn,
    FieldError,
    FindingOut,
    LintResult,
    ListQuery,
    Page,
    SimulatedTurn,
    SimulateIn,
    Simulation,
)
from outbound.api.problems import InvalidFields
from outbound.api.routes import Answer, Routes
from outbound.callflows import CallflowInvalid, Document, checked_flow, findings_of, read_flow
from outbound.places import similar_zones, zone
from outbound.yaml_files import SIZE_LIMIT, YamlError, parse_yaml

routes = Routes("callflows")
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")
DOCUMENT_BODY = {"application/json": CallflowIn, "application/yaml": {"type": "string"}}


@routes.add("GET", "/v1/callflows", "List call flows")
async def list_callflows(call: Call, query: ListQuery) -> Page[Callflow]:
    """Built-in ones and the operator's own, by name; all on one page."""
    library = call.services.callflows
    own = await call.read(library.own)
    flows = {name: (document, "built-in") for name, document in library.built_in.items()}
    flows |= {name: (document, "operator") for name, document in own.items()}

    def show() -> list[Callflow]:
        return [_show(name, *flows[name]) for name in sorted(flows)]

    return Page(items=await asyncio.to_thread(show))


@routes.add("GET", "/v1/callflows/{name}", "Show a call flow")
async def get_callflow(call: Call, name: str) -> Callflow:
    """With its document and what the lint says of it."""
    document = await call.services.callflows.get(name)
    source = "built-in" if name in call.services.callflows.built_in else "operator"
    shown = await asyncio.to_thread(_show, name, document, source)
    return shown.model_copy(update={"document": document})


@routes.add("POST", "/v1/callflows", "Store a call flow", status=201, consumes=DOCUMENT_BODY)
async def create_callflow(call: Call) -> Answer[Callflow]:
    """As JSON or YAML, under the name it gives itself; refused while the lint has an error."""
    document = await _document(call)
    return await _put(call, str(document.get("name", "")), document)


@routes.add(
    "PUT",
    "/v1/callflows/{name}",
    "Store a call flow under a name",
    consumes=DOCUMENT_BODY,
    answers={200: Callflow, 201: Callflow},
)
async def put_callflow(call: Call, name: str) -> Answer[Callflow]:
    """Campaigns that exist keep the flow they were made with."""
    document = await _document(call)
    own_name = document.get("name")
    if own_name != name:
        reason = f"the document calls itself {str(own_name)[:64]!r} and the address says {name!r}; make them the same"
        raise InvalidFields([FieldError(field="document.name", code="name_differs", reason=reason)])
    return await _put(call, name, document)


@routes.add("DELETE", "/v1/callflows/{name}", "Delete a call flow of one's own", status=204)
async def delete_callflow(call: Call, name: str) -> Answer[None]:
    """Campaigns that exist keep their copy."""

    def unit(connection: Connection) -> Answer[None]:
        call.services.callflows.remove(connection, name)
        return Answer(body=None)

    return await call.commit(unit)


@routes.add("POST", "/v1/callflows/lint", "Check a call flow", consumes=DOCUMENT_BODY)
async def lint_callflow(call: Call) -> LintResult:
    """Stores nothing."""
    document = await _document(call)
    findings = await asyncio.to_thread(findings_of, document, source=str(document.get("name", "document"))[:64])
    ok = all(finding.severity is not Severity.ERROR for finding in findings)
    return LintResult(ok=ok, findings=[FindingOut(**asdict(finding)) for finding in findings])


@routes.add("POST", "/v1/callflows/{name}/simulate", "Try a call flow in text")
async def simulate_callflow(call: Call, name: str, body: SimulateIn) -> Simulation:
    """The same engine that talks on the telephone answers ``inputs``; nobody is called and nothing is stored."""
    document = await call.services.callflows.get(name)
    return await asyncio.to_thread(_simulate, name, document, body, call.now)


async def _document(call: Call) -> Document:
    kind = bodies.require_type(call.request, *bodies.JSON_TYPES, *YAML_TYPES)
    if kind in YAML_TYPES:
        body = await bodies.read_body(call.request, SIZE_LIMIT)
        try:
            document = await asyncio.to_thread(parse_yaml, body.decode("utf-8-sig"), source="document")
        except UnicodeDecodeError as error:
            raise YamlError(f"document: it is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from error
        call.fingerprint = bodies.fingerprint(document)
        return document
    value, call.fingerprint = await bodies.read_json(call.request)
    return bodies.validate(CallflowIn, value).document


async def _put(call: Call, name: str, document: Document) -> Answer[Callflow]:
    await asyncio.to_thread(checked_flow, document, source=name or "document")

    def unit(connection: Connection) -> Answer[Callflow]:
        is_new = call.services.callflows.put(connection, name, document, now=call.now)
        shown = _show(name, document, "operator").model_copy(update={"document": document})
        return Answer(body=shown, status=201 if is_new else 200, headers={"Location": f"/v1/callflows/{name}"})

    return await call.commit(unit)


def _show(name: str, document: Document, source: str) -> Callflow:
    findings = [FindingOut(**asdict(finding)) for finding in findings_of(document, source=name)]
    shown: dict[str, Any] = {"name": name, "source": source, "findings": findings}
    try:
        flow = read_flow(document, source=name)
    except CallflowInvalid:
        return Callflow(**shown, languages=[], variables=[], steps=[])
    return Callflow(
        **shown,
        title=flow.title,
        languages=list(flow.languages),
        variables=list(flow.variables),
        required=list(flow.required),
        steps=list(flow.steps),
    )


def _simulate(name: str, document: Document, body: SimulateIn, now: float) -> Simulation:
    flow = read_flow(document, source=name)
    _check(flow, body)
    context = Context(
        variables=body.variables,
        language=body.language,
        now=body.now or datetime.fromtimestamp(now, UTC),
        zone=body.zone,
        can_hand_off=body.can_hand_off,
    )
    try:
        return _shown(simulate(flow, context, body.inputs))
    except FlowError as error:
        raise CallflowInvalid(error.findings) from error
    except ValueError as error:
        raise InvalidFields([FieldError(field="inputs", code="input_unreadable", reason=str(error))]) from error


def _check(flow: Flow, body: SimulateIn) -> None:
    faults = [*language_faults(body.language, flow), *variable_faults(body.variables, flow, complete=True)]
    if zone(body.zone) is None:
        reason = f"there is no such time zone; give an IANA name: {similar_zones(body.zone)}"
        faults.append(FieldError(field="zone", code="zone_unknown", reason=reason))
    if faults:
        raise InvalidFields(faults)


def _shown(simulated: Simulated) -> Simulation:
    return Simulation(
        turns=[SimulatedTurn(**asdict(turn)) for turn in simulated.turns],
        ended=simulated.ended,
        disposition=simulated.disposition,
        outcome=simulated.outcome,
        variables=dict(simulated.variables),
        opted_out=simulated.opted_out,
        callback_at=simulated.callback_at,
        callback_words=simulated.callback_words,
        unused=simulated.unused,
    )
