"""book: asks when the customer may be called again, understands the time, and says it back.

A wish is never lost: without a time that can be read, the words are recorded for a human.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow import anytime
from campaigns.flow.answering import unanswered
from campaigns.flow.effects import RecordCallback
from campaigns.flow.findings import Finding
from campaigns.flow.inputs import Digits, Heard, Input
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import End, Move, Next, Wait
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn
from campaigns.flow.variables import CALLBACK_TIME
from campaigns.understanding.times import read_time

_BY_KEY: Mapping[str, str] = {"1": "tomorrow morning", "2": "tomorrow afternoon", "3": "tomorrow evening"}
"""Keys that stand for times, as the built-in question tells them."""
_REFUSALS = {"no", "refuse_offer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Book(Step):
    """A wish to be called at another time."""

    type: ClassVar[str] = "book"
    waits: ClassVar[bool] = True
    takes_values: ClassVar[bool] = True
    ends: ClassVar[bool] = True
    say: Prompt | None = None
    again_say: Prompt | None = None
    confirm: Prompt | None = None
    noted: Prompt | None = None
    """Said when no time could be read and a human will look at the words."""
    options: Mapping[str, str]
    """Key -> a time in English words."""
    limit: int = 2
    then: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Book:
        """Read its prompts, ``options``, ``limit`` and ``then``; each may be left out."""
        return cls(
            name=name,
            say=reader.prompt("say"),
            again_say=reader.prompt("again"),
            confirm=reader.prompt("confirm"),
            noted=reader.prompt("noted"),
            options=reader.pairs("options", lambda _, words: str(words)) or _BY_KEY,
            limit=reader.whole("limit", 2),
            then=reader.text("then"),
        )

    def enter(self, turn: Turn) -> Move:
        """Take the time if it was said already ("call me tomorrow at three"), else ask for it."""
        if not turn.state.wish:
            turn.change(wish=turn.state.words)
        if (at := turn.time()) is not None:
            return self._booked(turn, at)
        turn.say(self.say or turn.flow.words("book_ask"), question=True)
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Listen for a time; dictation has longer pauses."""
        return Wait(listen=turn.listen(self, timeout_s=7.0, end_silence_ms=800))

    def resume(self, turn: Turn, event: Input) -> Move:
        """Take a time, a key that stands for one, or a change of mind."""
        if isinstance(event, Digits) and (at := self._by_key(turn, event.digits)):
            turn.understood(f"digit:{event.digits}")
            return self._booked(turn, at)
        if isinstance(event, Heard):
            return self._heard(turn)
        return self._unanswered(turn)

    def afterthought(self, turn: Turn) -> Move | None:
        """ "No, at four": a better time, said while the first was being confirmed."""
        at = turn.time() if turn.state.phase == "booked" else None
        if at is None:
            return None
        turn.understood("call_later")
        return self._booked(turn, at)

    def expected(self) -> frozenset[str]:
        """Times, in any words, and the keys that stand for them."""
        return frozenset({"call_later", "busy_now", "no"}) | {f"digit:{key}" for key in self.options}

    def exits(self) -> tuple[Exit, ...]:
        """The way on, where there is one."""
        return (Exit(label="then", to=self.then),) if self.then else ()

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        named = {"say": self.say, "again": self.again_say, "confirm": self.confirm, "noted": self.noted}
        return {key: prompt for key, prompt in named.items() if prompt is not None}

    def assigns(self) -> Mapping[str, str]:
        """The time booked, once there is one."""
        return {CALLBACK_TIME: "moment"}

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """Its keys must be free and stand for times that can be read."""
        findings: list[Finding] = []

        def wrong(code: str, message: str, remedy: str) -> None:
            findings.append(Finding(file=flow.source, step=self.name, code=code, message=message, remedy=remedy))

        taken = flow.keys.taken()
        monday = datetime.fromisoformat("2026-11-23T08:00:00+00:00")
        for key, words in self.options.items():
            if key in taken:
                remedy = "Use another key under options, or change keys."
                wrong("reserved_digit", f"Key {key} already means {taken[key]} at any time.", remedy)
            if read_time(words, "en", monday) is None:
                wrong("option_unreadable", f"options.{key} is no time: {words!r}.", "Write it like 'tomorrow morning'.")
        return tuple(findings)

    def _heard(self, turn: Turn) -> Move:
        matches = turn.meanings(self.expected())
        meant = {match.intent for match in matches}
        if (at := turn.time()) is not None:
            turn.understood("call_later")
            return self._booked(turn, at)
        for intent in meant:
            if intent.startswith("digit:") and (at := self._by_key(turn, intent.removeprefix("digit:"))):
                turn.understood(intent)
                return self._booked(turn, at)
        if meant & _REFUSALS:
            turn.understood("no")
            turn.change(wish="")
            return self._refused(turn)
        if not meant & {"call_later", "busy_now"} and (move := anytime.last(turn, matches)):
            return move
        return self._unanswered(turn)

    def _by_key(self, turn: Turn, key: str) -> datetime | None:
        words = self.options.get(key)
        return read_time(words, "en", turn.now) if words else None

    def _booked(self, turn: Turn, at: datetime) -> Move:
        turn.effects.append(RecordCallback(at=at, words=turn.state.words))
        turn.assign(CALLBACK_TIME, at.isoformat())
        turn.change(wish="", phase="booked")
        turn.say(self.confirm or turn.flow.words("booked"))
        if self.then:
            turn.settle(None if turn.state.settled else Disposition.CALLBACK_BOOKED)
            return Next(step=self.then)
        return End(disposition=None if turn.state.settled in _KEPT else Disposition.CALLBACK_BOOKED)

    def _refused(self, turn: Turn) -> Move:
        if self.then:
            return Next(step=self.then)
        turn.say_wording("goodbye")
        return End()

    def _unanswered(self, turn: Turn) -> Move:
        if turn.state.no_inputs + turn.state.no_matches >= self.limit:
            return self._noted(turn)
        question = self.again_say or turn.flow.words("book_again")
        return unanswered(
            turn, limit=self.limit, question=question, no_input=question, no_match=question, otherwise=self.then
        )

    def _noted(self, turn: Turn) -> Move:
        """Nobody could read the time: the words go to a human."""
        if isinstance(turn.event, Heard | Digits):
            turn.understood(None)
            turn.change(wish=turn.state.words)
        turn.say(self.noted or turn.flow.words("book_noted"))
        return Next(step=self.then) if self.then else End()


_KEPT = {Disposition.ACCEPTED.value, Disposition.DECLINED.value}

STEP = Book
