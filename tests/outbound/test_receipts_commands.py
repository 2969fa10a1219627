"""The commands over receipts, as an operator runs them: beside a running service or without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, create_engine, insert, select, update

from outbound.cli import main
from outbound.receipts.chain import append
from outbound.receipts.heads import FILE
from outbound.store import Store
from outbound.store.schema import campaigns, contacts, receipts, trunks
from tests.outbound.receipts_world import DAY_S, NOON, NUMBER, a_receipt, change

pytestmark = pytest.mark.integration
Run = Callable[..., Result]
CAMPAIGN, CONTACT = "01CAMPAIGN0000000000000000", "01CONTACT00000000000000000"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line over a data directory of its own."""
    monkeypatch.setenv("OUTBOUND_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("OUTBOUND_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """A service's store with three days of receipts of one contact, open while the command runs."""
    opened = Store(f"sqlite:///{tmp_path / 'outbound.db'}")
    opened.start()
    with opened._engine.begin() as connection:
        fill(connection)
    yield opened
    opened.close()


def fill(connection: Connection) -> None:
    trunk = {"name": "default", "settings": {}, "calls_per_second": 1, "channels": 1, "created_at": NOON}
    connection.execute(insert(trunks), trunk)
    row = {"id": CAMPAIGN, "kind": "campaign", "name": "Parcels", "state": "running", "purpose": "informational"}
    row |= {"trunk": "default", "callflow": "x", "flow": {}, "settings": {}, "max_concurrent": 1, "created_at": NOON}
    connection.execute(insert(campaigns), row)
    person = {"id": CONTACT, "campaign_id": CAMPAIGN, "number": NUMBER, "zones": ["America/Denver"], "variables": {}}
    connection.execute(insert(contacts), person | {"created_at": NOON})
    ids = {"campaign_id": CAMPAIGN, "contact_id": CONTACT, "personal": {"number": NUMBER}}
    append(connection, [a_receipt(number, at=NOON + number * DAY_S, **ids) for number in range(3)])


def test_an_unbroken_chain_is_said_to_be_so(run: Run, store: Store) -> None:
    result = run("receipts", "verify")
    assert (result.exit_code, result.output) == (0, "3 receipts over 3 days, unbroken; 0 erased\n")
    result = run("receipts", "verify", "--day", "2026-11-25")
    assert (result.exit_code, result.output) == (0, "1 receipts over 1 days, unbroken; 0 erased\n")


def test_a_broken_chain_is_listed_and_fails(run: Run, store: Store) -> None:
    with store._engine.begin() as connection:
        change(connection, 2, allowed=False)
    result = run("receipts", "verify")
    assert result.exit_code == 1
    assert "2026-11-25 #1: `allowed` was changed: it was written as True and is now False" in result.output
    assert "BROKEN: 1 findings" in result.output
    assert run("receipts", "verify", "--day", "2026-11-24").exit_code == 0
    assert run("receipts", "verify", "--day", "2026-12-24").exit_code == 1


def test_heads_that_are_kept_elsewhere_betray_a_forgery(run: Run, store: Store, tmp_path: Path) -> None:
    printed = run("receipts", "heads")
    assert [line.split()[:2] for line in printed.output.splitlines()] == [
        ["2026-11-24", "1"],
        ["2026-11-25", "1"],
        ["2026-11-26", "1"],
    ]
    assert printed.output.splitlines()[-1].endswith(" open")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(printed.output)
    assert run("receipts", "verify", "--heads", str(elsewhere)).exit_code == 0
    forged = printed.output.replace("2026-11-24 1 ", "2026-11-24 2 ")
    elsewhere.write_text(forged)
    assert "say 2 receipts and #1 is the last" in run("receipts", "verify", "--heads", str(elsewhere)).output
    (tmp_path / FILE).write_text(forged)
    assert run("receipts", "verify").exit_code == 1, "the file in the data directory is taken by itself"
    elsewhere.write_text("nonsense")
    result = run("receipts", "verify", "--heads", str(elsewhere))
    assert (result.exit_code, "line 1 of the heads" in result.output) == (1, True)


def test_a_stopped_service_can_be_verified(run: Run, store: Store) -> None:
    store.close()
    assert run("receipts", "verify").exit_code == 0


def test_without_a_database_the_remedy_is_said(run: Run) -> None:
    result = run("receipts", "verify")
    assert result.exit_code == 1
    assert "there is no database" in result.output
    assert "OUTBOUND_DATA_DIR" in result.output


def test_evidence_for_a_number(run: Run, store: Store, tmp_path: Path) -> None:
    found = json.loads(run("evidence", NUMBER).output)
    assert (len(found["receipts"]), {day["state"] for day in found["chain"]}) == (3, {"unbroken"})
    page = tmp_path / "page.html"
    result = run("evidence", NUMBER, "--html", str(page))
    assert (result.exit_code, result.output) == (0, f"{page}: written\n")
    assert f"Evidence for {NUMBER}" in page.read_text()


def test_evidence_for_a_campaign(run: Run, store: Store, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in run("evidence", CAMPAIGN).output.splitlines()]
    assert [line["type"] for line in lines] == ["campaign", *["receipt"] * 3]
    page = tmp_path / "page.html"
    assert run("evidence", CAMPAIGN, "--html", str(page)).exit_code == 0
    assert "Parcels" in page.read_text()


@pytest.mark.parametrize("about", ["+447700900099", "01NOBODY", "+1", "~AAAAAAAAAAAAAAA"])
def test_evidence_for_what_is_not_known(run: Run, store: Store, about: str) -> None:
    result = run("evidence", about)
    assert result.exit_code == 1
    assert result.output.startswith("outbound: ")


def test_the_commands_change_nothing(run: Run, store: Store, tmp_path: Path) -> None:
    def all_rows() -> list[Any]:
        with create_engine(f"sqlite:///{tmp_path / 'outbound.db'}").connect() as connection:
            found = list(connection.execute(select(receipts)).all())
        connection.engine.dispose()
        return found

    before = all_rows()
    for command in (["receipts", "verify"], ["receipts", "heads"], ["evidence", NUMBER], ["evidence", CAMPAIGN]):
        assert run(*command).exit_code == 0
    assert all_rows() == before
    with store._engine.begin() as connection:
        assert connection.execute(update(receipts).values(code="still writable")).rowcount == 3
