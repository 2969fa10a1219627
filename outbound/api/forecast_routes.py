"""``/v1/campaigns/{id}/forecast``: how many customers the gate would let a campaign reach in each of the next hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from campaigns.rules import RulesError
from outbound.api.calls import Call
from outbound.api.gate_models import Forecast, ForecastHour, ForecastQuery
from outbound.api.routes import Routes
from outbound.errors import Conflict
from outbound.gatehouse.forecast import Outlook, outlook
from outbound.store import campaigns

routes = Routes("campaigns")


@routes.add("GET", "/v1/campaigns/{campaign_id}/forecast", "Forecast whom the gate lets a campaign reach")
async def get_forecast(call: Call, campaign_id: str, query: ForecastQuery) -> Forecast:
    """Hour by hour, by what is known now: rules, zones, holidays, consent, opt-outs, earlier attempts, the campaign's
    own terms. It counts customers who are not done with, and knows nothing of lines and agents."""
    start = query.start.timestamp() if query.start is not None else call.now

    def unit(connection: Connection) -> Outlook:
        row = campaigns.get(connection, campaign_id)
        try:
            return outlook(connection, row, start=start, hours=query.hours)
        except RulesError as error:
            raise Conflict(f"the rules cannot be read: {error}", code=error.code) from error

    found = await call.services.store.survey(unit)
    begin = datetime.fromtimestamp(start, UTC)
    pairs = zip(found.reachable, found.newly, strict=True)
    return Forecast(
        campaign_id=campaign_id,
        at=begin,
        contacts=found.contacts,
        hours=[
            ForecastHour(start=begin + timedelta(hours=hour), reachable=reachable, newly=newly)
            for hour, (reachable, newly) in enumerate(pairs)
        ],
        later=found.later,
        never=dict(found.never),
    )
