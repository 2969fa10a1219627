"""What a chaos run does: who is rung in which campaign, who never is, what strikes when. Pure: drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from outbound.rehearsal.chaos.people import numbers
from outbound.rehearsal.morning import morning_zone

NIGHT_HOUR = 2
RETRY_S = 2
PAUSE_S = 4.0
"""How long the paused campaign rests, at least."""
FIRST, LAST = 0.04, 0.88
"""Strikes fall between these shares of the people rung."""


class Layout(StrEnum):
    """How the product is run."""

    EMBEDDED = "embedded"
    """``outbound up``: one host with SQLite and its own Valkey."""
    PARTS = "parts"
    """``outbound web``, ``worker`` and ``dialer``, two of the latter, over PostgreSQL and a Valkey."""


class Strike(StrEnum):
    """What is done to the product."""

    HOST = "host"
    WEB = "web"
    WORKER = "worker"
    DIALER = "dialer"
    LINE = "line process"
    RECOGNISER = "recogniser"
    SYNTHESISER = "synthesiser"
    VALKEY = "Valkey"
    FLUSH = "FLUSHALL"
    POSTGRES = "PostgreSQL"
    DISK = "full disk"
    DRAIN = "graceful stop"


KINDS = {
    Layout.EMBEDDED: (
        *(Strike.HOST, Strike.DISK, Strike.LINE, Strike.VALKEY, Strike.DRAIN),
        *(Strike.FLUSH, Strike.RECOGNISER, Strike.SYNTHESISER),
    ),
    Layout.PARTS: (
        *(Strike.DIALER, Strike.POSTGRES, Strike.DISK, Strike.LINE, Strike.WORKER, Strike.DRAIN),
        *(Strike.VALKEY, Strike.WEB, Strike.FLUSH, Strike.RECOGNISER, Strike.SYNTHESISER),
    ),
}
"""Everything that can happen to a layout; first what takes longest to be settled (a lease has to end)."""
WEIGHTS = {Strike.HOST: 4, Strike.DIALER: 4, Strike.LINE: 4, Strike.POSTGRES: 2, Strike.DISK: 2, Strike.DRAIN: 2}
"""How much more often these strike than the others: they are where calls could be lost."""


class Key(StrEnum):
    """The campaigns of a run."""

    PAUSED = "paused"
    CANCELLED = "cancelled"
    AGAIN = "again"
    ONCE = "once"
    NIGHT = "night"


class Never(StrEnum):
    """Why somebody must not be rung at all."""

    OPTED_OUT = "opted out before"
    NIGHT = "it is night there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One contact of one campaign; nobody is in two."""

    number: str
    campaign: Key
    zone: str
    never: Never | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """A campaign as it is created."""

    key: Key
    max_attempts: int
    delays_s: dict[str, int] = field(default_factory=dict)
    max_concurrent: int = 100


CAMPAIGNS = (
    CampaignPlan(key=Key.PAUSED, max_attempts=1, max_concurrent=3),
    CampaignPlan(key=Key.CANCELLED, max_attempts=1, max_concurrent=3),
    CampaignPlan(
        key=Key.AGAIN, max_attempts=2, delays_s={"busy": RETRY_S, "congestion": RETRY_S, "no_answer": RETRY_S}
    ),
    CampaignPlan(key=Key.ONCE, max_attempts=1),
    CampaignPlan(key=Key.NIGHT, max_attempts=1),
)
"""In the order in which they begin: those that few lines may serve go on beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One strike and when it falls."""

    kind: Strike
    share: float
    """Of the people to be rung, how many have been when it falls."""
    choice: float
    """From 0 to below 1: which of several is struck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run over one layout."""

    layout: Layout
    seed: int
    people: tuple[Person, ...]
    opt_outs: tuple[tuple[float, str], ...]
    """Who opts out during the run, and at which share of the people rung."""
    blows: tuple[Blow, ...]

    @property
    def to_ring(self) -> int:
        """How many people are to be rung if nothing comes between."""
        return sum(person.never is None for person in self.people)


def draw_plan(layout: Layout, *, attempts: int, kills: int, seed: int, now: datetime) -> Plan:
    """Draw a run for ``attempts`` people (retries come on top) and ``kills`` strikes, every kind among them."""
    chance = random.Random(f"{seed}/{layout}")  # noqa: S311 - a plan to be repeated, no secret
    people = _people(attempts, chance, now)
    stoppable = [person.number for person in people if person.never is None and person.campaign in _LONG]
    leaving = chance.sample(stoppable, max(2, len(stoppable) // 25))
    opt_outs = tuple(sorted((chance.uniform(0.0, 0.95), number) for number in leaving))
    return Plan(layout=layout, seed=seed, people=tuple(people), opt_outs=opt_outs, blows=_blows(layout, kills, chance))


_LONG = (Key.AGAIN, Key.ONCE)


def _people(attempts: int, chance: random.Random, now: datetime) -> list[Person]:
    morning, night = morning_zone(now)[0], night_zone(now)
    aside = max(2, attempts // 50)
    taken = numbers(attempts + 2 * aside)
    chance.shuffle(taken)
    to_ring, opted_out, asleep = taken[:attempts], taken[attempts : attempts + aside], taken[attempts + aside :]
    tenth = attempts // 10
    keys = [Key.PAUSED] * tenth + [Key.CANCELLED] * tenth + [Key.ONCE] * (attempts // 4)
    keys += [Key.AGAIN] * (attempts - len(keys))
    people = [Person(number=number, campaign=key, zone=morning) for number, key in zip(to_ring, keys, strict=True)]
    people += [
        Person(number=number, campaign=_LONG[place % 2], zone=morning, never=Never.OPTED_OUT)
        for place, number in enumerate(opted_out)
    ]
    people += [Person(number=number, campaign=Key.NIGHT, zone=night, never=Never.NIGHT) for number in asleep]
    return people


def night_zone(now_utc: datetime) -> str:
    """A zone in which it is between two and three at night (the signs of Etc/GMT zones are inverted)."""
    offset = NIGHT_HOUR - now_utc.hour
    if offset < -12:
        offset += 24
    return "Etc/GMT" if offset == 0 else f"Etc/GMT{-offset:+d}"


def _blows(layout: Layout, kills: int, chance: random.Random) -> tuple[Blow, ...]:
    kinds: list[Strike] = list(KINDS[layout][:kills])
    more = chance.choices(KINDS[layout], _weights(KINDS[layout]), k=max(0, kills - len(kinds)))
    if more:
        kinds += more
        chance.shuffle(kinds)
    step = (LAST - FIRST) / max(1, kills)
    return tuple(
        Blow(kind=kind, share=FIRST + step * (place + 0.5 * chance.random()), choice=chance.random())
        for place, kind in enumerate(kinds)
    )


def _weights(kinds: Sequence[Strike]) -> list[int]:
    return [WEIGHTS.get(kind, 1) for kind in kinds]
