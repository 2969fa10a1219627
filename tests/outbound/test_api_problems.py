"""Everything that goes wrong is problem details with a stable code, whoever noticed it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from outbound.api.models import CampaignIn
from outbound.errors import Unavailable
from tests.outbound.conftest import CAMPAIGN, TRUNK, Api

pytestmark = pytest.mark.integration
JSON = {"Content-Type": "application/json"}


async def test_unknown_addresses_and_methods(bare_api: Api) -> None:
    assert (await bare_api.refused("GET", "/v1/nothing", expect=404))["code"] == "not_found"
    assert (await bare_api.refused("GET", "/nothing", expect=404))["code"] == "not_found"
    assert (await bare_api.refused("GET", "/assets/nothing.js", expect=404))["code"] == "not_found"
    async with bare_api.client.delete("/v1/campaigns") as answer:
        problem = await answer.json()
        assert (answer.status, problem["code"]) == (405, "method_not_allowed")
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Allow"] == "GET, HEAD, POST"
        assert problem["allowed"] == ["GET", "HEAD", "POST"]


MALFORMED = [
    (b"", "line 1, column 1"),
    (b"{", "line 1, column 2"),
    (b'{\n  "name": "x",\n  "purpose": oops\n}', "line 3, column 14"),
    (b'{"name": "a", "name": "b"}', "'name' is there twice"),
    (b'{"name": NaN}', "NaN"),
    (b'{"name": -Infinity}', "Infinity"),
    (b'{"max_duration_s": 1e999}', "too large"),
    (b'{"max_concurrent": ' + b"9" * 5000 + b"}", "too many digits"),
    (b"[" * 50_000, "nested too deep"),
    (b'{"name": "caf\xe9"}', "not UTF-8: byte 14"),
    (b'{"name": "\\ud800"}', "surrogate"),
    (b'{"name": "a\\u0000b"}', "zero character"),
    (b"{'name': 'x'}", "line 1, column 2"),
    (b"\xff\xfe{\x00}\x00", "not UTF-8"),
]


async def test_malformed_json_names_its_place(bare_api: Api) -> None:
    for body, said in MALFORMED:
        problem = await bare_api.refused("POST", "/v1/campaigns", data=body, headers=JSON, expect=400)
        assert problem["code"] == "malformed_json"
        assert said in problem["detail"], body[:60]


async def test_escaped_backslashes_are_not_zero_characters(api: Api) -> None:
    created = await api("POST", "/v1/campaigns", CAMPAIGN | {"name": "a\\u0000b"}, expect=201)
    assert created["name"] == "a\\u0000b"


async def test_a_byte_order_mark_is_no_fault(api: Api) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(CAMPAIGN).encode()
    await api("POST", "/v1/campaigns", data=body, headers=JSON, expect=201)


async def test_other_shapes_than_an_object(bare_api: Api) -> None:
    for body in ([], [CAMPAIGN], "text", 5, None, True):
        problem = await bare_api.refused("POST", "/v1/campaigns", data=json.dumps(body), headers=JSON, expect=422)
        assert problem["errors"][0]["field"] == "body"


async def test_other_types_than_json(bare_api: Api) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        headers = {"Content-Type": kind}
        problem = await bare_api.refused("POST", "/v1/campaigns", data=b"{}", headers=headers, expect=415)
        assert problem["accepted"] == ["application/json"]


async def test_too_large_a_body_is_refused_before_it_is_read(bare_api: Api) -> None:
    body = io.BytesIO(json.dumps({"name": "x" * 1_100_000}).encode())
    problem = await bare_api.refused("POST", "/v1/campaigns", data=body, headers=JSON, expect=413)
    assert problem["code"] == "too_large"


async def test_what_nobody_foresaw_shows_nothing_of_the_inside(bare_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(bare_api.services.stream, "latest", broken)
    async with bare_api.client.get("/v1/events") as answer:
        problem = await answer.json()
    assert (answer.status, problem["code"]) == (500, "internal")
    assert "secret" not in str(problem)


async def test_a_store_that_is_gone_is_worth_another_try(bare_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any) -> None:
        raise Unavailable("the database refused the write; check the disk")

    monkeypatch.setattr(bare_api.services.store, "write", gone)
    async with bare_api.client.post("/v1/trunks", json=TRUNK) as answer:
        problem = await answer.json()
        assert (answer.status, problem["code"], problem["retryable"]) == (503, "unavailable", True)
        assert answer.headers["Retry-After"] == "1"


def test_defaults_of_the_shapes_are_themselves_allowed() -> None:
    made = CampaignIn.model_validate_json(json.dumps(CAMPAIGN), strict=True)
    assert CampaignIn.model_validate_json(made.model_dump_json(), strict=True) == made
