"""Makes the OpenAPI 3.1 document from the same declarations that check requests; it documents nothing by hand."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from outbound import __name__ as product
from outbound.api.calls import KEY_HEADER, MAX_KEY, WRITES
from outbound.api.models import Problem
from outbound.api.problems import CONTENT_TYPE
from outbound.api.routes import Route

Mode = Literal["validation", "serialization"]
Schemas = Mapping[Any, dict[str, Any]]
"""By model and mode."""
REF = "#/components/schemas/{model}"
IDEMPOTENCY = {"$ref": "#/components/parameters/IdempotencyKey"}
PROBLEM_ANSWER = {"$ref": "#/components/responses/Problem"}
DESCRIPTION = (
    "Reaches customers by telephone on behalf of a business, and behaves. Errors are RFC 9457 problem details with a "
    "stable `code`; lists are paged by cursor; every write takes an `Idempotency-Key`; times are RFC 3339 and numbers "
    "E.164."
)


@cache
def document() -> dict[str, Any]:
    """The document of this service; made once, not to be changed."""
    from outbound.api.app import all_routes  # the routes import what documents them

    return build(all_routes())


def build(routes: Iterable[Route]) -> dict[str, Any]:
    """Make the document of ``routes``."""
    table = list(routes)
    schemas, definitions = models_json_schema(_models(table), ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": product.capitalize(),
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}, {"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in table)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "session": {"type": "apiKey", "in": "cookie", "name": "outbound_session"},
            },
            "parameters": {"IdempotencyKey": _idempotency_parameter()},
            "responses": {
                "Problem": {
                    "description": "What is wrong and the remedy.",
                    "content": {CONTENT_TYPE: {"schema": schemas[Problem, "serialization"]}},
                }
            },
        },
    }


def _models(routes: list[Route]) -> list[tuple[type[BaseModel], Mode]]:
    found: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
    for route in routes:
        read = [route.body] if route.body is not None else []
        for model in (*read, *_inside(list(route.consumes.values()))):
            found[model, "validation"] = None
        answered = [route.answer] if route.answer is not None else []
        for model in (*answered, *route.answers.values(), *_inside(list(route.produces.values()))):
            found[model, "serialization"] = None
    return list(found)


def _inside(value: Any) -> Iterable[type[BaseModel]]:
    """Find the models in a hand-written schema."""
    if isinstance(value, type) and issubclass(value, BaseModel):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _inside(item)
    elif isinstance(value, list):
        for item in value:
            yield from _inside(item)


def _filled(value: Any, schemas: Schemas, mode: Mode) -> Any:
    """Put the models' schemas into a hand-written one."""
    if isinstance(value, type):
        return schemas[value, mode]
    if isinstance(value, Mapping):
        return {name: _filled(item, schemas, mode) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, schemas, mode) for item in value]
    return value


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": route.summary,
        "description": inspect.getdoc(route.handler) or "",
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        content = {"application/json": {"schema": schemas[route.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.consumes:
        content = {kind: {"schema": _filled(schema, schemas, "validation")} for kind, schema in route.consumes.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if route.is_open:
        operation["security"] = []
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.parameters
    ]
    if route.query is not None:
        schema = route.query.model_json_schema(ref_template=REF)
        for name, item in schema.get("properties", {}).items():
            description = item.get("description", "")
            found.append({"name": name, "in": "query", "schema": _parameter(item), "description": description})
    if route.method in WRITES and not route.is_open:
        found.append(IDEMPOTENCY)
    return found


def _parameter(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a query parameter: it may be left out, but there is no way to write null."""
    shown = {key: value for key, value in schema.items() if key not in ("title", "description", "anyOf")}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        shown.pop("default", None)
    return shown | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})


def _responses(route: Route, schemas: Schemas) -> dict[str, Any]:
    answers = dict(route.answers)
    if not answers and route.answer is not None:
        answers = {route.status: route.answer}
    found: dict[str, Any] = {
        str(status): _answer({"application/json": schemas[model, "serialization"]}) for status, model in answers.items()
    }
    if route.produces:
        content = {kind: _filled(schema, schemas, "serialization") for kind, schema in route.produces.items()}
        found[str(route.status)] = _answer(content)
    elif not found:
        found[str(route.status)] = {"description": _reason(route.status)}
    return found | {"default": PROBLEM_ANSWER}


def _answer(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": "Done.", "content": {kind: {"schema": schema} for kind, schema in content.items()}}


def _reason(status: int) -> str:
    return "Done; there is nothing more to say." if status == 204 else "Done."


def _idempotency_parameter() -> dict[str, Any]:
    return {
        "name": KEY_HEADER,
        "in": "header",
        "required": False,
        "description": "Under one key a write is done once; a repeat gets the same answer for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
        "example": "5f1f9f3e-6a0e-4d7b-9a50-2f5a4f0c7a11",
    }
