"""Whether consent is there: of the kind, for what is asked, at the instant, and not taken back."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from campaigns.gate.facts import INFINITY, Question


def spans(
    question: Question, needed: float, *, max_age_s: float | None = None, proven: bool = False
) -> Iterator[tuple[float, float]]:
    """When consent of rank ``needed`` or better holds for the question: from, until (exclusive)."""
    for one in question.consents:
        if one.rank < needed or not one.scope.permits(question) or (proven and not one.proven):
            continue
        end = min(one.until, one.at + max_age_s if max_age_s is not None else INFINITY)
        for withdrawal in question.withdrawals:
            if not withdrawal.scope.bars(question):
                continue
            if not one.proven:  # what an import claims, again and again, does not outlive the customer's own word
                end = one.at
            elif withdrawal.at >= one.at:
                end = min(end, withdrawal.at)
        if one.at < end:
            yield one.at, end


def holds(question: Question, needed: float, at: float) -> bool:
    """Whether consent of rank ``needed`` or better holds at ``at``."""
    return any(begin <= at < end for begin, end in spans(question, needed))


def begins_after(question: Question, needed: float, at: float) -> float:
    """When such consent begins that is not there yet; infinity when none does."""
    later = (ceil(begin) for begin, end in spans(question, needed) if begin > at and ceil(begin) < end)
    return min(later, default=INFINITY)
