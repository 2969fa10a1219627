"""``/v1/decisions``: the gate's answer to a supposed question, for one customer or for many; nobody is reached."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from outbound.api import bodies
from outbound.api.calls import Call
from outbound.api.gate_models import DecisionAnswer, DecisionFault, DecisionIn, DecisionOut, DecisionsOut
from outbound.api.problems import InvalidFields
from outbound.api.routes import Answer, Routes
from outbound.errors import OutboundError
from outbound.gatehouse.dry_run import dry_run

routes = Routes("decisions")
LIST_LIMIT = 1000
JSON_LIMIT = 4 * 1024 * 1024


@routes.add(
    "POST",
    "/v1/decisions",
    "Ask the gate",
    consumes={
        "application/json": {"anyOf": [DecisionIn, {"type": "array", "items": DecisionIn, "maxItems": LIST_LIMIT}]}
    },
    answers={200: DecisionAnswer},
)
async def decide(call: Call) -> Answer[DecisionOut | DecisionsOut]:
    """May this customer be reached, on this channel, for this purpose, at this instant; if not, why, and from when?

    One question is answered as an object, a list of up to 1000 as ``items`` in its order; a question of a list that
    makes no sense is answered there, with ``allowed`` false. Nothing is stored. With ``rules``, packs can be tried out
    before they are put in force.
    """
    value, call.fingerprint = await bodies.read_json(call.request, JSON_LIMIT)
    if not isinstance(value, list):
        asked = bodies.validate(DecisionIn, value)
        return Answer(body=await call.read(lambda connection: dry_run(connection, asked, now=call.now)))
    if len(value) > LIST_LIMIT:
        detail = f"the list has {len(value)} questions and {LIST_LIMIT} are answered at once; split it"
        raise OutboundError(detail, code="too_large", status=413)
    answered = await call.services.store.survey(lambda connection: _answer_all(connection, value, call.now))
    return Answer(body=answered)


def _answer_all(connection: Connection, items: list[Any], now: float) -> DecisionsOut:
    return DecisionsOut(items=[_answer(connection, item, now) for item in items])


def _answer(connection: Connection, item: Any, now: float) -> DecisionOut | DecisionFault:
    try:
        return dry_run(connection, bodies.validate(DecisionIn, item), now=now)
    except InvalidFields as error:
        first = error.errors[0]
        return DecisionFault(code=first.code, reason=first.reason, field=first.field)
    except OutboundError as error:
        return DecisionFault(code=error.code, reason=error.detail)
