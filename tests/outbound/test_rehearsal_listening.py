"""What a customer senses and what a recording proves: levels, likeness of sounds and of sentences, pieces of speech."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray

from outbound.rehearsal.answering import beep
from outbound.rehearsal.hearing import Sense
from outbound.rehearsal.likeness import share_heard, share_of_words
from outbound.rehearsal.transcribing import PIECE_S, pieces
from speech.audio import from_mulaw, to_mulaw

pytestmark = pytest.mark.unit
LOUD = np.full(160, 3000, dtype="<i2").tobytes()
QUIET = bytes(320)


def babble(seconds: float, seed: int) -> NDArray[np.int16]:
    """Something like speech: noise through a moving resonance, loud and soft as syllables are."""
    noise = np.random.default_rng(seed).normal(0, 1, int(seconds * 8000))
    shaped = np.convolve(noise, np.hanning(9), "same")
    envelope = 0.3 + 0.7 * np.abs(np.sin(np.arange(len(shaped)) / 8000 * np.pi * 4 + seed))
    sound: NDArray[np.int16] = (shaped / np.max(np.abs(shaped)) * envelope * 9000).astype(np.int16)
    return sound


def feed(sense: Sense, frame: bytes, times: int) -> None:
    for _ in range(times):
        sense.take(frame)


async def test_the_sense_knows_how_long_somebody_spoke_and_how_long_it_is_quiet() -> None:
    sense = Sense()
    feed(sense, QUIET, 10)
    feed(sense, LOUD, 50)
    feed(sense, QUIET, 5)  # a pause within speech counts as speaking once it goes on
    feed(sense, LOUD, 50)
    assert sense.sounding_s == pytest.approx(2.3, abs=0.03)
    feed(sense, QUIET, 45)
    assert sense.quiet_s == pytest.approx(0.9)
    sense.forget()
    assert (sense.sounding_s, sense.quiet_s) == (0.0, 0.0)


async def test_waiting_ends_with_the_frame_that_fulfils_it() -> None:
    sense = Sense()
    waiting = asyncio.create_task(sense.until(lambda: sense.sounding_s >= 0.1, at_most_s=5))
    await asyncio.sleep(0)
    feed(sense, LOUD, 4)
    await asyncio.sleep(0)
    assert not waiting.done()
    feed(sense, LOUD, 2)
    assert await waiting


async def test_waiting_in_vain_ends_too() -> None:
    assert await Sense().until(lambda: False, at_most_s=0.01) is False


def test_a_sound_is_found_again_through_codec_volume_and_a_slipped_frame() -> None:
    said = babble(3.0, 1)
    over_the_line = (from_mulaw(to_mulaw(said)).astype(np.float64) * 0.4).astype(np.int16)
    slipped = np.concatenate([over_the_line[:9000], over_the_line[9160:]])
    heard = np.concatenate([babble(2.0, 2), slipped, babble(1.0, 3)])
    assert share_heard(said, heard) >= 0.8
    assert share_heard(said[:8000], heard) == 1.0


def test_other_speech_silence_and_nothing_are_not_taken_for_it() -> None:
    said = babble(2.0, 1)
    assert share_heard(said, babble(6.0, 4)) == 0.0
    assert share_heard(said, np.zeros(16000, dtype=np.int16)) == 0.0
    assert share_heard(said, said[:100]) == 0.0
    assert share_heard(np.zeros(16000, dtype=np.int16), said) == 0.0


@pytest.mark.parametrize(
    ("said", "heard", "share"),
    [
        ("Hello, this is Maria.", "hello this is maria", 1.0),
        ("I'm here", "Im there", 0.5),
        ("no no no", "no", 1 / 3),
        ("", "anything", 0.0),
        ("call two zero two, please", "call 202 please", 1.0),
        ("Grüße aus Köln", "GRÜSSE aus köln", 1.0),
    ],
)
def test_words_are_compared_folded_and_each_counts_once(said: str, heard: str, share: float) -> None:
    assert share_of_words(said, heard) == pytest.approx(share)


def test_long_speech_is_cut_at_its_quietest_places_and_nothing_is_lost() -> None:
    parts = [babble(5.0, 1), np.zeros(4000, dtype=np.int16), babble(5.0, 2), np.zeros(4000, dtype=np.int16)]
    cut = pieces(np.concatenate([np.zeros(8000, dtype=np.int16), *parts]))
    assert all(len(piece) <= PIECE_S * 8000 for piece in cut)
    assert sum(len(piece) for piece in cut) == pytest.approx(10.5 * 8000, abs=1600)
    edge = len(cut[0]) / 8000
    assert 5.0 <= edge <= 5.5
    assert pieces(np.zeros(8000, dtype=np.int16)) == []
    assert pieces(np.zeros(10, dtype=np.int16)) == []


def test_the_beep_is_one_tone_of_the_length_asked_for() -> None:
    sound = np.frombuffer(beep(0.5), dtype="<i2").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound))
    assert (len(sound), int(np.argmax(spectrum)) * 2) == (4000, 1000)
