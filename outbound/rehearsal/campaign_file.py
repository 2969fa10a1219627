"""A campaign as a file: what ``POST /v1/campaigns`` takes, plus its contacts as a list or a CSV beside it.

It reads and checks; it rings nobody and knows no server.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from outbound.api.models import CampaignIn, ContactIn
from outbound.errors import Invalid
from outbound.rehearsal.cast import load
from outbound.yaml_files import load_yaml

FIELDS = frozenset(ContactIn.model_fields) - {"variables"}


class _Document(CampaignIn):
    contacts: str | list[ContactIn] = Field(default_factory=list)
    """A CSV file beside this one, or the contacts themselves."""
    callflow_file: str = ""
    """A call flow of the operator's own, beside this file; without it ``callflow`` is a built-in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFile:
    """A campaign to be rehearsed."""

    key: str
    """File name without its ending; the cast's expectations use it."""
    path: Path
    campaign: CampaignIn
    contacts: tuple[ContactIn, ...]
    flow: dict[str, Any] | None = None
    """The operator's own call flow, to be stored as ``campaign.callflow``."""


def load_campaign(path: Path) -> CampaignFile:
    """Read a campaign file. Raises :class:`Invalid` that names file, line and remedy."""
    document = load(path, _Document)
    listed = document.contacts
    contacts = read_contacts(path.parent / listed) if isinstance(listed, str) else tuple(listed)
    flow = load_yaml(path.parent / document.callflow_file) if document.callflow_file else None
    fields = {name: getattr(document, name) for name in document.model_fields_set - {"contacts", "callflow_file"}}
    return CampaignFile(key=path.stem, path=path, campaign=CampaignIn(**fields), contacts=contacts, flow=flow)


def read_contacts(path: Path) -> tuple[ContactIn, ...]:
    """Read a CSV with a header. Raises :class:`Invalid` naming file, line and column; real imports go through REST."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "number" not in (reader.fieldnames or ()):
                there = ", ".join(reader.fieldnames or ()) or "none"
                raise Invalid(
                    f"{path.name}, line 1: column 'number' is missing; the header has: {there}", code="column_missing"
                )
            return tuple(_contact(path, reader.line_num, row) for row in reader)
    except FileNotFoundError:
        raise Invalid(f"{path.name}: there is no such file", code="file_missing") from None
    except UnicodeDecodeError:
        raise Invalid(f"{path.name}: not UTF-8; save it as UTF-8", code="bad_encoding") from None


def _contact(path: Path, line: int, row: dict[str | Any, Any]) -> ContactIn:
    """Every column that is not a field of the contact is a variable."""
    if None in row or None in row.values():
        raise Invalid(f"{path.name}, line {line}: not as many cells as the header has columns", code="bad_row")
    fields = {name: value for name, value in row.items() if name in FIELDS and value}
    variables = {name: value for name, value in row.items() if name not in FIELDS}
    try:
        return ContactIn(**fields, variables=variables)
    except ValidationError as error:
        wrong = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
        raise Invalid(f"{path.name}, line {line}: {wrong}", code="bad_row") from None
