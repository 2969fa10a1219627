"""An operator of a service that keeps falling over: asks REST again until it answers, each write under one key.

A write counts from the answer's arrival on, whatever happened to earlier tries (docs/rest.md, ``Idempotency-Key``).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, Self

import aiohttp

from outbound.errors import OutboundError, Unavailable
from outbound.rehearsal.client import PAGE, Document

TRY_S = 10.0
PAUSE_S = 0.15
GIVE_UP_S = 120.0
AGAIN = frozenset({409, 429, 500, 502, 503, 504})
"""Answers after which the same request may succeed; 409 only where its problem says so."""


class Operator:
    """A patient connection to the service at one address."""

    def __init__(self, url: str) -> None:
        self.key = ""
        """The API key, once it is known."""
        self.longest_silence_s = 0.0
        """How long a request at most had to wait for its answer, over all tries."""
        self._url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TRY_S))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str, **query: str) -> Document:
        """Read one thing. Raises :class:`OutboundError` for an answer that trying again does not better."""
        document, _ = await self._ask("GET", path, params=query)
        return document

    async def items(self, path: str, **query: str) -> list[Document]:
        """Read a whole list, page by page."""
        found: list[Document] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=str(PAGE), **query, **cursor)
            found += page["items"]
            if page.get("next_cursor") is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def post(self, path: str, body: Document | None = None, **options: Any) -> tuple[Document, float]:
        """Make or change something once; returns the answer and the epoch second at which it had come."""
        return await self._ask("POST", path, json=body, **options)

    async def put(self, path: str, body: Document) -> tuple[Document, float]:
        """Store something under its name."""
        return await self._ask("PUT", path, json=body)

    async def upload(self, campaign_id: str, contacts_csv: bytes) -> Document:
        """Upload contacts as a file and wait until its import is over; returns the import."""
        path = f"/v1/campaigns/{campaign_id}/contacts"
        headers = {"Content-Type": "text/csv; charset=utf-8"}
        job, _ = await self._ask("POST", path, data=contacts_csv, headers=headers)
        async with asyncio.timeout(GIVE_UP_S):
            while job["state"] not in ("done", "failed"):
                await asyncio.sleep(PAUSE_S)
                job = await self.get(f"/v1/imports/{job['id']}")
        if job["state"] == "failed" or job["rejected"]:
            raise OutboundError(f"the import was not taken: {job['error'] or job['rejects'][:3]}", code="import_failed")
        return job

    async def _ask(self, method: str, path: str, **options: Any) -> tuple[Document, float]:
        headers = dict(options.pop("headers", {}))
        if method != "GET":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        began, problem = time.monotonic(), "nobody answered"
        while time.monotonic() - began < GIVE_UP_S:
            headers["Authorization"] = f"Bearer {self.key}"
            try:
                async with self._session.request(method, self._url + path, headers=headers, **options) as answer:
                    document = await answer.json(content_type=None)
                    if answer.status < 400:
                        self.longest_silence_s = max(self.longest_silence_s, time.monotonic() - began)
                        return document or {}, time.time()
                    problem = f"{answer.status} {document}"
                    _raise_if_final(answer.status, document, f"{method} {path}: {problem}")
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                problem = type(error).__name__
            await asyncio.sleep(PAUSE_S)
        raise Unavailable(f"{method} {path}: no answer within {GIVE_UP_S:g} s ({problem})", code="service_away")


def _raise_if_final(status: int, problem: Document, words: str) -> None:
    if status not in AGAIN or (status == 409 and problem.get("code") != "idempotency_busy"):
        raise OutboundError(words, code=str(problem.get("code", "internal")), status=status)
