"""Speech processes that several tests of this room share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from subprocess import PIPE, Popen

import pytest

from speech.worker_spec import Kind, WorkerSpec


@pytest.fixture(scope="session")
def scripted_speech(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
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
