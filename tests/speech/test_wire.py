"""The framing between speech processes and their clients."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech import wire
from speech.seams import ModelMissing, SpeechError

pytestmark = pytest.mark.unit


async def received(data: bytes) -> wire.Message | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await wire.read(reader)


@given(header=st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()), payload=st.binary())
def test_what_is_packed_is_read(header: dict[str, object], payload: bytes) -> None:
    assert asyncio.run(received(wire.pack(header, payload))) == (header, payload)


@pytest.mark.parametrize("kept", [0, 3, 9, 20])
async def test_a_cut_connection_is_an_end_not_an_error(kept: int) -> None:
    assert await received(wire.pack({"op": "audio"}, bytes(99))[:kept]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 8,
        b"\x00\x00\x00\x02\xff\xff\xff\xff{}",
        b"\x00\x00\x00\x03\x00\x00\x00\x00{x}",
        b"\x00\x00\x00\x02\0\0\0\0[]",
    ],
)
async def test_another_protocol_is_refused(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        await received(data)


def test_an_error_crosses_with_code_and_retryability() -> None:
    with pytest.raises(SpeechError, match="no model") as caught:
        wire.raise_failure(wire.failure(ModelMissing("no model")))
    assert (caught.value.code, caught.value.retryable) == ("model_missing", False)


def test_oversized_messages_are_refused_before_they_are_sent() -> None:
    with pytest.raises(wire.WireError, match="too large"):
        wire.pack({"text": "x" * wire.MAX_HEADER_BYTES})
