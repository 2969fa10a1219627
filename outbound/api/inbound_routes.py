"""``/v1/inbound``: what customers tell us by themselves, by text message or by calling in; channels hand it in here."""

from __future__ import annotations

import phonenumbers
from sqlalchemy import Connection

from campaigns.understanding.messages import MessageMeaning, read_message
from outbound.api import respect_views, views
from outbound.api.calls import Call
from outbound.api.given import number_of
from outbound.api.respect_models import InboundCallIn, InboundMessageIn, Understood
from outbound.api.routes import Answer, Routes
from outbound.quiet import until_quiet
from outbound.store import events, optins, optouts, refusals
from outbound.store.optouts import Cover

routes = Routes("inbound")


@routes.add("POST", "/v1/inbound/messages", "Hand in a text message of a customer")
async def receive_message(call: Call, body: InboundMessageIn) -> Answer[Understood]:
    """An opt-out by message covers all channels; an opt-in by message brings back messages alone."""
    number = number_of(body.sender, "from")
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    meaning = read_message(body.text, region=region, offered=body.offered, asked_yes=body.asked_yes)
    words = body.text.strip()[:500]

    def unit(connection: Connection) -> Answer[Understood]:
        shown = Understood(meaning="none" if meaning is None else meaning.value)
        said = {"number": number, "source": "sms", "words": words}
        if meaning is MessageMeaning.OPT_OUT:
            row = optouts.record(connection, **said, scope="all", now=call.now)
            shown = Understood(meaning="opt_out", opt_out=views.opt_out(row))
        elif meaning is MessageMeaning.OPT_IN:
            row = optins.record(connection, **said, scope="all", channel="sms", at=call.now, now=call.now)
            shown = Understood(meaning="opt_in", opt_in=respect_views.opt_in(row))
        _tell(connection, "inbound.message", number, body.to, shown, call.now)
        return Answer(body=shown)

    answer = await call.commit(unit)
    if meaning is MessageMeaning.OPT_OUT:
        await until_quiet(call.services, Cover(number=number))
    return answer


@routes.add("POST", "/v1/inbound/calls", "Hand in what a customer said who called us")
async def receive_call(call: Call, body: InboundCallIn) -> Answer[Understood]:
    """What was understood is said by who hands it in: the telephone system by its digits, or a person."""
    number = number_of(body.sender, "from")

    def unit(connection: Connection) -> Answer[Understood]:
        said = {"number": number, "source": "inbound", "words": body.words}
        covers = {"scope": body.scope, "channel": body.channel}
        match body.act:
            case "opt_out":
                row = optouts.record(connection, **said, **covers, now=call.now)
                shown = Understood(meaning="opt_out", opt_out=views.opt_out(row))
            case "opt_in":
                row = optins.record(connection, **said, **covers, at=call.now, now=call.now)
                shown = Understood(meaning="opt_in", opt_in=respect_views.opt_in(row))
            case "refusal":
                row = refusals.record(connection, **said, purpose=body.scope, now=call.now)
                shown = Understood(meaning="refusal", refusal=respect_views.refusal(row))
        _tell(connection, "inbound.call", number, body.to, shown, call.now)
        return Answer(body=shown)

    answer = await call.commit(unit)
    if body.act == "opt_out":
        await until_quiet(call.services, Cover(number=number, scope=body.scope, channel=body.channel))
    return answer


def _tell(connection: Connection, kind: str, number: str, to: str, shown: Understood, now: float) -> None:
    """Append the event; the customer's words are with what they made, not here."""
    events.append(connection, at=now, kind=kind, data={"number": number, "to": to, "meaning": shown.meaning})
