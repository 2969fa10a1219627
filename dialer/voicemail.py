"""Leaving a message: waits for an answering machine's beep, and notices a human who was taken for one.

It judges by :mod:`dialer.machine` and leaves the words of the message to the conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from dialer.catches import Beeped, Caught, Keys, Quiet, Words
from dialer.hearing import Listener
from dialer.machine import MachineWatch
from dialer.story import Story

BEEP_SILENCE_S = 2.0
"""A machine this silent after its greeting records without a beep."""
BEEP_PATIENCE_S = 20.0


class HumanAfterAll(Exception):
    """What was taken for a machine answered as a human does."""

    def __init__(self, reply: Words | Keys) -> None:
        super().__init__("a human answered")
        self.reply = reply


class Voicemail:
    """The answering machine of one call, if there is one."""

    def __init__(
        self,
        listener: Listener,
        story: Story,
        *,
        intent_of: Callable[[Words], str | None],
        on_words: Callable[[Words, str | None], None],
    ) -> None:
        self._listener, self._story = listener, story
        self._intent_of, self._on_words = intent_of, on_words
        self._awaited = False
        self.watch = MachineWatch()
        self.spoken_over = False
        """Whether the beep came into the message, which then is to be said again."""

    def on_beep(self, *, leaving: bool, met_human: bool) -> bool:
        """A beep sounded; returns whether it is an input. ``leaving``: into the message that is being left."""
        if self._awaited:
            return True
        if leaving and self.watch.evidence != "beep":
            self.spoken_over = self.watch.beep(at_s=self._story.seconds)
            return False
        return not (self.watch.evidence or met_human) and self.watch.beep(at_s=self._story.seconds)

    async def wait_for_beep(self) -> None:
        """Wait for the beep, or for a machine that fell silent. Raises :class:`HumanAfterAll`."""
        self._awaited = self.watch.evidence != "beep"
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEEP_PATIENCE_S):
                    while self._awaited:
                        self._awaited = not self._is_sign(await self._listener.catch(BEEP_SILENCE_S))
        finally:
            self._awaited = False

    def _is_sign(self, caught: Caught | Quiet | None) -> bool:
        """Whether the message may begin now."""
        match caught:
            case Words():
                intent = self._intent_of(caught)
                if self.watch.revoked_by(intent, lasted_s=caught.lasted_s):
                    raise HumanAfterAll(caught)
                self._on_words(caught, intent)
                return False
            case Keys():
                self.watch.revoke()
                raise HumanAfterAll(caught)
            case Beeped():
                self.watch.beep(at_s=self._story.seconds)
        return True
