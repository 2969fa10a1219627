"""The pages of the console: served from the package with strict headers; metrics of what was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from outbound.api.app import create_app
from outbound.api.pages import Pages
from outbound.services import Services
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration
Client = TestClient[Any, Any]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text("<!doctype html><title>Console</title>")
    (built / "docs.html").write_text("<!doctype html><title>Docs</title>")
    (built / "assets" / "index-1a2b.js").write_text("export {}")
    (tmp_path / "secret.txt").write_text("secret")
    return built


@pytest.fixture
async def client(services: Services, dist: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(services, pages=Pages(dist)))) as made:
        yield made


async def test_pages_and_assets_are_served_with_strict_headers(client: Client) -> None:
    expected = {"/": ("text/html", "Console"), "/docs": ("text/html", "Docs")}
    expected["/assets/index-1a2b.js"] = ("text/javascript", "export")
    for path, (kind, content) in expected.items():
        async with client.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert content in await answer.text()
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_assets_are_kept_and_pages_are_asked_for_again(client: Client) -> None:
    async with client.get("/assets/index-1a2b.js") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    async with client.get("/") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
    async with client.get("/", headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/x", "/x.html"]
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    async with client.get(path, allow_redirects=False) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_without_built_pages_the_service_says_how_to_build_them(services: Services, tmp_path: Path) -> None:
    async with TestClient(TestServer(create_app(services, pages=Pages(tmp_path / "missing")))) as client:
        for path in ("/", "/docs"):
            async with client.get(path) as answer:
                assert answer.status == 200
                assert "npm run build" in await answer.text()


async def test_metrics_count_by_the_pattern_of_the_address(api: Api) -> None:
    await api.refused("GET", "/v1/contacts/+447700900999", expect=404)
    async with api.client.get("/metrics") as answer:
        text = await answer.text()
    assert "447700900999" not in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for sample in samples
        if sample.name == "outbound_http_requests_total"
    }
    assert found["GET", "/v1/contacts/{number}", "404"] == 1
    assert found["POST", "/v1/trunks", "201"] == 1
    assert any(sample.name == "outbound_http_request_seconds_count" for sample in samples)
