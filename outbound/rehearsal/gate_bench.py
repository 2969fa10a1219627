"""``outbound bench --gate``: the speed of decisions, plans, places, lists and receipts, each beside its limit.

CPU seconds of this process, because the machine may be busy with other work; peak memory as the kernel counts it.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import phonenumbers
from phonenumbers import timezone as number_zones
from sqlalchemy import Connection, insert

from campaigns.gate import Consent, OwnTerms, Question, Reached, Zone, decide
from campaigns.rules import built_in_packs
from outbound.gatehouse.rulebook import Edition, regime
from outbound.importing.numbers import resolve
from outbound.places import zones
from outbound.planning import plan_contacts
from outbound.receipts.chain import NewReceipt, append
from outbound.registers.load import load_register
from outbound.rehearsal.figures import Figure
from outbound.services import Services
from outbound.store import Store, register_imports, registers
from outbound.store.schema import campaigns, contacts, receipts, trunks

DECISIONS = 100_000
NUMBERS = 20_000
LIST_ROWS = 1_000_000
RECEIPTS = 20_000
PLAN_BATCH, FILL = 500, 20_000
FLORIDA = ["America/New_York", "America/Chicago"]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
PLACES = (
    (["America/New_York"], ["US", "US-NY"]),
    (["Europe/London"], ["GB"]),
    (["America/Denver", "America/Los_Angeles"], ["US", "US-FL"]),
    (["Asia/Shanghai"], ["CN"]),
)
WORLD = ("+12125550", "+13035550", "+442079460", "+33142345", "+493012345", "+8613812345", "+919812345", "+61298765")


def gate_figures(folder: Path, people: int) -> Iterator[Figure]:
    """Measure one after the other, in ``folder``; ``people``: contacts of the plan."""
    yield from _decisions()
    yield _places()
    yield asyncio.run(_list(folder))
    yield asyncio.run(_receipts(folder))
    yield from asyncio.run(_plan(folder, people))


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _decisions() -> Iterator[Figure]:
    """Resolved zones, instants all over a week; beside what reading a wall clock costs by itself."""
    instants = [NOON + random.Random(1).random() * 7 * 86400 for _ in range(1000)]  # noqa: S311 - a sample, no secret
    spread = [NOON + (instant - NOON) * place % (7 * 86400) for place, instant in enumerate(instants, 1)]
    tz = zones(["America/Denver"])[0].tz

    def read_clock() -> None:
        for number in range(DECISIONS):
            datetime.fromtimestamp(spread[number % 1000], tz)

    bare = DECISIONS / _cpu_s(read_clock)
    history = tuple(Reached(at=NOON - hours * 3600, purpose="marketing") for hours in (2, 30, 80))
    written = (Consent(id="c", kind="express_written", at=0.0),)
    cases: tuple[tuple[str, str, list[str], list[str], tuple[Reached, ...]], ...] = (
        ("default pack", "informational", ["America/Denver"], ["ZZ"], ()),
        ("United States, marketing", "marketing", ["America/Denver"], ["US", "US-CO"], ()),
        (
            "Florida, marketing, 3 earlier calls",
            "marketing",
            FLORIDA,
            ["US", "US-FL"],
            history,
        ),
        ("France, marketing, holidays", "marketing", ["Europe/Paris"], ["FR"], history),
    )
    for name, purpose, where, jurisdictions, tries in cases:
        rules = regime(Edition("bench", built_in_packs()), jurisdictions, purpose, "voice", OwnTerms(), at=NOON)
        question = Question(
            at=NOON, purpose=purpose, channel="voice", zones=_zones(where), consents=written, history=tries, guard_s=25
        )
        asked = [replace(question, at=at) for at in spread]
        allowed = sum(decide(one, rules).allowed for one in asked)

        def run(asked: Sequence[Question] = asked, rules: Any = rules) -> None:
            for number in range(DECISIONS):
                decide(asked[number % 1000], rules)

        rate = DECISIONS / _cpu_s(run)
        yield Figure(
            what=f"Decisions: {name}",
            value=f"{rate:,.0f}/CPU-s ({allowed / 10:.0f}% allowed, else with the next instant)",
            beside=f"reading a wall clock alone: {bare:,.0f}/CPU-s ({rate / bare:.1%})",
            aim="50,000" if name == "default pack" else "",
        )


def _zones(names: list[str]) -> tuple[Zone, ...]:
    return zones(names)


def _places() -> Figure:
    """Numbers as they come, each its own; beside what phonenumbers alone takes for number and zones."""
    numbers = [f"{WORLD[n % len(WORLD)]}{n % 1000:03}" for n in range(NUMBERS)]

    def bare() -> None:
        for number in numbers:
            number_zones.time_zones_for_number(phonenumbers.parse(number))

    def ours() -> None:
        for number in numbers:
            resolve(number)

    alone, mine = NUMBERS / _cpu_s(bare), NUMBERS / _cpu_s(ours)
    return Figure(
        what="Numbers resolved to zones and jurisdictions",
        value=f"{mine:,.0f}/CPU-s",
        beside=f"phonenumbers' parse and time zones: {alone:,.0f}/CPU-s ({mine / alone:.0%})",
    )


async def _list(folder: Path) -> Figure:
    """A do-not-call list through its job, beside SQLite taking rows that are ready."""
    numbers = random.Random(2).sample(range(12_000_000_000, 19_999_999_999), LIST_ROWS)  # noqa: S311 - no secret
    (folder / "imports").mkdir(parents=True, exist_ok=True)
    (folder / "imports" / "list").write_text("".join(f"+{number}\n" for number in numbers))
    bare = LIST_ROWS / _cpu_s(lambda: _bare_entries(folder / "bare-list.db", numbers))
    store = Store(f"sqlite:///{folder / 'list.db'}")
    store.start()
    services = SimpleNamespace(store=store, settings=SimpleNamespace(data_dir=folder), clock=time.time)
    await store.write(lambda c: registers.create(c, "bench", "national", now=1.0))
    await store.write(
        lambda c: register_imports.create(
            c, "1", register="bench", mode=None, path="list", options={}, as_of=1.0, now=time.time()
        )
    )
    began, waited = time.process_time(), time.perf_counter()
    await load_register(cast("Services", services), "1")
    rate, wall = LIST_ROWS / (time.process_time() - began), time.perf_counter() - waited
    store.close()
    return Figure(
        what=f"Do-not-call list of {LIST_ROWS:,} numbers",
        value=f"{rate:,.0f} rows/CPU-s ({wall:.1f} s)",
        beside=f"bare sqlite3.executemany: {bare:,.0f} rows/CPU-s ({rate / bare:.0%})",
    )


def _bare_entries(path: Path, numbers: Sequence[int]) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    columns = "register TEXT, number INTEGER, generation INTEGER, PRIMARY KEY (register, number)"
    connection.execute(f"CREATE TABLE entries ({columns}) WITHOUT ROWID")
    with connection:
        connection.executemany("INSERT OR REPLACE INTO entries VALUES ('bench', ?, 1)", ((n,) for n in numbers))
    connection.close()


async def _receipts(folder: Path) -> Figure:
    """Receipts of decisions in batches of 200, chained and durable; beside the same rows without a chain."""
    store = Store(f"sqlite:///{folder / 'receipts.db'}")
    store.start()
    one = NewReceipt(
        at=NOON,
        campaign_id="0" * 26,
        contact_id="1" * 26,
        attempt_id=None,
        channel="voice",
        purpose="informational",
        allowed=True,
        code="permitted",
        reason="every rule allows it",
        rule="us@1",
        source="",
        next_at=NOON,
        evidence={"at": NOON, "zones": ["America/Denver"], "packs": ["us@1", "house@1"]},
        personal={"number": "+13035550123"},
    )
    batch = [one] * 200
    chained = await _timed(store, lambda connection: append(connection, batch))
    rows = [{"at": NOON, "campaign_id": "0", "contact_id": "1", "allowed": True, "code": "permitted"}] * 200
    full = [row | {"reason": "", "rule": "us@1", "evidence": one.evidence, "personal": one.personal} for row in rows]
    plain = await _timed(store, lambda connection: _insert_plain(connection, full))
    store.close()
    return Figure(
        what="Receipts appended",
        value=f"{chained:,.0f}/CPU-s",
        beside=f"the same rows without a chain: {plain:,.0f}/CPU-s ({chained / plain:.0%})",
    )


def _insert_plain(connection: Connection, rows: list[dict[str, Any]]) -> None:

    connection.execute(insert(receipts), rows)


async def _timed(store: Store, unit: Callable[[Connection], None]) -> float:
    began = time.process_time()
    for _ in range(RECEIPTS // 200):
        await store.write(unit)
    return RECEIPTS / (time.process_time() - began)


async def _plan(folder: Path, people: int) -> Iterator[Figure]:
    """A campaign of ``people`` planned to the last; beside writing attempts and events without asking anything."""
    store = Store(f"sqlite:///{folder / 'plan.db'}")
    store.start()
    await store.write(_campaign)
    for start in range(0, people, FILL):
        await store.write(lambda c, start=start: _contacts(c, start, min(people, start + FILL)))  # type: ignore[misc]
    memory = _peak_mib()
    began, waited = time.process_time(), time.perf_counter()
    while await store.write(lambda c: plan_contacts(c, "C", now=NOON, limit=PLAN_BATCH)):
        pass
    cpu_s, wall_s, grown = time.process_time() - began, time.perf_counter() - waited, _peak_mib() - memory
    store.close()
    bare = _bare_attempts(folder / "bare-plan.db", min(people, 200_000))
    return iter(
        [
            Figure(
                what=f"Plan of {people:,} contacts",
                value=f"{wall_s:,.0f} s, {people / cpu_s:,.0f} contacts/CPU-s",
                beside=f"bare executemany of attempts and events: {bare:,.0f}/CPU-s ({people / cpu_s / bare:.1%})",
            ),
            Figure(
                what="Peak memory while planning",
                value=f"+{grown:.0f} MiB over {memory:.0f} MiB",
                beside=f"{people:,} contacts in batches of {PLAN_BATCH}",
                aim="flat",
            ),
        ]
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _campaign(connection: Connection) -> None:
    settings = {"windows": [], "ring_timeout_s": 25.0}
    trunk = {"name": "default", "settings": {}, "calls_per_second": 1.0, "channels": 1, "created_at": NOON}
    connection.execute(insert(trunks), trunk)
    row = {"id": "C", "kind": "campaign", "name": "Plan", "state": "running", "purpose": "informational"}
    row |= {"trunk": "default", "callflow": "none"}
    rest = {"flow": {}, "settings": settings, "max_concurrent": 1, "created_at": NOON}
    connection.execute(insert(campaigns), row | rest)


def _contacts(connection: Connection, start: int, end: int) -> None:
    rows = []
    for n in range(start, end):
        where, jurisdictions = PLACES[n % len(PLACES)]
        row = {"id": f"{n:026d}", "campaign_id": "C", "number": f"+1415{n:07d}", "zones": where}
        rows.append(row | {"jurisdictions": jurisdictions, "variables": {}, "created_at": NOON})
    connection.execute(insert(contacts), rows)


def _bare_attempts(path: Path, rows: int) -> float:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE attempts (id TEXT PRIMARY KEY, number TEXT, state TEXT, due_at REAL)")
    connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT, attempt_id TEXT, data TEXT)")
    attempts = [(f"{n:026d}", f"+1415{n:07d}", "due", NOON) for n in range(rows)]
    told = [("attempt.due", f"{n:026d}", '{"number": "+14150000000", "ordinal": 1}') for n in range(rows)]
    began = time.process_time()
    with connection:
        connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?)", attempts)
        connection.executemany("INSERT INTO events (kind, attempt_id, data) VALUES (?, ?, ?)", told)
    took = time.process_time() - began
    connection.close()
    return rows / took
