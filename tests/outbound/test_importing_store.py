"""Contacts put away in batches, in either database: in their order, each telephone once, their text as it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, select, update

from outbound.rehearsal.gauges import BARE_CAMPAIGN, BARE_TRUNK
from outbound.store import contacts as store
from outbound.store.contacts import NewContact
from outbound.store.erased import token_of
from outbound.store.inserting import PARAMETERS, insert_many
from outbound.store.schema import campaigns, contacts, metadata, trunks
from tests.outbound.both import KINDS, empty_database

pytestmark = pytest.mark.integration
TEXTS = ("a\\b \"c\" 'd'", "tab\there", "\\N", "\u738b\u5c0f\u660e \U0001f600", "line\nbreak\r", "%s :x {y}", "")


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(empty_database(request.param, request, tmp_path))
    metadata.create_all(made)
    with made.begin() as connection:
        connection.execute(insert(trunks), BARE_TRUNK)
        connection.execute(insert(campaigns), [BARE_CAMPAIGN | {"id": name * 26} for name in "AB"])
    yield made
    made.dispose()


def a_contact(row: int, number: str, **said: str) -> NewContact:
    return NewContact(
        row=row, number=number, zones=("UTC",), jurisdictions=("GB",), **said, variables={"day": f"day {row}"}
    )


def add(connection: Connection, *numbers: str, campaign: str = "A", now: float = 1.0) -> store.Added:
    batch = [a_contact(row, number) for row, number in enumerate(numbers, 1)]
    return store.add(connection, campaign * 26, batch, now=now)


def stored(connection: Connection, campaign: str = "A") -> list[str]:
    query = select(contacts.c.number).where(contacts.c.campaign_id == campaign * 26).order_by(contacts.c.id)
    return list(connection.execute(query).scalars())


def test_many_are_stored_in_their_order(engine: Engine) -> None:
    numbers = [f"+4477{n * 7919 % 10_000:08d}" for n in range(2500)]
    with engine.begin() as connection:
        assert add(connection, *numbers) == store.Added(accepted=2500, duplicates=())
        assert stored(connection) == numbers


@pytest.mark.parametrize("count", [0, 1, PARAMETERS // 11 - 1, PARAMETERS // 11, PARAMETERS // 11 + 1])
def test_any_number_of_rows_goes_in(engine: Engine, count: int) -> None:
    rows = [(f"{n:026d}", "A" * 26, f"+{n}", "[]", "{}", 1.0) for n in range(count)]
    with engine.begin() as connection:
        insert_many(connection, contacts, ("id", "campaign_id", "number", "zones", "variables", "created_at"), rows)
        assert stored(connection) == [f"+{n}" for n in range(count)]


def test_text_stays_as_it_is(engine: Engine) -> None:
    batch = [
        a_contact(row, f"+44770090000{row}", name=text, ref=text, language="en", consent="express")
        for row, text in enumerate(TEXTS)
    ]
    with engine.begin() as connection:
        store.add(connection, "A" * 26, batch, now=2.5)
        rows = connection.execute(select(contacts).order_by(contacts.c.id)).mappings().all()
    for row, contact in zip(rows, batch, strict=True):
        assert (row["name"], row["ref"]) == (contact.name, contact.ref)
        assert (row["zones"], row["jurisdictions"], row["variables"]) == (["UTC"], ["GB"], contact.variables)
        assert (row["language"], row["consent"], row["created_at"]) == ("en", "express", 2.5)
        assert (row["planned"], row["disposition"], row["alternates"]) == (False, None, [])


def test_a_number_is_in_a_campaign_once(engine: Engine) -> None:
    with engine.begin() as connection:
        assert add(connection, "+441", "+442", "+441").duplicates == (3,)
        assert add(connection, "+443", "+442", "+444", "+443", now=2.0).duplicates == (2, 4)
        assert add(connection, "+441", campaign="B").duplicates == ()
        assert stored(connection) == ["+441", "+442", "+443", "+444"]


def test_a_mobile_is_in_a_campaign_once_by_either_of_its_numbers(engine: Engine) -> None:
    with engine.begin() as connection:
        assert add(connection, "+541123456789", "+5491123456789", "+5491123456780").duplicates == (2,)
        assert add(connection, "+5491123456789", "+541123456780", "+541123456781", now=2.0).duplicates == (1, 2)
        assert stored(connection) == ["+541123456789", "+5491123456780", "+541123456781"]


def test_who_was_erased_does_not_come_back_by_either_number(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "+441", "+5491123456780")
        for number in ("+441", "+5491123456780"):
            token = token_of(connection, number)
            connection.execute(update(contacts).where(contacts.c.number == number).values(number=token))
        assert add(connection, "+441", "+442", "+541123456780", "+5491123456780", now=2.0).duplicates == (1, 3, 4)
        assert add(connection, "+441", campaign="B").duplicates == ()
        assert stored(connection)[2:] == ["+442"]
