"""Dialling modes: how many calls that need an agent may begin now. It reserves no agent and starts no call.

Predictive dialling begins more calls than agents are free, since not every call is answered (Samuelson: Predictive
Dialing for Outbound Telephone Call Centers, Interfaces 29(5), 1999, pp. 66-81), as long as the share of answers that
find no agent stays within bounds (David: US patent 5,640,445, 1997, expired). Here answers are independent trials and
the share is summed exactly; nobody is counted on to become free in time.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from math import exp, fsum, lgamma, log, log1p

UNLIMITED = 10**9
"""No agent is needed: other limits decide."""
MOST_CALLS_PER_AGENT = 3.0
"""Calls that may ring for one free agent, however few are answered."""


class Mode(StrEnum):
    """How calls wait for agents."""

    AGENTLESS = "agentless"
    """The robot speaks; an agent is sought when the customer asks for one."""
    PROGRESSIVE = "progressive"
    """One call for each free agent: nobody is abandoned."""
    PREDICTIVE = "predictive"
    """More calls than free agents, by the answer share."""


def places(
    mode: Mode,
    *,
    agents: int,
    busy: int,
    ringing: int,
    answer_share: float,
    target: float,
    calls_per_agent: float = MOST_CALLS_PER_AGENT,
) -> int:
    """How many more calls that need an agent may begin now.

    ``agents`` are staffed, ``busy`` of them talk or wrap up, ``ringing`` calls are under way that nobody has answered.
    Predictive: as many as keep :func:`abandoned_share` within ``target`` and all that ring within ``calls_per_agent``
    for each free agent; never fewer than progressive, and no more with a ``target`` of 0.
    """
    if mode == Mode.AGENTLESS:
        return UNLIMITED
    free = max(0, agents - busy)
    ahead = 0
    if mode == Mode.PREDICTIVE and target > 0:
        beyond = range(free + 1, int(free * calls_per_agent) + 1)
        ahead = bisect_right(beyond, target, key=lambda calls: abandoned_share(calls, free, answer_share))
    return max(0, free + ahead - ringing)


def abandoned_share(calls: int, free: int, answer_share: float) -> float:
    """Expected share of answers that find no agent, of ``calls`` that ring for ``free`` agents.

    With ``X ~ Binomial(calls, p)`` it is ``E[(X - free)^+] / E[X]``, which is what somebody who answers meets: with
    ``Y ~ Binomial(calls - 1, p)`` others, ``E[(1 - free / (Y + 1))^+]``. So it grows with ``calls`` and with ``p``.
    """
    if not 0 <= answer_share <= 1:
        raise ValueError(f"the answer share is {answer_share}; it must be within 0 and 1")
    others = calls - 1
    return fsum(_binomial(y, others, answer_share) * (1 - free / (y + 1)) for y in range(free, calls))


def _binomial(k: int, n: int, p: float) -> float:
    """The probability of ``k`` successes in ``n`` trials, by logarithms: it does not underflow before its time."""
    if p in (0, 1):
        return float(k == n * p)
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log1p(-p))
