"""What several handlers tell the planner after their commit; it plans nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from outbound.api.calls import Call


def plan_again(call: Call, campaign_ids: Iterable[str]) -> tuple[Callable[[], Awaitable[None]], ...]:
    """What is to be done after the commit so that contacts that are to be planned again are; the sweep does it else."""
    return tuple(partial(call.services.enqueue, "plan_campaign", key) for key in sorted(campaign_ids))
