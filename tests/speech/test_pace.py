"""Speech is slower for whoever asks, at the same pitch, and as well understood."""

from __future__ import annotations

import numpy as np
import pytest

from speech.engines import load_recognizer, load_synthesizer
from speech.models import ModelStore
from speech.pace import SLOWER, slowed

pytestmark = pytest.mark.unit

RATE_HZ = 8000


def tone(hz: float) -> bytes:
    clock = np.arange(2 * RATE_HZ) / RATE_HZ
    return (9000 * np.sin(2 * np.pi * hz * clock)).astype("<i2").tobytes()


def test_it_takes_longer_at_the_same_pitch() -> None:
    before = tone(440.0)
    after = np.frombuffer(slowed(before), dtype="<i2")
    assert len(after) * 2 == pytest.approx(len(before) / SLOWER, rel=0.01)
    spectrum = np.abs(np.fft.rfft(after.astype(np.float64)))
    assert np.fft.rfftfreq(len(after), 1 / RATE_HZ)[spectrum.argmax()] == pytest.approx(440.0, abs=5.0)


def test_nothing_stays_nothing_and_what_is_loud_is_not_torn() -> None:
    assert slowed(b"") == b""
    loud = np.full(RATE_HZ, 32767, dtype="<i2").tobytes()
    assert np.abs(np.diff(np.frombuffer(slowed(loud), dtype="<i2").astype(int))[200:-400]).max() < 20000


def test_it_is_understood_as_before() -> None:
    store = ModelStore()
    voice = load_synthesizer("piper", store, ("en",))
    ears = load_recognizer("whisper", store, ("en",))
    said = voice.render("Your parcel arrives on Friday between nine and eleven.", language="en").pcm

    def heard(pcm: bytes) -> set[str]:
        hearing = ears.open(language="en")
        hearing.feed(pcm)
        return {word.strip(".,").lower() for word in hearing.result().text.split()}

    assert heard(slowed(said)) & heard(said) >= {"your", "parcel", "arrives", "friday", "between"}
