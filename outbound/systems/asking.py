"""Asks a system of the business within a deadline, and again where that cannot act twice; it follows no redirect.

Tried again: no connection, 408, 425, 429 and 5xx. Every other answer is final.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from campaigns.flow.effects import Request
from campaigns.flow.inputs import Replied
from outbound.errors import NotFound
from outbound.services import Services
from outbound.store import Store, systems
from outbound.systems.interpreting import Interpreter, is_for_it
from outbound.systems.question import Question, read_answer
from outbound.webhooks.posting import Answer, Poster
from outbound.webhooks.targets import PrivateTargets

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Before the second try, and between later ones; each is doubled."""
SHORTEST_TRY_S = 1.0
AGAIN = frozenset({408, 425, 429})


class Asker:
    """Asks systems for calls."""

    def __init__(
        self,
        store: Store,
        poster: Poster,
        *,
        clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        interpreter: Interpreter | None = None,
    ) -> None:
        self._store, self._poster, self._clock, self._pause = store, poster, clock, pause
        self._interpreter = interpreter

    async def ask(self, attempt_id: str, request: Request) -> Replied:
        """Ask for the call of an attempt; raises nothing and is over within ``request.deadline_s``."""
        if is_for_it(request):
            return await self._interpreter.ask(request) if self._interpreter else Replied(problem="no model is set")
        try:
            row = await self._store.read(lambda connection: systems.get(connection, request.system))
        except NotFound as error:
            return Replied(problem=error.detail)
        question_id = f"{attempt_id}-{request.key}"
        question = Question(id=question_id, attempt_id=attempt_id, request=request, asked_at=self._clock())
        return await self._ask_there(row, question)

    async def try_out(self, row: Mapping[Any, Any], trial_id: str, request: Request) -> Replied:
        """Ask the system in ``row`` for an operator, who only wants to know whether it answers."""
        return await self._ask_there(row, Question(id=trial_id, attempt_id="", request=request, asked_at=self._clock()))

    async def _ask_there(self, row: Mapping[Any, Any], question: Question) -> Replied:
        request = question.request
        tries = _Tries(request.deadline_s)
        try:
            async with asyncio.timeout(request.deadline_s):
                return await self._until_answered(row, question, tries)
        except TimeoutError:
            return Replied(problem=tries.problem(f"no answer within {request.deadline_s:g} s"))

    async def _until_answered(self, row: Mapping[Any, Any], question: Question, tries: _Tries) -> Replied:
        body = question.body()
        while True:
            answer = await self._poster.post(
                row["url"],
                question.headers(row["secrets"], body, now=self._clock()),
                body,
                private=row["private_allowed"],
                timeout_s=tries.next_s,
                keep=True,
            )
            if answer.delivered:
                return read_answer(answer.body)
            tries.note(answer)
            pause_s = max(random.uniform(0.5, 1.0) * tries.pause_s, answer.retry_after_s)  # noqa: S311 - no secret
            if not _may_act_later(answer) or pause_s >= question.request.deadline_s:
                return Replied(problem=tries.problem(answer.error))
            await self._pause(pause_s)


@asynccontextmanager
async def asking(services: Services) -> AsyncIterator[Asker]:
    """An asker with connections of its own, until the block is left."""
    allowed = PrivateTargets.read(services.settings.webhook_private_targets)
    anywhere = PrivateTargets(everything=True)  # the operator's own setting says where the model is
    async with Poster(allowed, clock=services.clock) as poster, Poster(anywhere, clock=services.clock) as open_poster:
        interpreter = Interpreter(services.settings, open_poster) if services.settings.llm_url else None
        yield Asker(services.store, poster, clock=services.clock, interpreter=interpreter)


class _Tries:
    """How often one question was put, and what came of it."""

    def __init__(self, deadline_s: float) -> None:
        self.next_s = max(deadline_s / 2, SHORTEST_TRY_S)
        """A try may take half of the time, so that one that hangs leaves room for another."""
        self._count, self._last = 0, ""

    @property
    def pause_s(self) -> float:
        return float(min(FIRST_PAUSE_S * 2 ** (self._count - 1), LONGEST_PAUSE_S))

    def note(self, answer: Answer) -> None:
        self._count, self._last = self._count + 1, answer.error

    def problem(self, reason: str) -> str:
        last = f", the last: {self._last}" if self._last not in ("", reason) else ""
        return f"{reason} (tries: {self._count}{last})" if self._count > 1 or last else reason


def _may_act_later(answer: Answer) -> bool:
    return not answer.refused and (answer.code == 0 or answer.code >= 500 or answer.code in AGAIN)
