"""Rows that are taken quickly come out as the long way takes them; blocks of lines are read as single lines are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from campaigns.flow.variables import Variable
from outbound.importing import csv_reader
from outbound.importing.columns import Columns, Wanted, read_header
from outbound.importing.csv_reader import CsvReader
from outbound.importing.quick import QuickCheck
from outbound.importing.rows import ContactRules
from outbound.importing.source import RECORD_LIMIT
from outbound.store.contacts import ready
from outbound.store.imports import Rejected

pytestmark = pytest.mark.unit
DECLARED = {
    variable.name: variable
    for variable in (
        Variable(name="customer_name"),
        Variable(name="parcel", default="parcel"),
        Variable(name="day", kind="day"),
        Variable(name="price", kind="money", default="1 USD"),
        Variable(name="business", per="campaign"),
        Variable(name="ref", default=""),
    )
}
HEADERS = (
    ["number", "name", "zone", "day", "parcel", "price"],
    ["number", "customer_name", "day", "language", "consent", "country", "region", "postcode"],
    ["day", "Number", "Name", "ref", "shoe size", "business"],
    ["day", "number"],
    ["number", "name", "day", "customer_name"],
)
CELLS = {
    "number": [
        *("+14155550123", "+1 (415) 555-0123", "415 555 0123", "+442079460018", "020 7946 0018", "+8613912345678"),
        *("+18005551234", "+19005551234", "+447700900123", "+5491123456789", "911", "", " ", "x", "+1415555012345"),
        *("+81 3-1234-5678", "+49 (0)30 1234567", "4.15E+11"),
    ],
    "zone": ["", "Europe/London", "America/Los_Angeles", "Mars/Base", " Europe/London", "  ", "US/Pacific"],
    "day": ["2026-12-03", "", "someday", "3 December", "=1", " 2026-12-03 ", "\u00a0"],
    "price": ["", "49.90 USD", "many", "1.000,50 EUR"],
    "language": ["", "en", "de", "EN", " en"],
    "consent": ["", "none", "express", "express_written", "yes", " express"],
    "country": ["", "US", "gb", "Atlantis", " US", "United Kingdom of Great Britain and Northern Ireland"],
    "region": ["", "FL", "Florida", "US-FL", "X"],
    "postcode": ["", "32401", "SW1A 1AA", "!"],
}
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "Ann", "Ann  Marie", "=cmd|x", "+3", "@a", "Jos\u0301e", "caf\ufffd", "x" * 121, "\x1f", "a\tb"]
    ),
    st.text(max_size=12),
    st.text("abc \u00e9\u4e2d'\"\\", max_size=12),
)
RULES = [
    ContactRules(default_region=region, languages={"en", "zh"}, declared=DECLARED, given=given_values)
    for region in (None, "US", "GB")
    for given_values in (
        {"business": "Acme"},
        {"business": "Acme", "day": "2026-12-05"},
        {"business": "", "parcel": "box"},
    )
]


@st.composite
def rows(draw: st.DrawFn) -> tuple[ContactRules, Columns, list[str]]:
    """A row of a file, its columns and the campaign's rules."""
    rules, header = draw(st.sampled_from(RULES)), draw(st.sampled_from(HEADERS))
    wanted = Wanted(known=list(DECLARED), required=[], ignored=["shoe size"])
    columns = read_header(header, wanted)
    cells = [draw(st.sampled_from(CELLS[name])) if name in CELLS else draw(TEXTS) for name in map(str.lower, header)]
    return rules, columns, cells[: draw(st.sampled_from([len(cells)] * 9 + [len(cells) - 1]))]


def the_long_way(rules: ContactRules, columns: Columns, cells: list[str]) -> object:
    outcome = rules.check(7, columns.fields(cells))
    return outcome if isinstance(outcome, Rejected) else ready(outcome)


@settings(max_examples=1500, deadline=None)
@given(rows())
def test_what_is_taken_quickly_is_what_the_long_way_takes(row: tuple[ContactRules, Columns, list[str]]) -> None:
    rules, columns, cells = row
    quick = QuickCheck(rules, columns)
    for _ in range(2):  # the second time from memory
        found = quick.take(7, cells)
        assert found is None or found == the_long_way(rules, columns, cells)


def test_a_usual_row_is_taken_quickly() -> None:
    columns = read_header(HEADERS[0], Wanted(known=list(DECLARED), required=[]))
    cells = ["+1 (415) 555-0123", "Jos\u00e9 \u738b", "", "2026-12-03", "shoes", ""]
    found = QuickCheck(RULES[0], columns).take(7, cells)
    assert found is not None
    assert found[:5] == (7, "+14155550123", "", "Jos\u00e9 \u738b", "")
    assert [json.loads(part) for part in (*found[5:7], found[8])] == [
        ["America/Los_Angeles"],
        ["US", "US-CA"],
        {"day": "2026-12-03", "parcel": "shoes"},
    ]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outbound.importing.quick.REMEMBERED", 3)
    monkeypatch.setattr("outbound.importing.quick.VALUES_REMEMBERED", 2)
    columns = read_header(HEADERS[0], Wanted(known=list(DECLARED), required=[]))
    quick = QuickCheck(RULES[0], columns)
    for area in (212, 213, 214, 215, 303, 415):
        cells = [f"+1{area}5550123", "Ann", "", f"2026-12-{area % 20 + 1:02}", "", ""]
        assert quick.take(7, cells) == the_long_way(RULES[0], columns, cells)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["+1,Ann,Mon", '+1,"Ann",Mon', '+1,"An\nn",Mon', '+1,"Ann,Mon', '"', "", ",,", " , ,", "a,b,c,d", "a"]
        ),
        st.sampled_from(["+1,An\x00n,Mon", 'x,"a"b,c', '"a""b",c,d', "x" * (RECORD_LIMIT + 5), '"' + "y" * 50_000]),
        st.text('ab,"\n\r ', max_size=12),
    ),
    max_size=12,
)


def read(path: Path, content: str) -> list[object]:
    path.write_text(content, encoding="utf-8", newline="")
    reader = CsvReader(path, "utf-8", wanted=Wanted(known=["day"], required=["day"]))
    try:
        return list(reader.rows())
    finally:
        reader.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 4))
@example(['+1,"A', "B", 'C",Mon', '"', "+2,x,y"], "\n", 2)
def test_blocks_are_read_as_single_lines_are(tmp_path: Path, lines: list[str], ending: str, block: int) -> None:
    content = ending.join(["number,name,day", *lines]) + ending
    found = []
    for size in (0, block, 500):  # 0: every line singly
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_reader, "BLOCK", size)
            found.append(read(tmp_path / "contacts.csv", content))
    assert found[0] == found[1] == found[2]
