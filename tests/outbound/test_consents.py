"""Consents and refusals: events with their proof, one beside the other, never overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outbound.store import consents, refusals
from outbound.store.schema import events
from tests.outbound.conftest import Api

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+447700900002"
CONSENT = {"number": ANN, "kind": "express", "source": "web_form", "proof": "order 17, box ticked"}


async def kinds(api: Api) -> list[str]:
    query = select(events.c.kind).order_by(events.c.id)
    return list(await api.services.store.read(lambda c: c.execute(query).scalars().all()))


async def test_consent_is_granted_and_withdrawn_and_both_stay(api: Api) -> None:
    campaign = await api.a_campaign()
    more = {"scope": "marketing", "channel": "voice", "only_campaign": campaign, "at": "2026-11-01T10:00:00+01:00"}
    granted = await api("POST", "/v1/consents", CONSENT | more | {"expires_at": "2027-11-01T00:00:00Z"}, expect=201)
    assert (granted["event"], granted["at"], granted["expires_at"]) == (
        "granted",
        "2026-11-01T09:00:00Z",
        "2027-11-01T00:00:00Z",
    )
    assert granted["created_at"] == "2026-11-24T12:00:00Z"
    api.clock.now += 5
    body = {"number": ANN, "source": "speech", "words": "I take that back"}
    withdrawn = await api("POST", "/v1/consents/withdrawals", body, expect=201)
    assert (withdrawn["event"], withdrawn["kind"], withdrawn["scope"]) == ("withdrawn", "", "all")
    await api("POST", "/v1/consents", CONSENT | {"number": BEN}, expect=201)
    listed = (await api("GET", "/v1/consents", params={"number": ANN}))["items"]
    assert [item["id"] for item in listed] == [withdrawn["id"], granted["id"]]
    assert (await kinds(api))[-3:] == ["consent.granted", "consent.withdrawn", "consent.granted"]
    kept = await api.services.store.read(lambda c: consents.of(c, [ANN]))
    assert [row["event"] for row in kept] == ["granted", "withdrawn"]


async def test_the_same_consent_again_stands_beside_the_first(api: Api) -> None:
    for proof in ("first", "second"):
        await api("POST", "/v1/consents", CONSENT | {"proof": proof}, expect=201)
    assert {item["proof"] for item in (await api("GET", "/v1/consents"))["items"]} == {"first", "second"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"proof": None}, "proof"),
        ({"proof": ""}, "proof"),
        ({"proof": "x" * 2001}, "proof"),
        ({"kind": "none"}, "kind"),
        ({"source": "Web form"}, "source"),
        ({"at": "2026-11-24T12:00:01Z"}, "at"),
        ({"expires_at": "2026-11-24T12:00:00Z"}, "expires_at"),
        ({"at": "2026-11-20T00:00:00Z", "expires_at": "2026-11-19T00:00:00Z"}, "expires_at"),
        ({"only_campaign": "nowhere"}, "only_campaign"),
        ({"scope": "everything"}, "scope"),
        ({"number": "hello"}, "number"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, wrong: dict[str, Any], field: str) -> None:
    problem = await api.refused("POST", "/v1/consents", CONSENT | wrong, expect=422)
    assert problem["errors"][0]["field"] == field
    assert (await api("GET", "/v1/consents"))["items"] == []


async def test_a_withdrawal_of_the_future_is_refused(api: Api) -> None:
    body = {"number": ANN, "source": "agent", "at": "2026-12-24T12:00:00Z"}
    problem = await api.refused("POST", "/v1/consents/withdrawals", body, expect=422)
    assert problem["errors"][0]["code"] == "in_the_future"


async def test_an_offer_is_refused_once_an_attempt(api: Api) -> None:
    store, now = api.services.store, api.clock.now
    said = {"number": ANN, "purpose": "marketing", "source": "speech", "campaign_id": "C", "attempt_id": "A"}
    first = await store.write(lambda c: refusals.record(c, **said, words="no interest", now=now))
    again = await store.write(lambda c: refusals.record(c, **said, words="no!", now=now + 1))
    other = said | {"attempt_id": None}
    await store.write(lambda c: refusals.record(c, **other, words="not interested", now=now + 2))
    await store.write(lambda c: refusals.record(c, **other, words="not interested", now=now + 3))
    assert (again["id"], again["words"]) == (first["id"], "no interest")
    listed = (await api("GET", "/v1/refusals", params={"number": ANN}))["items"]
    assert [item["attempt_id"] for item in listed] == [None, None, "A"]
    assert listed[-1]["purpose"] == "marketing"
    assert (await kinds(api))[-3:] == ["refusal.recorded"] * 3
    assert [row["attempt_id"] for row in await store.read(lambda c: refusals.of(c, [ANN]))] == ["A", None, None]
