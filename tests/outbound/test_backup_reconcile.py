"""A database that is older than the journals rings nobody twice, and stops until the operator has looked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from campaigns.dispositions import Disposition
from dialer.journal import Entry, Journal, What
from outbound.backup import lineage
from outbound.backup.reconcile import Reconciliation
from outbound.errors import Unavailable
from outbound.ids import call_id, new_id
from outbound.settling.settle import leave_undetermined, settle
from outbound.store import Store, campaigns, events
from outbound.store.attempts import live, release
from outbound.store.schema import campaigns as campaign_table
from outbound.store.schema import contacts, opt_outs
from outbound.store.schema import events as event_table
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN, CLEO = "+447700900001", "+447700900002", "+447700900003"


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    yield made
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def reconciliation(world: World, folder: Path) -> Reconciliation:
    return Reconciliation(world.store, ["line-1"], folder, lambda: world.now)


async def sent(
    world: World,
    folder: Path,
    attempt_id: str,
    contact_id: str,
    *more: tuple[What, str],
    fence: int = 1,
    line: str = "line-1",
) -> None:
    """Write a send into a line's journal, and what became of it."""
    journal = Journal(folder, line)
    for what, disposition in ((What.SENDING, ""), *more):
        entry = Entry(
            attempt_id=attempt_id,
            fence=fence,
            call_id=call_id(attempt_id, fence),
            at=datetime.fromtimestamp(world.now, UTC),
            what=what,
            disposition=disposition,
            contact_id=contact_id,
        )
        await journal.write(entry)
    journal.close()


async def restored(world: World) -> list[dict[str, object]]:
    """What was told to the house of databases that are older than the world."""
    rows = await world.rows(event_table)
    return [row["data"] for row in rows if row["kind"] == "store.restored" and row["campaign_id"] is None]


async def states(world: World) -> list[tuple[str, str | None]]:
    return [(row["state"], row["disposition"]) for row in await world.attempts()]


async def campaign_state(world: World, campaign_id: str) -> str:
    (row,) = [row for row in await world.rows(campaign_table) if row["id"] == campaign_id]
    return str(row["state"])


@pytest.mark.parametrize(
    ("more", "final"),
    [
        ((), ("undetermined", "undetermined")),
        (((What.ANSWERED, ""),), ("undetermined", "undetermined")),
        (((What.ANSWERED, ""), (What.ENDED, "accepted")), ("done", "accepted")),
        (((What.ENDED, "busy"),), ("done", "busy")),
        (((What.ENDED, "a word of a later version"),), ("undetermined", "undetermined")),
    ],
)
async def test_a_due_attempt_that_was_sent_since_is_not_sent_again(
    world: World, folder: Path, more: tuple[tuple[What, str], ...], final: tuple[str, str]
) -> None:
    campaign = await world.campaign([ANN])
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"], *more)
    await reconciliation(world, folder).compare()
    assert await states(world) == [final]
    assert [row["disposition"] for row in await world.rows(contacts)] == [final[1]]
    assert await campaign_state(world, campaign) in ("paused", "completed")
    (told,) = await restored(world)
    assert (told["missing_sends"], told["unknown_contacts"], told["paused"]) == (1, 0, 1)
    await world.set_state(campaign, "running")
    world.now += 100_000
    assert await world.claim() == []


@pytest.mark.parametrize("intended", [False, True])
async def test_a_live_attempt_that_was_sent_under_a_later_fence_is_not_sent_again(
    world: World, folder: Path, intended: bool
) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    if intended:
        await world.intend(item)
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"], (What.UNSENT, ""))
    await sent(world, folder, attempt["id"], attempt["contact_id"], fence=2)
    await reconciliation(world, folder).compare()
    assert await states(world) == [("undetermined", "undetermined")]
    assert [(row["fence"], row["call_id"]) for row in await world.attempts()] == [(2, call_id(attempt["id"], 2))]
    assert await world.store.read(live) == []


async def test_a_claim_whose_intent_is_missing_was_sent_nevertheless(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    (attempt,) = await world.attempts()
    await sent(world, folder, item.attempt_id, attempt["contact_id"])
    await reconciliation(world, folder).compare()
    assert await states(world) == [("undetermined", "undetermined")]


async def test_an_attempt_that_was_planned_since_blocks_its_contact(world: World, folder: Path) -> None:
    campaign = await world.campaign([ANN, BEN], plan=False)
    ann, _ = await world.rows(contacts)
    await sent(world, folder, new_id(world.now), ann["id"])
    await reconciliation(world, folder).compare()
    assert await states(world) == [("undetermined", "undetermined")]
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.RESUME, now=world.now))
    await world.plan(campaign)
    other = BEN if ann["number"] == ANN else ANN
    found = {row["number"]: (row["ordinal"], row["state"]) for row in await world.attempts()}
    assert found == {ann["number"]: (1, "undetermined"), other: (1, "due")}


async def test_what_waits_for_a_contact_that_was_called_since_ends(world: World, folder: Path) -> None:
    """The backup has another attempt of the contact than the one that was sent."""
    await world.campaign([ANN])
    (attempt,) = await world.attempts()
    later = new_id(world.now + 1)
    await sent(world, folder, later, attempt["contact_id"], (What.ENDED, "accepted"))
    await reconciliation(world, folder).compare()
    rows = {row["id"]: row for row in await world.attempts()}
    assert (rows[attempt["id"]]["state"], rows[attempt["id"]]["hangup_cause"]) == ("done", "store_restored")
    assert (rows[later]["state"], rows[later]["disposition"], rows[later]["ordinal"]) == ("done", "accepted", 2)
    assert [row["disposition"] for row in await world.rows(contacts)] == ["accepted"]
    assert await world.claim() == []


async def test_a_busy_call_of_the_time_that_is_missing_is_not_tried_again(world: World, folder: Path) -> None:
    campaign = await world.campaign([ANN])
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"], (What.ENDED, "busy"))
    await reconciliation(world, folder).compare()
    assert await states(world) == [("done", "busy")]
    assert await campaign_state(world, campaign) == "paused"


async def test_an_opt_out_that_ended_a_call_since_is_stored_again(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    await world.campaign([ANN])
    first, _ = await world.attempts()
    await sent(world, folder, first["id"], first["contact_id"], (What.ENDED, "opted_out"))
    await reconciliation(world, folder).compare()
    assert [(row["number"], row["scope"]) for row in await world.rows(opt_outs)] == [(ANN, "all")]
    assert {row["disposition"] for row in await world.attempts()} == {"opted_out", "cancelled"}


async def test_strangers_are_counted_told_once_and_alarm_nobody_a_second_time(world: World, folder: Path) -> None:
    campaign = await world.campaign([ANN])
    await sent(world, folder, new_id(world.now), new_id(world.now))
    await sent(world, folder, new_id(world.now), "")  # of a version that did not write down whom it called
    world.now += 60
    await reconciliation(world, folder).compare()
    (told,) = await restored(world)
    assert (told["missing_sends"], told["unknown_contacts"]) == (2, 2)
    await world.store.write(lambda c: campaigns.change(c, campaign, campaigns.Action.RESUME, now=world.now))
    world.now += 60
    await reconciliation(world, folder).compare()
    assert len(await restored(world)) == 1
    assert await campaign_state(world, campaign) == "running"
    assert await states(world) == [("due", None)]


async def test_a_database_that_knows_its_sends_goes_on(world: World, folder: Path) -> None:
    campaign = await world.campaign([ANN, BEN, CLEO, "+447700900004"])
    first, second, third = await world.claim(limit=3)
    people = {row["id"]: row["contact_id"] for row in await world.attempts()}
    for item in (first, second, third):
        await world.intend(item)
        await sent(world, folder, item.attempt_id, people[item.attempt_id])
    await world.store.write(lambda c: settle(c, world.result(first, Disposition.ACCEPTED), now=world.now))
    await sent(world, folder, third.attempt_id, people[third.attempt_id], (What.UNSENT, ""))
    await world.store.write(
        lambda c: release(
            c, attempt_id=third.attempt_id, fence=third.fence, due_at=world.now, now=world.now, reason="no_leg"
        )
    )
    before = await world.attempts()
    for _ in range(2):
        again = reconciliation(world, folder)
        await again.compare()
        await again.look_again()
    assert await world.attempts() == before
    assert await restored(world) == []
    assert await campaign_state(world, campaign) == "running"


async def test_a_backup_without_any_call_since_is_noticed_by_what_was_seen(world: World, folder: Path) -> None:
    """People may have said stop since, by text message or to an agent."""
    campaign = await world.campaign([ANN])
    before = reconciliation(world, folder)
    await before.compare()
    last = max(row["id"] for row in await world.rows(event_table))
    await world.store.write(
        lambda c: c.execute(update(event_table).where(event_table.c.id == last).values(at=world.now - 3600))
    )
    await reconciliation(world, folder).compare()
    (told,) = await restored(world)
    assert (told["missing_sends"], told["since"]) == (0, world.now - 3600)
    (row,) = await world.rows(campaign_table)
    assert row["state"] == "paused"
    assert "opt-outs" in row["pause_reason"]
    mine = [row["data"] for row in await world.rows(event_table) if row["campaign_id"] == campaign]
    assert "opt-outs" in mine[-1]["reason"]
    await reconciliation(world, folder).compare()
    assert len(await restored(world)) == 1


async def test_a_database_that_goes_back_while_the_dialer_runs_is_noticed(world: World, folder: Path) -> None:
    campaign = await world.campaign([ANN])
    watching = reconciliation(world, folder)
    await watching.compare()
    await watching.look_again()
    assert await restored(world) == []
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"])
    last = max(row["id"] for row in await world.rows(event_table))
    await world.store.write(lambda c: c.execute(event_table.delete().where(event_table.c.id == last)))
    await watching.look_again()
    assert len(await restored(world)) == 1
    assert await campaign_state(world, campaign) == "paused"
    assert await states(world) == [("undetermined", "undetermined")]
    await watching.look_again()
    assert len(await restored(world)) == 1


async def test_after_the_database_was_away_the_last_sends_are_looked_for(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby that took over may lack what the one before it confirmed last."""
    await world.campaign([ANN])
    watching = reconciliation(world, folder)
    await watching.compare()
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"])
    with monkeypatch.context() as away:

        async def refuse(*_: object) -> None:
            raise Unavailable("away")

        away.setattr(world.store, "read", refuse)
        with pytest.raises(Unavailable):
            await watching.look_again()
    await watching.look_again()
    assert await states(world) == [("undetermined", "undetermined")]


async def test_nothing_is_claimed_in_doubt_before_the_last_sends_were_looked_for(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    watching = reconciliation(world, folder)
    await watching.compare()
    (attempt,) = await world.attempts()
    await sent(world, folder, attempt["id"], attempt["contact_id"])
    await watching.reassure()
    assert await states(world) == [("due", None)]
    watching.doubt()
    await watching.reassure()
    assert await states(world) == [("undetermined", "undetermined")]


async def test_an_end_in_the_journal_settles_what_was_left_undetermined(world: World, folder: Path) -> None:
    """Another host gave the call up; the line's own journal is here and knows better."""
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    (row,) = await world.store.read(live)
    await world.store.write(lambda c: leave_undetermined(c, row, now=world.now))
    await sent(world, folder, item.attempt_id, row["contact_id"], (What.ENDED, "informed"))
    await reconciliation(world, folder).compare()
    assert await states(world) == [("done", "informed")]
    assert await restored(world) == []


async def test_the_end_of_a_call_of_another_host_waits_for_its_result(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.intend(item)
    (row,) = await world.store.read(live)
    await world.store.write(lambda c: leave_undetermined(c, row, now=world.now))
    await sent(world, folder, item.attempt_id, row["contact_id"], (What.ENDED, "informed"), line="north-line-1")
    await reconciliation(world, folder).compare()
    assert await states(world) == [("undetermined", "undetermined")]
    world.now += 601
    await reconciliation(world, folder).compare()
    assert await states(world) == [("done", "informed")]


async def test_what_was_seen_and_was_torn_by_a_crash_is_not_believed(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    await reconciliation(world, folder).compare()
    (folder / lineage.FILE).write_text("{")
    await reconciliation(world, folder).compare()
    assert await restored(world) == []
    await world.store.write(lambda c: events.append(c, at=world.now, kind="test"))
    assert lineage.read(folder) is not None


async def test_dialers_that_share_a_directory_remember_side_by_side(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    await asyncio.gather(*(reconciliation(world, folder).compare() for _ in range(8)))
    assert {path.name for path in await asyncio.to_thread(lambda: list(folder.iterdir()))} == {lineage.FILE}


async def test_a_directory_that_cannot_be_written_stops_nobody(world: World, folder: Path) -> None:
    await world.campaign([ANN])
    await asyncio.to_thread(folder.write_text, "a file is in the way")
    await reconciliation(world, folder).compare()
    assert await restored(world) == []


async def test_many_lost_sends_are_made_up_for_in_parts(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbound.backup.reconcile.LOOKED_UP", 2)
    monkeypatch.setattr("outbound.backup.reconcile.MADE_UP", 2)
    await world.campaign([ANN, BEN, CLEO])
    for attempt in await world.attempts():
        await sent(world, folder, attempt["id"], attempt["contact_id"])
    await reconciliation(world, folder).compare()
    assert {row["state"] for row in await world.attempts()} == {"undetermined"}
    (told,) = await restored(world)
    assert told["missing_sends"] == 3
