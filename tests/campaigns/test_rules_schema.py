"""The JSON Schema of rule packs says what the reader takes: every pack fits, and what it refuses the reader refuses."""

from __future__ import annotations

import copy
import json
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from campaigns.rules import RulesError, read_pack

pytestmark = pytest.mark.unit

FOLDER = files("campaigns.rules")
SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NAMES = sorted(item.name for item in FOLDER.iterdir() if item.name.endswith(".toml"))


def plain(value: Any) -> Any:
    """A TOML value as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = plain(tomllib.loads((FOLDER / name).read_text(encoding="utf-8")))
    return document


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_every_pack_fits_the_schema_and_reads_as_json_too(name: str) -> None:
    document = load(name)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert read_pack(document, file=name).name == name[:-5]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_or_misspelt_is_refused_by_both(name: str) -> None:
    document = load(name)
    places = [("", document)] + [
        (key, rule)
        for key, rules in document.items()
        if isinstance(rules, list)
        for rule in rules
        if isinstance(rule, dict)
    ]
    for _, place in places:
        for key in [*place]:
            kept = place.pop(key)
            place[f"{key}x"] = kept
            assert not VALIDATOR.is_valid(document), key
            with pytest.raises(RulesError):
                read_pack(copy.deepcopy(document), file=name)
            del place[f"{key}x"]
            place[key] = kept


def test_the_documented_pack_is_one() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "rule-packs.md").read_text(encoding="utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    assert read_pack(tomllib.loads(text), file="docs/rule-packs.md").hours
    assert [error.message for error in VALIDATOR.iter_errors(plain(tomllib.loads(text)))] == []
