"""The token bucket: how many calls a second may begin. It knows nothing of channels, agents or trunks."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBucket:
    """Calls per second with a burst of at most ``burst`` (ITU-T I.371's leaky bucket as a meter)."""

    rate_per_s: float
    burst: float
    tokens: float
    at: float
    """Monotonic instant of ``tokens``."""

    @classmethod
    def full(cls, *, rate_per_s: float, burst: float = 1.0, at: float) -> TokenBucket:
        """A bucket that may spend its burst at once."""
        return cls(rate_per_s=rate_per_s, burst=burst, tokens=burst, at=at)

    def refill(self, at: float) -> TokenBucket:
        """The bucket at a later instant; an earlier one changes nothing (a clock that jumps back mints no tokens)."""
        if at <= self.at:
            return self
        return replace(self, tokens=min(self.burst, self.tokens + (at - self.at) * self.rate_per_s), at=at)

    def take(self, count: int = 1) -> TokenBucket:
        """Spend tokens. Raises ``ValueError`` when there are not so many."""
        if count > self.available:
            raise ValueError(f"{count} tokens wanted, {self.available} there")
        return replace(self, tokens=self.tokens - count)

    @property
    def available(self) -> int:
        """Whole tokens that can be spent at ``at``."""
        return int(self.tokens + 1e-9)

    def next_at(self) -> float:
        """Monotonic instant at which a whole token is there."""
        return self.at + max(0.0, 1.0 - self.tokens) / self.rate_per_s
