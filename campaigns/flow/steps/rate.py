"""rate: asks for a number on a scale, pressed or spoken, and keeps it; asks again a few times, then goes otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from campaigns.flow import anytime
from campaigns.flow.answering import unanswered
from campaigns.flow.findings import Finding
from campaigns.flow.inputs import Digits, Input
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import Move, Next, Wait
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import Reader
from campaigns.flow.turn import Turn
from campaigns.understanding.ratings import read_rating

_OWN = "own:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Step):
    """A question whose answer is a number from ``least`` to ``most``, each of one key."""

    type: ClassVar[str] = "rate"
    waits: ClassVar[bool] = True
    takes_values: ClassVar[bool] = True
    say: Prompt
    least: int = 1
    most: int = 5
    save_as: str
    words: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Number -> language -> phrases that stand for it ("very easy")."""
    no_input: Prompt | None = None
    no_match: Prompt | None = None
    limit: int = 2
    then: str = ""
    otherwise: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Rate:
        """Read the question, the scale from ``least`` to ``most``, its ``words``, and the ways on."""
        least = int(reader.number("least", 1, least=0, most=8))
        most = int(reader.number("most", 5, least=least + 1, most=9))
        save_as = reader.identifier("save_as")
        if not save_as:
            reader.wrong("missing", "save_as is missing.", "Name the variable that keeps the rating.")
        return cls(
            name=name,
            say=reader.prompt("say") or Prompt(),
            least=least,
            most=most,
            save_as=save_as,
            words=_words(reader, least, most),
            no_input=reader.prompt("no_input"),
            no_match=reader.prompt("no_match"),
            limit=reader.whole("limit", 2),
            then=reader.text("then"),
            otherwise=reader.text("otherwise"),
        )

    def enter(self, turn: Turn) -> Move:
        """Ask for the rating."""
        turn.say(self.say, question=True)
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Listen for the rating."""
        own = tuple(phrase for phrases in self._phrases(turn).values() for phrase in phrases)
        return Wait(listen=turn.listen(self, timeout_s=8.0, phrases=own))

    def resume(self, turn: Turn, event: Input) -> Move:
        """Keep the rating; what is none may still mean something at any time."""
        rating = self._pressed(event.digits) if isinstance(event, Digits) else self._spoken(turn)
        if rating is None:
            matches = [match for match in turn.meanings(self.expected()) if not match.intent.startswith("digit:")]
            return anytime.last(turn, matches) or self._unanswered(turn)
        turn.understood(f"digit:{rating}")
        turn.assign(self.save_as, str(rating))
        return Next(step=self.then)

    def expected(self) -> frozenset[str]:
        """The keys of the scale."""
        return frozenset(f"digit:{number}" for number in self._scale())

    def exits(self) -> tuple[Exit, ...]:
        """The way on, and otherwise."""
        return (Exit(label="then", to=self.then), Exit(label="otherwise", to=self.otherwise))

    def prompts(self) -> Mapping[str, Prompt]:
        """The question and its reprompts."""
        named = {"say": self.say, "no_input": self.no_input, "no_match": self.no_match}
        return {key: prompt for key, prompt in named.items() if prompt is not None}

    def assigns(self) -> Mapping[str, str]:
        """The variable that keeps the rating."""
        return {self.save_as: "number"}

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """No number of the scale may be a key that works at any time."""
        taken = flow.keys.taken()
        return tuple(
            Finding(
                file=flow.source,
                step=self.name,
                code="reserved_digit",
                message=f"Key {number} of the scale already means {taken[str(number)]} at any time.",
                remedy="End the scale before it, or change keys.",
            )
            for number in self._scale()
            if str(number) in taken
        )

    def _scale(self) -> range:
        return range(self.least, self.most + 1)

    def _pressed(self, digits: str) -> int | None:
        return int(digits) if digits.isdigit() and int(digits) in self._scale() else None

    def _spoken(self, turn: Turn) -> int | None:
        number = read_rating(turn.text, turn.state.language, least=self.least, most=self.most)
        if number is not None:
            return number
        matches = turn.meanings((), self._phrases(turn))
        meant = {match.intent.removeprefix(_OWN) for match in matches if match.intent.startswith(_OWN)}
        return int(meant.pop()) if len(meant) == 1 else None

    def _phrases(self, turn: Turn) -> dict[str, tuple[str, ...]]:
        language = turn.state.language
        return {_OWN + number: phrases.get(language, ()) for number, phrases in self.words.items()}

    def _unanswered(self, turn: Turn) -> Move:
        return unanswered(
            turn,
            limit=self.limit,
            question=self.say,
            no_input=self.no_input,
            no_match=self.no_match,
            otherwise=self.otherwise,
        )


def _words(reader: Reader, least: int, most: int) -> dict[str, dict[str, tuple[str, ...]]]:
    inside = reader.inside("words")
    if inside is None:
        return {}
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for number in range(least, most + 1):
        languages = inside.inside(str(number))
        if languages is not None:
            found[str(number)] = {language: languages.words(language) for language in reader.languages}
            languages.done()
    inside.done()
    return found


STEP = Rate
