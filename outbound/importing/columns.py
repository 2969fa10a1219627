"""Takes the columns of a file apart: fields of a contact, variables of the flow, columns to be left out.

Only names are looked at; a column that is none of these is an error with the nearest name, never guessed or dropped.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from outbound.importing.source import FileRefused

_PLACES = ("zone", "country", "region", "postcode")
FIELDS = ("number", "number_2", "number_3", "ref", "name", "language", *_PLACES, "consent")
_MEANT = {
    "postcode": ("postal_code", "postalcode", "post_code", "zip", "zip_code", "zipcode", "plz", "code_postal", "cep"),
    "region": ("state", "province", "subdivision", "state_code", "province_code", "bundesland"),
    "country": ("country_code", "nation", "land", "pays"),
    "zone": ("timezone", "time_zone", "tz"),
}
"""Field -> other names in use for it: they are offered, not taken, because a variable may bear them."""
_LIKELY_NUMBER = re.compile(r"phone|mobile|tel|cell|msisdn|contact|nummer|num[eé]ro|n[uú]mero|电话|手机", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What each column of a file means, in their order; ``None`` is a column that is left out."""

    names: tuple[str | None, ...]
    variables: frozenset[str]

    def fields(self, cells: Sequence[str]) -> dict[str, object]:
        """Arrange a row as the fields of ``ContactIn``; an empty cell is a field that was not given."""
        found: dict[str, object] = {}
        variables: dict[str, str] = {}
        for name, cell in zip(self.names, cells, strict=False):
            if name is None or not cell.strip():
                continue
            if name in self.variables:
                variables[name] = cell
            else:
                found[name] = cell
        return found | {"variables": variables}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a file's columns may be and must be."""

    known: Collection[str]
    """Names of the flow's variables."""
    required: Collection[str]
    """Variables that every contact must bring."""
    ignored: Collection[str] = ()
    """Columns to be left out."""


def normal(name: str) -> str:
    """A column's name as it is compared: lower case, ``_`` for spaces and hyphens."""
    return _SEPARATORS.sub("_", name.strip().strip("\ufeff")).casefold()


def read_header(cells: Sequence[str], wanted: Wanted) -> Columns:
    """Recognise the columns. Raises :class:`FileRefused` naming all faults."""
    variables = {normal(name): name for name in wanted.known}
    left_out = {normal(name) for name in wanted.ignored}
    names: list[str | None] = []
    unknown: list[str] = []
    for cell in cells:
        key = normal(cell)
        if key in left_out or not key:
            names.append(None)
        elif key in FIELDS:
            names.append(key)
        elif key in variables:
            names.append(variables[key])
        else:
            unknown.append(cell.strip()[:40])
            names.append(None)
    _check(names, unknown, cells, wanted)
    return Columns(names=tuple(names), variables=frozenset(wanted.known))


def supplied_by_fields(given: Collection[str | None]) -> set[str]:
    """Variables that fields of a contact stand for: its name is what flows call ``customer_name``."""
    return {"customer_name"} if "name" in given else set()


def _check(names: Sequence[str | None], unknown: list[str], cells: Sequence[str], wanted: Wanted) -> None:
    faults: list[str] = []
    known = [*FIELDS, *wanted.known]
    if "number" not in names:
        faults.append(_no_number(cells, unknown))
    elif unknown:
        faults.extend(_unknown(name, known) for name in unknown[:5])
        faults.append(f"or leave them out with ignore_columns={','.join(unknown[:5])}")
    twice = [name for name, count in Counter(name for name in names if name).items() if count > 1]
    if twice:
        faults.append(f"column {', '.join(map(repr, twice))} is there twice; remove one")
    missing = sorted(set(wanted.required) - set(names) - supplied_by_fields(names))
    if missing and not faults:
        remedy = "add it, or give it to the campaign for everybody"
        faults.append(f"there is no column {', '.join(map(repr, missing))}, which the call flow needs; {remedy}")
    if faults:
        raise FileRefused("; ".join(faults), code="columns")


def _no_number(cells: Sequence[str], unknown: list[str]) -> str:
    there = ", ".join(repr(cell.strip()[:40]) for cell in cells[:12])
    likely = next((name for name in unknown if _LIKELY_NUMBER.search(name)), None)
    likely = likely or next(iter(difflib.get_close_matches("number", unknown, n=1, cutoff=0.5)), None)
    remedy = f"rename {likely!r} to 'number'" if likely else "name the column of telephone numbers 'number'"
    return f"there is no column 'number' (line 1 has {there}); {remedy}"


def _unknown(name: str, known: list[str]) -> str:
    meant = [field for field, names in _MEANT.items() if normal(name) in names]
    near = meant or difflib.get_close_matches(normal(name), known, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"column {name!r} is neither a field of a contact nor a variable of the call flow; {remedy}"
