"""Frames between host and line process: every message survives, and what is no frame is named."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from campaigns.dispositions import Disposition
from dialer import wire
from dialer.messages import CallEvent, CallResult, EventKind, Released, Timings, Turn
from tests.dialer.requests import call_request

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENT = CallEvent(attempt_id="a", fence=2, kind=EventKind.HEARD, at=NOW, data={"text": "да, 是", "confidence": 0.5})
RESULT = CallResult(
    attempt_id="a",
    fence=2,
    call_id="a-2@host",
    disposition=Disposition.ACCEPTED,
    ended_at=NOW,
    transcript=(Turn(who="robot", text="Hello.", at_s=0.1, interrupted=True),),
    timings=Timings(answer_to_audio_s=0.08, turn_gaps_s=(0.7, 0.9)),
)
TO_LINE: list[wire.ToLine] = [
    wire.Place(request=call_request(send_before=12.5)),
    wire.HangUp(attempt_id="a", reason="cancelled"),
    wire.Prepare(language="en", texts=("Hello.", "Goodbye.")),
    wire.Drain(),
    wire.Ping(number=7),
    wire.AskJournal(number=8, call_ids=("a-2@host",)),
    wire.Ack(attempt_id="a", fence=2),
]
TO_HOST: list[wire.ToHost] = [
    wire.Ready(name="line-1", engine="loopback", capacity=4, pid=17),
    wire.Unready(code="port_taken", message="port 5060 is taken"),
    wire.Happened(event=EVENT),
    wire.Finished(result=RESULT),
    wire.GivenBack(released=Released(attempt_id="a", fence=2, reason="no_leg_free")),
    wire.Pong(number=7, calls=1, legs_free=3),
    wire.JournalAnswer(number=8, states={"a-2@host": "ended"}),
]


def stream(*data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    for part in data:
        reader.feed_data(part)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("message", TO_LINE, ids=lambda message: message.kind)
async def test_a_message_to_the_line_survives(message: wire.ToLine) -> None:
    received = await wire.read(stream(wire.encode(message)), wire.TO_LINE)
    assert received == message


@pytest.mark.parametrize("message", TO_HOST, ids=lambda message: message.kind)
async def test_a_message_to_the_host_survives(message: wire.ToHost) -> None:
    assert await wire.read(stream(wire.encode(message)), wire.TO_HOST) == message


async def test_frames_follow_each_other_until_the_end() -> None:
    reader = stream(wire.encode(wire.Ping(number=1)) + wire.encode(wire.Ping(number=2)))
    assert [await wire.read(reader, wire.TO_LINE) for _ in range(3)] == [
        wire.Ping(number=1),
        wire.Ping(number=2),
        None,
    ]


async def test_a_frame_cut_by_a_crash_is_the_end() -> None:
    assert await wire.read(stream(wire.encode(wire.Drain())[:-3]), wire.TO_LINE) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xff\xff\xff{}", "over the limit"),
        (b"\x00\x00\x00\x02{}", "cannot be read"),
        (b'\x00\x00\x00\x10{"kind":"nobody"}', "cannot be read"),
    ],
)
async def test_what_is_no_frame_is_named(data: bytes, says: str) -> None:
    with pytest.raises(wire.WireError, match=says):
        await wire.read(stream(data), wire.TO_LINE)


def test_a_frame_over_the_limit_is_not_sent() -> None:
    with pytest.raises(wire.WireError, match="shorten the call flow"):
        wire.encode(wire.HangUp(attempt_id="a", reason="x" * wire.MAX_FRAME_BYTES))
