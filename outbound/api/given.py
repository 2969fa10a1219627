"""What requests about customers have in common: numbers, campaigns, instants, lists; faults are named by field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping

from outbound.api.calls import Call
from outbound.api.models import FieldError, NumberQuery, Page
from outbound.api.paging import cursor_of, cut
from outbound.api.problems import InvalidFields
from outbound.api.views import Row
from outbound.errors import NotFound
from outbound.importing.numbers import NumberRefused, e164
from outbound.store import campaigns
from outbound.store.erased import names_of

M = TypeVar("M", bound=BaseModel)
FURTHEST_EAST = timedelta(hours=14)
"""Where a date begins first (Kiritimati)."""


def number_of(text: str, field: str = "number") -> str:
    """Read a number as E.164. Raises :class:`InvalidFields`."""
    try:
        return e164(text)
    except NumberRefused as error:
        raise wrong(field, error.code, error.detail) from error


def check_campaign(connection: Connection, campaign_id: str | None, field: str) -> None:
    """Make sure that a campaign, where one is named, is there. Raises :class:`InvalidFields`."""
    if not campaign_id:
        return
    try:
        campaigns.get(connection, campaign_id)
    except NotFound as error:
        raise wrong(field, error.code, error.detail) from error


def past(given: datetime | None, field: str, *, now: float) -> float:
    """Seconds since the epoch of what has happened; now where nothing is said. Raises :class:`InvalidFields`."""
    if given is None:
        return now
    if given.timestamp() > now:
        raise wrong(field, "in_the_future", "the instant has not come yet; leave it out for now")
    return given.timestamp()


def list_date(text: str | None, field: str, *, now: float) -> float | None:
    """Read a list's own date, or the instant it was made. A date counts from its beginning in UTC, at most from now."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        try:
            made = datetime.fromisoformat(text)
        except ValueError:
            made = datetime.min
        if made.tzinfo is None:
            reason = "give the list's own date, such as 2026-11-20, or an instant in RFC 3339"
            raise wrong(field, "not_a_date", reason) from None
        return past(made, field, now=now)
    if day > (datetime.fromtimestamp(now, UTC) + FURTHEST_EAST).date():
        raise wrong(field, "in_the_future", "no list can be of a day that has not come yet")
    return min(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp(), now)


class ReadPage(Protocol):
    """Lists the rows of somebody, or of everybody, the newest first (outbound/store/by_number.py)."""

    def __call__(
        self, connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
    ) -> Sequence[RowMapping]:
        """Read up to ``limit`` rows whose id is below ``before``."""


async def page_of(call: Call, query: NumberQuery, read: ReadPage, show: Callable[[Row], M]) -> Page[M]:
    """A page of rows; those of a number are found also when the person was erased and they stand under a token."""
    before = cursor_of(query)

    def unit(connection: Connection) -> Page[M]:
        names = None if query.number is None else names_of(connection, query.number)
        return cut(read(connection, names=names, before=before, limit=query.limit + 1), query, show)

    return await call.read(unit)


def wrong(field: str, code: str, reason: str) -> InvalidFields:
    """Build the refusal of one field."""
    return InvalidFields([FieldError(field=field, code=code, reason=reason)])
