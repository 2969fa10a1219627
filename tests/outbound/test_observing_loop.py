"""The event loop is watched: a stall is measured from end to end and its place is named; a busy loop is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from outbound.observing.loop import LIMIT_S, LoopWatch

pytestmark = pytest.mark.integration

STALL_S = 0.3


@pytest.fixture
def stalls() -> list[float]:
    return []


@pytest.fixture
async def watch(stalls: list[float]) -> Any:
    made = LoopWatch(stalls.append)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    structlog.reset_defaults()
    with capture_logs() as entries:
        yield entries


def hog() -> None:
    """Keep the loop from everything else."""
    time.sleep(STALL_S)


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_stall_is_measured_and_its_place_is_named(
    logged: list[Any], watch: LoopWatch, stalls: list[float]
) -> None:
    asyncio.get_running_loop().call_soon(hog)
    await turns()

    assert [round(stall, 1) >= STALL_S for stall in stalls] == [True]
    (entry,) = [entry for entry in logged if entry["event"] == "event loop stalled"]
    assert "test_observing_loop.py" in entry["where"]
    assert entry["where"].endswith(" hog")


async def test_many_short_turns_are_no_stall(watch: LoopWatch, stalls: list[float]) -> None:
    await turns(10_000)

    assert stalls == []


async def test_waiting_is_no_stall(watch: LoopWatch, stalls: list[float]) -> None:
    await asyncio.sleep(2 * LIMIT_S)

    assert stalls == []


async def test_after_the_end_the_loop_is_as_it_was(stalls: list[float]) -> None:
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    before: Callable[..., Any] = selector.select
    made = LoopWatch(stalls.append)
    made.start()
    assert selector.select != before
    made.stop()

    assert selector.select == before
