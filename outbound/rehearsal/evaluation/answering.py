"""Who answered: people, machines and networks, judged from sound as a call judges them, with the time it takes.

The ear, the recogniser, the flow and the rules are the product's; only the call around them is left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from campaigns.flow.document import Context, parse_flow
from campaigns.flow.effects import Understood
from campaigns.flow.engine import advance, start
from campaigns.flow.inputs import Heard
from campaigns.understanding.announcements import announced, readings, typical_announcements
from campaigns.understanding.vocabulary import intent_names, sayings
from dialer.hearing import GLIMPSES_MS
from dialer.machine import MachineWatch, is_enough
from outbound.rehearsal.evaluation.clips import Clip
from speech.listening import Ear, SpeechEnded, SpeechStarted
from speech.seams import FRAME_BYTES, Hearing, Recognizer, Transcript

PERSON, MACHINE = "person", "machine"
WITHIN_S = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_FLOW = parse_flow(
    {
        "name": "evaluated",
        "title": "Evaluated",
        "languages": ["en", "zh"],
        "variables": {"business": {"per": "campaign"}},
        "voicemail": "hangup",
        "steps": {
            "hello": {
                "type": "identify",
                "say": {"en": "Robot of {{business}}.", "zh": "{{business}}的机器人。"},
                "then": "q",
            },
            "q": {
                "type": "ask",
                "say": {"en": "Yes?", "zh": "好吗？"},
                "answers": {"yes": {"key": 1, "then": "bye"}, "no": {"key": 2, "then": "bye"}},
                "otherwise": "bye",
            },
            "bye": {"type": "hangup"},
            "later": {"type": "book"},
            "never": {"type": "opt_out"},
        },
    },
    source="evaluated",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Who speaks, and when that was known."""

    who: str
    """``person``, ``machine``, or what a network announces."""
    at_s: float
    """From the first sound, decoding included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A clip and what was made of it."""

    clip: Clip
    verdict: Verdict

    @property
    def is_machine(self) -> bool:
        """Whether it was taken for something that is no person."""
        return self.verdict.who != PERSON

    @property
    def right(self) -> bool:
        """Whether it was taken for what it is."""
        wanted = {"people": PERSON, "machines": MACHINE}.get(self.clip.group, self.clip.meant)
        return self.verdict.who == wanted


def judge(clips: Iterable[Clip], recognizer: Recognizer) -> list[Judged]:
    """Judge the clips of the groups ``people``, ``machines`` and ``networks``."""
    chosen = [clip for clip in clips if clip.group in ("people", "machines", "networks")]
    return [Judged(clip=clip, verdict=_verdict(clip, recognizer)) for clip in chosen]


def known_within(judged: Sequence[Judged], seconds: float) -> float:
    """Share (0..1) of machines and networks that were known for no person within ``seconds``: recall at that time."""
    machines = [one for one in judged if one.clip.group != "people"]
    return sum(one.is_machine and one.verdict.at_s <= seconds for one in machines) / max(len(machines), 1)


def _verdict(clip: Clip, recognizer: Recognizer) -> Verdict:
    phrases = (*sayings(clip.language, intent_names()), *typical_announcements(clip.language))
    ear, pcm = Ear(), clip.sound.astype("<i2").tobytes()
    hearing: Hearing | None = None
    started_ms = first_ms = 0
    for at in range(0, len(pcm), FRAME_BYTES):
        frame = pcm[at : at + FRAME_BYTES]
        ended: SpeechEnded | None = None
        before = hearing
        for event in ear.hear(frame):
            if isinstance(event, SpeechStarted):
                hearing, started_ms = recognizer.open(language=clip.language, phrases=phrases), event.at_ms
                first_ms = first_ms or started_ms
                hearing.feed(event.audio)
            elif isinstance(event, SpeechEnded):
                ended = event
        lasted_ms = (ended.ended_ms if ended else ear.now_ms) - started_ms
        if hearing is not None and (ended or lasted_ms in GLIMPSES_MS):
            found = _read(hearing, clip.language, started_ms - first_ms, lasted_ms, ended=ended is not None)
            if found:
                return Verdict(who=found[0], at_s=(ear.now_ms - first_ms) / 1000 + found[1])
            hearing = None if ended else hearing
        if hearing is not None and hearing is before:  # its first frames came with its beginning
            hearing.feed(frame)
    return Verdict(who=PERSON, at_s=(ear.now_ms - first_ms) / 1000)


def _read(hearing: Hearing, language: str, begun_ms: int, lasted_ms: int, *, ended: bool) -> tuple[str, float] | None:
    """Who speaks, if no person, and how long decoding took."""
    began = time.process_time()
    transcript = hearing.result()
    text, took_s = transcript.text, time.process_time() - began
    intent = _intent(transcript, language)
    for reading in readings(text, transcript.alternatives if ended else ()):
        if kind := announced(reading, answered=True):
            return kind.value, took_s
    if not ended:
        return (MACHINE, took_s) if is_enough(text, intent) else None
    watch = MachineWatch()
    shown = watch.words(intent, started_s=begun_ms / 1000, lasted_s=lasted_ms / 1000)
    return (MACHINE, took_s) if shown else None


def _intent(transcript: Transcript, language: str) -> str | None:
    context = Context(
        variables={"business": "Northwind"}, language=language, now=datetime(2026, 11, 24, 15, tzinfo=UTC), zone="UTC"
    )
    state, _ = start(_FLOW, context)
    effects = advance(_FLOW, state, Heard(text=transcript.text, alternatives=transcript.alternatives))[1]
    return next((effect.intent for effect in effects if isinstance(effect, Understood)), None)
