"""Arrays of sound: mu-law, resampling, WAV files, trimming and loudness.

Nothing here listens, speaks or judges; samples are int16, shape (n,), unless a name says otherwise.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import soxr
from numpy.typing import NDArray

from speech.seams import SAMPLE_RATE_HZ, Speech

Samples = NDArray[np.int16]
"""int16, shape (n,)."""

FULL_SCALE = 32768.0
TARGET_DBFS = -20.0
"""Loudness of rendered speech, RMS over its sounding part."""
EDGE_MS = 30
"""Silence left at either end of rendered speech."""

_BIAS, _CLIP = 132, 32635
_KNEE = 0.6


def samples(pcm: bytes) -> Samples:
    """View s16le bytes as samples; an odd last byte is dropped."""
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.int16, copy=False)


def _encoding_table() -> NDArray[np.uint8]:
    """Every 16-bit sample's mu-law code, indexed by the sample as uint16 (ITU-T G.711 §3.2)."""
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(linear), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(linear < 0, 0x80, 0)
    return cast("NDArray[np.uint8]", (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def _decoding_table() -> Samples:
    """Every mu-law code's sample (ITU-T G.711 §3.2)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_ENCODE = _encoding_table()
_DECODE = _decoding_table()


def to_mulaw(sound: Samples) -> bytes:
    """Encode samples as mu-law, one byte each."""
    return _ENCODE[sound.view(np.uint16)].tobytes()


def from_mulaw(codes: bytes) -> Samples:
    """Decode mu-law bytes."""
    return _DECODE[np.frombuffer(codes, dtype=np.uint8)]


def resample(sound: NDArray[Any], from_hz: int, to_hz: int) -> NDArray[Any]:
    """Resample int16 or float32 samples; the type stays."""
    if from_hz == to_hz:
        return sound
    return cast("NDArray[Any]", soxr.resample(sound, from_hz, to_hz, quality="HQ"))


def rms_dbfs(sound: NDArray[Any]) -> float:
    """RMS in dB below full scale; -120 for digital silence."""
    if not len(sound):
        return -120.0
    power = float(np.mean(np.square(sound.astype(np.float64) / FULL_SCALE)))
    return max(-120.0, 10.0 * float(np.log10(max(power, 1e-12))))


def _frame_levels(sound: Samples, frame: int) -> NDArray[np.float64]:
    """RMS in dBFS of each whole frame."""
    count = len(sound) // frame
    framed = sound[: count * frame].reshape(count, frame).astype(np.float64) / FULL_SCALE
    return cast("NDArray[np.float64]", 10.0 * np.log10(np.maximum(np.mean(framed**2, axis=1), 1e-12)))


def trim(sound: Samples, rate_hz: int, *, edge_ms: int = EDGE_MS) -> Samples:
    """Cut silence (35 dB below the loudest 5 ms) from both ends, leaving at most ``edge_ms``."""
    frame = rate_hz // 200
    levels = _frame_levels(sound, frame)
    if not len(levels) or levels.max() <= -70.0:
        return sound[:0]
    loud = np.flatnonzero(levels > max(levels.max() - 35.0, -65.0))
    edge = rate_hz * edge_ms // 1000
    return sound[max(0, loud[0] * frame - edge) : (loud[-1] + 1) * frame + edge]


def level(sound: Samples, rate_hz: int, *, target_dbfs: float = TARGET_DBFS) -> Samples:
    """Bring the sounding part to ``target_dbfs`` RMS and bend peaks softly below full scale."""
    levels = _frame_levels(sound, rate_hz // 50)
    if not len(levels) or levels.max() <= -70.0:
        return sound
    sounding = levels[levels > levels.max() - 30.0]
    now = 10.0 * np.log10(np.mean(10.0 ** (sounding / 10.0)))
    scaled = sound.astype(np.float64) / FULL_SCALE * 10.0 ** ((target_dbfs - now) / 20.0)
    over = np.abs(scaled) > _KNEE
    bent = _KNEE + (1.0 - _KNEE) * np.tanh((np.abs(scaled[over]) - _KNEE) / (1.0 - _KNEE))
    scaled[over] = np.sign(scaled[over]) * bent
    leveled: Samples = np.clip(np.rint(scaled * 32767.0), -32767, 32767).astype(np.int16)
    return leveled


def telephone_speech(sound: Samples, rate_hz: int, *, voice: str) -> Speech:
    """Turn what an engine gave into speech for the telephone: 8 kHz, trimmed, at the usual loudness."""
    narrow = cast("Samples", resample(sound, rate_hz, SAMPLE_RATE_HZ))
    ready = level(trim(narrow, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    return Speech(pcm=ready.astype("<i2").tobytes(), sample_rate_hz=SAMPLE_RATE_HZ, voice=voice)


def silence(milliseconds: int) -> bytes:
    """Digital silence, s16le at 8 kHz."""
    return bytes(SAMPLE_RATE_HZ * milliseconds // 1000 * 2)


def read_wav(path: Path) -> tuple[NDArray[np.int16], int]:
    """Read a 16-bit WAV file; returns (samples of shape (n, channels), rate in Hz). Raises ``ValueError`` otherwise."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path.name}: {8 * file.getsampwidth()}-bit samples; 16-bit PCM is needed")
        channels, rate_hz = file.getnchannels(), file.getframerate()
        return samples(file.readframes(file.getnframes())).reshape(-1, channels), rate_hz


def write_wav(target: Path | BinaryIO, *channels: Samples, rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Write one 16-bit WAV file; shorter channels are padded with silence at their end."""
    length = max(len(channel) for channel in channels)
    frames = np.zeros((length, len(channels)), dtype="<i2")
    for column, channel in enumerate(channels):
        frames[: len(channel), column] = channel
    with wave.open(str(target) if isinstance(target, Path) else target, "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(frames.tobytes())
