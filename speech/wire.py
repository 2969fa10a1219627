"""The wire between a speech process and its clients: a JSON header and a binary payload, both length-prefixed.

It carries bytes only; what the operations mean is written where they are served (recognizing.py, synthesizing.py).
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

from speech.seams import SpeechError

MAX_HEADER_BYTES = 1 << 18
MAX_PAYLOAD_BYTES = 1 << 24

_LENGTHS = struct.Struct(">II")

Message = tuple[dict[str, Any], bytes]


class WireError(SpeechError):
    """The other end does not speak this protocol."""

    code = "speech_wire_broken"


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    """Serialise one message: two big-endian uint32 lengths, JSON header, payload."""
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    if len(head) > MAX_HEADER_BYTES or len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(f"message too large: header {len(head)} bytes, payload {len(payload)} bytes")
    return _LENGTHS.pack(len(head), len(payload)) + head + payload


async def read(reader: asyncio.StreamReader) -> Message | None:
    """Read one message; ``None`` when the other end closed, even in the middle of one."""
    try:
        head_bytes, payload_bytes = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        if head_bytes > MAX_HEADER_BYTES or payload_bytes > MAX_PAYLOAD_BYTES:
            raise WireError(f"message announces a header of {head_bytes} and a payload of {payload_bytes} bytes")
        head = await reader.readexactly(head_bytes)
        payload = await reader.readexactly(payload_bytes)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        header = json.loads(head)
    except ValueError as error:
        raise WireError(f"header is not JSON: {error}") from error
    if not isinstance(header, dict):
        raise WireError("header is not a JSON object")
    return header, payload


def failure(error: SpeechError) -> dict[str, Any]:
    """Describe an error in a reply's header."""
    return {"error": error.code, "message": str(error), "retryable": error.retryable}


def raise_failure(header: dict[str, Any]) -> None:
    """Raise the error that a reply's header describes, if it does."""
    if "error" in header:
        raise SpeechError(
            str(header.get("message", "")), code=str(header["error"]), retryable=bool(header.get("retryable", True))
        )
