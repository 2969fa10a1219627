"""Words in which nothing was understood, looked at once more by a model that the host may ask; off by default.

It may only choose among what the step listens for and the FAQ: never an opt-out, a person, or anything that binds us.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from campaigns.flow.effects import Request
from dialer.asking import Ask
from dialer.catches import Words
from dialer.dialog import Dialog

R = TypeVar("R")
SYSTEM = "@interpreter"
"""No system of the business can have this name."""
DEADLINE_S = 1.5
PATIENCE_S = 0.6
"""After this the customer is told that it takes a moment."""


async def interpreted(reply: R, dialog: Dialog, *, ask: Ask | None, fill: Callable[[], None]) -> R | Words:
    """Words that mean nothing to the flow, as an example of what a model takes them for; everything else as it is."""
    if ask is None or not isinstance(reply, Words) or not reply.text.strip() or dialog.intent_of(reply) is not None:
        return reply
    choices, language = dialog.choices(), dialog.state.language
    if not choices:
        return reply
    values = {"text": reply.text, "language": language, "choices": json.dumps(choices, ensure_ascii=False)}
    key = f"{reply.started_s:.3f}"
    request = Request(system=SYSTEM, operation="choose", values=values, deadline_s=DEADLINE_S, key=key)
    asking = asyncio.ensure_future(ask(request))
    await asyncio.wait({asking}, timeout=PATIENCE_S)
    if not asking.done():
        fill()
    replied = await asking
    if replied.problem or replied.result not in choices:
        return reply
    return replace(reply, text=choices[replied.result], said=reply.text)
