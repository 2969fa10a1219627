"""What is told of one call: live events as they happen, and the transcript for its result.

It writes nothing down and judges nothing.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from campaigns.flow.effects import Effect, Problem, RecordCallback, RecordOptOut, Refusal, SetVariable, StepEntered
from dialer.messages import CallEvent, EventKind, Turn

Emit = Callable[[CallEvent], None]


class Story:
    """Tells one call; times of turns count from :meth:`answered`."""

    def __init__(self, attempt_id: str, fence: int, emit: Emit, *, now: Callable[[], datetime]) -> None:
        self._attempt_id, self._fence = attempt_id, fence
        self._emit, self._now = emit, now
        self._answered_s: float | None = None
        self._reply_due_since_s: float | None = None
        self.own_first_s: float | None = None
        """When the robot began to speak, in seconds since the answer, by our own clock."""
        self.own_gaps_s: list[float] = []
        """From the end of what the customer said to the robot's reply, by our own clock."""
        self.answered_at: datetime | None = None
        self.turns: list[Turn] = []
        self.variables: dict[str, str] = {}

    def tell(self, kind: EventKind, **data: Any) -> None:
        """Send one live event."""
        event = CallEvent(
            attempt_id=self._attempt_id, fence=self._fence, kind=kind, at=self._now().astimezone(UTC), data=data
        )
        self._emit(event)

    def answered(self, codec: str) -> None:
        """The call was answered now."""
        self._answered_s = asyncio.get_running_loop().time()
        self.answered_at = self._now().astimezone(UTC)
        self.tell(EventKind.ANSWERED, codec=codec)

    @property
    def seconds(self) -> float:
        """Seconds since the answer, 0 before it."""
        if self._answered_s is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._answered_s

    def robot_begins(self, text: str, language: str) -> int:
        """The robot begins a sentence; returns its place in the transcript."""
        if self.own_first_s is None:
            self.own_first_s = round(self.seconds, 3)
        if self._reply_due_since_s is not None:
            self.own_gaps_s.append(round(self.seconds - self._reply_due_since_s, 3))
            self._reply_due_since_s = None
        self.turns.append(Turn(who="robot", text=text, at_s=round(self.seconds, 3)))
        self.tell(EventKind.SAID, text=text, language=language)
        return len(self.turns) - 1

    def robot_interrupted(self, place: int, *, heard_text: str, played_ms: int) -> None:
        """A sentence was cut; its turn keeps what was really heard."""
        text = self.turns[place].text
        if heard_text:
            self.turns[place] = dataclasses.replace(self.turns[place], text=heard_text, interrupted=True)
        else:
            del self.turns[place]
        self.tell(EventKind.INTERRUPTED, text=text, heard_text=heard_text, played_ms=played_ms)

    def customer_says(self, text: str) -> None:
        """The customer's words as far as they go."""
        self.tell(EventKind.HEARING, text=text)

    def customer_said(self, text: str, *, at_s: float, intent: str | None, confidence: float, engine: str) -> None:
        """The customer's words as understood."""
        self.turns.append(Turn(who="customer", text=text, at_s=round(at_s, 3), intent=intent))
        self.tell(EventKind.HEARD, text=text, confidence=round(confidence, 3), intent=intent, engine=engine)

    def reply_due(self, *, since_s: float) -> None:
        """The customer's words ended then, in seconds since the answer: the robot's next sentence is the reply."""
        self._reply_due_since_s = since_s

    def customer_pressed(self, digits: str, *, intent: str | None) -> None:
        """The customer's keys as understood."""
        self.turns.append(Turn(who="customer", text=digits, at_s=round(self.seconds, 3), intent=intent))
        self.tell(EventKind.DIGITS, digits=digits, intent=intent)

    def note(self, effect: Effect) -> None:
        """An effect that is only told: everything but speaking, listening, connecting and hanging up."""
        match effect:
            case StepEntered(step=step, type=kind):
                self.tell(EventKind.STEP, step=step, type=kind)
            case RecordOptOut(words=words, scope=scope):
                self.tell(EventKind.OPT_OUT, words=words, scope=scope)
            case Refusal(words=words):
                self.tell(EventKind.REFUSAL, words=words)
            case RecordCallback(at=at, words=words):
                self.tell(EventKind.CALLBACK, at=at.isoformat() if at else None, words=words)
            case SetVariable(name=name, value=value):
                self.variables[name] = value
                self.tell(EventKind.VARIABLE, name=name, value=value)
            case Problem(step=step, message=message):
                self.tell(EventKind.PROBLEM, step=step, message=message)
            case _:
                pass  # Understood is told with the words it is about
