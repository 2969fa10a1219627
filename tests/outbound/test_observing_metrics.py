"""The figures of a process: the life of attempts counted by what was committed, named as Prometheus wants it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from campaigns.dispositions import Disposition
from outbound.observing import commits
from outbound.observing.commits import Commit
from outbound.observing.gauges import ServiceGauges
from outbound.observing.lines import Lines
from outbound.observing.metrics import MOST_VALUES, Metrics, Values
from outbound.settling.recovery import LEASE_EXPIRED, recover
from outbound.settling.settle import settle
from outbound.store import Store
from outbound.store.attempts import expired, release
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BOB, CAT, DAN = (f"+44770090000{number}" for number in range(1, 5))
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "observing.md"
UNITS = ("_seconds", "_bytes", "_total", "_info", "_size")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def world(tmp_path: Path, metrics: Metrics) -> AsyncIterator[World]:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    commits.listen(await store.read(lambda connection: connection.engine), metrics.committed)
    made = World(store)
    await made.trunk()
    yield made
    store.close()


def figures(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {(item.name, *item.labels.values()): item.value for family in families for item in family.samples}


def counted(metrics: Metrics, name: str) -> Mapping[str, float]:
    """What a counter with one label counted, without what it did not."""
    found = figures(metrics)
    return {key[1]: value for key, value in found.items() if key[0] == name and len(key) == 2 and value}


async def test_attempts_are_counted_by_how_they_ended(world: World, metrics: Metrics) -> None:
    await world.campaign([ANN, BOB])
    for item, disposition in zip(await world.claim(), (Disposition.ACCEPTED, Disposition.BUSY), strict=True):
        assert await world.intend(item) is not None
        result = world.result(item, disposition)
        await world.store.write(lambda c, result=result: settle(c, result, now=world.now))  # type: ignore[misc]
        await world.store.write(lambda c, result=result: settle(c, result, now=world.now))  # type: ignore[misc]

    assert counted(metrics, "outbound_attempts_total") == {"accepted": 1, "busy": 1}
    kinds = counted(metrics, "outbound_events_total")
    assert (kinds["attempt.due"], kinds["attempt.claimed"], kinds["attempt.done"]) == (3, 2, 2)
    found = figures(metrics)
    assert found["outbound_store_commit_seconds_count",] >= found["outbound_store_group_size_count",] > 0


async def test_every_disposition_has_a_figure_from_the_start(metrics: Metrics) -> None:
    shown = {key[1] for key in figures(metrics) if key[0] == "outbound_attempts_total"}

    assert shown == {disposition.value for disposition in Disposition}


async def test_an_expired_lease_is_counted_once_whatever_follows(world: World, metrics: Metrics) -> None:
    await world.campaign([ANN, BOB])
    claimed, dialing = await world.claim()
    assert await world.intend(dialing) is not None
    world.now += 3600
    for row in await world.store.read(lambda c: expired(c, now=world.now)):
        journal = {} if row["id"] == claimed.attempt_id else None
        await world.store.write(
            lambda c, row=row, journal=journal: recover(c, row, journal, now=world.now, cause=LEASE_EXPIRED)  # type: ignore[misc]
        )

    assert counted(metrics, "outbound_attempts_released_total") == {"lease_expired": 1}
    assert counted(metrics, "outbound_attempts_total") == {"undetermined": 1}
    assert figures(metrics)["outbound_lease_expiries_total",] >= 1


async def test_a_release_is_counted_by_its_reason(world: World, metrics: Metrics) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    key, fence, due = item.attempt_id, item.fence, world.now + 1
    await world.store.write(
        lambda c: release(c, attempt_id=key, fence=fence, due_at=due, now=world.now, reason="no_leg")
    )

    assert counted(metrics, "outbound_attempts_released_total") == {"no_leg": 1}


def test_systems_of_the_business_are_timed_when_they_answered_or_did_not(metrics: Metrics) -> None:
    def told(**data: Any) -> tuple[str, dict[str, Any]]:
        return "events", {"kind": "call.system", "data": {"system": "parcels", **data}}

    answered = told(state="replied", took_s=0.3), told(state="replied", took_s=0.5)
    rows = [told(state="asked"), *answered, told(state="failed", took_s=8.0)]
    metrics.committed(Commit(seconds=0.001, units=1, rows=rows))
    found = figures(metrics)
    assert found["outbound_system_seconds_count", "replied", "parcels"] == 2
    assert found["outbound_system_seconds_sum", "replied", "parcels"] == pytest.approx(0.8)
    assert found["outbound_system_seconds_sum", "failed", "parcels"] == 8.0
    assert ("outbound_system_seconds_count", "asked", "parcels") not in found


def test_what_customers_heard_is_told_from_recordings(metrics: Metrics) -> None:
    data = {"answer_to_audio_s": 0.06, "turn_gaps_s": [0.4, 0.6], "barge_in_stops_s": [0.2], "owed_s": 1.8}
    rows = [("events", {"kind": "call.measured", "data": {**data, "divergence_s": wrong}}) for wrong in (0.1, 0.7)]
    metrics.committed(Commit(seconds=0.001, units=1, rows=rows))
    found = figures(metrics)
    assert found["outbound_turn_gap_seconds_count",] == 4
    assert found["outbound_turn_gap_seconds_sum",] == pytest.approx(2.0)
    assert found["outbound_answer_to_audio_seconds_count",] == 2
    assert found["outbound_barge_in_stop_seconds_count",] == 2
    assert found["outbound_owed_seconds_total",] == pytest.approx(3.6)
    assert found["outbound_timing_divergences_total",] == 1


async def test_refusals_are_counted_by_the_rule_that_decided(world: World, metrics: Metrics) -> None:
    await world.campaign([ANN, BOB], purpose="marketing")

    refused = {key: value for key, value in figures(metrics).items() if key[0] == "outbound_gate_refusals_total"}
    (row,) = await world.store.read(lambda c: c.exec_driver_sql("SELECT DISTINCT rule, code FROM receipts").all())
    assert refused == {("outbound_gate_refusals_total", row.code, row.rule): 2.0} or refused == {
        ("outbound_gate_refusals_total", row.rule, row.code): 2.0
    }


def test_a_label_holds_no_number_and_no_id_and_few_values() -> None:
    value = Values()

    assert value("rule", "opt-out 01KB1V6Z6P0000000000000000") == "opt-out"
    assert value("rule", "register of +447700900123") == "register of"
    made = {value("rule", f"pack {number}") for number in range(2 * MOST_VALUES)}
    assert len(made) <= MOST_VALUES + 1
    assert "other" in made
    assert value("rule", "opt-out 01KB1V6Z6P0000000000000001") == "opt-out"


def test_names_and_units_are_those_of_prometheus(metrics: Metrics) -> None:
    """https://prometheus.io/docs/practices/naming/: prefix, base units, ``_total`` on counters, one meaning a name."""
    metrics.registry.register(Lines(wanted=2))
    metrics.committed(Commit(seconds=0.01, units=3, rows=[]))
    families = list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))

    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.documentation, family.name
        assert re.fullmatch(r"(outbound|process)(_[a-z]+)+", family.name), family.name
        assert not re.search(r"_(ms|milliseconds|minutes|count)$", family.name), family.name
        for item in family.samples:
            if family.type == "counter":
                assert item.name.endswith(("_total", "_created")), item.name
            if family.type == "histogram":
                assert family.name.endswith(UNITS), family.name


async def test_every_figure_is_explained_and_nothing_else_is(world: World, metrics: Metrics) -> None:
    await world.campaign([ANN])
    registry = metrics.registry
    registry.register(Lines(wanted=1))
    gauges = ServiceGauges(registry, world.store, "unix:///nowhere", lambda: world.now)
    await gauges.refresh()
    await gauges.counted()
    await gauges.close()
    families = text_string_to_metric_families(generate_latest(registry).decode())
    shown = {item.name if family.type == "counter" else family.name for family in families for item in family.samples}
    shown = {name for name in shown if not name.endswith("_created")} | {"outbound_queue_jobs"}
    page = DOCUMENT.read_text(encoding="utf-8")
    explained = set(re.findall(r"`(outbound_[a-z_]+)`", page.partition("### Alerts")[0]))

    # only where something was counted does a counter with labels have a sample
    labelled = {"outbound_http_requests_total", "outbound_http_request_seconds", "outbound_attempts_released_total"}
    labelled |= {"outbound_gate_refusals_total", "outbound_breaker_state", "outbound_system_seconds"}
    assert {name for name in shown if name.startswith("outbound_")} - explained == set()
    assert explained - shown - labelled == set()
    alerts = set(re.findall(r"outbound_[a-z_]+", page.partition("### Alerts")[2].partition("## Traces")[0]))
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in alerts} <= explained
    assert {rule["alert"] for group in _rules(page)["groups"] for rule in group["rules"] if rule["expr"]}


def _rules(page: str) -> dict[str, Any]:
    rules: dict[str, Any] = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    return rules
