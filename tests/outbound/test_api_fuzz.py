"""Whatever is sent to any route, the answer is no failure of the service, and what is refused is problem details."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outbound.api.app import all_routes
from outbound.api.openapi import document
from outbound.api.routes import Route
from tests.outbound.conftest import CAMPAIGN, PARCEL, TRUNK, Api, a_person

pytestmark = pytest.mark.integration
JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    1.5,
    "",
    " ",
    "x" * 5000,
    "\u202e\u0000"[:1],
    "=cmd|x!A0",
    "'; DROP TABLE contacts; --",
    "../../etc/passwd",
    "\U0001f600",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    [],
    [[]],
    {},
    {"": {}},
    {"$ref": "#"},
]
RAW = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"{",
    b"[" * 5000,
    b'"',
    b"null",
    b"{}",
    b"[]",
    b"number\n+1",
    b"a" * 70_000,
    b"{}\n[]",
]
TYPES = ["application/json", "text/csv", "application/x-ndjson", "application/yaml", "text/csv; charset=zip", "x/y", ""]
PACK: dict[str, Any] = {
    "name": "default",
    "title": "Trial",
    "version": "1",
    "effective_from": "2000-01-01",
    "jurisdictions": [],
    "holidays": {"country": "FR", "add": ["12-24"]},
    "hours": [
        {
            "id": "hours",
            "purposes": ["marketing", "informational", "transactional"],
            "channels": ["voice", "sms"],
            "windows": ["mon-fri 09:00-12:00"],
            "closed_on": ["holiday"],
            "source": "a test",
            "mark": "H",
        }
    ],
    "consents": [
        {
            "id": "consent",
            "purposes": ["marketing"],
            "channels": ["voice", "sms"],
            "needs": "express",
            "source": "a test",
            "mark": "H",
        }
    ],
}
GOOD: dict[str, Any] = {
    "create_campaign": CAMPAIGN,
    "change_campaign": {"name": "New", "retry": {"max_attempts": 2, "delays_s": {"busy": 5}}},
    "add_contacts": [a_person(1), a_person(2)],
    "resolve_attempt": {"disposition": "no_answer", "again": True, "note": "asked the carrier"},
    "notify": {
        "number": "+447700900001",
        "callflow": "parcel",
        "purpose": "informational",
        "zone": "Europe/London",
        "variables": {"business": "Acme", "day": "Monday"},
    },
    "create_opt_out": {"number": "+447700900001", "scope": "all", "words": "stop"},
    "create_opt_in": {"number": "+447700900001", "source": "sms", "words": "START", "at": "2026-11-20T12:00:00Z"},
    "grant_consent": {"number": "+447700900001", "kind": "express", "source": "paper", "proof": "letter 17"},
    "withdraw_consent": {"number": "+447700900001", "source": "agent", "words": "no more"},
    "put_register": {"kind": "house"},
    "load_entries": "+447700900001",
    "receive_message": {"from": "+447700900001", "to": "60777", "text": "stop", "offered": ["R"]},
    "receive_call": {"from": "+447700900001", "act": "opt_out", "scope": "all", "words": "9"},
    "decide": {
        "number": "+447700900001",
        "zone": "Europe/London",
        "purpose": "marketing",
        "at": "2026-11-24T12:00:00Z",
        "history": [{"at": "2026-11-23T12:00:00Z", "disposition": "busy"}],
        "consents": [{"kind": "express", "at": "2026-01-01T00:00:00Z"}],
        "caps": [{"attempts": 1, "per": "24 hours"}],
        "windows": [{"days": ["mon"], "start": "10:00", "end": "12:00"}],
        "registers": {"gb-tps": {"as_of": "2026-11-20T00:00:00Z", "listed": False}},
        "rules": [PACK],
    },
    "put_rules": {"pack": PACK},
    "create_callflow": {"document": PARCEL},
    "put_callflow": {"document": PARCEL},
    "lint_callflow": {"document": PARCEL},
    "simulate_callflow": {"variables": {"business": "Acme", "day": "Monday"}, "inputs": ["yes"]},
    "create_trunk": TRUNK,
    "replace_trunk": {"host": "192.0.2.1"},
    "create_webhook": {"url": "https://8.8.8.8/hooks", "kinds": ["attempt.*", "optout.created"], "description": "Shop"},
    "change_webhook": {"url": "https://8.8.8.8/other", "kinds": ["call.answered"], "enabled": True},
    "rotate_secret": {"overlap_s": 60},
    "put_system": {"url": "https://8.8.8.8/ask", "description": "Parcels"},
    "rotate_system_secret": {"overlap_s": 60},
    "try_system": {"operation": "status", "values": {"parcel": "AB12"}, "deadline_s": 1},
    "replay_events": {"since": "2026-11-20T12:00:00Z", "kinds": ["attempt.done"]},
    "create_key": {"name": "x"},
    "begin_session": {"key": "x"},
}
WRITES = [
    route for route in all_routes() if route.method in ("POST", "PUT", "PATCH") and (route.body or route.consumes)
]


def mutations(value: Any, rng: random.Random, at_most: int) -> list[Any]:
    """Copies of a good body with one thing in it replaced, removed or added."""
    places: list[tuple[Any, ...]] = [()]

    def walk(item: Any, path: tuple[Any, ...]) -> None:
        keys = item.keys() if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            places.append((*path, key))
            walk(item[key], (*path, key))

    walk(value, ())
    made = []
    for place in places:
        made += [changed(value, place, junk) for junk in JUNK]
        made.append(changed(value, place, ..., remove=True))
        made.append(changed(value, (*place, "unknown"), 1))
    return rng.sample(made, min(at_most, len(made)))


def changed(value: Any, place: tuple[Any, ...], junk: Any, *, remove: bool = False) -> Any:
    if not place:
        return None if remove else junk
    copied = json.loads(json.dumps(value))
    holder = copied
    for key in place[:-1]:
        holder = holder[key]
    if remove and isinstance(holder, dict):
        del holder[place[-1]]
    elif isinstance(holder, dict):
        holder[place[-1]] = None if remove else junk
    elif isinstance(holder, list):
        holder.insert(0, junk if not remove else None)
    else:
        return junk if not remove else None
    return copied


async def address(api: Api, route: Route) -> str:
    campaign = (await api("GET", "/v1/campaigns?state=draft&limit=1"))["items"]
    campaign_id = campaign[0]["id"] if campaign else await api.a_campaign()
    known = dict.fromkeys(route.parameters, "nothing")
    known |= {"campaign_id": campaign_id, "name": "parcel" if "callflow" in route.path else "default"}
    if "webhook_id" in route.parameters:
        webhooks = (await api("GET", "/v1/webhooks?limit=1"))["items"]
        made = webhooks[0] if webhooks else await api("POST", "/v1/webhooks", GOOD["create_webhook"], expect=201)
        known["webhook_id"] = made["id"]
    return route.path.format(**known)


def is_fine(status: int, content_type: str, body: bytes) -> bool:
    if status >= 500:
        return False
    return status < 400 or (content_type == "application/problem+json" and bool(json.loads(body)["code"]))


async def send(api: Api, route: Route, body: bytes, kind: str) -> None:
    path = await address(api, route)
    async with api.client.request(route.method, path, data=body, headers={"Content-Type": kind}) as answer:
        content = await answer.read()
        assert is_fine(answer.status, answer.content_type, content), (
            f"{path} {body[:200]!r}: {answer.status} {content!r}"
        )


def test_every_write_has_a_good_body_to_begin_with() -> None:
    assert {route.handler.__name__ for route in WRITES} == GOOD.keys()


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.handler.__name__)
async def test_spoilt_bodies_never_fail_the_service(api: Api, route: Route) -> None:
    rng = random.Random(route.path)
    for value in mutations(GOOD[route.handler.__name__], rng, 120):
        await send(api, route, json.dumps(value).encode(), "application/json")
    for body in RAW:
        await send(api, route, body, rng.choice(TYPES))


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.handler.__name__)
async def test_bodies_of_the_documented_shape_never_fail_the_service(api: Api, route: Route) -> None:
    operation = document()["paths"][route.path][route.method.lower()]
    schema = operation["requestBody"]["content"].get("application/json", {"schema": {}})["schema"]
    rng = random.Random(route.path)
    for _ in range(60):
        value = imagined(schema, document()["components"]["schemas"], rng)
        await send(api, route, json.dumps(value).encode(), "application/json")


def imagined(schema: dict[str, Any], schemas: dict[str, Any], rng: random.Random, depth: int = 0) -> Any:
    """A value roughly of a schema's shape: right types, wild content."""
    if "$ref" in schema:
        return imagined(schemas[schema["$ref"].rpartition("/")[2]], schemas, rng, depth)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return imagined(rng.choice(schema[union]), schemas, rng, depth)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        value = {
            name: imagined(item, schemas, rng, depth + 1)
            for name, item in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or rng.random() < 0.5
        }
        if rng.random() < 0.3 or "properties" not in schema:
            value[rng.choice(["x", "busy", "day", "name", "steps"])] = rng.choice(JUNK)
        return value
    if kind == "array":
        return [imagined(schema.get("items", {}), schemas, rng, depth + 1) for _ in range(rng.randint(0, 3))]
    texts = ["parcel", "default", "en", "09:00", "24:00", "sip:a@b", "+447700900001", "Europe/London", "ac\u00e9", ""]
    simple = {
        "string": [*texts, "2026-12-01T12:00:00Z", "2026-12-01T12:00:00", "GB"],
        "integer": [0, 1, 5, -7, 10**9, 10**30],
        "number": [0, 0.5, 5, 1e308, -1],
        "boolean": [True, False],
        "null": [None],
    }
    return rng.choice(simple.get(str(kind), JUNK))


async def test_wild_addresses_and_queries_never_fail_the_service(api: Api) -> None:
    wild = ["%00", "%FF", "%20", "..", "%2e%2e%2f", "x" * 300, "\u00e9", "'", "%", "+", "-1", "a%0Ab", "%ED%A0%80"]
    for route in all_routes():
        if route.produces and "text/event-stream" in route.produces:
            continue
        for piece in wild:
            path = route.path
            for name in route.parameters:
                path = path.replace(f"{{{name}}}", piece)
            for query in ("", f"?{piece}={piece}", f"?limit={piece}&cursor={piece}&number={piece}"):
                async with api.client.request(route.method, path + query, allow_redirects=False) as answer:
                    content = await answer.read()
                    assert is_fine(answer.status, answer.content_type, content) or answer.status == 400, (path, query)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400), kind=st.sampled_from(TYPES[:3]))
def test_random_bytes_as_contacts_never_fail_the_service(body: bytes, kind: str, contacts_sent: Any) -> None:
    contacts_sent(body, kind)


@pytest.fixture
async def contacts_sent(api: Api) -> Any:
    import asyncio

    route = next(route for route in WRITES if route.handler.__name__ == "add_contacts")
    loop = asyncio.get_running_loop()

    def run(body: bytes, kind: str) -> None:
        loop.run_until_complete(send(api, route, body, kind))

    return run
