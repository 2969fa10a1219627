"""The OpenAPI document: valid, made from the declarations that check requests, and complete."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from outbound.api.app import all_routes
from outbound.api.openapi import document
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    return set()


def test_the_document_is_valid_openapi_3_1() -> None:
    assert document()["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_every_reference_leads_somewhere_and_no_schema_is_left_over() -> None:
    made = document()
    found = references(made)
    for reference in found:
        place: Any = made
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    schemas = {f"#/components/schemas/{name}" for name in made["components"]["schemas"]}
    assert schemas <= found


def test_every_route_is_in_it_with_summary_and_answers() -> None:
    paths = document()["paths"]
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert len(operations) == len(all_routes())
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for route in all_routes():
        operation = paths[route.path][route.method.lower()]
        assert operation["summary"] == route.summary
        assert operation["description"]
        assert operation["responses"].keys() >= {"default", str(route.status)} - ({"200"} if route.answers else set())
        named = re.findall(r"\{(\w+)\}", route.path)
        assert named == list(route.parameters)


def test_writes_take_an_idempotency_key() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            takes = {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
            assert takes == (method != "get" and path != "/v1/session"), (method, path)


def test_nothing_in_it_is_at_an_outside_address() -> None:
    assert re.findall(r"https?://", json.dumps(document())) == []


def test_fields_are_explained() -> None:
    schemas = document()["components"]["schemas"]
    assert schemas["CampaignIn"]["properties"]["default_region"]["description"].startswith("ISO 3166")
    assert schemas["Window"]["description"]


async def test_it_is_served(api: Api) -> None:
    async with api.client.get("/openapi.json") as answer:
        assert answer.content_type == "application/json"
        assert await answer.json() == json.loads(json.dumps(document()))
