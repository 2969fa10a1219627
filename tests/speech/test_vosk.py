"""The real Vosk engine with the one model that package registries hold, which is Korean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from speech.recognizers.vosk import UNKNOWN, Vosk, VoskHearing, known_phrases
from speech.seams import ModelMissing, Synthesizer
from tests.speech.conftest import by_telephone

pytestmark = pytest.mark.integration

YES, NO = "네", "아니요"


def grammar_hearing(korean: Vosk, *phrases: str) -> VoskHearing:
    """A hearing bound to a grammar; this model has no unknown word, so the product itself never binds it."""
    import vosk

    def decoder(*, freely: bool) -> Any:
        grammar = () if freely else (json.dumps([*phrases, UNKNOWN], ensure_ascii=False),)
        fresh = vosk.KaldiRecognizer(korean.model("ko"), 8000.0, *grammar)
        fresh.SetWords(True)
        return fresh

    return VoskHearing(decoder, grammar=True)


def fed(hearing: VoskHearing, pcm: bytes) -> list[str]:
    return [text for start in range(0, len(pcm), 1600) if (text := hearing.feed(pcm[start : start + 1600]))]


def test_a_word_is_recognised_freely(korean: Vosk, espeak: Synthesizer) -> None:
    hearing = korean.open(language="ko")
    fed(hearing, by_telephone(espeak.render(YES, language="ko").pcm))
    heard = hearing.result()
    assert heard.text == YES
    assert heard.engine == "vosk"
    assert 0 < heard.confidence <= 1
    assert heard.cpu_s > 0


@pytest.mark.parametrize("said", [YES, NO])
def test_a_grammar_picks_the_word_that_was_said(korean: Vosk, espeak: Synthesizer, said: str) -> None:
    hearing = grammar_hearing(korean, YES, NO)
    partials = fed(hearing, by_telephone(espeak.render(said, language="ko").pcm))
    assert hearing.result().text == said
    assert partials[-1] == said


def test_what_the_grammar_does_not_know_is_decoded_freely(
    korean: Vosk, espeak: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speech.recognizers.vosk.UNKNOWN", NO)  # stands in for the unknown word that this model lacks
    hearing = grammar_hearing(korean, YES, NO)
    partials = fed(hearing, by_telephone(espeak.render("전화하지 마세요", language="ko").pcm))
    assert all(set(text.split()) <= {YES} for text in partials)
    heard = hearing.result().text.split()
    assert heard
    assert not set(heard) <= {YES, NO}


def test_a_model_without_an_unknown_word_never_gets_a_grammar(korean: Vosk, espeak: Synthesizer) -> None:
    hearing = korean.open(language="ko", phrases=(NO,))
    fed(hearing, by_telephone(espeak.render(YES, language="ko").pcm))
    assert hearing.result().text == YES


def test_the_result_may_be_asked_early_and_goes_on(korean: Vosk, espeak: Synthesizer) -> None:
    pcm = by_telephone(espeak.render(YES, language="ko").pcm)
    hearing = grammar_hearing(korean, YES, NO)
    fed(hearing, pcm)
    early = hearing.result()
    assert hearing.result() is early
    fed(hearing, by_telephone(espeak.render(NO, language="ko").pcm))
    assert hearing.result().text == f"{YES} {NO}"


def test_silence_is_no_words(korean: Vosk) -> None:
    hearing = korean.open(language="ko")
    fed(hearing, bytes(16000))
    assert hearing.result().text == ""


def test_phrases_with_words_the_model_lacks_are_left_out(korean: Vosk) -> None:
    assert known_phrases(korean.model("ko"), (f"{YES}!", "zzqx", YES, f"{NO} zzqx", "")) == [YES]


def test_another_language_is_refused_with_what_is_served(korean: Vosk) -> None:
    with pytest.raises(ModelMissing, match="serves ko, not 'en'"):
        korean.open(language="en")
