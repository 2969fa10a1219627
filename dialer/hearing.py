"""The robot's ears on one call: frames and key presses in; utterances, digits and beeps out, in order.

It does not know what the words mean, and never speaks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

from campaigns.flow.effects import Listen
from campaigns.understanding.announcements import typical_announcements
from dialer.catches import Attention, Beeped, Caught, Keys, Quiet, Signalled, Words
from dialer.equipment import Equipment
from dialer.keypad import Keypad
from dialer.machine import NETWORK_WITHIN_S
from dialer.utterance import Utterance
from speech.listening import (
    Beep,
    CallTone,
    DtmfInband,
    EarEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from speech.seams import Transcript

log = logging.getLogger(__name__)

GLIMPSES_MS = frozenset({1000, 1500, 2000, 2500, 3000, 4000})
"""When the first words are looked at while they go on: a greeting is known long before its end."""
LATE_S = 1.2
"""An utterance that is not understood this long after its last sound keeps the customer waiting."""
ENDS_IT = frozenset({"busy", "reorder", "sit", "fax"})
"""Tones after which nobody speaks; ringback may still be answered."""
LOST_AUDIO_S = 5.0
"""An utterance or its decoding that shows no sign of life for this long is given up."""


class Listener:
    """Listens on one leg; give :meth:`frame` to ``Leg.on_audio`` and :meth:`press` the leg's digits."""

    def __init__(
        self,
        equipment: Equipment,
        language: str,
        attention: Attention,
        *,
        robot_says: Callable[[], bytes] = bytes,
        on_partial: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._equipment, self.language = equipment, language
        self._attention, self._robot_says, self._on_partial = attention, robot_says, on_partial
        self._ear = equipment.ear()
        self._keypad = Keypad()
        self._expected = Listen()
        self._utterance: Utterance | None = None
        self._decoding: set[asyncio.Task[None]] = set()
        self._inputs: deque[Caught] = deque()
        self._changed = asyncio.Event()
        self._last_frame_s = 0.0
        self.closed = False
        self.deaf = False
        """Whether somebody else talks with the customer, see :meth:`deafen`."""

    @property
    def waiting(self) -> bool:
        """Whether something was already said or pressed that nobody took."""
        return bool(self._inputs or self._keypad.pressed)

    def expect(self, listen: Listen) -> None:
        """What the customer may say or press from now on."""
        self._expected = listen
        self._ear.end_silence_ms = listen.end_silence_ms

    def forget(self, *, but: Callable[[Words | Keys], bool] = lambda caught: False) -> None:
        """Drop what was said or pressed and not taken, ``but`` for what that holds on to."""
        self._inputs = deque(one for one in self._inputs if not isinstance(one, Beeped | Signalled) and but(one))
        now = self._equipment.now()
        if not any(but(Keys(digits=key, at=now)) for key in self._keypad.pressed):
            self._keypad.clear()

    def deafen(self, deaf: bool) -> None:
        """Hear nothing for now, or hear again."""
        self.deaf = deaf
        self._drop_utterance()
        self._ear.reset()
        self.forget()

    def close(self) -> None:
        """Hear no more; :meth:`catch` still gives what was said or pressed until now, then ``None``."""
        if self._utterance is not None and not self.closed:
            self._end(self._utterance, started_ms=self._utterance.started_ms, ended_ms=self._ear.now_ms)
        self.closed = True
        self._changed.set()

    def stop(self) -> None:
        """Hear and understand no more."""
        self.closed = True
        self._drop_utterance()
        for task in self._decoding:
            task.cancel()
        self._changed.set()

    def frame(self, pcm: bytes) -> None:
        """Hear one frame of 20 ms."""
        if self.closed or self.deaf:
            return
        self._last_frame_s = asyncio.get_running_loop().time()
        utterance = self._utterance
        for event in self._ear.hear(pcm, sent=self._robot_says()):
            self._take(event)
        if utterance is not None and utterance is self._utterance:  # its first frames came with SpeechStarted
            utterance.feed(pcm)
        if self._utterance is not None and not self._utterance.paused:
            self._notice(self._utterance)

    def _notice(self, utterance: Utterance) -> None:
        """Tell that it goes on, and look at what is said so far where that may be a machine's greeting."""
        started_s, spoken_ms = self._at_s(utterance.started_ms), self._ear.now_ms - utterance.started_ms
        self._attention.on_speaking(started_s=started_s, spoken_ms=spoken_ms)
        if utterance is self._utterance and spoken_ms in GLIMPSES_MS and self._attention.wants_glimpse(started_s):
            utterance.glimpse(lambda transcript: self._glimpsed(utterance, transcript))

    def _glimpsed(self, utterance: Utterance, transcript: Transcript) -> None:
        """Whoever speaks like this goes on for long: what was said is enough, and what follows is another utterance."""
        if utterance is not self._utterance or self.closed:
            return
        words = self._words(transcript, utterance.started_ms, self._ear.now_ms, self._equipment.now())
        if self._attention.is_enough(words):
            self._utterance = None
            utterance.drop()
            self._ear.reset()
            self._keep(words)

    def press(self, digit: str, method: str = "rfc4733") -> None:
        """Take one key press."""
        if self.closed or self.deaf or not self._keypad.press(digit, method):
            return
        self._attention.on_key()
        self._changed.set()

    async def catch(self, timeout_s: float) -> Caught | Quiet | None:
        """Wait for the next input; ``timeout_s`` is the silence before anything begins. ``None`` once all is closed."""
        now = asyncio.get_running_loop().time
        deadline = now() + timeout_s
        while True:
            if self._inputs:
                return self._inputs.popleft()
            keys = self._entered()
            if keys:
                return Keys(digits=keys, at=self._equipment.now())
            if self.closed and not self._decoding:
                return None
            until = self._patience(deadline)
            if until <= now():
                self._drop_utterance()
                return Quiet()
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    def _entered(self) -> str:
        """Digits that are complete; once closed no more can follow."""
        wanted = self._expected.max_digits
        return self._keypad.entered(min(wanted, len(self._keypad.pressed)) if self.closed else wanted)

    def _patience(self, deadline: float) -> float:
        """Until when to wait: what has begun may end, as long as audio comes."""
        if self._keypad.pressed:
            return self._keypad.until
        if self._utterance is None and not self._decoding:
            return deadline
        return max(deadline, self._last_frame_s + LOST_AUDIO_S)

    def _take(self, event: EarEvent) -> None:
        match event:
            case SpeechStarted():
                self._begin(event)
            case SpeechPaused() if self._utterance is not None:
                utterance = self._utterance
                utterance.pause(lambda transcript: self._read_early(utterance, transcript))
            case SpeechResumed() if self._utterance is not None:
                self._utterance.resume()
                self._ear.end_silence_ms = self._expected.end_silence_ms
            case SpeechEnded() if self._utterance is not None:
                self._end(self._utterance, started_ms=event.started_ms, ended_ms=event.ended_ms)
            case Beep():
                self._keep(Beeped())
            case CallTone(name=name) if name in ENDS_IT:
                self._keep(Signalled(name=name))
            case DtmfInband(digit=digit):
                self.press(digit, "inband")
            case _:
                pass

    def _begin(self, event: SpeechStarted) -> None:
        self._drop_utterance()
        said_instead = typical_announcements(self.language) if self._ear.now_ms < NETWORK_WITHIN_S * 1000 else ()
        understanding = self._equipment.recognition.hear(
            self.language,
            (*self._expected.phrases, *said_instead),
            expects_digits=self._expected.max_digits > 1,
            on_partial=self._on_partial,
        )
        understanding.feed(event.audio)
        patience_s = self._equipment.decode_deadline_s
        self._utterance = Utterance(understanding, started_ms=event.at_ms, patience_s=patience_s)
        self._changed.set()

    def _end(self, utterance: Utterance, *, started_ms: int, ended_ms: int) -> None:
        self._utterance = None
        self._ear.end_silence_ms = self._expected.end_silence_ms
        task = asyncio.create_task(self._understand(utterance, started_ms, ended_ms, self._equipment.now()))
        self._decoding.add(task)
        task.add_done_callback(self._decoded)

    async def _understand(self, utterance: Utterance, started_ms: int, ended_ms: int, at: datetime) -> None:
        spent_s = (self._ear.now_ms - ended_ms) / 1000
        late = asyncio.get_running_loop().call_later(max(0.0, LATE_S - spent_s), self._attention.on_late)
        try:
            transcript = await utterance.result()
        finally:
            late.cancel()
        if transcript.text or not self._more_comes():
            self._keep(self._words(transcript, started_ms, ended_ms, at))

    def _more_comes(self) -> bool:
        """Whether what was said since speaks for words that nobody could make out."""
        return self._utterance is not None or len(self._decoding) > 1 or bool(self._inputs)

    def _read_early(self, utterance: Utterance, transcript: Transcript) -> None:
        """What was said so far is known while it is not yet certain to be all: wait accordingly."""
        if utterance is self._utterance and utterance.paused:
            words = self._words(transcript, utterance.started_ms, self._ear.now_ms, self._equipment.now())
            self._ear.end_silence_ms = self._attention.patience_ms(words, self._expected, self.language)

    def _words(self, transcript: Transcript, started_ms: int, ended_ms: int, at: datetime) -> Words:
        return Words(
            text=transcript.text,
            alternatives=transcript.alternatives,
            confidence=transcript.confidence,
            engine=transcript.engine,
            started_s=self._at_s(started_ms),
            lasted_s=(ended_ms - started_ms) / 1000,
            at=at,
        )

    def _decoded(self, task: asyncio.Task[None]) -> None:
        self._decoding.discard(task)
        self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("listening failed", exc_info=task.exception())

    def _keep(self, caught: Words | Beeped | Signalled) -> None:
        if self._attention.on_caught(caught):
            self._inputs.append(caught)
            self._changed.set()

    def _at_s(self, stream_ms: int) -> float:
        """An instant of the stream on the loop's clock."""
        return asyncio.get_running_loop().time() - (self._ear.now_ms - stream_ms) / 1000

    def _drop_utterance(self) -> None:
        if self._utterance is not None:
            self._utterance.drop()
            self._utterance = None
