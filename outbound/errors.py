"""The host's errors: each has a stable ``code`` and says whether trying again may help; REST maps them to problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class OutboundError(Exception):
    """Something an operator should know; the message names what is wrong and the remedy."""

    code = "internal"
    status = 500
    """HTTP status of the problem details."""
    retryable = False
    members: Mapping[str, Any]
    """More members of the problem details, such as ``state`` or ``next_at``: JSON values."""

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        status: int | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members: Mapping[str, Any] = members or {}
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class NotFound(OutboundError):
    """There is no such thing."""

    code = "not_found"
    status = 404


class Conflict(OutboundError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class Invalid(OutboundError):
    """The request's content cannot be taken; the message names the field and the remedy."""

    code = "invalid"
    status = 422


class Unavailable(OutboundError):
    """A part of the service is not there now."""

    code = "unavailable"
    status = 503
    retryable = True


class ConfigurationError(OutboundError):
    """The service cannot start as configured; the message names every bad setting and the remedy."""

    code = "configuration"
    status = 500
