"""``/v1/inbound``: what customers tell us by themselves, by text message or by calling in; channels hand it in here."""

from __future__ import annotations

import contextlib

import phonenumbers
from sqlalchemy import Connection

from campaigns.understanding.messages import MessageMeaning, read_message
from outbound.api import respect_views, views
from outbound.api.calls import Call
from outbound.api.given import number_of, wrong
from outbound.api.planning import plan_again
from outbound.api.respect_models import InboundCallIn, InboundMessageIn, Understood
from outbound.api.routes import Answer, Routes
from outbound.importing.numbers import NumberRefused, as_given, e164
from outbound.quiet import until_quiet
from outbound.store import contacts, events, optins, optouts, refusals
from outbound.store.optouts import Cover

routes = Routes("inbound")


@routes.add("POST", "/v1/inbound/messages", "Hand in a text message of a customer")
async def receive_message(call: Call, body: InboundMessageIn) -> Answer[Understood]:
    """An opt-out by message covers all channels; an opt-in by message brings back messages alone.

    An opt-out counts whatever its number looks like: it is kept as the digits that were given.
    """
    number = _sender(body.sender)
    meaning = read_message(body.text, region=_region(number), offered=body.offered, asked_yes=body.asked_yes)
    if meaning is not MessageMeaning.OPT_OUT:
        number = number_of(body.sender, "from")
    words = body.text.strip()[:500]

    def unit(connection: Connection) -> Answer[Understood]:
        shown = Understood(meaning="none" if meaning is None else meaning.value)
        again: set[str] = set()
        said = {"number": number, "source": "sms", "words": words}
        if meaning is MessageMeaning.OPT_OUT:
            row = optouts.record(connection, **said, scope="all", now=call.now)
            shown = Understood(meaning="opt_out", opt_out=views.opt_out(row))
        elif meaning is MessageMeaning.OPT_IN:
            row = optins.record(connection, **said, scope="all", channel="sms", at=call.now, now=call.now)
            shown = Understood(meaning="opt_in", opt_in=respect_views.opt_in(row))
            again = _reconsider(connection, number, call.now)
        _tell(connection, "inbound.message", number, body.to, shown, call.now)
        return Answer(body=shown, after=plan_again(call, again))

    answer = await call.commit(unit)
    if meaning is MessageMeaning.OPT_OUT:
        await until_quiet(call.services, Cover(number=number))
    return answer


@routes.add("POST", "/v1/inbound/calls", "Hand in what a customer said who called us")
async def receive_call(call: Call, body: InboundCallIn) -> Answer[Understood]:
    """What was understood is said by who hands it in: the telephone system by its digits, or a person.

    An opt-out counts whatever its number looks like: it is kept as the digits that were given.
    """
    number = _sender(body.sender) if body.act == "opt_out" else number_of(body.sender, "from")

    def unit(connection: Connection) -> Answer[Understood]:
        said = {"number": number, "source": "inbound", "words": body.words}
        covers = {"scope": body.scope, "channel": body.channel}
        again: set[str] = set()
        match body.act:
            case "opt_out":
                row = optouts.record(connection, **said, **covers, now=call.now)
                shown = Understood(meaning="opt_out", opt_out=views.opt_out(row))
            case "opt_in":
                row = optins.record(connection, **said, **covers, at=call.now, now=call.now)
                shown = Understood(meaning="opt_in", opt_in=respect_views.opt_in(row))
                again = _reconsider(connection, number, call.now)
            case "refusal":
                row = refusals.record(connection, **said, purpose=body.scope, now=call.now)
                shown = Understood(meaning="refusal", refusal=respect_views.refusal(row))
        _tell(connection, "inbound.call", number, body.to, shown, call.now)
        return Answer(body=shown, after=plan_again(call, again))

    answer = await call.commit(unit)
    if body.act == "opt_out":
        await until_quiet(call.services, Cover(number=number, scope=body.scope, channel=body.channel))
    return answer


def _reconsider(connection: Connection, number: str, now: float) -> set[str]:
    """Have contacts that were refused because of an opt-out planned again; return their campaigns."""
    return contacts.reconsider(connection, contacts.CURED_BY_OPT_IN, numbers=[number], now=now)


def _sender(text: str) -> str:
    """Read a sender as E.164, else as ``+`` and its digits. Raises :class:`InvalidFields` where there are none."""
    with contextlib.suppress(NumberRefused):
        return e164(text)
    try:
        return as_given(text)
    except NumberRefused as error:
        raise wrong("from", error.code, error.detail) from error


def _region(number: str) -> str:
    """ISO 3166 region of a number; empty for what is no number of any country."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""


def _tell(connection: Connection, kind: str, number: str, to: str, shown: Understood, now: float) -> None:
    """Append the event; the customer's words are with what they made, not here."""
    events.append(connection, at=now, kind=kind, data={"number": number, "to": to, "meaning": shown.meaning})
