"""Frames between the host and a line process: four bytes of length (big-endian), then a JSON object with its ``kind``.

It carries messages and knows nothing of what they mean to either side.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer.errors import DialerError
from dialer.messages import CallEvent, CallRequest, CallResult, Released

MAX_FRAME_BYTES = 8_000_000
M = TypeVar("M")
_LENGTH = struct.Struct(">I")


class WireError(DialerError):
    """A frame was too long or could not be read."""

    code = "wire_failed"
    retryable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Host: run this call."""

    kind: Literal["place"] = "place"
    request: CallRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """Host: end this call now; CANCEL while it rings, BYE after the answer."""

    kind: Literal["hang_up"] = "hang_up"
    attempt_id: str
    reason: str
    """Becomes ``CallResult.hangup_cause``: ``cancelled``, ``opted_out``, ``operator``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Host: render these texts into the prompt cache."""

    kind: Literal["prepare"] = "prepare"
    language: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Host: finish the calls in progress, take no more, then exit."""

    kind: Literal["drain"] = "drain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """Host: are you there?"""

    kind: Literal["ping"] = "ping"
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskJournal:
    """Host: which of these Call-IDs did you send?"""

    kind: Literal["journal"] = "journal"
    number: int
    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Host: this attempt's result or release is stored; stop sending it."""

    kind: Literal["ack"] = "ack"
    attempt_id: str
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReplied:
    """Host: what a system of the business said, or why it said nothing."""

    kind: Literal["system_replied"] = "system_replied"
    number: int
    reply: Replied


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Line: started; the first frame."""

    kind: Literal["ready"] = "ready"
    name: str
    engine: str
    capacity: int
    """Legs at once, read from the engine; a call that may be handed off takes two."""
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unready:
    """Line: could not start; the last frame before it exits."""

    kind: Literal["unready"] = "unready"
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Line: something happened in a call."""

    kind: Literal["event"] = "event"
    event: CallEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Line: a call is over. Repeated until it is acknowledged."""

    kind: Literal["result"] = "result"
    result: CallResult


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """Line: nothing was sent. Repeated until it is acknowledged."""

    kind: Literal["released"] = "released"
    released: Released


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """Line: here."""

    kind: Literal["pong"] = "pong"
    number: int
    calls: int
    legs_free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAnswer:
    """Line: the last journalled state of each Call-ID that was sent."""

    kind: Literal["journal_answer"] = "journal_answer"
    number: int
    states: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSystem:
    """Line: ask this system of the business; answered with ``SystemReplied`` within its deadline."""

    kind: Literal["ask_system"] = "ask_system"
    number: int
    attempt_id: str
    request: Request


ToLine = Place | HangUp | Prepare | Drain | Ping | AskJournal | Ack | SystemReplied
ToHost = Ready | Unready | Happened | Finished | GivenBack | Pong | JournalAnswer | AskSystem

TO_LINE: TypeAdapter[ToLine] = TypeAdapter(Annotated[ToLine, Field(discriminator="kind")])
TO_HOST: TypeAdapter[ToHost] = TypeAdapter(Annotated[ToHost, Field(discriminator="kind")])


def encode(message: ToLine | ToHost) -> bytes:
    """One frame."""
    body = _ANY.dump_json(message)
    if len(body) > MAX_FRAME_BYTES:
        raise WireError(f"frame of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}: shorten the call flow")
    return _LENGTH.pack(len(body)) + body


async def read(reader: asyncio.StreamReader, adapter: TypeAdapter[M]) -> M | None:
    """Read one frame; ``None`` at the end of the stream. Raises :class:`WireError` for what is not a frame."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise WireError(f"frame of {length} bytes announced, over the limit of {MAX_FRAME_BYTES}")
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        where = ", ".join(".".join(map(str, found["loc"])) for found in error.errors())
        raise WireError(f"frame cannot be read at {where}") from None


_ANY: TypeAdapter[ToLine | ToHost] = TypeAdapter(ToLine | ToHost)
