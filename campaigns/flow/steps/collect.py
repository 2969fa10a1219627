"""collect: takes digits, a short code, a day, an amount or a name, and says it back to be confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from campaigns.flow import anytime
from campaigns.flow.answering import unanswered
from campaigns.flow.filters import FILTERS, Manner
from campaigns.flow.findings import Finding
from campaigns.flow.inputs import Digits, Heard, Input
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import Move, Next, Wait
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn
from campaigns.understanding.values import KINDS, pressed_value, read_value

_CONFIRM = "confirm"
_PENDING = "pending_value"
_LONGEST = 20
_COUNTED = frozenset({"digits", "code"})
"""Kinds of which the characters are counted."""
_KEYS = {"date": 8, "money": 10, "name": 1}
"""Keys that may be pressed for a value: ``20261205``, ``49*90``."""
_SAID_AS = {"digits": "digits", "code": "spell", "date": "day", "money": "money", "name": "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect(Step):
    """A value to be collected."""

    type: ClassVar[str] = "collect"
    waits: ClassVar[bool] = True
    takes_values: ClassVar[bool] = True
    say: Prompt
    kind: str = "digits"
    """``digits``, ``code`` (digits and letters), ``date`` (a day to come), ``money`` or ``name``."""
    least: int = 1
    most: int = 1
    save_as: str
    confirm: Prompt | None = None
    """Says ``{{value}}`` back and asks for yes (1) or no (2)."""
    no_input: Prompt | None = None
    no_match: Prompt | None = None
    limit: int = 2
    then: str = ""
    otherwise: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Collect:
        """Read the question, the value's ``kind``, ``least`` and ``most`` characters, and the ways on."""
        least = int(reader.number("least", 2, least=1, most=_LONGEST))
        save_as = reader.identifier("save_as")
        if not save_as:
            reader.wrong("missing", "save_as is missing.", "Name the variable that keeps the value.")
        return cls(
            name=name,
            say=reader.prompt("say") or Prompt(),
            kind=reader.one_of("kind", KINDS, "digits"),
            least=least,
            most=int(reader.number("most", least, least=least, most=_LONGEST)),
            save_as=save_as,
            confirm=reader.prompt("confirm"),
            no_input=reader.prompt("no_input"),
            no_match=reader.prompt("no_match"),
            limit=reader.whole("limit", 2),
            then=reader.text("then"),
            otherwise=reader.text("otherwise"),
        )

    def enter(self, turn: Turn) -> Move:
        """Ask for the value."""
        turn.say(self.say, question=True)
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Listen for the value, or for yes or no."""
        if turn.state.phase == _CONFIRM:
            return Wait(listen=turn.listen(self))
        keys = self.most if self.kind in _COUNTED else _KEYS[self.kind]
        return Wait(listen=turn.listen(self, timeout_s=8.0, end_silence_ms=900, max_digits=keys))

    def resume(self, turn: Turn, event: Input) -> Move:
        """Take the value, then the confirmation."""
        return self._confirmation(turn, event) if turn.state.phase == _CONFIRM else self._value(turn, event)

    def expected(self) -> frozenset[str]:
        """Any digits; yes and no while confirming."""
        return frozenset({"digits", "yes", "no", "digit:1", "digit:2"})

    def exits(self) -> tuple[Exit, ...]:
        """The way on, and otherwise."""
        return (Exit(label="then", to=self.then), Exit(label="otherwise", to=self.otherwise))

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says."""
        named = {"say": self.say, "confirm": self.confirm, "no_input": self.no_input, "no_match": self.no_match}
        return {key: prompt for key, prompt in named.items() if prompt is not None}

    def assigns(self) -> Mapping[str, str]:
        """The variable that keeps the value; ``value`` stands for it while it is confirmed."""
        return {self.save_as: _SAID_AS[self.kind]}

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """One digit alone could not be told from the keys that work at any time."""
        if self.kind not in _COUNTED or self.least > 1 or not flow.keys.taken():
            return ()
        message = "A value of one digit collides with the keys that work at any time."
        remedy = "Ask for two digits or more, or use an ask."
        return (Finding(file=flow.source, step=self.name, code="reserved_digit", message=message, remedy=remedy),)

    def _value(self, turn: Turn, event: Input) -> Move:
        value = self._read(turn, event)
        if not self._fits(value):
            matches = [m for m in turn.meanings(self.expected()) if not m.intent.startswith("digit:")]
            return anytime.last(turn, matches) or self._unanswered(turn)
        turn.understood(self.save_as)
        turn.change(phase=_CONFIRM, values={**turn.state.values, _PENDING: value}, no_inputs=0, no_matches=0)
        self._say_back(turn)
        return self.again(turn)

    def _confirmation(self, turn: Turn, event: Input) -> Move:
        meant = {match.intent for match in turn.meanings(self.expected())}
        yes = turn.digits == "1" or bool(meant & {"yes", "digit:1"})
        no = turn.digits == "2" or bool(meant & {"no", "digit:2"})
        if yes and not no:
            turn.understood("yes")
            turn.assign(self.save_as, turn.state.values[_PENDING])
            return Next(step=self.then)
        if no and not yes:
            turn.understood("no")
            turn.change(phase="", no_matches=turn.state.no_matches + 1)
            return Next(step=self.otherwise) if turn.state.no_matches > self.limit else self.enter(turn)
        if isinstance(event, Heard | Digits) and self._is_value(turn, event):
            return self._value(turn, event)
        if turn.state.no_inputs + turn.state.no_matches >= self.limit:
            return self._unanswered(turn)
        moved = anytime.last(turn, turn.meanings(self.expected()))
        return moved or self._unanswered(turn)

    def _is_value(self, turn: Turn, event: Heard | Digits) -> bool:
        """Whether the customer gave the value anew instead of confirming it."""
        return (self.kind not in _COUNTED or self.least > 1) and self._fits(self._read(turn, event))

    def _read(self, turn: Turn, event: Input) -> str:
        if isinstance(event, Heard):
            return read_value(self.kind, event.text, turn.state.language, turn.now)
        return pressed_value(self.kind, turn.digits, turn.now)

    def _fits(self, value: str) -> bool:
        return self.least <= len(value) <= self.most if self.kind in _COUNTED else bool(value)

    def _say_back(self, turn: Turn) -> None:
        value, words = turn.state.values[_PENDING], "collect_confirm"
        if self.kind not in _COUNTED:  # said as people say it; the other sentence spells
            manner = Manner(language=turn.state.language, now=turn.now)
            value, words = FILTERS[_SAID_AS[self.kind]](value, "", manner), "value_confirm"
        turn.say(self.confirm or turn.flow.words(words), question=True, more={"value": value})

    def _unanswered(self, turn: Turn) -> Move:
        confirming = turn.state.phase == _CONFIRM
        return unanswered(
            turn,
            limit=self.limit,
            question=Prompt() if confirming else self.say,
            no_input=None if confirming else self.no_input,
            no_match=None if confirming else self.no_match,
            otherwise=self.otherwise,
        )


STEP = Collect
