"""Knows the line processes of this host as they are started, for figures; it starts, stops and places nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dialer.link import LineProcess
from dialer.messages import CallEvent, CallResult, Released

if TYPE_CHECKING:
    from outbound.line_keeper import StartLine


class Lines(Collector):
    """Remembers the newest process of each line, and shows their figures at a scrape."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self._lines: dict[str, LineProcess] = {}

    def remembering(self, start: StartLine) -> StartLine:
        """``start``, with what it started remembered."""

        async def started(
            name: str,
            *,
            on_event: Callable[[CallEvent], None],
            on_result: Callable[[CallResult], Awaitable[None]],
            on_released: Callable[[Released], Awaitable[None]],
        ) -> LineProcess:
            line = await start(name, on_event=on_event, on_result=on_result, on_released=on_released)
            self._lines[name] = line
            return line

        return started

    @property
    def _alive(self) -> list[LineProcess]:
        return [line for line in self._lines.values() if line.alive]

    @property
    def up(self) -> int:
        """Lines that can take calls now."""
        return len(self._alive)

    @property
    def calls(self) -> int:
        """Calls that were handed to lines and are not over."""
        return sum(len(line.placed) for line in self._alive)

    @property
    def legs_in_use(self) -> int:
        """Legs that these calls hold, those kept for a handoff among them."""
        return sum(2 if request.agent_uri else 1 for line in self._alive for request in line.placed.values())

    @property
    def legs_capacity(self) -> int:
        """Legs at once, as the engines say."""
        return sum(line.ready.capacity for line in self._alive)

    def collect(self) -> Iterator[Metric]:
        """Show the lines as they are."""
        figures = (
            ("outbound_lines", "Line processes of this host that can take calls.", self.up),
            ("outbound_lines_wanted", "Line processes this host is to have.", self.wanted),
            ("outbound_calls", "Calls in progress on this host's lines.", self.calls),
            ("outbound_legs_in_use", "Legs held by calls on this host's lines.", self.legs_in_use),
            ("outbound_legs_capacity", "Legs that this host's lines take at once.", self.legs_capacity),
        )
        for name, told, value in figures:
            yield GaugeMetricFamily(name, told, value=float(value))
