"""Lists in a real database, SQLite and PostgreSQL alike: whole or not at all, resumed, nobody freed by accident."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from outbound.callflows import CallflowLibrary
from outbound.errors import Conflict, Invalid, NotFound
from outbound.ids import new_id
from outbound.queue.jobs import JOBS, sweep
from outbound.registers import load
from outbound.services import Services
from outbound.settings import Settings
from outbound.store import Store, register_imports, registers
from outbound.store.registers import RegisterState
from outbound.store.schema import contacts, events
from outbound.stream import EventStream
from tests.outbound.both import KINDS, empty_database
from tests.outbound.world import World

pytestmark = pytest.mark.integration

DAY = 86400.0
PEOPLE = [447700900000 + n for n in range(100)]


class Office:
    """A world with registers and files that are loaded into them."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.store, self.folder = world, world.store, folder / "imports"
        self.folder.mkdir()
        self.enqueued: list[tuple[str, str]] = []

        async def enqueue(name: str, key: str) -> None:
            self.enqueued.append((name, key))

        self.services = Services(
            settings=Settings(data_dir=folder),
            store=self.store,
            callflows=CallflowLibrary(self.store),
            stream=EventStream(self.store),
            enqueue=enqueue,
            kick=lambda: None,
            clock=lambda: self.world.now,
        )

    async def register(self, name: str, kind: str = "national") -> None:
        await self.store.write(lambda c: registers.create(c, name, kind, now=self.world.now))

    async def send(self, name: str, content: Sequence[int] | str, *, as_of: float = 1.0, **more: Any) -> str:
        """Put a list where it waits to be loaded; return its id."""
        import_id = new_id(self.world.now)
        text = content if isinstance(content, str) else "".join(f"+{number}\n" for number in content)
        (self.folder / f"{import_id}.list").write_text(text)
        values = {"register": name, "mode": more.pop("mode", None), "path": f"{import_id}.list", "options": more}
        await self.store.write(
            lambda c: register_imports.create(c, import_id, **values, as_of=as_of, now=self.world.now)  # type: ignore[arg-type]
        )
        return import_id

    async def load(self, name: str, content: Sequence[int] | str, **more: Any) -> dict[str, Any]:
        """Send a list and load it; return how that went."""
        import_id = await self.send(name, content, **more)
        await load.load_register(self.services, import_id)
        return await self.show(import_id)

    async def show(self, import_id: str) -> dict[str, Any]:
        return dict(await self.store.read(lambda c: register_imports.get(c, import_id)))

    async def state(self, name: str) -> dict[str, Any]:
        return dict(await self.store.read(lambda c: registers.get(c, name)))

    async def listed(self, numbers: Sequence[int]) -> set[int]:
        """Which of the numbers are in some register."""
        found = await self.store.read(lambda c: registers.lookup(c, [f"+{number}" for number in numbers]))
        return {int(number[1:]) for number, names in found.items() if names}


@pytest.fixture(params=KINDS)
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    store = Store(empty_database(request.param, request, tmp_path))
    store.start()
    world = World(store)
    await world.trunk()
    made = Office(world, tmp_path)
    await made.register("dnc")
    yield made
    store.close()


async def test_a_list_is_loaded_and_looked_up(office: Office) -> None:
    await office.register("house", "house")
    made = await office.load("dnc", [*PEOPLE, PEOPLE[0]], as_of=office.world.now - DAY)
    assert (made["state"], made["accepted"], made["rejected"], made["rows"]) == ("done", 101, 0, 101)
    stands = await office.state("dnc")
    assert (stands["entries"], stands["generation"]) == (100, 1)
    await office.load("house", [PEOPLE[0], 14155550123])
    found = await office.store.read(lambda c: registers.lookup(c, ["+447700900000", "+447700900001", "+1", "a-token"]))
    assert found == {
        "+447700900000": frozenset({"dnc", "house"}),
        "+447700900001": frozenset({"dnc"}),
        "+1": frozenset(),
        "a-token": frozenset(),
    }
    assert await office.store.read(registers.states) == {
        "dnc": RegisterState(kind="national", as_of=office.world.now - DAY, loaded=True),
        "house": RegisterState(kind="house", as_of=1.0, loaded=True),
    }
    assert not list(office.folder.iterdir())


async def test_when_a_number_was_last_listed_is_known(office: Office) -> None:
    await office.register("house", "house")
    first = office.world.now
    await office.load("house", PEOPLE[:2])
    office.world.now += DAY
    await office.load("house", PEOPLE[1:3])
    known = await office.store.read(
        lambda c: registers.told_at(c, [f"+{number}" for number in PEOPLE[:4]] + ["a-token"])
    )
    assert known == {
        f"+{PEOPLE[0]}": {"house": first},
        f"+{PEOPLE[1]}": {"house": first + DAY},
        f"+{PEOPLE[2]}": {"house": first + DAY},
    }


async def test_a_register_that_was_never_loaded_says_so(office: Office) -> None:
    assert (await office.store.read(registers.states))["dnc"] == RegisterState(
        kind="national", as_of=None, loaded=False
    )


async def test_a_newer_list_replaces_the_older(office: Office) -> None:
    await office.load("dnc", PEOPLE, as_of=1.0)
    made = await office.load("dnc", [*PEOPLE[30:], 14155550123], as_of=2.0)
    assert made["state"] == "done"
    assert await office.listed(PEOPLE) == set(PEOPLE[30:])
    stands = await office.state("dnc")
    assert (stands["entries"], stands["as_of"], stands["generation"]) == (71, 2.0, 2)


async def test_numbers_are_added_to_what_is_there(office: Office) -> None:
    await office.load("dnc", PEOPLE[:50], as_of=1.0)
    await office.load("dnc", PEOPLE[40:60], as_of=2.0, mode="add")
    assert await office.listed(PEOPLE) == set(PEOPLE[:60])
    assert (await office.state("dnc"))["entries"] == 60


async def test_only_a_whole_list_makes_a_national_register_fresh(office: Office) -> None:
    await office.load("dnc", PEOPLE, as_of=1.0)
    await office.load("dnc", [14155550123], as_of=60 * DAY, mode="add")
    stands = await office.state("dnc")
    assert (stands["as_of"], stands["entries"]) == (1.0, 101)
    await office.load("dnc", PEOPLE, as_of=61 * DAY)
    assert (await office.state("dnc"))["as_of"] == 61 * DAY


@pytest.mark.parametrize("end", ["finish", "fail", "make_newest"])
async def test_whoever_ends_a_load_has_its_turn_before_any_row(office: Office, end: str) -> None:
    """A batch of a house list has its turn and then the row: the other way round PostgreSQL lets one of them die."""
    import_id = await office.send("dnc", PEOPLE)
    row = await office.store.read(lambda c: register_imports.get(c, import_id))
    ways: dict[str, Callable[[Connection], None]] = {
        "finish": lambda c: register_imports.finish(c, import_id, now=1.0),
        "fail": lambda c: register_imports.fail(c, import_id, "cut off", now=1.0),
        "make_newest": lambda c: register_imports.make_newest(c, row, entries=1, now=1.0),
    }
    did: list[str] = []

    def unit(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", lambda *seen: did.append(seen[2]))
        ways[end](connection)

    await office.store.write(unit)
    assert len(did) > 1
    if not office.store.is_sqlite:  # which has one writer
        assert "pg_advisory_xact_lock" in did[0]


async def test_a_list_that_was_cut_off_frees_nobody(office: Office) -> None:
    await office.load("dnc", PEOPLE, as_of=1.0)
    before = await office.state("dnc")
    made = await office.load("dnc", [*PEOPLE[:40], 14155550123], as_of=2.0)
    assert made["state"] == "failed"
    assert "41 numbers and the register 100" in made["error"]
    assert await office.state("dnc") == before
    assert await office.listed([*PEOPLE, 14155550123]) == {*PEOPLE, 14155550123}
    meant = await office.load("dnc", PEOPLE[:40], as_of=2.0, shrink=True)
    assert meant["state"] == "done"
    assert await office.listed([*PEOPLE, 14155550123]) == set(PEOPLE[:40])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("<!DOCTYPE html>\n<p>Please log in</p>\n<p>+447700900001</p>\n", "hold no number"),
        ("<!DOCTYPE html>\n" + "<p>Please log in</p>\n" * 6000, "line 2:"),
        ("name,phone\nAnn,x\n", "name the column"),
        ("07700900001\n", "hold no number"),
    ],
)
async def test_what_is_no_list_is_refused_by_name(office: Office, content: str, said: str) -> None:
    await office.load("dnc", PEOPLE, as_of=1.0)
    before = await office.state("dnc")
    made = await office.load("dnc", content, as_of=2.0)
    assert made["state"] == "failed"
    assert said in made["error"]
    assert await office.state("dnc") == before
    assert await office.listed(PEOPLE) == set(PEOPLE)


async def test_rejects_are_kept_by_line(office: Office) -> None:
    made = await office.load("dnc", "number\n+447700900001\nnobody\n+447700900002\n")
    assert (made["state"], made["accepted"], made["rejected"]) == ("done", 2, 1)
    rejects = await office.store.read(lambda c: register_imports.page_rejects(c, made["id"], after=-1, limit=9))
    assert [row["row"] for row in rejects] == [3]


async def test_a_fresh_list_has_those_planned_again_who_waited_for_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "RECONSIDERED", 2)
    now = office.world.now
    await office.register("ca-dncl")
    await office.load("ca-dncl", PEOPLE, as_of=now - 60 * DAY)
    numbers = [f"+1416555010{n}" for n in range(5)]
    campaign = await office.world.campaign(numbers, purpose="marketing", plan=False)
    toronto = update(contacts).values(consent="express", zones=["America/Toronto"])
    await office.store.write(lambda c: c.execute(toronto))
    await office.world.plan(campaign)
    assert {row["code"] for row in await office.world.receipts()} == {"register_stale"}
    await office.load("ca-dncl", PEOPLE[:1], as_of=now - DAY, mode="add")
    assert not [row for row in await office.world.rows(contacts) if not row["planned"]]
    office.enqueued.clear()
    await office.load("ca-dncl", PEOPLE, as_of=now - DAY)
    assert office.enqueued == [("plan_campaign", campaign)]
    await office.world.plan(campaign)
    assert sorted(row["number"] for row in await office.world.attempts()) == numbers


def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "BATCH", 5)
    monkeypatch.setattr(load, "HOUSE_BATCH", 5)
    monkeypatch.setattr(load, "CHUNK", 20)


@pytest.mark.parametrize("writes", [0, 1, 4, 6, 17, 23, 25, 27])
async def test_a_load_that_is_broken_off_goes_on_there(
    office: Office, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    small_steps(monkeypatch)
    await office.load("dnc", PEOPLE, as_of=1.0)
    content = [*PEOPLE[20:], *range(14155550100, 14155550130)]
    import_id = await office.send("dnc", content, as_of=2.0)
    write, left = office.store.write, writes

    async def dies(unit: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise asyncio.CancelledError
        return await write(unit)

    monkeypatch.setattr(office.store, "write", dies)
    with pytest.raises(asyncio.CancelledError):
        await load.load_register(office.services, import_id)
    monkeypatch.setattr(office.store, "write", write)
    assert (await office.show(import_id))["state"] in ("queued", "running")
    assert await office.listed(PEOPLE[20:]) == set(PEOPLE[20:])
    await sweep(office.services)
    assert ("load_register", import_id) in office.enqueued
    await JOBS["load_register"](office.services, import_id)
    made = await office.show(import_id)
    assert (made["state"], made["accepted"], made["rows"]) == ("done", 110, 110)
    assert await office.listed([*PEOPLE, *content]) == set(content)
    assert (await office.state("dnc"))["entries"] == 110
    await load.load_register(office.services, import_id)
    assert await office.show(import_id) == made


async def test_until_a_list_is_whole_old_and_new_count(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    small_steps(monkeypatch)
    await office.load("dnc", PEOPLE[:50], as_of=1.0)
    before = await office.state("dnc")
    import_id = await office.send("dnc", PEOPLE[50:], as_of=2.0)
    write, seen = office.store.write, []

    async def looks(unit: Any) -> Any:
        seen.append((await office.listed(PEOPLE), (await office.state("dnc"))["as_of"]))
        return await write(unit)

    monkeypatch.setattr(office.store, "write", looks)
    await load.load_register(office.services, import_id)
    for listed, as_of in seen:
        assert listed >= set(PEOPLE[:50]) or as_of == 2.0
        assert as_of == before["as_of"] or listed >= set(PEOPLE[50:])
    assert await office.listed(PEOPLE) == set(PEOPLE[50:])


async def test_the_same_load_twice_at_once_is_done_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    small_steps(monkeypatch)
    import_id = await office.send("dnc", PEOPLE)
    await asyncio.gather(*(load.load_register(office.services, import_id) for _ in range(3)))
    while (await office.show(import_id))["state"] == "running":
        await load.load_register(office.services, import_id)
    made = await office.show(import_id)
    assert (made["state"], made["accepted"]) == ("done", 100)
    assert (await office.state("dnc"))["entries"] == 100
    assert (await office.world.kinds()).count("register.done") == 1


async def test_a_run_that_lasts_too_long_stops_where_it_is(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    small_steps(monkeypatch)
    import_id = await office.send("dnc", PEOPLE)
    monkeypatch.setattr(load, "BUDGET_S", 0.0)
    await load.load_register(office.services, import_id)
    assert (await office.show(import_id))["state"] == "queued"
    monkeypatch.setattr(load, "BUDGET_S", 90.0)
    await load.load_register(office.services, import_id)
    assert (await office.show(import_id))["state"] == "done"


async def test_a_lost_file_is_said_with_the_remedy(office: Office) -> None:
    import_id = await office.send("dnc", PEOPLE)
    (office.folder / f"{import_id}.list").unlink()
    await load.load_register(office.services, import_id)
    made = await office.show(import_id)
    assert made["state"] == "failed"
    assert "send it again" in made["error"]


async def test_a_house_list_cancels_what_waits_and_tells_what_is_live(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_steps(monkeypatch)
    await office.register("house", "house")
    numbers = [f"+{number}" for number in PEOPLE[:30]]
    campaign = await office.world.campaign(numbers)
    live = await office.world.claim(limit=2)
    made = await office.load("house", PEOPLE[:30])
    assert made["state"] == "done"
    found = await office.world.attempts()
    assert {row["number"] for row in found if row["state"] == "claimed"} == {item.number for item in live}
    assert [row["disposition"] for row in found if row["state"] != "claimed"] == ["cancelled"] * 28
    told = await office.world.rows(events)
    named = {row["data"]["number"] for row in told if row["kind"] == "register.listed"}
    assert named == {item.number for item in live}
    assert [row["campaign_id"] for row in told if row["kind"] == "attempt.done"] == [campaign] * 28


async def test_a_national_list_cancels_nothing(office: Office) -> None:
    await office.world.campaign([f"+{PEOPLE[0]}"])
    await office.load("dnc", PEOPLE)
    assert [row["state"] for row in await office.world.attempts()] == ["due"]


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        ("house", {"mode": "replace"}, "register_only_grows"),
        ("national", {"as_of": None}, "as_of_missing"),
        ("national", {"mode": "add"}, "register_not_loaded"),
    ],
)
async def test_what_would_free_people_is_not_begun(office: Office, kind: str, more: dict[str, Any], code: str) -> None:
    await office.register("other", kind)
    with pytest.raises((Conflict, Invalid)) as caught:
        await office.send("other", PEOPLE, **more)
    assert caught.value.code == code


async def test_an_older_list_and_a_second_one_at_once_are_refused(office: Office) -> None:
    await office.load("dnc", PEOPLE, as_of=5.0)
    with pytest.raises(Conflict) as caught:
        await office.send("dnc", PEOPLE, as_of=4.0)
    assert caught.value.code == "register_older"
    await office.load("dnc", PEOPLE[:1], as_of=4.0, mode="add")
    assert (await office.state("dnc"))["as_of"] == 5.0
    await office.send("dnc", PEOPLE, as_of=6.0)
    with pytest.raises(Conflict) as caught:
        await office.send("dnc", PEOPLE, as_of=7.0)
    assert caught.value.code == "register_busy"
    with pytest.raises(NotFound):
        await office.send("nothing", PEOPLE)


async def test_what_a_broken_list_brought_goes_with_the_next_whole_one(office: Office) -> None:
    await office.load("dnc", PEOPLE[:50], as_of=1.0)
    failed = await office.load("dnc", [14155550123], as_of=2.0)
    assert failed["state"] == "failed"
    assert await office.listed([14155550123]) == {14155550123}
    await office.load("dnc", PEOPLE[:50], as_of=3.0)
    assert await office.listed([14155550123, *PEOPLE]) == set(PEOPLE[:50])
