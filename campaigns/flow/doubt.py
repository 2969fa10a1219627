"""Words that were heard badly: other readings of the sound, and "did you say …?" before they decide anything.

It takes no answer itself; whatever is settled goes on through the engine.
"""

from __future__ import annotations

from dataclasses import replace

from campaigns.flow.inputs import Heard
from campaigns.flow.moves import Move
from campaigns.flow.turn import Turn
from campaigns.understanding.matcher import Match

UNSURE_BELOW = 0.2
"""Words heard less well than this are asked back before they answer a question."""
_NEVER_DOUBTED = {
    "opt_out",
    "cancel",
    "agent",
    "goodbye",
    "hold_on",
    "repeat",
    "greeting",
    "voicemail",
    "screening",
    "menu",
}
"""Taken however badly heard: what binds us errs on the customer's side, the rest costs nothing."""


def settled(turn: Turn, event: Heard) -> tuple[bool, Heard]:
    """Whether this answers "did you say …?", and the words to go on with: a yes makes them those asked about."""
    words = turn.state.unsure
    if not words:
        return False, event
    turn.change(unsure="")
    meant = {match.intent for match in turn.meanings({"yes", "no"})}
    if "yes" in meant and "no" not in meant:
        event = replace(event, text=words)
    elif meant == {"no"}:
        event = replace(event, text="")
    turn.event = event
    return True, event


def other_reading(turn: Turn, event: Heard) -> tuple[list[Match], Heard]:
    """The first other reading that means something, where the first means nothing; it may be a value, though."""
    for text in () if turn.step.takes_values else event.alternatives:
        turn.event = replace(event, text=text, confidence=0.0)
        if matches := turn.meanings(turn.step.expected()):
            turn.change(words=text)
            return matches, turn.event
    turn.event = event
    return [], event


def ask_back(turn: Turn, event: Heard, meant: set[str]) -> Move | None:
    """Ask "did you say …?" before badly heard words decide anything; ``None`` when there is no need."""
    state = turn.state
    certain = event.confidence >= UNSURE_BELOW or not meant or meant & _NEVER_DOUBTED
    if certain or state.ended or state.elsewhere or turn.step.takes_values:
        return None
    turn.understood(None)
    turn.change(unsure=event.text)
    turn.say_wording("unsure", {"heard": event.text.strip(" .,!?。，！？")})
    return turn.step.again(turn)
