"""Whisper on what the natural voice says through a telephone, and on what nobody said."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from speech import audio
from speech.engines import load_recognizer
from speech.models import ModelStore
from speech.recognizers.tokens import Tokens
from speech.recognizers.whisper import allowance, judge, unloop
from speech.seams import ModelMissing, Recognizer, Synthesizer, Transcript
from speech.synthesizers.piper import STEADY
from tests.speech.conftest import by_telephone

pytestmark = pytest.mark.integration


def understood(whisper: Recognizer, pcm: bytes, *, expects_digits: bool = False) -> Transcript:
    hearing = whisper.open(language="en", expects_digits=expects_digits)
    for start in range(0, len(pcm), 320):
        assert hearing.feed(pcm[start : start + 320]) is None
    return hearing.result()


def words(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower()).split())


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Yes please.", "yes please"),
        ("No.", "no"),
        ("No thank you.", "no thank you"),
        ("Stop calling me.", "stop calling me"),
        ("I would like to speak to a person.", "i would like to speak( to)? a person"),
        ("Call me tomorrow.", "call me tomorrow"),
    ],
)
def test_customers_words_are_understood(whisper: Recognizer, piper: Synthesizer, said: str, heard: str) -> None:
    speech = piper.render(said, language="en", voice=STEADY)
    found = understood(whisper, by_telephone(speech.pcm))
    assert re.fullmatch(heard, words(found.text))
    assert found.engine == "whisper"
    assert 0.3 < found.confidence <= 1.0
    assert found.cpu_s > 0


def test_dictated_digits_are_understood(whisper: Recognizer, piper: Synthesizer) -> None:
    speech = piper.render("Four, two, seven, seven, one.", language="en", voice=STEADY)
    heard = understood(whisper, by_telephone(speech.pcm), expects_digits=True)
    spelled = heard.text.lower()
    for digit, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]):
        spelled = spelled.replace(word, str(digit))
    assert re.sub(r"\D", "", spelled) == "42771"


def test_an_utterance_may_be_asked_early_and_again_after_more(whisper: Recognizer, piper: Synthesizer) -> None:
    speech = piper.render("Please stop calling me.", language="en", voice=STEADY)
    pcm = by_telephone(speech.pcm)
    hearing = whisper.open(language="en")
    hearing.feed(pcm[: len(pcm) // 2])
    early = hearing.result()
    assert hearing.result() is early
    hearing.feed(pcm[len(pcm) // 2 :])
    assert words(hearing.result().text) == "please stop calling me"


@pytest.mark.parametrize("seconds", [0.05, 1.0, 4.0])
def test_silence_is_no_words(whisper: Recognizer, seconds: float) -> None:
    heard = understood(whisper, audio.silence(int(1000 * seconds)))
    assert (heard.text, heard.confidence) == ("", 0.0)


@pytest.mark.parametrize("amplitude", [100.0, 1000.0])
def test_line_noise_is_no_words(whisper: Recognizer, amplitude: float) -> None:
    noise = np.random.default_rng(3).normal(0, amplitude, 16000).astype(np.int16)
    assert understood(whisper, noise.tobytes()).text == ""


def test_a_long_story_is_understood_to_its_end(whisper: Recognizer, piper: Synthesizer, espeak: Synthesizer) -> None:
    sentences = (
        "I bought two chairs and a table from your shop last summer.",
        "The table came on Monday, and one of the chairs arrived a week later.",
        "Nobody could tell me where the other chair was.",
        "Then my neighbour found a large box behind the garden gate.",
        "It had been raining all night, so the wood was wet.",
        "I rang you twice, and both times a machine picked up.",
        "My daughter says that I should have written a letter instead.",
        "We have moved house since, and the old address is wrong.",
        "Last week another letter came, asking for money again.",
        "Please connect me to a person.",
    )
    first, last = (piper.render(sentences[place], language="en", voice=STEADY).pcm for place in (0, -1))
    between = [espeak.render(sentence, language="en").pcm for sentence in sentences[1:-1]]
    story = audio.silence(700).join([first, *between, last])
    assert len(story) / 16000 > 28
    heard = words(understood(whisper, story).text)
    assert heard.startswith("i bought two chairs")
    assert heard.endswith("please connect me to a person")


def test_another_language_is_refused_with_what_is_served(whisper: Recognizer) -> None:
    with pytest.raises(ModelMissing, match="serves en, not 'zh'"):
        whisper.open(language="zh")


@pytest.mark.parametrize(
    ("text", "certainty", "nothing", "kept"),
    [
        ("Yes, please.", 0.9, 0.01, "Yes, please."),
        ("[BLANK_AUDIO]", 0.9, 0.0, ""),
        ("(phone rings) Hello?", 0.8, 0.0, "Hello?"),
        ("♪♪♪", 0.9, 0.0, ""),
        ("...", 0.9, 0.0, ""),
        ("Thanks for watching!", 0.99, 0.0, ""),
        ("Thank you.", 0.8, 0.1, "Thank you."),
        ("Thank you.", 0.8, 0.7, ""),
        ("you", 0.2, 0.1, ""),
        ("I went there", 0.4, 0.9, ""),
        ("不需要", 0.7, 0.0, "不需要"),
    ],
)
def test_what_whisper_makes_up_is_dropped(text: str, certainty: float, nothing: float, kept: str) -> None:
    found, confidence = judge(text, certainty=certainty, nothing=nothing)
    assert found == kept
    assert (confidence > 0) == bool(kept)


@pytest.mark.parametrize(
    ("text", "seconds", "once"),
    [
        ("1 1 1 1 1 1 1 1", 1.0, "1"),
        ("No... No... No... No... No...", 1.0, "No..."),
        ("call me call me call me call me", 1.5, "call me"),
        ("no no no", 1.0, "no no no"),
        ("5 5 5 1 2 3 4 5 6", 1.0, "5 5 5 1 2 3 4 5 6"),
    ],
)
def test_a_decoder_that_runs_in_circles_is_cut_short(text: str, seconds: float, once: str) -> None:
    assert unloop(text, seconds) == once


PHRASES = ("stop calling me", "you have the wrong number", "take me off your list", "how much does it cost")
SIMPLE = str.maketrans("電話給錢時間點後", "电话给钱时间点后")
MANDARIN = ("不要再打电话给我了", "我要找人工客服", "多少钱", "没兴趣", "你打错了", "明天下午三点再打给我")


def bare(text: str) -> str:
    return "".join(c for c in text.translate(SIMPLE) if c.isalnum())


def test_a_phrase_that_the_sound_bears_out_is_another_reading(whisper: Recognizer, espeak: Any) -> None:
    hearing = whisper.open(language="en", phrases=PHRASES)
    hearing.feed(by_telephone(espeak.render("Take me off your list", language="en").pcm))
    found = hearing.result()
    readings = [words(text) for text in (found.text, *found.alternatives)]
    assert "take me off your list" in readings
    assert not set(readings) & (set(PHRASES) - {"take me off your list"})


@pytest.mark.parametrize("said", ["I like green apples in the morning.", "The trains are late again."])
def test_no_phrase_is_forced_on_other_words(whisper: Recognizer, espeak: Any, said: str) -> None:
    hearing = whisper.open(language="en", phrases=PHRASES)
    hearing.feed(by_telephone(espeak.render(said, language="en").pcm))
    found = hearing.result()
    assert not {words(text) for text in (found.text, *found.alternatives)} & set(PHRASES)


def test_a_phrase_may_be_less_probable_the_more_it_sounds_like_the_reading() -> None:
    assert allowance(0.55) == 3.0 < allowance(0.7) < allowance(0.9) < allowance(1.0) < 16


@pytest.fixture(scope="module")
def mandarin(store: ModelStore) -> Recognizer:
    return load_recognizer("whisper", store, ("zh",))


@pytest.mark.parametrize("said", ["不要再打电话给我了", "我要找人工客服", "明天下午三点再打给我", "多少钱"])
def test_mandarin_is_understood_from_packages_alone(mandarin: Recognizer, espeak: Any, said: str) -> None:
    hearing = mandarin.open(language="zh", phrases=MANDARIN)
    hearing.feed(by_telephone(espeak.render(said, language="zh").pcm))
    found = hearing.result()
    readings = {bare(text) for text in (found.text, *found.alternatives)}
    assert bare(said) in readings


def test_tokens_go_both_ways(store: ModelStore) -> None:
    tokens = Tokens(store.whisper("zh")[0] / "tokenizer.json")
    for text in (" Don't call me, please.", "不要再打电话给我了", " 42 apples"):
        assert tokens.text(tokens.numbers(text)) == text.strip()
    assert len(tokens.numbers(" please")) == 1
