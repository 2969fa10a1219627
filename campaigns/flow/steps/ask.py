"""ask: puts a question and goes by the answer, spoken or pressed; asks again a few times, then goes otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow import anytime
from campaigns.flow.answering import unanswered
from campaigns.flow.findings import Finding, nearest
from campaigns.flow.inputs import Digits, Input
from campaigns.flow.model import Exit, Flow, Step
from campaigns.flow.moves import Move, Next, Wait
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import IDENTIFIER, Reader
from campaigns.flow.steps.say import SETTLED
from campaigns.flow.template import Template
from campaigns.flow.turn import Turn
from campaigns.understanding.matcher import Match, says_only
from campaigns.understanding.vocabulary import intent_names, sayings

_PLAIN = frozenset({"yes", "no"})
_OWN = "own:"
"""Prefix of the names under which an answer's own phrases are looked for."""
_NEVER_CHOSEN = frozenset({"opt_out", "cancel", "agent"})
"""What only the customer's own words may mean."""
_STANDS_FOR = {"refuse_offer": "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer and where it leads."""

    name: str
    key: str = ""
    intents: frozenset[str] = frozenset()
    phrases: Mapping[str, tuple[Template, ...]] = field(default_factory=dict)
    """Language -> phrases of the author's own; they may name variables (a day that was offered)."""
    then: str
    settle: Disposition | None = None
    outcome: str = ""

    def taken_by(self, intent: str) -> bool:
        """Whether an intent, digit or own phrase means this answer."""
        return intent in self.intents or intent == f"digit:{self.key}" or intent == _OWN + self.name

    def heard(self) -> Iterator[tuple[str, Prompt]]:
        """Those of its phrases that name variables, by key."""
        for language, templates in self.phrases.items():
            for place, template in enumerate(templates):
                if template.names:
                    key = f"phrases.{self.name}.{language}.{place}"
                    yield key, Prompt(texts={"*": template})

    def said(self, turn: Turn) -> tuple[str, ...]:
        """Its phrases as the customer would say them; one whose variable has no value stands for nothing."""
        return tuple(text for template in self.phrases.get(turn.state.language, ()) if (text := turn.phrase(template)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Step):
    """A question."""

    type: ClassVar[str] = "ask"
    waits: ClassVar[bool] = True
    say: Prompt
    answers: tuple[Answer, ...]
    no_input: Prompt | None = None
    no_match: Prompt | None = None
    limit: int = 2
    """How often it is asked again."""
    otherwise: str = ""
    timeout_s: float = 6.0
    save_as: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Ask:
        """Read the question, its ``answers``, the reprompts and ``otherwise``."""
        answers = tuple(_answer(answer, entry) for answer, entry in reader.entries("answers"))
        if not answers:
            reader.wrong("missing", "answers is missing.", "Add answers: {yes: {key: 1, then: …}, no: {…}}.")
        return cls(
            name=name,
            say=reader.prompt("say") or Prompt(),
            answers=answers,
            no_input=reader.prompt("no_input"),
            no_match=reader.prompt("no_match"),
            limit=reader.whole("limit", 2),
            otherwise=reader.text("otherwise"),
            timeout_s=reader.number("timeout_s", 6.0, least=2, most=30),
            save_as=reader.identifier("save_as"),
        )

    def enter(self, turn: Turn) -> Move:
        """Put the question."""
        turn.say(self.say, question=True)
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Listen for the answers."""
        own = tuple(text for answer in self.answers for text in answer.said(turn))
        return Wait(listen=turn.listen(self, timeout_s=self.timeout_s, phrases=own))

    def resume(self, turn: Turn, event: Input) -> Move:
        """Take an answer; what is none may still mean something at any time."""
        if isinstance(event, Digits):
            found = next((answer for answer in self.answers if answer.key and answer.key == event.digits), None)
            if found:
                turn.understood(f"digit:{event.digits}")
                return self._go(turn, found)
            return self._unanswered(turn)
        matches = turn.meanings(self.expected(), self._phrases(turn))
        if taken := self._choose(matches):
            answer, match = taken
            turn.understood(answer.name if match.intent.startswith(_OWN) else match.intent, match.confidence)
            return self._go(turn, answer)
        if len({match.intent for match in matches} & _PLAIN) == 2:
            return self._unanswered(turn)
        return anytime.last(turn, matches) or self._unanswered(turn)

    def refused_by(self, matches: Sequence[Match]) -> bool:
        """Whether they give an answer that settles the call as declined."""
        taken = self._choose(matches)
        return taken is not None and taken[0].settle is Disposition.DECLINED

    def claimed(self, turn: Turn, matches: Sequence[Match]) -> frozenset[str]:
        """What is said in an answer's own phrases, and in nothing else: "no, another day please"."""
        own = [found.span for found in turn.meanings((), self._phrases(turn)) if found.intent.startswith(_OWN)]
        inside = {match.intent for match in matches if any(s <= match.span[0] and match.span[1] <= e for s, e in own)}
        answers = [match.span for match in matches if match.intent in _PLAIN | self.expected()]
        only = inside and says_only(turn.text, turn.state.language, [*own, *answers])
        return frozenset(inside) if only else frozenset()

    def takes(self, turn: Turn) -> bool:
        """Whether they give an answer."""
        return self._choose(turn.meanings(self.expected(), self._phrases(turn))) is not None

    def expected(self) -> frozenset[str]:
        """The answers' intents and digits."""
        intents = frozenset().union(*(answer.intents for answer in self.answers))
        return intents | {f"digit:{answer.key}" for answer in self.answers if answer.key}

    def choices(self, language: str) -> Mapping[str, str]:
        """Every answer by an example: a phrase of the author's own, else how its intent is said."""
        found: dict[str, str] = {}
        for answer in self.answers:
            own = [one.source for one in answer.phrases.get(language, ()) if not one.names]
            usual = sayings(language, answer.intents - _NEVER_CHOSEN)
            if example := next((text for text in (*own, *usual)), ""):
                found[answer.name] = example
        return found

    def exits(self) -> tuple[Exit, ...]:
        """Every answer, and otherwise."""
        answers = (Exit(label=f"answers.{answer.name}.then", to=answer.then) for answer in self.answers)
        return (*answers, Exit(label="otherwise", to=self.otherwise))

    def prompts(self) -> Mapping[str, Prompt]:
        """The question, its reprompts, and phrases that name variables, so that these are checked."""
        named = {"say": self.say, "no_input": self.no_input, "no_match": self.no_match}
        spoken = {key: prompt for key, prompt in named.items() if prompt is not None}
        return {**spoken, **{key: prompt for answer in self.answers for key, prompt in answer.heard()}}

    def assigns(self) -> Mapping[str, str]:
        """The variable that keeps the answer's name."""
        return {self.save_as: "text"} if self.save_as else {}

    def check(self, flow: Flow) -> tuple[Finding, ...]:
        """Every answer by key and by speech, no key twice, none of those that work at any time."""
        findings: list[Finding] = []

        def wrong(code: str, message: str, remedy: str) -> None:
            findings.append(Finding(file=flow.source, step=self.name, code=code, message=message, remedy=remedy))

        taken = flow.keys.taken()
        keys = [answer.key for answer in self.answers if answer.key]
        for answer in self.answers:
            if not answer.key and not answer.intents - _PLAIN:
                wrong("no_digit", f"answers.{answer.name} cannot be given by a key.", "Add key: a digit.")
            if not answer.intents and not all(answer.phrases.get(language) for language in flow.languages):
                remedy = "Name it like an intent (yes, no), or add intents or phrases in every language."
                wrong("no_speech", f"answers.{answer.name} cannot be given by speech.", remedy)
            if answer.key in taken:
                remedy = "Use another key, or change keys."
                wrong("reserved_digit", f"Key {answer.key} already means {taken[answer.key]} at any time.", remedy)
            if answer.key and keys.count(answer.key) > 1:
                wrong("duplicate_digit", f"Key {answer.key} stands for several answers.", "Give each its own.")
        return tuple(dict.fromkeys(findings))

    def _choose(self, matches: Sequence[Match]) -> tuple[Answer, Match] | None:
        """The one answer that was given; ``None`` when there is none, or several contradict each other."""
        taken = [(answer, match) for match in matches for answer in self.answers if answer.taken_by(match.intent)]
        if {match.intent for _, match in taken} <= _PLAIN:  # "it is … too expensive" is no yes
            stand_ins = {_STANDS_FOR[m.intent]: m for m in matches if m.intent in _STANDS_FOR}
            taken += [(answer, m) for name, m in stand_ins.items() for answer in self.answers if answer.taken_by(name)]
        if len({answer.name for answer, _ in taken}) > 1:
            taken = [(answer, match) for answer, match in taken if match.intent not in _PLAIN]
        return taken[0] if len({answer.name for answer, _ in taken}) == 1 else None

    def _phrases(self, turn: Turn) -> dict[str, tuple[str, ...]]:
        return {_OWN + answer.name: answer.said(turn) for answer in self.answers}

    def _go(self, turn: Turn, answer: Answer) -> Move:
        turn.settle(answer.settle, answer.outcome)
        if self.save_as:
            turn.assign(self.save_as, answer.name)
        return Next(step=answer.then)

    def _unanswered(self, turn: Turn) -> Move:
        return unanswered(
            turn,
            limit=self.limit,
            question=self.say,
            no_input=self.no_input,
            no_match=self.no_match,
            otherwise=self.otherwise,
        )


def _answer(name: str, reader: Reader) -> Answer:
    if not IDENTIFIER.fullmatch(name):
        reader.wrong("bad_name", f"An answer cannot be called {name!r}.", "Use a-z, 0-9 and _.")
    intents = reader.words("intents") or ((name,) if name in intent_names() else ())
    for intent in intents:
        if intent not in intent_names():
            reader.wrong("unknown_intent", f"There is no intent {intent!r}.", nearest(intent, intent_names()))
    answer = Answer(
        name=name,
        key=reader.key_press("key"),
        intents=frozenset(intents),
        phrases=_phrases(reader),
        then=reader.text("then"),
        settle=reader.disposition("settle", SETTLED),
        outcome=reader.identifier("outcome"),
    )
    reader.done()
    return answer


def _phrases(reader: Reader) -> dict[str, tuple[Template, ...]]:
    inside = reader.inside("phrases")
    if inside is None:
        return {}
    found = {language: tuple(inside.templates(language)) for language in reader.languages}
    inside.done()
    return found


STEP = Ask
