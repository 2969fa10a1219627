"""Cursor paging: a page is cut from one row more than was asked for; the cursor hides the id of its last row."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from outbound.api.models import FieldError, ListQuery, Page
from outbound.api.problems import InvalidFields
from outbound.api.views import Row

M = TypeVar("M", bound=BaseModel)


def cursor_of(query: ListQuery) -> str | None:
    """Return the id that the page begins behind. Raises :class:`InvalidFields` for a cursor nobody gave out."""
    if query.cursor is None:
        return None
    try:
        return base64.b64decode(query.cursor, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        reason = "the cursor was not given out here; take next_cursor of the page before"
        raise InvalidFields([FieldError(field="cursor", code="invalid_cursor", reason=reason)]) from error


def cut(rows: Sequence[Row], query: ListQuery, show: Callable[[Row], M], key: str = "id") -> Page[M]:
    """Make a page of ``rows``, which were read with a limit of ``query.limit + 1``."""
    shown = rows[: query.limit]
    more = len(rows) > len(shown)
    following = base64.urlsafe_b64encode(str(shown[-1][key]).encode()).decode() if more else None
    return Page(items=[show(row) for row in shown], next_cursor=following)
