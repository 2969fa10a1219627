"""What a customer may say or press at any step without the flow's author repeating it.

It takes only what is asked for everywhere; answers belong to the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as Collection

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Listen
from campaigns.flow.moves import End, Move, Next, Wait
from campaigns.flow.turn import Turn
from campaigns.understanding.matcher import Match
from campaigns.understanding.questions import asked

HOLD_ON_S = 20.0
MUSIC_S = 3.0
"""Sound without words that lasts so long is no answer: hold music, a television. Whoever comes back is waited for."""
_FIRST = (
    "opt_out",
    "wrong_person",
    "agent",
    "cancel",
    "speak_zh",
    "speak_en",
    "call_later",
    "busy_now",
    "are_you_a_robot",
    "who_is_this",
)
"""Taken before the step's own answers, the most binding first ("no, and stop calling me" is an opt-out)."""
_YIELDING = frozenset({"call_later", "busy_now"})
"""Of these, what yields to a step that listens for the very words: "another day" where a day is being changed."""
_LAST = ("refuse_offer", "already_done", "repeat", "slower", "hold_on", "greeting", "goodbye")
"""Taken when the step made nothing of the words."""


def first(turn: Turn, matches: Sequence[Match]) -> Move | None:
    """Take what comes before any answer."""
    own = (turn.step.expected() - {"opt_out"}) | (turn.step.claimed(turn, matches) & _YIELDING)
    return _take(turn, matches, [name for name in _FIRST if name not in own])


def last(turn: Turn, matches: Sequence[Match]) -> Move | None:
    """Take what is left when the step has no answer for it."""
    return _take(turn, matches, _LAST)


def question(turn: Turn, meant: Collection[str]) -> Move | None:
    """Answer a question of the flow's FAQ and put our own again, unless the words answer that."""
    step, language = turn.step, turn.state.language
    if not turn.flow.faq or step.takes_values or meant & step.expected() or step.takes(turn):
        return None
    name = asked(turn.text, language, {name: one.ask.get(language, ()) for name, one in turn.flow.faq.items()})
    if name is None:
        return None
    turn.understood(f"faq:{name}")
    turn.say(turn.flow.faq[name].say)
    return _ask_again(turn)


def leave(turn: Turn, matches: Sequence[Match]) -> Move | None:
    """Take a goodbye."""
    return _take(turn, matches, ("goodbye",))


def pressed(turn: Turn, key: str) -> Move | None:
    """Take a key that works at any time."""
    name = turn.flow.keys.taken().get(key)
    if name is None:
        return None
    turn.understood(f"digit:{key}" if name == "language" else name)
    return next_language(turn) if name == "language" else _TAKERS[name](turn)


def opt_out(turn: Turn) -> Move:
    """Never call again, about anything: the opt_out step records it and says so."""
    name = turn.flow.anytime.get("opt_out", "")
    return Next(step=name) if getattr(turn.flow.steps.get(name), "scope", "") == "all" else _opted_out(turn)


def _opted_out(turn: Turn) -> Move:
    """A flow without an opt_out step for everything (the lint refuses it) still honours an opt-out."""
    from campaigns.flow.steps.opt_out import OptOut  # steps build on the turn

    return OptOut(name=turn.state.step).enter(turn)


def agent(turn: Turn) -> Move:
    """A person: the handoff step, else a callback by one."""
    if turn.state.transferring:
        return turn.step.again(turn)
    if "agent" in turn.flow.anytime:
        return Next(step=turn.flow.anytime["agent"])
    turn.say_wording("no_agent")
    return call_later(turn)


def call_later(turn: Turn) -> Move:
    """Another time: the book step, else the wish is noted for a human."""
    turn.change(wish=turn.state.words)
    if "call_later" in turn.flow.anytime:
        return Next(step=turn.flow.anytime["call_later"])
    turn.say_wording("book_noted")
    return End()


def next_language(turn: Turn) -> Move:
    """The flow's next language."""
    tags = turn.flow.languages
    return _speak(turn, tags[(tags.index(turn.state.language) + 1) % len(tags)])


def _speak(turn: Turn, language: str) -> Move:
    if language == turn.state.language or language not in turn.flow.languages:
        return _ask_again(turn)
    turn.change(language=language)
    turn.say_wording("who")
    return Next(step=turn.state.step)


def _wrong_person(turn: Turn) -> Move:
    turn.say_wording("wrong_person")
    return End(disposition=Disposition.WRONG_PERSON)


def _who(turn: Turn) -> Move:
    turn.say_wording("who")
    return _ask_again(turn)


def _robot(turn: Turn) -> Move:
    turn.say_wording("robot")
    return _ask_again(turn)


def _ask_again(turn: Turn) -> Move:
    for text in turn.state.question[-1:]:
        turn.speak(text)
    return turn.step.again(turn)


def _repeat(turn: Turn) -> Move:
    for text in turn.state.question:
        turn.speak(text)
    return turn.step.again(turn)


def _slower(turn: Turn) -> Move:
    """Say it again, and everything after it, more slowly."""
    turn.change(slow=True)
    return _repeat(turn)


def _greeting(turn: Turn) -> Move:
    """ "Hello?" after the first words means that they were not heard; later it means "are you there"."""
    if turn.state.turns:
        return _ask_again(turn)
    for text in turn.state.batch:
        turn.speak(text)
    return turn.step.again(turn)


def _hold_on(turn: Turn) -> Move:
    turn.say_wording("hold_on")
    move = turn.step.again(turn)
    if not isinstance(move, Wait):
        return move
    old = move.listen
    listen = Listen(
        timeout_s=HOLD_ON_S, end_silence_ms=old.end_silence_ms, phrases=old.phrases, max_digits=old.max_digits
    )
    return Wait(listen=listen)


def _refused(turn: Turn) -> Move:
    turn.say_wording("refused")
    return End(disposition=Disposition.DECLINED)


def _already_done(turn: Turn) -> Move:
    turn.say_wording("already_done")
    turn.settle(None, turn.state.outcome or "already_done")
    return End()


def _goodbye(turn: Turn) -> Move:
    turn.say_wording("goodbye")
    return End()


_TAKERS: Mapping[str, Callable[[Turn], Move]] = {
    "opt_out": opt_out,
    "agent": agent,
    "cancel": opt_out,
    "wrong_person": _wrong_person,
    "speak_zh": lambda turn: _speak(turn, "zh"),
    "speak_en": lambda turn: _speak(turn, "en"),
    "call_later": call_later,
    "busy_now": call_later,
    "are_you_a_robot": _robot,
    "who_is_this": _who,
    "refuse_offer": _refused,
    "already_done": _already_done,
    "repeat": _repeat,
    "slower": _slower,
    "hold_on": _hold_on,
    "greeting": _greeting,
    "goodbye": _goodbye,
}


def _take(turn: Turn, matches: Sequence[Match], names: Sequence[str]) -> Move | None:
    found = {match.intent: match for match in matches}
    for name in names:
        if name in found:
            turn.understood(name, found[name].confidence)
            return _TAKERS[name](turn)
    return None
