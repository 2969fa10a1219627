"""Templates of prompts: ``"Your parcel arrives {{delivery_day | day}}"``.

They only put words together: no conditions, no loops, and nothing in a value is ever read as a template or as markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.flow import ssml
from campaigns.flow.filters import FILTERS, Manner
from campaigns.flow.findings import nearest

_SLOT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;:!?])")
_USUAL_VALUE = 8
VALUE_MAX = 300
"""Characters of one value that are spoken."""


class TemplateError(Exception):
    """A template cannot be read or filled."""

    retryable = False

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code, self.message, self.remedy = code, message, remedy


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where a value goes."""

    name: str
    filters: tuple[tuple[str, str], ...]
    """(filter, argument) in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A compiled template."""

    source: str
    parts: tuple[str | Slot, ...]

    @property
    def names(self) -> frozenset[str]:
        """Variables it needs."""
        return frozenset(part.name for part in self.parts if isinstance(part, Slot))

    @property
    def length(self) -> int:
        """About how many characters are spoken."""
        return sum(len(part) if isinstance(part, str) else _USUAL_VALUE for part in self.parts)

    def render(self, values: Mapping[str, str], manner: Manner, kinds: Mapping[str, str] | None = None) -> str:
        """Fill in ``values``, said in ``manner``; ``kinds`` gives the filter of variables that name none themselves.

        Raises :class:`TemplateError` (``unknown_variable``) when a value is missing.
        """
        said = "".join(self._part(part, values, manner, kinds or {}) for part in self.parts)
        return _SPACE_BEFORE_MARK.sub(r"\1", _SPACE.sub(" ", said)).strip()

    def plain(self, values: Mapping[str, str]) -> str:
        """Fill in ``values`` as they are, not as they are spoken. Raises :class:`TemplateError` when one is missing."""
        filled: list[str] = []
        for part in self.parts:
            if isinstance(part, Slot) and part.name not in values:
                raise TemplateError(
                    "unknown_variable", f"{{{{{part.name}}}}} has no value.", nearest(part.name, values)
                )
            filled.append(part if isinstance(part, str) else speakable(values[part.name]))
        return "".join(filled).strip()

    def _part(self, part: str | Slot, values: Mapping[str, str], manner: Manner, kinds: Mapping[str, str]) -> str:
        if isinstance(part, str):
            return part
        if part.name not in values:
            raise TemplateError("unknown_variable", f"{{{{{part.name}}}}} has no value.", nearest(part.name, values))
        value = speakable(values[part.name])
        filters = part.filters or ((kinds.get(part.name, "text"), ""),)
        for name, argument in filters:
            value = FILTERS[name](value, argument, manner)
        return value


def compile_template(source: str) -> Template:
    """Read a template. Raises :class:`TemplateError` for what cannot be read, with the remedy."""
    if _TAG.search(source):
        try:
            source = ssml.plain(source)
        except ssml.SsmlError as error:
            raise TemplateError("markup", f"{error}.", "Write plain words, or one of these.") from error
    parts: list[str | Slot] = []
    last = 0
    for found in _SLOT.finditer(source):
        parts += [_plain(source[last : found.start()]), _slot(found[1])]
        last = found.end()
    parts.append(_plain(source[last:]))
    return Template(source=source, parts=tuple(part for part in parts if part))


def speakable(value: str) -> str:
    """Strip control characters, markup and runs of space, and cut what nobody would listen to."""
    value = _TAG.sub(" ", unicodedata.normalize("NFC", value))
    kept = (" " if c.isspace() else c for c in value if c.isspace() or unicodedata.category(c)[0] != "C")
    return _SPACE.sub(" ", "".join(c for c in kept if c not in f"<>{{}}{ssml.PAUSE}")).strip()[:VALUE_MAX]


def _plain(text: str) -> str:
    if "{{" in text or "}}" in text:
        raise TemplateError("template", f"{text!r} opens or closes {{{{ without the other.", "Write {{name}}.")
    return "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")


def _slot(inner: str) -> Slot:
    name, *filters = (piece.strip() for piece in inner.split("|"))
    if not _NAME.fullmatch(name):
        raise TemplateError("template", f"{{{{{inner}}}}} names no variable.", "Write {{name}} or {{name | filter}}.")
    read: list[tuple[str, str]] = []
    for text in filters:
        filter_name, _, argument = (piece.strip() for piece in text.partition(":"))
        if filter_name not in FILTERS:
            raise TemplateError("unknown_filter", f"There is no filter {filter_name!r}.", nearest(filter_name, FILTERS))
        read.append((filter_name, argument.strip("'\"")))
    return Slot(name, tuple(read))
