"""Turns everything that goes wrong into RFC 9457 problem details with a stable ``code``, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import IntegrityError

from outbound.api.models import FieldError, Problem
from outbound.errors import Conflict, Invalid, OutboundError

log = structlog.get_logger(__name__)
CONTENT_TYPE = "application/problem+json"
HTTP_CODES = {
    400: ("bad_request", "The request cannot be read; check it against /openapi.json."),
    404: ("not_found", "There is nothing at this address; /openapi.json lists what there is."),
    405: ("method_not_allowed", "This address does not take this method."),
    408: ("request_timeout", "The request did not arrive in time; send it again."),
    411: ("length_required", "Send Content-Length or a chunked body."),
    413: ("too_large", "The request is too large."),
    415: ("unsupported_media_type", "The body's type is not taken here."),
    416: ("range_not_satisfiable", "The range lies outside the content."),
    417: ("expectation_failed", "The Expect header cannot be met."),
}


class InvalidFields(Invalid):
    """Fields are wrong; each is named."""

    def __init__(self, errors: Sequence[FieldError], *, status: int = 422, code: str = "invalid") -> None:
        first = f"{errors[0].field}: {errors[0].reason}" if errors else "the request is wrong"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(first + more, code=code, status=status)
        self.errors = list(errors)


def problem(error: OutboundError) -> Problem:
    """The problem details of an error."""
    return Problem(
        type=f"urn:outbound:problem:{error.code}",
        title=error.code.replace("_", " ").capitalize(),
        status=error.status,
        code=error.code,
        detail=error.detail,
        retryable=error.retryable,
        errors=error.errors if isinstance(error, InvalidFields) else None,
        **error.members,
    )


def written(details: Problem) -> str:
    """Problem details as JSON; ``errors`` only where there are some."""
    return details.model_dump_json(exclude=None if details.errors else {"errors"})


def response(error: OutboundError, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer that says ``error``."""
    body = written(problem(error))
    answer = web.Response(status=error.status, text=body, content_type=CONTENT_TYPE, headers=headers)
    answer.headers["Cache-Control"] = "no-store"
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="outbound"'
    if error.retryable:
        answer.headers["Retry-After"] = "1"
    return answer


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as problem details; what nobody foresaw is logged and said without its inside."""
    try:
        return await handler(request)
    except OutboundError as error:
        if error.status >= 500:
            log.error("request failed", code=error.code, route=route_of(request), exc_info=error)
        return response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _from_aiohttp(error)
    except IntegrityError:
        log.warning("concurrent change", route=route_of(request))
        detail = "something this request refers to was changed or removed at the same moment; read it again"
        return response(Conflict(detail, code="concurrent_change"))
    except ConnectionError:
        raise
    except Exception:
        log.exception("request failed", route=route_of(request))
        return response(OutboundError("the service failed; its log says why"))


def route_of(request: web.Request) -> str:
    """The pattern of the address, never the address itself: it may hold a telephone number."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unmatched"


def _from_aiohttp(error: web.HTTPException) -> web.Response:
    code, detail = HTTP_CODES.get(error.status, ("http_error", "The request was refused."))
    members: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = sorted(error.allowed_methods)
        detail = f"This address takes {', '.join(allowed)}, not {error.method}."
        members, headers = {"allowed": allowed}, {"Allow": ", ".join(allowed)}
    if "Content-Range" in error.headers:
        headers["Content-Range"] = error.headers["Content-Range"]
    return response(OutboundError(detail, code=code, status=error.status, members=members), headers)
