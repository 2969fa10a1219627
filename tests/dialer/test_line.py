"""A real line process with the loopback engine and scripted speech processes, from the host's end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from campaigns.dispositions import Disposition
from dialer.journal import What, read_journals
from dialer.link import LineError
from dialer.messages import EventKind
from speech.prompts import PromptCache, key
from tests.dialer.far_line import LEAVES, LISTENS, RINGS, SAYS_YES
from tests.dialer.flows import CHANGE
from tests.dialer.lines import Host

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory, scripted_speech: list[str]) -> AsyncIterator[Host]:
    """A line that lives through all tests which do not end it."""
    host = Host(tmp_path_factory.mktemp("line"), scripted_speech)
    await host.start()
    yield host
    assert await host.line.stop() == 0


@pytest_asyncio.fixture(loop_scope="module")
async def doomed(tmp_path: Path, scripted_speech: list[str]) -> AsyncIterator[Host]:
    """A line that its test ends."""
    host = Host(tmp_path, scripted_speech)
    await host.start("--max-calls", "3")
    yield host
    host.line.kill()
    await host.line.died


async def test_a_call_is_run_and_told(host: Host) -> None:
    assert (host.line.ready.engine, host.line.ready.name) == ("loopback", "line-1")
    assert host.line.ready.pid != os.getpid()
    request = host.place(SAYS_YES)
    result = await host.result(request)
    assert (result.disposition, result.call_id) == (Disposition.ACCEPTED, request.call_id)
    kinds = [event.kind for event in host.told(request)]
    assert kinds[:2] == [EventKind.DIALING, EventKind.ANSWERED]
    assert {EventKind.SAID, EventKind.HEARD, EventKind.STEP, EventKind.ENDED} <= set(kinds)
    assert (await host.line.ping()).calls == 0
    assert not host.line.placed
    assert (host.folder / "recordings" / result.recording).stat().st_size > 10_000
    assert await host.line.journal([request.call_id, "never"]) == {request.call_id: "ended"}


async def test_a_ringing_call_is_cancelled(host: Host) -> None:
    request = host.place(RINGS)
    await host.until(request, EventKind.RINGING)
    host.line.hang_up(request.attempt_id, "opted_out")
    result = await host.result(request)
    assert (result.disposition, result.hangup_cause) == (Disposition.CANCELLED, "opted_out")


async def test_a_result_comes_again_until_it_is_stored(host: Host) -> None:
    host.refusals = 1
    request = host.place(RINGS, ring_timeout_s=0.2)
    result = await host.result(request)
    assert host.refusals == 0
    assert result.attempt_id == request.attempt_id


async def test_a_late_request_is_given_back(host: Host) -> None:
    request = host.place(SAYS_YES, send_before=time.monotonic() - 1)
    assert await host.release(request) == "send_window_missed"
    assert await host.line.journal([request.call_id]) == {}


async def test_prompts_are_rendered_ahead(host: Host) -> None:
    host.line.prepare(["Hello there.", "See you."], "en")
    prompts = host.folder / "prompts"
    before = len(list(prompts.glob("*/*.ulaw")))
    while len(list(prompts.glob("*/*.ulaw"))) < before + 2:
        await host.line.ping()
    assert (await host.line.ping()).calls == 0


async def test_no_sound_of_a_name_is_left_after_its_call(host: Host) -> None:
    request = host.place(SAYS_YES, variables={"business": "Acme", "day": "Philippa"}, shared=("business",))
    result = await host.result(request)
    said = [turn.text for turn in result.transcript if turn.who == "robot"]
    assert said[:3] == ["Robot of Acme.", "Parcel Philippa.", "At home?"]
    cache = PromptCache(host.folder / "prompts")
    kept = {
        text: cache.path(key("scripted/1/data", language="en", rate=1.0, text=text)).exists()
        for text in ("Robot of Acme.", "Parcel Philippa.", "At home?")
    }
    assert kept == {"Robot of Acme.": True, "Parcel Philippa.": False, "At home?": True}


async def test_a_killed_line_is_noticed_and_its_journal_tells(doomed: Host) -> None:
    request = doomed.place(LISTENS)
    await doomed.until(request, EventKind.SAID)
    os.kill(doomed.line.ready.pid, signal.SIGKILL)
    assert await doomed.line.died == -signal.SIGKILL
    assert list(doomed.line.placed) == [request.attempt_id]
    states = read_journals(doomed.folder / "journal", [request.call_id])
    assert states[request.call_id].what is What.ANSWERED
    with pytest.raises(LineError, match="is gone"):
        doomed.place(SAYS_YES)


async def test_a_draining_line_finishes_its_calls_and_takes_no_more(doomed: Host) -> None:
    first = doomed.place(LEAVES)
    await doomed.until(first, EventKind.ANSWERED)
    doomed.line.drain()
    second = doomed.place(RINGS)
    assert await doomed.release(second) == "draining"
    assert (await doomed.result(first)).disposition is Disposition.HUNG_UP
    assert await doomed.line.died == 0


async def test_a_terminated_line_finishes_its_call(doomed: Host) -> None:
    request = doomed.place(LEAVES)
    await doomed.until(request, EventKind.ANSWERED)
    os.kill(doomed.line.ready.pid, signal.SIGTERM)
    assert (await doomed.result(request)).disposition is Disposition.HUNG_UP
    assert await doomed.line.died == 0


async def test_a_line_hangs_up_and_ends_when_its_host_is_gone(doomed: Host) -> None:
    taken = doomed.place(LISTENS, agent_uri="sip:agent@127.0.0.1")
    await doomed.until(taken, EventKind.SAID)
    assert (await doomed.line.ping()).legs_free == 1
    second = doomed.place(RINGS, agent_uri="sip:agent@127.0.0.1")
    assert await doomed.release(second) == "no_leg_free", "a call that may be handed over takes two legs"
    doomed.line._writer.close()
    assert await doomed.line._process.wait() == 0
    states = read_journals(doomed.folder / "journal", [taken.call_id])
    assert (states[taken.call_id].what, states[taken.call_id].disposition) == (What.ENDED, Disposition.FAILED)


async def test_a_line_that_cannot_start_says_why(tmp_path: Path) -> None:
    host = Host(tmp_path, [])
    with pytest.raises(LineError, match="no engine 'nothing'"):
        await host.start("--engine", "nothing")
    with pytest.raises(LineError, match="its log says why"):
        await host.start(module="tests.dialer.requests")


async def test_a_system_is_asked_through_the_host(host: Host) -> None:
    request = host.place(SAYS_YES, flow=CHANGE)
    result = await host.result(request)
    assert (result.outcome, result.variables) == ("changed", {"slot": "ten"})
    [(attempt_id, asked)] = host.asked
    assert (attempt_id, asked.system, asked.values, asked.key) == (
        request.attempt_id,
        "parcels",
        {"day": "Friday"},
        "change-1",
    )


async def test_a_host_that_fails_to_ask_costs_no_call(host: Host) -> None:
    host.reply = None
    request = host.place(SAYS_YES, flow=CHANGE)
    result = await host.result(request)
    assert result.disposition is Disposition.CALLBACK_BOOKED
    [problem] = [event.data for event in host.told(request) if event.data.get("state") == "failed"]
    assert problem["problem"] == "it could not be asked (ConnectionError)"
