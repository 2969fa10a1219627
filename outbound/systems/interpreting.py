"""Asks an OpenAI-compatible model which of a few meanings words had; off unless the operator names one.

It is asked only about words in which the product found nothing, and may only choose among the step's own answers and
the FAQ: opt-outs, wishes for a person and the gate are never its to decide. What customers say leaves the machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from dialer.interpreting import SYSTEM
from outbound.settings import Settings
from outbound.webhooks.posting import Poster

_TOLD = (
    "A customer on the telephone was asked something and said the words below. Answer with the one name from the list "
    "whose example means the same, or with none. Answer with nothing else."
)


class Interpreter:
    """One model behind ``POST {url}/chat/completions``."""

    def __init__(self, settings: Settings, poster: Poster) -> None:
        self._url = settings.llm_url.rstrip("/") + "/chat/completions"
        self._key, self._model, self._poster = settings.llm_key, settings.llm_model, poster

    async def ask(self, request: Request) -> Replied:
        """Which of the choices it was; a problem where it is none, or nobody can tell in time. Raises nothing."""
        choices: Mapping[str, str] = json.loads(request.values["choices"])
        listed = "\n".join(f"- {name}: {example}" for name, example in choices.items())
        said = f"{listed}\n\nWords ({request.values['language']}): {request.values['text']}"
        messages = [{"role": "system", "content": _TOLD}, {"role": "user", "content": said}]
        body = {"model": self._model, "messages": messages, "temperature": 0, "max_tokens": 12}
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        answer = await self._poster.post(
            self._url, headers, json.dumps(body).encode(), private=True, timeout_s=request.deadline_s, keep=True
        )
        if not answer.delivered:
            return Replied(problem=f"the model of OUTBOUND_LLM_URL: {answer.error}")
        return _read(answer.body, choices)


def _read(body: bytes, choices: Mapping[str, str]) -> Replied:
    try:
        text = str(json.loads(body)["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError):
        return Replied(problem="the model of OUTBOUND_LLM_URL: its answer is no chat completion")
    name = text.strip().strip(".\"'`").casefold()
    return Replied(result=name) if name in choices else Replied(problem="it chose none")


def is_for_it(request: Request) -> bool:
    """Whether a call asks the model, and no system of the business."""
    return request.system == SYSTEM
