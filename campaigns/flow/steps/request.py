"""request: asks a system of the business (look up a parcel, change a day), and goes by its answer; else otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from campaigns.dispositions import Disposition
from campaigns.flow.effects import Request as Wanted
from campaigns.flow.inputs import Input, Replied
from campaigns.flow.model import Exit, Step
from campaigns.flow.moves import Move, Next, Query
from campaigns.flow.prompt import Prompt
from campaigns.flow.reading import IDENTIFIER, Reader
from campaigns.flow.steps.say import SETTLED
from campaigns.flow.template import Template, TemplateError, speakable
from campaigns.flow.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where one word of the system leads."""

    then: str
    settle: Disposition | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Step):
    """A question to a system."""

    type: ClassVar[str] = "request"
    speaks: ClassVar[bool] = True
    system: str
    operation: str
    send: Mapping[str, Template] = field(default_factory=dict)
    """Name -> value; a variable that names no filter is sent as it is, not as it is spoken."""
    save: Mapping[str, str] = field(default_factory=dict)
    """Name in the reply -> variable that keeps its value; one that the reply lacks stays as it was."""
    say: Prompt | None = None
    """Said while the system works; without it "one moment, please"."""
    deadline_s: float = 8.0
    answers: Mapping[str, Way] = field(default_factory=dict)
    """The reply's word -> the way on."""
    otherwise: str = ""

    @classmethod
    def parse(cls, reader: Reader, name: str) -> Request:
        """Read ``system``, ``operation``, what is sent and saved, and the way on for each answer."""
        for key in ("system", "operation"):
            if not reader.identifier(key):
                reader.wrong("missing", f"{key} is missing.", f"Add {key}: a name.")
        answers = {word: _way(word, entry) for word, entry in reader.entries("answers")}
        if not answers:
            reader.wrong("missing", "answers is missing.", "Add answers: {ok: {then: …}}.")
        save = reader.pairs("save", lambda _, text: text)
        for variable in save.values():
            if not IDENTIFIER.fullmatch(variable):
                reader.wrong("bad_name", f"save keeps {variable!r}, which is no name.", "Use a-z, 0-9 and _.")
        return cls(
            name=name,
            system=reader.identifier("system"),
            operation=reader.identifier("operation"),
            send=reader.pairs("send", reader.compiled),
            save=save,
            say=reader.prompt("say"),
            deadline_s=reader.number("deadline_s", 8.0, least=1, most=30),
            answers=answers,
            otherwise=reader.text("otherwise"),
        )

    def enter(self, turn: Turn) -> Move:
        """Say that it takes a moment, and ask."""
        turn.change(requests=turn.state.requests + 1)
        turn.change(phase=f"{self.name}-{turn.state.requests}")
        turn.say(self.say or turn.flow.words("one_moment"))
        return self.again(turn)

    def again(self, turn: Turn) -> Move:
        """Wait on for the same reply."""
        try:
            values = {name: template.plain(turn.values) for name, template in self.send.items()}
        except TemplateError as error:
            return self._failed(turn, str(error))
        wanted = Wanted(
            system=self.system,
            operation=self.operation,
            values=values,
            deadline_s=self.deadline_s,
            key=turn.state.phase,
        )
        return Query(request=wanted)

    def resume(self, turn: Turn, event: Input) -> Move:
        """Keep what came and go by the word; without one that is known, otherwise."""
        if not isinstance(event, Replied):
            return self.again(turn)
        way = self.answers.get(event.result)
        if event.problem or way is None:
            problem = event.problem or f"it answered {event.result!r}, which the step does not know."
            return self._failed(turn, f"{self.system}: {problem}")
        self._keep(turn, event.values)
        turn.settle(way.settle, way.outcome)
        return Next(step=way.then)

    def _failed(self, turn: Turn, problem: str) -> Move:
        turn.problem(problem)
        self._keep(turn, {})
        return Next(step=self.otherwise)

    def _keep(self, turn: Turn, values: Mapping[str, str]) -> None:
        """Keep what came; what did not come stays as it was, and is empty where it was nothing."""
        for name, variable in self.save.items():
            if name in values or variable not in turn.values:
                turn.assign(variable, speakable(values.get(name, "")))

    def exits(self) -> tuple[Exit, ...]:
        """Every answer, and otherwise."""
        answers = (Exit(label=f"answers.{word}.then", to=way.then) for word, way in self.answers.items())
        return (*answers, Exit(label="otherwise", to=self.otherwise))

    def prompts(self) -> Mapping[str, Prompt]:
        """What it says, and what it sends, so that their variables are checked."""
        sent = {f"values.{name}": Prompt(texts={"*": template}) for name, template in self.send.items()}
        return {**sent, "say": self.say} if self.say is not None else sent

    def asks(self) -> str:
        """The system."""
        return self.system

    def assigns(self) -> Mapping[str, str]:
        """The variables that keep the reply."""
        return dict.fromkeys(self.save.values(), "text")


def _way(word: str, reader: Reader) -> Way:
    if not IDENTIFIER.fullmatch(word):
        reader.wrong("bad_name", f"An answer cannot be called {word!r}.", "Use a-z, 0-9 and _.")
    way = Way(
        then=reader.text("then"),
        settle=reader.disposition("settle", SETTLED),
        outcome=reader.identifier("outcome"),
    )
    reader.done()
    return way


STEP = Request
