"""``/v1/notifications``: one customer, now. It is a campaign of one contact, stored and planned in one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, update

from outbound.api import views
from outbound.api.calls import Call
from outbound.api.campaign_checks import check_campaign, check_systems, check_trunks, flow_of, stored_fields
from outbound.api.campaign_routes import warm
from outbound.api.models import Attempt, CampaignIn, FieldError, NotificationIn, Problem
from outbound.api.problems import InvalidFields, problem
from outbound.api.routes import Answer, Routes
from outbound.api.tracing import traceparent_of
from outbound.errors import Invalid
from outbound.gatehouse.keeper import Examined, examine
from outbound.ids import new_id
from outbound.importing.rows import ContactRules
from outbound.planning import plan_contacts, refuse
from outbound.store import attempt_views, campaigns, contacts
from outbound.store.contacts import NewContact
from outbound.store.imports import Rejected
from outbound.store.schema import contacts as contacts_table

routes = Routes("notifications")
CONTACT_FIELDS = {"number", "number_2", "number_3", "name", "consent", "variables"} | {
    *("zone", "country", "region", "postcode")
}


@routes.add("POST", "/v1/notifications", "Call one customer now", status=201)
async def notify(call: Call, body: NotificationIn) -> Answer[Attempt | Problem]:
    """Answers the attempt that will be made, or 422 ``refused_by_gate`` with the rule and the next permitted instant.

    A refusal is kept with its receipt, like every answer of the gate.
    """
    await warm(call, body.callflow)
    campaign_id = new_id(call.now)

    def unit(connection: Connection) -> Answer[Attempt | Problem]:
        campaign, contact = _store(call, connection, campaign_id, body)
        examined = examine(connection, campaign, contact, at=call.now)
        if not examined.decision.allowed:
            return Answer(body=_refuse(call, connection, campaign, contact, examined), status=422)
        plan_contacts(connection, campaign_id, now=call.now, limit=1)
        chosen = attempt_views.Filter(campaign_id=campaign_id)
        row = attempt_views.page(connection, chosen, before=None, limit=1)[0]
        headers = {"Location": f"/v1/attempts/{row['id']}"}
        return Answer(body=views.attempt(row), headers=headers, after=(call.services.kick,))

    return await call.commit(unit)


def _store(call: Call, connection: Connection, campaign_id: str, body: NotificationIn) -> tuple[RowMapping, RowMapping]:
    document = call.services.callflows.document(connection, body.callflow)
    flow = flow_of(body, document)
    check_campaign(body, flow, now=call.now)
    check_trunks(connection, body)
    check_systems(connection, flow)
    rules = ContactRules(default_region=None, languages=flow.languages, declared=flow.variables, given={})
    contact = rules.check(1, body.model_dump(mode="json", include=CONTACT_FIELDS))
    if isinstance(contact, Rejected):
        raise InvalidFields([FieldError(field=contact.field, code=contact.code, reason=contact.reason)])
    fields = stored_fields(_as_campaign(body))
    row = campaigns.create(
        connection,
        campaign_id,
        fields,
        flow=document,
        kind="notification",
        state="running",
        now=call.now,
        traceparent=traceparent_of(call.request),
    )
    return row, _add(connection, campaign_id, contact, call.now)


def _as_campaign(body: NotificationIn) -> CampaignIn:
    given: dict[str, Any] = body.model_dump(exclude=CONTACT_FIELDS)
    return CampaignIn(**given, name=f"Notification: {body.callflow}", max_concurrent=1)


def _add(connection: Connection, campaign_id: str, contact: NewContact, now: float) -> RowMapping:
    contacts.add(connection, campaign_id, [contact], now=now)
    query = contacts_table.select().where(contacts_table.c.campaign_id == campaign_id)
    return connection.execute(query).mappings().one()


def _refuse(
    call: Call, connection: Connection, campaign: RowMapping, contact: RowMapping, examined: Examined
) -> Problem:
    """Settle a refusal: the notification is over, its receipt stays."""
    now, decision = call.now, examined.decision
    refuse(connection, campaign, contact, examined, now=now)
    connection.execute(update(contacts_table).where(contacts_table.c.id == contact["id"]).values(planned=True))
    campaigns.complete_if_over(connection, campaign["id"], now=now)
    next_at = views.instant(decision.next_at)
    members = {
        "reason": decision.code,
        "rule": decision.rule,
        "next_at": next_at.isoformat() if next_at else None,
        "notification": campaign["id"],
    }
    when = f"permitted from {next_at.isoformat(timespec='seconds')}" if next_at else "it will not be permitted"
    return problem(Invalid(f"{decision.reason} ({decision.rule}); {when}", code="refused_by_gate", members=members))
