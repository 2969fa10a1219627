"""Image and compose file fit the product: commands exist, settings exist, the interpreter is one that is allowed."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from outbound.cli import main
from outbound.settings import Settings

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OWN = ("web", "worker", "dialer")


@pytest.fixture
def services() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services: dict[str, Any] = document["services"]
    return services


@pytest.mark.parametrize("name", OWN)
def test_service_runs_a_command_that_exists_with_settings_that_exist(services: dict[str, Any], name: str) -> None:
    program, command, *options = services[name]["command"]
    known = {f"OUTBOUND_{field.upper()}" for field in Settings.model_fields}

    assert program == "outbound"
    assert isinstance(main, click.Group)
    accepted = {flag for parameter in main.commands[command].params for flag in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= accepted
    assert set(services[name]["environment"]) <= known


def test_services_share_one_data_directory(services: dict[str, Any]) -> None:
    """Uploads go from web to worker through it, recordings from dialer to web."""
    assert [services[name]["volumes"] for name in OWN] == [["data:/data"]] * len(OWN)


def test_no_password_is_written_down(services: dict[str, Any]) -> None:
    passwords = re.findall(r"(?:PASSWORD: |outbound:)(\S+?)(?:@|$)", yaml.safe_dump(services, width=1000), re.MULTILINE)

    assert passwords
    assert all(password.startswith(("${POSTGRES_PASSWORD", "0.1.0")) for password in passwords)


def test_image_runs_the_product_as_nobody_special() -> None:
    assert re.search(r"^ARG BASE=python:3\.1[12]-slim", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^USER outbound$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", DOCKERFILE, re.MULTILINE)
    assert '"outbound", "up"' in DOCKERFILE
    assert isinstance(main, click.Group)
    assert "up" in main.commands


def health_check() -> list[str]:
    """The command of the image, run by an interpreter of this machine."""
    (command,) = re.findall(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    program, *arguments = json.loads(command)
    assert program == "python"
    return [sys.executable, *arguments]


@pytest.mark.parametrize("name", OWN)
def test_every_service_is_looked_after(services: dict[str, Any], name: str) -> None:
    """Hosts without REST have a port for it, and nobody switches the image's check off."""
    assert "healthcheck" not in services[name]
    assert ("OUTBOUND_METRICS_PORT" in services[name]["environment"]) == (name != "web")


@pytest.mark.parametrize("setting", ["OUTBOUND_PORT", "OUTBOUND_METRICS_PORT"])
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
async def test_the_check_of_the_image_asks_whether_the_host_is_ready(setting: str, status: int, code: int) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        environment = {"OUTBOUND_PORT": "1", setting: str(server.port)}
        process = await asyncio.create_subprocess_exec(
            *health_check(), env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == code
    assert asked == ["/readyz"]


def test_image_sets_only_settings_that_exist() -> None:
    known = {f"OUTBOUND_{field.upper()}" for field in Settings.model_fields}

    assert set(re.findall(r"OUTBOUND_[A-Z_]+", DOCKERFILE)) <= known
