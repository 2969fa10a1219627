"""A real line process with the loopback engine and scripted speech processes, from the host's end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from campaigns.dispositions import Disposition
from dialer.journal import What, read_journals
from dialer.link import LineCommand, LineError, LineProcess, start_line
from dialer.messages import CallEvent, CallRequest, CallResult, EventKind, Released
from speech.worker_spec import Kind, WorkerSpec
from tests.dialer.far_line import LISTENS, RINGS, SAYS_YES
from tests.dialer.flows import DELIVERY, VARIABLES
from tests.dialer.requests import call_request

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Options of a line for one scripted recogniser and one scripted voice."""
    folder = tmp_path_factory.mktemp("speech")
    specs = [WorkerSpec(kind=kind, socket=folder / kind.value, engine="scripted") for kind in Kind]
    workers = [Popen(spec.argv(), stdin=PIPE, stdout=PIPE) for spec in specs]
    for worker in workers:
        assert worker.stdout is not None
        assert json.loads(worker.stdout.readline())["ready"]
    recognizer, synthesizer = (str(spec.socket) for spec in specs)
    yield ["--recognizer", recognizer, "--synthesizer", f"en/scripted={synthesizer}"]
    for worker in workers:
        worker.communicate(timeout=10)


class Host:
    """What a host keeps of what its line tells."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.folder, self.options = folder, options
        self.events: list[CallEvent] = []
        self.ends: list[CallResult | Released] = []
        self.refusals = 0
        """How many results to refuse at first, as a host does whose database is away."""
        self._changed = asyncio.Condition()
        self.line: LineProcess

    async def start(self, *more: str, module: str = "tests.dialer.far_line") -> LineProcess:
        options = ["--engine", "loopback", "--data", str(self.folder), *self.options, *more]
        command = LineCommand(options=options, module=module)
        self.line = await start_line(
            "line-1", command, on_event=self._hear, on_result=self._store, on_released=self._store
        )
        return self.line

    def place(self, number: str, **changes: Any) -> CallRequest:
        fields = {"number": number, "flow": DELIVERY, "variables": VARIABLES, "send_before": time.monotonic() + 5}
        request = call_request(**{**fields, **changes})
        self.line.place(request)
        return request

    async def end(self) -> CallResult | Released:
        """The next result or release."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self.ends))
        return self.ends.pop(0)

    async def told(self, kind: EventKind) -> None:
        """Wait for an event."""
        async with self._changed:
            await self._changed.wait_for(lambda: any(event.kind is kind for event in self.events))

    def _hear(self, event: CallEvent) -> None:
        self.events.append(event)
        asyncio.get_running_loop().create_task(self._change())

    async def _change(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _store(self, end: CallResult | Released) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("the database is away")
        self.ends.append(end)
        await self._change()


@pytest.fixture
async def host(tmp_path: Path, speech: list[str]) -> AsyncIterator[Host]:
    host = Host(tmp_path, speech)
    await host.start()
    yield host
    host.line.kill()
    await host.line.died


async def test_a_call_is_run_and_told(host: Host) -> None:
    assert (host.line.ready.engine, host.line.ready.name) == ("loopback", "line-1")
    assert host.line.ready.pid != os.getpid()
    request = host.place(SAYS_YES)
    result = await host.end()
    assert isinstance(result, CallResult)
    assert (result.disposition, result.call_id) == (Disposition.ACCEPTED, request.call_id)
    kinds = [event.kind for event in host.events]
    assert kinds[:2] == [EventKind.DIALING, EventKind.ANSWERED]
    assert {EventKind.SAID, EventKind.HEARD, EventKind.STEP, EventKind.ENDED} <= set(kinds)
    assert not host.line.placed
    assert (host.folder / "recordings" / result.recording).stat().st_size > 10_000
    assert await host.line.journal([request.call_id, "never"]) == {request.call_id: "ended"}


async def test_a_ringing_call_is_cancelled(host: Host) -> None:
    request = host.place(RINGS)
    await host.told(EventKind.RINGING)
    host.line.hang_up(request.attempt_id, "opted_out")
    result = await host.end()
    assert isinstance(result, CallResult)
    assert (result.disposition, result.hangup_cause) == (Disposition.NO_ANSWER, "opted_out")


async def test_a_result_comes_again_until_it_is_stored(host: Host) -> None:
    host.refusals = 1
    request = host.place(RINGS, ring_timeout_s=0.2)
    result = await host.end()
    assert isinstance(result, CallResult)
    assert result.attempt_id == request.attempt_id
    assert (await host.line.ping()).calls == 0
    assert not host.ends


async def test_a_late_request_is_given_back(host: Host) -> None:
    request = host.place(SAYS_YES, send_before=time.monotonic() - 1)
    released = await host.end()
    assert isinstance(released, Released)
    assert released.reason == "send_window_missed"
    assert await host.line.journal([request.call_id]) == {}


async def test_legs_are_counted_two_for_a_call_that_may_be_handed_over(tmp_path: Path, speech: list[str]) -> None:
    host = Host(tmp_path, speech)
    await host.start("--max-calls", "3")
    host.place(RINGS, agent_uri="sip:agent@127.0.0.1")
    await host.told(EventKind.RINGING)
    assert (await host.line.ping()).legs_free == 1
    host.place(RINGS, agent_uri="sip:agent@127.0.0.1")
    released = await host.end()
    assert isinstance(released, Released)
    assert released.reason == "no_leg_free"
    host.line.kill()
    await host.line.died


async def test_a_killed_line_is_noticed_and_its_journal_tells(host: Host) -> None:
    request = host.place(LISTENS)
    await host.told(EventKind.SAID)
    os.kill(host.line.ready.pid, signal.SIGKILL)
    assert await host.line.died == -signal.SIGKILL
    assert list(host.line.placed) == [request.attempt_id]
    states = read_journals(host.folder / "journal", [request.call_id])
    assert states[request.call_id].what is What.ANSWERED
    with pytest.raises(LineError, match="is gone"):
        host.place(SAYS_YES)


async def test_a_draining_line_finishes_its_calls_and_takes_no_more(host: Host) -> None:
    first = host.place(SAYS_YES)
    await host.told(EventKind.ANSWERED)
    host.line.drain()
    second = host.place(RINGS)
    refused, finished = await host.end(), await host.end()
    assert isinstance(refused, Released)
    assert (refused.attempt_id, refused.reason) == (second.attempt_id, "draining")
    assert isinstance(finished, CallResult)
    assert (finished.attempt_id, finished.disposition) == (first.attempt_id, Disposition.ACCEPTED)
    assert await host.line.died == 0


async def test_a_terminated_line_finishes_its_call(host: Host) -> None:
    host.place(SAYS_YES)
    await host.told(EventKind.ANSWERED)
    os.kill(host.line.ready.pid, signal.SIGTERM)
    finished = await host.end()
    assert isinstance(finished, CallResult)
    assert finished.disposition is Disposition.ACCEPTED
    assert await host.line.died == 0


async def test_a_line_hangs_up_and_ends_when_its_host_is_gone(host: Host) -> None:
    request = host.place(LISTENS)
    await host.told(EventKind.SAID)
    host.line._writer.close()
    assert await host.line._process.wait() == 0
    states = read_journals(host.folder / "journal", [request.call_id])
    assert (states[request.call_id].what, states[request.call_id].disposition) == (What.ENDED, Disposition.HUNG_UP)


async def test_prompts_are_rendered_ahead(host: Host) -> None:
    host.line.prepare(["Hello there.", "Goodbye."], "en")
    prompts = host.folder / "prompts"
    while len(list(prompts.glob("*/*.ulaw"))) < 2:
        await host.line.ping()
    assert (await host.line.ping()).calls == 0


async def test_a_line_that_cannot_start_says_why(tmp_path: Path) -> None:
    host = Host(tmp_path, [])
    with pytest.raises(LineError, match="no engine 'nothing'"):
        await host.start("--engine", "nothing")
    with pytest.raises(LineError, match="its log says why"):
        await host.start(module="tests.dialer.requests")
