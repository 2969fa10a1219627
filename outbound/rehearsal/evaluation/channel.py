"""What a telephone line does to sound, made here: a clean line is 8 kHz and mu-law, a noisy one is narrow and hums.

Noisy: 300 to 3400 Hz, pink noise 15 dB below the speech, 50 Hz hum, 6 dB weaker, mu-law (ITU-T G.711).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from speech import audio
from speech.seams import SAMPLE_RATE_HZ

CONDITIONS = ("clean", "noisy")
SNR_DB, HUM_HZ, HUM_DBFS, WEAKER_DB = 15.0, 50.0, -50.0, 6.0
BAND_HZ = (300.0, 3400.0)
SILENCE_S = 0.5
"""Before and after what is said."""


def through(sound: audio.Samples, condition: str, *, seed: int = 1) -> audio.Samples:
    """Send ``sound`` (int16 at 8 kHz) through a line; the same ``seed`` gives the same noise."""
    quiet = np.zeros(int(SILENCE_S * SAMPLE_RATE_HZ))
    line = np.concatenate([quiet, sound.astype(np.float64), quiet])
    if condition == "noisy":
        line = _noisy(line, sound, seed)
    narrow: audio.Samples = np.clip(np.rint(line), -32768, 32767).astype(np.int16)
    return audio.from_mulaw(audio.to_mulaw(narrow))


def _noisy(line: NDArray[np.float64], sound: audio.Samples, seed: int) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(line)
    hertz = np.fft.rfftfreq(len(line), 1 / SAMPLE_RATE_HZ)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0
    band = np.fft.irfft(spectrum, len(line)) * 10 ** (-WEAKER_DB / 20)
    white = np.random.default_rng(seed).normal(0, 1, len(line))
    pink = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(hertz, 1.0)), len(line))
    speech_rms = np.sqrt(np.mean(sound.astype(np.float64) ** 2)) * 10 ** (-WEAKER_DB / 20)
    pink *= speech_rms * 10 ** (-SNR_DB / 20) / np.sqrt(np.mean(pink**2))
    clock = np.arange(len(line)) / SAMPLE_RATE_HZ
    hum = 10 ** (HUM_DBFS / 20) * 32767 * np.sqrt(2) * np.sin(2 * np.pi * HUM_HZ * clock)
    heard: NDArray[np.float64] = band + pink + hum
    return heard
