"""Call-progress tones of several networks, key presses and beeps, heard through the ear on a clean and a noisy line."""

from __future__ import annotations

import numpy as np
import pytest

from speech import audio
from speech.listening import Beep, CallTone, DtmfInband, Ear, EarEvent, SpeechStarted
from speech.tones import DTMF_HIGH_HZ, DTMF_KEYS, DTMF_LOW_HZ

pytestmark = pytest.mark.unit


def tone(*frequencies: float, seconds: float) -> np.ndarray:
    clock = np.arange(int(seconds * 8000)) / 8000
    return sum(np.sin(2 * np.pi * frequency * clock) for frequency in frequencies) * 6500 / len(frequencies)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * 8000))


def heard(*parts: np.ndarray, noise: float) -> list[EarEvent]:
    line = np.concatenate([quiet(0.3), *parts, quiet(0.4)])
    line = line + np.random.default_rng(7).normal(0, noise, len(line))
    pcm = audio.from_mulaw(audio.to_mulaw(np.clip(line, -32768, 32767).astype(np.int16))).tobytes()
    ear = Ear()
    return [event for start in range(0, len(pcm), 320) for event in ear.hear(pcm[start : start + 320])]


CADENCES = {
    "north america rings": ((440, 480), (2.0, 4.0), 2, "ringback"),
    "united kingdom rings": ((400, 450), (0.4, 0.2, 0.4, 2.0), 2, "ringback"),
    "europe rings": ((425,), (1.0, 4.0), 2, "ringback"),
    "china rings": ((450,), (1.0, 4.0), 2, "ringback"),
    "north america is busy": ((480, 620), (0.5, 0.5), 4, "busy"),
    "europe is busy": ((425,), (0.5, 0.5), 4, "busy"),
    "china is busy": ((450,), (0.35, 0.35), 4, "busy"),
    "north america reorders": ((480, 620), (0.25, 0.25), 5, "reorder"),
    "fax calls": ((1100,), (0.5, 3.0), 2, "fax"),
    "fax answers": ((2100,), (3.0, 0.5), 1, "fax"),
}


@pytest.mark.parametrize("noise", [0.0, 200.0])
@pytest.mark.parametrize("name", CADENCES)
def test_call_progress_is_named_and_is_no_speech(name: str, noise: float) -> None:
    frequencies, cadence, times, signal = CADENCES[name]
    once = [
        tone(*frequencies, seconds=length) if number % 2 == 0 else quiet(length)
        for number, length in enumerate(cadence)
    ]
    events = heard(*once * times, noise=noise)
    assert {event.name for event in events if isinstance(event, CallTone)} == {signal}
    assert not any(isinstance(event, SpeechStarted | DtmfInband) for event in events)


@pytest.mark.parametrize("third", [1776.7, 1800.0])
@pytest.mark.parametrize("gap_s", [0.0, 0.03])
def test_special_information_is_one_signal_and_no_beep(third: float, gap_s: float) -> None:
    tones = [part for hz in (950.0, 1400.0, third) for part in (tone(hz, seconds=0.33), quiet(gap_s))]
    [event] = heard(*tones, noise=50.0)
    assert isinstance(event, CallTone)
    assert event.name == "sit"


@pytest.mark.parametrize("noise", [0.0, 200.0])
@pytest.mark.parametrize(("hz", "seconds"), [(440, 0.4), (850, 0.2), (1000, 0.3), (1400, 0.16), (1000, 1.5)])
def test_a_beep_is_reported_once_when_it_ended(hz: float, seconds: float, noise: float) -> None:
    [beep] = heard(tone(hz, seconds=seconds), noise=noise)
    assert isinstance(beep, Beep)
    assert beep.frequency_hz == pytest.approx(hz, abs=6)
    assert beep.at_ms == pytest.approx(300 + 1000 * seconds, abs=40)


@pytest.mark.parametrize("on_s", [0.05, 0.1])
def test_every_key_is_counted_once(on_s: float) -> None:
    presses = [
        part for low in DTMF_LOW_HZ for high in DTMF_HIGH_HZ for part in (tone(low, high, seconds=on_s), quiet(0.06))
    ]
    events = heard(*presses, noise=30.0)
    assert [event.digit for event in events if isinstance(event, DtmfInband)] == list("".join(DTMF_KEYS))
    assert not any(isinstance(event, Beep | CallTone | SpeechStarted) for event in events)


def test_a_held_key_is_one_press_and_two_presses_are_two() -> None:
    events = heard(tone(770, 1336, seconds=1.0), quiet(0.1), tone(770, 1336, seconds=0.1), noise=0.0)
    assert [event.digit for event in events if isinstance(event, DtmfInband)] == ["5", "5"]
