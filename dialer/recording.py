"""Keeps a call's sound: a stereo file (left customer, right robot or agent), and what it says about timing.

It blocks, so it runs in a thread; on what terms a call may be recorded is in the request.
"""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass

from dialer.messages import DIVERGENCE_S, CallRequest, EventKind, Timings
from dialer.story import Story
from dialer.vault import Vault
from speech.audio import samples, write_wav
from speech.measure import measure_tape

log = logging.getLogger(__name__)

CONSENT = "recording_consent"
"""The variable in which a call flow keeps a customer's yes to being recorded."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Both directions of one call since the answer, sample-aligned, s16le mono at 8000 Hz."""

    received: bytes
    sent: bytes

    def timings(self, story: Story) -> Timings:
        """Measure from signal energy, beside what the program's own clock said."""
        measured = measure_tape(self.received, self.sent)
        return Timings(
            answer_to_audio_s=None if measured.answer_to_audio_s is None else float(measured.answer_to_audio_s),
            turn_gaps_s=tuple(float(gap) for gap in measured.turn_gaps_s),
            barge_in_stops_s=tuple(float(stop) for stop in measured.barge_in_stops_s),
            dead_air_s=float(measured.dead_air_s),
            duration_s=float(measured.duration_s),
            overlap_s=float(measured.overlap_s),
            owed_s=float(measured.owed_s),
            own_answer_to_audio_s=story.own_first_s,
            own_turn_gaps_s=tuple(story.own_gaps_s),
        )

    def keep(self, vault: Vault, name: str) -> str:
        """Keep the recording, whole or not at all; returns its file's name. Raises ``OSError``."""
        wav = io.BytesIO()
        write_wav(wav, samples(self.received), samples(self.sent))
        return vault.keep(_UNSAFE.sub("_", name), wav.getvalue())


def tell(story: Story, timings: Timings) -> None:
    """Tell what the customer heard, and where our own clock believed something else."""
    told = ("answer_to_audio_s", "turn_gaps_s", "barge_in_stops_s", "overlap_s", "owed_s", "divergence_s")
    story.tell(EventKind.MEASURED, **{name: getattr(timings, name) for name in told})
    if timings.divergence_s > DIVERGENCE_S:
        log.warning("the sound and our own clock disagree", extra={"divergence_s": timings.divergence_s})


def may_keep(request: CallRequest, story: Story) -> bool:
    """Whether the recording may be kept; of what is only measured, nothing remains."""
    agreed = story.variables.get(CONSENT) == "yes"
    return request.record and (agreed or not request.record_on_consent)
