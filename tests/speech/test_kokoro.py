"""Kokoro: what it says is understood through a telephone, in Mandarin and English, and what it cannot do is said."""

from __future__ import annotations

import pytest

from speech import audio
from speech.engines import load_recognizer, load_synthesizer
from speech.models import ModelStore
from speech.seams import ModelMissing, NothingToSay, SpeechError, Synthesizer
from tests.speech.conftest import by_telephone

pytestmark = pytest.mark.integration


def heard(store: ModelStore, pcm: bytes, language: str) -> str:
    hearing = load_recognizer("whisper", store, (language,)).open(language=language)
    hearing.feed(by_telephone(pcm))
    return hearing.result().text


def test_mandarin_is_understood_through_a_telephone(kokoro: Synthesizer, mandarin_store: ModelStore) -> None:
    speech = kokoro.render("您的包裹星期五上午九点送达。", language="zh")
    text = heard(mandarin_store, speech.pcm, "zh")
    assert "包裹" in text
    assert "星期五" in text
    assert speech.voice == "kokoro:zf_xiaoxiao"


def test_english_is_understood_through_a_telephone(kokoro: Synthesizer, mandarin_store: ModelStore) -> None:
    speech = kokoro.render("Your order comes on Friday, between nine and eleven.", language="en")
    text = heard(mandarin_store, speech.pcm, "en").lower()
    assert "your order" in text
    assert "friday" in text


def test_it_is_as_loud_as_every_voice_and_can_be_slower(kokoro: Synthesizer) -> None:
    usual = kokoro.render("您好，再见。", language="zh", voice="zm_yunxi")
    slow = kokoro.render("您好，再见。", language="zh", voice="zm_yunxi", rate=0.7)
    assert slow.seconds > usual.seconds * 1.2
    sound = audio.samples(usual.pcm)
    assert audio.rms_dbfs(sound) == pytest.approx(audio.TARGET_DBFS, abs=4.0)


def test_a_long_text_is_cut_at_its_pauses(kokoro: Synthesizer) -> None:
    once = kokoro.render("请拨打二零二，五五五。", language="zh").seconds
    many = kokoro.render("请拨打二零二，五五五。" * 25, language="zh").seconds
    assert many > 15 * once


def test_what_it_cannot_say_is_refused(kokoro: Synthesizer) -> None:
    with pytest.raises(NothingToSay):
        kokoro.render("。。。", language="zh")
    with pytest.raises(ModelMissing, match=r"voices: .*zf_xiaoxiao"):
        kokoro.render("您好", language="zh", voice="nobody")
    with pytest.raises(SpeechError, match="split it"):
        kokoro.render("好" * 3000, language="zh")


def test_without_voices_it_says_how_to_get_them(store: ModelStore) -> None:
    with pytest.raises(ModelMissing, match="make mandarin"):
        load_synthesizer("kokoro", store, ("zh",))
    with pytest.raises(ModelMissing, match="not ko"):
        load_synthesizer("kokoro", store, ("ko",))


def test_its_name_changes_with_voice_and_version(kokoro: Synthesizer) -> None:
    assert kokoro.identify(language="zh") != kokoro.identify(language="zh", voice="zm_yunxi")
    assert kokoro.identify(language="en").startswith("kokoro/")
