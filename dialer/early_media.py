"""What the network plays before the answer (RFC 3960): announcements and tones that say it will not connect the call.

Ringback and music are let pass; it only listens, and says what it heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from campaigns.understanding.announcements import Announcement, announced, readings, typical_announcements
from dialer.equipment import Equipment
from dialer.utterance import Utterance
from speech.listening import CallTone, EarEvent, SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from speech.seams import Transcript

TONES = {"busy": Announcement.BUSY, "reorder": Announcement.CONGESTION}
AFTER_SIT_S = 8.0
"""After a special information tone the words that explain it are waited for so long."""
MOST_UTTERANCES = 6
"""Somebody who sings instead of a bell is not listened to for ever."""


class EarlyMedia:
    """Listens to one leg until it is answered; ``on_announced`` is told once."""

    def __init__(self, equipment: Equipment, language: str, *, on_announced: Callable[[Announcement], None]) -> None:
        self._equipment, self._language, self._on_announced = equipment, language, on_announced
        self._ear = equipment.ear()
        self._utterance: Utterance | None = None
        self._heard = 0
        self._over = False
        self._decoding: set[asyncio.Task[None]] = set()
        self._sit: asyncio.TimerHandle | None = None

    def frame(self, pcm: bytes) -> None:
        """Hear one frame of 20 ms."""
        if self._over:
            return
        utterance = self._utterance
        for event in self._ear.hear(pcm):
            self._take(event)
        if utterance is not None and utterance is self._utterance:
            utterance.feed(pcm)

    def stop(self) -> None:
        """Hear no more: it was answered, or is over."""
        self._over = True
        if self._sit is not None:
            self._sit.cancel()
        if self._utterance is not None:
            self._utterance.drop()
            self._utterance = None
        for task in self._decoding:
            task.cancel()

    def _take(self, event: EarEvent) -> None:
        match event:
            case CallTone(name="sit") if self._sit is None:
                tell = Announcement.UNREACHABLE
                self._sit = asyncio.get_running_loop().call_later(AFTER_SIT_S, self._tell, tell)
            case CallTone(name=name) if name in TONES:
                self._tell(TONES[name])
            case SpeechStarted() if self._heard < MOST_UTTERANCES:
                self._begin(event)
            case SpeechPaused() if self._utterance is not None:
                self._utterance.pause(self._read)
            case SpeechResumed() if self._utterance is not None:
                self._utterance.resume()
            case SpeechEnded() if self._utterance is not None:
                task = asyncio.create_task(self._understand(self._utterance))
                self._utterance = None
                self._decoding.add(task)
                task.add_done_callback(self._decoding.discard)
            case _:
                pass

    def _begin(self, event: SpeechStarted) -> None:
        self._heard += 1
        if self._utterance is not None:
            self._utterance.drop()
        understanding = self._equipment.recognition.hear(self._language, typical_announcements(self._language))
        understanding.feed(event.audio)
        patience_s = self._equipment.decode_deadline_s
        self._utterance = Utterance(understanding, started_ms=event.at_ms, patience_s=patience_s)

    async def _understand(self, utterance: Utterance) -> None:
        self._read(await utterance.result())  # empty where nobody hears this language here

    def _read(self, transcript: Transcript) -> None:
        kinds = (announced(text) for text in readings(transcript.text, transcript.alternatives))
        if kind := next(filter(None, kinds), None):
            self._tell(kind)

    def _tell(self, kind: Announcement) -> None:
        if not self._over:
            self.stop()
            self._on_announced(kind)
