"""Which sentences of a call are said to everybody alike, so that their sound may be kept for other calls.

Only what is known to hold nothing of the contact is named: a sentence that cannot be placed counts as personal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.flow.document import Flow
from campaigns.flow.filters import Manner
from campaigns.flow.prompt import Prompt
from campaigns.flow.template import Slot, Template
from campaigns.flow.wording import WORDINGS
from dialer.messages import CallRequest
from speech.prompts import sentences

_PERSONAL = "\0"
"""Stands where a contact's value would; no template and no value can hold it."""


class SaidToAll:
    """The sentences of one call's flow that its contact's values are not in."""

    def __init__(self, flow: Flow, request: CallRequest, *, now: datetime) -> None:
        self._flow = flow
        self._now = now.astimezone(ZoneInfo(request.zone))
        defaults = {name: v.default for name, v in flow.variables.items() if v.default is not None}
        shared = {name: request.variables[name] for name in request.shared if request.variables.get(name, "").strip()}
        keys = {"key_opt_out": flow.keys.opt_out, "key_agent": flow.keys.agent, "key_language": flow.keys.language}
        self._values = defaults | shared | keys
        self._known: dict[str, frozenset[str]] = {}

    def includes(self, sentence: str, language: str) -> bool:
        """Whether ``sentence`` is one of them; it is as :func:`speech.prompts.sentences` cuts it."""
        if language not in self._known:
            self._known[language] = frozenset(self._sentences(language))
        return sentence in self._known[language]

    def _sentences(self, language: str) -> Iterator[str]:
        manner = Manner(language=language, now=self._now)
        for template in filter(None, (prompt.template(language) for prompt in self._prompts())):
            text = self._without_contact(template).render(self._values, manner, self._flow.kinds)
            yield from (sentence for sentence in sentences(text) if _PERSONAL not in sentence)

    def _without_contact(self, template: Template) -> Template:
        def shown(part: str | Slot) -> str | Slot:
            return part if isinstance(part, str) or part.name in self._values else _PERSONAL

        return replace(template, parts=tuple(shown(part) for part in template.parts))

    def _prompts(self) -> Iterator[Prompt]:
        for step in self._flow.steps.values():
            yield from step.prompts().values()
        if self._flow.voicemail is not None and self._flow.voicemail.leave is not None:
            yield self._flow.voicemail.leave
        for question in self._flow.faq.values():
            yield question.say
        for key in WORDINGS:
            yield self._flow.words(key)
