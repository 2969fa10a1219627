"""Keeps the speech processes of a host alive: recognisers and synthesisers, each started again when it dies.

What they do is in speech/; the sockets stay the same over a restart, so lines find the new process by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import structlog

from outbound.errors import Unavailable
from outbound.settings import Settings
from outbound.together import together
from speech.models import default_root
from speech.worker_spec import Kind, WorkerSpec

log = structlog.get_logger(__name__)
START_TIMEOUT_S = 120.0
"""A first start may join and verify model files."""
STOP_TIMEOUT_S = 3.0
NATURAL = frozenset({"auto", "kokoro", "piper"})
STAND_IN = "pyttsx3"
"""Speaks when the natural voice is late or dead: it needs a hundredth of the time, and nobody hears silence."""
MAX_RESPAWN_S = 10.0


class SpeechProcesses:
    """The recognisers and the synthesisers of one host; the first synthesiser is the better voice."""

    def __init__(self, settings: Settings, runtime: Path) -> None:
        models = settings.models_dir or default_root()
        languages = tuple(part.strip() for part in settings.languages.split(",") if part.strip())
        self._recognizers = [
            WorkerSpec(
                kind=Kind.RECOGNIZER,
                socket=runtime / f"recognizer-{number}.sock",
                engine=settings.recognizer,
                languages=languages,
                models=models,
            )
            for number in range(1, settings.recognizers + 1)
        ]
        voices = (settings.synthesizer, STAND_IN) if settings.synthesizer in NATURAL else (settings.synthesizer,)
        self._synthesizers = [
            WorkerSpec(
                kind=Kind.SYNTHESIZER,
                socket=runtime / f"synthesizer-{engine}.sock",
                engine=engine,
                languages=languages,
                models=models,
            )
            for engine in voices
        ]
        self._processes = [_Supervised(spec) for spec in (*self._recognizers, *self._synthesizers)]

    @property
    def line_options(self) -> list[str]:
        """What a line process is told about them."""
        recognizers = [word for spec in self._recognizers for word in ("--recognizer", str(spec.socket))]
        voices = [word for spec in self._synthesizers for word in ("--synthesizer", f"*/{spec.engine}={spec.socket}")]
        return [*recognizers, *voices]

    async def start(self) -> None:
        """Start them all beside each other. Raises :class:`Unavailable` with the first one's own words and remedy."""
        await together(process.start() for process in self._processes)

    async def stop(self) -> None:
        """End them."""
        await asyncio.gather(*(process.stop() for process in self._processes))


class _Supervised:
    """One speech process, and the next one when it dies."""

    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._spawn()
        self._keeping = asyncio.create_task(self._keep(), name=f"keeps {self._spec.socket.stem}")

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeping
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*self._spec.argv(), stdin=pipe, stdout=pipe, process_group=0)
        self._process = process
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_TIMEOUT_S)
            ready = json.loads(line) if line else {"ready": False, "message": "it ended while starting"}
        except (TimeoutError, ValueError):
            ready = {"ready": False, "message": f"it was not ready within {START_TIMEOUT_S:g} s"}
        if not ready["ready"]:
            await self._reap(process)
            raise Unavailable(f"{self._spec.kind} ({self._spec.engine}) cannot start: {ready['message']}")
        log.info("speech process up", kind=self._spec.kind, engine=ready["engine"], load_s=ready["load_s"])

    async def _reap(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        pause = 0.1
        while True:
            process = self._process
            assert process is not None
            code = await process.wait()
            log.warning("speech process died", kind=self._spec.kind, exit_code=code)
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_RESPAWN_S)
                try:
                    await self._spawn()
                except Unavailable as error:
                    log.error("speech process does not start", kind=self._spec.kind, reason=error.detail)
                else:
                    break
