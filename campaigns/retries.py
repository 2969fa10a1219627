"""Whether, when and on which number a contact is tried again. It schedules nothing, and asks no gate.

A second call for one notice is the worst there is: whatever may have told the customer is never tried again, whatever
the policy says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from campaigns.daytimes import PartOfDay, untried
from campaigns.dispositions import Disposition

LONGEST_RETRY_AFTER_S = 86400.0
"""However long the far end asks to be left alone (Retry-After, RFC 3261 §20.33)."""
NEVER_RETRIED_CAUSES = frozenset({"line_lost", "lease_expired", "store_restored"})
"""Hangup causes after which the customer may have been reached."""
TOLD = frozenset(
    {
        Disposition.ACCEPTED,
        Disposition.DECLINED,
        Disposition.INFORMED,
        Disposition.OPTED_OUT,
        Disposition.HANDED_OFF,
        Disposition.UNDETERMINED,
    }
)
"""Ends by which the matter is, or may be, settled with the customer: nothing follows, now or later."""
OVER = frozenset({Disposition.CALLBACK_BOOKED, Disposition.REFUSED, Disposition.CANCELLED, Disposition.EXPIRED})
"""Ends that no retry follows: a callback has its own time, the others were decided."""
AT_THAT_HOUR = frozenset(
    {
        Disposition.NO_ANSWER,
        Disposition.POWERED_OFF,
        Disposition.UNREACHABLE,
        Disposition.SCREENED,
        Disposition.REJECTED,
        Disposition.MACHINE,
        Disposition.MESSAGE_LEFT,
        Disposition.NO_RESPONSE,
        Disposition.HUNG_UP,
    }
)
"""Ends that may be different at another time of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, how soon and where a contact is tried again."""

    max_attempts: int
    """In all, over all numbers of the contact."""
    delays_s: Mapping[Disposition, float]
    """From the end of an attempt to the next, by disposition; one that is not named is final."""
    spread_s: float = 0.0
    """Attempts that ended together are spread over so long."""
    backoff: float = 1.0
    """Factor by which the delay grows with every earlier attempt that ended in the same way."""
    max_delay_s: float = 14 * 86400.0
    other_part_of_day: bool = False
    """Whether somebody who was not reached is tried at another time of the day than before."""
    other_number_after: frozenset[Disposition] = frozenset()
    """Ends after which it is the turn of the contact's next number."""
    max_by_disposition: Mapping[Disposition, int] = field(default_factory=dict)
    """How many attempts may end in a way until it is final."""

    def __post_init__(self) -> None:
        if any(not delay >= 0 for delay in (*self.delays_s.values(), self.spread_s, self.max_delay_s)):
            raise ValueError("delays and spread must not be negative: a retry would come before its time")
        if not self.backoff >= 1:
            raise ValueError(f"a backoff of {self.backoff} would try again sooner and sooner; it must be 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt that is over."""

    number: str
    disposition: Disposition
    ended_at: float
    answered: bool = False
    hangup_cause: str = ""
    part: PartOfDay | None = None
    """The part of the customer's local day in which it was made, where the policy asks for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTry:
    """The attempt to follow."""

    number: str
    earliest: float
    """Instant before which it must not be made; the gate finds the first permitted one from here on."""
    avoid: frozenset[PartOfDay] = frozenset()
    """Parts of the local day to leave out where the gate permits another; never all."""


def next_try(
    policy: RetryPolicy, tried: Sequence[Tried], numbers: Sequence[str], *, seed: str, retry_after_s: float = 0.0
) -> NextTry | None:
    """The attempt that follows those ``tried`` (oldest first, at least one), or ``None`` when none does.

    ``numbers`` are the contact's, the main one first. ``seed`` decides where within ``spread_s`` it falls: give each
    contact and attempt another. ``retry_after_s`` is what the far end asked for with the last attempt.
    """
    last = tried[-1]
    if last.disposition in OVER or any(_may_have_told(one) for one in tried):
        return None
    alike = sum(one.disposition == last.disposition for one in tried)
    if len(tried) >= policy.max_attempts or alike >= policy.max_by_disposition.get(
        last.disposition, policy.max_attempts
    ):
        return None
    number = _number(policy, tried, numbers)
    if number is None or last.disposition not in policy.delays_s:
        return None
    delay_s = _delay_s(policy, last.disposition, alike - 1)
    wait_s = max(delay_s, min(retry_after_s, LONGEST_RETRY_AFTER_S))
    return NextTry(
        number=number, earliest=last.ended_at + wait_s + _spread_s(policy, seed), avoid=_avoided(policy, tried)
    )


def _may_have_told(one: Tried) -> bool:
    """Whether the customer may have heard what it was about; a call may break down after that."""
    broke_down = one.answered and one.disposition == Disposition.FAILED
    return broke_down or one.disposition in TOLD or one.hangup_cause in NEVER_RETRIED_CAUSES


def _delay_s(policy: RetryPolicy, disposition: Disposition, before: int) -> float:
    return min(policy.max_delay_s, policy.delays_s[disposition] * policy.backoff**before)


def _spread_s(policy: RetryPolicy, seed: str) -> float:
    """Uniform in [0, ``spread_s``): the first 53 bits of the hash are exactly a float's."""
    return (int.from_bytes(sha256(seed.encode()).digest()[:8]) >> 11) / 2**53 * policy.spread_s


def _number(policy: RetryPolicy, tried: Sequence[Tried], numbers: Sequence[str]) -> str | None:
    """The number whose turn it is, never one that nobody has. One that is no longer the contact's hands over."""
    last = tried[-1]
    dead = {one.number for one in tried if one.disposition == Disposition.INVALID_NUMBER}
    known = list(dict.fromkeys(numbers))
    here = known.index(last.number) if last.number in known else -1
    if here >= 0 and last.disposition not in policy.other_number_after:
        return None if last.number in dead else last.number
    turns = known[here + 1 :] + known[: here + 1]
    return next((number for number in turns if number not in dead), None)


def _avoided(policy: RetryPolicy, tried: Sequence[Tried]) -> frozenset[PartOfDay]:
    if not policy.other_part_of_day or tried[-1].disposition not in AT_THAT_HOUR:
        return frozenset()
    parts = [one.part for one in tried if one.part is not None and one.disposition in AT_THAT_HOUR]
    return frozenset(PartOfDay) - untried(parts)
