"""An old tz database is an alarm: at a host's start, as a gauge, in ``doctor``, in ``/healthz`` without failing it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from outbound import up
from outbound.cli import main
from outbound.observing import health, metrics
from outbound.places import tzdata_age, tzdata_version

pytestmark = pytest.mark.integration
YEAR = int(tzdata_version()[:4])
OLD = "the tz database in use is 2001a, of an earlier year"


def old(_: datetime) -> str:
    return OLD


def current(_: datetime) -> None:
    return None


@pytest.mark.parametrize(
    ("file", "line", "alarm"),
    [
        ("tzdata.zi", f"# version {YEAR + 1}a\n", True),
        ("+VERSION", f"{YEAR + 1}a\n", True),
        ("tzdata.zi", f"# version {YEAR - 1}b\n", False),
        ("tzdata.zi", f"# version {tzdata_version()}\n", False),
        ("tzdata.zi", "# This zic input file is in the public domain.\n", False),
        ("other", "", False),
    ],
)
def test_a_newer_copy_of_the_system_is_an_alarm(tmp_path: Path, file: str, line: str, alarm: bool) -> None:
    (tmp_path / file).write_text(line, encoding="utf-8")
    told = tzdata_age(datetime(YEAR, 12, 1, tzinfo=UTC), system=tmp_path)
    assert (told is not None) is alarm
    if told:
        assert tzdata_version() in told
        assert f"{YEAR + 1}a" in told


@pytest.mark.parametrize(
    ("now", "alarm"),
    [((YEAR, 12, 31), False), ((YEAR + 1, 6, 30), False), ((YEAR + 1, 7, 1), True), ((YEAR + 2, 1, 1), True)],
)
def test_a_copy_of_an_earlier_year_is_an_alarm_from_july(
    tmp_path: Path, now: tuple[int, int, int], alarm: bool
) -> None:
    told = tzdata_age(datetime(*now, tzinfo=UTC), system=tmp_path)
    assert (told is not None) is alarm
    assert told is None or "install" in told


def test_the_host_warns_at_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "tzdata_age", old)
    with capture_logs() as logs:
        up._look_at_tzdata()
    assert [(entry["log_level"], entry["reason"]) for entry in logs] == [("warning", OLD)]
    monkeypatch.setattr(up, "tzdata_age", current)
    with capture_logs() as logs:
        up._look_at_tzdata()
    assert logs == []


@pytest.mark.parametrize(("age", "value"), [(old, b"1.0"), (current, b"0.0")])
def test_the_gauge_is_one_while_it_is_old(monkeypatch: pytest.MonkeyPatch, age: object, value: bytes) -> None:
    monkeypatch.setattr(metrics, "tzdata_age", age)
    assert b"outbound_tzdata_outdated " + value in generate_latest(metrics.Metrics().registry)


def test_health_tells_but_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (health._tzdata().ok, health._tzdata().detail) == (True, tzdata_version())
    monkeypatch.setattr(health, "tzdata_age", old)
    assert (health._tzdata().ok, health._tzdata().detail) == (True, OLD)


@pytest.mark.parametrize(("age", "line"), [(old, f"tzdata: {OLD}"), (current, f"tzdata: {tzdata_version()}")])
def test_doctor_has_a_line_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, age: object, line: str) -> None:
    monkeypatch.setenv("OUTBOUND_MODELS_DIR", str(tmp_path))
    monkeypatch.setattr("outbound.places.tzdata_age", age)
    found = CliRunner().invoke(main, ["doctor"])
    assert found.exit_code == 0
    assert line in found.output.splitlines()
