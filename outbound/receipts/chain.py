"""Appends receipts to the chain, many to one INSERT, in the unit of work that made the decisions; it changes none.

A receipt is chained into the day on which it is written, but never into one before the newest: no day once left is
reopened, whatever a clock does around midnight.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import JSON, Connection, Text, bindparam, cast, insert, select, update

from outbound.receipts.links import GENESIS, canonical, commit, day_of, link
from outbound.store import events
from outbound.store.schema import receipt_days, receipts

SALT_BYTES = 16


class PersonalDataInChain(ValueError):
    """A receipt shows its person's number where an erasure could not remove it; it belongs into ``personal``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReceipt:
    """An answer of the gate that is to be kept. Whatever tells who it is about belongs into ``personal`` alone."""

    at: float
    """When it was decided, which is when it is written; seconds since the epoch."""
    campaign_id: str
    contact_id: str
    attempt_id: str | None
    channel: str
    purpose: str
    allowed: bool
    code: str
    reason: str
    rule: str
    """Rule and version that decided."""
    source: str
    """Where the rule is written."""
    next_at: float | None
    """The next permitted instant."""
    evidence: dict[str, Any]
    """What the gate was shown, as JSON: versions of rules and registers, zones, ids of opt-outs and consents."""
    personal: dict[str, Any]
    """``number``, and whatever else of the evidence is about the person; removed when they are erased."""


@dataclass(slots=True)
class _Day:
    """Where a day's chain stands."""

    day: str
    before: bytes
    head: bytes
    count: int = 0
    stored: int | None = field(default=None)
    """``count`` as the table has it; ``None`` for a day that begins here."""


def append(connection: Connection, new: Sequence[NewReceipt]) -> None:
    """Append receipts in their order. Writers take turns until the transaction ends, so that the chain never forks."""
    if not new:
        return
    events.take_turn(connection)
    salts = secrets.token_bytes(SALT_BYTES * len(new))
    current = _newest(connection)
    touched: dict[str, _Day] = {}
    rows = []
    for number, receipt in enumerate(new):
        current = _day_for(current, receipt.at)
        touched[current.day] = current
        rows.append(_chained(current, receipt, salts[SALT_BYTES * number : SALT_BYTES * (number + 1)]))
    connection.execute(_insert(connection.dialect.name), rows)
    for day in touched.values():
        _keep(connection, day)


_NEWEST = select(receipt_days).order_by(receipt_days.c.day.desc()).limit(1)
_GROWN = (
    update(receipt_days)
    .where(receipt_days.c.day == bindparam("grown"), receipt_days.c.count == bindparam("stored"))
    .values(count=bindparam("now_count"), head=bindparam("now_head"))
)


def _newest(connection: Connection) -> _Day:
    row = connection.execute(_NEWEST).mappings().first()
    return _Day(day="", before=GENESIS, head=GENESIS) if row is None else _Day(**row, stored=row["count"])


def _day_for(current: _Day, at: float) -> _Day:
    today = day_of(at)
    return current if today <= current.day else _Day(day=today, before=current.head, head=current.head)


def _chained(day: _Day, receipt: NewReceipt, salt: bytes) -> dict[str, Any]:
    """Make the row that comes next in ``day``, in the types in which the databases give it back."""
    fields = {
        "day": day.day,
        "seq": day.count + 1,
        "at": _instant(receipt.at),
        "campaign_id": receipt.campaign_id,
        "contact_id": receipt.contact_id,
        "attempt_id": receipt.attempt_id,
        "channel": str(receipt.channel),
        "purpose": str(receipt.purpose),
        "allowed": bool(receipt.allowed),
        "code": str(receipt.code),
        "reason": receipt.reason,
        "rule": receipt.rule,
        "source": receipt.source,
        "next_at": None if receipt.next_at is None else _instant(receipt.next_at),
    }
    evidence, personal = (_as_read_back(value) for value in (receipt.evidence, receipt.personal))
    _refuse_numbers(fields, evidence, receipt.personal)
    commitment = commit(salt, personal)
    day.head = link(day.head, fields, evidence, commitment)
    day.count += 1
    texts = {"evidence_text": evidence.decode(), "personal_text": personal.decode()}
    return {**fields, **texts, "salt": salt, "commitment": commitment, "hash": day.head}


@cache
def _insert(dialect: str) -> Any:
    """Write the canonical texts as they were hashed, which spares writing them a second time."""
    texts: dict[str, Any] = {name: bindparam(f"{name}_text", type_=Text()) for name in ("evidence", "personal")}
    if dialect == "postgresql":
        texts = {name: cast(value, JSON) for name, value in texts.items()}
    return insert(receipts).values(texts)


def _as_read_back(value: dict[str, Any]) -> bytes:
    """Write JSON so that whoever reads and writes it again gets the same: keys that are no text sort otherwise then."""
    written = canonical(value)
    read = json.loads(written)
    return written if read == value else canonical(read)


def _instant(seconds: float) -> float:
    return float(seconds) + 0.0  # SQLite keeps no negative zero


def _refuse_numbers(fields: dict[str, Any], evidence: bytes, personal: dict[str, Any]) -> None:
    number = personal.get("number")
    if not isinstance(number, str) or not number.startswith("+"):
        return
    texts = [fields[name] for name in ("reason", "rule", "source")]
    digits = number[1:]
    if any(digits in text for text in texts) or (digits.encode() in evidence and _tells(json.loads(evidence), digits)):
        raise PersonalDataInChain(f"the receipt of attempt {fields['attempt_id']} shows a number outside personal")


def _tells(value: Any, digits: str) -> bool:
    """Whether a text or a whole number in a JSON value holds ``digits``; that of a float is an instant's."""
    if isinstance(value, dict):
        return any(digits in key or _tells(item, digits) for key, item in value.items())
    if isinstance(value, list):
        return any(_tells(item, digits) for item in value)
    return not isinstance(value, float) and digits in str(value)


def _keep(connection: Connection, day: _Day) -> None:
    if day.stored is None:
        row = {"day": day.day, "before": day.before, "count": day.count, "head": day.head}
        connection.execute(insert(receipt_days), row)
        return
    grown = {"grown": day.day, "stored": day.stored, "now_count": day.count, "now_head": day.head}
    if connection.execute(_GROWN, grown).rowcount != 1:
        raise RuntimeError(f"somebody else wrote receipts of {day.day} at the same time")
