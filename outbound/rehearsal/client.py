"""The product's REST as a rehearsal uses it: an operator's key, problem details as errors, the event stream.

It sees nothing but HTTP: what an operator could not do, a rehearsal cannot do either.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from outbound.errors import OutboundError, Unavailable

Document = dict[str, Any]
IMPORT_POLL_S = 0.1
IMPORT_WITHIN_S = 60.0
PAGE = 200


class RestClient:
    """An operator's connection to one host."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Document:
        """Read one thing. Raises :class:`OutboundError` with the problem's code and detail."""
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Document | None = None) -> Document:
        """Make or change something, once. Raises :class:`OutboundError`."""
        return await self._ask("POST", path, json=body)

    async def put(self, path: str, body: Document) -> Document:
        """Store something under its name. Raises :class:`OutboundError`."""
        return await self._ask("PUT", path, json=body)

    async def items(self, path: str, **query: str) -> list[Document]:
        """Read a whole list, page by page."""
        found: list[Document] = []
        cursor: Document = {}
        while True:
            page = await self.get(path, limit=str(PAGE), **query, **cursor)
            found += page["items"]
            if page.get("next_cursor") is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def upload(self, campaign_id: str, contacts_csv: bytes) -> Document:
        """Upload contacts and wait until the import is done; returns the import."""
        path = f"/v1/campaigns/{campaign_id}/contacts"
        job = await self._ask("POST", path, data=contacts_csv, headers={"Content-Type": "text/csv; charset=utf-8"})
        async with asyncio.timeout(IMPORT_WITHIN_S):
            while job["state"] not in ("done", "failed"):
                await asyncio.sleep(IMPORT_POLL_S)
                job = await self.get(f"/v1/imports/{job['id']}")
        if job["state"] == "failed":
            raise OutboundError(job["error"], code="import_failed")
        return job

    async def follow(self, *, after: int = 0) -> AsyncIterator[Document]:
        """Yield live events for ever, over reconnections, each once (server-sent events, ``Last-Event-ID``)."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async for event in self._events(after):
                    after = event["id"]
                    yield event
            await asyncio.sleep(0.2)

    async def _events(self, after: int) -> AsyncIterator[Document]:
        assert self._session is not None
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with self._session.get(f"{self._url}/v1/events", headers=headers, timeout=timeout) as response:
            await _raise_problem(response)
            async for line in response.content:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    async def _ask(self, method: str, path: str, **options: Any) -> Document:
        assert self._session is not None
        headers = options.pop("headers", {})
        if method != "GET":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        try:
            async with self._session.request(method, self._url + path, headers=headers, **options) as response:
                await _raise_problem(response)
                document: Document = await response.json() if response.status != 204 else {}
                return document
        except aiohttp.ClientError as error:
            raise Unavailable(f"{method} {path}: {error}") from error


async def _raise_problem(response: aiohttp.ClientResponse) -> None:
    """Raise what a problem document says (RFC 9457)."""
    if response.status < 400:
        return
    try:
        problem = await response.json(content_type=None)
    except ValueError:
        problem = {}
    detail = problem.get("detail") or problem.get("title") or f"HTTP {response.status}"
    for fault in problem.get("errors") or ():
        detail += f"\n  {fault.get('field')}: {fault.get('reason')}"
    raise OutboundError(
        f"{response.method} {response.url.path}: {detail}",
        code=problem.get("code", "internal"),
        status=response.status,
    )
