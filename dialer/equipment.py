"""What calls are run with: engine, ears, voice, journal and disk, built once per line process.

It is wiring only; nothing here runs a call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from dialer.journal import Journal
from dialer.legs import Engine
from dialer.speaking import Voice
from dialer.vault import Vault
from speech.listening import Ear
from speech.seams import Transcript


class Understanding(Protocol):
    """One utterance being recognised elsewhere; :class:`speech.client.RemoteHearing` is one."""

    def feed(self, pcm: bytes) -> None:
        """Take more audio; never waits and never fails."""

    async def result(self, deadline_s: float = ...) -> Transcript:
        """Understand what was fed so far; may be asked early and again. Raises :class:`speech.seams.SpeechError`."""

    def close(self) -> None:
        """No more will be asked; idempotent."""


class Recognition(Protocol):
    """Where utterances are understood; :class:`speech.client.RecognizerClient` is one."""

    def hear(
        self,
        language: str,
        phrases: tuple[str, ...] = (),
        *,
        expects_digits: bool = False,
        on_partial: Callable[[str], None] | None = None,
    ) -> Understanding:
        """Begin an utterance; a failure shows in its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Everything a call needs besides its request."""

    engine: Engine
    recognition: Recognition
    voice: Voice
    journal: Journal
    recordings: Vault
    """Where the stereo recordings are kept."""
    ear: Callable[[], Ear] = Ear
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    decode_deadline_s: float = 2.5
    """How long after the end of an utterance its words are waited for; then it counts as not understood."""
