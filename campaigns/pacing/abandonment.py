"""Abandoned calls: what the law allows, what was measured, how far dialling may go ahead next. It counts no calls."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

CONNECT_WITHIN_S = 2.0
"""A call is abandoned when nobody speaks to the customer within so long of the customer's completed greeting (47 CFR
64.1200(a)(7)(i)). A robot that says who calls and why, and converses, is somebody here; a message that excuses the
absence of agents is not."""
_Z = 1.6449
"""One-sided 95% quantile of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The greatest share of calls answered by a person that may be abandoned."""

    share: float
    period_s: float
    """Over which it is measured, campaign by campaign."""
    source: str


FCC_LIMIT = Limit(
    share=0.03,
    period_s=30 * 86400,
    source="47 CFR 64.1200(a)(7): 3% of telemarketing calls answered live by a person, over each successive 30 days of "
    "a campaign",
)
"""The United States."""
OFCOM_LIMIT = Limit(
    share=0.03,
    period_s=86400,
    source="Ofcom, Revised statement of policy on persistent misuse, 1 October 2010: 3% of live calls, by campaign and "
    "calendar day; by the policy in force since 1 March 2017 every abandoned call is misuse and no share is safe",
)
"""The United Kingdom until 2017; the rule pack ``gb`` allows none now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandonment:
    """What was measured within a limit's period. Machines that answered are not counted."""

    live_answers: int
    """Calls that a person answered: connected or abandoned."""
    abandoned: int

    def __post_init__(self) -> None:
        if not 0 <= self.abandoned <= self.live_answers:
            raise ValueError(f"{self.abandoned} of {self.live_answers} answers cannot have been abandoned")

    @property
    def share(self) -> float:
        """Abandoned calls by abandoned and connected ones; 0 before the first answer."""
        return self.abandoned / self.live_answers if self.live_answers else 0.0

    @property
    def upper_share(self) -> float:
        """What the true share hardly exceeds: the upper end of Wilson's interval, one-sided 95%; 1 before any answer.

        Wilson: Probable Inference, the Law of Succession, and Statistical Inference, JASA 22, 1927, pp. 209-212.
        """
        n, share, z2 = self.live_answers, self.share, _Z * _Z
        if n == 0:
            return 1.0
        return (share + z2 / (2 * n) + _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)


def target(limit: Limit, measured: Abandonment, *, aim: float = 0.8) -> float:
    """The expected share of abandoned calls that dialling ahead may work with next; 0 means progressive.

    All of ``aim * limit`` while the measured share surely is no greater than that, nothing from where it may have
    reached the limit, and evenly between. A new period begins progressively: few calls prove nothing.
    """
    if not 0 < aim < 1:
        raise ValueError(f"the aim is {aim}; it must be a share of the limit between 0 and 1")
    aimed, room = aim * limit.share, limit.share - measured.upper_share
    return aimed * min(1.0, room / (limit.share - aimed)) if room > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShare:
    """How many calls are answered, of a campaign's recent ones: a Beta estimate, cautious while little is known.

    Too high a share dials too little ahead, too low a one abandons customers: so the prior is high.
    """

    answered: int
    """Calls after which an agent was wanted: those that a person answered, and machines unless they are told apart."""
    tried: int
    prior_share: float = 0.5
    prior_tried: float = 20.0
    """Calls that the prior is worth."""

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return (self.answered + self.prior_share * self.prior_tried) / (self.tried + self.prior_tried)
