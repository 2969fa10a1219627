"""Reads YAML that people write: safe types only, JSON's idea of values, faults named with line and column.

Narrower than YAML 1.1 on purpose: ``yes``, ``no``, ``on``, ``9:00`` and ``2026-12-05`` are text; keys are text; a key
that is there twice, or an alias, is an error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from outbound.errors import Invalid

SIZE_LIMIT = 1024 * 1024


class YamlError(Invalid):
    """The text is not the YAML that is taken here."""

    code = "malformed_yaml"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, narrowed."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: expanded, a few lines of them fill the memory."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not taken here; write the value again", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping with text keys, each there once."""
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
            if key_node.value in mapping:
                detail = f"the key {key_node.value!r} is there twice; remove or rename one"
                raise yaml.constructor.ConstructorError(None, None, detail, key_node.start_mark)
            mapping[key_node.value] = self.construct_object(value_node, deep=deep)
        return mapping


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> Any:
    """Build in two phases, as PyYAML does, so that depth costs no recursion here."""
    mapping: dict[str, Any] = {}
    yield mapping
    mapping.update(loader.construct_mapping(node))


for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+", "-+0123456789"),
    ("null", r"null|~|", "n~\0"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(f"^(?:{_pattern})$"),
        [*_first.replace("\0", ""), *([""] * (_tag == "null"))],
    )
_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)


def parse_yaml(text: str, *, source: str) -> dict[str, Any]:
    """Read a YAML document that is a mapping. Raises :class:`YamlError` naming ``source``, line and column."""
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a narrowed SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise YamlError(f"{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise YamlError(f"{source}: it has characters that YAML does not take; save it as UTF-8 text") from error
    except (RecursionError, ValueError) as error:
        raise YamlError(f"{source}: it is nested too deep or has a number that cannot be read") from error
    if not isinstance(value, dict):
        raise YamlError(f"{source}: it must be a mapping of names to values; begin with name: …")
    return value


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file. Raises :class:`YamlError`."""
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise YamlError(f"{path.name}: it is larger than {SIZE_LIMIT // 1024} KiB")
        return parse_yaml(path.read_text(encoding="utf-8-sig"), source=path.name)
    except UnicodeDecodeError as error:
        raise YamlError(f"{path.name}: it is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from error
    except OSError as error:
        raise YamlError(f"{path.name}: it cannot be read ({error.strerror})") from error
