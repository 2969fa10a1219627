"""The ear: onset, pause, end, noise, echo and the robot's own voice; on synthetic lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from speech import audio, modem
from speech.listening import Beep, Ear, EarEvent, SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted

pytestmark = pytest.mark.unit

RNG_SEED = 11


def line(*parts: tuple[float, audio.Samples], seconds: float, noise: float = 0.0) -> audio.Samples:
    """A line of ``seconds`` with sounds placed at their times."""
    whole = np.random.default_rng(RNG_SEED).normal(0, noise, int(seconds * 8000))
    for at_s, sound in parts:
        place = whole[int(at_s * 8000) :][: len(sound)]
        place += sound[: len(place)]
    return audio.from_mulaw(audio.to_mulaw(np.clip(whole, -32768, 32767).astype(np.int16)))


def hear(ear: Ear, sound: audio.Samples, *, sent: audio.Samples | None = None) -> list[EarEvent]:
    events: list[EarEvent] = []
    for start in range(0, len(sound) - 159, 160):
        robot = sent[start : start + 160].tobytes() if sent is not None else b""
        events += ear.hear(sound[start : start + 160].tobytes(), sent=robot)
    return events


@pytest.mark.parametrize("noise", [0.0, 60.0, 300.0])
@pytest.mark.parametrize("words", ["no", "Stop calling me.", "I would like to speak to a person, please"])
def test_an_utterance_starts_pauses_and_ends_where_it_sounds(words: str, noise: float) -> None:
    sound = modem.encode(words)
    started, paused, ended = hear(Ear(), line((1.0, sound), seconds=4.5, noise=noise))
    assert isinstance(started, SpeechStarted)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(ended, SpeechEnded)
    end_ms = 1000 + len(sound) / 8
    assert started.at_ms == pytest.approx(1000, abs=40)
    assert (paused.at_ms, ended.ended_ms) == (pytest.approx(end_ms, abs=40), pytest.approx(end_ms, abs=40))
    assert modem.decode(audio.samples(ended.audio))[0].text == words


def test_the_beginning_is_given_with_its_pre_roll() -> None:
    [started] = hear(Ear(), line((1.0, modem.encode("hello there, who is it?")), seconds=1.2))
    assert isinstance(started, SpeechStarted)
    sound = audio.samples(started.audio)
    assert 360 <= len(sound) / 8 <= 460  # 300 ms before the onset, and what it took to be sure
    assert audio.rms_dbfs(sound[: 8 * 290]) < -70 < audio.rms_dbfs(sound[8 * 310 :])


def test_a_pause_within_an_utterance_is_taken_back() -> None:
    first, second = modem.encode("Well, tomorrow"), modem.encode("at three")
    gap_s = 1.0 + len(first) / 8000 + 0.35
    events = hear(Ear(end_silence_ms=500), line((1.0, first), (gap_s, second), seconds=4.0))
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted, SpeechPaused, SpeechResumed, SpeechPaused, SpeechEnded]


def test_longer_end_silence_keeps_dictation_together() -> None:
    first, second = modem.encode("4 2 7"), modem.encode("9 1 1")
    gap_s = 1.0 + len(first) / 8000 + 0.7
    for end_silence_ms, utterances in ((500, 2), (1200, 1)):
        events = hear(Ear(end_silence_ms=end_silence_ms), line((1.0, first), (gap_s, second), seconds=5.0))
        assert sum(isinstance(event, SpeechEnded) for event in events) == utterances


@pytest.mark.parametrize("noise", [20.0, 100.0, 400.0])
def test_steady_noise_is_no_speech(noise: float) -> None:
    ear = Ear()
    assert hear(ear, line(seconds=10.0, noise=noise)) == []


def test_mains_hum_is_no_speech() -> None:
    hum = (2000 * np.sin(2 * np.pi * 50 * np.arange(80000) / 8000)).astype(np.int16)
    assert hear(Ear(), line((0.0, hum), seconds=10.0, noise=30.0)) == []


def test_a_click_is_no_speech() -> None:
    click = (20000 * np.random.default_rng(2).normal(0, 0.3, 160)).astype(np.int16)
    assert hear(Ear(), line((1.0, click), (2.0, click), seconds=3.0)) == []


def test_a_greeting_and_its_beep_are_told_apart() -> None:
    beep = (7000 * np.sin(2 * np.pi * 1000 * np.arange(2400) / 8000)).astype(np.int16)
    greeting = modem.encode("You have reached us. Leave a message.")
    at_s = 1.0 + len(greeting) / 8000 + 0.8
    events = hear(Ear(), line((1.0, greeting), (at_s, beep), seconds=5.0, noise=30.0))
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused, SpeechEnded, Beep]


def test_the_robots_echo_does_not_interrupt_it_and_the_customer_does() -> None:
    robot = line((0.2, np.concatenate([modem.encode("Hello, this is a long announcement of ours.")] * 2)), seconds=5.0)
    echo = (robot.astype(np.float64) * 10 ** (-30 / 20)).astype(np.int16)
    assert hear(Ear(), echo, sent=robot) == []
    customer = modem.encode("Stop, please stop it")
    [started, *_] = hear(
        Ear(), np.clip(echo + line((1.5, customer), seconds=5.0), -32768, 32767).astype(np.int16), sent=robot
    )
    assert isinstance(started, SpeechStarted)
    assert started.at_ms == pytest.approx(1500, abs=60)


def test_speech_that_never_pauses_ends_after_30_seconds() -> None:
    television = np.tile(modem.encode("and now the news of the hour, with everything that happened"), 15)[: 36 * 8000]
    events = hear(Ear(), line((0.5, television), seconds=37.0))
    first, second = [event for event in events if isinstance(event, SpeechEnded)]
    assert first.ended_ms - first.started_ms == pytest.approx(30_000, abs=200)
    assert second.started_ms - first.ended_ms < 400


def test_stream_time_and_odd_pieces() -> None:
    pcm = line((1.0, modem.encode("yes, I will be at home")), seconds=3.0).tobytes()
    ear, odd = Ear(), Ear()
    whole = [event for start in range(0, len(pcm), 320) for event in ear.hear(pcm[start : start + 320])]
    cuts = [0, 7, 333, 5000, 5001, 20000, 31234, len(pcm)]
    pieces = [event for start, end in pairwise(cuts) for event in odd.hear(pcm[start:end])]
    assert pieces == whole
    assert odd.now_ms == ear.now_ms == 3000
    assert ear.silence_ms > 500
