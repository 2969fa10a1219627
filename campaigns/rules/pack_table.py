"""One table of a rule pack being read: each key once, and every fault is an error naming file, key and remedy.

It knows the shapes of TOML and JSON, not the meaning of any key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NoReturn

from campaigns.flow.findings import nearest
from campaigns.rules.model import RulesError


class PackTable:
    """A table being read: each key once; :meth:`done` refuses what nobody asked for."""

    def __init__(self, data: Any, file: str, at: str) -> None:
        self.file, self.at = file, at
        self._asked: set[str] = set()
        if not isinstance(data, Mapping):
            raise RulesError(f"{file}: {at or 'the pack'} must be a table of keys; write it as in default.toml")
        self._data = data

    def wrong(self, key: str, what: str, remedy: str) -> NoReturn:
        """Refuse the pack."""
        raise RulesError(f"{self.file}: {self._path(key)} {what}; {remedy}")

    def take(self, key: str) -> Any:
        """The raw value of ``key``, ``None`` when it is absent."""
        self._asked.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without ``default`` it must be there."""
        value = self.take(key)
        if value is None:
            if default is None:
                self.wrong(key, "is missing", "add it")
            return default or ""
        if not isinstance(value, str) or not value.strip() or len(value) > 2000:
            self.wrong(key, f"is {_short(value)}", "write text between quotation marks")
        return str(value)

    def one_of(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """A word out of ``allowed``."""
        value = self.text(key, default)
        if value != default and value not in allowed:
            self.wrong(key, f"is {value!r}", nearest(value, allowed))
        return value

    def words(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts."""
        value = self.take(key)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            self.wrong(key, "is missing" if value is None else f"is {_short(value)}", 'write ["one", "two"]')
        return tuple(value)

    def some_of(self, key: str, allowed: Collection[str], *, required: bool = True) -> frozenset[str]:
        """A set of words out of ``allowed``."""
        found = self.words(key, required=required)
        for word in found:
            if word not in allowed:
                self.wrong(key, f"has {word!r}", nearest(word, allowed))
        if required and not found:
            self.wrong(key, "is empty", f"name some of {', '.join(allowed)}")
        return frozenset(found)

    def number(self, key: str, *, least: float, most: float, required: bool = True) -> float | None:
        """A number from ``least`` to ``most``."""
        value = self.take(key)
        if value is None and not required:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            remedy = f"give a number from {least:g} to {most:g}"
            self.wrong(key, "is missing" if value is None else f"is {_short(value)}", remedy)
        return float(value)

    def whole(self, key: str, *, least: int, most: int) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self.number(key, least=least, most=most)
        if value is None or value != int(value):
            self.wrong(key, f"is {value!r}", "give a whole number")
        return int(value or 0)

    def flag(self, key: str) -> bool:
        """True or false; absent is false."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, f"is {_short(value)}", "write true or false")
        return bool(value)

    def day(self, key: str) -> date:
        """A date, as TOML or as text; it must be there."""
        found = self.maybe_day(key)
        if found is None:
            self.wrong(key, "is missing", "write a date such as 2026-01-31")
        return found or date.min

    def maybe_day(self, key: str) -> date | None:
        """A date, as TOML or as text, or nothing."""
        value = self.take(key)
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            day = None
        if type(day) is not date or not 1900 <= day.year <= 2200:
            self.wrong(key, f"is {_short(value)}", "write a date such as 2026-01-31")
        return day

    def tables(self, key: str) -> list[PackTable]:
        """The tables of the list at ``key``."""
        value = self.take(key)
        if value is not None and not isinstance(value, list):
            self.wrong(key, "must be a list of tables", f"write [[{key}]]")
        return [PackTable(item, self.file, f"{self._path(key)}[{number}]") for number, item in enumerate(value or ())]

    def table(self, key: str) -> PackTable | None:
        """The table at ``key``, if it is there."""
        value = self.take(key)
        return None if value is None else PackTable(value, self.file, self._path(key))

    def texts(self, key: str) -> dict[str, str]:
        """The texts of the table at ``key``, by name."""
        inside = self.table(key)
        return {} if inside is None else {name: inside.text(name) for name in inside._data}

    def done(self) -> None:
        """Refuse keys that mean nothing here, with the nearest that does."""
        for key in self._data.keys() - self._asked:
            self.wrong(key, "means nothing here", nearest(str(key), self._asked))

    def _path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
