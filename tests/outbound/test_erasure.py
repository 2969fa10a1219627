"""Erasing a person: nothing of them is left anywhere, what was decided about them stays checkable and in force."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import String, create_engine, delete, insert, select, text, update

from campaigns.dispositions import Disposition
from dialer.messages import CallEvent, CallResult, EventKind, Released, Timings, Turn
from outbound.erasing import scrubbing
from outbound.erasing.erasure import clear_files
from outbound.queue.jobs import sweep
from outbound.receipts.chain import append
from outbound.receipts.heads import FILE, heads
from outbound.receipts.verify import verify
from outbound.settling.ledger import Ledger
from outbound.settling.said import book, opt_out, refuse_offer
from outbound.settling.settle import settle
from outbound.store import Store, campaigns, events
from outbound.store.erased import is_token, names_of, token_of, tokens_of
from outbound.store.schema import (
    attempts,
    callbacks,
    consents,
    contacts,
    erasures,
    idempotency_keys,
    import_rejects,
    metadata,
    opt_ins,
    opt_outs,
    receipts,
    refusals,
    register_entries,
    registers,
)
from outbound.store.schema import events as events_table
from tests.outbound.conftest import Api, a_person
from tests.outbound.receipts_world import NOON, a_receipt

pytestmark = pytest.mark.integration
NUMBER, OTHER = "+447700900001", "+447700900002"
PATH = f"/v1/contacts/{NUMBER}"
NAME, WORDS, REF, PARCEL = "Philippa Quill", "leave me in peace", "customer-4711", "a red umbrella"
SECRETS = (NUMBER[1:], NAME, "Philippa", WORDS, REF, PARCEL, "zebra-proof")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """The store behind ``api``, in either database."""
    url = f"sqlite:///{tmp_path / 'outbound.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    opened = Store(url)
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
async def campaign(api: Api) -> str:
    """A running campaign of two; the first has left a trace everywhere."""
    made = await api.a_campaign()
    people = [
        a_person(1, name=NAME, ref=REF, variables={"day": PARCEL}),
        a_person(2, name="Somebody Else"),
    ]
    await api("POST", f"/v1/campaigns/{made}/contacts", people, expect=200)
    await api("POST", f"/v1/campaigns/{made}/start", expect=200)
    key = {"headers": {"Idempotency-Key": "k1"}}
    stop = {"number": NUMBER, "scope": "marketing", "words": WORDS}
    await api("POST", "/v1/optouts", stop, expect=201, **key)
    await api.services.store.write(lambda connection: leave_traces(connection, made))
    recordings = api.services.settings.recordings_dir
    recordings.mkdir(parents=True)
    for name in ("01TRY-1.wav", "01TRY-2.wav", "01TRY-2.part", "01OTHER-1.wav"):
        (recordings / name).write_bytes(b"voice")
    return made


def leave_traces(connection: Any, campaign: str) -> None:
    ids = dict(connection.execute(select(contacts.c.number, contacts.c.id)).all())
    result = {
        "transcript": [{"who": "customer", "text": WORDS, "at_s": 1.0}],
        "variables": {"answer": PARCEL},
        "timings": {"duration_s": 12.5},
        "recording": "01TRY-2.wav",
    }
    tried = {"campaign_id": campaign, "state": "done", "due_at": NOON, "dialed_at": NOON, "ordinal": 7, "fence": 2}
    others = result | {"transcript": [{"who": "customer", "text": "yes", "at_s": 1.0}], "variables": {"answer": "home"}}
    for number, key, came in ((NUMBER, "01TRY", result), (OTHER, "01OTHER", others)):
        row = tried | {"id": key, "contact_id": ids[number], "number": number, "result": came}
        connection.execute(insert(attempts), row | {"disposition": "declined"})
    said = {"number": NUMBER, "words": WORDS, "created_at": NOON}
    connection.execute(insert(opt_ins), said | {"id": "1", "scope": "all", "source": "sms", "proof": "zebra-proof"})
    given = said | {"id": "1", "event": "granted", "kind": "express", "scope": "all", "source": "web"}
    connection.execute(insert(consents), given | {"proof": "zebra-proof", "at": NOON})
    connection.execute(insert(refusals), said | {"id": "1", "purpose": "informational", "source": "speech"})
    connection.execute(insert(callbacks), said | {"id": "1", "attempt_id": "01TRY", "at": NOON})
    people = ((NUMBER, NAME), (OTHER, "Somebody Else"))
    append(
        connection,
        [
            a_receipt(place, campaign_id=campaign, contact_id=ids[number], personal={"number": number, "name": name})
            for place, (number, name) in enumerate(people * 2)
        ],
    )
    sent = {"campaign_id": campaign, "allowed": True, "code": "permitted"}
    for number, key in ((NUMBER, "01TRY"), (OTHER, "01OTHER")):
        place = sent | {"contact_id": ids[number], "attempt_id": key, "personal": {"number": number}}
        append(connection, [a_receipt(0, **place)])
    tell(connection, campaign)
    connection.execute(insert(registers), {"name": "house", "kind": "house", "entries": 2, "created_at": NOON})
    connection.execute(insert(registers), {"name": "us-dnc", "kind": "national", "entries": 1, "created_at": NOON})
    listed = [("house", NUMBER), ("house", OTHER), ("us-dnc", NUMBER)]
    rows = [{"register": name, "number": int(number[1:]), "generation": 1} for name, number in listed]
    connection.execute(insert(register_entries), rows)
    imports = metadata.tables["imports"]
    made = {"id": "01IMPORT", "campaign_id": campaign, "state": "done", "format": "csv", "path": "x", "options": {}}
    connection.execute(insert(imports), made | {"created_at": NOON})
    reject = {"import_id": "01IMPORT", "row": 2, "field": "zone", "code": "zone_needed"}
    connection.execute(insert(import_rejects), reject | {"reason": f"{NUMBER} does not tell its zone"})


def tell(connection: Any, campaign: str) -> None:
    """Events as calls, plans and customers leave them, and one of a kind nobody knows yet."""
    about = {"number": NUMBER, "name": NAME}
    for kind, attempt_id, data in [
        ("call.heard", "01TRY", {"text": WORDS, "confidence": 0.9, "intent": "never"}),
        ("call.said", "01TRY", {"text": f"Hello {NAME}", "language": "en"}),
        ("call.variable", "01TRY", {"name": "parcel", "value": PARCEL}),
        ("attempt.done", "01TRY", about | {"disposition": "declined", "timings": {"duration_s": 12.5}, "ordinal": 7}),
        ("contact.refused", None, about | {"code": "opted_out", "rule": "house@1", "reason": "they opted out"}),
        ("some.newkind", None, {"who": {"telephone": NUMBER, "called": NAME}, "colour": PARCEL}),
        ("call.heard", "01OTHER", {"text": "yes please"}),
    ]:
        events.append(connection, at=NOON, kind=kind, campaign_id=campaign, attempt_id=attempt_id, data=data)
    words = {"number": NUMBER, "words": WORDS, "meaning": "opt_out"}
    events.append(connection, at=NOON, kind="inbound.message", data=words)


async def everything(api: Api) -> dict[str, str]:
    """Every table as text."""

    def unit(connection: Any) -> dict[str, str]:
        found = {}
        for table in metadata.sorted_tables:
            rows = [list(row) for row in connection.execute(select(table)).all()]
            found[table.name] = "\n".join(
                "\t".join(
                    c.decode(errors="replace") if isinstance(c, bytes) else json.dumps(c, default=str) for c in row
                )
                for row in rows
            )
        return found

    return await api.services.store.read(unit)


async def rows(api: Api, table: Any) -> list[dict[str, Any]]:
    return await api.services.store.read(lambda c: [dict(row) for row in c.execute(select(table)).mappings()])


async def test_nothing_of_a_person_is_left(api: Api, campaign: str) -> None:
    before = await everything(api)
    for name in ("contacts", "attempts", "opt_outs", "opt_ins", "consents", "refusals", "callbacks", "events"):
        assert any(secret in before[name] for secret in SECRETS), name
    answer = await api("DELETE", PATH, expect=200)
    after = await everything(api)
    left = {(name, secret) for name, lines in after.items() for secret in SECRETS if secret in lines}
    assert left == {("register_entries", NUMBER[1:])}, "the national register is the register's"
    assert is_token(answer["token"])
    assert answer["erased"] == {
        "alternates": 0,
        "answers": 1,
        "attempts": 2,
        "callbacks": 1,
        "consents": 1,
        "contacts": 1,
        "events": answer["erased"]["events"],
        "opt_ins": 1,
        "opt_outs": 1,
        "receipts": answer["erased"]["receipts"],
        "refusals": 1,
        "register_entries": 1,
        "rejects": 1,
    }
    assert answer["erased"]["receipts"] >= 2
    assert answer["erased"]["events"] >= 8
    recordings = api.services.settings.recordings_dir
    assert sorted(path.name for path in recordings.iterdir()) == ["01OTHER-1.wav"]
    await api.refused("GET", PATH, expect=404)


async def test_no_file_holds_them_either(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)
    if api.services.store.is_sqlite:  # what was overwritten before lies in free pages until the file is compacted
        raw = api.services.store._engine.raw_connection()
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
    folder = api.services.settings.data_dir
    holding = [
        (path.name, secret)
        for path in folder.rglob("*")
        if path.is_file()
        for secret in SECRETS
        if secret.encode() in path.read_bytes()
    ]
    assert holding == []


async def test_others_keep_everything(api: Api, campaign: str) -> None:
    before = await everything(api)
    await api("DELETE", PATH, expect=200)
    after = await everything(api)
    for name, lines in before.items():
        theirs = [line for line in lines.splitlines() if OTHER[1:] in line or "01OTHER" in line]
        assert [line for line in after[name].splitlines() if OTHER[1:] in line or "01OTHER" in line] == theirs, name


async def test_a_number_that_begins_alike_is_somebody_else(api: Api) -> None:
    short, long = "+4930123456", "+49301234567"
    made = await api.a_campaign()
    people = [a_person(who, number=number, zone="Europe/Berlin") for who, number in enumerate((short, long))]
    await api("POST", f"/v1/campaigns/{made}/contacts", people, expect=200)
    key = {"headers": {"Idempotency-Key": "theirs"}}
    answered = await api("POST", "/v1/optouts", {"number": long, "words": "no"}, expect=201, **key)

    def tell_both(connection: Any) -> None:
        told = {"at": NOON, "kind": "inbound.message", "campaign_id": made}
        events.append(connection, **told, data={"number": long, "words": "no", "meaning": "opt_out"})
        friend = {"number": long, "words": "rather ask my wife", "wife": f"00{short[1:]}", "meaning": "none"}
        events.append(connection, **told, data=friend)
        imports = metadata.tables["imports"]
        row = {"id": "01IMPORT", "campaign_id": made, "state": "done", "format": "csv", "path": "x", "options": {}}
        connection.execute(insert(imports), row | {"created_at": NOON})
        reject = {"import_id": "01IMPORT", "row": 2, "field": "zone", "code": "zone_needed", "reason": f"{long}: none"}
        connection.execute(insert(import_rejects), reject)

    await api.services.store.write(tell_both)
    before = await everything(api)
    await api("DELETE", f"/v1/contacts/{short}", expect=200)
    after = await everything(api)
    assert short[1:] not in "".join(after.values()).replace(long[1:], "")
    for name in ("events", "idempotency_keys", "import_rejects", "contacts", "opt_outs"):
        theirs = [line for line in before[name].splitlines() if long[1:] in line and short[1:] + '"' not in line]
        assert theirs, name
        assert set(theirs) <= set(after[name].splitlines()), name
    assert await api("POST", "/v1/optouts", {"number": long, "words": "no"}, expect=201, **key) == answered
    (friend,) = [row["data"] for row in await rows(api, events_table) if "rather" in str(row["data"])]
    assert friend == {"number": long, "words": "rather ask my wife", "meaning": "none"}


async def test_what_was_decided_stays_verifiable(api: Api, campaign: str) -> None:
    kept = await api.services.store.read(heads)
    await api("DELETE", PATH, expect=200)
    report = await api.services.store.read(lambda connection: verify(connection, heads=kept))
    assert report.unbroken, report.findings
    assert report.erased >= 2
    found = await api("GET", f"{PATH}/evidence", expect=200)
    assert [item["personal"] for item in found["receipts"] if item["hash"]] == [None] * report.erased
    assert {day["state"] for day in found["chain"]} == {"unbroken"}
    assert [item["counts"]["receipts"] for item in found["erasures"]] == [report.erased]
    (token,) = {item["token"] for item in found["erasures"]}
    assert (await api("GET", f"/v1/contacts/{token}/evidence", expect=200))["receipts"] == found["receipts"]


async def test_what_waits_is_cancelled_and_told_without_the_number(api: Api, campaign: str) -> None:
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(3), expect=200)
    token = (await api("DELETE", PATH, expect=200))["token"]
    mine = [row for row in await rows(api, attempts) if row["number"] == token]
    assert [(row["state"], row["disposition"], row["hangup_cause"]) for row in mine if row["id"] != "01TRY"] == [
        ("done", "cancelled", "erased")
    ]
    told = [row for row in await rows(api, events_table) if row["data"].get("hangup_cause") == "erased"]
    assert [row["data"]["number"] for row in told] == [token]
    (contact,) = [row for row in await rows(api, contacts) if row["number"] == token]
    assert (contact["name"], contact["planned"], contact["disposition"]) == ("", True, "cancelled")
    (erased,) = [row for row in await rows(api, events_table) if row["kind"] == "contact.erased"]
    assert erased["data"]["token"] == token
    assert erased["data"]["counts"]["contacts"] == 1


async def test_a_campaign_with_nobody_left_is_over(api: Api) -> None:
    made = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{made}/contacts", a_person(1), expect=200)
    await api("POST", f"/v1/campaigns/{made}/start", expect=200)
    await api("DELETE", PATH, expect=200)
    assert (await api("GET", f"/v1/campaigns/{made}"))["state"] == "completed"


async def test_a_draft_never_plans_whom_it_has_lost(api: Api) -> None:
    made = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{made}/contacts", [a_person(1), a_person(2)], expect=200)
    token = (await api("DELETE", PATH, expect=200))["token"]
    await api("POST", f"/v1/campaigns/{made}/start", expect=200)
    assert token not in {row["number"] for row in await rows(api, attempts)}


@pytest.mark.parametrize("state", ["claimed", "dialing"])
async def test_nobody_is_erased_in_the_middle_of_a_call(api: Api, campaign: str, state: str) -> None:
    mine = update(attempts).where(attempts.c.number == NUMBER, attempts.c.state == "due")
    await api.services.store.write(lambda connection: connection.execute(mine.values(state=state, lease_until=NOON)))
    before = await everything(api)
    problem = await api.refused("DELETE", PATH, expect=409)
    assert (problem["code"], problem["retryable"]) == ("contact_busy", True)
    assert await everything(api) == before
    over = update(attempts).where(attempts.c.number == NUMBER).values(state="done")
    await api.services.store.write(lambda connection: connection.execute(over))
    await api("DELETE", PATH, expect=200)


async def test_erasing_twice_changes_nothing_the_second_time(api: Api, campaign: str) -> None:
    first = await api("DELETE", PATH, expect=200)
    before = await everything(api)
    second = await api("DELETE", PATH, expect=200)
    assert second == {"token": first["token"], "erased": {}}
    assert await everything(api) == before


async def test_whom_nobody_knows_cannot_be_erased(api: Api, campaign: str) -> None:
    problem = await api.refused("DELETE", "/v1/contacts/+447700900077", expect=404)
    assert problem["code"] == "contact_not_found"
    await api.refused("DELETE", "/v1/contacts/911", expect=422)


async def test_a_repeated_request_is_answered_alike(api: Api, campaign: str) -> None:
    key = {"headers": {"Idempotency-Key": "erase-1"}}
    first = await api("DELETE", PATH, expect=200, **key)
    assert await api("DELETE", PATH, expect=200, **key) == first
    assert len(await rows(api, erasures)) == 1


async def test_a_write_that_was_answered_is_not_done_again_after_the_erasure(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)
    before = len(await rows(api, opt_outs))
    stop = {"number": NUMBER, "scope": "marketing", "words": WORDS}
    assert await api("POST", "/v1/optouts", stop, expect=201, headers={"Idempotency-Key": "k1"}) is None
    assert len(await rows(api, opt_outs)) == before
    (kept,) = [row for row in await rows(api, idempotency_keys) if row["key"] == "k1"]
    assert (kept["body"], kept["headers"]) == (b"", {})


async def test_an_opt_out_counts_when_the_number_is_imported_again(api: Api, campaign: str) -> None:
    await api("POST", "/v1/optouts", {"number": NUMBER, "scope": "all"}, expect=201)
    await api("DELETE", PATH, expect=200)
    again = await api.a_campaign()
    result = await api("POST", f"/v1/campaigns/{again}/contacts", [a_person(1), a_person(3)], expect=200)
    assert result["accepted"] == 2
    await api("POST", f"/v1/campaigns/{again}/start", expect=200)
    tried = [row for row in await rows(api, attempts) if row["campaign_id"] == again]
    assert [row["number"] for row in tried] == ["+447700900003"]
    (back,) = [row for row in await rows(api, contacts) if row["campaign_id"] == again and row["number"] == NUMBER]
    assert back["disposition"] == "refused"
    newest = [row for row in await rows(api, receipts) if row["contact_id"] == back["id"]][-1]
    assert (newest["allowed"], newest["code"]) == (False, "opted_out")


async def test_a_house_list_becomes_an_opt_out(api: Api, campaign: str) -> None:
    token = (await api("DELETE", PATH, expect=200))["token"]
    listed = [(row["register"], row["number"]) for row in await rows(api, register_entries)]
    assert sorted(listed) == [("house", int(OTHER[1:])), ("us-dnc", int(NUMBER[1:]))]
    assert {row["name"]: row["entries"] for row in await rows(api, registers)} == {"house": 1, "us-dnc": 1}
    own = [row for row in await rows(api, opt_outs) if row["number"] == token]
    assert ("all", "import") in {(row["scope"], row["source"]) for row in own}


async def test_consent_does_not_outlive_its_giver(api: Api, campaign: str) -> None:
    token = (await api("DELETE", PATH, expect=200))["token"]
    mine = [row for row in await rows(api, consents) if row["number"] == token]
    assert [row["event"] for row in mine] == ["granted", "withdrawn"]
    assert mine[1]["at"] == api.clock.now


async def test_consent_that_an_import_claimed_is_withdrawn_too(api: Api) -> None:
    made = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{made}/contacts", a_person(1, consent="express_written"), expect=200)
    token = (await api("DELETE", PATH, expect=200))["token"]
    assert [(row["number"], row["event"], row["scope"]) for row in await rows(api, consents)] == [
        (token, "withdrawn", "all")
    ]


async def test_whoever_was_erased_in_a_campaign_is_a_duplicate_in_it(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)
    result = await api("POST", f"/v1/campaigns/{campaign}/contacts", [a_person(1), a_person(4)], expect=200)
    assert (result["accepted"], result["duplicates"]) == (1, 1)
    assert [item["code"] for item in result["rejects"]] == ["duplicate"]


async def test_earlier_calls_still_count_against_caps(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)

    def dialed(connection: Any) -> list[float]:
        names = names_of(connection, NUMBER)
        mine = select(attempts.c.dialed_at).where(attempts.c.number.in_(names), attempts.c.dialed_at.is_not(None))
        return list(connection.execute(mine).scalars())

    assert await api.services.store.read(dialed) == [NOON]


async def test_whoever_comes_back_can_be_erased_again(api: Api, campaign: str) -> None:
    first = await api("DELETE", PATH, expect=200)
    again = await api.a_campaign()
    await api("POST", f"/v1/campaigns/{again}/contacts", a_person(1, name=NAME), expect=200)
    second = await api("DELETE", PATH, expect=200)
    assert second["token"] == first["token"]
    assert second["erased"]["contacts"] == 1
    assert NAME not in (await everything(api))["contacts"]
    report = await api.services.store.read(verify)
    assert report.unbroken, report.findings


async def test_events_that_come_while_it_is_being_looked_are_scrubbed_too(api: Api, campaign: str) -> None:
    """The look goes beside the writer; what was told since is looked through in the unit itself."""
    reading = api.services.store.read

    async def read_then_tell(unit: Any) -> Any:
        found = await reading(unit)
        if type(found).__name__ == "Seen":
            data = {"number": NUMBER, "name": NAME}
            await api.services.store.write(
                lambda c: events.append(c, at=NOON, kind="contact.refused", campaign_id=campaign, data=data)
            )
        return found

    api.services.store.read = read_then_tell  # type: ignore[method-assign]
    await api("DELETE", PATH, expect=200)
    api.services.store.read = reading  # type: ignore[method-assign]
    assert NAME not in (await everything(api))["events"]


async def test_words_that_come_late_are_not_stored(api: Api, campaign: str) -> None:
    """What a line tells after the erasure still counts; what was said is nobody's any more."""
    await api.services.store.write(lambda c: c.execute(delete(callbacks)))
    await api("DELETE", PATH, expect=200)

    def late(connection: Any) -> None:
        attempt = connection.execute(select(attempts).where(attempts.c.id == "01TRY")).mappings().one()
        assert is_token(attempt["number"])
        connection.execute(delete(refusals).where(refusals.c.number == attempt["number"]))
        opt_out(connection, attempt, words=WORDS, scope="all", now=NOON + 1)
        refuse_offer(connection, attempt, words=WORDS, now=NOON + 1)
        book(connection, attempt, at=NOON, words=WORDS, now=NOON + 1)

    await api.services.store.write(late)
    for table in (opt_outs, refusals, callbacks):
        (row,) = [row for row in await rows(api, table) if row["created_at"] == NOON + 1]
        assert (is_token(row["number"]), row["words"]) == (True, "")
    assert WORDS not in "".join((await everything(api)).values())


async def test_a_late_result_is_not_stored_either(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)
    turn = Turn(who="customer", text=WORDS, at_s=1.0)
    result = CallResult(
        attempt_id="01TRY",
        fence=2,
        call_id="01TRY-2@outbound",
        disposition=Disposition.OPTED_OUT,
        ended_at=datetime.fromtimestamp(NOON, UTC),
        transcript=(turn,),
    )
    assert not await api.services.store.write(lambda c: settle(c, result, now=NOON + 1))
    assert [row["words"] for row in await rows(api, opt_outs) if row["created_at"] == NOON + 1] == [""]
    assert WORDS not in "".join((await everything(api)).values())


async def test_events_that_come_late_tell_nothing_of_what_was_said(api: Api, campaign: str) -> None:
    token = (await api("DELETE", PATH, expect=200))["token"]
    ledger = Ledger(api.services.store, api.clock)
    at = datetime.fromtimestamp(NOON, UTC)
    told = {"attempt_id": "01TRY", "fence": 2, "at": at}
    ledger.note(CallEvent(kind=EventKind.HEARD, data={"text": WORDS, "language": "en"}, **told))
    ledger.note(CallEvent(kind=EventKind.VARIABLE, data={"name": "parcel", "value": PARCEL}, **told))
    with contextlib.suppress(asyncio.CancelledError):
        running = asyncio.create_task(ledger.run())
        await ledger.close_account(Released(attempt_id="01TRY", fence=2, reason="late"))
        running.cancel()
        await running
    heard, variable = [row["data"] for row in await rows(api, events_table)][-2:]
    assert (heard, variable) == ({"language": "en", "number": token}, {"number": token})


async def test_a_result_that_comes_late_brings_nothing_back(api: Api, campaign: str) -> None:
    token = (await api("DELETE", PATH, expect=200))["token"]
    dialing = update(attempts).where(attempts.c.id == "01TRY").values(state="dialing", result=None)
    await api.services.store.write(lambda c: c.execute(dialing))
    (api.services.settings.recordings_dir / "01TRY-2.wav").write_bytes(b"voice")
    timings = Timings(duration_s=2.0)
    result = CallResult(
        attempt_id="01TRY",
        fence=2,
        call_id="01TRY-2@outbound",
        disposition=Disposition.DECLINED,
        ended_at=datetime.fromtimestamp(NOON, UTC),
        transcript=(Turn(who="customer", text=WORDS, at_s=1.0),),
        variables={"answer": PARCEL},
        timings=timings,
        recording="01TRY-2.wav",
    )
    assert await api.services.store.write(lambda c: settle(c, result, now=NOON + 1))
    (attempt,) = [row for row in await rows(api, attempts) if row["id"] == "01TRY"]
    kept = {"transcript": [], "variables": {}, "recording": "", "timings": json.loads(json.dumps(asdict(timings)))}
    assert (attempt["number"], attempt["result"]) == (token, kept)
    assert not [secret for secret in SECRETS[1:] if secret in "".join((await everything(api)).values())]
    await sweep(api.services)
    assert not (api.services.settings.recordings_dir / "01TRY-2.wav").exists()


def secrets_in(path: str) -> list[str]:
    content = Path(path).read_bytes()
    return [secret for secret in SECRETS if secret.encode() in content]


async def test_the_log_of_the_database_is_emptied_too(api: Api, campaign: str) -> None:
    store = api.services.store
    if not store.is_sqlite:
        return
    log = f"{store.url.database}-wal"
    with store._engine.connect() as reading:
        reading.execute(select(contacts.c.name)).all()
        await api("DELETE", PATH, expect=200)
        assert NAME in secrets_in(log), "somebody reads the database as it was"
    await sweep(api.services)
    assert secrets_in(log) == []
    (row,) = await rows(api, erasures)
    assert row["counts"]["files"] == 0


async def test_what_waited_has_a_receipt_of_its_end(api: Api, campaign: str) -> None:
    await api("POST", f"/v1/campaigns/{campaign}/contacts", a_person(3), expect=200)
    (due,) = [row for row in await rows(api, attempts) if row["number"] == "+447700900003"]
    await api("DELETE", "/v1/contacts/+447700900003", expect=200)
    newest = (await rows(api, receipts))[-1]
    assert (newest["attempt_id"], newest["allowed"], newest["code"]) == (due["id"], False, "erased")
    assert (newest["rule"], newest["purpose"], newest["personal"]) == ("erasure", "informational", None)
    report = await api.services.store.read(verify)
    assert report.unbroken, report.findings


async def test_the_stream_of_events_shows_nothing_of_them(api: Api, campaign: str) -> None:
    await api("DELETE", PATH, expect=200)
    async with api.client.get("/v1/events?after=0") as answer:
        seen = b""
        async with asyncio.timeout(20):
            while b"contact.erased" not in seen:
                seen += await answer.content.readany()
    assert not [secret for secret in SECRETS if secret.encode() in seen]


async def test_recordings_that_could_not_be_removed_are_by_the_sweep(api: Api, campaign: str) -> None:
    recordings = api.services.settings.recordings_dir
    (recordings / "01TRY-1.wav").unlink()
    (recordings / "01TRY-1.wav").mkdir()  # it cannot be unlinked
    await api("DELETE", PATH, expect=200)
    assert (recordings / "01TRY-2.wav").exists()
    (recordings / "01TRY-1.wav").rmdir()
    await sweep(api.services)
    assert sorted(path.name for path in recordings.iterdir()) == ["01OTHER-1.wav"]
    (row,) = await rows(api, erasures)
    assert row["counts"]["files"] == 0
    (recordings / "01TRY-2.wav").touch()
    await clear_files(api.services)  # an erasure that is finished is looked at no more
    assert (recordings / "01TRY-2.wav").exists()


async def test_the_sweep_ends_what_a_large_cancelled_campaign_left(
    api: Api, campaign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "ENDED_AT_ONCE", 0)
    await api("POST", f"/v1/campaigns/{campaign}/cancel", expect=200)
    assert [row["state"] for row in await rows(api, attempts) if row["ordinal"] == 1] == ["due", "due"]
    monkeypatch.undo()
    await sweep(api.services)
    ended = [(row["state"], row["hangup_cause"]) for row in await rows(api, attempts) if row["ordinal"] == 1]
    assert ended == [("done", "campaign_cancelled")] * 2


async def test_the_sweep_keeps_heads(api: Api, campaign: str) -> None:
    await api.services.store.write(lambda c: append(c, [a_receipt(1, at=NOON + 9e7)]))
    await sweep(api.services)
    assert (api.services.settings.data_dir / FILE).read_text().count("\n") >= 1


def test_every_table_with_a_number_is_erased() -> None:
    named = {table.name for table in metadata.tables.values() if "number" in table.c}
    texts = {name for name in named if isinstance(metadata.tables[name].c.number.type, String)}
    assert texts == {table.name for table in scrubbing.EMPTIED}
    assert named - texts == {"register_entries"}


def test_tokens(store: Store) -> None:
    with store._engine.begin() as connection:
        assert names_of(connection, NUMBER) == (NUMBER,)
        assert tokens_of(connection, [NUMBER]) == {}
        token = token_of(connection, NUMBER)
        assert is_token(token)
        assert len(token) == 16
        assert names_of(connection, NUMBER) == (NUMBER, token)
        assert names_of(connection, token) == (token,)
        assert token_of(connection, token) == token
        assert tokens_of(connection, [NUMBER, OTHER]) == {NUMBER: token, OTHER: token_of(connection, OTHER)}
        assert token_of(connection, OTHER) != token
