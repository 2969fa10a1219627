"""How like two sounds or two sentences are: whether what was said at one end was heard at the other. Pure."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from speech.audio import Samples
from speech.seams import SAMPLE_RATE_HZ

WINDOW_S = 0.5
ALIKE = 0.6
"""Correlation above which a window counts as heard; unrelated speech stays below 0.35."""
_QUIET_RMS = 300.0
_DIGIT = re.compile(r"[0-9]")
_READ = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def share_heard(said: Samples, heard: Samples) -> float:
    """Return which share (0..1) of the sounding half-second windows of ``said`` occurs somewhere in ``heard``.

    By normalised cross-correlation of the waveforms, so a slipped frame or another volume does no harm.
    """
    size = int(WINDOW_S * SAMPLE_RATE_HZ)
    windows = [said[at : at + size].astype(np.float64) for at in range(0, len(said) - size + 1, size)]
    sounding = [window for window in windows if np.sqrt(np.mean(window**2)) > _QUIET_RMS]
    if not sounding or len(heard) < size:
        return 0.0
    length = 1 << (len(heard) + size).bit_length()
    sound = heard.astype(np.float64)
    spectrum = np.fft.rfft(sound, length)
    energy = _rolling(sound**2, size)
    norm = np.sqrt(np.maximum(energy, (_QUIET_RMS / 3) ** 2 * size))
    alike = 0
    for window in sounding:
        product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(window, length)), length)[: len(energy)]
        alike += float(np.max(product / (norm * np.linalg.norm(window)))) > ALIKE
    return alike / len(sounding)


def _rolling(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Sum over each window of ``size`` values."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    sums: NDArray[np.float64] = total[size:] - total[:-size]
    return sums


def words(text: str) -> list[str]:
    """Words of a sentence, folded; figures as their digits are read one by one, for recognisers write them so."""
    spelt = _DIGIT.sub(lambda digit: f" {_READ[int(digit[0])]} ", text.casefold().replace("'", ""))
    return re.findall(r"[^\W_]+", spelt)


def share_of_words(said: str, heard: str) -> float:
    """Return which share (0..1) of the words of ``said`` is among those of ``heard``."""
    wanted, there = words(said), words(heard)
    found = 0
    for word in wanted:
        if word in there:
            there.remove(word)
            found += 1
    return found / len(wanted) if wanted else 0.0
