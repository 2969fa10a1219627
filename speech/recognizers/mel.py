"""Whisper's picture of sound: the 80-band log-mel spectrogram of 16 kHz audio.

It knows nothing of the model that looks at it; constants follow the model's training (Radford et al. 2022, §2.2).
"""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16000
HOP = 160
FRAMES_A_SECOND = RATE_HZ // HOP
BANDS = 80

_WINDOW = 400


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    linear = mel * (200.0 / 3.0)
    return np.where(mel >= 15.0, 1000.0 * np.exp(np.log(6.4) / 27.0 * (mel - 15.0)), linear)


@cache
def _filters() -> NDArray[np.float32]:
    """Triangular filters of equal area, shape (80, 201)."""
    bins = np.fft.rfftfreq(_WINDOW, 1.0 / RATE_HZ)
    top = 15.0 + 27.0 / np.log(6.4) * np.log(RATE_HZ / 2 / 1000.0)
    edges = _mel_to_hz(np.linspace(0.0, top, BANDS + 2))
    widths = np.diff(edges)
    slopes = edges[:, None] - bins[None, :]
    rising = -slopes[:-2] / widths[:-1, None]
    falling = slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return cast("NDArray[np.float32]", (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32))


@cache
def _hann() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def log_mel(sound: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Picture ``sound`` (-1..1, 16 kHz) padded with silence to ``frames`` of 10 ms; shape (80, frames)."""
    busy = min(frames, len(sound) // HOP + 3)  # further frames are pure silence: no need to transform them
    room = (busy - 1) * HOP + _WINDOW
    padded = np.zeros(room, dtype=np.float32)
    head = np.pad(sound[: room - _WINDOW // 2], (_WINDOW // 2, 0), mode="reflect")
    padded[: len(head)] = head[:room]
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    picture = np.full((BANDS, frames), -10.0, dtype=np.float32)
    picture[:, :busy] = np.log10(np.maximum(_filters() @ power.T.astype(np.float32), 1e-10))
    picture = np.maximum(picture, picture.max() - 8.0)
    return np.ascontiguousarray((picture + 4.0) / 4.0, dtype=np.float32)
