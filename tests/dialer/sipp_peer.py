"""A sipp process that plays one scenario of tests/dialer/sipp once: the far end of a test."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = Path(__file__).parent / "sipp"
_ARROW = re.compile(r"^-{5,}.*\n(?:UDP|TCP) message (sent|received).*\n", re.MULTILINE)


def free_port() -> int:
    """An even UDP port nobody has, with its odd neighbour free too (RTP and RTCP)."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port % 2 == 0:
            return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Sipp:
    """A running scenario."""

    address: str
    process: asyncio.subprocess.Process
    log: Path

    async def finished(self) -> int:
        """Wait for its end: 0 when everything came as the scenario says."""
        return await self.process.wait()

    def received(self, method: str) -> list[str]:
        """Requests of ``method`` that reached it, as text."""
        parts = _ARROW.split(self.log.read_text(errors="replace"))
        messages = [text.strip() for way, text in zip(parts[1::2], parts[2::2], strict=True) if way == "received"]
        return [message for message in messages if message.startswith(f"{method} ")]


@asynccontextmanager
async def sipp(
    scenario: str, *options: str, keys: dict[str, str] | None = None, tcp: bool = False
) -> AsyncIterator[Sipp]:
    """Start ``scenario`` on a free port and wait until it listens; ended with the block at the latest."""
    port, media, folder = free_port(), free_port(), Path(tempfile.mkdtemp(prefix="sipp-"))
    log = folder / "messages"
    scene = (SCENARIOS / f"{scenario}.xml").read_text()
    for key, value in (keys or {}).items():  # sipp's own -key does not reach a status line
        scene = scene.replace(f"[{key}]", value)
    (folder / "scenario.xml").write_text(scene)
    process = await asyncio.create_subprocess_exec(
        *("sipp", "-sf", "scenario.xml", "-i", "127.0.0.1", "-p", str(port)),
        *("-mp", str(media), "-t", "t1" if tcp else "u1", "-m", "1", "-timeout", "20", "-nostdin"),
        *("-trace_msg", "-message_file", str(log), *options),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.to_thread(_until_it_listens, port, tcp)
        assert process.returncode is None, "sipp could not start: is its scenario well-formed?"
        yield Sipp(address=f"127.0.0.1:{port}", process=process, log=log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_listens(port: int, tcp: bool) -> None:
    """An empty line (a keep-alive, which sipp ignores) is refused while the port is closed."""
    for _ in range(5_000):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.02)
            try:
                probe.connect(("127.0.0.1", port))
                if not tcp:
                    probe.send(b"\r\n\r\n")
                    probe.recv(1)
                return
            except ConnectionRefusedError:
                os.sched_yield()
            except TimeoutError:
                return
    raise AssertionError("sipp does not listen")
