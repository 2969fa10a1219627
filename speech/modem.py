"""Text as sound and back: how the scripted voice and the scripted recogniser talk over any telephone line.

A rehearsal without models: deterministic, cheap, and it survives mu-law and noise. It is no speech and imitates none.

A message is a preamble, a length (uint16), UTF-8 text and a check byte, four bits a symbol. A symbol lasts 20 ms and is
one of 16 carriers, 100 Hz apart, over a hum that lets voice activity detectors take the whole for a voice.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from speech.audio import FULL_SCALE, Samples
from speech.seams import SAMPLE_RATE_HZ

SYMBOL_SAMPLES = SAMPLE_RATE_HZ // 50
LONGEST_BYTES = 2000

_PREAMBLE = (15, 0, 12, 3)
_CARRIERS_HZ = 600.0 + 100.0 * np.arange(16)
_HUM_HZ = (180.0, 360.0)
_PHASES = 8
"""Positions tried for the start of a symbol, 2.5 ms apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was read from sound."""

    text: str
    complete: bool
    """Whether all of it came and its check byte fits."""


def _symbols(text: str) -> list[int]:
    body = text.encode()[:LONGEST_BYTES]
    framed = len(body).to_bytes(2, "big") + body + bytes([zlib.crc32(body) & 0xFF])
    return [*_PREAMBLE, *(nibble for byte in framed for nibble in (byte >> 4, byte & 0x0F))]


def encode(text: str) -> Samples:
    """Sound of ``text`` at 8 kHz, about 25 bytes a second."""
    symbols = np.repeat(np.asarray(_symbols(text)), SYMBOL_SAMPLES)
    clock = np.arange(len(symbols)) / SAMPLE_RATE_HZ
    phase = 2.0 * np.pi * np.cumsum(_CARRIERS_HZ[symbols]) / SAMPLE_RATE_HZ
    wave = 0.14 * np.sin(phase)
    for hum in _HUM_HZ:
        wave += 0.07 * np.sin(2.0 * np.pi * hum * clock)
    return np.rint(wave * FULL_SCALE).astype(np.int16)


def _kernel() -> NDArray[np.complex128]:
    clock = np.arange(SYMBOL_SAMPLES) / SAMPLE_RATE_HZ
    window = np.hanning(SYMBOL_SAMPLES + 2)[1:-1]
    return cast("NDArray[np.complex128]", window[:, None] * np.exp(-2j * np.pi * clock[:, None] * _CARRIERS_HZ))


_KERNEL = _kernel()


def _read(sound: Samples, phase: int) -> tuple[list[int], float]:
    """Symbols of ``sound`` from sample ``phase`` on (-1 where no carrier stands out), and how clear they are."""
    count = (len(sound) - phase) // SYMBOL_SAMPLES
    if count <= 0:
        return [], 0.0
    frames = sound[phase : phase + count * SYMBOL_SAMPLES].reshape(count, SYMBOL_SAMPLES) / FULL_SCALE
    power = np.abs(frames @ _KERNEL) ** 2
    best = power.argmax(axis=1)
    share = power.max(axis=1) / np.maximum(power.sum(axis=1), 1e-12)
    heard = (share > 0.4) & (power.max(axis=1) > 1e-3)
    return [int(symbol) for symbol in np.where(heard, best, -1)], float(np.sum(share[heard]))


def _messages(symbols: list[int]) -> Iterator[Message]:
    place = 0
    while place + len(_PREAMBLE) + 4 <= len(symbols):
        if tuple(symbols[place : place + len(_PREAMBLE)]) != _PREAMBLE:
            place += 1
            continue
        place += len(_PREAMBLE)
        head = _bytes(symbols[place : place + 4])
        length = int.from_bytes(head, "big")
        if len(head) < 2 or length > LONGEST_BYTES:
            continue
        body = _bytes(symbols[place + 4 : place + 4 + 2 * length + 2])
        words, check = body[:length], body[length:]
        complete = len(words) == length and check == bytes([zlib.crc32(words) & 0xFF])
        place += 4 + 2 * len(body)
        yield Message(text=words.decode(errors="ignore"), complete=complete)


def _bytes(symbols: list[int]) -> bytes:
    """Bytes of whole symbol pairs, up to the first gap."""
    found = bytearray()
    for high, low in zip(symbols[::2], symbols[1::2], strict=False):
        if high < 0 or low < 0:
            break
        found.append(high << 4 | low)
    return bytes(found)


def decode(sound: Samples) -> tuple[Message, ...]:
    """Read the messages in ``sound`` (8 kHz), in order; none when it carries no text."""
    step = SYMBOL_SAMPLES // _PHASES
    readings = (_read(sound, phase) for phase in range(0, SYMBOL_SAMPLES, step))
    best: tuple[int, float, tuple[Message, ...]] = (0, 0.0, ())
    for symbols, clarity in readings:
        found = tuple(_messages(symbols))
        best = max(best, (sum(message.complete for message in found), clarity, found), key=lambda read: read[:2])
    return best[2]
