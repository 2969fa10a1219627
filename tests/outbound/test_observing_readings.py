"""What the database says of the whole service at a scrape: right on both databases, and through indexes alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, insert, text

from campaigns.dispositions import Disposition
from campaigns.pacing import Breaker
from outbound.observing.gauges import ServiceGauges
from outbound.observing.readings import count_undetermined, read
from outbound.settling.settle import leave_undetermined
from outbound.store import Store, events
from outbound.store.schema import paces, webhook_deliveries, webhooks
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BOB, CAT = (f"+44770090000{number}" for number in range(1, 4))


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk(channels=5)
    yield made
    store.close()


async def look(world: World) -> Any:
    return await world.store.read(lambda connection: read(connection, now=world.now))


async def test_the_queue_has_a_length_and_an_age(world: World) -> None:
    await world.campaign([ANN, BOB])
    await world.campaign([CAT], kind="notification", settings={"agent_uri": ""})
    world.now += 90

    found = await look(world)

    assert found.due == 3
    assert found.oldest_due_s == pytest.approx(90, abs=1)


async def test_what_may_not_begin_does_not_wait(world: World) -> None:
    """A paused campaign, a paused notification, and what is due later: nobody need hurry."""
    await world.set_state(await world.campaign([ANN]), "paused")
    await world.set_state(await world.campaign([BOB], kind="notification"), "paused")
    await world.campaign([CAT], starts_at=world.now + 600)
    world.now += 60

    found = await look(world)

    assert (found.due, found.oldest_due_s) == (0, 0)


async def test_what_is_live_is_counted_by_state_and_trunk(world: World) -> None:
    await world.campaign([ANN, BOB])
    first, _ = await world.claim()
    assert await world.intend(first) is not None

    found = await look(world)

    assert found.live == {"claimed": 1, "dialing": 1}
    (trunk,) = found.trunks
    assert (trunk.name, trunk.channels, trunk.in_use) == ("default", 5, 2)
    assert 0 <= trunk.tokens <= 100


async def test_paces_are_read_whoever_wrote_them(world: World) -> None:
    opened = Breaker(rest_until=world.now + 60, opened_at=world.now, trips=1).document()
    rows = [
        {"name": "trunk:default", "tokens": 0.5, "at": world.now, "resting_until": world.now + 30, "breaker": opened},
        {"name": "house", "tokens": 0, "at": 0, "resting_until": 0, "breaker": {"rest_until": "soon"}},
    ]
    await world.store.write(lambda c: c.execute(insert(paces), rows))

    found = await look(world)

    assert found.trunks[0].tokens == pytest.approx(0.5)
    assert found.trunks[0].resting_s == pytest.approx(30)
    assert {item[:2]: item[2] for item in found.breakers} == {
        ("trunk", "default"): 2,
        ("house", ""): 0,
        ("campaign", ""): 0,
    }


async def test_webhooks_are_late_by_events_and_by_seconds(world: World) -> None:
    def unit(connection: Any) -> None:
        row = {"id": "w1", "url": "https://example.com", "secrets": [], "kinds": [], "enabled": True, "cursor": 0}
        connection.execute(insert(webhooks), row | {"created_at": world.now, "failing_since": world.now})
        for number in range(3):
            events.append(connection, at=world.now, kind=f"test.{number}")
        late = {"webhook_id": "w1", "stream": "s", "next_at": world.now, "created_at": world.now - 40}
        states = ("waiting", "dead", "delivered")
        connection.execute(
            insert(webhook_deliveries),
            [late | {"event_id": number, "state": state} for number, state in enumerate(states, 1)],
        )

    await world.store.write(unit)

    hooks = (await look(world)).webhooks

    assert (hooks.enabled, hooks.failing, hooks.waiting, hooks.dead, hooks.behind) == (1, 1, 1, 1, 3)
    assert hooks.oldest_s == pytest.approx(40)


async def test_undetermined_attempts_are_counted(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    assert await world.intend(item) is not None
    (row,) = await world.rows(_attempts())
    await world.store.write(lambda c: leave_undetermined(c, row, now=world.now))  # type: ignore[arg-type]

    assert await world.store.read(count_undetermined) == 1
    assert (await world.attempts())[0]["disposition"] == Disposition.UNDETERMINED


def _attempts() -> Any:
    from outbound.store.schema import attempts

    return attempts


async def test_a_scrape_reads_no_table_of_attempts_from_end_to_end(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'test.db'}")
    store.start()
    world = World(store)
    await world.trunk()
    await world.campaign([ANN, BOB])
    await world.claim(limit=1)
    statements: list[tuple[str, Any]] = []
    engine = await store.read(lambda connection: connection.engine)
    event.listen(
        engine, "before_cursor_execute", lambda _, __, statement, values, *___: statements.append((statement, values))
    )
    await store.read(lambda connection: read(connection, now=world.now))

    def explain(connection: Any) -> list[str]:
        asked = [item for item in statements if item[0].lstrip().upper().startswith(("SELECT", "WITH"))]
        return [
            f"{row[3]} <- {statement[:60]}"
            for statement, values in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]

    plans = await store.read(explain)
    store.close()

    assert plans
    scanned = [plan for plan in plans if plan.startswith(("SCAN attempts", "SCAN contacts", "SCAN webhook_deliveries"))]
    assert [plan for plan in scanned if "USING" not in plan] == []


async def test_a_database_that_is_away_is_shown_as_that(world: World) -> None:
    registry = CollectorRegistry()
    gauges = ServiceGauges(registry, world.store, "", lambda: world.now)
    await gauges.refresh()
    assert _value(registry, "outbound_store_readable") == 1
    assert _value(registry, "outbound_attempts_due") == 0
    await gauges.close()
    broken = Store("sqlite:////nowhere/at/all.db")
    registry = CollectorRegistry()
    gauges = ServiceGauges(registry, broken, "", lambda: world.now)
    await gauges.refresh()

    assert _value(registry, "outbound_store_readable") == 0
    assert _value(registry, "outbound_attempts_due") is None
    await gauges.close()
    broken.close()


def _value(registry: CollectorRegistry, name: str) -> float | None:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return next((item.value for family in families for item in family.samples if item.name == name), None)


async def test_the_lanes_of_a_large_queue_are_found_by_steps(world: World) -> None:
    for number in range(3):
        await world.campaign([f"+4477009001{number:02}"])

    found = await world.store.read(
        lambda c: c.execute(text("SELECT count(DISTINCT lane) FROM attempts WHERE state = 'due'")).scalar()
    )

    assert (await look(world)).due == found == 3
