"""Attempts as operators see them: lists, the whole story of one, its recording by ranges, wishes to be called back."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from outbound.queue.jobs import clear_old
from outbound.settling.said import book
from outbound.store import events
from outbound.store.schema import attempts, receipts
from tests.outbound.conftest import Api, a_person
from tests.outbound.world import NOON

pytestmark = pytest.mark.integration
TURN = {"who": "customer", "text": "yes", "at_s": 3.2, "intent": "yes", "interrupted": True}
TIMINGS = {
    "answer_to_audio_s": 0.2,
    "turn_gaps_s": [0.7],
    "barge_in_stops_s": [],
    "dead_air_s": 0.0,
    "duration_s": 9.5,
}


@pytest.fixture
async def made(api: Api) -> list[str]:
    """Three due attempts of a running campaign."""
    campaign = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(n) for n in (1, 2, 3)], expect=200)
    await api("POST", f"/v1/campaigns/{campaign}/start", expect=200)
    return list(await api.services.store.read(lambda c: c.execute(select(attempts.c.id)).scalars().all()))


async def settled(api: Api, attempt_id: str, recording: str = "") -> None:
    result = {"transcript": [TURN], "variables": {"at_home": "yes"}, "timings": TIMINGS, "recording": recording}
    values = {"state": "done", "disposition": "accepted", "outcome": "at_home", "answered_at": NOON, "result": result}

    def unit(connection: Any) -> None:
        row = connection.execute(select(attempts).where(attempts.c.id == attempt_id)).mappings().one()
        connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(**values))
        events.append(connection, at=NOON, kind="call.answered", attempt_id=attempt_id, data={"codec": "PCMU"})
        receipt = {"at": NOON, "campaign_id": row["campaign_id"], "contact_id": row["contact_id"]}
        receipt |= {"attempt_id": attempt_id, "allowed": True, "code": "permitted", "reason": "ok", "rule": "default 1"}
        connection.execute(insert(receipts), receipt | {"evidence": {"zones": ["Europe/London"]}})

    await api.services.store.write(unit)


def a_recording(path: Path) -> bytes:
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(range(256)) * 100)
    return path.read_bytes()


async def test_lists_are_filtered(api: Api, made: list[str]) -> None:
    await settled(api, made[0])
    everything = await api("GET", "/v1/attempts", expect=200)
    assert [item["id"] for item in everything["items"]] == sorted(made, reverse=True)
    campaign = everything["items"][0]["campaign_id"]
    wanted = {
        "state=done": 1,
        "state=due": 2,
        "disposition=accepted": 1,
        "number=%2B447700900002": 1,
        "number=%2B447700900009": 0,
        f"campaign_id={campaign}": 3,
        "campaign_id=nope": 0,
    }
    for query, count in wanted.items():
        assert len((await api("GET", f"/v1/attempts?{query}", expect=200))["items"]) == count, query
    assert len((await api("GET", f"/v1/campaigns/{campaign}/attempts?state=due", expect=200))["items"]) == 2
    page = await api("GET", "/v1/attempts?limit=2")
    rest = await api("GET", f"/v1/attempts?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in page["items"] + rest["items"]] == sorted(made, reverse=True)


async def test_an_attempt_tells_its_whole_story(api: Api, made: list[str]) -> None:
    await settled(api, made[0])
    detail = await api("GET", f"/v1/attempts/{made[0]}", expect=200)
    assert [entry["kind"] for entry in detail["timeline"]] == ["attempt.due", "call.answered"]
    assert detail["transcript"] == [TURN]
    assert TIMINGS.items() <= detail["timings"].items()
    assert detail["variables"] == {"at_home": "yes"}
    assert [receipt["code"] for receipt in detail["receipts"]] == ["permitted"]
    assert (detail["campaign"], detail["name"], detail["recording"]) == ("Parcels", detail["name"], "")
    assert (await api.refused("GET", "/v1/attempts/nope", expect=404))["code"] == "attempt_not_found"


async def test_a_recording_is_served_by_ranges(api: Api, made: list[str]) -> None:
    content = a_recording(api.services.settings.recordings_dir / "call.wav")
    await settled(api, made[0], recording="call.wav")
    path = (await api("GET", f"/v1/attempts/{made[0]}"))["recording"]
    assert path == f"/v1/attempts/{made[0]}/recording"
    async with api.client.get(path) as answer:
        assert (answer.status, answer.content_type, answer.headers["Accept-Ranges"]) == (200, "audio/wav", "bytes")
        assert await answer.read() == content
    async with api.client.get(path, headers={"Range": "bytes=100-199"}) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
        assert await answer.read() == content[100:200]
    async with api.client.get(path, headers={"Range": "bytes=999999999-"}) as answer:
        assert answer.status == 416
    async with api.client.head(path) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(content)))


async def test_no_other_file_is_served_as_a_recording(api: Api, made: list[str]) -> None:
    for name in ("", "gone.wav", "../outbound.db", "/etc/passwd", "..", "."):
        await settled(api, made[1], recording=name)
        problem = await api.refused("GET", f"/v1/attempts/{made[1]}/recording", expect=404)
        assert problem["code"] == "recording_not_found"


async def test_wishes_to_be_called_back_are_listed(api: Api, made: list[str]) -> None:
    def unit(connection: Any) -> None:
        for key, at, words in ((made[0], NOON + 3600, "in an hour"), (made[1], None, "some day")):
            row = connection.execute(select(attempts).where(attempts.c.id == key)).mappings().one()
            book(connection, row, at=at, words=words, now=api.clock.now)
            api.clock.now += 1

    await api.services.store.write(unit)
    listed = (await api("GET", "/v1/callbacks", expect=200))["items"]
    assert [(item["words"], item["at"]) for item in listed] == [
        ("some day", None),
        ("in an hour", "2026-11-24T13:00:00Z"),
    ]
    assert (await api("GET", "/v1/callbacks?number=%2B447700900009"))["items"] == []


async def undetermined(api: Api, attempt_id: str) -> None:
    values = {"state": "undetermined", "disposition": "undetermined", "dialed_at": NOON}
    await api.services.store.write(
        lambda c: c.execute(update(attempts).where(attempts.c.id == attempt_id).values(**values))
    )


async def test_an_operator_says_what_became_of_an_undetermined_attempt(api: Api, made: list[str]) -> None:
    await undetermined(api, made[0])
    listed = await api("GET", "/v1/attempts?state=undetermined", expect=200)
    assert [item["id"] for item in listed["items"]] == [made[0]]
    body = {"disposition": "no_answer", "note": "the trunk's records show no ringing"}
    resolved = await api("POST", f"/v1/attempts/{made[0]}/resolve", body, expect=200)
    assert (resolved["state"], resolved["disposition"]) == ("done", "no_answer")
    assert resolved["timeline"][-1]["data"]["note"] == body["note"]
    refused = await api("POST", f"/v1/attempts/{made[0]}/resolve", body, expect=409)
    assert refused["code"] == "attempt_state"


async def test_only_an_operator_has_an_undetermined_attempt_made_again(api: Api, made: list[str]) -> None:
    await undetermined(api, made[0])
    body = {"disposition": "failed", "again": True}
    await api("POST", f"/v1/attempts/{made[0]}/resolve", body, expect=200)
    found = await api("GET", "/v1/attempts?state=due", expect=200)
    (again,) = [item for item in found["items"] if item["ordinal"] == 2]
    assert again["contact_id"] == (await api("GET", f"/v1/attempts/{made[0]}", expect=200))["contact_id"]


async def test_nobody_is_called_again_for_a_campaign_that_is_over(api: Api, made: list[str]) -> None:
    await undetermined(api, made[0])
    campaign = (await api("GET", f"/v1/attempts/{made[0]}", expect=200))["campaign_id"]
    await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200)
    body = {"disposition": "failed", "again": True}
    refused = await api("POST", f"/v1/attempts/{made[0]}/resolve", body, expect=409)
    assert refused["code"] == "campaign_state"
    assert (await api("GET", f"/v1/attempts/{made[0]}", expect=200))["state"] == "undetermined"


async def test_a_sealed_recording_is_opened_for_who_may_hear_it(api: Api, made: list[str]) -> None:
    wav = b"RIFF" + bytes(range(256)) * 4
    name = api.services.settings.vault.keep(f"{made[0]}-1", wav)
    await settled(api, made[0], recording=name)
    path = f"/v1/attempts/{made[0]}/recording"
    async with api.client.get(path) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", wav)
    async with api.client.get(path, headers={"Range": "bytes=4-9"}) as answer:
        assert (answer.status, await answer.read()) == (206, wav[4:10])
        assert answer.headers["Content-Range"] == f"bytes 4-9/{len(wav)}"
    async with api.client.get(path, headers={"Range": f"bytes={len(wav)}-"}) as answer:
        assert answer.status == 416
    async with api.client.get(path, headers={"Range": "bytes=-3"}) as answer:
        assert (answer.status, await answer.read()) == (206, wav[-3:])


async def test_recordings_that_are_too_old_are_deleted(api: Api) -> None:
    settings = api.services.settings
    settings.recordings_dir.mkdir(parents=True)
    old, young = settings.recordings_dir / "old.sealed", settings.recordings_dir / "young.sealed"
    for path, days in ((old, 91), (young, 89)):
        path.write_bytes(b"x")
        at = api.clock() - days * 86400
        os.utime(path, (at, at))
    assert clear_old(settings, now=api.clock()) == 1
    assert [path.name for path in settings.recordings_dir.iterdir()] == ["young.sealed"]
