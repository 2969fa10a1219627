"""The life of an attempt in a real database, SQLite and PostgreSQL alike: never twice, never against the gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from campaigns.dispositions import Disposition
from dialer.journal import Entry, What
from dialer.messages import CallEvent, EventKind
from outbound.planning import plan_contacts
from outbound.receipts.sparing import AT_ONCE
from outbound.receipts.verify import verify
from outbound.settling.ledger import Ledger
from outbound.settling.recovery import recover
from outbound.settling.said import opt_out
from outbound.settling.settle import settle
from outbound.store import Store, campaigns, optouts
from outbound.store.attempts import expired, live, release, renew
from outbound.store.schema import contacts, opt_outs
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN, CLEO = "+447700900001", "+447700900002", "+447700900003"


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    store = Store(url)
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


async def test_a_planned_contact_is_claimed_intended_and_settled(world: World) -> None:
    campaign = await world.campaign([ANN])
    (item,) = await world.claim()
    intent = await world.intend(item)
    assert intent is not None
    assert intent.call_id == f"{item.attempt_id}-1@outbound"
    assert await world.store.write(lambda c: settle(c, world.result(item, Disposition.ACCEPTED), now=world.now))
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"]) == ("done", "accepted")
    assert [row["allowed"] for row in await world.receipts()] == [True]
    assert (await world.kinds())[-2:] == ["attempt.done", "campaign.completed"]
    assert campaign in world.campaign_ids


async def test_the_same_result_twice_or_under_an_old_fence_changes_nothing(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    result = world.result(item, Disposition.BUSY)
    assert await world.store.write(lambda c: settle(c, result, now=world.now))
    assert not await world.store.write(lambda c: settle(c, result, now=world.now))
    assert len(await world.attempts()) == 2


async def test_nobody_is_rung_by_two_campaigns_at_once(world: World) -> None:
    await world.campaign([ANN])
    await world.campaign([ANN])
    assert len(await world.claim()) == 1
    assert await world.claim() == []


async def test_an_opt_out_after_the_claim_wins(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.store.write(
        lambda c: optouts.record(c, number=ANN, scope="all", source="rest", words="stop", now=world.now)
    )
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"], attempt["hangup_cause"]) == ("done", "refused", "opted_out")
    assert (await world.receipts())[-1]["code"] == "opted_out"


async def test_an_opt_out_before_the_claim_cancels_what_is_due(world: World) -> None:
    await world.campaign([ANN, BEN])
    await world.store.write(
        lambda c: optouts.record(c, number=ANN, scope="all", source="rest", words="stop", now=world.now)
    )
    (item,) = await world.claim()
    assert (await world.intend(item)) is not None
    assert {row["number"]: row["state"] for row in await world.attempts()} == {ANN: "done", BEN: "dialing"}


async def test_somebody_who_opted_out_is_not_planned(world: World) -> None:
    await world.store.write(
        lambda c: optouts.record(c, number=ANN, scope="informational", source="rest", words="", now=world.now)
    )
    await world.campaign([ANN])
    assert await world.attempts() == []
    assert [(row["allowed"], row["code"]) for row in await world.receipts()] == [(False, "opted_out")]


async def test_a_pause_after_the_claim_gives_the_attempt_back(world: World) -> None:
    campaign = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.set_state(campaign, "paused")
    assert await world.intend(item) is None
    assert (await world.attempts())[0]["state"] == "due"
    assert await world.claim() == []
    receipt = (await world.receipts())[-1]
    assert (receipt["attempt_id"], receipt["allowed"]) == (item.attempt_id, False)
    assert (receipt["code"], receipt["rule"]) == ("campaign_paused", "campaign")


async def test_a_cancelled_campaign_ends_its_claims(world: World) -> None:
    campaign = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.set_state(campaign, "cancelled")
    assert await world.intend(item) is None
    assert (await world.attempts())[0]["disposition"] == "cancelled"
    assert (await world.rows(contacts))[0]["disposition"] == "cancelled"
    receipt = (await world.receipts())[-1]
    assert (receipt["attempt_id"], receipt["allowed"]) == (item.attempt_id, False)
    assert (receipt["code"], receipt["rule"]) == ("campaign_cancelled", "campaign")


async def test_what_a_cancelled_campaign_leaves_undone_has_its_receipts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than go into one statement, and than are ended in one unit of work."""
    monkeypatch.setattr(campaigns, "ENDED_AT_ONCE", AT_ONCE)
    campaign = await world.campaign([f"+44770090{index:04}" for index in range(AT_ONCE + 3)])
    other = await world.campaign(["+447700800001"])
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.CANCEL, now=world.now))
    assert await world.store.read(campaigns.left_undone) == [campaign]
    assert {row["campaign_id"] for row in await world.attempts() if row["state"] == "done"} == {campaign}
    assert [item.campaign_id for item in await world.claim()] == [other]
    for key in (campaign, campaign, other):
        assert await world.store.write(lambda c, key=key: campaigns.end_cancelled(c, key, now=world.now)) == ""  # type: ignore[misc]
    assert await world.store.read(campaigns.left_undone) == []
    ended = {row["id"] for row in await world.attempts() if row["disposition"] == "cancelled"}
    kept = [row for row in await world.receipts() if row["code"] == "campaign_cancelled"]
    assert len(kept) == len(ended) == AT_ONCE + 3
    assert {row["attempt_id"] for row in kept} == ended
    assert {(row["purpose"], row["allowed"]) for row in kept} == {("informational", False)}
    assert [row["state"] for row in await world.attempts() if row["campaign_id"] == other] == ["claimed"]
    report = await world.store.read(verify)
    assert report.unbroken, report.findings


async def test_an_attempt_that_became_due_at_night_waits_for_the_morning(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    world.now = datetime(2026, 11, 24, 22, 0, tzinfo=UTC).timestamp()
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert attempt["state"] == "due"
    assert attempt["due_at"] == datetime(2026, 11, 25, 8, 0, tzinfo=UTC).timestamp()
    assert (await world.receipts())[-1]["code"] == "outside_hours"


async def test_a_released_attempt_can_be_claimed_again_under_a_new_fence(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    await world.store.write(
        lambda c: release(
            c, attempt_id=item.attempt_id, fence=item.fence, due_at=world.now, now=world.now, reason="no_leg"
        )
    )
    (again,) = await world.claim()
    assert (again.attempt_id, again.fence) == (item.attempt_id, item.fence + 1)
    assert await world.intend(item) is None  # the old claim is worth nothing
    intent = await world.intend(again)
    assert intent is not None
    assert intent.call_id.endswith("-2@outbound")


async def test_busy_is_tried_again_after_the_delay_until_the_policy_ends(world: World) -> None:
    await world.campaign([ANN])
    for ordinal in (1, 2, 3):
        (item,) = await world.claim()
        await world.intend(item)
        await world.store.write(lambda c, item=item: settle(c, world.result(item, Disposition.BUSY), now=world.now))
        assert await world.claim() == []
        if ordinal < 3:
            assert max(row["due_at"] for row in await world.attempts()) == world.now + 600
        world.now += 600
    assert sorted(row["ordinal"] for row in await world.attempts()) == [1, 2, 3]
    assert (await world.kinds())[-1] == "campaign.completed"


async def test_a_spoken_opt_out_is_stored_with_its_result(world: World) -> None:
    await world.campaign([ANN])
    second = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.OPTED_OUT), now=world.now))
    assert await world.claim() == []
    others = [row for row in await world.attempts() if row["campaign_id"] == second]
    assert [row["disposition"] for row in others] in (["cancelled"], ["opted_out"])


async def test_caps_of_trunk_campaign_lines_and_tokens_hold_together(world: World) -> None:
    numbers = [f"+4477009001{index:02}" for index in range(20)]
    await world.campaign(numbers, max_concurrent=5)
    await world.campaign([f"+4477009002{index:02}" for index in range(20)], settings={"agent_uri": "sip:a@b"})
    claimed = await world.claim(free={"line-1": 4, "line-2": 4}, rate=70.0)
    legs = {name: sum(item.legs for item in claimed if item.line == name) for name in ("line-1", "line-2")}
    assert all(used <= 4 for used in legs.values())
    assert len(claimed) <= 7
    assert await world.claim(limit=0) == []


async def test_two_dialers_never_claim_the_same_attempt_or_number(world: World) -> None:
    numbers = [f"+4477009003{index:02}" for index in range(30)]
    await world.campaign(numbers)
    await world.campaign(numbers)
    rounds = await asyncio.gather(*(world.claim(limit=10) for _ in range(6)), return_exceptions=True)
    claimed = [item for batch in rounds if isinstance(batch, list) for item in batch]
    assert len({item.attempt_id for item in claimed}) == len(claimed)
    held = [row["number"] for row in await world.attempts() if row["state"] == "claimed"]
    assert len(set(held)) == len(held) == len(claimed)
    assert claimed


@pytest.mark.parametrize(
    "cause",
    ["line_lost", "lease_expired"],
)
@pytest.mark.parametrize(
    ("what", "disposition", "state", "final"),
    [
        (None, "", "due", None),
        (What.SENDING, "", "done", "failed"),
        (What.ANSWERED, "", "done", "failed"),
        (What.ENDED, "busy", "done", "busy"),
    ],
)
async def test_a_lost_line_is_settled_from_its_journal(
    world: World, cause: str, what: What | None, disposition: str, state: str, final: str | None
) -> None:
    await world.campaign([ANN], settings={"retry": {"max_attempts": 3, "delays_s": {"failed": 60}}})
    (item,) = await world.claim()
    intent = await world.intend(item)
    assert intent is not None
    world.now += 61
    journal = {}
    if what is not None:
        at = datetime.fromtimestamp(world.now, UTC)
        entry = Entry(
            attempt_id=item.attempt_id, fence=1, call_id=intent.call_id, at=at, what=what, disposition=disposition
        )
        journal = {intent.call_id: entry}
    (row,) = await world.store.read(live)
    await world.store.write(lambda c: recover(c, row, journal, now=world.now, cause=cause))
    (attempt,) = await world.attempts()  # a send that may have reached somebody is never repeated
    assert (attempt["state"], attempt["disposition"]) == (state, final)


async def test_a_send_nobody_can_account_for_is_shown_and_never_repeated(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    world.now += 600
    (row,) = await world.store.read(lambda c: expired(c, now=world.now))
    await world.store.write(lambda c: recover(c, row, None, now=world.now, cause="lease_expired"))
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"]) == ("undetermined", "undetermined")
    assert await world.claim() == []


async def test_an_expired_claim_is_given_back(world: World) -> None:
    await world.campaign([ANN])
    await world.claim()
    world.now += 31
    (row,) = await world.store.read(lambda c: expired(c, now=world.now))
    await world.store.write(lambda c: recover(c, row, None, now=world.now, cause="lease_expired"))
    assert len(await world.claim()) == 1


async def wait_for_a_blocked_session(store: Store) -> None:
    """Until some session of this database waits for a lock of another."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while not await store.read(lambda c: c.execute(query).scalar()):
        pass


async def test_an_opt_out_that_is_committed_while_the_intent_is_recorded_wins(world: World) -> None:
    if world.store.is_sqlite:
        return await an_opt_out_and_an_intent_take_turns(world)
    await world.campaign([ANN])
    (item,) = await world.claim()
    recorded, may_commit = threading.Event(), threading.Event()

    def opts_out(connection: Connection) -> None:
        optouts.record(connection, number=ANN, scope="all", source="rest", words="stop", now=world.now)
        recorded.set()
        may_commit.wait(30)

    opting_out = asyncio.create_task(world.store.write(opts_out))
    await asyncio.to_thread(recorded.wait)
    intending = asyncio.create_task(world.intend(item))
    await wait_for_a_blocked_session(world.store)
    may_commit.set()
    await opting_out
    assert await intending is None
    return None


async def an_opt_out_and_an_intent_take_turns(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    opting_out = world.store.write(
        lambda c: optouts.record(c, number=ANN, scope="all", source="rest", words="stop", now=world.now)
    )
    _, intent = await asyncio.gather(opting_out, world.intend(item))
    assert intent is None


async def test_opt_outs_and_claims_never_wait_for_each_other(world: World) -> None:
    numbers = [f"+4477009004{index:02}" for index in range(40)]
    await world.campaign(numbers)

    async def stop(number: str) -> None:
        await world.store.write(
            lambda c: optouts.record(c, number=number, scope="all", source="rest", words="stop", now=world.now)
        )

    await asyncio.gather(*(world.claim(limit=10) for _ in range(4)), *(stop(number) for number in numbers))
    assert {row["state"] for row in await world.attempts()} <= {"claimed", "done"}


async def test_an_opt_out_for_the_purpose_covers_the_campaigns_of_that_purpose(world: World) -> None:
    await world.campaign([ANN])
    second = await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    event = CallEvent(
        attempt_id=item.attempt_id,
        fence=item.fence,
        kind=EventKind.OPT_OUT,
        at=datetime.fromtimestamp(world.now, UTC),
        data={"words": "stop calling me", "scope": "purpose"},
    )
    ledger = Ledger(world.store, lambda: world.now)
    running = asyncio.create_task(ledger.run())
    ledger.note(event)
    await ledger.close_account(world.result(item, Disposition.OPTED_OUT))
    running.cancel()
    assert [row["scope"] for row in await world.rows(opt_outs)] == ["informational"]
    third = await world.campaign([ANN])
    left = [row["state"] for row in await world.attempts() if row["campaign_id"] in (second, third)]
    assert left == ["done"]
    assert (await world.receipts())[-1]["code"] == "opted_out"


@pytest.mark.parametrize(
    ("scopes", "stored"),
    [
        (("purpose", "all"), ["informational", "all"]),
        (("purpose", "purpose"), ["informational"]),
        (("all", "purpose"), ["all"]),
    ],
)
async def test_an_attempt_may_tell_an_opt_out_for_more_later(
    world: World, scopes: tuple[str, ...], stored: list[str]
) -> None:
    other = await world.campaign([ANN], purpose="transactional")
    await world.campaign([ANN])
    (attempt,) = [row for row in await world.attempts() if row["campaign_id"] != other]
    for scope in scopes:
        world.now += 1
        told = {"words": f"stop: {scope}", "scope": scope, "now": world.now}
        await world.store.write(lambda c, told=told: opt_out(c, attempt, **told))  # type: ignore[misc]
    assert [row["scope"] for row in await world.rows(opt_outs)] == stored
    left = {row["campaign_id"]: row["state"] for row in await world.attempts()}
    assert left[other] == ("done" if "all" in stored else "due")
    assert left[attempt["campaign_id"]] == "done"


async def test_an_opt_out_counts_even_when_the_result_comes_too_late(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    (row,) = await world.store.read(live)
    world.now += 61
    await world.store.write(lambda c: recover(c, row, None, now=world.now, cause="lease_expired"))
    assert await world.store.write(lambda c: settle(c, world.result(item, Disposition.OPTED_OUT), now=world.now))
    assert [row["number"] for row in await world.rows(opt_outs)] == [ANN]


async def test_a_call_that_broke_down_after_the_answer_is_not_made_again(world: World) -> None:
    await world.campaign([ANN], settings={"retry": {"max_attempts": 3, "delays_s": {"failed": 60}}})
    (item,) = await world.claim()
    await world.intend(item)
    answered = datetime.fromtimestamp(world.now, UTC)
    result = world.result(item, Disposition.FAILED, hangup_cause="internal_error", answered_at=answered)
    await world.store.write(lambda c: settle(c, result, now=world.now))
    assert [row["state"] for row in await world.attempts()] == ["done"]


@pytest.mark.parametrize("sent", [False, True])
async def test_what_moved_on_since_it_was_looked_at_is_left_alone(world: World, sent: bool) -> None:
    """A claim whose intent, or a call whose lease, came just in time."""
    await world.campaign([ANN])
    (item,) = await world.claim()
    if sent:
        await world.intend(item)
    world.now += 61
    (row,) = await world.store.read(lambda c: expired(c, now=world.now))
    if sent:
        await world.store.write(lambda c: renew(c, [item.attempt_id], lines=["line-1"], until=world.now + 60))
    else:
        await world.intend(item)
    done = await world.store.write(lambda c: recover(c, row, None, now=world.now, cause="lease_expired"))
    (attempt,) = await world.attempts()
    assert (done, attempt["state"]) == ("moved on", "dialing")


async def test_a_campaign_that_is_cancelled_while_it_is_planned_leaves_nothing_due(world: World) -> None:
    campaign = await world.campaign([f"+4477009005{index:02}" for index in range(20)], plan=False)
    planning = (world.store.write(lambda c: plan_contacts(c, campaign, now=world.now, limit=5)) for _ in range(4))
    cancelling = world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.CANCEL, now=world.now))
    await asyncio.gather(*planning, cancelling)
    assert not [row for row in await world.attempts() if row["state"] == "due"]
