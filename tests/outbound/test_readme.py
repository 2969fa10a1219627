"""The README says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from outbound.api.models import CampaignIn, NotificationIn, TrunkIn
from outbound.settings import Settings
from outbound.settings_table import BEGIN, END, settings_table, with_settings_table

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def test_settings_table_is_the_generated_one() -> None:
    document = README.read_text(encoding="utf-8")

    assert with_settings_table(document) == document, "run: python -m outbound.settings_table README.md"


def test_settings_table_names_every_setting_with_a_meaning() -> None:
    rows = settings_table().splitlines()[2:]

    assert len(rows) == len(Settings.model_fields)
    assert all(re.fullmatch(r"\| `OUTBOUND_[A-Z_]+` \| .* \| .{10,} \|", row) for row in rows)


def test_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks a marker"):
        with_settings_table(f"text {END} then {BEGIN}")


def test_the_two_commands_are_in_the_first_screen() -> None:
    first_screen = "\n".join(README.read_text(encoding="utf-8").splitlines()[:30])

    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    documents = [README, *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        target for page in documents for target in re.findall(r"`?make ([a-z]+)`", page.read_text(encoding="utf-8"))
    }

    assert named
    assert named <= targets


def test_every_link_to_a_file_leads_somewhere() -> None:
    pages = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]

    assert not broken


@pytest.mark.parametrize(
    ("address", "model"), [("/trunks", TrunkIn), ("/campaigns", CampaignIn), ("/notifications", NotificationIn)]
)
def test_bodies_of_the_examples_are_what_rest_takes(
    address: str, model: type[TrunkIn | CampaignIn | NotificationIn]
) -> None:
    bodies = re.findall(
        rf"^api {address} --json '(.*?)'$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )

    assert bodies
    for body in bodies:
        model.model_validate(json.loads(body))
