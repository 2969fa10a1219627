"""Verification: whatever is done to a receipt or a day is found and named; nothing is found where nothing is."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, null, select, text, update
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from outbound.errors import Unavailable
from outbound.receipts.chain import append
from outbound.receipts.heads import FILE, OPEN_EVERY_S, Head, add, heads, keep_heads, last_head, parse
from outbound.receipts.links import canonical, link
from outbound.receipts.opening import as_of_now, read_only
from outbound.receipts.report import LISTED
from outbound.receipts.stored import BATCH
from outbound.receipts.verify import verify
from outbound.services import Services
from outbound.store import Store
from outbound.store.attempts import release
from outbound.store.schema import attempts, erasures, receipt_days, receipts
from tests.outbound.conftest import Clock
from tests.outbound.receipts_world import DAY_S, NOON, a_receipt, change, either, engine, found, rows, three_days
from tests.outbound.world import World

pytestmark = pytest.mark.integration
__all__ = ["either", "engine"]  # fixtures
CHAINED = [column.name for column in receipts.c if column.name != "id"]


@pytest.fixture
def connection(engine: Engine) -> Any:
    """Three days of four receipts, in a transaction that is undone."""
    with engine.connect() as opened:
        three_days(opened)
        yield opened


def other(name: str, row: dict[str, Any]) -> Any:
    """A value that the field did not have."""
    value = row[name]
    if isinstance(value, bool):
        return not value
    if name == "next_at":
        return 1.0 if value is None else None
    if isinstance(value, int | float):
        return value + 50
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1, *value[1:]])
    if isinstance(value, dict):
        return value | {"at": 1}
    return {"day": "2026-11-26"}.get(name, f"{value or ''}x"[:16])


def test_what_was_left_alone_is_unbroken(connection: Connection) -> None:
    report = verify(connection)
    assert report.unbroken
    assert report.summary() == "12 receipts over 3 days, unbroken; 0 erased"
    assert verify(connection, day="2026-11-25").summary() == "4 receipts over 1 days, unbroken; 0 erased"


def tampered(connection: Connection, tamper: Callable[[], object]) -> list[str]:
    """What is found after ``tamper``, which is undone."""
    savepoint = connection.begin_nested()
    tamper()
    lines = found(connection)
    savepoint.rollback()
    return lines


def test_any_changed_field_is_found(connection: Connection) -> None:
    for row in rows(connection):
        for name in CHAINED:
            values = {name: other(name, row)}
            assert tampered(connection, lambda row=row, values=values: change(connection, row["id"], **values)), values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed", True),
        ("code", "allowed"),
        ("reason", "within 08:00–21:00 – every zone"),
        ("channel", "sms"),
        ("purpose", "marketing"),
        ("attempt_id", "01X"),
        ("commitment", bytes(32)),
        ("hash", bytes(32)),
        ("personal", {"number": "+15550100"}),
    ],
)
def test_the_changed_field_is_named_with_what_it_was(connection: Connection, name: str, value: Any) -> None:
    row = rows(connection)[6]
    change(connection, row["id"], **{name: value})
    lines = found(connection)
    assert any(line.startswith(f"2026-11-25 #{row['seq']}: ") and f"`{name}`" in line for line in lines), lines
    if name in ("allowed", "code", "reason"):
        assert f"written as {row[name]!r}" in lines[0]


def test_what_no_receipt_can_hold_is_found(engine: Engine) -> None:
    """Half-written JSON, numbers that are none, a text where a hash belongs."""
    if engine.dialect.name != "sqlite":
        return  # its columns refuse them
    spoilt = {"evidence": "'{'", "personal": "'{\"a\": NaN}'", "hash": "'x'", "commitment": "5", "at": "'noon'"}
    spoilt |= {"seq": "'one'", "allowed": "7", "salt": "'salt'", "next_at": "x'00'"}
    for name, value in spoilt.items():
        with engine.connect() as connection:
            three_days(connection)
            connection.execute(text(f"UPDATE receipts SET {name} = {value} WHERE id = 6"))
            assert found(connection), name


def test_any_removed_receipt_is_found(connection: Connection) -> None:
    for row in rows(connection):
        removal = delete(receipts).where(receipts.c.id == row["id"])
        lines = tampered(connection, lambda removal=removal: connection.execute(removal))
        assert any(row["day"] in line and ("missing" in line or "the day had" in line) for line in lines), lines


def test_any_receipt_taken_out_of_its_day_is_found(connection: Connection) -> None:
    nothing: dict[str, Any] = {"day": None, "seq": None, "hash": None, "commitment": None}
    for row in rows(connection):
        assert tampered(connection, lambda row=row: change(connection, row["id"], **nothing))


def test_two_receipts_that_changed_places_are_found(connection: Connection) -> None:
    for one, two in pairwise(rows(connection)):
        assert tampered(connection, lambda one=one, two=two: swap(connection, one, two))


def swap(connection: Connection, one: dict[str, Any], two: dict[str, Any]) -> None:
    """Exchange the places of two receipts."""
    change(connection, one["id"], seq=-1)
    change(connection, two["id"], day=one["day"], seq=one["seq"])
    change(connection, one["id"], day=two["day"], seq=two["seq"])


def make_room(connection: Connection, day: str, seq: int) -> None:
    """Move the receipts of a day from ``seq`` on by one place, and its count."""
    late = select(receipts.c.id, receipts.c.seq).where(receipts.c.day == day, receipts.c.seq >= seq)
    for row in connection.execute(late.order_by(receipts.c.seq.desc())).all():
        change(connection, row.id, seq=row.seq + 1)
    mine = update(receipt_days).where(receipt_days.c.day == day)
    connection.execute(mine.values(count=receipt_days.c.count + 1))


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_an_inserted_receipt_is_found(connection: Connection, seq: int) -> None:
    make_room(connection, "2026-11-25", seq)
    forged = rows(connection)[0] | {"day": "2026-11-25", "seq": seq}
    connection.execute(insert(receipts), {name: forged[name] for name in CHAINED})
    lines = found(connection)
    assert any(line.startswith("2026-11-25") for line in lines)
    if seq == 3:
        assert any("it was moved: it was written as #3" in line for line in lines), lines


def test_a_receipt_put_in_beside_the_chain_is_found(connection: Connection) -> None:
    forged = rows(connection)[0] | {"day": None, "seq": None, "hash": None, "commitment": None}
    connection.execute(insert(receipts), {name: forged[name] for name in CHAINED})
    assert ["outside the chain" in line for line in found(connection)] == [True]


@pytest.mark.parametrize("day", ["2026-11-24", "2026-11-25"])
def test_a_whole_missing_day_is_found(connection: Connection, day: str) -> None:
    connection.execute(delete(receipts).where(receipts.c.day == day))
    assert any(line == f"{day}: all receipts of the day are missing" for line in found(connection))
    connection.execute(delete(receipt_days).where(receipt_days.c.day == day))
    assert any("missing" in line for line in found(connection))


def test_a_change_of_what_a_day_came_to_is_found(connection: Connection) -> None:
    for row in connection.execute(select(receipt_days)).mappings().all():
        for name in ("before", "count", "head", "day"):
            mine = update(receipt_days).where(receipt_days.c.day == row["day"])
            values = {name: other(name, dict(row))}
            assert tampered(connection, lambda mine=mine, values=values: connection.execute(mine.values(**values)))


def written_anew(connection: Connection, keep: Callable[[dict[str, Any]], bool], **changes: Any) -> None:
    """Forge the whole chain from receipts that are kept and changed, as whoever owns the database can."""
    old, before = [row for row in rows(connection) if keep(row)], bytes(32)
    connection.execute(delete(receipts))
    connection.execute(delete(receipt_days))
    for day in sorted({row["day"] for row in old}):
        start, mine = before, [row for row in old if row["day"] == day]
        for seq, row in enumerate(mine, start=1):
            row |= {**changes, "seq": seq}
            before = row["hash"] = link(before, row, canonical(row["evidence"]), row["commitment"])
        connection.execute(insert(receipts), mine)
        row = {"day": day, "before": start, "count": len(mine), "head": before}
        connection.execute(insert(receipt_days), row)


@pytest.mark.parametrize(
    ("keep", "changes", "shown"),
    [
        (lambda row: True, {"allowed": True}, "written anew"),
        (lambda row: row["seq"] != 2, {}, "say 4 receipts and #3 is the last"),
        (lambda row: row["day"] != "2026-11-27", {}, "2026-11-27: all receipts of the day are missing"),
        (lambda row: row["day"] != "2026-11-27" or row["seq"] < 4, {}, "2026-11-27: the heads kept outside say 4"),
    ],
)
def test_a_chain_that_was_forged_whole_differs_from_its_heads(
    connection: Connection, keep: Any, changes: dict[str, Any], shown: str
) -> None:
    kept = parse("\n".join(head.line() for head in heads(connection)))
    assert found(connection, heads=kept) == []
    written_anew(connection, keep, **changes)
    assert found(connection) == []
    assert any(shown in line for line in found(connection, heads=kept)), found(connection, heads=kept)


def test_an_open_day_may_grow_and_a_closed_one_may_not(connection: Connection) -> None:
    kept = heads(connection)
    assert [head.is_open for head in kept] == [False, False, True]
    append(connection, [a_receipt(900, at=NOON + 3 * DAY_S + 50)])
    assert found(connection, heads=kept) == []
    closed = [replace(head, is_open=False) for head in kept]
    assert any("was closed with 4 receipts" in line for line in found(connection, heads=closed))


def test_erased_people_do_not_break_the_chain(connection: Connection) -> None:
    change(connection, rows(connection)[3]["id"], personal=null(), salt=None)
    assert any("although no erasure took it" in line for line in found(connection))
    row = {"id": "1", "token": "~A", "counts": {"receipts": 1}, "created_at": NOON}
    connection.execute(insert(erasures), row)
    assert verify(connection).summary() == "12 receipts over 3 days, unbroken; 1 erased"
    change(connection, rows(connection)[4]["id"], salt=None)
    assert any("half of its personal data" in line for line in found(connection))


def test_receipts_from_before_the_chain_are_counted(engine: Engine) -> None:
    with engine.connect() as connection:
        old = {"at": 1.0, "campaign_id": "a", "contact_id": "b", "allowed": True, "code": "c", "reason": "d"}
        connection.execute(insert(receipts), [old | {"rule": "e", "evidence": {}}] * 3)
        assert verify(connection).summary() == (
            "0 receipts over 0 days, unbroken; 0 erased; 3 from before the chain are not covered"
        )
        three_days(connection)
        assert verify(connection).before_chain == 3
        assert verify(connection).unbroken


def test_findings_of_a_ruined_chain_are_listed_up_to_a_limit(engine: Engine) -> None:
    with engine.connect() as connection:
        append(connection, [a_receipt(number) for number in range(LISTED + 200)])
        connection.execute(update(receipts).values(purpose="x"))
        report = verify(connection)
    assert (len(report.findings), report.unlisted) == (LISTED, 200)
    assert "1,200 findings" in report.summary()


@functools.cache
def a_filled_memory() -> Engine:
    """Three days in memory; each example works in a transaction that is undone."""
    memory = create_engine("sqlite://")

    def prepare(raw: Any, _: Any) -> None:
        raw.isolation_level = None

    event.listen(memory, "connect", prepare)
    event.listen(memory, "begin", lambda opened: opened.exec_driver_sql("BEGIN"))
    receipts.metadata.create_all(memory)
    with memory.begin() as opened:
        three_days(opened, 6)
    return memory


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_single_change_removal_insertion_or_swap_is_found(data: st.DataObject) -> None:
    with a_filled_memory().connect() as connection:
        all_rows = rows(connection)
        row = data.draw(st.sampled_from(all_rows))
        kind = data.draw(st.sampled_from(["change", "remove", "insert", "swap"]))
        if kind == "change":
            name = data.draw(st.sampled_from(CHAINED))
            values = {
                bool: st.booleans(),
                int: st.integers(100, 200),
                float: st.floats(0, 4e9),
                bytes: st.binary(min_size=16, max_size=32),
                dict: st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
            }
            kind_of = float if name == "next_at" else type(row[name])
            value = data.draw(values.get(kind_of, st.text(max_size=12)).filter(lambda new: new != row[name]))
            change(connection, row["id"], **{name: value})
        elif kind == "remove":
            connection.execute(delete(receipts).where(receipts.c.id == row["id"]))
        elif kind == "insert":
            seq = data.draw(st.integers(1, 7))
            make_room(connection, row["day"], seq)
            forged = row | {"seq": seq, "salt": row["salt"] or secrets.token_bytes(16)}
            connection.execute(insert(receipts), {key: forged[key] for key in CHAINED})
        else:
            swap(connection, row, data.draw(st.sampled_from([item for item in all_rows if item["id"] != row["id"]])))
        assert found(connection), (kind, row["id"])


def test_memory_stays_flat(engine: Engine) -> None:
    """No more than one batch is asked for at a time, however long the day is."""
    asked: list[int] = []
    with engine.connect() as connection:
        for start in range(0, 3 * BATCH, 1000):
            append(connection, [a_receipt(number, at=NOON) for number in range(start, start + 1000)])

        @event.listens_for(connection, "before_cursor_execute")
        def note(_: Any, cursor: Any, *rest: Any) -> None:
            asked.append(getattr(rest[2], "execution_options", {}).get("yield_per", 0))

        assert verify(connection).receipts == 3 * BATCH
    assert BATCH in asked


def test_a_service_that_writes_meanwhile_is_no_damage(engine: Engine) -> None:
    with engine.begin() as connection:
        three_days(connection)
    with engine.connect() as reading:
        as_of_now(reading)
        reading.execute(select(receipt_days.c.count)).all()
        with engine.begin() as writing:
            append(writing, [a_receipt(700, at=NOON + 3 * DAY_S + 90), a_receipt(701, at=NOON + 5 * DAY_S)])
        assert verify(reading).summary() == "12 receipts over 3 days, unbroken; 0 erased"
    with engine.connect() as reading:
        assert verify(reading).receipts == 14


@pytest.mark.parametrize("running", [True, False])
def test_the_database_is_opened_read_only_with_the_service_running_or_stopped(tmp_path: Path, running: bool) -> None:
    url = f"sqlite:///{tmp_path / 'outbound.db'}"
    opened = Store(url)
    opened.start()
    with opened._engine.begin() as connection:
        three_days(connection)
    if not running:
        opened.close()
    with read_only(url) as connection:
        assert verify(connection).receipts == 12
        with pytest.raises(Exception, match="readonly"):
            connection.execute(delete(receipts))
    if running:
        opened.close()


def test_postgresql_is_opened_read_only(either: Store) -> None:
    if either.is_sqlite:
        return
    with either._engine.begin() as connection:
        three_days(connection)
    with read_only(str(either.url)) as connection:
        assert verify(connection).receipts == 12
        with pytest.raises(DBAPIError, match="read-only"):
            connection.execute(delete(receipts))


def test_what_is_no_database_of_ours_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="there is no database"), read_only(f"sqlite:///{tmp_path / 'none.db'}"):
        pass
    create_engine(f"sqlite:///{tmp_path / 'old.db'}").connect().execute(text("CREATE TABLE x (y)")).close()
    with pytest.raises(Unavailable, match="older version"), read_only(f"sqlite:///{tmp_path / 'old.db'}"):
        pass


def test_lines_of_heads_are_read_back() -> None:
    lines = [Head(day="2026-11-24", count=3, head=bytes(range(32))), Head(day="x", count=1, head=bytes(32))]
    opened = replace(lines[0], is_open=True)
    timed = replace(opened, at=NOON)
    assert parse(f"{lines[0].line()}\n\n{opened.line()}\r\n{timed.line()}") == [lines[0], opened, timed]
    for wrong in (lines[1].line(), f"{opened.line()} 2026-13-01T00:00:00Z", f"{lines[0].line()} 2026-12-01T00:00:00Z"):
        with pytest.raises(Exception, match="line 2"):
            parse(f"{lines[0].line()}\n{wrong}")


def test_the_file_of_heads_is_only_added_to(tmp_path: Path) -> None:
    path = tmp_path / "below" / FILE
    first, second = (Head(day=f"2026-11-2{day}", count=day, head=bytes([day] * 32)) for day in (4, 5))
    assert last_head(path) is None
    add(path, [first])
    with path.open("a") as file:
        file.write(second.line()[:30])  # a crash in the middle of a line
    assert last_head(path) == first
    grown = replace(second, is_open=True, at=NOON)
    add(path, [first, grown])
    add(path, [replace(grown, at=NOON + OPEN_EVERY_S), replace(grown, count=6, at=NOON + 60)])
    add(path, [first, second])
    add(path, [replace(first, count=99), replace(second, count=99)])
    assert path.read_text() == f"{first.line()}\n{grown.line()}\n{second.line()}\n"
    assert grown.line().endswith(" open 2026-11-24T12:00:00Z")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_heads_are_kept_by_the_sweep(services: Services) -> None:
    path = services.settings.data_dir / FILE
    await keep_heads(services)
    assert not path.exists()
    await services.store.write(three_days)
    await keep_heads(services)
    await keep_heads(services)
    kept = parse(path.read_text())
    assert [(head.day, head.count, head.is_open) for head in kept] == [
        ("2026-11-24", 4, False),
        ("2026-11-25", 4, False),
        ("2026-11-27", 4, True),
    ]
    assert await services.store.read(lambda connection: found(connection, heads=kept)) == []


async def test_the_head_of_an_open_day_is_kept_once_an_hour(services: Services, clock: Clock) -> None:
    path = services.settings.data_dir / FILE
    for minutes in range(0, 150, 10):
        clock.now = NOON + minutes * 60
        if minutes <= 120:
            await services.store.write(lambda c, at=clock.now: append(c, [a_receipt(1, at=at)]))  # type: ignore[misc]
        await keep_heads(services)
    clock.now += OPEN_EVERY_S
    await keep_heads(services)
    kept = parse(path.read_text())
    assert [(head.count, head.at) for head in kept] == [(1, NOON), (7, NOON + 3600), (13, NOON + 7200)]
    assert all(head.is_open for head in kept)
    await services.store.write(lambda c: cut(c, 8))
    assert await services.store.read(found) == [], "whoever cuts the chain can say that this is its end"
    lines = await services.store.read(lambda c: found(c, heads=kept))
    assert lines == ["2026-11-24: the heads kept outside say 13 receipts and #8 is the last"]


async def test_a_clock_that_once_was_far_ahead_leaves_the_chain_checkable(services: Services, clock: Clock) -> None:
    path, far = services.settings.data_dir / FILE, NOON + 900 * DAY_S
    await services.store.write(lambda c: append(c, [a_receipt(1), a_receipt(2, at=far)]))
    for hour in range(1, 4):
        clock.now = NOON + hour * 3600
        await services.store.write(lambda c, at=clock.now: append(c, [a_receipt(3, at=at)]))  # type: ignore[misc]
        with capture_logs() as logs:
            await keep_heads(services)
        assert [entry["log_level"] for entry in logs] == ["warning"]
    kept = parse(path.read_text())
    assert [(head.day, head.count) for head in kept] == [("2026-11-24", 1), *(("2029-05-12", 1 + n) for n in (1, 2, 3))]
    report = await services.store.read(lambda c: verify(c, heads=kept))
    assert report.summary() == "5 receipts over 2 days, unbroken; 0 erased"
    await services.store.write(lambda c: cut(c, 3, day="2029-05-12"))
    assert await services.store.read(lambda c: found(c, heads=kept))


def test_two_heads_of_one_count_are_both_looked_at(connection: Connection) -> None:
    (_, _, last) = heads(connection)
    for lines in ([last, replace(last, head=bytes(32))], [replace(last, head=bytes(32)), last]):
        assert any("written anew" in line for line in found(connection, heads=lines))


def cut(connection: Connection, keep: int, day: str = "2026-11-24") -> None:
    """Remove the end of a day as whoever owns the database can: the day is made to end before."""
    connection.execute(delete(receipts).where(receipts.c.day == day, receipts.c.seq > keep))
    mine = update(receipt_days).where(receipt_days.c.day == day)
    head = select(receipts.c.hash).where(receipts.c.day == day, receipts.c.seq == keep).scalar_subquery()
    connection.execute(mine.values(count=keep, head=head))


async def test_whatever_left_without_a_receipt_is_found(services: Services) -> None:
    world = World(services.store)
    await world.trunk()
    await world.campaign([f"+4477009000{who:02}" for who in range(6)])
    world.now += 60
    claims = await world.claim()
    early, *late, given_back = [(await world.intend(item), item)[1] for item in claims]
    release_it = {"attempt_id": given_back.attempt_id, "fence": given_back.fence}
    await services.store.write(lambda c: release(c, **release_it, due_at=NOON, now=world.now, reason="line_full"))
    report = await services.store.read(verify)
    assert report.unbroken, report.findings
    only = select(receipts.c.seq).where(receipts.c.attempt_id == early.attempt_id)
    kept = await services.store.read(lambda c: c.execute(only).scalar_one())
    await services.store.write(lambda c: cut(c, kept))
    lines = await services.store.read(found)
    why = "left and no receipt permits it: the chain's end was cut off, or the gate passed by"
    assert lines == [f"2026-11-24: attempt {key} {why}" for key in sorted(item.attempt_id for item in late)]
    old = update(attempts).where(attempts.c.id != early.attempt_id).values(dialed_at=NOON - DAY_S)
    await services.store.write(lambda c: c.execute(old))
    assert await services.store.read(found) == [], "what left before the chain began has no receipt in it"
    spoilt = update(attempts).where(attempts.c.id == late[0].attempt_id).values(dialed_at=1e300)
    await services.store.write(lambda c: c.execute(spoilt))
    (line,) = await services.store.read(found)
    assert line.startswith(f"all days: attempt {late[0].attempt_id} left")
