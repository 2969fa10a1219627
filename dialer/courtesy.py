"""When the robot yields: who may cut in on it, after how much speech, and what is no interruption at all.

It stops the speaker and nothing else; what was said goes to the conversation through the listener.
"""

from __future__ import annotations

from collections.abc import Callable

from campaigns.flow.effects import Say
from dialer.hearing import Beeped, Words
from dialer.speaking import Speaker

CUT_AFTER_MS = 200
"""Speech that lasts this long stops the robot."""
GREETING_WITHIN_S = 1.2
"""Who answers says "hello?" into our first words; speech that begins this soon after the answer is a greeting."""
GREETING_CUT_AFTER_MS = 1000
"""A greeting stops the robot only when it goes on."""
GREETINGS: frozenset[str | None] = frozenset({None, "greeting", "yes"})
"""What the first words of a call may mean and still answer nothing: nobody says yes to what was not asked yet."""


class Courtesy:
    """The conversation's :class:`dialer.hearing.Attention`; times are on the loop's clock."""

    def __init__(
        self,
        speaker: Speaker,
        *,
        intent_of: Callable[[Words], str | None],
        is_opt_out: Callable[[Words], bool],
        on_greeting: Callable[[Words], None],
        on_beep: Callable[[], bool],
    ) -> None:
        self._speaker = speaker
        self._intent_of, self._is_opt_out = intent_of, is_opt_out
        self._on_greeting, self._on_beep = on_greeting, on_beep
        self.answered_s: float | None = None
        self.saying: Say | None = None
        """What the robot is saying now, pauses between its sentences included."""
        self.interrupted = False
        """Whether the customer cut in since the flow spoke last."""

    def on_speaking(self, *, started_s: float, spoken_ms: int) -> None:
        """Stop for real speech; for a greeting only when it goes on."""
        if self.interrupted or self.saying is None or not self._may_stop(self.saying):
            return
        if spoken_ms < (GREETING_CUT_AFTER_MS if self._is_greeting(started_s) else CUT_AFTER_MS):
            return
        self.interrupt()

    def on_key(self) -> None:
        """A key stops the robot at once."""
        if self.saying is not None and self._may_stop(self.saying):
            self.interrupt()

    def on_caught(self, caught: Words | Beeped) -> bool:
        """Keep what counts; while the robot speaks, what nobody could make out does not."""
        if isinstance(caught, Beeped):
            return self._beeped()
        if self.saying is None or self.interrupted:
            return True
        if not caught.text:
            return False
        if self.saying.after_beep:
            return self._stopped_by(caught)
        if self._is_greeting(caught.started_s) and self._intent_of(caught) in GREETINGS:
            self._on_greeting(caught)
            return False
        if self.saying.barge_in:
            self.interrupt()
        return True

    def _stopped_by(self, words: Words) -> bool:
        """Whether words ended a message for a machine: nothing but an opt-out does, for then it is no machine."""
        if not self._is_opt_out(words):
            return False
        self.interrupt()
        return True

    def interrupt(self) -> None:
        """Yield now."""
        self.interrupted = True
        self._speaker.stop()

    def _beeped(self) -> bool:
        if not self._on_beep():
            return False
        if self.saying is not None:
            self.interrupt()
        return True

    def _may_stop(self, say: Say) -> bool:
        return say.barge_in and not say.after_beep

    def _is_greeting(self, started_s: float) -> bool:
        return self.answered_s is not None and started_s - self.answered_s <= GREETING_WITHIN_S
