"""A database as the previous release leaves it goes on: what is due is dialled once, what is over stays over."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text

from outbound.ids import new_id
from outbound.rehearsal.client import RestClient
from outbound.up import running_host
from tests.acceptance.test_host import daytime, settings
from tests.dialer.sipp_peer import sipp
from tests.outbound.both import KINDS, empty_database

pytestmark = pytest.mark.acceptance

PREVIOUS = "0002"
DUE, LATER, CLAIMED, DIALING, DONE, UNKNOWN, STOPPED, UNPLANNED = (f"+44770090001{number}" for number in range(8))
CAMPAIGN_SETTINGS: dict[str, Any] = {
    "variables": {"business": "Northwind", "callback_number": "+442079460000"},
    "windows": [],
    "retry": {"max_attempts": 3, "delays_s": {"busy": 900.0}},
    "language": "en",
    "ring_timeout_s": 25.0,
    "max_duration_s": 60.0,
    "agent_uri": "",
    "record": False,
}
"""What the previous release stored of a campaign."""


def previous_schema(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("outbound.store") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, PREVIOUS)


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Insert a row as SQL of the previous release would: by its columns, not by today's tables."""
    names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)


class PreviousRelease:
    """A database that was at work when its release was stopped."""

    def __init__(self, connection: Connection, trunk: str) -> None:
        self._connection, self._now = connection, time.time()
        self.campaign_id = new_id()
        flow = (files("campaigns") / "callflows" / "shipping_alert.yaml").read_text(encoding="utf-8")
        road = {"name": "default", "settings": json.dumps({"host": trunk}), "calls_per_second": 20.0, "channels": 30}
        insert(connection, "trunks", road | {"created_at": 1.0})
        began = {"created_at": self._now - 900, "started_at": self._now - 900}
        campaign = {"id": self.campaign_id, "kind": "campaign", "name": "Old", "state": "running", "trunk": "default"}
        campaign |= {"purpose": "transactional", "callflow": "shipping_alert", "max_concurrent": 5}
        campaign |= {"flow": json.dumps(yaml.safe_load(flow)), "settings": json.dumps(CAMPAIGN_SETTINGS)}
        insert(connection, "campaigns", campaign | began)

    def contact(self, number: str, state: str | None, **attempt: Any) -> None:
        """Somebody and, unless not yet planned, the attempt as it stands."""
        own = {"parcel": "coffee machine", "delivery_day": "2026-12-05", "delivery_window": "9:00-12:00"}
        person = {"id": new_id(), "campaign_id": self.campaign_id, "number": number, "zones": json.dumps([daytime()])}
        person |= {"jurisdictions": '["GB"]', "variables": json.dumps(own), "planned": state is not None}
        person |= {"disposition": attempt.get("disposition"), "created_at": self._now - 900}
        insert(self._connection, "contacts", person)
        if state is not None:
            row = {"id": new_id(), "campaign_id": self.campaign_id, "contact_id": person["id"], "number": number}
            row |= {"ordinal": 1, "priority": 10, "state": state, "due_at": self._now - 60}
            insert(self._connection, "attempts", row | attempt)

    def people(self) -> None:
        """Attempts in every state, somebody who is not planned, and somebody who said stop."""
        now = self._now
        self.contact(DUE, "due")
        self.contact(LATER, "due", due_at=now + 86400)
        self.contact(CLAIMED, "claimed", fence=1, line="line-1", lease_until=now - 30)
        sent = {"fence": 1, "line": "line-1", "call_id": "sent-1@outbound", "dialed_at": now - 300}
        self.contact(DIALING, "dialing", **sent, lease_until=now - 240)
        over = {"fence": 1, "line": "line-1", "dialed_at": now - 600, "ended_at": now - 570}
        self.contact(DONE, "done", **over, disposition="informed", hangup_cause="peer_bye", result="{}")
        self.contact(UNKNOWN, "undetermined", **over, disposition="undetermined")
        self.contact(STOPPED, "due")
        self.contact(UNPLANNED, None)
        stop = {"id": new_id(), "number": STOPPED, "scope": "all", "source": "rest", "words": "stop", "created_at": now}
        insert(self._connection, "opt_outs", stop)
        told = {"at": now - 600, "kind": "attempt.done", "campaign_id": self.campaign_id, "data": "{}"}
        insert(self._connection, "events", told)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(request.param, request, tmp_path)


def leave(url: str, trunk: str) -> str:
    """Build what the previous release leaves; return its campaign."""
    engine = create_engine(url)
    previous_schema(engine)
    with engine.begin() as connection:
        old = PreviousRelease(connection, trunk)
        old.people()
    engine.dispose()
    return old.campaign_id


async def settled(client: RestClient, numbers: set[str]) -> dict[str, dict[str, Any]]:
    """Attempts by number, once those to ``numbers`` are over."""
    async with asyncio.timeout(60):
        async for _ in client.follow():
            rows = {row["number"]: row for row in await client.items("/v1/attempts")}
            if all(rows.get(number, {}).get("state") in ("done", "undetermined") for number in numbers):
                return rows
    raise AssertionError


async def test_a_database_of_the_previous_release_goes_on(url: str, tmp_path: Path) -> None:
    async with sipp("answer_then_bye", "-m", "20") as customer:
        campaign_id = await asyncio.to_thread(leave, url, customer.address)
        async with (
            running_host(settings(tmp_path / "data", database_url=url)) as host,
            RestClient(host.url, host.api_key) as client,
        ):
            rows = await settled(client, {DUE, CLAIMED, DIALING, STOPPED, UNPLANNED})
            campaign = await client.get(f"/v1/campaigns/{campaign_id}")
            stopped = await client.get("/v1/optouts", number=STOPPED)
        found = {number: (row["state"], row["disposition"]) for number, row in rows.items()}
        rung = Counter(invite.splitlines()[0].split("@")[0] for invite in customer.received("INVITE"))
    assert found == {
        DUE: ("done", "hung_up"),
        LATER: ("due", None),
        CLAIMED: ("done", "hung_up"),
        DIALING: ("undetermined", "undetermined"),  # no journal vouches for it
        DONE: ("done", "informed"),
        UNKNOWN: ("undetermined", "undetermined"),
        STOPPED: ("done", "refused"),
        UNPLANNED: ("done", "hung_up"),
    }
    assert rung == {f"INVITE sip:{number}": 1 for number in (DUE, CLAIMED, UNPLANNED)}
    assert campaign["state"] == "running"
    assert [row["number"] for row in stopped["items"]] == [STOPPED]
