"""Takes rows that are as they should be at a fraction of the cost; every other row is left to rows.py.

It never says what is wrong with a row: what it takes, rows.py would take with the same result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from pydantic import ValidationError

from campaigns.flow.filters import READERS
from outbound.api.models import Consent, ContactIn
from outbound.importing.cells import CellRefused, clean
from outbound.importing.columns import Columns
from outbound.importing.numbers import written_digits
from outbound.importing.plain_numbers import PlainNumber, plain_number
from outbound.importing.rows import ContactRules
from outbound.places import ZoneRefused, deciding_digits, place_of_ordinary
from outbound.store.contacts import Ready

REMEMBERED, VALUES_REMEMBERED = 20_000, 1000
"""Places, and values of a column, that are kept at most, so that memory stays flat."""
TEXT_LIMIT, VALUE_LIMIT = 120, 500
PLACE_LIMITS = {"zone": 64, "country": 64, "region": 80, "postcode": 20}
"""Characters that ``ContactIn`` allows: of name and ref, of a variable, of what tells a place."""
NAMES_A_CONTACT = "customer_name"
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_CONSENTS = {"": Consent.NONE.value} | {consent.value: consent.value for consent in Consent}


class _Value(NamedTuple):
    """A column that is a variable."""

    at: int
    """Its place in the row."""
    begins: str
    """The variable's name as JSON, up to its value."""
    reader: Callable[[str], object | None] | None
    """Says whether a value can be read, for variables that are no text."""
    needed: bool
    known: dict[str, str]
    """Cells that were looked at, and what is written for them."""


class QuickCheck:
    """Checks rows of one file whose columns are known."""

    def __init__(self, rules: ContactRules, columns: Columns) -> None:
        self._rules = rules
        where = {name: at for at, name in enumerate(columns.names) if name is not None}
        values = {name: where.pop(name) for name in columns.variables if name in where}
        self._number, self._width = where.get("number", -1), len(columns.names)
        self._ref, self._name = where.get("ref"), where.get("name")
        self._language, self._consent = where.get("language"), where.get("consent")
        self._others = [where[name] for name in ("number_2", "number_3") if name in where]
        self._place = [where.get(name) for name in PLACE_LIMITS]
        self._languages = {"", *filter(_LANGUAGE.fullmatch, rules.languages)}
        self._values = [self._value(name, at) for name, at in sorted(values.items(), key=lambda item: item[1])]
        absent = {name for name in rules.required_of_all if name not in values}
        self._named = NAMES_A_CONTACT in absent
        self._able = self._can_be_quick(list(values), absent)
        self._places: dict[tuple[str, ...], tuple[str, str]] = {}

    def take(self, row: int, cells: list[str]) -> Ready | None:
        """Make of a row what is stored of it; ``None`` where rows.py has to look at it."""
        number = self._read_number(cells) if self._able and len(cells) == self._width else None
        if number is None or any(cells[at].strip() for at in self._others):
            return None
        place = self._read_place(number, cells)
        language = "" if self._language is None else cells[self._language]
        consent = _CONSENTS.get("" if self._consent is None else cells[self._consent])
        if place is None or consent is None or language not in self._languages:
            return None
        try:
            ref = self._text(cells, self._ref)
            name = self._text(cells, self._name)
            variables = self._read_values(cells)
        except CellRefused:
            return None
        if ref is None or name is None or variables is None or (self._named and not name):
            return None
        return row, number.number, ref, name, language, *place, consent, variables, "[]"

    def _value(self, name: str, at: int) -> _Value:
        reader = READERS.get(self._rules.declared[name].kind)
        return _Value(at, f"{quoted(name)}: ", reader, name in self._rules.required_of_all, {})

    def _can_be_quick(self, values: list[str], absent: set[str]) -> bool:
        """Whether the columns are of the usual kind: all that is needed is there, and variables are called properly."""
        named = self._rules.declared.get(NAMES_A_CONTACT)
        try:
            ContactIn(number="1", variables=dict.fromkeys(values, ""))
        except ValidationError:
            return False
        return self._number >= 0 and absent <= {NAMES_A_CONTACT} and not (named and named.kind in READERS)

    def _read_number(self, cells: list[str]) -> PlainNumber | None:
        text = cells[self._number]
        region = self._rules.default_region
        return plain_number(text, region) or plain_number(written_digits(text), region)

    def _read_place(self, number: PlainNumber, cells: list[str]) -> tuple[str, str] | None:
        """Zones and jurisdictions as JSON."""
        said = ["" if at is None else cells[at] for at in self._place]
        deciding = deciding_digits(number.calling_code, number.digits)
        key = (number.country, deciding, *said)
        return self._places.get(key) or self._find_place(key, number, said)

    def _find_place(self, key: tuple[str, ...], number: PlainNumber, said: list[str]) -> tuple[str, str] | None:
        for part, limit in zip(said[1:], list(PLACE_LIMITS.values())[1:], strict=True):
            if part != part.strip() or len(part) > limit:
                return None
        try:
            place = place_of_ordinary(
                number.country, number.calling_code, key[1], zone=said[0], address=(said[1], said[2], said[3])
            )
        except ZoneRefused:
            return None
        if len(self._places) >= REMEMBERED:
            self._places.clear()
        found = json.dumps(place.zones), json.dumps(place.jurisdictions)
        self._places[key] = found
        return found

    def _text(self, cells: list[str], at: int | None) -> str | None:
        if at is None or not (text := cells[at]):
            return ""
        return clean(text) if len(text) <= TEXT_LIMIT else None

    def _read_values(self, cells: list[str]) -> str | None:
        """Return the variables as JSON."""
        written = []
        for value in self._values:
            text = cells[value.at]
            pair = value.known.get(text)
            if pair is None:
                if (pair := _pair(value, text)) is None:
                    return None
                if len(value.known) >= VALUES_REMEMBERED:
                    value.known.clear()
                value.known[text] = pair
            if pair:
                written.append(pair)
        return "{" + ", ".join(written) + "}"


def _pair(value: _Value, text: str) -> str | None:
    """Write name and value as JSON; empty for a value that is not given."""
    cleaned = clean(text)
    if not cleaned:
        return None if value.needed or text else ""
    if len(text) > VALUE_LIMIT or (value.reader is not None and value.reader(cleaned) is None):
        return None
    return value.begins + quoted(cleaned)
