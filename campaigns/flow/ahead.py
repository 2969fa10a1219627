"""What can be rendered before a campaign's first call: prompts that name campaign variables only.

It renders text; turning it into sound is another room's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from campaigns.flow.filters import Manner
from campaigns.flow.model import Flow
from campaigns.flow.prompt import Prompt
from campaigns.flow.template import Slot, Template
from campaigns.flow.wording import WORDINGS

_CHANGING = frozenset({"date", "day", "moment"})
"""Filters whose words depend on the day."""


def spoken_ahead(flow: Flow, language: str, variables: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """The texts of every ``Say`` that is the same for all contacts, in ``language``, the opening first.

    ``variables`` are the campaign's; a contact that brings its own value for one of them is simply not served ahead.
    """
    fixed = {name: v.default for name, v in flow.variables.items() if v.per == "campaign" and v.default is not None}
    fixed |= {name: value for name, value in variables.items() if name in flow.variables and value.strip()}
    keys = flow.keys
    fixed |= {"key_opt_out": keys.opt_out, "key_agent": keys.agent, "key_language": keys.language}
    manner = Manner(language=language, now=now)
    templates = (prompt.template(language) for prompt in _prompts(flow))
    fitting = (t for t in templates if t is not None and t.names <= fixed.keys() and not _changes(flow, t))
    return tuple(dict.fromkeys(t.render(fixed, manner, flow.kinds) for t in fitting))


def _changes(flow: Flow, template: Template) -> bool:
    slots = [part for part in template.parts if isinstance(part, Slot)]
    used = {name for slot in slots for name, _ in slot.filters or ((flow.kinds.get(slot.name, "text"), ""),)}
    return bool(used & _CHANGING)


def _prompts(flow: Flow) -> Iterator[Prompt]:
    for step in sorted(flow.steps.values(), key=lambda step: step.name != flow.start):
        for key, prompt in step.prompts().items():
            if "*" not in prompt.texts and key != "summary":
                yield prompt
    for question in flow.faq.values():
        yield question.say
    for key in WORDINGS:
        yield flow.words(key)
