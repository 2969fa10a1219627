"""The ear: hears in a stream of 20 ms frames when somebody speaks, pauses and ends, and tells tones from speech.

It understands no words and waits for nothing: time is the audio it was fed. A cascade decides: loudness over the line's
noise, then the voice activity detector, then that it is no tone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import webrtcvad

from speech import audio
from speech.seams import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ
from speech.tones import Cadence, Tone, ToneTracker, same_frequencies

PRE_ROLL_MS = 300
PAUSE_MS = 200
"""Silence after which recognition may begin early."""
LONGEST_S = 30
"""An utterance ends here whatever goes on: a television never pauses."""
BEEP_MS = (120, 3000)
BEEP_SPREAD_HZ = 6.0
"""A held vowel wanders more."""
BEEP_HZ = (350.0, 2600.0)
FAX_CNG_HZ, FAX_CNG_MS = 1100.0, (425, 575)
"""A fax that calls (ITU-T T.30 §4.1) sounds like a beep once; the second one names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted:
    """Somebody speaks."""

    at_ms: int
    """Onset, in stream time; earlier than now by what it took to be sure."""
    audio: bytes
    """What was heard so far: pre-roll and the beginning. What comes next is the caller's to feed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPaused:
    """200 ms of silence: time to recognise early, and to throw the result away should speech go on."""

    at_ms: int
    """Where the silence began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechResumed:
    """The pause was only one within the utterance."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded:
    """The utterance is over."""

    started_ms: int
    ended_ms: int
    """Where its sound ended; the silence that proved it is not counted."""
    voiced_ms: int
    """How much of it was voice; a cough has little."""
    audio: bytes
    """The whole utterance, from the pre-roll to now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beep:
    """A single tone ended, as answering machines give it before they record."""

    at_ms: int
    """Where it ended."""
    duration_ms: int
    frequency_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DtmfInband:
    """A telephone key heard in the audio; reported once per press."""

    digit: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTone:
    """A call-progress signal: ``ringback``, ``busy``, ``reorder``, ``fax``, or ``sit`` (number out of service)."""

    name: str
    at_ms: int


_WINDOW = np.hanning(FRAME_BYTES // 2) / audio.FULL_SCALE
_WINDOW_SCALE = 2.0 / (len(_WINDOW) * float(np.sum((_WINDOW * audio.FULL_SCALE) ** 2)))
"""Makes a sine's band power its mean square (Parseval, window's power taken out)."""

EarEvent = SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded | Beep | DtmfInband | CallTone


class _Floor:
    """The line's noise: the quietest 20 ms of the last 1.6 s."""

    _BLOCK_FRAMES, _BLOCKS = 10, 8

    def __init__(self) -> None:
        self.level_db = -70.0
        self._minima: deque[float] = deque(maxlen=self._BLOCKS)
        self._seen = 0

    def feed(self, level_db: float) -> None:
        if self._seen % self._BLOCK_FRAMES == 0:
            self._minima.append(level_db)
        self._minima[-1] = min(self._minima[-1], level_db)
        self._seen += 1
        # Until it has heard enough, it may have heard speech only: then the noise is not that loud.
        ceiling = -30.0 if self._seen > self._BLOCK_FRAMES * self._BLOCKS else -40.0
        self.level_db = min(ceiling, max(-70.0, min(self._minima) + 1.5))


class Ear:
    """One direction of a call. Not for several threads.

    ``end_silence_ms`` may be changed at any time: times and numbers are dictated with longer pauses.
    """

    OVER_NOISE_DB = 6.0
    QUIETEST_DB = -50.0
    ECHO_DB = 24.0
    """While the robot speaks, its echo comes back this much weaker at least; weaker sound is not the customer."""
    ONSET = (4, 7)
    """Voiced frames among the last ones that begin an utterance: 80 of 140 ms, so that "no" is heard."""
    ONSET_OVER_ROBOT = (8, 11)
    """The same while the robot speaks: interrupting it takes more."""
    RESUME_FRAMES = 3

    def __init__(self, *, end_silence_ms: int = 500, vad_mode: int = 2) -> None:
        self.end_silence_ms = end_silence_ms
        self.now_ms = 0
        """Stream time: how much was heard."""
        self.speaking = False
        """Whether an utterance is in progress, pauses included."""
        self.last_sound_ms = 0
        """When something audible, speech or tone, was heard last."""
        self._vad = webrtcvad.Vad(vad_mode)
        self._floor = _Floor()
        self._tones = ToneTracker()
        self._cadence = Cadence()
        self._robot: deque[float] = deque([-120.0], maxlen=15)
        self._voiced: deque[bool] = deque(maxlen=max(self.ONSET[1], self.ONSET_OVER_ROBOT[1]))
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL_MS // FRAME_MS + self.ONSET_OVER_ROBOT[1])
        self._utterance = bytearray()
        self._started_ms = self._ended_ms = self._voiced_ms = 0
        self._paused = False
        self._pending_beep: Tone | None = None
        self._key: str | None = None
        self._rest = b""

    def hear(self, pcm: bytes, *, sent: bytes = b"") -> list[EarEvent]:
        """Take what came (s16le, 8 kHz; usually one frame of 320 bytes) and tell what happened.

        ``sent``: what the robot said meanwhile, so that its echo is not taken for the customer.
        """
        self._robot.append(audio.rms_dbfs(audio.samples(sent)) if sent else -120.0)
        data = self._rest + pcm
        whole = len(data) - len(data) % FRAME_BYTES
        self._rest = data[whole:]
        events: list[EarEvent] = []
        for start in range(0, whole, FRAME_BYTES):
            events += self._frame(data[start : start + FRAME_BYTES])
        return events

    def reset(self) -> None:
        """Forget the utterance in progress; noise and tones stay known."""
        self.speaking = self._paused = False
        self._utterance.clear()
        self._voiced.clear()

    @property
    def silence_ms(self) -> int:
        """How long nothing audible was heard."""
        return self.now_ms - self.last_sound_ms

    def _frame(self, frame: bytes) -> list[EarEvent]:
        self.now_ms += FRAME_MS
        sound = audio.samples(frame)
        level_db = _voice_band_db(sound)
        if not self._tones.sounding:  # a long tone is not the line's noise
            self._floor.feed(level_db)
        active = level_db > max(self._floor.level_db + self.OVER_NOISE_DB, self.QUIETEST_DB)
        if active:
            self.last_sound_ms = self.now_ms
        voice = self._vad.is_speech(frame, SAMPLE_RATE_HZ)
        events = self._tone_events(self._tones.feed(sound, self.now_ms, active=active))
        voiced = active and voice and not self._tones.sounding and level_db > max(self._robot) - self.ECHO_DB
        if self._tones.key is not None and not self.speaking:
            self._voiced.clear()  # the first frames of a key press are not known for one yet
        self._voiced.append(voiced)
        return events + (self._speaking(frame, voiced) if self.speaking else self._idle(frame))

    def _idle(self, frame: bytes) -> list[EarEvent]:
        self._before.append(frame)
        needed, among = self.ONSET_OVER_ROBOT if max(self._robot) > self.QUIETEST_DB else self.ONSET
        latest = list(self._voiced)[-among:]
        if sum(latest) < needed:
            return []
        frames = len(latest) - latest.index(True)
        self.speaking, self._paused = True, False
        self._started_ms, self._ended_ms = self.now_ms - frames * FRAME_MS, self.now_ms
        self._voiced_ms = sum(latest) * FRAME_MS
        self._utterance[:] = b"".join(list(self._before)[-(frames + PRE_ROLL_MS // FRAME_MS) :])
        self._before.clear()
        return [SpeechStarted(at_ms=self._started_ms, audio=bytes(self._utterance))]

    def _speaking(self, frame: bytes, voiced: bool) -> list[EarEvent]:
        self._utterance += frame
        events: list[EarEvent] = []
        if voiced:
            self._voiced_ms += FRAME_MS
        if voiced and self._paused and sum(list(self._voiced)[-self.RESUME_FRAMES - 2 :]) >= self.RESUME_FRAMES:
            self._paused = False
            events.append(SpeechResumed(at_ms=self.now_ms))
        if voiced and not self._paused:
            self._ended_ms = self.now_ms
        silent_ms = self.now_ms - self._ended_ms
        if silent_ms >= PAUSE_MS and not self._paused:
            self._paused = True
            events.append(SpeechPaused(at_ms=self._ended_ms))
        if silent_ms >= self.end_silence_ms or self.now_ms - self._started_ms >= LONGEST_S * 1000:
            events.append(self._end())
        return events

    def _end(self) -> SpeechEnded:
        ended = SpeechEnded(
            started_ms=self._started_ms,
            ended_ms=self._ended_ms,
            voiced_ms=self._voiced_ms,
            audio=bytes(self._utterance),
        )
        self.reset()
        return ended

    def _tone_events(self, ended: Tone | None) -> list[EarEvent]:
        events: list[EarEvent] = []
        key = self._tones.key
        if key is not None and key != self._key:
            events.append(DtmfInband(digit=key, at_ms=self.now_ms))
        self._key = key
        if ended is not None:
            name = self._cadence.feed(ended)
            if name is not None:
                self._pending_beep = None
                events.append(CallTone(name=name, at_ms=ended.ended_ms))
            elif _is_beep(ended):
                self._pending_beep = ended
        beep = self._pending_beep
        # A special information tone begins like a beep: wait for what follows.
        if beep is not None and not self._tones.sounding and self.now_ms - beep.ended_ms >= 100:
            self._pending_beep = None
            events.append(Beep(at_ms=beep.ended_ms, duration_ms=beep.duration_ms, frequency_hz=beep.frequencies_hz[0]))
        return events


def _voice_band_db(frame: audio.Samples) -> float:
    """Loudness between 250 and 3400 Hz in dB below full scale: hum and rumble are no voice."""
    power = np.abs(np.fft.rfft(frame * _WINDOW)) ** 2
    return 10.0 * float(np.log10(max(float(power[5:69].sum()) * _WINDOW_SCALE, 1e-12)))


def _is_beep(tone: Tone) -> bool:
    """One tone of a beep's length; not the frequencies that many networks ring and refuse with."""
    return (
        len(tone.frequencies_hz) == 1
        and tone.spread_hz <= BEEP_SPREAD_HZ
        and BEEP_MS[0] <= tone.duration_ms <= BEEP_MS[1]
        and BEEP_HZ[0] <= tone.frequencies_hz[0] <= BEEP_HZ[1]
        and not same_frequencies(tone, (425.0,), within=8.0)
        and not same_frequencies(tone, (450.0,), within=8.0)
        and not (same_frequencies(tone, (FAX_CNG_HZ,), within=12.0) and tone.duration_ms in range(*FAX_CNG_MS))
    )
