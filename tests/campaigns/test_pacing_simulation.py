"""A day in a call centre, event by event: few are abandoned, and agents talk more than with one call each."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

import pytest

from campaigns.pacing import OFCOM_LIMIT, Abandonment, AnswerShare, Mode, places, target

pytestmark = pytest.mark.unit

DAY_S = 8 * 3600.0
WRAP_UP_S = 5.0


@dataclass
class Floor:
    """Agents, customers who answer or do not, and the loop under test; times in seconds."""

    mode: Mode
    agents: int
    answer_shares: tuple[float, float]
    """In the first and in the second half of the day."""
    talk_s: float = 90.0
    random: Random = field(default_factory=lambda: Random(7))
    now: float = 0.0
    busy: int = 0
    ringing: int = 0
    tried: int = 0
    answered: int = 0
    abandoned: int = 0
    talked_s: float = 0.0
    events: list[tuple[float, int, str]] = field(default_factory=list)

    def day(self) -> Floor:
        """Work from morning to evening."""
        self.dial()
        while self.events and self.events[0][0] < DAY_S:
            self.now, _, what = heappop(self.events)
            if what == "free":
                self.busy -= 1
            else:
                self.ringing -= 1
                self.tried += 1
                if what == "answer":
                    self.meet()
            self.dial()
        return self

    def dial(self) -> None:
        """Begin as many calls as may begin now."""
        aimed = target(OFCOM_LIMIT, Abandonment(live_answers=self.answered, abandoned=self.abandoned))
        share = AnswerShare(answered=self.answered, tried=self.tried).mean
        for _ in range(
            places(
                self.mode,
                agents=self.agents,
                busy=self.busy,
                ringing=self.ringing,
                answer_share=share,
                target=aimed,
            )
        ):
            self.ringing += 1
            if self.random.random() < self.answer_shares[self.now > DAY_S / 2]:
                self.later(self.random.uniform(4, 20), "answer")
            else:
                self.later(self.random.choice((2.0, 30.0)), "busy or silent")

    def meet(self) -> None:
        """A customer answers: an agent is there, or the call is abandoned."""
        self.answered += 1
        if self.busy < self.agents:
            self.busy += 1
            talk_s = self.random.expovariate(1 / self.talk_s) + WRAP_UP_S
            self.talked_s += min(talk_s, DAY_S - self.now)
            self.later(talk_s, "free")
        else:
            self.abandoned += 1

    def later(self, delay_s: float, what: str) -> None:
        """Something happens."""
        heappush(self.events, (self.now + delay_s, self.random.getrandbits(40), what))

    @property
    def used(self) -> float:
        """Share of the agents' time spent with customers."""
        return self.talked_s / (self.agents * DAY_S)

    @property
    def abandoned_share(self) -> float:
        """Of those who answered."""
        return self.abandoned / self.answered


@pytest.mark.parametrize(
    ("agents", "answer_share", "gain"), [(5, 0.1, 0.05), (10, 0.25, 0.08), (20, 0.25, 0.12), (20, 0.5, 0.02)]
)
def test_agents_talk_more_and_few_customers_are_abandoned(agents: int, answer_share: float, gain: float) -> None:
    shares = (answer_share, answer_share)
    progressive = Floor(Mode.PROGRESSIVE, agents, shares).day()
    predictive = Floor(Mode.PREDICTIVE, agents, shares).day()
    assert progressive.abandoned == 0
    assert predictive.abandoned_share < OFCOM_LIMIT.share
    assert predictive.used > progressive.used + gain


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shares", [(0.1, 0.4), (0.5, 0.1), (0.2, 0.8)])
def test_it_stays_within_the_limit_when_customers_change(shares: tuple[float, float], seed: int) -> None:
    floor = Floor(Mode.PREDICTIVE, 10, shares, random=Random(seed)).day()
    assert floor.answered > 500
    assert floor.abandoned_share < OFCOM_LIMIT.share
