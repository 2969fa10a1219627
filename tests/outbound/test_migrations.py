"""Databases of earlier versions come up to date with everything in them, and the schema is what the code says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from outbound.gatehouse.keeper import examine
from outbound.receipts.verify import verify
from outbound.store import Store
from outbound.store.migrate import upgrade
from outbound.store.schema import campaigns, contacts, metadata
from tests.outbound.world import NOON

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+442079460001"
SETTINGS = {"windows": [], "ring_timeout_s": 25.0, "max_duration_s": 60.0, "variables": {}, "retry": {}}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    made: str = request.getfixturevalue("postgres_url")
    engine = create_engine(made)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    yield made


def at_revision(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("outbound.store") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def fill(engine: Engine) -> None:
    """What the first version had: a campaign with two customers, one of whom opted out, a call and its receipt."""
    with engine.begin() as connection:
        run = connection.execute
        run(text("INSERT INTO trunks VALUES ('default', '{}', 1, 1, 1, NULL)"))
        fields = "id, kind, name, state, purpose, trunk, callflow, flow, settings, max_concurrent, created_at"
        row = {"settings": json.dumps(SETTINGS)}
        values = "'C', 'campaign', 'Old', 'running', 'informational', 'default', 'f', '{}', :settings, 5, 1"
        run(text(f"INSERT INTO campaigns ({fields}) VALUES ({values})"), row)
        for key, number in (("A", ANN), ("B", BEN)):
            fields = "id, campaign_id, number, zones, variables, planned, created_at"
            people = {"key": key, "number": number, "zones": '["Europe/London"]'}
            run(text(f"INSERT INTO contacts ({fields}) VALUES (:key, 'C', :number, :zones, '{{}}', true, 1)"), people)
        fields = "id, campaign_id, contact_id, number, ordinal, state, due_at, dialed_at, disposition"
        done = {"number": BEN, "at": NOON - 60}
        run(text(f"INSERT INTO attempts ({fields}) VALUES ('T', 'C', 'B', :number, 1, 'done', 1, :at, 'busy')"), done)
        fields = "id, number, scope, source, created_at"
        run(text(f"INSERT INTO opt_outs ({fields}) VALUES ('O', :number, 'all', 'rest', 1)"), {"number": ANN})
        fields = "at, campaign_id, contact_id, attempt_id, allowed, code, reason, rule, evidence"
        run(text(f"INSERT INTO receipts ({fields}) VALUES (1, 'C', 'B', 'T', true, 'permitted', 'yes', 'x@1', '{{}}')"))


async def test_a_database_of_the_first_version_is_brought_up_to_date(url: str) -> None:
    engine = create_engine(url)
    at_revision(engine, "0001")
    fill(engine)
    engine.dispose()
    store = Store(url)
    store.start()
    try:
        for key, code in (("A", "opted_out"), ("B", "permitted")):

            def unit(connection, key=key):  # type: ignore[no-untyped-def]
                campaign = connection.execute(campaigns.select()).mappings().one()
                contact = connection.execute(contacts.select().where(contacts.c.id == key)).mappings().one()
                return examine(connection, campaign, contact, at=NOON)

            examined = await store.read(unit)
            assert examined.decision.code == code
            assert examined.regime is not None
            assert {pack.partition("@")[0] for pack in examined.regime.packs} == {"gb", "house"}
        assert len(examined.question.history) == 1
        report = await store.read(lambda connection: verify(connection))
        assert not report.findings
    finally:
        store.close()


def test_the_schema_is_what_the_code_says(url: str) -> None:
    engine = create_engine(url)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
