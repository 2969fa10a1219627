"""Renders the settings as the README's table: ``python -m outbound.settings_table README.md`` rewrites it in place.

Invents no wording: name, default and meaning are those of :class:`outbound.settings.Settings`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic.fields import FieldInfo

from outbound.settings import Settings

BEGIN = "<!-- settings: written by python -m outbound.settings_table README.md -->"
END = "<!-- /settings -->"


def settings_table() -> str:
    """Return the Markdown table of every setting, in the order in which they are declared."""
    rows = [
        f"| `OUTBOUND_{name.upper()}` | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| Variable | Default | Meaning |", "| --- | --- | --- |", *rows])


def with_settings_table(document: str) -> str:
    """Return ``document`` with the text between the two markers replaced by the table.

    Raises ValueError where a marker is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document lacks a marker: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    return "" if default in (None, "") else f"`{_cell(str(default))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Rewrite the table in the file named on the command line."""
    document = Path(sys.argv[1])
    document.write_text(with_settings_table(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
