"""Tones in telephone audio: which frequencies sound now, key presses in the band, and what a cadence means.

It judges tones only; that what sounds is no tone does not make it speech.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from speech.audio import FULL_SCALE, Samples
from speech.seams import FRAME_MS, SAMPLE_RATE_HZ

DTMF_LOW_HZ = (697.0, 770.0, 852.0, 941.0)
DTMF_HIGH_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
DTMF_KEYS = ("123A", "456B", "789C", "*0#D")
"""ITU-T Q.23: rows by low, columns by high frequency."""

PURE = 0.85
"""Share of the energy that one tone (or two together) must hold to be called a tone."""
STEADY_HZ = 14.0
"""A tone keeps its frequency; a voice glides."""

_SHORT, _LONG = 2, 6
"""Frames looked at: 40 ms to notice a tone, 120 ms to tell its frequencies apart."""
_SURE = 3
"""Frames that must agree."""
_FFT = 1024
_BIN_HZ = SAMPLE_RATE_HZ / _FFT
_LOWEST_BIN = round(300 / _BIN_HZ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """One tone from beginning to end; ``frequencies_hz`` rising, at most two."""

    frequencies_hz: tuple[float, ...]
    started_ms: int
    ended_ms: int
    spread_hz: float = 0.0
    """How far its strongest frequency wandered, beginning and end left out."""

    @property
    def duration_ms(self) -> int:
        """Length."""
        return self.ended_ms - self.started_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A call-progress signal: its frequencies, and tones and pauses in seconds, as often as needed to be sure."""

    name: str
    frequencies_hz: tuple[float, ...]
    pattern_s: tuple[float, ...]
    """on, off, on…; ends with an "on"."""
    at_least: bool = False
    """Whether the last "on" may last longer."""


SIGNALS = (
    Signal(name="ringback", frequencies_hz=(440, 480), pattern_s=(2.0,)),  # North America
    Signal(name="ringback", frequencies_hz=(400, 450), pattern_s=(0.4, 0.2, 0.4)),  # United Kingdom
    Signal(name="ringback", frequencies_hz=(425,), pattern_s=(1.0,)),  # Europe
    Signal(name="ringback", frequencies_hz=(450,), pattern_s=(1.0,)),  # China
    Signal(name="busy", frequencies_hz=(480, 620), pattern_s=(0.5, 0.5, 0.5)),  # North America
    Signal(name="busy", frequencies_hz=(425,), pattern_s=(0.5, 0.5, 0.5)),  # Europe
    Signal(name="busy", frequencies_hz=(450,), pattern_s=(0.35, 0.35, 0.35)),  # China
    Signal(name="reorder", frequencies_hz=(480, 620), pattern_s=(0.25, 0.25, 0.25)),  # North America
    Signal(name="fax", frequencies_hz=(1100,), pattern_s=(0.5, 3.0, 0.5)),  # CNG, ITU-T T.30
    Signal(name="fax", frequencies_hz=(2100,), pattern_s=(1.5,), at_least=True),  # CED, ITU-T T.30
)
"""ITU-T E.180 and national practice."""

SIT_HZ = (950.0, 1400.0, 1790.0)
"""Special information tone, ITU-T E.180 §7: three tones of 330 ms, ±50 Hz (Bellcore's third is 1776.7 Hz)."""


def _windows() -> dict[int, NDArray[np.float64]]:
    size = SAMPLE_RATE_HZ * FRAME_MS // 1000
    return {frames: np.hanning(frames * size) for frames in (_SHORT, _LONG)}


_WINDOWS = _windows()


def peaks(sound: Samples, frames: int) -> tuple[list[tuple[float, float]], float]:
    """The two strongest frequencies of ``frames`` frames: ([(Hz, share of the energy)], energy)."""
    window = _WINDOWS[frames]
    power = np.abs(np.fft.rfft(sound / FULL_SCALE * window, _FFT)) ** 2
    total = float(power[13:].sum())  # from 100 Hz: hum is nobody's tone
    width = round(2 * SAMPLE_RATE_HZ / len(window) / _BIN_HZ) + 1  # half of a Hann window's main lobe
    found: list[tuple[float, float]] = []
    for _ in range(2):
        top = _LOWEST_BIN + int(power[_LOWEST_BIN:-1].argmax())
        low, high = max(0, top - width), top + width + 1
        share = float(power[low:high].sum()) / total if total > 0 else 0.0
        found.append((_between_bins(power, top), share))
        power[low:high] = 0.0
    return found, total


def _between_bins(power: NDArray[np.float64], top: int) -> float:
    """Frequency of a peak, by a parabola through the logarithm of its neighbours."""
    before, here, after = np.log(np.maximum(power[top - 1 : top + 2], 1e-20))
    bend = before - 2 * here + after
    return float(top + (0.5 * (before - after) / bend if bend < 0 else 0.0)) * _BIN_HZ


def dtmf_key(found: list[tuple[float, float]]) -> str | None:
    """The key whose two tones these peaks are: within 2 % of both, neither 8 dB over the other (ITU-T Q.24)."""
    (first, first_share), (second, second_share) = found
    if first_share + second_share < PURE or min(first_share, second_share) * 6.3 < max(first_share, second_share):
        return None
    low, high = min(first, second), max(first, second)
    row = next((row for row, nominal in enumerate(DTMF_LOW_HZ) if abs(low / nominal - 1) < 0.02), None)
    column = next((column for column, nominal in enumerate(DTMF_HIGH_HZ) if abs(high / nominal - 1) < 0.02), None)
    return None if row is None or column is None else DTMF_KEYS[row][column]


class ToneTracker:
    """Follows tones frame by frame."""

    def __init__(self) -> None:
        self.sounding = False
        """Whether a tone sounds now; known after 60 ms of it."""
        self.key: str | None = None
        """The telephone key whose tones have sounded for two frames running."""
        self._recent: deque[Samples] = deque(maxlen=_LONG)
        self._candidate: str | None = None
        self._run = 0
        self._missed = False
        self._reset()

    def feed(self, frame: Samples, now_ms: int, *, active: bool) -> Tone | None:
        """Take the frame that ends at ``now_ms``; ``active`` is false in silence. Returns a tone that has ended."""
        self._recent.append(frame)
        found = self._look() if active and len(self._recent) >= _SHORT else None
        key = dtmf_key(found) if found is not None else None
        self.key, self._candidate = (key if key == self._candidate else None), key
        if found is not None and self._fits(found):
            self._extend(found, now_ms)
            return None
        if active and self._run and not self._missed:  # a crackle is no end
            self._missed = True
            return None
        ended = self._tone()
        self._reset()
        if found is not None:
            self._extend(found, now_ms)
        return ended

    def _reset(self) -> None:
        self.sounding = self._missed = False
        self._run = 0
        self._reference_hz = 0.0
        self._strongest: list[float] = []
        self._started_ms = self._ended_ms = 0
        self._frequencies: tuple[float, ...] = ()

    def _look(self) -> list[tuple[float, float]] | None:
        """The peaks of the last 40 ms if they are a tone."""
        found, _ = peaks(np.concatenate(list(self._recent)[-_SHORT:]), _SHORT)
        return found if found[0][1] + found[1][1] >= PURE else None

    def _fits(self, found: list[tuple[float, float]]) -> bool:
        """Whether these peaks go on with the tone that sounds, if one does."""
        # Two tones 40 Hz apart beat: seen for 40 ms, their peak wanders between them.
        allowed_hz = 60.0 if 380.0 < self._reference_hz < 520.0 else STEADY_HZ
        return not self._run or any(
            share > 0.15 and abs(frequency - self._reference_hz) <= allowed_hz for frequency, share in found
        )

    def _extend(self, found: list[tuple[float, float]], now_ms: int) -> None:
        if not self._run:
            self._reference_hz, self._started_ms = found[0][0], now_ms - FRAME_MS
            self._frequencies = _notable(found)
        self._run += 1
        self._missed = False
        self._strongest.append(found[0][0])
        self._ended_ms = now_ms
        self.sounding = self._run >= _SURE
        if self._run == _LONG + 1:
            self._frequencies = _notable(peaks(np.concatenate(self._recent), _LONG)[0])

    def _tone(self) -> Tone | None:
        if self._run < _SURE:
            return None
        inner = self._strongest[1:-1]
        return Tone(
            frequencies_hz=self._frequencies,
            started_ms=self._started_ms,
            ended_ms=self._ended_ms,
            spread_hz=max(inner) - min(inner),
        )


def _notable(found: list[tuple[float, float]]) -> tuple[float, ...]:
    """Frequencies of the peaks that count: a second one at least a tenth of the first."""
    (_, first), (_, second) = found
    return tuple(sorted(round(frequency, 1) for frequency, share in found if share >= max(first, second) / 10))


class Cadence:
    """Knows call-progress signals and the special information tone by a row of tones."""

    def __init__(self) -> None:
        self._tones: deque[Tone] = deque(maxlen=4)

    def feed(self, tone: Tone) -> str | None:
        """Take the next tone; the name of the signal (``sit`` for special information) that it completes, if any."""
        self._tones.append(tone)
        if self._is_special_information():
            return "sit"
        return next((signal.name for signal in SIGNALS if self._ends_with(signal)), None)

    def may_go_on(self) -> bool:
        """Whether the last tones may be the beginning of a special information tone."""
        return any(self._matches_sit(count) for count in (1, 2))

    def _ends_with(self, signal: Signal) -> bool:
        count = len(signal.pattern_s) // 2 + 1
        tones = list(self._tones)[-count:]
        if len(tones) < count or not all(same_frequencies(tone, signal.frequencies_hz) for tone in tones):
            return False
        lengths = [tones[0].duration_ms]
        for earlier, later in itertools.pairwise(tones):
            lengths += [later.started_ms - earlier.ended_ms, later.duration_ms]
        return all(
            abs(length - 1000 * wanted) <= max(70.0, 150.0 * wanted) or (signal.at_least and length > 1000 * wanted)
            for length, wanted in zip(lengths, signal.pattern_s, strict=True)
        )

    def _is_special_information(self) -> bool:
        return self._matches_sit(3)

    def _matches_sit(self, count: int) -> bool:
        tones = list(self._tones)[-count:]
        return (
            len(tones) == count
            and all(same_frequencies(tone, (wanted,), within=60.0) for tone, wanted in zip(tones, SIT_HZ, strict=False))
            and all(230 <= tone.duration_ms <= 430 for tone in tones)
            and all(later.started_ms - earlier.ended_ms <= 120 for earlier, later in itertools.pairwise(tones))
        )


def same_frequencies(tone: Tone, wanted_hz: tuple[float, ...], *, within: float = 15.0) -> bool:
    """Whether a tone has these frequencies, each within ``within`` Hz."""
    return len(tone.frequencies_hz) == len(wanted_hz) and all(
        abs(found - wanted) <= within for found, wanted in zip(tone.frequencies_hz, wanted_hz, strict=True)
    )
