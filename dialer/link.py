"""The host's end of one line process: start it, place calls on it, hear from it, notice its death.

It stores nothing and restarts nothing; results are acknowledged once the host's callback returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer import wire
from dialer.asking import nobody
from dialer.errors import DialerError
from dialer.messages import CallEvent, CallRequest, CallResult, Released

log = logging.getLogger(__name__)

START_TIMEOUT_S = 30.0


class LineError(DialerError):
    """A line process could not be started, or is gone."""

    code = "line_failed"


OnAsked = Callable[[str, Request], Awaitable[Replied]]
"""Asks a system of the business for the call of an attempt; returns within the request's deadline, raises nothing."""


async def no_system(attempt_id: str, request: Request) -> Replied:
    """Answer for a host that asks no systems."""
    return await nobody(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the host does with what a line tells; none may block."""

    on_event: Callable[[CallEvent], None]
    on_result: Callable[[CallResult], Awaitable[None]]
    """Store it durably; it is acknowledged when this returns, and comes again when this raised."""
    on_released: Callable[[Released], Awaitable[None]]
    on_asked: OnAsked


class LineProcess:
    """One running line process; made by :func:`start_line`."""

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        callbacks: Callbacks,
        ready: wire.Ready,
    ) -> None:
        self.name = name
        self.ready = ready
        """Engine, capacity in legs, pid."""
        self.died: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Resolves with the exit code (negative: the signal) once the process is gone and its last frames are read."""
        self.placed: dict[str, CallRequest] = {}
        """Calls by attempt that are neither settled nor released; what is left after ``died`` asks the journal."""
        self._process, self._reader, self._writer, self._callbacks = process, reader, writer, callbacks
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[wire.Pong | wire.JournalAnswer]] = {}
        self._settling: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read(), name=f"{name} reads")

    @property
    def alive(self) -> bool:
        """Whether frames can still be sent."""
        return not self.died.done() and not self._writer.is_closing()

    def place(self, request: CallRequest) -> None:
        """Run one call; its events, then its result or release come through the callbacks.

        Raises :class:`LineError` when the line is gone: nothing was sent.
        """
        self._send(wire.Place(request=request))
        self.placed[request.attempt_id] = request

    def hang_up(self, attempt_id: str, reason: str) -> None:
        """End a call: CANCEL while it rings, BYE after the answer; its result follows. Unknown attempts are ignored."""
        self._send(wire.HangUp(attempt_id=attempt_id, reason=reason))

    def prepare(self, texts: Iterable[str], language: str) -> None:
        """Render prompts into the cache ahead of the calls that need them."""
        self._send(wire.Prepare(language=language, texts=tuple(texts)))

    def drain(self) -> None:
        """Let it finish its calls and exit; ``died`` then resolves with 0."""
        self._send(wire.Drain())

    async def ping(self, timeout_s: float = 5.0) -> wire.Pong:
        """Ask for life. Raises :class:`LineError` when no answer came in time (the pool then kills it)."""
        answer = await self._ask(lambda number: wire.Ping(number=number), timeout_s)
        assert isinstance(answer, wire.Pong)
        return answer

    async def journal(self, call_ids: Iterable[str], timeout_s: float = 5.0) -> dict[str, str]:
        """Ask which Call-IDs it sent; last state by Call-ID, those never sent are missing."""
        wanted = tuple(call_ids)
        answer = await self._ask(lambda number: wire.AskJournal(number=number, call_ids=wanted), timeout_s)
        assert isinstance(answer, wire.JournalAnswer)
        return answer.states

    def kill(self) -> None:
        """End the process at once; its calls are lost and settled from the journal."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, timeout_s: float = 10.0) -> int:
        """Drain, then kill when that takes longer than ``timeout_s``; returns the exit code."""
        if self.alive:
            self.drain()
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self.died), timeout_s)
        self.kill()
        return await self.died

    def _send(self, message: wire.ToLine) -> None:
        if not self.alive:
            raise LineError(f"{self.name} is gone: start it again")
        self._writer.write(wire.encode(message))

    async def _ask(self, make: Callable[[int], wire.ToLine], timeout_s: float) -> wire.Pong | wire.JournalAnswer:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(make(number))
            return await asyncio.wait_for(answer, timeout_s)
        except TimeoutError:
            raise LineError(f"{self.name} did not answer within {timeout_s:g} s", code="line_mute") from None
        finally:
            del self._answers[number]

    async def _read(self) -> None:
        try:
            while (message := await wire.read(self._reader, wire.TO_HOST)) is not None:
                self._take(message)
        except wire.WireError:
            log.exception("line process speaks another protocol", extra={"line": self.name})
            self.kill()
        finally:
            await self._bury()

    async def _bury(self) -> None:
        self._writer.close()
        code = await self._process.wait()
        for task in self._asking:
            task.cancel()
        if self._settling:
            await asyncio.wait(self._settling.values())
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(LineError(f"{self.name} is gone"))
        self.died.set_result(code)

    def _take(self, message: wire.ToHost) -> None:
        match message:
            case wire.Happened(event=event):
                self._tell(event)
            case wire.Finished(result=result):
                self._settle(result, lambda: self._callbacks.on_result(result))
            case wire.GivenBack(released=released):
                self._settle(released, lambda: self._callbacks.on_released(released))
            case wire.Pong(number=number) | wire.JournalAnswer(number=number):
                answer = self._answers.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(message)
            case wire.AskSystem():
                task = asyncio.create_task(self._ask_system(message), name=f"asks {message.request.system}")
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case wire.Ready() | wire.Unready():
                pass

    def _tell(self, event: CallEvent) -> None:
        try:
            self._callbacks.on_event(event)
        except Exception:  # a listener's fault must not cost the line's other calls
            log.exception("event callback failed", extra={"line": self.name, "kind": event.kind})

    async def _ask_system(self, asked: wire.AskSystem) -> None:
        try:
            reply = await self._callbacks.on_asked(asked.attempt_id, asked.request)
        except Exception as error:  # the call goes on without an answer
            log.exception("system not asked", extra={"line": self.name, "attempt_id": asked.attempt_id})
            reply = Replied(problem=f"it could not be asked ({type(error).__name__})")
        if self.alive:
            self._send(wire.SystemReplied(number=asked.number, reply=reply))

    def _settle(self, end: CallResult | Released, store: Callable[[], Awaitable[None]]) -> None:
        key = (end.attempt_id, end.fence)
        if key not in self._settling:  # a repetition that crossed our acknowledgement
            self._settling[key] = asyncio.create_task(self._store(key, store))

    async def _store(self, key: tuple[str, int], store: Callable[[], Awaitable[None]]) -> None:
        try:
            await store()
        except Exception:
            log.exception("result not stored, it will come again", extra={"line": self.name, "attempt_id": key[0]})
        else:
            self.placed.pop(key[0], None)
            if self.alive:
                self._writer.write(wire.encode(wire.Ack(attempt_id=key[0], fence=key[1])))
        finally:
            del self._settling[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCommand:
    """How a line process is started."""

    options: Sequence[str]
    """Command line of ``dialer.line`` after ``--name``."""
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    module: str = "dialer.line"
    """What is run; a rehearsal may have a module of its own that gives ``dialer.line.main`` a far end."""
    stderr: int | None = None
    """File descriptor for its log; the host's own when ``None``."""


async def start_line(
    name: str,
    options: Sequence[str] | LineCommand,
    *,
    on_event: Callable[[CallEvent], None],
    on_result: Callable[[CallResult], Awaitable[None]],
    on_released: Callable[[Released], Awaitable[None]],
    on_asked: OnAsked = no_system,
    timeout_s: float = START_TIMEOUT_S,
) -> LineProcess:
    """Start ``python -m dialer.line`` and wait until its engine runs.

    Raises :class:`LineError` with the line's own words when it cannot start (port in use, engine missing).
    """
    command = options if isinstance(options, LineCommand) else LineCommand(options=options)
    ours, theirs = socket.socketpair()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", command.module, "--name", name, "--fd", str(theirs.fileno()), *command.options),
            stdin=asyncio.subprocess.DEVNULL,
            process_group=0,  # a Ctrl-C at the terminal is the host's to handle: calls in progress are drained
            stderr=command.stderr,
            env=command.environment,
            pass_fds=(theirs.fileno(),),
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=wire.MAX_FRAME_BYTES)
    try:
        async with asyncio.timeout(timeout_s):
            ready = await wire.read(reader, wire.TO_HOST)
        if not isinstance(ready, wire.Ready):
            raise _not_started(name, ready)
    except BaseException as error:
        writer.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise LineError(f"{name} did not start within {timeout_s:g} s") from None
        raise
    callbacks = Callbacks(on_event=on_event, on_result=on_result, on_released=on_released, on_asked=on_asked)
    return LineProcess(name, process, reader, writer, callbacks, ready)


def _not_started(name: str, message: wire.ToHost | None) -> LineError:
    if isinstance(message, wire.Unready):
        return LineError(f"{name} cannot start: {message.message}", code=message.code)
    return LineError(f"{name} ended while starting; its log says why")
