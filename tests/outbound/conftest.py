"""A host without queue and lines: a real store, a real event stream, jobs run where they are enqueued, real HTTP."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer

from outbound.api.app import create_app
from outbound.callflows import CallflowLibrary
from outbound.importing.run import run_import
from outbound.planning import plan_contacts
from outbound.queue.jobs import end_campaign
from outbound.registers.load import load_register
from outbound.services import Services
from outbound.settings import Settings
from outbound.store import Store, apikeys
from outbound.stream import EventStream
from tests.outbound.world import NOON

PARCEL: dict[str, Any] = yaml.safe_load("""
name: parcel
title: Parcel notice
languages: [en]
variables:
  business: {per: campaign}
  day: {}
  shop_city: {default: London}
voicemail: hangup
steps:
  hello:
    type: identify
    say: {en: "This is the robot of {{business}} with news of your parcel."}
    then: question
  question:
    type: ask
    say: {en: "It comes on {{day}} from {{shop_city}}. Will you be at home? Yes is 1, no is 2.
      To talk to a person press {{key_agent}}, to hear no more from us press {{key_opt_out}}."}
    answers:
      "yes": {key: "1", then: bye, settle: accepted, outcome: at_home}
      "no": {key: "2", then: bye, settle: declined, outcome: not_at_home}
    otherwise: bye
  bye:
    type: hangup
    say: {en: "Thank you. Goodbye."}
  person:
    type: handoff
    otherwise: bye
  never:
    type: opt_out
""")
TRUNK = {"name": "default", "host": "127.0.0.1:5060", "username": "shop", "password": "tr0ub4dor"}
CAMPAIGN = {"name": "Parcels", "callflow": "parcel", "purpose": "informational", "variables": {"business": "Acme"}}


def a_person(who: int, **changes: Any) -> dict[str, Any]:
    """A fictional customer in London."""
    fields = {"number": f"+447700900{who:03d}", "name": f"Person {who}", "zone": "Europe/London"}
    return fields | {"variables": {"day": "Monday"}} | changes


@dataclass
class Enqueued:
    """Runs jobs where they are enqueued, as a worker would; ``held`` keeps them back."""

    services: Services | None = None
    held: bool = False
    jobs: list[tuple[str, ...]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, name: str, *arguments: str) -> None:
        self.jobs.append((name, *arguments))
        self.arrived.set()
        if not self.held:
            await JOBS[name](self.services, *arguments)


async def _plan(services: Services, campaign_id: str) -> None:
    now = services.clock()
    await services.store.write(lambda c: plan_contacts(c, campaign_id, now=now, limit=10_000))


JOBS: dict[str, Callable[..., Awaitable[None]]] = {
    "run_import": run_import,
    "load_register": load_register,
    "plan_campaign": _plan,
    "end_campaign": end_campaign,
}


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(f"sqlite:///{tmp_path / 'outbound.db'}")
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def enqueued() -> Enqueued:
    return Enqueued()


@pytest.fixture
async def services(store: Store, tmp_path: Path, clock: Clock, enqueued: Enqueued) -> Services:
    stream = EventStream(store)
    stream.start()
    made = Services(
        settings=Settings(data_dir=tmp_path),
        store=store,
        callflows=CallflowLibrary(store),
        stream=stream,
        enqueue=enqueued,
        kick=lambda: enqueued.jobs.append(("kick",)),
        clock=clock,
    )
    enqueued.services = made
    return made


@dataclass
class Api:
    """A client with a key, and what happens behind it."""

    client: TestClient[Any, Any]
    services: Services
    enqueued: Enqueued
    clock: Clock
    key: str

    async def __call__(
        self, method: str, path: str, body: Any = None, *, expect: int | None = None, **more: Any
    ) -> Any:
        """Send JSON, check the status, return the JSON of the answer."""
        arguments = more if body is None else {"json": body, **more}
        async with self.client.request(method, path, **arguments) as answer:
            text = await answer.text()
            if expect is not None:
                assert answer.status == expect, f"{method} {path}: {answer.status} {text}"
            assert answer.status < 500, f"{method} {path}: {answer.status} {text}"
            return await answer.json(content_type=None) if text else None

    async def a_campaign(self, **changes: Any) -> str:
        """Create a draft; return its id."""
        created = await self("POST", "/v1/campaigns", CAMPAIGN | changes, expect=201)
        return str(created["id"])

    async def refused(self, method: str, path: str, body: Any = None, *, expect: int, **more: Any) -> Any:
        """Send what must be refused; return the problem."""
        problem = await self(method, path, body, expect=expect, **more)
        assert problem["status"] == expect
        assert problem["type"] == f"urn:outbound:problem:{problem['code']}"
        assert problem["detail"]
        return problem


@pytest.fixture
async def bare_api(services: Services, enqueued: Enqueued, clock: Clock) -> AsyncIterator[Api]:
    """Nothing is stored but the key."""
    _, secret = await services.store.write(lambda c: apikeys.make(c, name="test", now=clock()))
    headers = {"Authorization": f"Bearer {secret}"}
    async with TestClient(TestServer(create_app(services)), headers=headers) as client:
        yield Api(client=client, services=services, enqueued=enqueued, clock=clock, key=secret)


@pytest.fixture
async def api(bare_api: Api) -> Api:
    """A trunk ``default`` and a call flow ``parcel`` are there."""
    await bare_api("POST", "/v1/trunks", TRUNK, expect=201)
    await bare_api("POST", "/v1/callflows", {"document": copy.deepcopy(PARCEL)}, expect=201)
    return bare_api
