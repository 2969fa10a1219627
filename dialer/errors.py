"""The error base of this room; it holds no behaviour beyond a stable code."""

from __future__ import annotations


class DialerError(Exception):
    """A call or a line process could not do what it should."""

    code = "dialer_failed"
    retryable = True

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
