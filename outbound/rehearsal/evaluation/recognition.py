"""How many replies are taken as they were meant, and how many words that mean nothing here are taken for something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from campaigns.understanding.matcher import understand
from campaigns.understanding.vocabulary import intent_names, sayings
from outbound.rehearsal.evaluation.clips import DIGITS, Clip
from speech.seams import Recognizer, Transcript

_EVERY_DIGIT = frozenset(f"digit:{digit}" for digit in range(10))


@dataclass(slots=True, kw_only=True)
class Score:
    """What one recogniser made of the clips of one language on one line."""

    replies: int = 0
    right: int = 0
    digits: int = 0
    digits_right: int = 0
    strange: int = 0
    """Out-of-domain clips."""
    false: int = 0
    """Of which were taken for something."""
    utterances: int = 0
    cpu_s: float = 0.0
    missed: list[str] = field(default_factory=list)
    """What was not taken as it was meant, with what was heard instead."""


def score(clips: Iterable[Clip], recognizer: Recognizer) -> dict[tuple[str, str], Score]:
    """Scores by language and condition of the groups ``replies``, ``digits`` and ``out_of_domain``."""
    scores: dict[tuple[str, str], Score] = {}
    for clip in clips:
        if clip.group in ("replies", "digits", "out_of_domain"):
            _count(scores.setdefault((clip.language, clip.condition), Score()), clip, recognizer)
    return scores


def hear(clip: Clip, recognizer: Recognizer) -> Transcript:
    """What the recogniser makes of a clip, biased as it is at a question."""
    phrases = sayings(clip.language, intent_names())
    digits = clip.group == "digits"
    hearing = recognizer.open(language=clip.language, phrases=DIGITS if digits else phrases, expects_digits=digits)
    hearing.feed(clip.sound.astype("<i2").tobytes())
    return hearing.result()


def meant_by(transcript: Transcript, language: str, expected: frozenset[str] = frozenset()) -> set[str]:
    """Intents of the first reading that has any, as a conversation takes them."""
    for text in (transcript.text, *transcript.alternatives):
        if found := {match.intent for match in understand(text, language, expected)}:
            return found
    return set()


def _count(into: Score, clip: Clip, recognizer: Recognizer) -> None:
    transcript = hear(clip, recognizer)
    into.utterances += 1
    into.cpu_s += transcript.cpu_s
    if clip.group == "digits":
        into.digits += 1
        wanted = f"digit:{DIGITS.index(clip.meant)}"
        into.digits_right += meant_by(transcript, clip.language, _EVERY_DIGIT) == {wanted}
        return
    found = meant_by(transcript, clip.language)
    if clip.group == "out_of_domain":
        into.strange += 1
        into.false += bool(found)
        right = not found
    else:
        into.replies += 1
        right = bool(found & clip.right)
        into.right += right
    if not right:
        into.missed.append(f"{clip.name} -> {transcript.text!r}: {', '.join(sorted(found)) or 'nothing'}")
