"""Reads one mapping of a call flow document, collecting everything that is wrong with it instead of stopping.

It knows the shapes of YAML, not the meaning of any key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from campaigns.dispositions import Disposition
from campaigns.flow.findings import Finding, nearest
from campaigns.flow.prompt import Prompt
from campaigns.flow.template import Template, TemplateError, compile_template

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TRUTH = {True: "yes", False: "no"}
Read = TypeVar("Read")


def plain(value: Any) -> Any:
    """Undo YAML 1.1's reading of a bare ``yes`` or ``no`` as a truth value."""
    return _TRUTH[value] if isinstance(value, bool) else value


class Reader:
    """A mapping being read: each key once, and :meth:`done` refuses what nobody asked for."""

    def __init__(self, data: Any, *, file: str, step: str, languages: tuple[str, ...], at: str = "") -> None:
        self.file, self.step, self.languages, self.at = file, step, languages, at
        self.findings: list[Finding] = []
        self._known: set[str] = set()
        if not isinstance(data, Mapping):
            self.wrong("not_a_mapping", f"{at or 'This'} must be a mapping of names to values.", "Write key: value.")
            data = {}
        self._data = {str(plain(key)): value for key, value in data.items()}

    def wrong(self, code: str, message: str, remedy: str) -> None:
        """Note a finding here."""
        self.findings.append(Finding(file=self.file, step=self.step, code=code, message=message, remedy=remedy))

    def take(self, key: str) -> Any:
        """The raw value of ``key``, ``None`` when it is absent."""
        self._known.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A string; numbers and yes/no are taken as they were written."""
        value = plain(self.take(key))
        if value is None:
            if required:
                self.wrong("missing", f"{self._name(key)} is missing.", f"Add {key}.")
            return default
        if isinstance(value, str | int | float):
            return str(value)
        self.wrong("not_text", f"{self._name(key)} must be text.", "Write it between quotation marks.")
        return default

    def one_of(self, key: str, allowed: Collection[str], default: str = "") -> str:
        """A word out of ``allowed``."""
        value = self.text(key, default)
        if value and value not in allowed:
            self.wrong("unknown_value", f"{self._name(key)} is {value!r}.", nearest(value, allowed))
            return default
        return value

    def identifier(self, key: str, default: str = "") -> str:
        """A name in lower case: of a step, a variable or an outcome."""
        value = self.text(key, default)
        if value and not IDENTIFIER.fullmatch(value):
            self.wrong("bad_name", f"{self._name(key)} is {value!r}.", "Use a-z, 0-9 and _, beginning with a letter.")
            return default
        return value

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """A number between ``least`` and ``most``."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.wrong("out_of_range", f"{self._name(key)} is {value!r}.", f"Give a number from {least:g} to {most:g}.")
            return default
        return value

    def whole(self, key: str, default: int) -> int:
        """A whole number; whether it is sensible is for the lint to say."""
        value = self.take(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return default if value is None else value
        self.wrong("not_a_number", f"{self._name(key)} is {value!r}.", "Give a whole number.")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.wrong("not_a_flag", f"{self._name(key)} is {value!r}.", "Write true or false.")
        return default

    def key_press(self, key: str, default: str = "") -> str:
        """One key of a telephone, or nothing."""
        value = self.text(key, default)
        if value and value not in {*"0123456789*"}:
            self.wrong("bad_key", f"{self._name(key)} is {value!r}.", "Give one key: 0 to 9 or *.")
            return default
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A list of words, or one word."""
        value = self.take(key)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        if all(isinstance(plain(item), str | int) for item in items):
            return tuple(str(plain(item)) for item in items)
        self.wrong("not_a_list", f"{self._name(key)} must be a list of words.", "Write [one, two].")
        return ()

    def templates(self, key: str) -> list[Template]:
        """A list of templates, or one."""
        found = (self.compiled(self._name(key), word) for word in self.words(key))
        return [template for template in found if template is not None]

    def disposition(self, key: str, allowed: Collection[Disposition]) -> Disposition | None:
        """One of the ``allowed`` dispositions."""
        value = self.one_of(key, [disposition.value for disposition in allowed])
        return Disposition(value) if value else None

    def prompt(self, key: str) -> Prompt | None:
        """What is said, per language; a bare text is of the flow's first language."""
        value = self.take(key)
        if value is None:
            return None
        texts = {self.languages[0]: value} if isinstance(value, str) else value
        if not isinstance(texts, Mapping):
            self.wrong("not_a_prompt", f"{self._name(key)} must be text, or text per language.", "Write {en: …}.")
            return None
        return Prompt(texts={str(plain(tag)): t for tag, text in texts.items() if (t := self._text_of(key, tag, text))})

    def template(self, key: str) -> Template | None:
        """One template, the same in every language."""
        value = self.take(key)
        return None if value is None else self.compiled(self._name(key), plain(value))

    def compiled(self, name: str, value: Any) -> Template | None:
        """Compile a template, noting what is wrong with it."""
        if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
            self.wrong("not_text", f"{name} must be text.", "Write a sentence between quotation marks.")
            return None
        try:
            return compile_template(str(value))
        except TemplateError as error:
            self.wrong(error.code, f"{name}: {error.message}", error.remedy)
            return None

    def _text_of(self, key: str, language: Any, text: Any) -> Template | None:
        if plain(language) not in self.languages:
            message = f"{self._name(key)} speaks {language!r}, which the flow does not declare."
            self.wrong("undeclared_language", message, f"Add it to languages, or keep to {', '.join(self.languages)}.")
            return None
        return self.compiled(f"{self._name(key)}.{language}", text)

    def inside(self, key: str) -> Reader | None:
        """The mapping at ``key``, to be read and closed like this one."""
        value = self.take(key)
        return None if value is None else self._child(value, self._name(key))

    def entries(self, key: str) -> Iterator[tuple[str, Reader]]:
        """The mappings inside the mapping at ``key``, by name."""
        value = self.take(key)
        if value is None:
            return
        if not isinstance(value, Mapping):
            self.wrong(
                "not_a_mapping", f"{self._name(key)} must be a mapping of names to mappings.", "Write name: {…}."
            )
            return
        for name, entry in value.items():
            yield str(plain(name)), self._child(entry, f"{self._name(key)}.{plain(name)}")

    def items(self, key: str) -> Iterator[Reader]:
        """The mappings of the list at ``key``."""
        value = self.take(key)
        if value is not None and not isinstance(value, list):
            self.wrong("not_a_list", f"{self._name(key)} must be a list.", "Begin each entry with a dash.")
        for number, entry in enumerate(value if isinstance(value, list) else ()):
            yield self._child(entry, f"{self._name(key)}[{number}]")

    def pairs(self, key: str, read: Callable[[str, Any], Read | None]) -> dict[str, Read]:
        """The mapping at ``key``, each value through ``read(name, value)``; what it refuses is left out."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.wrong("not_a_mapping", f"{self._name(key)} must be a mapping.", "Write name: value.")
            return {}
        named = ((str(plain(name)), plain(entry)) for name, entry in value.items())
        found = ((name, read(f"{self._name(key)}.{name}", entry)) for name, entry in named)
        return {name: entry for name, entry in found if entry is not None}

    def done(self) -> None:
        """Refuse keys that mean nothing here, with the nearest that does."""
        for key in self._data.keys() - self._known:
            self.wrong("unknown_key", f"{self._name(key)} means nothing here.", nearest(key, self._known))

    def _name(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key

    def _child(self, data: Any, at: str) -> Reader:
        child = Reader(data, file=self.file, step=self.step, languages=self.languages, at=at)
        self.findings += child.findings
        child.findings = self.findings
        return child
