"""The product as it is run by a layout: its parts, its database and its queue, and where each kind of strike lands.

It starts, strikes and stops; when what is struck is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from outbound.errors import Unavailable
from outbound.queue.valkey import EmbeddedValkey
from outbound.rehearsal.chaos.family import Relative
from outbound.rehearsal.chaos.part import Exit, Part
from outbound.rehearsal.chaos.plan import Layout
from outbound.rehearsal.chaos.postgres import Postgres

UP_WITHIN_S = 120.0
DRAIN_S = 20.0
"""What the product is given for its calls in progress."""
STOP_WITHIN_S = DRAIN_S + 15.0
"""A graceful stop that takes longer has failed: closing takes a little more than draining."""
WORKERS = ("worker-a", "worker-b")
DIALERS = ("north", "south")
LEGS_A_LINE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How the product is set up for a rate."""

    rate: float
    """Calls a second that begin."""
    speech: str
    """``scripted``, or ``auto`` for real engines."""

    def lines(self, hosts: int) -> int:
        """Line processes of each host: a call holds its leg for about a second and a half."""
        return max(1, round(self.rate * 1.6 / LEGS_A_LINE / hosts + 0.5))


class Service:
    """The running product."""

    def __init__(self, layout: Layout, folder: Path, sizes: Sizes) -> None:
        self.layout, self.folder = layout, folder
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.postgres: Postgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._logs = folder / "logs"
        self._environment = self._settings(sizes, port)
        self.parts = self._parts()

    @property
    def key(self) -> str:
        """The operator's key, which the part with REST printed."""
        return next(part.key for part in self.parts if part.role in ("host", "web"))

    @property
    def exits(self) -> list[Exit]:
        """How parts ended so far."""
        return [end for part in self.parts for end in part.exits]

    async def start(self) -> None:
        """Start everything and wait until it runs. Raises :class:`OutboundError` that names the log."""
        for name in ("logs", "data", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if self.layout is Layout.PARTS:
            self.postgres = Postgres(self.folder / "pg", self._logs / "postgresql.log")
            self._valkey = EmbeddedValkey(data_dir=self.folder / "valkey", socket=self.folder / "valkey.sock")
            await asyncio.gather(self.postgres.start(), self._valkey.start())
            self._environment["OUTBOUND_DATABASE_URL"] = self.postgres.url
            self._environment["OUTBOUND_REDIS_URL"] = self._valkey.url  # parts share this mapping
        for part in self.parts:
            part.start()
        try:
            async with asyncio.timeout(UP_WITHIN_S):
                await asyncio.gather(*(part.ready.wait() for part in self.parts))
        except TimeoutError:
            late = ", ".join(part.name for part in self.parts if not part.ready.is_set())
            raise Unavailable(f"{late} did not come up: see {self._logs}", code="chaos_not_ready") from None

    async def stop(self) -> list[float | None]:
        """Stop everything gracefully; returns how long each part took, ``None`` for one that had to be killed."""
        took = await asyncio.gather(*(part.stop(STOP_WITHIN_S) for part in self.parts))
        if self._valkey is not None:
            await self._valkey.stop()
        if self.postgres is not None:
            await self.postgres.stop()
        return list(took)

    def of_role(self, *roles: str) -> list[Part]:
        """Parts with one of these roles."""
        return [part for part in self.parts if part.role in roles]

    def relatives(self) -> list[Relative]:
        """All processes of the product that run now."""
        return [relative for part in self.parts for relative in part.family()]

    @property
    def all_up(self) -> bool:
        """Whether every part runs."""
        return all(part.ready.is_set() for part in self.parts)

    def children(self, *words: str) -> list[Relative]:
        """Children of parts that are up whose command line has all ``words``."""
        families = [part.family() for part in self.parts if part.ready.is_set()]
        return [found for relatives in families for found in relatives if all(word in found.command for word in words)]

    def valkey_pid(self) -> int:
        """Process id of the queue's server; 0 while there is none."""
        if self._valkey is not None:
            return self._valkey.pid
        return next((found.pid for found in self.children("valkey-server")), 0) or next(
            (found.pid for found in self.children("redis-server")), 0
        )

    async def flush_queue(self) -> None:
        """FLUSHALL. Raises ``OSError`` or a ``RedisError`` when the queue is away."""
        client = Redis.from_url(self._queue_url(), socket_connect_timeout=2)
        try:
            await client.flushall()
        finally:
            await client.aclose()

    def _queue_url(self) -> str:
        if self._valkey is not None:
            return self._valkey.url
        sockets = sorted((self.folder / "tmp").glob("outbound-*/valkey.sock"), key=lambda path: path.stat().st_mtime)
        if not sockets:
            raise OSError("the queue's socket is not there")
        return f"unix://{sockets[-1]}"

    def _parts(self) -> list[Part]:
        if self.layout is Layout.EMBEDDED:
            return [self._part("up", name="host", role="host")]
        parts = [self._part("web", name="web", role="web")]
        parts += [self._part("worker", name=name, role="worker") for name in WORKERS]
        return parts + [self._part("dialer", "--name", name, name=name, role="dialer") for name in DIALERS]

    def _part(self, *command: str, name: str, role: str) -> Part:
        log = self._logs / f"{name}.log"
        return Part(*command, name=name, role=role, environment=self._environment, log=log)

    def _settings(self, sizes: Sizes, port: int) -> dict[str, str]:
        hosts = len(DIALERS) if self.layout is Layout.PARTS else 1
        values = {
            "DATA_DIR": str(self.folder / "data"),
            "PORT": str(port),
            "SIP_BIND": "127.0.0.1",
            "LINES": str(sizes.lines(hosts)),
            "RECOGNIZER": sizes.speech,
            "SYNTHESIZER": sizes.speech,
            "MAX_CALLS_PER_SECOND": f"{sizes.rate:g}",
            "DRAIN_TIMEOUT_S": f"{DRAIN_S:g}",
            "LOG_LEVEL": "info",
        }
        bare = {name: value for name, value in os.environ.items() if not name.startswith("OUTBOUND_")}
        own = {"TMPDIR": str(self.folder / "tmp"), "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        return bare | own | {f"OUTBOUND_{name}": value for name, value in values.items()}


def alive(seen: Iterable[Relative]) -> list[Relative]:
    """Which of the processes seen in a run still run."""
    return [relative for relative in seen if relative.alive]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
