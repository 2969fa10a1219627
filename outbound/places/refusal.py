"""Why a contact's place cannot be told; nothing is guessed in its stead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from outbound.errors import Invalid


class ZoneRefused(Invalid):
    """Zone or address is not known, or is needed; names the field and the remedy."""

    code = "zone_unknown"

    def __init__(self, detail: str, *, code: str | None = None, field: str = "zone") -> None:
        super().__init__(detail, code=code)
        self.field = field


def nearest(wanted: str, known: Iterable[str], *, example: str) -> str:
    """Name up to three of ``known`` that ``wanted`` may have meant, for the remedy; else the example."""
    names = {name.casefold(): name for name in known}
    key = wanted.casefold()
    matches = [names[near] for near in difflib.get_close_matches(key, names, n=3, cutoff=0.7)]
    matches = matches or [name for short, name in names.items() if len(key) > 2 and key in short][:3]
    return f"did you mean {' or '.join(matches)}?" if matches else f"give {example}"
