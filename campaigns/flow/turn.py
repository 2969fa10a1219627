"""One turn being worked out: the input, what it means, and the effects and state that come of it.

It lives for one ``advance`` only and decides nothing by itself; steps and the engine write into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.dispositions import Disposition
from campaigns.flow import effects as fx
from campaigns.flow.filters import Manner
from campaigns.flow.inputs import Digits, Heard, Input
from campaigns.flow.model import Flow, Step
from campaigns.flow.prompt import Prompt
from campaigns.flow.state import State
from campaigns.flow.template import Template, TemplateError
from campaigns.understanding.matcher import Match, understand
from campaigns.understanding.times import read_time
from campaigns.understanding.vocabulary import sayings

_ALWAYS_SAID = frozenset(
    {
        *("opt_out", "agent", "wrong_person", "call_later", "busy_now", "are_you_a_robot", "who_is_this"),
        *("refuse_offer", "already_done", "repeat", "slower", "hold_on", "goodbye"),
    }
)
"""Intents whose typical phrases are listened for at every step (campaigns/flow/anytime.py takes them)."""
_PROVE_NOBODY = frozenset({"greeting", "repeat", "hold_on", "voicemail", "screening", "menu"})
"""Intents that an answering machine's greeting has as well ("hello", "please hold")."""


@cache
def zone(name: str) -> ZoneInfo:
    """Read a time zone. Raises :class:`ValueError` or :class:`LookupError` for one that is not known."""
    return ZoneInfo(name)


class Turn:
    """One input and everything that comes of it."""

    def __init__(self, flow: Flow, state: State, event: Input | None) -> None:
        self.flow, self.state, self.event = flow, state, event
        self.effects: list[fx.Effect] = []
        self._said: list[str] = []
        self._question: list[str] = []
        self._hear(event)

    def _hear(self, event: Input | None) -> None:
        if isinstance(event, Heard | Digits):
            words = event.text if isinstance(event, Heard) else event.digits
            now = event.at.astimezone(zone(self.state.zone)).isoformat() if event.at else self.state.now
            self.change(words=words or self.state.words, now=now)

    # What is known

    @property
    def step(self) -> Step:
        """The step the conversation is in."""
        return self.flow.steps.get(self.state.step) or Step(name=self.state.step)

    @property
    def now(self) -> datetime:
        """The latest instant known, in the customer's zone."""
        return datetime.fromisoformat(self.state.now).astimezone(zone(self.state.zone))

    @property
    def text(self) -> str:
        """What the customer just said; empty when it was not speech."""
        return self.event.text if isinstance(self.event, Heard) else ""

    @property
    def digits(self) -> str:
        """What the customer just pressed."""
        return self.event.digits if isinstance(self.event, Digits) else ""

    @property
    def values(self) -> dict[str, str]:
        """Everything a prompt may name."""
        keys = self.flow.keys
        told = {"key_opt_out": keys.opt_out, "key_agent": keys.agent, "key_language": keys.language}
        return {**told, **self.state.values}

    def meanings(self, expected: Iterable[str], phrases: Mapping[str, Iterable[str]] | None = None) -> list[Match]:
        """What the customer's words mean, as they are taken now."""
        return understand(self.text, self.state.language, frozenset(expected), phrases) if self.text else []

    def time(self) -> datetime | None:
        """The time that the customer's words name."""
        return read_time(self.text, self.state.language, self.now) if self.text else None

    def render(self, template: Template, more: Mapping[str, str] | None = None) -> str:
        """Fill in a template. Raises :class:`TemplateError` when a value is missing."""
        manner = Manner(language=self.state.language, now=self.now)
        return template.render({**self.values, **(more or {})}, manner, self.flow.kinds)

    def phrase(self, template: Template) -> str:
        """A phrase to be listened for; empty where a value that it names is missing or empty."""
        if not all(self.values.get(name, "").strip() for name in template.names):
            return ""
        return self.render(template) if template.names else template.source

    # What comes of it

    def change(self, **fields: Any) -> None:
        """Change the state."""
        self.state = replace(self.state, **fields)

    def say(
        self,
        prompt: Prompt | None,
        *,
        question: bool = False,
        after_beep: bool = False,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Speak a prompt; ``question`` marks what is said again when the customer asks for it."""
        template = prompt.template(self.state.language) if prompt else None
        if template is None:
            return
        try:
            text = self.render(template, more)
        except TemplateError as error:
            self.problem(str(error))
            return
        self.speak(text, question=question, after_beep=after_beep)

    def speak(self, text: str, *, question: bool = False, after_beep: bool = False) -> None:
        """Speak words that are ready."""
        if not text:
            return
        self._said.append(text)
        if question:
            self._question.append(text)
        state = self.state
        self.effects.append(
            fx.Say(
                text=text,
                language=state.language,
                barge_in=not after_beep,
                after_beep=after_beep,
                slow=state.slow and not after_beep,
            )
        )

    def say_wording(self, key: str, more: Mapping[str, str] | None = None) -> None:
        """Speak one of the sentences that every flow has."""
        self.say(self.flow.words(key), more=more)

    def understood(self, intent: str | None, confidence: float = 1.0) -> None:
        """Say how the input was taken."""
        self.effects.append(fx.Understood(intent=intent, confidence=round(confidence, 3)))
        if intent is not None and intent not in _PROVE_NOBODY:
            self.change(understood=self.state.understood + 1)

    def settle(self, disposition: Disposition | None, outcome: str = "") -> None:
        """Settle how the call ends if nothing else comes; an opt-out is never unsettled."""
        if self.state.opted_out:
            return
        if disposition is Disposition.DECLINED:
            self.refuse()
        self.change(
            settled=disposition.value if disposition else self.state.settled, outcome=outcome or self.state.outcome
        )

    def refuse(self) -> None:
        """Tell that the customer refused the offer, unless it was told; silence refuses nothing."""
        if self.state.refused or not isinstance(self.event, Heard | Digits):
            return
        self.change(refused=True)
        self.effects.append(fx.Refusal(words=self.state.words))

    def assign(self, name: str, value: str) -> None:
        """Keep a collected value."""
        self.change(values={**self.state.values, name: value})
        self.effects.append(fx.SetVariable(name=name, value=value))

    def problem(self, message: str) -> None:
        """Tell the operator that something could not be done."""
        self.effects.append(fx.Problem(step=self.state.step, message=message))

    def listen(self, step: Step, **options: Any) -> fx.Listen:
        """What to wait for in ``step``: its own answers, and what may be said at any time."""
        said = sayings(self.state.language, _ALWAYS_SAID | step.expected())
        questions = (phrase for one in self.flow.faq.values() for phrase in one.ask.get(self.state.language, ()))
        own = (*options.pop("phrases", ()), *questions)
        return fx.Listen(phrases=(*own, *said), **options)

    def closed(self) -> State:
        """The state after this turn."""
        return replace(
            self.state,
            batch=tuple(self._said),
            question=tuple(self._question) or self.state.question,
            turns=self.state.turns + (self.event is not None),
        )
