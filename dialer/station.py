"""One line process at work: runs the calls the host places, within the engine's capacity, and reports until heard.

It opens no sockets and builds no engines; ``dialer/line.py`` does that and hands everything in.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import os
from collections.abc import Coroutine
from typing import Any

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer import wire
from dialer.call import Call, legs_needed
from dialer.equipment import Equipment
from dialer.messages import CallEvent, CallRequest, EventKind, Released
from speech.seams import SpeechError

log = logging.getLogger(__name__)

REPEAT_S = 2.0
"""An unacknowledged result is sent again after this."""
HOST_LATE_S = 2.0
"""How much later than its deadline a reply of a system may come through the host."""
LAST_WORDS_S = 10.0
"""How long a draining line waits for the host to acknowledge its last results."""
FAREWELL_S = 5.0
"""How long hanging up everything may take when the host is gone."""
BACKLOG_BYTES = 1_000_000
"""Above this, partial words are dropped: the host is slow, and whole ones follow."""


class Station:
    """Serves one host over one pair of streams."""

    def __init__(
        self, name: str, equipment: Equipment, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._name, self._equipment = name, equipment
        self._reader, self._writer = reader, writer
        self._calls: dict[str, tuple[Call, asyncio.Task[None]]] = {}
        self._legs_free = equipment.engine.capacity
        self._unheard: dict[tuple[str, int], wire.Finished | wire.GivenBack] = {}
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Replied]] = {}
        self._draining = False
        self._changed = asyncio.Event()
        self._chores: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Run until drained, or until the host is gone."""
        engine = self._equipment.engine
        self._send(wire.Ready(name=self._name, engine=engine.name, capacity=engine.capacity, pid=os.getpid()))
        reading = asyncio.create_task(self._read(), name="host")
        repeating = asyncio.create_task(self._repeat(), name="repeat")
        drained = asyncio.create_task(self._until_drained(), name="drained")
        try:
            await asyncio.wait({reading, drained}, return_when=asyncio.FIRST_COMPLETED)
            if not drained.done():
                await self._abandon()
        finally:
            for task in (reading, repeating, drained, *self._chores):
                task.cancel()
            self._writer.close()

    def drain(self) -> None:
        """Finish the calls in progress, take no more, then return from :meth:`serve`."""
        self._draining = True
        self._changed.set()

    async def _read(self) -> None:
        while (message := await wire.read(self._reader, wire.TO_LINE)) is not None:
            self._take(message)

    def _take(self, message: wire.ToLine) -> None:
        match message:
            case wire.Place(request=request):
                self._place(request)
            case wire.HangUp(attempt_id=attempt_id, reason=reason):
                if attempt_id in self._calls:
                    self._calls[attempt_id][0].hang_up(reason)
            case wire.Prepare():
                self._chore(self._prepare(message))
            case wire.Drain():
                self.drain()
            case wire.Ping(number=number):
                self._send(wire.Pong(number=number, calls=len(self._calls), legs_free=self._legs_free))
            case wire.AskJournal():
                self._chore(self._answer(message))
            case wire.SystemReplied(number=number, reply=reply):
                if (waiting := self._replies.get(number)) is not None and not waiting.done():
                    waiting.set_result(reply)
            case wire.Ack(attempt_id=attempt_id, fence=fence):
                self._unheard.pop((attempt_id, fence), None)
                self._changed.set()

    def _place(self, request: CallRequest) -> None:
        ask = functools.partial(self._ask, request.attempt_id)
        call = Call(request, equipment=self._equipment, emit=self._emit, ask=ask)
        reason = self._refusal(request)
        if reason:
            released = Released(attempt_id=request.attempt_id, fence=request.fence, reason=reason)
            self._report(wire.GivenBack(released=released), released.attempt_id, released.fence)
            return
        self._legs_free -= legs_needed(request)
        task = asyncio.create_task(self._run(call), name=f"call {request.attempt_id}")
        self._calls[request.attempt_id] = (call, task)

    async def _ask(self, attempt_id: str, asked: Request) -> Replied:
        """Have the host ask a system of the business; the host keeps the deadline, unless it is gone."""
        number = next(self._numbers)
        reply: asyncio.Future[Replied] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        self._send(wire.AskSystem(number=number, attempt_id=attempt_id, request=asked))
        try:
            async with asyncio.timeout(asked.deadline_s + HOST_LATE_S):
                return await reply
        except TimeoutError:
            return Replied(problem="the host did not say in time what came of it")
        finally:
            del self._replies[number]

    def _refusal(self, request: CallRequest) -> str:
        if self._draining:
            return "draining"
        if request.attempt_id in self._calls:
            return "already_running"
        return "no_leg_free" if legs_needed(request) > self._legs_free else ""

    async def _run(self, call: Call) -> None:
        request = call.request
        try:
            end = await call.run()
            message = wire.GivenBack(released=end) if isinstance(end, Released) else wire.Finished(result=end)
            self._report(message, request.attempt_id, request.fence)
        finally:
            del self._calls[request.attempt_id]
            self._legs_free += legs_needed(request)
            self._changed.set()

    def _report(self, message: wire.Finished | wire.GivenBack, attempt_id: str, fence: int) -> None:
        self._unheard[attempt_id, fence] = message
        self._send(message)

    def _emit(self, event: CallEvent) -> None:
        if event.kind is EventKind.HEARING and self._writer.transport.get_write_buffer_size() > BACKLOG_BYTES:
            return
        self._send(wire.Happened(event=event))

    def _send(self, message: wire.ToHost) -> None:
        if not self._writer.is_closing():
            self._writer.write(wire.encode(message))

    async def _repeat(self) -> None:
        while True:
            waiting = list(self._unheard)
            await asyncio.sleep(REPEAT_S)
            for key in waiting:
                if key in self._unheard:
                    self._send(self._unheard[key])

    async def _until_drained(self) -> None:
        while not (self._draining and not self._calls):
            await self._wait_change()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                while self._unheard:
                    await self._wait_change()
        except TimeoutError:
            log.warning("the host did not acknowledge the last results", extra={"results": len(self._unheard)})

    async def _wait_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _abandon(self) -> None:
        """Without a host no opt-out can be stored, so no conversation may go on (its end is in the journal)."""
        log.warning("the host is gone, hanging up", extra={"calls": len(self._calls)})
        for call, _ in self._calls.values():
            call.hang_up("host_gone")
        tasks = [task for _, task in self._calls.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=FAREWELL_S)

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chore_done)

    def _chore_done(self, task: asyncio.Task[None]) -> None:
        self._chores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a line's chore failed", exc_info=error)

    async def _prepare(self, message: wire.Prepare) -> None:
        try:
            await self._equipment.voice.prepare(message.texts, message.language)
        except SpeechError as error:
            log.warning("prompts not prepared", extra={"language": message.language, "code": error.code})

    async def _answer(self, message: wire.AskJournal) -> None:
        states = await self._equipment.journal.lookup(message.call_ids)
        answer = wire.JournalAnswer(
            number=message.number, states={call_id: entry.what.value for call_id, entry in states.items()}
        )
        self._send(answer)
