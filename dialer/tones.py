"""The soft pattern a customer hears while a human agent is being rung.

It only makes samples; when they sound is decided elsewhere.
"""

from __future__ import annotations

import functools

import numpy as np

from speech.seams import SAMPLE_RATE_HZ

_NOTES_HZ = (392.0, 493.9, 587.3, 493.9)
"""G4 B4 D5 B4: two tones apart from every call progress tone, so that no far end takes them for ringback."""
_NOTE_S, _PAUSE_S, _LEVEL = 0.42, 1.1, 0.05


@functools.cache
def comfort_pattern() -> bytes:
    """Four soft notes and a pause too short to be taken for a dead line, s16le mono at 8000 Hz; to be repeated."""
    time_s = np.arange(int(SAMPLE_RATE_HZ * _NOTE_S)) / SAMPLE_RATE_HZ
    swell = np.sin(np.pi * time_s / _NOTE_S) ** 2
    notes = [swell * np.sin(2 * np.pi * frequency * time_s) for frequency in _NOTES_HZ]
    pause = np.zeros(int(SAMPLE_RATE_HZ * _PAUSE_S))
    pattern = np.concatenate([*notes, pause]) * _LEVEL * 32767
    return bytes(np.rint(pattern).astype("<i2").tobytes())
