"""The host's end of a line process under test."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer.link import LineCommand, LineProcess, start_line
from dialer.messages import CallEvent, CallRequest, CallResult, EventKind, Released
from tests.dialer.flows import DELIVERY, VARIABLES
from tests.dialer.requests import call_request


class Host:
    """What a host keeps of what its line tells."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.folder, self.options = folder, options
        self.events: list[CallEvent] = []
        self.ends: dict[str, CallResult | Released] = {}
        self.refusals = 0
        """How many results to refuse at first, as a host does whose database is away."""
        self.asked: list[tuple[str, Request]] = []
        self.reply: Replied | None = Replied(result="ok", values={"slot": "ten"})
        self._changed = asyncio.Event()
        self.line: LineProcess

    async def start(self, *more: str, module: str = "tests.dialer.far_line") -> LineProcess:
        options = ["--engine", "loopback", "--data", str(self.folder), *self.options, *more]
        command = LineCommand(options=options, module=module)
        self.line = await start_line(
            "line-1",
            command,
            on_event=self._hear,
            on_result=self._store,
            on_released=self._store,
            on_asked=self._ask,
        )
        return self.line

    def place(self, number: str, **changes: Any) -> CallRequest:
        fields = {"number": number, "flow": DELIVERY, "variables": VARIABLES, "send_before": time.monotonic() + 5}
        request = call_request(**{**fields, **changes})
        self.line.place(request)
        return request

    async def result(self, request: CallRequest) -> CallResult:
        """Wait for the result of a call."""
        end = await self._end(request)
        assert isinstance(end, CallResult)
        return end

    async def release(self, request: CallRequest) -> str:
        """Wait for the release of a call; returns its reason."""
        end = await self._end(request)
        assert isinstance(end, Released)
        return end.reason

    def told(self, request: CallRequest) -> list[CallEvent]:
        """The events of a call."""
        return [event for event in self.events if event.attempt_id == request.attempt_id]

    async def until(self, request: CallRequest, kind: EventKind) -> None:
        """Wait for an event of a call."""
        while not any(event.kind is kind for event in self.told(request)):
            await self._change()

    async def _end(self, request: CallRequest) -> CallResult | Released:
        while request.attempt_id not in self.ends:
            await self._change()
        return self.ends[request.attempt_id]

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _hear(self, event: CallEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def _ask(self, attempt_id: str, request: Request) -> Replied:
        """Answer as the business's system does, or fail as a host may."""
        self.asked.append((attempt_id, request))
        if self.reply is None:
            raise ConnectionError("the host stumbled")
        return self.reply

    async def _store(self, end: CallResult | Released) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("the database is away")
        assert end.attempt_id not in self.ends, "a result was stored twice"
        self.ends[end.attempt_id] = end
        self._changed.set()
