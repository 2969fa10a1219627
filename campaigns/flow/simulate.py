"""A call in text: what the customer does goes in, and the whole conversation comes out; pure.

It speaks no REST and prints nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from campaigns.dispositions import Disposition
from campaigns.flow import effects as fx
from campaigns.flow.document import Context, Flow
from campaigns.flow.engine import State, advance, start
from campaigns.flow.inputs import Digits, HandoffEnded, Heard, HungUp, Input, Machine, Replied, Silence
from campaigns.flow.ssml import PAUSE


class Who(StrEnum):
    """Who did something in a simulated call."""

    ROBOT = "robot"
    CUSTOMER = "customer"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTurn:
    """One line of the conversation."""

    who: Who
    text: str
    step: str = ""
    intent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """How the conversation went."""

    turns: tuple[SimulatedTurn, ...]
    ended: bool
    disposition: Disposition | None = None
    outcome: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values collected on the way."""
    opted_out: bool = False
    refused: bool = False
    """Whether the customer refused the offer."""
    callback_at: datetime | None = None
    callback_words: str = ""
    unused: int = 0
    """Inputs left over when the call had ended."""


_PAUSE = re.compile(rf"\s*{PAUSE}\d+\s*")
_NO_REPLY = "no reply was given"
_EVENTS: Mapping[str, Callable[[], Input]] = {
    "(silence)": Silence,
    "(machine)": Machine,
    "(hangup)": HungUp,
    "(noise)": lambda: Heard(text=""),
    "(connected)": lambda: HandoffEnded(connected=True),
    "(no reply)": lambda: Replied(problem=_NO_REPLY),
    "(no agent)": lambda: HandoffEnded(connected=False, reason="no_agent"),
}


def read_input(text: str) -> Input:
    """Read one input as people type it: words, ``#1`` for digits, ``(silence)`` and the like for events.

    Raises :class:`ValueError` naming the alternatives.
    """
    text = text.strip()
    if text.startswith("#"):
        digits = text[1:].replace(" ", "")
        if not digits or not set(digits) <= set("0123456789*"):
            raise ValueError(f"{text!r} presses no keys: write # and digits, for example #1")
        return Digits(digits=digits)
    if text.casefold().startswith("(reply ") and text.endswith(")"):
        return _reply(text)
    if text.startswith("(") and text.endswith(")"):
        if text.casefold() not in _EVENTS:
            raise ValueError(f"{text!r} is no event: there are {', '.join(_EVENTS)}")
        return _EVENTS[text.casefold()]()
    return Heard(text=text)


def _reply(text: str) -> Replied:
    """Read ``(reply ok day=2026-12-05; slot=morning)``, or ``(no reply)``."""
    word, _, rest = text[len("(reply") : -1].strip().partition(" ")
    pairs = [pair.partition("=") for pair in rest.split(";") if pair.strip()]
    if not word or not all(mark for _, mark, _ in pairs):
        raise ValueError(f"{text!r} is no reply: write (reply WORD name=value; name=value)")
    return Replied(result=word, values={name.strip(): value.strip() for name, _, value in pairs})


def simulate(flow: Flow, context: Context, inputs: Iterable[str | Input]) -> Simulated:
    """Run a whole conversation. A handoff is connected when ``context.can_hand_off``, unless an input says otherwise.

    Raises :class:`FlowError` as :func:`start` does, and :class:`ValueError` for an input that cannot be read.
    """
    events = [read_input(item) if isinstance(item, str) else item for item in inputs]
    tape = _Tape()
    state, effects = start(flow, context)
    tape.robot(effects)
    used = 0
    while not tape.ended:
        if state.transferring and not (used < len(events) and isinstance(events[used], HandoffEnded | HungUp)):
            event: Input = HandoffEnded(
                connected=context.can_hand_off, reason="" if context.can_hand_off else "no_agent"
            )
            tape.customer(state, _told(event), event)
        elif used < len(events):
            event = events[used]
            tape.customer(state, _told(event), event)
            used += 1
        else:
            break
        state, effects = advance(flow, state, event)
        tape.robot(effects)
    return tape.closed(len(events) - used)


def _told(event: Input) -> str:
    if isinstance(event, Replied):
        return "(no reply)" if event.problem else f"(reply {event.result})"
    if isinstance(event, Heard):
        return event.text or "(noise)"
    if isinstance(event, Digits):
        return f"#{event.digits}"
    if isinstance(event, HandoffEnded):
        return "(connected)" if event.connected else "(no agent)"
    return {Silence: "(silence)", Machine: "(machine)", HungUp: "(hangup)"}[type(event)]


class _Tape:
    """Writes the conversation down."""

    def __init__(self) -> None:
        self._turns: list[SimulatedTurn] = []
        self._variables: dict[str, str] = {}
        self._step = ""
        self._end: fx.Hangup | None = None
        self._callback: fx.RecordCallback | None = None
        self._opted_out = self._refused = False

    @property
    def ended(self) -> bool:
        return self._end is not None

    def customer(self, state: State, text: str, event: Input) -> None:
        who = Who.CUSTOMER if isinstance(event, Heard | Digits | HungUp | Silence | Machine) else Who.ENGINE
        self._turns.append(SimulatedTurn(who=who, text=text, step=state.step))

    def robot(self, effects: Iterable[fx.Effect]) -> None:
        for effect in effects:
            self._write(effect)

    def closed(self, unused: int) -> Simulated:
        return Simulated(
            turns=tuple(self._turns),
            ended=self.ended,
            disposition=self._end.disposition if self._end else None,
            outcome=self._end.outcome if self._end else "",
            variables=dict(self._variables),
            opted_out=self._opted_out,
            refused=self._refused,
            callback_at=self._callback.at if self._callback else None,
            callback_words=self._callback.words if self._callback else "",
            unused=unused,
        )

    def _write(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.StepEntered):
            self._step = effect.step
        elif isinstance(effect, fx.Say):
            self._add(Who.ROBOT, _PAUSE.sub(" … ", effect.text))
        elif isinstance(effect, fx.Understood):
            last = self._turns[-1]
            self._turns[-1] = SimulatedTurn(who=last.who, text=last.text, step=last.step, intent=effect.intent)
        elif isinstance(effect, fx.SetVariable):
            self._variables[effect.name] = effect.value
            self._add(Who.ENGINE, f"{effect.name} = {effect.value}")
        elif isinstance(effect, fx.RecordOptOut):
            self._opted_out = True
            self._add(Who.ENGINE, "opt-out recorded")
        elif isinstance(effect, fx.Refusal):
            self._refused = True
            self._add(Who.ENGINE, "refusal recorded")
        elif isinstance(effect, fx.RecordCallback):
            self._callback = effect
            self._add(Who.ENGINE, f"callback: {effect.at.isoformat() if effect.at else effect.words}")
        elif isinstance(effect, fx.Problem):
            self._add(Who.ENGINE, effect.message)
        elif isinstance(effect, fx.Handoff):
            self._add(Who.ENGINE, f"handoff to {effect.queue}")
        elif isinstance(effect, fx.Request):
            self._add(Who.ENGINE, f"asks {effect.system} to {effect.operation}: (reply …) or (no reply)")
        elif isinstance(effect, fx.Hangup):
            self._end = effect
            outcome = f" ({effect.outcome})" if effect.outcome else ""
            self._add(Who.ENGINE, f"hangup: {effect.disposition}{outcome}")

    def _add(self, who: Who, text: str) -> None:
        self._turns.append(SimulatedTurn(who=who, text=text, step=self._step))
