"""The engine of conversations: ``advance(flow, state, input) -> (state, effects)``, pure.

It performs nothing: whoever runs the call speaks, listens and hangs up as the effects say, and feeds back what happens.
Every list of effects ends with exactly one ``Listen``, ``Handoff``, ``Request`` or ``Hangup``.
"""

from __future__ import annotations

from campaigns.dispositions import Disposition
from campaigns.flow import anytime, doubt
from campaigns.flow import effects as fx
from campaigns.flow.findings import Finding, FlowError
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, HungUp, Input, Machine, Replied, Silence
from campaigns.flow.model import Context, Flow
from campaigns.flow.moves import End, Move, Next, Query, Transfer, Wait
from campaigns.flow.state import State
from campaigns.flow.turn import Turn, zone
from campaigns.flow.variables import check_values
from campaigns.understanding.matcher import Match

__all__ = ["State", "advance", "start"]

MOST_TURNS = 30
"""Inputs after which a conversation that comes to nothing is ended politely."""
SCREENED_S = 30.0
"""How long a screening assistant may take to ask the customer."""
MOST_RESTARTS = 3
"""Times that words before the question make it start again."""
MOST_STEPS = 60
"""Steps in one turn: more is a circle, which the lint refuses."""
_KEPT = {Disposition.ACCEPTED.value, Disposition.DECLINED.value}


def start(flow: Flow, context: Context) -> tuple[State, tuple[fx.Effect, ...]]:
    """Begin a conversation, the moment the call is answered.

    Raises :class:`FlowError` when a variable is missing, the zone unknown or ``now`` naive: better no call than a wrong
    one; check with :func:`campaigns.flow.variables.check_values` before dialling.
    """
    problems = list(check_values(flow.variables, context.variables, file=flow.source))
    problems = [finding for finding in problems if finding.code == "variable_missing"]
    now = context.now
    try:
        now = context.now.astimezone(zone(context.zone))
    except (LookupError, ValueError, OSError):
        message = f"There is no time zone {context.zone!r}."
        remedy = "Give an IANA zone such as 'Europe/Berlin'."
        problems.append(Finding(file=flow.source, step="", code="unknown_zone", message=message, remedy=remedy))
    if context.now.tzinfo is None:
        remedy = "Give an aware instant."
        problems.append(Finding(file=flow.source, step="", code="naive_now", message="now has no zone.", remedy=remedy))
    if problems:
        raise FlowError(problems)
    defaults = {name: variable.default for name, variable in flow.variables.items() if variable.default is not None}
    given = {name: value for name, value in context.variables.items() if value.strip()}
    language = context.language if context.language in flow.languages else flow.languages[0]
    state = State(
        flow=flow.name,
        step=flow.start,
        language=language,
        zone=context.zone,
        now=now.isoformat(),
        can_hand_off=context.can_hand_off,
        values={**defaults, **given},
    )
    return _run(Turn(flow, state, None), Next(step=flow.start))


def advance(flow: Flow, state: State, event: Input) -> tuple[State, tuple[fx.Effect, ...]]:
    """Take one input; never raises for anything a customer does. Instants in ``event`` are aware."""
    turn = Turn(flow, state, event)
    return _run(turn, _react(turn, event))


def _react(turn: Turn, event: Input) -> Move:
    state = turn.state
    if isinstance(event, HungUp):
        return End(disposition=None if state.settled else Disposition.HUNG_UP)
    if isinstance(event, Heard):
        return _heard(turn, event)
    if isinstance(event, Digits):
        return _pressed(turn, event)
    if state.ended:
        return End()
    if state.screened and isinstance(event, Silence):
        return End(disposition=Disposition.SCREENED)
    if state.turns >= MOST_TURNS:
        return _give_up(turn)
    if isinstance(event, Machine):
        # Not believed any more once somebody answered sensibly.
        known = state.understood or state.transferring or state.screened
        return turn.step.again(turn) if known else _voicemail(turn)
    if isinstance(event, HandoffEnded) != state.transferring or isinstance(event, Replied) != bool(state.awaiting):
        return turn.step.again(turn)
    return turn.step.resume(turn, event)


def _voicemail(turn: Turn) -> Move:
    voicemail = turn.flow.voicemail
    if voicemail is None or voicemail.leave is None:
        return End(disposition=Disposition.MACHINE)
    turn.say(voicemail.leave, after_beep=True)
    return End(disposition=Disposition.MESSAGE_LEFT)


def _heard(turn: Turn, event: Heard) -> Move:
    step = turn.step
    asked, event = doubt.settled(turn, event)
    matches = turn.meanings(step.expected())
    if not (matches or asked):
        matches, event = doubt.other_reading(turn, event)
    meant = {match.intent for match in matches}
    # Whatever was said with it: "no thanks, and stop calling me" is both; "no, call me later" refuses nothing.
    refused = "refuse_offer" in meant or ("opt_out" in meant and step.refused_by(matches))
    refused = refused and not turn.state.opted_out and "voicemail" not in meant
    asking = not asked and turn.state.turns < MOST_TURNS and not _too_early(event, meant)
    move = (asking and doubt.ask_back(turn, event, meant)) or _take(turn, event, matches, meant)
    if refused:
        turn.refuse()
    return move


def _take(turn: Turn, event: Heard, matches: list[Match], meant: set[str]) -> Move:
    state, step = turn.state, turn.step
    if state.ended:
        return _after_goodbye(turn, meant | _keys_meant(turn, matches))
    if state.turns >= MOST_TURNS and "opt_out" not in meant:
        return _give_up(turn)
    if not state.understood and "opt_out" not in meant and (move := _nobody(turn, meant)):
        return move
    if move := anytime.first(turn, matches):
        return move
    if state.elsewhere:
        leaves = anytime.leave(turn, matches) if "goodbye" in meant else None
        return leaves or _key_said(turn, matches) or _wait_on(turn)
    if not event.text.strip() and event.lasted_s >= anytime.MUSIC_S:
        turn.understood(None)
        return Wait(listen=turn.listen(step, timeout_s=anytime.HOLD_ON_S))
    if _too_early(event, meant) and state.no_matches < MOST_RESTARTS:
        return _say_unheard(turn, event.unheard)
    return _key_said(turn, matches) or anytime.question(turn, meant) or step.resume(turn, event)


def _nobody(turn: Turn, meant: set[str]) -> Move | None:
    """What is done where no person spoke, but an assistant, a machine or a menu; ``None`` where it may be a person."""
    if "screening" in meant:
        turn.understood("screening")
        if not turn.state.screened:
            turn.say_wording("screening")
        turn.change(screened=True)
        return Wait(listen=turn.listen(turn.step, timeout_s=SCREENED_S))
    if "voicemail" in meant:
        turn.understood("voicemail")
        return _voicemail(turn)
    if "menu" in meant:
        turn.understood("menu")
        return End(disposition=Disposition.MACHINE)
    return _put_through(turn, meant) if turn.state.screened else None


def _put_through(turn: Turn, meant: set[str]) -> Move:
    """Somebody else speaks after the assistant: they have heard nothing yet. "One moment" is still the assistant."""
    if "hold_on" in meant:
        turn.understood("hold_on")
        return Wait(listen=turn.listen(turn.step, timeout_s=SCREENED_S))
    turn.understood(None)
    turn.change(screened=False)
    return Next(step=turn.flow.start)


def _too_early(event: Heard, meant: set[str]) -> bool:
    """Whether this came before the question was put, or was a mere noise that cut it off."""
    if not event.text.strip():
        return event.unheard >= 1
    return event.unheard >= 2 and not meant & {"goodbye", "hold_on"}


def _wait_on(turn: Turn) -> Move:
    turn.understood(None)
    return turn.step.again(turn)


def _key_said(turn: Turn, matches: list[Match]) -> Move | None:
    """ "Press nine", where the step does not ask for digits itself."""
    for key in _keys(turn, matches):
        if move := anytime.pressed(turn, key):
            return move
    return None


def _keys_meant(turn: Turn, matches: list[Match]) -> set[str]:
    return {turn.flow.keys.taken().get(key, "") for key in _keys(turn, matches)}


def _keys(turn: Turn, matches: list[Match]) -> list[str]:
    own = turn.step.expected()
    said = [match.intent for match in matches if match.intent.startswith("digit:") and match.intent not in own]
    return [] if "digits" in own else [name.removeprefix("digit:") for name in said]


def _say_unheard(turn: Turn, unheard: int) -> Move:
    """The customer spoke before the question was put: whatever it was, it is no answer to it."""
    turn.understood(None)
    turn.change(no_matches=turn.state.no_matches + 1)
    for text in turn.state.batch[-unheard:]:
        turn.speak(text, question=True)
    return turn.step.again(turn)


def _pressed(turn: Turn, event: Digits) -> Move:
    turn.change(unsure="")
    state = turn.state
    does = turn.flow.keys.taken().get(event.digits, "")
    if state.ended:
        return _after_goodbye(turn, {does})
    if state.turns >= MOST_TURNS and does != "opt_out":
        return _give_up(turn)
    if move := anytime.pressed(turn, event.digits):
        return move
    return _wait_on(turn) if state.elsewhere else turn.step.resume(turn, event)


def _after_goodbye(turn: Turn, meant: set[str]) -> Move:
    """Words during the goodbye: an opt-out or a wish for a person is still honoured, anything else just ends it.

    After an opt-out nothing is but one for everything, where the first was narrower.
    """
    opted_out, everything = turn.state.opted_out, turn.state.opt_out_scope == "all"
    for wish, take in (("opt_out", anytime.opt_out), ("cancel", anytime.opt_out), ("agent", anytime.agent)):
        barred = opted_out or not turn.state.can_hand_off if wish == "agent" else everything
        if wish in meant and not barred:
            turn.understood(wish)
            turn.change(ended=False)
            return take(turn)
    if not opted_out and (move := turn.step.afterthought(turn)):
        return move
    turn.understood(None)
    return End()


def _give_up(turn: Turn) -> Move:
    turn.say_wording("goodbye")
    return End(disposition=None if turn.state.understood else Disposition.NO_RESPONSE)


def _run(turn: Turn, move: Move) -> tuple[State, tuple[fx.Effect, ...]]:
    """Follow moves from step to step until one ends the batch."""
    for _ in range(MOST_STEPS):
        if not isinstance(move, Next):
            break
        move = _enter(turn, move.step)
    else:
        turn.problem("The flow goes in a circle without listening.")
        move = End()
    assert not isinstance(move, Next)
    turn.effects.append(_close(turn, move))
    return turn.closed(), tuple(turn.effects)


def _enter(turn: Turn, name: str) -> Move:
    step = turn.flow.steps.get(name)
    if step is None:
        turn.problem(f"There is no step {name!r}." if name else "The step has no way on.")
        return End()
    if name != turn.state.step:
        turn.change(no_inputs=0, no_matches=0)
    turn.change(step=name, phase="", transferring=False, awaiting="", ended=False)
    turn.effects.append(fx.StepEntered(step=name, type=step.type))
    return step.enter(turn)


def _close(turn: Turn, move: Wait | Transfer | Query | End) -> fx.Effect:
    turn.change(ended=False, transferring=isinstance(move, Transfer), awaiting="")
    if isinstance(move, Wait):
        return move.listen
    if isinstance(move, Transfer):
        return fx.Handoff(queue=move.queue, summary=move.summary)
    if isinstance(move, Query):
        turn.change(awaiting=move.request.key)
        return move.request
    disposition = _final(turn, move)
    if disposition is Disposition.DECLINED:
        turn.refuse()
    turn.change(settled=disposition.value, outcome=move.outcome or turn.state.outcome, wish="", ended=True)
    return fx.Hangup(disposition=disposition, outcome=turn.state.outcome)


def _final(turn: Turn, move: End) -> Disposition:
    """How the call ended: an opt-out above all, then what this end says, then what was settled on the way."""
    state = turn.state
    if state.opted_out:
        return Disposition.OPTED_OUT
    if state.wish:
        turn.effects.append(fx.RecordCallback(at=None, words=state.wish))
        if state.settled not in _KEPT:
            return Disposition.CALLBACK_BOOKED
    if move.disposition is not None:
        return move.disposition
    return Disposition(state.settled) if state.settled else Disposition.INFORMED
