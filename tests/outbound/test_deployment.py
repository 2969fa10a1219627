"""Image and compose file fit the product: commands exist, settings exist, the interpreter is one that is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

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


def test_image_sets_only_settings_that_exist() -> None:
    known = {f"OUTBOUND_{field.upper()}" for field in Settings.model_fields}

    assert set(re.findall(r"OUTBOUND_[A-Z_]+", DOCKERFILE)) <= known
