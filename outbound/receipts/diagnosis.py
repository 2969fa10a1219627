"""Finds which field of a receipt was changed, by trying what may have stood there until its hash is right again.

A hit is proof, both of the field and of what it was; no hit proves nothing. It reads, and repairs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, select

from outbound.receipts.stored import Stored
from outbound.store.schema import attempts, campaigns, contacts, receipts

CHANNELS = ("voice", "sms")
PURPOSES = ("marketing", "informational", "transactional", "emergency")
TEXTS = ("code", "reason", "rule", "source", "next_at", "at")
NEIGHBOURS = 500
"""Other receipts whose texts are tried: a changed text is often taken from, or still found in, another receipt."""


def diagnose(connection: Connection, receipt: Stored, befores: Sequence[bytes]) -> str:
    """Say what was changed in a receipt that does not follow any of ``befores``, the hashes before it, newest first."""
    for before in befores[1:]:
        for seq in (receipt.seq - 1, receipt.seq + 1):
            if receipt.follows(before, seq=seq) == receipt.hash:
                return f"it was moved: it was written as #{seq}"
    for name, value in _candidates(connection, receipt):
        if receipt.follows(befores[0], **{name: value}) == receipt.hash:
            now = receipt.commitment.hex() if name == "commitment" else repr(receipt.fields[name])
            was = value.hex() if name == "commitment" else repr(value)
            return f"`{name}` was changed: it was written as {was} and is now {now}"
    return "a field was changed, or the receipt before it; which one, only a backup can tell"


def _candidates(connection: Connection, receipt: Stored) -> Iterator[tuple[str, Any]]:
    fields = receipt.fields
    yield "allowed", not fields["allowed"]
    commitment = receipt.committed()
    if commitment is not None:
        yield "commitment", commitment
    yield from (("channel", name) for name in CHANNELS)
    yield from (("purpose", name) for name in PURPOSES)
    yield "attempt_id", None
    yield "next_at", None
    yield from (("seq", fields["seq"] + step) for step in (-1, 1))
    yield from _known_ids(connection, fields)
    columns = [receipts.c[name] for name in TEXTS]
    near = receipts.c.id.between(receipt.id - NEIGHBOURS // 2, receipt.id + NEIGHBOURS // 2)
    same = receipts.c.contact_id == str(fields["contact_id"])
    tried: set[tuple[str, Any]] = set()
    for condition in (same, near):
        for row in connection.execute(select(*columns).where(condition).limit(NEIGHBOURS)):
            fresh = set(zip(TEXTS, row, strict=True)) - tried
            tried |= fresh
            yield from fresh


def _known_ids(connection: Connection, fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the attempt and the contact say of each other and of their campaign."""
    contact_id, attempt_id = str(fields["contact_id"]), str(fields["attempt_id"])
    tries = select(attempts.c.id, attempts.c.contact_id, attempts.c.campaign_id, attempts.c.dialed_at)
    known = (attempts.c.contact_id == contact_id) | (attempts.c.id == attempt_id)
    for row in connection.execute(tries.where(known).limit(NEIGHBOURS)):
        yield from (("attempt_id", row.id), ("contact_id", row.contact_id), ("campaign_id", row.campaign_id))
        yield "at", row.dialed_at
    place = select(contacts.c.campaign_id, campaigns.c.purpose).join(campaigns).where(contacts.c.id == contact_id)
    for campaign_id, purpose in connection.execute(place):
        yield from (("campaign_id", campaign_id), ("purpose", purpose))
