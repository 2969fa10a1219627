"""Sentences that people spoke: found by their words, as loud as every voice; what is wrong is named by file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speech import audio
from speech.recorded import Recorded, RecordingUnreadable

pytestmark = pytest.mark.integration


def spoken(folder: Path, name: str, text: str, *, language: str = "en", rate_hz: int = 16000) -> None:
    """A recording with its text."""
    clock = np.arange(rate_hz) / rate_hz
    sound = (2000 * np.sin(2 * np.pi * 300 * clock)).astype(np.int16)
    (folder / language).mkdir(parents=True, exist_ok=True)
    audio.write_wav(folder / language / f"{name}.wav", sound, rate_hz=rate_hz)
    (folder / language / f"{name}.txt").write_text(text, encoding="utf-8")


def test_a_sentence_is_found_by_its_words(tmp_path: Path) -> None:
    spoken(tmp_path, "bye", "Thank you. Goodbye!")
    spoken(tmp_path, "zh-bye", "谢谢您，再见。", language="zh")
    recorded = Recorded(tmp_path)
    found = recorded.find("thank you  goodbye", "en")
    assert found is not None
    assert (found.sample_rate_hz, found.voice, len(recorded)) == (8000, "recorded:bye", 2)
    assert audio.rms_dbfs(audio.samples(found.pcm)) == pytest.approx(audio.TARGET_DBFS, abs=1.0)
    assert recorded.find("谢谢您 再见", "zh") is not None
    assert recorded.find("thank you goodbye", "zh") is None
    assert Recorded(None).find("thank you goodbye", "en") is None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: (folder / "en" / "a.txt").unlink(), r"a\.txt cannot be read"),
        (lambda folder: (folder / "en" / "a.txt").write_text("  "), r"a\.txt is empty"),
        (lambda folder: (folder / "en" / "a.wav").write_bytes(b"nonsense"), r"a\.wav is no 16-bit WAV"),
        (
            lambda folder: audio.write_wav(folder / "en" / "a.wav", np.zeros(8000, dtype=np.int16)),
            r"a\.wav is silent",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, make: object, told: str) -> None:
    spoken(tmp_path, "a", "Hello.")
    make(tmp_path)  # type: ignore[operator]
    with pytest.raises(RecordingUnreadable, match=told):
        Recorded(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingUnreadable, match="OUTBOUND_SPOKEN_DIR"):
        Recorded(tmp_path / "nowhere")
