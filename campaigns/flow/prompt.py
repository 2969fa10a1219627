"""Prompts: one template per language, and the sentences known before a call begins.

It renders text; turning it into sound is another room's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from campaigns.flow.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is said, in each language."""

    texts: Mapping[str, Template] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Variables needed in any language."""
        return frozenset().union(*(template.names for template in self.texts.values()))

    def template(self, language: str) -> Template | None:
        """The template for ``language``, else the first there is; ``None`` when there is none at all."""
        return self.texts.get(language) or next(iter(self.texts.values()), None)
