"""The thin layer between aiohttp and the handlers: one declaration gives a route its validation and its OpenAPI.

A handler is ``async def handler(call, *, <path parameters>, query: Model, body: Model) -> Answer[Model] | Model``; its
signature says what is read and checked before it runs and what it answers. It holds no rule of the service.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

B = TypeVar("B", bound=BaseModel | None, covariant=True)
H = TypeVar("H", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[B]):
    """What a handler answers."""

    body: B
    status: int | None = None
    """``None``: the route's own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: tuple[Callable[[], Awaitable[None] | None], ...] = ()
    """Told to the world after the commit, and not again when the answer is repeated."""
    repeated: BaseModel | None = None
    """What a repeat under the same ``Idempotency-Key`` gets instead of ``body``, where that holds a secret."""
    stored: bytes | None = None
    """The body as it was answered before, for a repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    summary: str
    tag: str
    status: int
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    parameters: tuple[str, ...]
    consumes: Mapping[str, Any]
    """Media types of a body that the handler reads by itself, each with its JSON Schema."""
    answers: Mapping[int, type[BaseModel]]
    """What is answered by status, where it is not ``answer`` alone."""
    produces: Mapping[str, Any]
    """Media types that are answered instead of JSON, each with its JSON Schema."""
    is_open: bool
    """Whether no API key is needed."""


class Routes:
    """A table of routes; handlers are added by decorators."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Route] = []

    def add(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        status: int = 200,
        consumes: Mapping[str, Any] | None = None,
        answers: Mapping[int, type[BaseModel]] | None = None,
        produces: Mapping[str, Any] | None = None,
        is_open: bool = False,
    ) -> Callable[[H], H]:
        """Declare the decorated handler for a method of an address."""

        def declare(handler: H) -> H:
            hints = typing.get_type_hints(handler)
            route = Route(
                method=method,
                path=path,
                handler=handler,
                summary=summary,
                tag=self.tag,
                status=status,
                body=hints.get("body"),
                query=hints.get("query"),
                answer=_answer_model(hints.get("return")),
                parameters=tuple(
                    name for name in inspect.signature(handler).parameters if name not in ("call", "body", "query")
                ),
                consumes=consumes or {},
                answers=answers or {},
                produces=produces or {},
                is_open=is_open,
            )
            self.all.append(route)
            return handler

        return declare


def _answer_model(hint: Any) -> type[BaseModel] | None:
    for candidate in (hint, *typing.get_args(hint)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
