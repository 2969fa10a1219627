"""What the store knows of numbers, put as the gate's facts: for a whole batch at once, since plans are large.

It decides nothing: what counts against whom is the gate's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, RowMapping, Table, bindparam, select

from campaigns.dispositions import ANSWERED, Disposition
from campaigns.gate import Consent, Listing, OptIn, OptOut, Reached, Refusal, RegisterFact, Scope, Withdrawal
from outbound.importing.numbers import same_mobile
from outbound.store import by_number, registers
from outbound.store.erased import tokens_of
from outbound.store.schema import attempts, campaigns, consents, opt_ins, opt_outs, refusals

HISTORY_S = 400 * 86400
"""How far back earlier attempts are looked at: longer than any cap may reach."""
INFINITY = float("inf")
CHUNK = 400
"""Numbers asked about in one query."""


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of one number."""

    opt_outs: list[OptOut] = field(default_factory=list)
    opt_ins: list[OptIn] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    history: list[Reached] = field(default_factory=list)
    registers: dict[str, RegisterFact] = field(default_factory=dict)
    house_lists: tuple[Listing, ...] = ()


def facts_of(connection: Connection, numbers: Sequence[str], *, at: float) -> dict[str, Facts]:
    """What is committed, or written by this unit, about ``numbers`` (E.164); every one has an entry.

    An erased person is known by a token instead of the number: what was said before still counts.
    """
    found: dict[str, Facts] = {}
    for start in range(0, len(numbers), CHUNK):
        found |= _chunk(connection, numbers[start : start + CHUNK], at)
    return found


def together(known: Sequence[Facts]) -> Facts:
    """What is known of a customer with several numbers, the one to be called first.

    Whatever stands against any of them counts; consent is that of the number alone.
    """
    if len(known) == 1:
        return known[0]
    listed = {name for facts in known for name, fact in facts.registers.items() if fact.listed}
    return Facts(
        opt_outs=[one for facts in known for one in facts.opt_outs],
        opt_ins=known[0].opt_ins if not any(facts.opt_outs for facts in known[1:]) else [],
        consents=known[0].consents,
        withdrawals=[one for facts in known for one in facts.withdrawals],
        refusals=[one for facts in known for one in facts.refusals],
        history=[one for facts in known for one in facts.history],
        registers={name: replace(fact, listed=name in listed) for name, fact in known[0].registers.items()},
        house_lists=tuple(one for facts in known for one in facts.house_lists),
    )


def _chunk(connection: Connection, numbers: Sequence[str], at: float) -> dict[str, Facts]:
    found = {number: Facts() for number in numbers}
    owners = _owners(connection, numbers)
    names = tuple(owners)

    def rows(table: Table) -> Iterable[tuple[Facts, RowMapping]]:
        for row in by_number.rows_of(connection, table, names):
            yield from ((found[number], row) for number in owners[row["number"]])

    for facts, row in rows(opt_outs):
        facts.opt_outs.append(OptOut(id=row["id"], at=row["created_at"], scope=_scope(row, row["only_campaign"])))
    for facts, row in rows(opt_ins):
        facts.opt_ins.append(OptIn(id=row["id"], at=row["created_at"], scope=_scope(row)))
    for facts, row in rows(consents):
        _add_consent(facts, row)
    for facts, row in rows(refusals):
        facts.refusals.append(Refusal(id=row["id"], at=row["created_at"], purpose=row["purpose"]))
    for row in connection.execute(_TRIED, {"names": names, "since": at - HISTORY_S}).mappings():
        for number in owners[row["number"]]:
            found[number].history.append(_reached(row))
    _look_up_registers(connection, found)
    return found


def _owners(connection: Connection, numbers: Sequence[str]) -> dict[str, list[str]]:
    """Names in the tables, each with those of ``numbers`` that go by it: several where they reach one telephone."""
    owners: dict[str, list[str]] = {}
    for number in numbers:
        for form in same_mobile(number):
            owners.setdefault(form, []).append(number)
    return owners | {token: owners[form] for form, token in tokens_of(connection, tuple(owners)).items()}


def _scope(row: RowMapping, campaign: str = "") -> Scope:
    return Scope(purpose=row["scope"], channel=row["channel"], campaign=campaign)


def _add_consent(facts: Facts, row: RowMapping) -> None:
    scope = _scope(row, row["only_campaign"])
    if row["event"] != "granted":
        facts.withdrawals.append(Withdrawal(id=row["id"], at=row["at"], scope=scope))
        return
    until = {} if row["expires_at"] is None else {"until": row["expires_at"]}
    proven = bool(row["proof"])
    facts.consents.append(Consent(id=row["id"], kind=row["kind"], scope=scope, at=row["at"], proven=proven, **until))


_TRIED = (
    select(
        *(attempts.c[name] for name in ("number", "dialed_at", "channel", "campaign_id", "disposition", "answered_at")),
        campaigns.c.purpose,
    )
    .join(campaigns, attempts.c.campaign_id == campaigns.c.id)
    .where(attempts.c.number.in_(bindparam("names", expanding=True)), attempts.c.dialed_at > bindparam("since"))
)
"""Attempts that left, lately."""


def _reached(row: RowMapping) -> Reached:
    """An attempt that left; one of which nobody knows the end counts as any outcome."""
    disposition = row["disposition"] or ""
    answered = None if disposition in ("", Disposition.UNDETERMINED) else disposition in ANSWERED
    return Reached(
        at=row["dialed_at"],
        channel=row["channel"],
        purpose=row["purpose"],
        campaign=row["campaign_id"],
        outcome="" if answered is None else disposition,
        answered=answered,
    )


def _look_up_registers(connection: Connection, found: dict[str, Facts]) -> None:
    states = registers.states(connection)
    if not states:
        return
    listed = registers.lookup(connection, tuple(found))
    told = registers.told_at(connection, [number for number, on in listed.items() if on])
    for number, facts in found.items():
        on, since = listed[number], told.get(number, {})
        house = sorted(name for name in on if states[name].kind == "house")
        facts.house_lists = tuple(Listing(name=name, since=since.get(name, INFINITY)) for name in house)
        facts.registers = {
            name: RegisterFact(as_of=state.as_of, listed=name in on)
            for name, state in states.items()
            if state.kind == "national"
        }
