"""Opt-outs: recorded as events that are never undone here, with everything they cancel in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select

from campaigns.attempts import State
from campaigns.dispositions import Disposition
from campaigns.gate import CODES
from outbound.ids import new_id
from outbound.importing.numbers import same_mobile
from outbound.store import by_number, events
from outbound.store.campaigns import complete_if_over
from outbound.store.ending import end_unsent
from outbound.store.erased import names_of
from outbound.store.schema import LIVE as LIVE_NOW
from outbound.store.schema import attempts, campaigns, contacts, opt_ins, opt_outs

T = TypeVar("T")
PURPOSES = frozenset({"marketing", "informational", "transactional", "emergency"})
LIVE = (State.CLAIMED, State.DIALING)
AT_ONCE = 500
"""Numbers or rows in one statement at most: both databases bound its parameters."""
OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Which attempts to a number an opt-out covers."""

    number: str
    """E.164."""
    scope: str = "all"
    """``all`` or a purpose; what is neither covers everything, for nobody is reached on a guess."""
    channel: str = ""
    """Empty for all channels."""
    only_campaign: str = ""
    """Empty for all campaigns."""

    @property
    def everything(self) -> bool:
        """Whether no attempt to the number is left out."""
        return self.scope not in PURPOSES and not self.channel and not self.only_campaign

    def clauses(self) -> list[ColumnElement[bool]]:
        """The same as conditions on attempts joined with their campaigns, but for the number."""
        found = []
        if self.scope in PURPOSES:
            found.append(campaigns.c.purpose == self.scope)
        if self.channel:
            found.append(attempts.c.channel == self.channel)
        if self.only_campaign:
            found.append(attempts.c.campaign_id == self.only_campaign)
        return found


def record(
    connection: Connection,
    *,
    number: str,
    scope: str,
    channel: str = "",
    only_campaign: str = "",
    source: str,
    words: str,
    campaign_id: str | None = None,
    attempt_id: str | None = None,
    now: float,
) -> RowMapping:
    """Store an opt-out of an E.164 number and cancel its due attempts that it covers (:class:`Cover`).

    ``source``: ``speech``, ``digits``, ``sms``, ``agent``, ``rest``, ``import`` or ``inbound``; ``campaign_id`` and
    ``attempt_id``: where it was said. Claimed and ringing attempts are ended by the line pool, which watches
    ``optout.created``. It is no older than any opt-in that was told before: a clock that was ahead then lifts nothing.
    """
    events.take_turn(connection)
    at = max(now, _newest_opt_in(connection, number))
    cover = Cover(number=number, scope=scope, channel=channel, only_campaign=only_campaign)
    told = {"number": number, "scope": scope, "channel": channel, "only_campaign": only_campaign, "source": source}
    place = {"campaign_id": campaign_id, "attempt_id": attempt_id}
    opt_out_id = new_id(now)
    row = told | place | {"id": opt_out_id, "words": words, "created_at": at}
    connection.execute(insert(opt_outs), row)
    events.append(connection, at=now, kind="optout.created", data={"id": opt_out_id} | told, **place)
    cancel_due(connection, [number], *cover.clauses(), rule=f"opt-out {opt_out_id}", now=now)
    return by_number.get(connection, opt_outs, opt_out_id)


def of(connection: Connection, names: Sequence[str]) -> Sequence[RowMapping]:
    """Read somebody's opt-outs, the oldest first."""
    return by_number.rows_of(connection, opt_outs, names)


def page(
    connection: Connection, *, names: Sequence[str] | None, before: str | None, limit: int
) -> Sequence[RowMapping]:
    """List opt-outs, the newest first."""
    return by_number.page(connection, opt_outs, names=names, before=before, limit=limit)


def covered(connection: Connection, cover: Cover, states: Collection[State] = LIVE) -> set[str]:
    """Ids of live attempts in ``states`` that an opt-out covers: to its number, or to another of the same customer."""
    forms = set(same_mobile(cover.number))
    live = select(attempts.c.id, attempts.c.number, contacts.c.number.label("main"), contacts.c.alternates)
    live = live.join(campaigns, attempts.c.campaign_id == campaigns.c.id)
    live = live.join(contacts, attempts.c.contact_id == contacts.c.id)
    live = live.where(LIVE_NOW, attempts.c.state.in_(states), *cover.clauses())
    return {
        row.id
        for row in connection.execute(live)
        if forms & {row.number, row.main, *(other["number"] for other in row.alternates)}
    }


def cancel_due(
    connection: Connection, numbers: Sequence[str], /, *clauses: ColumnElement[bool], rule: str, now: float
) -> None:
    """Cancel the due attempts to ``numbers`` that meet ``clauses``, each with the receipt that cites ``rule``.

    The caller has its turn (``events.take_turn``).
    """
    touched: set[str] = set()
    for some in _parts([form for number in numbers for form in same_mobile(number)]):
        query = (
            select(attempts, campaigns.c.purpose)
            .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
            .where(attempts.c.number.in_(some), attempts.c.state == State.DUE)
            .where(*clauses)
            .with_for_update(of=attempts)
        )
        for rows in _parts(connection.execute(query).mappings().all()):
            code, reason = OPTED_OUT, CODES[OPTED_OUT]
            end_unsent(connection, rows, Disposition.CANCELLED, code=code, reason=reason, rule=rule, now=now)
            touched |= {row["campaign_id"] for row in rows}
    for campaign_id in sorted(touched):
        complete_if_over(connection, campaign_id, now=now)


def _newest_opt_in(connection: Connection, number: str) -> float:
    """When somebody last opted in, by the clock of who wrote it; 0 for never."""
    theirs = by_number.theirs(opt_ins, names_of(connection, number))
    return float(connection.execute(select(func.max(opt_ins.c.created_at)).where(theirs)).scalar() or 0.0)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
