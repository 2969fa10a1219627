"""The ruler: turn gaps, interruptions, dead air and overlaps from the sound of a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from speech import audio
from speech.measure import Measurement, measure, measure_file, measure_tape

pytestmark = pytest.mark.unit


def side(*sounds: tuple[float, float], rate_hz: int = 8000, noise: float = 0.0, seconds: float = 30.0) -> audio.Samples:
    """One side of a call: sound from each begin to each end, in seconds."""
    samples = np.random.default_rng(4).normal(0, noise, int(seconds * rate_hz))
    for begin_s, end_s in sounds:
        clock = np.arange(int((end_s - begin_s) * rate_hz)) / rate_hz
        start = int(begin_s * rate_hz)
        samples[start : start + len(clock)] += 5000 * np.sin(2 * np.pi * 300 * clock)
    return samples.astype(np.int16)


def near(seconds: float) -> object:
    return pytest.approx(seconds, abs=0.015)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("noise", [0.0, 15.0])
def test_a_whole_call(rate_hz: int, noise: float) -> None:
    robot = side((1.3, 3.0), (5.45, 8.0), (9.6, 12.0), (17.5, 20.0), (22.9, 24.0), rate_hz=rate_hz, noise=noise)
    customer = side(
        *((3.7, 4.1), (4.35, 4.7)),  # one utterance with a pause in it: gap 0.75
        (7.0, 9.0),  # cuts in, the robot stops after 1.0: gap 0.6
        (13.0, 13.5),  # unanswered, then dead air
        (17.0, 18.0),  # the robot cuts in: no gap
        (21.0, 21.5),  # gap 1.4
        rate_hz=rate_hz,
        noise=noise,
    )
    found = measure(customer, robot, rate_hz, answer_s=1.0)
    assert found.answer_to_audio_s == near(0.3)
    assert found.turn_gaps_s == (near(0.75), near(0.6), near(1.4))
    assert found.barge_in_stops_s == (near(1.0),)
    assert found.unanswered_s == (near(13.0),)
    assert found.robot_cut_ins == 1
    assert found.overlap_s == near(1.5)
    first, last = found.dead_air
    assert (first.start_s, first.end_s) == (near(13.5), near(17.0))
    assert (last.start_s, last.end_s) == (near(24.0), near(30.0))
    assert found.dead_air_s == near(9.5)


def test_a_robot_that_talks_on_was_not_stopped() -> None:
    found = measure(side((5.0, 6.0)), side((1.0, 15.0)))
    assert (found.not_stopped, found.barge_in_stops_s, found.turn_gaps_s) == (1, (), ())


def test_silence_has_no_answer_and_is_dead_air() -> None:
    found = measure(side(), side())
    assert found.answer_to_audio_s is None
    assert found.dead_air_s == 30.0


def test_what_sounded_before_the_answer_is_left_out() -> None:
    assert measure(side((0.5, 1.5)), side((3.0, 4.0)), answer_s=2.0).turn_gaps_s == ()


def test_tape_and_file_say_the_same(tmp_path: Path) -> None:
    customer, robot = side((1.0, 2.0)), side((0.2, 0.8), (2.5, 3.0), seconds=20.0)
    audio.write_wav(tmp_path / "call.wav", customer, robot)
    tape: Measurement = measure_tape(customer.tobytes(), robot.tobytes())
    assert tape == measure_file(tmp_path / "call.wav")
    assert tape.turn_gaps_s == (near(0.5),)


def test_mono_is_refused(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "mono.wav", side((1.0, 2.0)))
    with pytest.raises(ValueError, match="left customer, right robot"):
        measure_file(tmp_path / "mono.wav")


def test_silence_is_ours_only_after_the_customer_or_the_answer() -> None:
    robot = side((2.0, 3.0), (6.0, 7.0), (12.0, 13.0), (20.0, 21.0))
    customer = side((8.0, 9.0), (14.0, 14.5), (15.0, 16.0), (19.0, 19.5))
    found = measure(customer, robot)
    assert [(span.start_s, span.end_s) for span in found.owed] == [(near(0.0), near(2.0)), (near(9.0), near(12.0))]
    assert found.owed_s == near(5.0)
