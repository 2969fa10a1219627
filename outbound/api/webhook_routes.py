"""``/v1/webhooks``: where events are posted, what arrived and what did not, sending it again; it posts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from outbound.api.calls import Call
from outbound.api.given import check_campaign, wrong
from outbound.api.models import ListQuery, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.routes import Answer, Routes
from outbound.api.views import Row, at, instant
from outbound.api.webhook_models import (
    DeliveriesQuery,
    Delivery,
    ReplayIn,
    ReplayOut,
    SecretRotation,
    WebhookCreated,
    WebhookIn,
    WebhookOut,
    WebhookPatch,
)
from outbound.errors import Conflict, NotFound
from outbound.store import events, webhook_deliveries, webhooks
from outbound.store.schema import events as events_table
from outbound.webhooks import signing
from outbound.webhooks.fan_out import spread
from outbound.webhooks.message import TEST, message_id
from outbound.webhooks.replaying import last_before, replay_range
from outbound.webhooks.targets import PrivateTargets, TargetRefused, examine

routes = Routes("webhooks")
MAX_ID = 2**63 - 1


@routes.add("POST", "/v1/webhooks", "Create a webhook", status=201)
async def create_webhook(call: Call, body: WebhookIn) -> Answer[WebhookCreated]:
    """It begins with the next event; the secret that signs is in this answer alone."""
    private = await _examined(call, body.url)

    def unit(connection: Connection) -> Answer[WebhookCreated]:
        check_campaign(connection, body.campaign_id, "campaign_id")
        secret = signing.new_secret()
        row = body.model_dump() | {"secrets": signing.first(secret), "private_allowed": private}
        shown = _shown(connection, webhooks.create(connection, row, now=call.now), call.now).model_dump()
        headers = {"Location": f"/v1/webhooks/{shown['id']}"}
        return Answer(body=WebhookCreated(**shown, secret=secret), repeated=WebhookCreated(**shown), headers=headers)

    return await call.commit(unit)


@routes.add("GET", "/v1/webhooks", "List webhooks")
async def list_webhooks(call: Call, query: ListQuery) -> Page[WebhookOut]:
    """In the order they were made."""
    after = cursor_of(query)

    def unit(connection: Connection) -> Page[WebhookOut]:
        rows = webhooks.page(connection, after=after, limit=query.limit + 1)
        found = webhooks.counts(connection, [row["id"] for row in rows])
        return cut(rows, query, lambda row: _webhook(row, found[row["id"]], call.now))

    return await call.read(unit)


@routes.add("GET", "/v1/webhooks/{webhook_id}", "Show a webhook")
async def get_webhook(call: Call, webhook_id: str) -> WebhookOut:
    """With what waits and what was given up."""
    return await call.read(lambda connection: _shown(connection, webhooks.get(connection, webhook_id), call.now))


@routes.add("PATCH", "/v1/webhooks/{webhook_id}", "Change a webhook")
async def change_webhook(call: Call, webhook_id: str, body: WebhookPatch) -> Answer[WebhookOut]:
    """Counts for what is sent from now on; another URL, or enabling, has everything that waits tried at once."""
    values: dict[str, Any] = body.model_dump(exclude_none=True)
    if body.url is not None:
        values["private_allowed"] = await _examined(call, body.url)

    def unit(connection: Connection) -> Answer[WebhookOut]:
        return Answer(body=_shown(connection, webhooks.change(connection, webhook_id, values, now=call.now), call.now))

    return await call.commit(unit)


@routes.add("DELETE", "/v1/webhooks/{webhook_id}", "Delete a webhook", status=204)
async def delete_webhook(call: Call, webhook_id: str) -> Answer[None]:
    """With its secrets and everything that waits."""

    def unit(connection: Connection) -> Answer[None]:
        webhooks.delete(connection, webhook_id, now=call.now)
        return Answer(body=None)

    return await call.commit(unit)


@routes.add("POST", "/v1/webhooks/{webhook_id}/rotate", "Turn a webhook's secret over")
async def rotate_secret(call: Call, webhook_id: str, body: SecretRotation) -> Answer[WebhookCreated]:
    """The new secret is in this answer alone; the old one signs beside it for as long as ``overlap_s`` says."""

    def unit(connection: Connection) -> Answer[WebhookCreated]:
        kept = webhooks.get(connection, webhook_id, to_change=True)["secrets"]
        secret = signing.new_secret()
        secrets = signing.rotated(kept, secret, now=call.now, overlap_s=body.overlap_s)
        row = webhooks.change(connection, webhook_id, {"secrets": secrets}, now=call.now)
        shown = _shown(connection, row, call.now).model_dump()
        return Answer(body=WebhookCreated(**shown, secret=secret), repeated=WebhookCreated(**shown))

    return await call.commit(unit)


@routes.add("POST", "/v1/webhooks/{webhook_id}/test", "Send a test event", status=202)
async def send_test_event(call: Call, webhook_id: str) -> Answer[Delivery]:
    """An event ``webhook.test`` to this webhook alone, whatever kinds it wants; its deliveries say whether it came."""

    def unit(connection: Connection) -> Answer[Delivery]:
        events.take_turn(connection)
        webhook = webhooks.get(connection, webhook_id)
        if not webhook["enabled"]:
            raise Conflict("the webhook is disabled; enable it with PATCH first", code="webhook_disabled")
        events.append(connection, at=call.now, kind=TEST, data={"id": webhook_id})
        newest = select(func.max(events_table.c.id)).scalar_subquery()
        event = connection.execute(select(events_table).where(events_table.c.id == newest)).mappings().one()
        spread(connection, webhook, [event], now=call.now)
        rows = webhook_deliveries.page(connection, webhook_id, state=None, before=None, limit=1)
        return Answer(body=_delivery(rows[0]))

    return await call.commit(unit)


@routes.add("GET", "/v1/webhooks/{webhook_id}/deliveries", "List a webhook's deliveries")
async def list_deliveries(call: Call, webhook_id: str, query: DeliveriesQuery) -> Page[Delivery]:
    """The newest first; what was delivered is kept for 30 days, what is dead until it is replayed."""
    before = _before(query)

    def unit(connection: Connection) -> Page[Delivery]:
        webhooks.get(connection, webhook_id)
        rows = webhook_deliveries.page(connection, webhook_id, state=query.state, before=before, limit=query.limit + 1)
        return cut(rows, query, _delivery)

    return await call.read(unit)


@routes.add("POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", "Replay a delivery", status=202)
async def replay_delivery(call: Call, webhook_id: str, delivery_id: str) -> Answer[Delivery]:
    """Sends it again under the same ``webhook-id``, from the first try on; one that waits is tried at once."""

    def unit(connection: Connection) -> Answer[Delivery]:
        webhooks.get(connection, webhook_id)
        return Answer(body=_delivery(webhook_deliveries.replay(connection, webhook_id, _id(delivery_id), now=call.now)))

    return await call.commit(unit)


@routes.add("POST", "/v1/webhooks/{webhook_id}/deliveries/replay-dead", "Replay all dead deliveries", status=202)
async def replay_dead(call: Call, webhook_id: str) -> Answer[ReplayOut]:
    """Each begins with its first try again."""

    def unit(connection: Connection) -> Answer[ReplayOut]:
        webhooks.get(connection, webhook_id)
        return Answer(body=ReplayOut(deliveries=webhook_deliveries.replay_dead(connection, webhook_id, now=call.now)))

    return await call.commit(unit)


@routes.add("POST", "/v1/webhooks/{webhook_id}/replay", "Replay past events", status=202)
async def replay_events(call: Call, webhook_id: str, body: ReplayIn) -> Answer[ReplayOut]:
    """Sends what the webhook wants of them, also from before it was made. At most 2,000 events are gone through at a
    time: ``next_after_id`` says where to go on."""
    after_id, since = body.after_id, 0.0
    if body.since is not None:
        since = body.since.timestamp()
        after_id = await call.services.store.survey(lambda connection: last_before(connection, since))

    def unit(connection: Connection) -> Answer[ReplayOut]:
        webhook = webhooks.get(connection, webhook_id, to_change=True)
        done = replay_range(connection, webhook, after_id=after_id or 0, since=since, kinds=body.kinds, now=call.now)
        return Answer(body=ReplayOut(deliveries=done.deliveries, next_after_id=done.next_after_id))

    return await call.commit(unit)


async def _examined(call: Call, url: str) -> bool:
    """Whether a URL leads to a private address that the operator allows. Raises :class:`InvalidFields`."""
    try:
        return await examine(url, PrivateTargets.read(call.services.settings.webhook_private_targets))
    except TargetRefused as error:
        raise wrong("url", error.code, error.detail) from error


def _before(query: ListQuery) -> int | None:
    text = cursor_of(query)
    if text is None:
        return None
    if not text.isdigit() or len(text) > 19:
        reason = "the cursor was not given out here; take next_cursor of the page before"
        raise wrong("cursor", "invalid_cursor", reason)
    return min(int(text), MAX_ID)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID):
        raise NotFound("this webhook has no such delivery", code="delivery_not_found")
    return int(text)


def _shown(connection: Connection, row: Mapping[Any, Any], now: float) -> WebhookOut:
    return _webhook(row, webhooks.counts(connection, [row["id"]])[row["id"]], now)


def _webhook(row: Row, counts: webhooks.Counts, now: float) -> WebhookOut:
    names = ("id", "url", "description", "kinds", "campaign_id", "private_allowed", "enabled", "disabled_reason")
    return WebhookOut(
        **{name: row[name] for name in names},
        failing_since=instant(row["failing_since"]),
        secrets=len(signing.in_force(row["secrets"], now=now)),
        waiting=counts.waiting,
        dead=counts.dead,
        oldest_waiting_at=instant(counts.oldest_at),
        created_at=at(row["created_at"]),
    )


def _delivery(row: Row) -> Delivery:
    names = ("id", "event_id", "campaign_id", "attempt_id", "state", "tries", "last_code", "last_error")
    return Delivery(
        **{name: row[name] for name in names},
        message_id=message_id(row["webhook_id"], row["event_id"]),
        kind=row["kind"] or "",
        next_at=at(row["next_at"]) if row["state"] == "waiting" else None,
        created_at=at(row["created_at"]),
        ended_at=instant(row["ended_at"]),
    )
