"""What serves each language, and what is said where nothing does."""

from __future__ import annotations

import pytest

from speech.doctor import diagnose, report
from speech.models import ModelStore

pytestmark = pytest.mark.integration


def test_english_korean_and_a_language_without_a_model(store: ModelStore) -> None:
    english, korean, other = diagnose(store, ["en", "ko", "xx"])
    assert (english.recognizer.engine, english.voice.engine) == ("whisper", "piper")
    assert english.recognizer.works
    assert english.voice.works
    assert "outbound models get vosk-en" in english.recognizer.better[0]
    assert (korean.recognizer.engine, korean.recognizer.better) == ("vosk", ())
    assert korean.voice.works
    assert "Piper voice" in korean.voice.better[0]
    assert not other.recognizer.works
    assert "no Whisper model for 'xx'" in other.recognizer.problem


def test_the_report_names_every_language_with_a_model(store: ModelStore) -> None:
    lines = report(store.root)
    assert any(line.startswith("en: hears by whisper (") for line in lines)
    assert any(line.startswith("ko: hears by vosk (") for line in lines)
    assert "zh: speaks by pyttsx3" in lines
    assert any("outbound models get vosk-zh" in line for line in lines)
