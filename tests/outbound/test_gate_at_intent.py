"""The gate asked again inside the transaction of the intent: what was committed before wins, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from campaigns.rules import RulesError
from outbound.erasing.erasure import erase, look
from outbound.store import consents, events, optins, optouts, refusals, registers, rulepacks
from outbound.store.schema import contacts, register_entries, rule_packs
from tests.outbound.test_attempt_life import world
from tests.outbound.world import World

pytestmark = pytest.mark.integration
__all__ = ["world"]

ANN = "+447700900001"
BAN: dict[str, Any] = {
    "name": "gb-ban",
    "title": "A ban",
    "version": "1",
    "effective_from": "2000-01-01",
    "jurisdictions": ["GB"],
    "bans": [
        {
            "id": "ban",
            "purposes": ["marketing", "informational"],
            "channels": ["voice"],
            "reason": "forbidden since a moment ago",
            "source": "a test",
            "mark": "H",
        }
    ],
}


def put_ban(connection: Connection) -> None:
    rulepacks.put(connection, "gb-ban", BAN, version="1", now=1.0)


def opt_out(connection: Connection) -> None:
    optouts.record(connection, number=ANN, scope="all", source="rest", words="stop", now=1.0)


def put_on_house_list(connection: Connection) -> None:
    events.take_turn(connection)
    registers.create(connection, "complaints", "house", now=1.0)
    row = {"register": "complaints", "number": int(ANN[1:]), "generation": 1}
    connection.execute(insert(register_entries), row)


@pytest.mark.parametrize(
    ("happens", "code"),
    [(put_ban, "banned"), (opt_out, "opted_out"), (put_on_house_list, "opted_out")],
    ids=["rule", "opt-out", "house list"],
)
async def test_what_is_committed_before_the_intent_wins(
    world: World, happens: Callable[[Connection], None], code: str
) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.store.write(happens)
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["disposition"]) == ("done", "refused")
    receipt = (await world.receipts())[-1]
    assert (receipt["allowed"], receipt["code"], receipt["attempt_id"]) == (False, code, attempt["id"])
    assert receipt["evidence"]["zones"] == ["Europe/London"]
    assert (await world.kinds())[-1] == "campaign.completed"  # it was the last that was open


async def test_a_withdrawn_pack_forbids_no_more(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    await world.store.write(put_ban)
    await world.store.write(lambda c: rulepacks.put(c, "gb-ban", None, version="1", now=2.0))
    assert await world.intend(item) is not None


async def test_consent_that_is_taken_back_after_planning_stops_the_call(world: World) -> None:
    campaign = await world.campaign([ANN], plan=False, purpose="marketing")
    paper = consents.About(number=ANN, scope="all", source="paper", at=world.now - 60)
    given = {"kind": "express_written", "proof": "letter 17", "expires_at": None}
    await world.store.write(lambda c: consents.grant(c, paper, **given, now=world.now))  # type: ignore[arg-type]
    await world.plan(campaign)
    (item,) = await world.claim()
    told = consents.About(number=ANN, scope="marketing", source="agent", words="no more", at=world.now - 1)
    await world.store.write(lambda c: consents.withdraw(c, told, now=world.now))
    assert await world.intend(item) is None
    assert (await world.receipts())[-1]["code"] == "consent_missing"


async def test_rules_that_cannot_be_read_put_the_call_off_and_end_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()

    def fails(*_: Any, **__: Any) -> Any:
        raise RulesError("the holidays of GB are not known: no library; install it")

    monkeypatch.setattr("outbound.gatehouse.keeper.regime", fails)
    assert await world.intend(item) is None
    (attempt,) = await world.attempts()
    assert (attempt["state"], attempt["due_at"]) == ("due", world.now + 900)
    receipt = (await world.receipts())[-1]
    assert receipt["code"] == "rules_unreadable"
    assert "install it" in receipt["reason"]
    monkeypatch.undo()
    world.now += 900
    (again,) = await world.claim()
    assert await world.intend(again) is not None


async def test_a_broken_pack_in_the_store_permits_nothing(world: World) -> None:
    await world.campaign([ANN])
    (item,) = await world.claim()
    row = {"id": "9" * 26, "name": "gb", "document": {"name": "gb", "hours": "always"}, "created_at": 1.0}
    await world.store.write(lambda c: c.execute(insert(rule_packs), row))
    assert await world.intend(item) is None
    assert (await world.receipts())[-1]["code"] == "rules_unreadable"


async def test_an_erased_customer_who_comes_back_is_still_known(world: World) -> None:
    await world.campaign([ANN])
    await world.store.write(opt_out)
    seen = await world.store.read(lambda c: look(c, ANN))
    await world.store.write(lambda c: erase(c, ANN, seen, now=world.now))
    await world.campaign([ANN])
    assert await world.claim() == []
    receipt = (await world.receipts())[-1]
    assert receipt["code"] == "opted_out"


async def test_only_the_customers_later_act_brings_the_number_back(world: World) -> None:
    await world.store.write(opt_out)
    act = {"number": ANN, "scope": "all", "source": "sms", "words": "START"}
    await world.store.write(lambda c: optins.record(c, **act, at=world.now, now=world.now))
    await world.campaign([ANN])
    (item,) = await world.claim()
    assert await world.intend(item) is not None


async def test_a_refusal_bars_selling_where_the_law_says_so(world: World) -> None:
    """France: nobody sells to somebody who refused within sixty days; a notice may still be given."""
    french = {"zones": ["Europe/Paris"], "jurisdictions": ["FR"], "consent": "express_written"}
    await world.store.write(
        lambda c: refusals.record(c, number=ANN, purpose="marketing", words="no", source="speech", now=world.now)
    )
    codes = {}
    for purpose in ("marketing", "informational"):
        campaign = await world.campaign([ANN], plan=False, purpose=purpose)
        mine = update(contacts).where(contacts.c.campaign_id == campaign).values(**french)
        await world.store.write(lambda c, mine=mine: c.execute(mine))  # type: ignore[misc]
        await world.plan(campaign)
        query = select(contacts.c.planned).where(contacts.c.campaign_id == campaign)
        assert await world.store.read(lambda c, query=query: c.execute(query).scalar_one())  # type: ignore[misc]
        codes[purpose] = [row["due_at"] for row in await world.attempts() if row["campaign_id"] == campaign]
    assert codes["informational"] == [world.now]
    assert codes["marketing"][0] > world.now + 60 * 86400
