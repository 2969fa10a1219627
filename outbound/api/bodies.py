"""Reads requests: bounded bodies, strict JSON, query strings; whatever is wrong is said with its place."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import re
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from outbound.api.faults import field_errors
from outbound.api.models import FieldError
from outbound.api.problems import InvalidFields
from outbound.errors import Invalid, OutboundError

BODY_LIMIT = 1024 * 1024
IN_THREAD = 64 * 1024
"""A larger body is parsed beside the loop."""
JSON_TYPES = ("application/json",)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
M = TypeVar("M", bound=BaseModel)


class MalformedJson(Invalid):
    """The body is not JSON."""

    code = "malformed_json"
    status = 400


def require_type(request: web.Request, *types: str) -> str:
    """Return the body's content type. Raises 415 unless it is one of ``types``."""
    given = request.content_type.lower() if "Content-Type" in request.headers else ""
    if given in types:
        return given
    detail = f"the body is {given or 'of no declared type'}; send Content-Type {' or '.join(types)}"
    raise OutboundError(detail, code="unsupported_media_type", status=415, members={"accepted": list(types)})


async def read_body(request: web.Request, limit: int = BODY_LIMIT) -> bytes:
    """Read the whole body. Raises 413 as soon as it is more than ``limit`` bytes."""
    too_large = OutboundError(f"the body is larger than {limit} bytes", code="too_large", status=413)
    if (request.content_length or 0) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


async def read_json(request: web.Request, limit: int = BODY_LIMIT) -> tuple[Any, bytes]:
    """Read JSON strictly; return the value and its fingerprint, the same for however it was written."""
    require_type(request, *JSON_TYPES)
    body = await read_body(request, limit)
    if len(body) > IN_THREAD:
        return await asyncio.to_thread(parse_json, body)
    return parse_json(body)


def parse_json(body: bytes) -> tuple[Any, bytes]:
    """Parse JSON. Raises :class:`MalformedJson` naming line and column, or the key that is there twice."""
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
        canonical = json.dumps(value, sort_keys=True, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedJson(f"the body is not JSON: {error.msg} at {where}") from error
    except UnicodeDecodeError as error:
        raise MalformedJson(f"the body is not UTF-8: byte {error.start + 1} cannot be read") from error
    except UnicodeEncodeError as error:
        raise MalformedJson("the body has half of a surrogate pair; write whole characters") from error
    except RecursionError as error:
        raise MalformedJson("the body is nested too deep") from error
    except MalformedJson:
        raise
    except ValueError as error:
        raise MalformedJson("the body has a number with too many digits") from error
    if _NUL.search(canonical):
        raise MalformedJson("the body has a zero character (\\u0000); remove it")
    return value, hashlib.sha256(canonical).digest()


def fingerprint(value: Any) -> bytes:
    """SHA-256 of a JSON value, the same for however it was written."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()


def validate(model: type[M], value: Any) -> M:
    """Make a model of a JSON value. Raises :class:`InvalidFields`; nothing is converted in silence."""
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise InvalidFields(field_errors(error, model)) from error


def read_query(request: web.Request, model: type[M]) -> M:
    """Read the query string. Raises :class:`InvalidFields` for unknown, repeated and wrong parameters."""
    given: dict[str, str] = {}
    for name, text in request.query.items():
        if name in given:
            raise InvalidFields([FieldError(field=name[:64], code="repeated", reason="give the parameter once")])
        if "\0" in text or not text.isprintable():
            raise InvalidFields([FieldError(field=name[:64], code="not_text", reason="remove the control characters")])
        given[name] = text
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidFields(field_errors(error, model)) from error


def _no_constant(name: str) -> NoReturn:
    raise MalformedJson(f"the body has {name}, which is not JSON; write null or a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedJson(f"the number {text[:20]} is too large")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f"the key {twice[:64]!r} is there twice in one object; remove one")
    return value
