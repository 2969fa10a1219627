"""Speech processes: command line, ready line, ends, and what they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from speech.worker_spec import Kind, WorkerSpec
from tests.speech.conftest import Start

pytestmark = pytest.mark.integration


def mode_of(path: Path) -> int:
    return path.stat().st_mode


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def scripted(folder: Path, kind: Kind = Kind.RECOGNIZER) -> WorkerSpec:
    return WorkerSpec(kind=kind, engine="scripted", socket=folder / "s.sock", models=folder / "models")


def test_a_spec_survives_its_command_line(tmp_path: Path) -> None:
    spec = WorkerSpec(
        kind=Kind.SYNTHESIZER,
        socket=tmp_path / "s.sock",
        engine="piper",
        languages=("en", "de"),
        models=tmp_path,
        own_models={"de": tmp_path / "stimme"},
        threads=2,
    )
    assert WorkerSpec.parse(spec.argv()[3:]) == spec


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--socket", "/tmp/s"], "kind"),
        (["recognizer"], "--socket"),
        (["painter", "--socket", "/tmp/s"], "painter"),
        (["recognizer", "--socket", "/tmp/s", "--model", "en"], "LANGUAGE=FOLDER"),
        (["recognizer", "--socket", "/tmp/" + "s" * 120], "shorter run directory"),
    ],
)
def test_a_wrong_command_line_is_said(argv: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        WorkerSpec.parse(argv)
    assert caught.value.code == 2
    assert reason in capsys.readouterr().err


async def test_it_says_when_it_is_ready_and_ends_when_stdin_closes(run_folder: Path, start: Start) -> None:
    worker = await start(scripted(run_folder))
    assert worker.ready["ready"] is True
    assert (worker.ready["engine"], worker.ready["pid"]) == ("scripted", worker.process.pid)
    assert mode_of(worker.spec.socket) & 0o077 == 0  # nobody else may listen in
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    assert await worker.process.wait() == 0
    assert files(run_folder) == []


async def test_it_ends_on_sigterm(run_folder: Path, start: Start) -> None:
    worker = await start(scripted(run_folder))
    worker.process.terminate()
    assert await worker.process.wait() == 0


def test_it_ends_with_a_parent_that_was_killed(run_folder: Path) -> None:
    code = (
        "import subprocess, sys, os, signal\n"
        f"argv = {scripted(run_folder).argv()!r}\n"
        "subprocess.Popen(argv, stdin=subprocess.DEVNULL)\n"
        "sys.stdin.readline()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdout as lines, parent.stdin as signal_to_die:
        assert json.loads(lines.readline())["ready"] is True
        signal_to_die.write("now\n")
        assert lines.read() == ""  # the pipe closes only when the worker, which inherited it, is gone too
    assert parent.wait() == -9


async def test_a_missing_model_is_said_with_the_remedy_and_code_3(run_folder: Path, start: Start) -> None:
    spec = WorkerSpec(
        kind=Kind.RECOGNIZER, engine="vosk", languages=("xx",), socket=run_folder / "s.sock", models=run_folder
    )
    worker = await start(spec)
    assert worker.ready["ready"] is False
    assert worker.ready["code"] == "model_missing"
    assert "outbound models get vosk-xx" in worker.ready["message"]
    assert await worker.process.wait() == 3


async def test_a_dead_socket_is_replaced_and_a_living_one_is_not(run_folder: Path, start: Start) -> None:
    first = await start(scripted(run_folder))
    second = await start(scripted(run_folder))
    assert second.ready["code"] == "socket_in_use"
    assert await second.process.wait() == 3
    await first.kill()
    third = await start(scripted(run_folder))
    assert third.ready["ready"] is True


async def test_a_socket_that_cannot_be_is_said(tmp_path: Path, start: Start) -> None:
    spec = WorkerSpec(kind=Kind.RECOGNIZER, engine="scripted", socket=Path("/nowhere/at/all.sock"), models=tmp_path)
    worker = await start(spec)
    assert worker.ready["code"] == "socket_unusable"
    assert "/nowhere/at/all.sock" in worker.ready["message"]
    await worker.process.wait()
