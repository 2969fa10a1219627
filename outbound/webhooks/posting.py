"""Posts one message over HTTP and says what came of it; it knows no table, tries nothing twice, follows no redirect.

Webhooks are posted with it, and questions to the systems of the business (outbound/systems).
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
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
"""Bytes of an answer that are read, so that the connection can be used again; kept only where they are asked for."""
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one try."""

    code: int = 0
    """HTTP status; 0 where there was none."""
    error: str = ""
    """What went wrong; empty for 2xx."""
    retry_after_s: float = 0.0
    refused: bool = False
    """Nothing may be posted there; no later try will differ."""
    body: bytes = b""
    """Of a 2xx, where it was asked for."""

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

    async def post(
        self,
        address: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        private: bool,
        timeout_s: float | None = None,
        keep: bool = False,
    ) -> Answer:
        """Post ``body``; ``private``: it goes where the operator allowed a private target. ``keep``: the answer's body
        is wanted, whole."""
        timeout = self._timeout if timeout_s is None else aiohttp.ClientTimeout(total=timeout_s)
        try:
            url = read_target(address)
            session = self._session(private, url.scheme == "https")
            self._check_literal(url, private)
            asked = session.post(url, data=body, headers=headers, allow_redirects=False, timeout=timeout)
            return await self._exchange(asked, keep=keep)
        except Exception as error:  # whatever a far end does, it is one failed try
            return Answer(error=_reason(error), refused=isinstance(error, TargetRefused))

    async def _exchange(self, asked: AbstractAsyncContextManager[aiohttp.ClientResponse], *, keep: bool) -> Answer:
        async with asked as answer:
            if keep and 200 <= answer.status < 300:
                return await _whole(answer)
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


async def _whole(answer: aiohttp.ClientResponse) -> Answer:
    """Read the body of an answer that is wanted. Raises ``aiohttp.ClientError`` or OSError when it breaks off."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > ANSWER_LIMIT:
            answer.close()
            return Answer(code=answer.status, error=f"its answer is longer than {ANSWER_LIMIT} bytes")
    return Answer(code=answer.status, body=bytes(body))


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
