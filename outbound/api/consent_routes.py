"""``/v1/consents`` and ``/v1/refusals``: what customers allowed, took back and refused; recorded, never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from outbound.api import respect_views
from outbound.api.calls import Call
from outbound.api.given import check_campaign, number_of, page_of, past, wrong
from outbound.api.models import NumberQuery, Page
from outbound.api.planning import plan_again
from outbound.api.respect_models import ConsentAct, ConsentIn, ConsentOut, Refusal, WithdrawalIn
from outbound.api.routes import Answer, Routes
from outbound.store import consents, contacts, refusals

routes = Routes("consents")
ABOUT = ("scope", "channel", "only_campaign", "source", "words")


@routes.add("POST", "/v1/consents", "Record consent that was given", status=201)
async def grant_consent(call: Call, body: ConsentIn) -> Answer[ConsentOut]:
    """With its proof; a later one stands beside it. Consent that contacts bring comes with the contacts."""
    about = _about(call, body)
    expires_at = body.expires_at.timestamp() if body.expires_at is not None else None
    if expires_at is not None and expires_at <= about.at:
        raise wrong("expires_at", "before_it_began", "the consent ends before it was given; leave expires_at out")

    def unit(connection: Connection) -> Answer[ConsentOut]:
        check_campaign(connection, body.only_campaign, "only_campaign")
        given: dict[str, Any] = {"kind": body.kind, "proof": body.proof, "expires_at": expires_at}
        row = consents.grant(connection, about, **given, now=call.now)
        again = contacts.reconsider(connection, contacts.CURED_BY_CONSENT, numbers=[about.number], now=call.now)
        return Answer(body=respect_views.consent(row), after=plan_again(call, again))

    return await call.commit(unit)


@routes.add("POST", "/v1/consents/withdrawals", "Record consent that was taken back", status=201)
async def withdraw_consent(call: Call, body: WithdrawalIn) -> Answer[ConsentOut]:
    """Ends what was given before and is covered, of whatever kind; who asks not to be reached at all opts out."""
    about = _about(call, body)

    def unit(connection: Connection) -> Answer[ConsentOut]:
        check_campaign(connection, body.only_campaign, "only_campaign")
        return Answer(body=respect_views.consent(consents.withdraw(connection, about, now=call.now)))

    return await call.commit(unit)


@routes.add("GET", "/v1/consents", "List grants and withdrawals of consent")
async def list_consents(call: Call, query: NumberQuery) -> Page[ConsentOut]:
    """The newest first, by when they were told."""
    return await page_of(call, query, consents.page, respect_views.consent)


@routes.add("GET", "/v1/refusals", "List refused offers")
async def list_refusals(call: Call, query: NumberQuery) -> Page[Refusal]:
    """The newest first. They come from calls and ``/v1/inbound/calls``."""
    return await page_of(call, query, refusals.page, respect_views.refusal)


def _about(call: Call, body: ConsentAct) -> consents.About:
    fields = {name: getattr(body, name) for name in ABOUT}
    return consents.About(number=number_of(body.number), at=past(body.at, "at", now=call.now), **fields)
