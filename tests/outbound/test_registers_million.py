"""A million numbers in flat memory, in the time it takes to read about it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

LOADS = """
import asyncio, json, random, resource, sys, time
from pathlib import Path
from types import SimpleNamespace
from outbound.registers import load
from outbound.store import Store, register_imports, registers

folder, count = Path(sys.argv[1]), int(sys.argv[2])
(folder / "imports").mkdir()
rng = random.Random(1)
with (folder / "imports" / "x.list").open("w") as file:
    for number in range(count):
        file.write(f"+{14000000000 + number * 7919 % 999999937}\\n")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main() -> None:
    store = Store(f"sqlite:///{folder / 'test.db'}")
    store.start()
    services = SimpleNamespace(store=store, settings=SimpleNamespace(data_dir=folder), clock=time.time)
    await store.write(lambda c: registers.create(c, "dnc", "national", now=1.0))
    values = {"register": "dnc", "mode": None, "path": "x.list", "options": {}, "as_of": 1.0, "now": 2.0}
    await store.write(lambda c: register_imports.create(c, "I", **values))
    before, began = peak_mb(), time.monotonic()
    await load.load_register(services, "I")
    took = time.monotonic() - began
    stands = await store.read(lambda c: registers.get(c, "dnc"))
    state = (await store.read(lambda c: register_imports.get(c, "I")))["state"]
    store.close()
    print(json.dumps({"entries": stands["entries"], "state": state, "grew_mb": peak_mb() - before, "took_s": took}))

asyncio.run(main())
"""


def loaded(folder: Path, count: int) -> dict[str, float | str]:
    """Load so many numbers in a process of its own, so that its memory is nobody else's."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(folder), str(count)], check=True, capture_output=True, text=True
    )
    found: dict[str, float | str] = json.loads(done.stdout)
    return found


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    million = loaded(tmp_path / "million", 1_000_000)
    assert (million["state"], million["entries"]) == ("done", 1_000_000)
    assert float(million["took_s"]) < 60
    assert float(million["grew_mb"]) < 60
