"""Follows one day's chain from its beginning to its end and says where it does not hold; memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from outbound.receipts.heads import Head
from outbound.receipts.report import RESTORE, Report
from outbound.receipts.stored import Stored

DIAGNOSED = 20
"""Damaged receipts whose changed field is looked for in one verification: it costs some hundred hashes each."""
REMEMBERED = 3
"""Hashes before the present one that are kept, to recognise receipts that were moved."""
Diagnose = Callable[[Stored, Sequence[bytes]], str]


class DayWalk:
    """One day, receipt after receipt in the order of ``seq``.

    Which part of a receipt was changed is known only from what follows it: if that follows the hash as it is stored, a
    field was changed; if it follows the hash as it should be, the hash was. The end of the day is the last witness.
    """

    def __init__(
        self, report: Report, day: str, befores: Sequence[bytes], heads: Sequence[Head], diagnose: Diagnose
    ) -> None:
        self._report, self._day, self._diagnose = report, day, diagnose
        self._before, *self._or_before = befores
        """The hash before, as stored; others that it may have had."""
        self._past = [self._before]
        self._suspect: tuple[Stored, list[bytes]] | None = None
        self._heads: dict[int, set[bytes]] = {}
        for head in heads:
            self._heads.setdefault(head.count, set()).add(head.head)
        self._closed = [head for head in heads if not head.is_open]
        self.seq = 0
        self.head = self._before

    def step(self, receipt: Stored) -> None:
        """Look at the next receipt."""
        seq = receipt.fields["seq"]
        if not isinstance(seq, int) or not isinstance(receipt.hash, bytes) or not isinstance(receipt.commitment, bytes):
            self._report.add(self._day, None, f"receipt {receipt.id} has lost its place, hash or commitment")
            return
        if seq != self.seq + 1:
            self._gap(seq)
        else:
            self._compare(receipt)
        self._look_at_person(receipt)
        self._look_at_head(receipt)
        self.seq, self.head = seq, receipt.hash
        self._before = receipt.hash
        self._past = [receipt.hash, *self._past][:REMEMBERED]

    def end(self, count: int | None, head: bytes | None) -> None:
        """Compare with what the day itself is said to have come to; ``None`` when that is not known."""
        if self._suspect is not None:
            self._judge(head == self._before, head in self._or_before)
        if count is not None and count != self.seq:
            self._report.add(self._day, None, f"the day had {count} receipts and #{self.seq} is the last", RESTORE)
        elif head is not None and head not in (self._before, *self._or_before):
            self._report.add(self._day, None, "the day's head is not the hash of its last receipt")
        most = max(self._heads, default=0)
        if most > self.seq:
            what = f"the heads kept outside say {most} receipts and #{self.seq} is the last"
            self._report.add(self._day, None, what, RESTORE)
        for anchor in self._closed:
            if anchor.count < self.seq:
                what = f"the day was closed with {anchor.count} receipts according to the heads and has {self.seq} now"
                self._report.add(self._day, None, what)

    def _gap(self, seq: int) -> None:
        if self._suspect is not None:
            self._judge(False, False)
        missing = f"#{self.seq + 1}" if seq == self.seq + 2 else f"#{self.seq + 1} to #{seq - 1}"
        self._report.add(self._day, seq, f"{missing} missing before it; what it follows cannot be checked", RESTORE)
        self._or_before = []

    def _compare(self, receipt: Stored) -> None:
        computed = receipt.follows(self._before)
        if computed == receipt.hash:
            if self._suspect is not None:
                self._judge(True, False)
            self._or_before = []
            return
        if any(receipt.follows(other) == receipt.hash for other in self._or_before):
            if self._suspect is not None:
                self._judge(False, True)
            self._or_before = []
            return
        if self._suspect is not None:
            self._judge(False, False)
        self._suspect = (receipt, list(self._past))
        self._or_before = [] if computed is None else [computed]

    def _judge(self, content: bool, hash_: bool) -> None:
        """Report the suspect: its ``content`` was changed, or its ``hash_``, or nobody knows."""
        assert self._suspect is not None
        receipt, befores = self._suspect
        self._suspect = None
        if hash_:
            what = "`hash` was changed; everything else is as it was written"
        elif self._report.unlisted or len(self._report.findings) >= DIAGNOSED:
            what = "a field of it was changed, or its place"
        else:
            what = self._diagnose(receipt, befores)
            if not content:
                what += " (and what comes after it does not hold either)"
        self._report.add(self._day, receipt.seq, what)

    def _look_at_person(self, receipt: Stored) -> None:
        if receipt.is_erased:
            self._report.erased += 1
        elif receipt.personal is None or receipt.salt is None:
            what = "half of its personal data is gone, which no erasure does"
            self._report.add(self._day, receipt.seq, what)
        elif receipt.committed() != receipt.commitment:
            self._report.add(self._day, receipt.seq, "`personal` or `salt` was changed: they do not fit `commitment`")

    def _look_at_head(self, receipt: Stored) -> None:
        if self._heads.get(receipt.fields["seq"], {receipt.hash}) != {receipt.hash}:
            what = "the chain was written anew: its head kept outside was another"
            self._report.add(self._day, receipt.seq, what)
