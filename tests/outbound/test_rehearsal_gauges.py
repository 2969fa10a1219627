"""The bench's rulers: they measure what they say, on this machine, now."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from outbound.rehearsal import gauges

pytestmark = pytest.mark.integration


def test_percentiles_of_nothing_are_not_a_number() -> None:
    assert gauges.percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert math.isnan(gauges.percentile([], 95))


def test_bare_sqlite_takes_prebuilt_rows_into_the_products_own_table(tmp_path: Path) -> None:
    assert gauges.bare_insert_rate(tmp_path, 500) > 0
    assert len(gauges.commit_ms(tmp_path, 3)) == 3


def test_children_are_found_by_module_and_their_processor_time_grows() -> None:
    code = "import sys; sum(range(20_000_000)); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "some.module"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert gauges.children("some.module") == [child.pid]
        assert gauges.children("some.other") == []
        child.stdout.readline()
        assert gauges.cpu_s([child.pid]) > 0.05
        child.stdin.close()
