"""Performs one strike on the running product and tells what it hit; it decides neither what nor when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from redis.exceptions import RedisError

from outbound.rehearsal.chaos.family import Relative, kill, limit_files
from outbound.rehearsal.chaos.layouts import STOP_WITHIN_S, Service
from outbound.rehearsal.chaos.part import Part
from outbound.rehearsal.chaos.plan import Blow, Strike
from outbound.rehearsal.chaos.postgres import Postgres

T = TypeVar("T")
FULL_S = 2.5
"""How long the disk stays full."""
FULL_BYTES = 1
DATABASES_SHARE = 0.3
"""How often the full disk is that of the database, where it has one of its own."""
TARGET_WITHIN_S = 90.0
"""A target that is still coming up from an earlier strike is waited for."""
LOOK_EVERY_S = 0.1
LINE, WORKER = "dialer.line", "speech.worker"
ROLES = {
    Strike.HOST: ("host",),
    Strike.WEB: ("web",),
    Strike.WORKER: ("worker",),
    Strike.DIALER: ("dialer",),
    Strike.DRAIN: ("host", "web", "worker", "dialer", "dialer"),
    Strike.DISK: ("host", "dialer", "web"),
}
CHILDREN = {
    Strike.LINE: (LINE,),
    Strike.RECOGNISER: (WORKER, "recognizer"),
    Strike.SYNTHESISER: (WORKER, "synthesizer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One strike as it happened."""

    kind: Strike
    what: str
    """What was hit, for people."""
    at: float
    """Epoch seconds at which it began."""
    until: float
    """And at which its immediate effect was over: the disk free again, the stop done."""
    calls: int
    """Calls in progress at the peer when it fell."""
    drained_s: float | None = None
    """How long a graceful stop took; ``None`` when it failed, and for other strikes."""


class Striker:
    """Strikes one service."""

    def __init__(self, service: Service, calls: Callable[[], int]) -> None:
        self._service, self._calls = service, calls
        self._hit_at, self._hit_calls = 0.0, 0
        self.seen: set[Relative] = set()
        """Processes of the product that ran when something was struck: none may be left in the end."""

    async def strike(self, blow: Blow) -> Struck | None:
        """Perform a blow; ``None`` when what it was to hit did not come up in time."""
        self.seen |= set(await asyncio.to_thread(self._service.relatives))
        drained_s = None
        match blow.kind:
            case Strike.LINE | Strike.RECOGNISER | Strike.SYNTHESISER:
                what = await self._kill_child(blow)
            case Strike.VALKEY:
                what = await self._kill_valkey()
            case Strike.FLUSH:
                what = await self._flush()
            case Strike.POSTGRES:
                what = self._crash_postgres()
            case Strike.DISK:
                what = await self._fill_disk(blow)
            case Strike.DRAIN:
                what, drained_s = await self._drain(blow)
            case _:
                what = await self._kill_part(blow)
        if not what:
            return None
        hit = {"at": self._hit_at, "until": time.time(), "calls": self._hit_calls}
        return Struck(kind=blow.kind, what=what, drained_s=drained_s, **hit)  # type: ignore[arg-type]

    def _hit(self) -> None:
        """Note the instant: the strike falls now."""
        self._hit_at, self._hit_calls = time.time(), self._calls()

    async def _kill_part(self, blow: Blow) -> str:
        part = await self._part(blow)
        if part is None:
            return ""
        self._hit()
        part.kill()
        return part.name

    async def _part(self, blow: Blow) -> Part | None:
        """One of the parts with the role, once it is up."""
        part = _choose(self._service.of_role(*ROLES[blow.kind]), blow.choice)
        try:
            await asyncio.wait_for(part.ready.wait(), TARGET_WITHIN_S)
        except TimeoutError:
            return None
        return part

    async def _kill_child(self, blow: Blow) -> str:
        until = time.monotonic() + TARGET_WITHIN_S
        while time.monotonic() < until:
            found = await asyncio.to_thread(self._service.children, *CHILDREN[blow.kind])
            if found:
                target = _choose(found, blow.choice)
                self._hit()
                kill(target.pid)
                return f"process {target.pid}"
            await asyncio.sleep(LOOK_EVERY_S)
        return ""

    async def _kill_valkey(self) -> str:
        until = time.monotonic() + TARGET_WITHIN_S
        while time.monotonic() < until:
            if pid := await asyncio.to_thread(self._service.valkey_pid):
                self._hit()
                kill(pid)
                return f"process {pid}"
            await asyncio.sleep(LOOK_EVERY_S)
        return ""

    async def _flush(self) -> str:
        until = time.monotonic() + TARGET_WITHIN_S
        while time.monotonic() < until:
            self._hit()
            try:
                await self._service.flush_queue()
            except (RedisError, OSError):
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return "the queue"
        return ""

    def _crash_postgres(self) -> str:
        if self._service.postgres is None:
            return ""
        self._hit()
        self._service.postgres.crash()
        return "the server"

    async def _fill_disk(self, blow: Blow) -> str:
        """The disk is full for one part and its lines, or for the database, for a while, then free again."""
        if blow.choice < DATABASES_SHARE and self._service.postgres is not None:
            return await self._fill_databases_disk(self._service.postgres)
        part = await self._part(blow)
        if part is None:
            return ""
        self._hit()
        limit_files(_filling(part.family()), to_bytes=FULL_BYTES)
        try:
            await asyncio.sleep(FULL_S)
        finally:
            limit_files(part.family(), to_bytes=None)
        return f"{part.name}'s"

    async def _fill_databases_disk(self, postgres: Postgres) -> str:
        self._hit()
        until = time.monotonic() + FULL_S
        try:
            while time.monotonic() < until:  # it ends over this and is started again: the disk is still full
                await asyncio.to_thread(postgres.limit_files, FULL_BYTES)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            postgres.limit_files(None)
        return "PostgreSQL's"

    async def _drain(self, blow: Blow) -> tuple[str, float | None]:
        part = await self._part(blow)
        if part is None:
            return "", None
        self._hit()
        return part.name, await part.drain(STOP_WITHIN_S)


def _choose(found: Sequence[T], choice: float) -> T:
    return found[int(choice * len(found))]


def _filling(processes: list[Relative]) -> list[Relative]:
    """All but Valkey, which no full disk kills but a limit on files would (it leaves SIGXFSZ as it is)."""
    return [process for process in processes if "-server" not in process.command.split(" ")[0]]
