"""What a bench shows: a figure beside its limit or its peer from the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the bench."""

    what: str
    value: str
    beside: str
    """The limit or the peer in the same run."""
    aim: str = ""


def table_of(figures: Sequence[Figure]) -> Table:
    """The table that ends a bench."""
    table = Table(title="Speed on this machine", title_justify="left", header_style="bold")
    for name in ("Figure", "Here", "Beside", "Aim"):
        table.add_column(name)
    for figure in figures:
        table.add_row(figure.what, figure.value, figure.beside, figure.aim)
    return table
