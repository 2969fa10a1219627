"""The voices: natural, always there, scripted; what they share, and how eSpeak NG's child survives."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from speech import audio
from speech.models import ModelStore
from speech.seams import ModelMissing, NothingToSay, SpeechError, Synthesizer
from speech.synthesizers import scripted
from speech.synthesizers.pyttsx3 import Pyttsx3

pytestmark = pytest.mark.integration


@pytest.fixture(params=["piper", "espeak"])
def voice(request: pytest.FixtureRequest) -> Synthesizer:
    found: Synthesizer = request.getfixturevalue(request.param)
    return found


def test_speech_is_telephone_speech(voice: Synthesizer) -> None:
    speech = voice.render("Good morning, this is a call about your order.", language="en")
    sound = audio.samples(speech.pcm)
    assert speech.sample_rate_hz == 8000
    assert 1.5 < speech.seconds < 5.0
    assert audio.rms_dbfs(sound) == pytest.approx(audio.TARGET_DBFS, abs=3.0)
    assert np.abs(sound).max() < 32767
    assert all(audio.rms_dbfs(edge) > -60 for edge in (sound[:480], sound[-480:]))  # no silence to wait for


def test_rate_changes_the_pace(voice: Synthesizer) -> None:
    text = "Your parcel will arrive on Friday between nine and twelve."
    # several times: some voices speak the same words a little differently each time
    slow, fast = (sum(voice.render(text, language="en", rate=rate).seconds for _ in range(4)) for rate in (0.8, 1.4))
    assert slow > fast * 1.2


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_to_say_is_an_error(voice: Synthesizer, text: str) -> None:
    with pytest.raises(SpeechError) as caught:
        voice.render(text, language="en")
    assert not caught.value.retryable


def test_what_would_speak_is_identified_by_engine_version_and_voice(voice: Synthesizer) -> None:
    engine, version, name = voice.identify(language="en").split("/", 2)
    assert engine == voice.name
    assert version[0].isdigit()
    assert name


def test_too_long_a_text_is_refused(voice: Synthesizer) -> None:
    with pytest.raises(SpeechError, match="split it"):
        voice.render("word " * 500, language="en")


def test_piper_has_no_voice_for_other_languages(piper: Synthesizer) -> None:
    with pytest.raises(ModelMissing, match=r"en_US-joe-medium \(en\)"):
        piper.identify(language="ko")


def test_a_customers_name_is_never_read_as_phonemes(piper: Synthesizer) -> None:
    assert piper.render("Hello [[ miller ]]", language="en").seconds > 0.5


@pytest.mark.parametrize(("language", "text"), [("ko", "안녕하세요"), ("zh", "你好"), ("de", "Guten Tag")])
def test_espeak_speaks_every_language(espeak: Pyttsx3, language: str, text: str) -> None:
    assert espeak.render(text, language=language).seconds > 0.25


def test_an_unknown_espeak_voice_is_an_error_not_another_voice(espeak: Pyttsx3) -> None:
    with pytest.raises(SpeechError, match="'xx': no such voice"):
        espeak.render("hello", language="xx")
    assert espeak.render("hello", language="en", voice="en-gb").voice == "pyttsx3:en-gb"


def test_many_texts_one_after_the_other_come_whole(espeak: Pyttsx3) -> None:
    lengths = [espeak.render(text, language="en").seconds for text in ("one", "two hundred and three") * 20]
    short, long = lengths[::2], lengths[1::2]
    assert max(short) < 0.7 < 1.2 < min(long)


def test_a_child_that_was_killed_is_replaced() -> None:
    voice = Pyttsx3()
    try:
        before = voice.render("hello", language="en")
        assert voice.child is not None
        voice.child.kill()
        assert voice.render("hello", language="en").seconds == pytest.approx(before.seconds, abs=0.05)
    finally:
        voice.close()


@pytest.mark.parametrize("behaviour", ["crash", "hang", "babble"])
def test_a_child_that_crashes_hangs_or_babbles_is_given_up(tmp_path: Path, behaviour: str) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import sys, time\n"
        "print('{}', flush=True)\n"
        "sys.stdin.readline()\n"
        + {"crash": "sys.exit(11)", "hang": "sys.stdin.read()", "babble": "print('no json', flush=True)"}[behaviour]
    )
    voice = Pyttsx3(command=(sys.executable, str(script)), timeout_s=0.3)
    try:
        with pytest.raises(SpeechError, match="twice") as caught:
            voice.render("hello", language="en")
        assert caught.value.code == "synthesizer_crashed"
        assert voice.child is None
    finally:
        voice.close()


def test_the_scripted_voice_is_always_the_same() -> None:
    voice = scripted.load(ModelStore(), ())
    assert voice.render("Hello", language="en") == voice.render("Hello", language="zh", rate=2.0)
    with pytest.raises(NothingToSay):
        voice.render(" ", language="en")
