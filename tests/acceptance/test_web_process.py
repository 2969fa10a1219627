"""The web process serves the API without ever loading an engine: a crash of one can then never take it down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

ENGINES = {"ctranslate2", "onnxruntime", "piper", "pjsua2", "pyttsx3", "vosk", "webrtcvad"}

PROGRAM = """
import asyncio, json, sys
from pathlib import Path

import aiohttp

from outbound.settings import load_settings
from outbound.up import running_host

async def main(data_dir):
    settings = load_settings(data_dir=Path(data_dir), port=0)
    async with running_host(settings, frozenset({"web"})) as host, aiohttp.ClientSession() as session:
        async with session.get(host.url + "/healthz") as answer:
            health = answer.status
        async with session.get(host.url + "/openapi.json") as answer:
            paths = sorted((await answer.json())["paths"])
    print(json.dumps({"health": health, "paths": paths, "modules": sorted(sys.modules)}))

asyncio.run(main(sys.argv[1]))
"""


def test_web_process_serves_without_an_engine(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data")], check=False, capture_output=True, text=True, timeout=60
    )

    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout.splitlines()[-1])
    assert seen["health"] == 200
    assert "/v1/campaigns" in seen["paths"]
    assert ENGINES & set(seen["modules"]) == set()
