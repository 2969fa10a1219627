"""Simulated customers as processes, rung for real: exchange, customer and caller are three processes on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outbound.errors import Unavailable
from outbound.rehearsal.cast import Cast, built_in_behaviours
from outbound.rehearsal.children import Child
from outbound.rehearsal.directing import lines, roles
from outbound.rehearsal.exchange import Exchange
from outbound.rehearsal.likeness import share_heard
from outbound.rehearsal.registrar import Registrar
from outbound.rehearsal.script import CallScript, CustomerScript
from outbound.rehearsal.stage import Stage
from outbound.rehearsal.verdict import ENOUGH_SOUND
from speech.audio import read_wav, write_wav

pytestmark = pytest.mark.integration
CALLER = Path(__file__).with_name("rehearsal_caller.py")
ROOT = Path(__file__).resolve().parents[2]
SPEECH_S = 3.2

YES, BUSY, MUTE, MACHINE, CUTS = (f"+120255501{n:02d}" for n in range(1, 6))
CAST: dict[str, Any] = {
    "behaviours": {
        "answers_and_presses": {
            "rings_s": 0.1,
            "steps": [{"listen": {"quiet_s": 0.5}}, {"say": "Yes, please."}, {"press": "1#"}, "hang_up"],
        },
        "machine": {"rings_s": 0.0, "steps": [{"say": "Leave a message."}, {"beep": 0.4}]},
        "cuts_in": {"rings_s": 0.0, "steps": [{"hear": 0.5}, "hang_up"]},
        "rings": {"ignore": True, "rings_s": 0.0},
    },
    "customers": [
        {"name": "Yes", "number": YES, "behaviour": ["is_busy", "answers_and_presses"]},
        {"name": "Busy", "number": BUSY, "behaviour": "is_busy"},
        {"name": "Mute", "number": MUTE, "behaviour": "rings"},
        {"name": "Machine", "number": MACHINE, "behaviour": "machine"},
        {"name": "Cuts", "number": CUTS, "behaviour": "cuts_in"},
    ],
}


def cast() -> Cast:
    read = Cast.model_validate(CAST)
    return read.model_copy(update={"behaviours": {**built_in_behaviours(), **read.behaviours}})


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something like speech: noise whose level rises and falls like syllables."""
    time_s = np.arange(int(8000 * SPEECH_S)) / 8000
    noise = np.random.default_rng(7).normal(0, 3000, len(time_s)) * (0.4 + 0.6 * np.sin(2 * np.pi * 4 * time_s) ** 2)
    path = tmp_path_factory.mktemp("sound") / "speech.wav"
    write_wav(path, noise.astype(np.int16))
    return path


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    built = Stage(roles(cast()), folder=tmp_path / "stage", voices_folder=tmp_path / "voices")
    try:
        await built.prepare()
        await built.open()
        yield built
    finally:
        await built.close()


async def ring(stage: Stage, number: str, sound: Path, *, limit_s: float = 20.0) -> dict[str, Any]:
    """Ring a number from a process of its own and return what the caller saw."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CALLER), stage.address, number, str(sound), str(limit_s)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    out, _ = await process.communicate()
    seen: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    await stage.all_over()
    return seen


async def test_customers_follow_their_scripts_on_a_real_call(stage: Stage, speech: Path) -> None:
    busy_first = await ring(stage, YES, speech)
    assert busy_first["happened"] == [{"ringing": 180}, {"ended": 486}]
    assert stage.calls[YES][0].tape is None

    answered, hung, taped, cut = await asyncio.gather(
        ring(stage, YES, speech),
        ring(stage, MUTE, speech, limit_s=1.5),
        ring(stage, MACHINE, speech, limit_s=4.0),
        ring(stage, CUTS, speech),
    )
    assert [event for event in answered["happened"] if "digit" in event] == [{"digit": "1"}, {"digit": "#"}]
    call = stage.calls[YES][1]
    assert [deed for deed, _, _ in call.deeds] == ["listen", "say", "press", "hang_up"]
    assert (call.ended_by, call.deeds[1][2]) == ("us", "Yes, please.")
    assert call.deeds[1][1] > SPEECH_S  # it let the caller finish
    assert call.tape is not None
    sound, rate_hz = read_wav(call.tape)
    assert (rate_hz, sound.shape[1]) == (8000, 2)
    assert share_heard(read_wav(speech)[0][:, 0], sound[:, 1]) >= ENOUGH_SOUND
    said = {line.text: read_wav(line.path(stage.voices))[0][:, 0] for role in stage.roles for line in lines(role)}
    assert share_heard(said["Yes, please."], sound[:, 0]) >= ENOUGH_SOUND
    assert share_heard(said["Leave a message."], sound[:, 0]) < ENOUGH_SOUND

    assert hung["happened"] == [{"ringing": 180}, {"gave_up": True}]
    assert [(call.answered_at, call.ended_by == "us") for call in stage.calls[MUTE]] == [(None, False)]

    machine = stage.calls[MACHINE][0]
    assert machine.beeped_at_s is not None
    assert machine.beeped_at_s > 0.4
    assert taped["received"] > 0

    assert cut["happened"][-1] == {"ended": 0}
    ended_at_s = stage.calls[CUTS][0].ended_at_s
    assert ended_at_s is not None
    assert ended_at_s < SPEECH_S

    assert {number: len(rings) for number, rings in stage.rung.items()} == {YES: 2, MUTE: 1, MACHINE: 1, CUTS: 1}

    lost = asyncio.create_task(ring(stage, MUTE, speech, limit_s=2.0))
    await stage.until(lambda: len(stage.calls[MUTE]) == 2)
    os.kill(stage.pids[MUTE], signal.SIGKILL)
    await lost
    assert stage.calls[MUTE][1].ended_by == "crashed"
    assert len(set(stage.pids.values())) == len(CAST["customers"])  # a process each
    await stage.close()
    for pid in stage.pids.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_who_cannot_start_is_named_with_the_reason(tmp_path: Path) -> None:
    exchange = Exchange(Registrar())  # knows nobody, so it registers nobody
    await exchange.start()
    port = exchange.address[1]
    taken = Stage(roles(cast())[:1], folder=tmp_path / "taken", voices_folder=tmp_path, port=port)
    lost = tmp_path / "lost.json"
    CustomerScript(user=BUSY, exchange=f"127.0.0.1:{port}", calls=(CallScript(),), tapes=str(tmp_path)).dump(lost)
    child = Child("outbound.rehearsal.customer", "--script", str(lost), name="Lost", log=tmp_path / "lost.log")
    try:
        with pytest.raises(Unavailable, match=f"UDP port {port}"):
            await taken.prepare()
        taken.address = f"127.0.0.1:{port}"
        with pytest.raises(Unavailable, match=r"Yes: the exchange at .* did not register it \(404\); see "):
            await taken.open()
        await child.start()
        with pytest.raises(Unavailable, match=rf"Lost: the exchange at 127.0.0.1:{port} did not register it \(404\)"):
            await child.ready()
    finally:
        await taken.close()
        await child.stop()
        exchange.stop()


async def test_a_process_ends_when_its_parent_lets_go(tmp_path: Path) -> None:
    child = Child("outbound.rehearsal.exchange", "127.0.0.1", "0", name="exchange", log=tmp_path / "log")
    await child.start()
    assert (await child.ready()).data["port"] > 0
    await child.stop()
    await child.stop()
    assert child.returncode == 0
