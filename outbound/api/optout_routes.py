"""``/v1/optouts`` and ``/v1/optins``: who must not be reached, and who wants to be again; events, never undone."""

from __future__ import annotations

from sqlalchemy import Connection

from outbound.api import respect_views, views
from outbound.api.calls import Call
from outbound.api.given import check_campaign, number_of, page_of, past
from outbound.api.models import NumberQuery, OptOut, OptOutIn, Page
from outbound.api.planning import plan_again
from outbound.api.respect_models import OptIn, OptInIn
from outbound.api.routes import Answer, Routes
from outbound.quiet import until_quiet
from outbound.store import contacts, optins, optouts
from outbound.store.optouts import Cover

routes = Routes("opt-outs")


@routes.add("POST", "/v1/optouts", "Record an opt-out", status=201)
async def create_opt_out(call: Call, body: OptOutIn) -> Answer[OptOut]:
    """Counts at once: what waits and is covered is cancelled with it, what rings is ended.

    Answered when no call that is covered can begin any more, which takes a moment where one is just being placed. A
    call that was answered may finish.
    """
    number = number_of(body.number)
    fields = body.model_dump(exclude={"number"})

    def unit(connection: Connection) -> Answer[OptOut]:
        check_campaign(connection, body.only_campaign, "only_campaign")
        check_campaign(connection, body.campaign_id, "campaign_id")
        row = optouts.record(connection, number=number, **fields, now=call.now)
        return Answer(body=views.opt_out(row))

    answer = await call.commit(unit)
    cover = {name: fields[name] for name in ("scope", "channel", "only_campaign")}
    await until_quiet(call.services, Cover(number=number, **cover))
    return answer


@routes.add("GET", "/v1/optouts", "List opt-outs")
async def list_opt_outs(call: Call, query: NumberQuery) -> Page[OptOut]:
    """The newest first."""
    return await page_of(call, query, optouts.page, views.opt_out)


@routes.add("POST", "/v1/optins", "Record an opt-in", status=201)
async def create_opt_in(call: Call, body: OptInIn) -> Answer[OptIn]:
    """Lifts opt-outs that are older and covered; only the customer's own act does."""
    number, at = number_of(body.number), past(body.at, "at", now=call.now)
    fields = body.model_dump(exclude={"number", "at"})

    def unit(connection: Connection) -> Answer[OptIn]:
        row = optins.record(connection, number=number, **fields, at=at, now=call.now)
        again = contacts.reconsider(connection, contacts.CURED_BY_OPT_IN, numbers=[number], now=call.now)
        return Answer(body=respect_views.opt_in(row), after=plan_again(call, again))

    return await call.commit(unit)


@routes.add("GET", "/v1/optins", "List opt-ins")
async def list_opt_ins(call: Call, query: NumberQuery) -> Page[OptIn]:
    """The newest first, by when they were told."""
    return await page_of(call, query, optins.page, respect_views.opt_in)
