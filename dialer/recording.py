"""Keeps a call's sound: a stereo file (left customer, right robot or agent), and what it says about timing.

It blocks, so it runs in a thread; it never decides whether a call may be recorded.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from dialer.messages import Timings
from speech.audio import samples, write_wav
from speech.measure import measure_tape

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Both directions of one call since the answer, sample-aligned, s16le mono at 8000 Hz."""

    received: bytes
    sent: bytes

    def timings(self) -> Timings:
        """Measure from signal energy."""
        measured = measure_tape(self.received, self.sent)
        return Timings(
            answer_to_audio_s=None if measured.answer_to_audio_s is None else float(measured.answer_to_audio_s),
            turn_gaps_s=tuple(float(gap) for gap in measured.turn_gaps_s),
            barge_in_stops_s=tuple(float(stop) for stop in measured.barge_in_stops_s),
            dead_air_s=float(measured.dead_air_s),
            duration_s=float(measured.duration_s),
        )

    def keep(self, directory: Path, name: str) -> str:
        """Write the recording, whole or not at all and readable by us alone; returns its name. Raises ``OSError``."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{_UNSAFE.sub('_', name)}.wav"
        draft = path.with_suffix(".part")
        try:
            draft.touch(mode=0o600)
            write_wav(draft, samples(self.received), samples(self.sent))
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        return path.name
