"""Mu-law, WAV files, trimming and loudness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speech import audio

pytestmark = pytest.mark.unit


def sine(seconds: float, *, hz: float = 400.0, amplitude: float = 8000.0, rate_hz: int = 8000) -> audio.Samples:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.int16)


@pytest.mark.parametrize(("sample", "code"), [(0, 0xFF), (32767, 0x80), (-32768, 0x00), (1000, 0xCE), (-1000, 0x4E)])
def test_mulaw_codes_are_those_of_g711(sample: int, code: int) -> None:
    assert audio.to_mulaw(np.array([sample], dtype=np.int16)) == bytes([code])


def test_every_mulaw_code_survives_decoding_and_encoding() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)  # negative zero becomes zero
    assert audio.to_mulaw(audio.from_mulaw(codes)) == codes


def test_mulaw_error_is_small_beside_the_sample() -> None:
    every = np.arange(-32000, 32001, dtype=np.int16)
    error = np.abs(audio.from_mulaw(audio.to_mulaw(every)).astype(int) - every)
    assert np.all(error <= np.abs(every.astype(int)) * 0.035 + 8)


def test_resampling_keeps_duration_and_tone() -> None:
    narrow = audio.resample(sine(1.0, rate_hz=22050), 22050, 8000)
    assert len(narrow) == pytest.approx(8000, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(narrow[:8000], 8000))) == pytest.approx(400, abs=1)


def test_trimming_leaves_30_ms_at_either_end() -> None:
    sound = np.concatenate([np.zeros(4000, np.int16), sine(0.5), np.zeros(9000, np.int16)])
    assert len(audio.trim(sound, 8000)) == pytest.approx(4000 + 2 * 240, abs=80)


def test_nothing_is_left_of_silence() -> None:
    assert len(audio.trim(np.zeros(8000, np.int16), 8000)) == 0


@pytest.mark.parametrize("amplitude", [60.0, 8000.0, 32000.0])
def test_rendered_speech_has_one_loudness_and_no_clipping(amplitude: float) -> None:
    words = np.concatenate([sine(0.4, amplitude=amplitude), np.zeros(1600, np.int16), sine(0.4, amplitude=amplitude)])
    speech = audio.telephone_speech(words, 8000, voice="test")
    sound = audio.samples(speech.pcm)
    assert audio.rms_dbfs(sound[400:2800]) == pytest.approx(audio.TARGET_DBFS, abs=0.5)
    assert np.abs(sound).max() < 32767


def test_peaks_are_bent_not_cut() -> None:
    spiky = sine(0.5, amplitude=500.0)
    spiky[::400] = 30000
    assert np.abs(audio.level(spiky, 8000)).max() < 32767


def test_stereo_file_keeps_its_sides(tmp_path: Path) -> None:
    left, right = sine(0.2), sine(0.1, hz=900)
    audio.write_wav(tmp_path / "call.wav", left, right)
    both, rate_hz = audio.read_wav(tmp_path / "call.wav")
    assert rate_hz == 8000
    assert np.array_equal(both[:, 0], left)
    assert np.array_equal(both[: len(right), 1], right)
    assert not both[len(right) :, 1].any()
