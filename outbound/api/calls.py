"""One request on its way through a handler: reads, and writes that happen at most once an ``Idempotency-Key``.

It knows no resource and no rule of the service.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import structlog
from aiohttp import web
from pydantic import BaseModel
from sqlalchemy import Connection

from outbound.api import bodies
from outbound.api.models import FieldError, Problem
from outbound.api.problems import CONTENT_TYPE, InvalidFields, written
from outbound.api.routes import Answer, Route
from outbound.errors import Conflict, NotFound
from outbound.services import Services
from outbound.store import idempotency

log = structlog.get_logger(__name__)
B = TypeVar("B", bound=BaseModel | None)
T = TypeVar("T")
SERVICES = web.AppKey("services", Services)
AT_WORK: web.AppKey[set[tuple[str, str]]] = web.AppKey("at_work", set)
"""(key id, Idempotency-Key) of the writes this process is busy with."""
API_KEY_ID = web.RequestKey("api_key_id", str)
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEY_HEADER = "Idempotency-Key"
MAX_KEY = 255


class Call:
    """A request and what its handler may do."""

    def __init__(self, request: web.Request, route: Route) -> None:
        self.request = request
        self.route = route
        self.services = request.app[SERVICES]
        self.fingerprint = b""
        """SHA-256 of the body; a handler that reads the body by itself sets it."""
        self.idempotency_key = _idempotency_key(request) if route.method in WRITES else None

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.services.clock()

    @property
    def api_key_id(self) -> str:
        """The key the request came with; empty on open routes."""
        key: str = self.request.get(API_KEY_ID, "")
        return key

    async def read(self, unit: Callable[[Connection], T]) -> T:
        """Read from the store."""
        return await self.services.store.read(unit)

    async def commit(self, unit: Callable[[Connection], Answer[B]]) -> Answer[B]:
        """Do a write in one transaction, at most once an ``Idempotency-Key``, then tell the world."""
        answer = await self.services.store.write(lambda connection: self._once(connection, unit))
        for tell in answer.after:
            try:
                done = tell()
                if done is not None:
                    await done
            except Exception:
                log.exception("committed, but not told", route=self.route.path)
        return answer

    def _once(self, connection: Connection, unit: Callable[[Connection], Answer[B]]) -> Answer[B]:
        use = self._use()
        if use is None:
            return unit(connection)
        kept = idempotency.claim(connection, use, now=self.now)
        if kept is not None:
            headers = kept.headers | {"Idempotency-Replayed": "true"}
            return Answer(body=cast("B", None), status=kept.status, headers=headers, stored=kept.body)
        answer = unit(connection)
        shown: Answer[Any] = Answer(body=answer.repeated or answer.body, status=answer.status, headers=answer.headers)
        idempotency.keep(connection, use, write(self.route, shown))
        return answer

    def _use(self) -> idempotency.Use | None:
        if self.idempotency_key is None or not self.api_key_id:
            return None
        asked = f"{self.request.method} {self.request.raw_path}\n".encode() + self.fingerprint
        fingerprint = hashlib.sha256(asked).digest()
        return idempotency.Use(api_key_id=self.api_key_id, key=self.idempotency_key, fingerprint=fingerprint)


def write(route: Route, answer: Answer[Any]) -> idempotency.Kept:
    """Put an answer as it goes over the wire."""
    status = answer.status or route.status
    headers = dict(answer.headers)
    if answer.stored is not None:
        return idempotency.Kept(status=status, headers=headers, body=answer.stored)
    if answer.body is None:
        return idempotency.Kept(status=status, headers=headers, body=b"")
    is_problem = isinstance(answer.body, Problem)
    headers["Content-Type"] = CONTENT_TYPE if is_problem else "application/json; charset=utf-8"
    body = written(answer.body) if isinstance(answer.body, Problem) else answer.body.model_dump_json()
    return idempotency.Kept(status=status, headers=headers, body=body.encode())


async def dispatch(request: web.Request, route: Route) -> web.StreamResponse:
    """Check a request, let its handler answer it, and put the answer as JSON."""
    call = Call(request, route)
    arguments: dict[str, Any] = {name: _parameter(request, name) for name in route.parameters}
    if route.query is not None:
        arguments["query"] = bodies.read_query(request, route.query)
    with _at_work(call):
        if route.body is not None:
            value, call.fingerprint = await bodies.read_json(request)
            arguments["body"] = bodies.validate(route.body, value)
        result = await route.handler(call, **arguments)
    if isinstance(result, web.StreamResponse):
        return result
    sent = write(route, result if isinstance(result, Answer) else Answer(body=result))
    headers = {"Cache-Control": "no-store"} | sent.headers
    return web.Response(status=sent.status, body=sent.body or None, headers=headers)


@contextlib.contextmanager
def _at_work(call: Call) -> Iterator[None]:
    """Refuse a repeat while the first request is still at work."""
    if call.idempotency_key is None:
        yield
        return
    busy, mine = call.request.app[AT_WORK], (call.api_key_id, call.idempotency_key)
    if mine in busy:
        conflict = Conflict("a request with this Idempotency-Key is still at work; ask again", code="idempotency_busy")
        conflict.retryable = True
        raise conflict
    busy.add(mine)
    try:
        yield
    finally:
        busy.discard(mine)


def _parameter(request: web.Request, name: str) -> str:
    value = request.match_info[name]
    if not value.isprintable() or len(value) > 128:
        raise NotFound("there is nothing at this address")
    return value


def _idempotency_key(request: web.Request) -> str | None:
    keys = request.headers.getall(KEY_HEADER, [])
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        reason = f"give it once, 1 to {MAX_KEY} printable ASCII characters, such as a UUID"
        raise InvalidFields([FieldError(field=KEY_HEADER, code="idempotency_key_invalid", reason=reason)], status=400)
    return key
