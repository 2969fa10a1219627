"""Posts one message over HTTP and says what came of it; it knows no table, tries nothing twice, follows no redirect."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from outbound.webhooks.backoff import retry_after_s
from outbound.webhooks.targets import (
    PrivateTargets,
    Resolve,
    TargetRefused,
    check_addresses,
    literal,
    read_target,
    resolve,
)

TIMEOUT_S = 20.0
"""The specification recommends 15 to 30."""
NAME_KEPT_S = 10
"""How long addresses that were checked are connected to; many deliveries wait for one look-up together."""
ANSWER_LIMIT = 16 * 1024
"""Bytes of an answer that are read, so that the connection can be used again; nothing of them is kept."""
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one try."""

    code: int = 0
    """HTTP status; 0 where there was none."""
    error: str = ""
    """What went wrong; empty for 2xx."""
    retry_after_s: float = 0.0

    @property
    def delivered(self) -> bool:
        """Whether the receiver has it."""
        return not self.error


class Poster:
    """Two pools of connections: one whose addresses are all public, one for webhooks made for private targets."""

    def __init__(
        self,
        allowed: PrivateTargets,
        *,
        look_up: Resolve = resolve,
        clock: Callable[[], float] = time.time,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._allowed = allowed
        self._look_up = look_up
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()

    async def post(self, address: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> Answer:
        """Post ``body``; ``private``: the webhook was made for a private target."""
        try:
            url = read_target(address)
            session = self._session(private, url.scheme == "https")
            self._check_literal(url, private)
            return await self._exchange(session, url, headers, body)
        except Exception as error:  # whatever a far end does, it is one failed try
            return Answer(error=_reason(error))

    async def _exchange(
        self, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            with contextlib.suppress(aiohttp.ClientError, OSError):  # its status is its verdict
                await answer.content.read(ANSWER_LIMIT)
            if 200 <= answer.status < 300:
                return Answer(code=answer.status)
            wait_s = retry_after_s(answer.headers.get("Retry-After", ""), now=self._clock())
            return Answer(code=answer.status, error=f"answered {answer.status}", retry_after_s=wait_s)

    def _check_literal(self, url: URL, private: bool) -> None:
        """An address in the URL itself is never looked up."""
        if (address := literal(url)) is not None:
            check_addresses([address], self._allowed if private else None, secure=url.scheme == "https")

    def _session(self, private: bool, secure: bool) -> aiohttp.ClientSession:
        session = self._sessions.get((private, secure))
        if session is None:
            resolver = GuardedResolver(self._look_up, self._allowed if private else None, secure=secure)
            # each webhook bounds its own; a slow one must not use up what others share
            connector = aiohttp.TCPConnector(limit=0, resolver=resolver, ttl_dns_cache=NAME_KEPT_S)
            session = self._sessions[private, secure] = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return session


class GuardedResolver(AbstractResolver):
    """Looks a name up once and passes on only addresses that may be connected to."""

    def __init__(self, look_up: Resolve, allowed: PrivateTargets | None, *, secure: bool) -> None:
        self._look_up = look_up
        self._allowed = allowed
        self._secure = secure

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """Find the addresses of ``host``. Raises OSError, or :class:`TargetRefused`."""
        addresses = await self._look_up(host, port)
        check_addresses(addresses, self._allowed, secure=self._secure)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is kept."""


def _reason(error: Exception) -> str:
    """Say what went wrong without quoting what the far end sent."""
    match error:
        case TargetRefused():
            return f"refused: {error.detail}"
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorDNSError():
            return "the name cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLError() | aiohttp.ClientSSLError():
            return "the certificate is not trusted, or TLS failed"
        case aiohttp.ClientConnectorError():
            return f"no connection ({error.os_error.strerror or 'refused'})"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer"
        case _:
            return f"the exchange failed ({type(error).__name__})"
