"""Text as sound: what the scripted voice says, the scripted recogniser reads."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech import audio, modem
from speech.models import ModelStore
from speech.recognizers import scripted as recognizer
from speech.synthesizers import scripted as voice

pytestmark = pytest.mark.unit


def on_the_line(sound: audio.Samples, *, before: int, noise: float, seed: int) -> audio.Samples:
    """Silence of any length before it, noise over it, mu-law."""
    padded = np.concatenate([np.zeros(before), sound, np.zeros(900)])
    noisy = padded + np.random.default_rng(seed).normal(0, noise, len(padded))
    return audio.from_mulaw(audio.to_mulaw(np.clip(noisy, -32768, 32767).astype(np.int16)))


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60),
    before=st.integers(0, 3000),
    noise=st.sampled_from([0.0, 100.0, 800.0]),
    seed=st.integers(0, 9),
)
def test_any_text_is_read_from_anywhere_in_a_noisy_line(text: str, before: int, noise: float, seed: int) -> None:
    found = modem.decode(on_the_line(modem.encode(text), before=before, noise=noise, seed=seed))
    assert found == (modem.Message(text=text, complete=True),)


def test_two_messages_in_one_utterance_come_in_order() -> None:
    both = np.concatenate([modem.encode("Yes."), np.zeros(1111, np.int16), modem.encode("At three.")])
    heard = recognizer.load(ModelStore(), ()).open(language="en")
    heard.feed(both.tobytes())
    assert heard.result().text == "Yes. At three."


def test_an_interrupted_message_gives_its_beginning_with_less_confidence() -> None:
    sound = modem.encode("Please call me tomorrow")
    heard = recognizer.load(ModelStore(), ()).open(language="en")
    heard.feed(sound[: len(sound) // 2].tobytes())
    result = heard.result()
    assert result.text
    assert "Please call me tomorrow".startswith(result.text)
    assert result.confidence == 0.5


def test_partial_texts_grow_while_it_sounds() -> None:
    pcm = voice.load(ModelStore(), ()).render("Stop calling me, please", language="en").pcm
    heard = recognizer.load(ModelStore(), ()).open(language="en")
    partials = [text for start in range(0, len(pcm), 1600) if (text := heard.feed(pcm[start : start + 1600]))]
    assert len(partials) >= 2
    assert all(later.startswith(earlier) for earlier, later in pairwise(partials))


def test_noise_and_tones_carry_no_text() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 16000).astype(np.int16)
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 8000)).astype(np.int16)
    assert modem.decode(noise) == ()
    assert modem.decode(tone) == ()
