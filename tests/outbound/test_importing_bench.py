"""The bench of the import measures what it says, in either database, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from outbound.rehearsal import gauges
from outbound.rehearsal.import_bench import SCHEMA, import_figures

pytestmark = pytest.mark.integration


def left(folder: Path) -> list[Path]:
    """Databases that the bench has not removed."""
    return list(folder.glob("import-*"))


async def test_a_small_import_beside_its_peers(tmp_path: Path, postgres_url: str) -> None:
    figures = await import_figures(tmp_path, people=500, postgres_url=postgres_url)
    assert [figure.what for figure in figures] == [
        "Import of 500 contacts, SQLite",
        "Meanwhile, SQLite",
        "Peak memory of an import, SQLite",
        "Import of 500 contacts, PostgreSQL",
        "Meanwhile, PostgreSQL",
    ]
    assert [figure.aim for figure in figures if figure.what.startswith("Import")] == ["35%", "50%"]
    assert not left(tmp_path)
    engine = create_engine(postgres_url)
    assert SCHEMA not in inspect(engine).get_schema_names()
    engine.dispose()


def test_bare_copy_takes_prebuilt_rows_into_the_products_own_table(postgres_url: str) -> None:
    pace = gauges.bare_copy(postgres_url, 300)
    assert pace.rows == 300
    assert pace.rate > 0


def test_peak_memory_is_that_of_a_process() -> None:
    assert gauges.peak_mib() > 10
    assert gauges.peak_mib(0) == 0.0
