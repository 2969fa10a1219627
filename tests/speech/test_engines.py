"""Engines by name: discovery, selection, and that nothing is loaded that was not named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from speech.engines import (
    BestEars,
    BestVoice,
    UnknownEngine,
    choose_recognizer,
    choose_synthesizer,
    load_recognizer,
    load_synthesizer,
    names,
)
from speech.models import ModelStore
from speech.seams import ModelMissing, Recognizer, Synthesizer

pytestmark = pytest.mark.integration


def test_every_engine_file_is_found() -> None:
    assert names("recognizer") == ("pocketsphinx", "scripted", "vosk", "whisper")
    assert names("synthesizer") == ("kokoro", "piper", "pyttsx3", "scripted")


@pytest.mark.parametrize("load", [load_recognizer, load_synthesizer])
def test_an_unknown_name_lists_the_alternatives(load: object, store: ModelStore) -> None:
    with pytest.raises(UnknownEngine, match=r"'sphinx'.*auto, .*scripted"):
        load("sphinx", store, ("en",))


def test_auto_prefers_vosk_where_its_model_lies_and_piper_where_it_has_a_voice(store: ModelStore) -> None:
    assert (choose_recognizer(store, "ko"), choose_recognizer(store, "en")) == ("vosk", "whisper")
    assert (choose_synthesizer(store, "en"), choose_synthesizer(store, "ko")) == ("piper", "pyttsx3")


def test_auto_hears_each_language_with_its_best_engine(whisper: Recognizer, korean: Recognizer) -> None:
    ears = BestEars({"en": whisper, "ko": korean})
    assert ears.streams
    assert ears.open(language="en").result().engine == "whisper"
    assert ears.open(language="ko").result().engine == "vosk"
    with pytest.raises(ModelMissing, match="serves en, ko, not 'zh'"):
        ears.open(language="zh")


def test_auto_speaks_each_language_with_its_best_voice(piper: Synthesizer, espeak: Synthesizer) -> None:
    voice = BestVoice(natural={"en": piper}, plain=espeak)
    assert voice.identify(language="en").startswith("piper/")
    assert voice.identify(language="ko").startswith("pyttsx3/")
    assert voice.render("안녕하세요", language="ko").voice == "pyttsx3:ko"


def test_auto_speaks_mandarin_naturally_where_its_voice_is_installed(mandarin_store: ModelStore) -> None:
    assert choose_synthesizer(mandarin_store, "zh") == "kokoro"


def test_auto_is_the_plain_voice_alone_where_there_is_no_natural_one(store: ModelStore) -> None:
    assert load_synthesizer("auto", store, ("ko",)).name == "pyttsx3"


def test_engines_keep_the_seams(store: ModelStore) -> None:
    assert isinstance(load_recognizer("scripted", store, ("en",)), Recognizer)
    assert isinstance(load_synthesizer("scripted", store, ("en",)), Synthesizer)


def test_clients_and_command_lines_import_no_engine() -> None:
    code = (
        "import sys, speech.client, speech.worker_spec, speech.doctor, speech.listening, speech.measure\n"
        "engines = ('vosk', 'ctranslate2', 'piper', 'pyttsx3', 'onnxruntime', 'misaki', 'jieba')\n"
        "print([name for name in engines if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
