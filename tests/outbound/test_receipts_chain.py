"""The chain as it is written: the same bytes in both databases, one hash after the other, no day ever reopened."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, select

from outbound.receipts.chain import NewReceipt, PersonalDataInChain, append
from outbound.receipts.links import GENESIS, canonical, day_of
from outbound.receipts.verify import verify
from outbound.store.schema import receipt_days
from tests.outbound.receipts_world import DAY_S, NOON, NUMBER, a_receipt, either, engine, fill, found, rows, three_days

pytestmark = pytest.mark.integration
__all__ = ["either", "engine"]  # fixtures
FIELDS = ("day", "seq", "at", "campaign_id", "contact_id", "attempt_id", "channel", "purpose", "allowed", "code")
FIELDS += ("reason", "rule", "source", "next_at", "evidence")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aZé ü~", max_size=5), inner, max_size=4),
    max_leaves=12,
)


def days(connection: Any) -> list[Any]:
    return list(connection.execute(select(receipt_days).order_by(receipt_days.c.day)).all())


def test_anybody_can_follow_the_chain_with_the_standard_library(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection, [a_receipt(0), a_receipt(1)], [a_receipt(2)])
        before = bytes(32)
        for row in rows(connection):
            whole = {name: row[name] for name in FIELDS} | {"commitment": row["commitment"].hex()}
            line = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            before = hashlib.sha256(before + line.encode()).digest()
            assert row["hash"] == before
            personal = json.dumps(row["personal"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert row["commitment"] == hashlib.sha256(row["salt"] + personal.encode()).digest()
        (day,) = days(connection)
    assert (day.day, day.before, day.count, day.head) == ("2026-11-24", bytes(32), 3, before)


def test_each_day_goes_on_from_the_one_before(engine: Engine) -> None:
    with engine.begin() as connection:
        three_days(connection)
        first, second, third = days(connection)
    assert [day.day for day in (first, second, third)] == ["2026-11-24", "2026-11-25", "2026-11-27"]
    assert (first.before, second.before, third.before) == (GENESIS, first.head, second.head)


def test_one_call_may_reach_over_midnight(engine: Engine) -> None:
    midnight = NOON + DAY_S / 2
    with engine.begin() as connection:
        append(connection, [a_receipt(number, at=midnight + number - 2) for number in range(4)])
        assert [(row["day"], row["seq"]) for row in rows(connection)] == [
            ("2026-11-24", 1),
            ("2026-11-24", 2),
            ("2026-11-25", 1),
            ("2026-11-25", 2),
        ]
        assert found(connection) == []


def test_a_clock_that_jumps_back_over_midnight_reopens_no_day(engine: Engine) -> None:
    midnight = NOON + DAY_S / 2
    with engine.begin() as connection:
        fill(connection, [a_receipt(0, at=midnight - 5)], [a_receipt(1, at=midnight + 1)])
        fill(connection, [a_receipt(2, at=midnight - 3), a_receipt(3, at=midnight + 2)])
        assert [(row["day"], row["seq"]) for row in rows(connection)] == [
            ("2026-11-24", 1),
            ("2026-11-25", 1),
            ("2026-11-25", 2),
            ("2026-11-25", 3),
        ]
        assert [row["at"] for row in rows(connection)][2] == midnight - 3
        assert found(connection) == []


def test_a_unit_that_is_rolled_back_leaves_no_gap(engine: Engine) -> None:
    with engine.begin() as connection:
        append(connection, [a_receipt(0)])
        savepoint = connection.begin_nested()
        append(connection, [a_receipt(1)])
        savepoint.rollback()
        append(connection, [a_receipt(2)])
        assert [row["seq"] for row in rows(connection)] == [1, 2]
        assert found(connection) == []


def test_nothing_to_append_is_no_write(engine: Engine) -> None:
    with engine.begin() as connection:
        append(connection, [])
        assert days(connection) == []


@settings(max_examples=60, deadline=None)
@given(evidence=st.dictionaries(st.text("abü", max_size=3), JSON, max_size=5), at=st.floats(0, 4e9), later=JSON)
def test_what_is_read_back_hashes_as_it_did_in_sqlite(evidence: Any, at: float, later: Any) -> None:
    memory = create_engine("sqlite://")
    receipt_days.metadata.create_all(memory)
    with memory.begin() as connection:
        append(connection, [a_receipt(0, at=at, next_at=at / 3, evidence=evidence, personal={"x": later})])
        assert found(connection) == []
        assert canonical(rows(connection)[0]["evidence"]) == canonical(evidence)


def odd_receipts() -> list[NewReceipt]:
    """Values that a careless database or serialiser would give back otherwise."""
    floats = [0.1, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, -0.0, 1 / 3, 1795521571.3300002, 2.0**53 + 2]
    texts = ["", " ", "é", "e\u0301", "\u2028", "\U0001f600", "\x7f", '"\\/', "null", "1e5", "\u00ff"]
    evidences: list[dict[str, Any]] = [
        {"floats": floats, "texts": texts, "whole": [0, -1, 2**53 + 1, 10**30], "none": None, "yes": True},
        {"b": 1, "a": {"ü": 1, "u": 2, "U": 3}, "": [], "deep": [[[{}]]]},
        {"tuple": (1, 2), "zone": "Europe/London"},
        {},
    ]
    made = [a_receipt(number, evidence=evidence) for number, evidence in enumerate(evidences)]
    made += [a_receipt(10 + number, at=NOON, next_at=value) for number, value in enumerate(floats)]
    made += [a_receipt(30 + number, reason=value, source=value) for number, value in enumerate(texts)]
    return [*made, a_receipt(50, at=int(NOON), next_at=int(NOON), evidence={"rank": {2: "b", 10: "a"}})]


def test_what_is_read_back_hashes_as_it_did(engine: Engine) -> None:
    with engine.begin() as connection:
        append(connection, odd_receipts())
        report = verify(connection)
    assert [finding.line() for finding in report.findings] == []
    assert report.receipts == len(odd_receipts())


def test_what_is_not_json_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(ValueError, match="JSON"):
        append(connection, [a_receipt(0, evidence={"x": float("nan")})])


@pytest.mark.parametrize(
    "where",
    [
        {"reason": f"{NUMBER} is on the list"},
        {"rule": f"house/{NUMBER}"},
        {"evidence": {"seen": [{"number": NUMBER}]}},
        {"evidence": {"seen": int(NUMBER[1:])}},
        {"evidence": {NUMBER: 1}},
        {"evidence": {"link": f"tel:{NUMBER[1:]}"}},
    ],
)
def test_a_number_outside_personal_is_refused(engine: Engine, where: dict[str, Any]) -> None:
    with engine.begin() as connection:
        with pytest.raises(PersonalDataInChain) as refused:
            append(connection, [a_receipt(0, personal={"number": NUMBER}, **where)])
        assert NUMBER[1:] not in str(refused.value)
        assert rows(connection) == []


def test_writers_on_several_machines_make_one_chain(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:  # one writer by construction
            fill(connection, *([a_receipt(number)] for number in range(20)))
    else:

        def write(first: int) -> None:
            for number in range(first, first + 20):
                with engine.begin() as connection:
                    append(connection, [a_receipt(number), a_receipt(number + 500)])

        writers = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    with engine.connect() as connection:
        report = verify(connection)
    assert report.unbroken, report.findings
    assert report.receipts == (20 if engine.dialect.name == "sqlite" else 120)


def test_days_are_those_of_utc() -> None:
    assert day_of(0) == "1970-01-01"
    assert (day_of(NOON - 43200), day_of(NOON - 43200.5)) == ("2026-11-24", "2026-11-23")
