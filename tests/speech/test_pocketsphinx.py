"""PocketSphinx: one more engine in one file, on what the natural voice says through a telephone."""

from __future__ import annotations

import pytest

from speech import audio
from speech.engines import load_recognizer, names
from speech.models import ModelStore
from speech.seams import ModelMissing, Recognizer, Synthesizer
from speech.synthesizers.piper import STEADY
from tests.speech.conftest import by_telephone

pytestmark = pytest.mark.integration

PHRASES = ("stop calling me", "yes please", "you have the wrong number", "qwertyuiop zzz")


@pytest.fixture(scope="module")
def sphinx(store: ModelStore) -> Recognizer:
    assert "pocketsphinx" in names("recognizer")
    return load_recognizer("pocketsphinx", store, ("en",))


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Stop calling me.", "stop calling me"),
        ("Yes please.", "yes please"),
        ("You have the wrong number.", "you have the wrong number"),
    ],
)
def test_expected_phrases_are_understood(sphinx: Recognizer, piper: Synthesizer, said: str, heard: str) -> None:
    hearing = sphinx.open(language="en", phrases=PHRASES)
    hearing.feed(by_telephone(piper.render(said, language="en", voice=STEADY).pcm))
    found = hearing.result()
    assert (found.text, found.engine) == (heard, "pocketsphinx")
    assert found.confidence > 0.5
    assert hearing.result() is found


def test_other_words_are_not_forced_into_a_phrase(sphinx: Recognizer, piper: Synthesizer) -> None:
    hearing = sphinx.open(language="en", phrases=PHRASES)
    spoken = piper.render("I like green apples in the morning.", language="en", voice=STEADY)
    partials = [
        text
        for start in range(0, len(spoken.pcm), 320)
        if (text := hearing.feed(spoken.pcm[start : start + 320])) is not None
    ]
    found = hearing.result()
    assert found.text not in PHRASES
    assert "green apple" in found.text
    assert partials


def test_silence_is_no_words_and_other_languages_are_refused(sphinx: Recognizer, store: ModelStore) -> None:
    hearing = sphinx.open(language="en", phrases=PHRASES)
    hearing.feed(audio.silence(1000))
    assert (hearing.result().text, hearing.result().confidence) == ("", 0.0)
    assert sphinx.open(language="en").result().text == ""
    with pytest.raises(ModelMissing, match="English only"):
        sphinx.open(language="zh")
    with pytest.raises(ModelMissing, match="English only"):
        load_recognizer("pocketsphinx", store, ("en", "zh"))
