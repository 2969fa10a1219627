"""When the robot yields: who may cut in on it, after how much speech, and what is no interruption at all.

It stops the speaker and nothing else; what was said goes to the conversation through the listener.
"""

from __future__ import annotations

from collections.abc import Callable

from campaigns.flow.effects import Listen, Say
from campaigns.understanding.backchannels import is_backchannel
from campaigns.understanding.endings import goes_on
from dialer.catches import Beeped, Signalled, Words
from dialer.machine import GREETING_STARTS_WITHIN_S, is_enough
from dialer.speaking import Speaker

CUT_AFTER_MS = 160
"""Speech that lasts this long silences the robot."""
GONE_ON_MS = 900
"""Speech that lasts this long is no mere "mm-hm": the robot does not go on."""
GREETING_WITHIN_S = 1.2
"""Who answers says "hello?" into our first words; speech that begins this soon after the answer is a greeting."""
GREETING_CUT_AFTER_MS = 1000
"""A greeting stops the robot only when it goes on."""
COMPLETE_MS = 300
"""Silence that ends a plain answer which is already understood."""
UNFINISHED_MS = 900
"""Silence that ends a sentence which asks for another word."""
USUAL_MS = Listen().end_silence_ms
HEARD_WELL = 0.4
"""Confidence from which an answer counts as understood before its end is certain."""
GREETINGS: frozenset[str | None] = frozenset({None, "greeting", "yes"})
"""What the first words of a call may mean and still answer nothing: nobody says yes to what was not asked yet."""
GREETING_ONLY: frozenset[str | None] = frozenset({None, "greeting"})
"""What is no complete answer."""


class Courtesy:
    """The conversation's :class:`dialer.catches.Attention`; times are on the loop's clock."""

    def __init__(
        self,
        speaker: Speaker,
        *,
        intent_of: Callable[[Words], str | None],
        is_opt_out: Callable[[Words], bool],
        language: Callable[[], str],
        on_aside: Callable[[Words, str | None], None],
        on_beep: Callable[[], bool],
        met_human: Callable[[], bool],
    ) -> None:
        self._speaker = speaker
        self._intent_of, self._is_opt_out = intent_of, is_opt_out
        self._language, self._on_aside, self._on_beep, self._met_human = language, on_aside, on_beep, met_human
        self.answered_s: float | None = None
        self.saying: Say | None = None
        """What the robot is saying now, pauses between its sentences included."""
        self.interrupted = False
        """Whether the customer cut in since the flow spoke last."""

    def on_speaking(self, *, started_s: float, spoken_ms: int) -> None:
        """Hold for real speech, and stop when it goes on; for a greeting only when it goes on."""
        if self.interrupted or self.saying is None or not self._may_stop(self.saying):
            return
        if self._is_greeting(started_s):
            if spoken_ms >= GREETING_CUT_AFTER_MS:
                self.interrupt()
        elif spoken_ms >= GONE_ON_MS:
            self.interrupt()
        elif spoken_ms >= CUT_AFTER_MS:
            self._speaker.hold()

    def on_key(self) -> None:
        """A key stops the robot at once."""
        if self.saying is not None and self._may_stop(self.saying):
            self.interrupt()

    def patience_ms(self, words: Words, listen: Listen, language: str) -> int:
        """Less for a plain answer that is complete, more for a sentence that is not; as asked for everything else.

        What is dictated (numbers, times) may go on after any pause.
        """
        if goes_on(words.text, language):
            return max(UNFINISHED_MS, listen.end_silence_ms)
        dictated = listen.max_digits > 1 or listen.end_silence_ms > USUAL_MS
        if dictated or words.confidence < HEARD_WELL or self._intent_of(words) in GREETING_ONLY:
            return listen.end_silence_ms
        return min(COMPLETE_MS, listen.end_silence_ms)

    def wants_glimpse(self, started_s: float) -> bool:
        """Only at the beginning, before a person answered anything."""
        early = self.answered_s is not None and started_s - self.answered_s <= GREETING_STARTS_WITHIN_S
        return early and not self._met_human()

    def is_enough(self, words: Words) -> bool:
        """Whether they are those of a machine, a menu or the network."""
        return is_enough(words.text, self._intent_of(words))

    def on_late(self) -> None:
        """The customer waits for us to understand: say so, rather than nothing."""
        if self.saying is None:
            self._speaker.fill(self._language())

    def on_caught(self, caught: Words | Beeped | Signalled) -> bool:
        """Keep what counts; while the robot speaks, what nobody could make out does not."""
        if isinstance(caught, Beeped):
            return self._beeped()
        if isinstance(caught, Signalled):
            self.interrupt()
            return True
        if self.saying is None or self.interrupted:
            return True
        if not caught.text:
            return self._go_on()
        if self.saying.after_beep:
            return self._stopped_by(caught)
        if self._is_greeting(caught.started_s) and self._intent_of(caught) in GREETINGS:
            self._on_aside(caught, self._intent_of(caught))
            return self._go_on()
        if self._is_murmur(caught):
            self._on_aside(caught, None)
            return self._go_on()
        if self.saying.barge_in:
            self.interrupt()
        return True

    def _is_murmur(self, words: Words) -> bool:
        """Whether they only say "I am listening": such words, begun before anything was asked."""
        asked_s = self._speaker.asked_s
        return (asked_s is None or words.started_s < asked_s) and is_backchannel(words.text, self._language())

    def _go_on(self) -> bool:
        """It was no interruption: go on if we held; it is no input either."""
        self._speaker.resume()
        return False

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
