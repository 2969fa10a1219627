"""Where the call flow stands in one conversation: feeds it what the customer does, and tries out what it would do.

It says and hears nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.flow.effects import Effect, RecordOptOut, Understood
from campaigns.flow.engine import State, advance
from campaigns.flow.inputs import Digits, Input, Machine
from dialer.catches import Beeped, Caught, Keys, Signalled, Words
from dialer.script import Script


class Dialog:
    """One flow on its way."""

    def __init__(self, script: Script) -> None:
        self.flow = script.flow
        self.state, self.effects = script.state, script.effects
        self.unheard = 0
        """Sentences of the last effects that the customer has not heard."""

    @property
    def met_human(self) -> bool:
        """Whether something was understood that only a person can have meant."""
        return self.state.understood > 0

    def advance(self, what: Input) -> str | None:
        """Feed one input; returns how it was understood."""
        self.state, self.effects = advance(self.flow, self.state, what)
        return _intent(self.effects)

    def dry_run(self, caught: Caught, state: State | None = None) -> Sequence[Effect]:
        """What the flow would do (in ``state``, or now); nothing is fed."""
        return advance(self.flow, state or self.state, self.as_input(caught))[1]

    def intent_of(self, words: Words, state: State | None = None) -> str | None:
        """How the flow would understand ``words``; nothing is fed."""
        return _intent(self.dry_run(words, state))

    def is_opt_out(self, caught: Words | Keys) -> bool:
        """Whether the flow would record an opt-out."""
        return any(isinstance(effect, RecordOptOut) for effect in self.dry_run(caught))

    def choices(self) -> dict[str, str]:
        """What the step listens for and the FAQ, each by an example that is taken for it; nothing that binds us."""
        language, step = self.state.language, self.flow.steps.get(self.state.step)
        if step is None or self.state.ended or self.state.elsewhere:
            return {}
        questions = {name: one.ask[language][0] for name, one in self.flow.faq.items() if one.ask.get(language)}
        return {**questions, **step.choices(language)}

    def as_input(self, caught: Caught) -> Input:
        """What was caught, as the flow takes it."""
        match caught:
            case Words():
                return caught.as_input(unheard=self.unheard)
            case Keys(digits=digits, at=at):
                return Digits(digits=digits, at=at)
            case Beeped() | Signalled():
                return Machine()


def _intent(effects: Sequence[Effect]) -> str | None:
    return next((effect.intent for effect in effects if isinstance(effect, Understood)), None)
