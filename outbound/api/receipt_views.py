"""Shows receipts and evidence in the shapes of REST version 1; it reads and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from outbound.api import receipt_models as m
from outbound.api.views import Row, at, instant
from outbound.receipts import evidence
from outbound.receipts.evidence import Day, OfCampaign, OfNumber

_CONSENT = {"granted": "consent_granted", "withdrawn": "consent_withdrawn"}
_FILES = "files"
"""Of an erasure's counts, what only the sweep needs."""


def receipt(row: Row) -> m.KeptReceipt:
    """A receipt with its place in the chain."""
    shown = {name: row[name] for name in m.KeptReceipt.model_fields if not name.endswith("_s")}
    shown |= {name: (row[name] or b"").hex() for name in ("salt", "commitment", "before", "hash")}
    shown |= {"at": at(row["at"]), "next_at": instant(row["next_at"])}
    return m.KeptReceipt(**shown, at_s=row["at"], next_at_s=row["next_at"])


def attempt(row: Row) -> m.EvidenceAttempt:
    """What was done."""
    instants = ("due_at", "dialed_at", "answered_at", "ended_at")
    fields = {name: row[name] for name in m.EvidenceAttempt.model_fields if name not in instants}
    return m.EvidenceAttempt(**fields, **{name: instant(row[name]) for name in instants})


def place(row: Row) -> m.EvidencePlace:
    """A person's place in a campaign."""
    plain = [name for name in m.EvidencePlace.model_fields if name not in ("contact_id", "created_at")]
    fields = {name: row[name] for name in plain}
    return m.EvidencePlace(**fields, contact_id=row["id"], created_at=at(row["created_at"]))


def statement(kind: str, row: Row) -> m.Statement:
    """What a person told us; ``kind`` is the table it is in."""
    names = ("id", "channel", "only_campaign", "source", "words", "proof", "campaign_id", "attempt_id")
    fields = {name: row[name] for name in names if name in row}
    told = _CONSENT[row["event"]] if kind == "consent" else kind
    until = row.get("expires_at") if kind == "consent" else row["at"] if kind == "callback" else None
    when = row["created_at"] if kind == "callback" else row.get("at") or row["created_at"]
    return m.Statement(
        **fields,
        kind=told,
        at=at(when),
        scope=row.get("scope") or row.get("purpose") or "",
        consent=row["kind"] if kind == "consent" else "",
        until=instant(until),
    )


def register(row: Row) -> m.RegisterState:
    """A do-not-call register as it stands."""
    fields = {name: row[name] for name in ("name", "kind", "generation", "entries")}
    return m.RegisterState(**fields, as_of=instant(row["as_of"]), loaded_at=instant(row["loaded_at"]))


def erasure(row: Row) -> m.ErasureKept:
    """That somebody was erased."""
    counts = {name: count for name, count in row["counts"].items() if name != _FILES}
    return m.ErasureKept(at=at(row["created_at"]), token=row["token"], counts=counts)


def day(item: Day) -> m.ChainDay:
    """A day of the chain and what its verification said."""
    findings = [] if item.report is None else item.report.findings
    return m.ChainDay(
        day=item.day,
        count=item.count,
        head=item.head.hex(),
        state="unchecked" if item.report is None else "unbroken" if item.report.unbroken else "broken",
        findings=[m.ChainFinding(day=f.day, seq=f.seq, what=f.what, remedy=f.remedy) for f in findings],
    )


def of_number(found: OfNumber, *, now: float) -> m.NumberEvidence:
    """Everything about a number."""
    return m.NumberEvidence(
        number=found.number,
        made_at=at(now),
        contacts=[place(row) for row in found.contacts],
        receipts=[receipt(row) for row in found.receipts],
        attempts=[attempt(row) for row in found.attempts],
        statements=[statement(kind, row) for kind, row in found.statements],
        erasures=[erasure(row) for row in found.erasures],
        registers=[register(row) for row in found.registers],
        chain=[day(item) for item in found.days],
        complete=found.complete,
    )


def of_campaign(found: OfCampaign, *, now: float) -> m.CampaignEvidence:
    """A campaign in sum."""
    row: Any = found.campaign
    counts = [m.RuleCount(**item) for item in found.counts]
    return m.CampaignEvidence(
        **{name: row[name] for name in ("id", "name", "purpose", "state")},
        **{name: instant(row[name]) for name in ("started_at", "ended_at")},
        created_at=at(row["created_at"]),
        made_at=at(now),
        contacts=found.contacts,
        receipts=sum(item.receipts for item in counts),
        counts=counts,
        registers=[register(item) for item in found.registers],
        chain=[day(item) for item in found.days],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of line of a campaign's evidence, read in pieces: each begins behind the ``id`` of the last row."""

    read: Callable[[Connection, Any], Sequence[Row]]
    begin: Any
    line: Callable[[Row], m.EvidenceLine]


def parts_of_campaign(campaign_id: str) -> list[Part]:
    """What follows the first line of a campaign's evidence."""

    def receipts(connection: Connection, after: Any) -> Sequence[Row]:
        return evidence.receipts_of(connection, campaign_id, after=after)

    def attempts(connection: Connection, after: Any) -> Sequence[Row]:
        return evidence.attempts_of(connection, campaign_id, after=after)

    def statements(table: Any, connection: Connection, after: Any) -> Sequence[Row]:
        return evidence.statements_of(connection, campaign_id, table, after=after)

    def said(kind: str, row: Row) -> m.EvidenceLine:
        return m.EvidenceLine(type="statement", statement=statement(kind, row))

    return [
        Part(read=receipts, begin=0, line=lambda row: m.EvidenceLine(type="receipt", receipt=receipt(row))),
        Part(read=attempts, begin="", line=lambda row: m.EvidenceLine(type="attempt", attempt=attempt(row))),
        *(
            Part(read=partial(statements, table), begin="", line=partial(said, kind))
            for kind, table in evidence.STATEMENTS
        ),
    ]
