"""Measures a recorded call from the energy of its two sides: answer to first sound, turn gaps, interruptions, dead air.

It believes nothing that a program says of itself. Left is the customer, right the robot; seconds from the recording's
beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speech import audio
from speech.seams import SAMPLE_RATE_HZ

FRAMES_A_SECOND = 200
"""Energy is looked at every 5 ms, over 10 ms."""
SOUND_DBFS = -45.0
OVER_NOISE_DB = 12.0
"""Sound is louder than the line's noise (its quietest tenth) by this much, at most -25 dBFS."""
SHORTEST_S = 0.04
CUSTOMER_PAUSE_S = 0.5
ROBOT_PAUSE_S = 0.35
"""A shorter pause is within an utterance."""
TALKS_ON_S = 2.5
"""The robot that still speaks this long after the customer cut in was not stopped."""
DEAD_AIR_S = 2.0
OWED_S = 1.5
"""Nobody who has spoken should wait longer for any sound of ours."""
_SAME_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of sound or of silence."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a recording says of a call."""

    duration_s: float
    answer_to_audio_s: float | None
    """From the answer to the robot's first sound; ``None`` when it made none."""
    turn_gaps_s: tuple[float, ...]
    """From the end of each customer utterance to the robot's reply."""
    barge_in_stops_s: tuple[float, ...]
    """From the customer's cutting in to the robot's silence, where it fell silent for that."""
    not_stopped: int
    """Interruptions that the robot talked over."""
    unanswered_s: tuple[float, ...]
    """Beginnings of customer utterances that got no reply."""
    dead_air: tuple[Span, ...]
    """Stretches over 2 s in which nobody makes a sound."""
    overlaps: tuple[Span, ...]
    robot_cut_ins: int
    """Overlaps that the robot began."""
    owed: tuple[Span, ...] = ()
    """Silences over 1.5 s after the customer's words, or after the answer: it was our turn."""

    @property
    def dead_air_s(self) -> float:
        """Seconds of dead air together."""
        return round(sum(span.seconds for span in self.dead_air), 3)

    @property
    def owed_s(self) -> float:
        """Seconds in which we owed a sound, together."""
        return round(sum(span.seconds for span in self.owed), 3)

    @property
    def overlap_s(self) -> float:
        """Seconds in which both speak."""
        return round(sum(span.seconds for span in self.overlaps), 3)


def utterances(sound: audio.Samples, rate_hz: int, *, longest_pause_s: float) -> list[Span]:
    """Stretches of sound with pauses shorter than ``longest_pause_s`` inside them."""
    frame = rate_hz // FRAMES_A_SECOND
    count = len(sound) // frame
    if count < 2:
        return []
    frames = sound[: count * frame].reshape(count, frame).astype(np.float64) / audio.FULL_SCALE
    power = np.mean(frames**2, axis=1)
    before = np.concatenate(([0.0], power[:-1]))
    level_db = 10.0 * np.log10(np.maximum((before + power) / 2.0, 1e-12))
    noise_db = float(np.percentile(level_db, 10))
    loud = np.flatnonzero(level_db > max(SOUND_DBFS, min(noise_db + OVER_NOISE_DB, -25.0)))
    if not len(loud):
        return []
    # A pause of n silent frames makes a step of n + 1 between loud ones.
    breaks = np.flatnonzero(np.diff(loud) - 1 >= longest_pause_s * FRAMES_A_SECOND - 1e-9)
    pieces = np.split(loud, breaks + 1)
    return [
        Span(start_s=round(piece[0] / FRAMES_A_SECOND, 3), end_s=round((piece[-1] + 1) / FRAMES_A_SECOND, 3))
        for piece in pieces
        if len(piece) >= SHORTEST_S * FRAMES_A_SECOND
    ]


def measure(
    customer: audio.Samples, robot: audio.Samples, rate_hz: int = SAMPLE_RATE_HZ, *, answer_s: float = 0.0
) -> Measurement:
    """Measure a call whose sides begin together; what ended before ``answer_s`` is left out."""
    duration_s = len(customer) / rate_hz
    said = [span for span in utterances(customer, rate_hz, longest_pause_s=CUSTOMER_PAUSE_S) if span.end_s > answer_s]
    spoken = [span for span in utterances(robot, rate_hz, longest_pause_s=ROBOT_PAUSE_S) if span.end_s > answer_s]
    gaps: list[float] = []
    stops: list[float] = []
    unanswered: list[float] = []
    not_stopped = 0
    for number, span in enumerate(said):
        following_s = said[number + 1].start_s if number + 1 < len(said) else duration_s
        cut_into = [other for other in spoken if other.start_s < span.start_s - _SAME_S and other.end_s > span.start_s]
        if cut_into:
            stop_s = round(cut_into[-1].end_s - span.start_s, 3)
            not_stopped += stop_s > TALKS_ON_S
            stops += [stop_s] if stop_s <= TALKS_ON_S else []
        if any(other.start_s < span.end_s <= other.end_s for other in spoken):
            continue  # the robot was speaking as the customer ended: there is no gap to measure
        reply = next((other for other in spoken if span.end_s <= other.start_s < following_s), None)
        if reply is None:
            unanswered.append(span.start_s)
        else:
            gaps.append(round(reply.start_s - span.end_s, 3))
    overlaps = _overlaps(said, spoken)
    return Measurement(
        duration_s=round(duration_s, 3),
        answer_to_audio_s=round(spoken[0].start_s - answer_s, 3) if spoken else None,
        turn_gaps_s=tuple(gaps),
        barge_in_stops_s=tuple(stops),
        not_stopped=not_stopped,
        unanswered_s=tuple(unanswered),
        dead_air=_silences([*said, *spoken], answer_s, duration_s),
        overlaps=overlaps,
        robot_cut_ins=sum(any(overlap.start_s == other.start_s for other in spoken) for overlap in overlaps),
        owed=_owed(said, spoken, answer_s),
    )


def measure_tape(received: bytes, sent: bytes) -> Measurement:
    """Measure a leg's tape: s16le at 8 kHz, begun at the answer."""
    customer, robot = audio.samples(received), audio.samples(sent)
    length = max(len(customer), len(robot))
    return measure(_padded(customer, length), _padded(robot, length))


def measure_file(path: Path, *, answer_s: float = 0.0) -> Measurement:
    """Measure a stereo recording. Raises ``ValueError`` when it is not stereo."""
    both, rate_hz = audio.read_wav(path)
    if both.shape[1] != 2:
        raise ValueError(f"{path.name} has {both.shape[1]} channel(s): a call is stereo, left customer, right robot")
    return measure(both[:, 0], both[:, 1], rate_hz, answer_s=answer_s)


def _padded(sound: audio.Samples, length: int) -> audio.Samples:
    return np.pad(sound, (0, length - len(sound)))


def _overlaps(said: list[Span], spoken: list[Span]) -> tuple[Span, ...]:
    """Stretches over 20 ms in which both sound."""
    both = (
        Span(start_s=max(one.start_s, other.start_s), end_s=min(one.end_s, other.end_s))
        for one in said
        for other in spoken
    )
    return tuple(sorted((span for span in both if span.seconds > 0.02), key=lambda span: span.start_s))


def _owed(said: list[Span], spoken: list[Span], answer_s: float) -> tuple[Span, ...]:
    """Silences that end with the robot's sound and begin with the customer's, or with the answer."""
    found = []
    for reply in spoken:
        ends = [span.end_s for span in (*said, *spoken) if span.end_s <= reply.start_s and span is not reply]
        since_s = max(ends, default=answer_s)
        ours = any(span.end_s == since_s for span in spoken) and not any(span.end_s == since_s for span in said)
        speaking = any(span.start_s < reply.start_s < span.end_s for span in said)
        if not ours and not speaking and reply.start_s - since_s > OWED_S:
            found.append(Span(start_s=since_s, end_s=reply.start_s))
    return tuple(found)


def _silences(sounds: list[Span], begin_s: float, end_s: float) -> tuple[Span, ...]:
    """Stretches over 2 s without any sound."""
    silences, quiet_since_s = [], begin_s
    for span in sorted(sounds, key=lambda span: span.start_s):
        silences.append(Span(start_s=round(quiet_since_s, 3), end_s=span.start_s))
        quiet_since_s = max(quiet_since_s, span.end_s)
    silences.append(Span(start_s=round(quiet_since_s, 3), end_s=round(end_s, 3)))
    return tuple(span for span in silences if span.seconds > DEAD_AIR_S)
