"""Lets in who has a key: ``Authorization: Bearer``, or the session cookie a browser got in exchange for one.

The cookie is a signed note naming the key and its end of life; revoking the key ends it. It holds no secret of the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy import RowMapping

from outbound.api.calls import API_KEY_ID, SERVICES, WRITES
from outbound.errors import OutboundError
from outbound.services import Services
from outbound.store import apikeys

COOKIE = "outbound_session"
SESSION_S = 12 * 3600
PREFIX = "/v1"
OPEN = frozenset({("POST", "/v1/session"), ("DELETE", "/v1/session")})
MAX_SECRET = 200


class Unauthorized(OutboundError):
    """No key, or one that is not valid."""

    code = "unauthorized"
    status = 401


@web.middleware
async def access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask for a key below ``/v1``, whether there is anything at the address or not."""
    if not _is_guarded(request):
        return await handler(request)
    services = request.app[SERVICES]
    secret = _bearer(request)
    if secret is not None:
        key = await key_of(services, secret)
    else:
        key = await _key_of_session(services, request.cookies.get(COOKIE, ""))
        if key is not None and request.method in WRITES:
            _check_origin(request)
    if key is None:
        detail = "no valid API key; send Authorization: Bearer <key> (`outbound up` prints the operator's)"
        raise Unauthorized(detail)
    request[API_KEY_ID] = key["id"]
    return await handler(request)


async def key_of(services: Services, secret: str) -> RowMapping | None:
    """Return the live key with this secret."""
    if len(secret) > MAX_SECRET or not secret.isascii():
        return None
    return await services.store.read(lambda connection: apikeys.find(connection, secret))


def session(key: RowMapping, *, now: float) -> str:
    """Write the note a browser keeps instead of the key."""
    note = f"{key['id']}.{int(now) + SESSION_S}"
    return f"{note}.{_sign(key, note)}"


async def _key_of_session(services: Services, cookie: str) -> RowMapping | None:
    note, _, signature = cookie.rpartition(".")
    key_id, _, until = note.partition(".")
    if not (cookie.isascii() and len(cookie) < MAX_SECRET and until.isdigit() and int(until) > services.clock()):
        return None
    key = await services.store.read(lambda connection: apikeys.find_by_id(connection, key_id))
    return key if key is not None and hmac.compare_digest(signature, _sign(key, note)) else None


def _sign(key: RowMapping, note: str) -> str:
    mac = hmac.new(key["digest"], note.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _is_guarded(request: web.Request) -> bool:
    path = request.path
    return (path == PREFIX or path.startswith(PREFIX + "/")) and (request.method, path) not in OPEN


def _bearer(request: web.Request) -> str | None:
    header = request.headers.get("Authorization", "").strip()
    if not header:
        return None
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.casefold() == "bearer" else ""


def _check_origin(request: web.Request) -> None:
    """A browser says where a write with a cookie comes from: only this service's own pages may send one."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        raise OutboundError("writes with a session come from the console alone", code="cross_site", status=403)
