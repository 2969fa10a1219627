"""Says what is wrong with a value in words an integrator can act on: the field's path, the fault, the nearest name."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError

from outbound.api.models import FieldError

SHOWN = 20


def field_errors(error: ValidationError, model: type[BaseModel]) -> list[FieldError]:
    """Translate pydantic's findings, at most 20 of them; unknown names first, since they explain missing ones."""
    found = error.errors(include_url=False, include_input=False, include_context=True)
    found.sort(key=lambda item: item["type"] != "extra_forbidden")
    return [_translate(item, model) for item in found[:SHOWN]]


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which known name ``name`` may have meant."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(sorted(known)[:30])}" if known else "none is known here"


def path_of(location: Sequence[int | str]) -> str:
    """Write a location as ``windows[0].start``; the whole is ``body``."""
    written = ""
    for part in location:
        if isinstance(part, int):
            written += f"[{part}]"
        elif part != "[key]":
            written += f".{part}" if written else part
    return written[:200] or "body"


def _translate(item: Any, model: type[BaseModel]) -> FieldError:
    location: tuple[int | str, ...] = item["loc"]
    code: str = item["type"]
    if code == "extra_forbidden":
        name = str(location[-1])[:64]
        reason = f"unknown field; {nearest(name, _names_at(model, location[:-1]))}"
        return FieldError(field=path_of(location), code="unknown_field", reason=reason)
    reason = str(item["msg"]).removeprefix("Value error, ")
    if code == "missing":
        reason = "the field is required"
    return FieldError(field=path_of(location), code=code, reason=reason)


def _names_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """List the field names of the object at ``location`` below ``model``."""
    here: list[Any] = [model]
    for part in location:
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                info = kind.model_fields.get(str(part))
                below.extend(_kinds(info.annotation) if info else ())
            else:
                below.extend(inner for argument in typing.get_args(kind)[-1:] for inner in _kinds(argument))
        here = below
    return [
        name for kind in here if isinstance(kind, type) and issubclass(kind, BaseModel) for name in kind.model_fields
    ]


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield what an annotation may be: models and containers, without ``Annotated`` and unions around them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _kinds(typing.get_args(annotation)[0])
    elif origin in (typing.Union, UnionType):
        for argument in typing.get_args(annotation):
            yield from _kinds(argument)
    else:
        yield annotation
