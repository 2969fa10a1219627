"""Asking and asking again: what ask, book and collect have in common.

It does not know what an answer means.
"""

from __future__ import annotations

from campaigns.flow.effects import Understood
from campaigns.flow.inputs import Digits, Heard, Silence
from campaigns.flow.moves import Move, Next
from campaigns.flow.prompt import Prompt
from campaigns.flow.turn import Turn


def unanswered(
    turn: Turn, *, limit: int, question: Prompt, no_input: Prompt | None, no_match: Prompt | None, otherwise: str
) -> Move:
    """Ask again after silence or words that mean nothing here, at most ``limit`` times; then go ``otherwise``."""
    silent = isinstance(turn.event, Silence)
    counted = turn.state.no_inputs + turn.state.no_matches
    if isinstance(turn.event, Heard | Digits) and not any(isinstance(e, Understood) for e in turn.effects):
        turn.understood(None)
    if counted >= limit:
        return Next(step=otherwise)
    if silent:
        turn.change(no_inputs=turn.state.no_inputs + 1)
    else:
        turn.change(no_matches=turn.state.no_matches + 1)
    own = no_input if silent else no_match
    if own is not None:
        turn.say(own)
    else:
        turn.say_wording("no_input" if silent else "no_match")
        turn.say(question)
    return turn.step.again(turn)
