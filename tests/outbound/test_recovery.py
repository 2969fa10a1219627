"""What was going on when a line, a host or the database went away is settled by what is known, never by a guess."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from campaigns.dispositions import Disposition
from dialer.journal import Entry, Journal, What
from outbound.errors import Conflict
from outbound.ids import call_id
from outbound.settling.recovery import FOREIGN_GRACE_S, SINCE, Recovery
from outbound.settling.resolving import resolve
from outbound.settling.settle import settle
from outbound.store import Store, campaigns
from outbound.store.attempts import Claim
from outbound.store.schema import attempts, contacts, refusals
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

ANN, BEN = "+447700900001", "+447700900002"
LOST = {"state": "undetermined", "disposition": "undetermined"}


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    made = World(store)
    await made.trunk()
    await made.campaign([ANN])
    yield made
    store.close()


async def dial(world: World) -> Claim:
    (item,) = await world.claim()
    assert await world.intend(item) is not None
    return item


def recovery(world: World, folder: Path, *lines: str) -> Recovery:
    return Recovery(world.store, lines or ["line-1"], folder / "journal", lambda: world.now)


async def note(world: World, folder: Path, item: Claim, *written: tuple[What, str]) -> None:
    """Write what became of a send into the journal of its line."""
    journal = Journal(folder / "journal", item.line)
    for what, disposition in written:
        at = datetime.fromtimestamp(world.now, UTC)
        sent_as = call_id(item.attempt_id, item.fence)
        fields = {"attempt_id": item.attempt_id, "fence": item.fence, "call_id": sent_as, "at": at}
        await journal.write(Entry(**fields, what=what, disposition=disposition))
    journal.close()


async def states(world: World) -> list[tuple[str, str | None]]:
    return [(row["state"], row["disposition"]) for row in await world.attempts()]


async def test_a_journal_that_was_there_and_holds_no_send_gives_the_attempt_back(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    world.now += 60
    await dial(world)
    world.now += 60
    again = recovery(world, tmp_path)
    await again.open()
    await again.settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["due"]


async def test_what_a_line_that_was_stopped_may_still_send_is_not_given_back(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    world.now += 1
    await dial(world)
    world.now += 9
    again = recovery(world, tmp_path)
    await again.settle_leftovers()
    assert await states(world) == [("dialing", None)]
    world.now += 60
    await again.settle_expired()
    assert await states(world) == [("due", None)]


async def test_a_journal_that_began_after_the_call_knows_nothing_of_it(world: World, tmp_path: Path) -> None:
    await dial(world)
    world.now += 60
    emptied = recovery(world, tmp_path)
    await emptied.open()
    await emptied.settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["undetermined"]
    assert await world.claim() == []


async def test_a_beginning_that_cannot_be_read_vouches_for_nothing(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    (tmp_path / "journal" / SINCE).write_text("")
    await dial(world)
    world.now += 60
    await recovery(world, tmp_path).settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["undetermined"]


async def test_calls_that_were_lost_together_are_settled_each_by_its_own_entry(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    await world.campaign([BEN])
    first, second = await world.claim()
    for item in (first, second):
        await world.intend(item)
    await note(world, tmp_path, first, (What.SENDING, ""), (What.ENDED, "informed"))
    await note(world, tmp_path, second, (What.SENDING, ""), (What.UNSENT, ""))
    await recovery(world, tmp_path).settle_leftovers()
    assert {row["id"]: (row["state"], row["disposition"]) for row in await world.attempts()} == {
        first.attempt_id: ("done", "informed"),
        second.attempt_id: ("due", None),
    }


async def test_a_call_begun_before_midnight_is_found_after_it(world: World, tmp_path: Path) -> None:
    await recovery(world, tmp_path).open()
    item = await dial(world)
    await note(world, tmp_path, item, (What.SENDING, ""))
    world.now += 86400
    await note(world, tmp_path, item, (What.ENDED, "informed"))
    await recovery(world, tmp_path).settle_leftovers()
    assert await states(world) == [("done", "informed")]


@pytest.mark.parametrize(
    ("written", "final"),
    [
        ((), ("undetermined", "undetermined")),  # its machine may stand still, and send when it goes on
        (((What.SENDING, ""),), ("undetermined", "undetermined")),
        (((What.SENDING, ""), (What.ANSWERED, "")), ("undetermined", "undetermined")),
        (((What.SENDING, ""), (What.UNSENT, "")), ("due", None)),
        (((What.SENDING, ""), (What.ENDED, "busy")), ("undetermined", "undetermined")),  # the result may still come
    ],
)
async def test_the_journal_of_another_host_is_believed_only_in_what_stays_true(
    world: World, tmp_path: Path, written: tuple[tuple[What, str], ...], final: tuple[str, str | None]
) -> None:
    other = recovery(world, tmp_path, "south-line-1")
    await other.open()
    world.now += 1
    item = await dial(world)
    await note(world, tmp_path, item, *written)
    world.now += 60 + FOREIGN_GRACE_S
    await other.settle_expired()
    assert [state for state, _ in await states(world)] == ["dialing"]  # its own host comes first
    world.now += 1
    await other.settle_expired()
    assert await states(world) == [final]


async def test_an_end_that_another_host_never_told_is_taken_from_its_journal_in_the_end(
    world: World, tmp_path: Path
) -> None:
    item = await dial(world)
    await note(world, tmp_path, item, (What.SENDING, ""), (What.ENDED, "informed"))
    world.now += 3600
    await recovery(world, tmp_path, "south-line-1").settle_expired()
    assert await states(world) == [("done", "informed")]


async def test_an_expired_claim_of_another_host_is_given_back_at_once(world: World, tmp_path: Path) -> None:
    await world.claim()
    world.now += 31
    await recovery(world, tmp_path, "south-line-1").settle_expired()
    assert await states(world) == [("due", None)]


async def given_up(world: World, folder: Path) -> Claim:
    """A call that other hosts left undetermined while its own was cut off."""
    item = await dial(world)
    world.now += 61 + FOREIGN_GRACE_S
    await recovery(world, folder, "south-line-1").settle_expired()
    assert await states(world) == [("undetermined", "undetermined")]
    return item


async def test_a_result_that_comes_late_is_not_lost(world: World, tmp_path: Path) -> None:
    item = await given_up(world, tmp_path)
    result = world.result(item, Disposition.ACCEPTED, outcome="at_home", recording="a.wav")
    assert await world.store.write(lambda c: settle(c, result, now=world.now))
    assert not await world.store.write(lambda c: settle(c, result, now=world.now))
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"], attempt["outcome"]) == ("done", "accepted", "at_home")
    assert attempt["result"]["recording"] == "a.wav"
    assert [row["disposition"] for row in await world.rows(contacts)] == ["accepted"]


async def test_a_late_result_under_another_fence_changes_nothing(world: World, tmp_path: Path) -> None:
    item = await given_up(world, tmp_path)
    result = world.result(item, Disposition.ACCEPTED, fence=item.fence + 1)
    assert not await world.store.write(lambda c: settle(c, result, now=world.now))
    assert await states(world) == [("undetermined", "undetermined")]


@pytest.mark.parametrize(
    ("result", "follows"),
    [
        ({"disposition": Disposition.BUSY}, True),
        ({"disposition": Disposition.BUSY, "answered_at": datetime(2026, 11, 24, 12, tzinfo=UTC)}, False),
        ({"disposition": Disposition.HUNG_UP}, False),
        ({"disposition": Disposition.NO_ANSWER}, False),  # the policy has no delay for it
    ],
)
async def test_after_a_late_result_only_who_was_not_reached_is_tried_again(
    world: World, tmp_path: Path, result: dict[str, object], follows: bool
) -> None:
    policy = {"max_attempts": 3, "delays_s": {"busy": 10, "hung_up": 10}}
    await world.store.write(
        lambda c: campaigns.change(c, world.campaign_ids[0], campaigns.Action.CANCEL, now=world.now)
    )
    # a second customer keeps the campaign running
    await world.campaign([ANN, BEN], settings={"retry": policy})
    (item, *_) = await world.claim(limit=1)
    await world.intend(item)
    world.now += 61 + FOREIGN_GRACE_S
    await recovery(world, tmp_path, "south-line-1").settle_expired()
    await world.store.write(lambda c: settle(c, world.result(item, **result), now=world.now))  # type: ignore[arg-type]
    mine = {row["ordinal"]: row for row in await world.attempts() if row["number"] == item.number and row["fence"] == 0}
    following = [row for row in mine.values() if row["ordinal"] == 2]
    assert [row["state"] for row in following] == (["due"] if follows else [])
    assert all(row["due_at"] >= world.now for row in following)


async def test_a_late_result_after_the_campaign_was_completed_is_the_last_word(world: World, tmp_path: Path) -> None:
    item = await given_up(world, tmp_path)
    assert (await world.kinds())[-1] == "campaign.completed"
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.BUSY), now=world.now))
    assert await states(world) == [("done", "busy")]
    assert [row["disposition"] for row in await world.rows(contacts)] == ["busy"]


async def test_a_journal_that_was_elsewhere_meanwhile_vouches_for_nothing(world: World, tmp_path: Path) -> None:
    """A dialer's name ran on one machine, then on another, and comes back: the first journal missed the call."""
    first, second = tmp_path / "first", tmp_path / "second"
    await recovery(world, first).open()
    world.now += 3600
    await recovery(world, second).open()
    world.now += 60
    await dial(world)
    world.now += 120
    back = recovery(world, first)
    await back.open()
    await back.settle_leftovers()
    assert [row["state"] for row in await world.attempts()] == ["undetermined"]


async def test_a_late_result_calls_off_what_an_operator_planned_for_somebody_who_was_reached(world: World) -> None:
    item = await dial(world)
    row = (await world.attempts())[0]
    await world.store.write(lambda c: c.execute(update(attempts).where(attempts.c.id == row["id"]).values(**LOST)))
    await world.store.write(
        lambda c: resolve(c, item.attempt_id, Disposition.NO_ANSWER, again=True, note="", now=world.now)
    )
    assert sorted(row["state"] for row in await world.attempts()) == ["done", "due"]
    await world.store.write(lambda c: settle(c, world.result(item, Disposition.ACCEPTED), now=world.now))
    assert [row["state"] for row in await world.attempts()] == ["done", "done"]
    assert await world.claim() == []
    assert (await world.receipts())[-1]["code"] == "reached"


async def test_whoever_was_told_is_not_called_again_and_a_refusal_is_kept(world: World) -> None:
    item = await dial(world)
    await world.store.write(lambda c: c.execute(update(attempts).values(**LOST)))
    with pytest.raises(Conflict, match="not called again"):
        await world.store.write(
            lambda c: resolve(c, item.attempt_id, Disposition.DECLINED, again=True, note="", now=world.now)
        )
    await world.store.write(
        lambda c: resolve(c, item.attempt_id, Disposition.DECLINED, again=False, note="", now=world.now)
    )
    assert [row["attempt_id"] for row in await world.rows(refusals)] == [item.attempt_id]
