"""Which trunk carries an attempt, where trunks may call, at what price and under which number. It dials nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil

ORDINARY_KINDS = frozenset({"fixed", "mobile", "toll_free", "voip", "uan", "unassigned"})
"""Kinds of numbers that a trunk without a list of destinations may call. ``uan``: a firm's one number for a country."""
DEAR_KINDS = frozenset({"premium_rate", "shared_cost", "personal", "pager", "voicemail", "satellite"})
"""Kinds that cost more than a call, or are what toll fraud is after: only a list that names them opens them."""
NO_COUNTRY = ("+870", "+878", "+881", "+882", "+883", "+888", "+979")
"""Calling codes of satellites, international networks and services (ITU-T E.164, list of assigned country codes)."""
_LONGEST_COUNTRY_CODE = len("+999")
FORBIDDEN = "!"


class Order(StrEnum):
    """In which order a campaign's trunks are asked."""

    LISTED = "listed"
    CHEAPEST = "cheapest"
    """By price a minute for the number; those without a known one come last, and equals as listed."""


class NoWay(StrEnum):
    """Why no trunk was chosen."""

    NONE = ""
    BUSY = "busy"
    """A trunk may carry it, but none has room now; or there is none at all, and one may be added: it waits."""
    DESTINATION_NOT_ALLOWED = "destination_not_allowed"
    """No trunk may ever carry it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A trunk as it is at this moment."""

    trunk: str
    destinations: tuple[str, ...] = ()
    """As in :func:`allowed`."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Price a minute by E.164 prefix, such as ``+4420``; the longest that matches counts."""
    free_channels: int
    tokens: int
    """Calls that may begin now at its calls per second."""
    open: bool
    """Whether its breaker and its rest permit a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The trunk of one attempt, or why there is none."""

    trunk: str | None
    why: NoWay = NoWay.NONE


def allowed(number: str, kind: str, destinations: Sequence[str]) -> bool:
    """Whether a trunk with these ``destinations`` may ever call ``number`` (E.164, of ``kind``).

    An entry is a prefix such as ``+44``, or ``!+4470`` to forbid one; the longest that matches decides, and of equals
    the one that forbids. Without an entry that allows anything, ordinary numbers may be called. Dear ones want an entry
    of their own, one that names more than a country; what is of no known kind wants any.
    """
    if not number.startswith("+"):
        return False
    prefix = _longest(number, (entry.removeprefix(FORBIDDEN) for entry in destinations))
    if prefix is not None and FORBIDDEN + prefix in destinations:
        return False
    dear = kind in DEAR_KINDS or number.startswith(NO_COUNTRY)
    if all(entry.startswith(FORBIDDEN) for entry in destinations):
        return kind in ORDINARY_KINDS and not dear
    return prefix is not None and (not dear or _names_more_than_a_country(prefix))


def rate(number: str, rates: Mapping[str, float]) -> float | None:
    """Price a minute for ``number``; ``None`` when it is not known."""
    prefix = _longest(number, rates)
    return None if prefix is None else rates[prefix]


def cost(rate: float, duration_s: float, increment_s: float = 60, minimum_s: float = 0.0) -> float:
    """Price of a call answered for ``duration_s``: the minimum, then begun increments; nothing when not answered."""
    if duration_s <= 0:
        return 0.0
    # Rounded to a microsecond, so that a sum of floats does not begin an increment of its own.
    beyond = ceil(round(max(0.0, duration_s - minimum_s), 6) / increment_s)
    return rate * (minimum_s + beyond * increment_s) / 60


def choose(number: str, kind: str, ways: Sequence[Way], *, order: Order = Order.LISTED) -> Choice:
    """The first of ``ways`` (in the campaign's order of preference) that may carry the call and has room for it now."""
    fit = [way for way in ways if allowed(number, kind, way.destinations)]
    if ways and not fit:
        return Choice(trunk=None, why=NoWay.DESTINATION_NOT_ALLOWED)
    if order == Order.CHEAPEST:
        fit.sort(key=lambda way: _price(number, way))
    for way in fit:
        if way.open and way.free_channels > 0 and way.tokens > 0:
            return Choice(trunk=way.trunk)
    return Choice(trunk=None, why=NoWay.BUSY)


def caller_id(number: str, campaign_ids: Mapping[str, str], default: str) -> str:
    """The number to show to ``number``: that of the longest prefix that matches, such as one for its country."""
    prefix = _longest(number, campaign_ids)
    return default if prefix is None else campaign_ids[prefix]


def _longest(number: str, prefixes: Iterable[str]) -> str | None:
    return max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default=None)


def _names_more_than_a_country(prefix: str) -> bool:
    """Country codes have at most three digits (ITU-T E.164 §6.2.1); a code of no country is named by itself."""
    return len(prefix) > _LONGEST_COUNTRY_CODE or prefix.startswith(NO_COUNTRY)


def _price(number: str, way: Way) -> float:
    price = rate(number, way.rates)
    return float("inf") if price is None else price
