"""Files of contacts as they come: encodings, delimiters, quotes, long lines; a bad record costs itself alone."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outbound.importing.columns import Wanted
from outbound.importing.csv_reader import CsvReader
from outbound.importing.ndjson_reader import NdjsonReader
from outbound.importing.records import Record
from outbound.importing.source import RECORD_LIMIT, FileRefused, detect_encoding
from outbound.store.imports import Rejected

pytestmark = pytest.mark.integration
WANTED = Wanted(known=["day", "parcel"], required=["day"])
HEADER = "number,name,day\n"


def read(path: Path, content: bytes | str, wanted: Wanted = WANTED, charset: str | None = None) -> tuple[str, list]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = CsvReader(path, detect_encoding(path, charset), wanted=wanted)
    try:
        return reader.read_as, list(reader.records())
    finally:
        reader.close()


def good(rows: list) -> list[tuple[int, dict]]:
    return [(row.row, row.fields) for row in rows if isinstance(row, Record)]


def bad(rows: list) -> list[tuple[int, str]]:
    return [(row.row, row.code) for row in rows if isinstance(row, Rejected)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "contacts.csv"


NAMES = "number,name,day\n+1,Jos\u00e9 \u0141uczak,Mon\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (NAMES.encode(), "utf-8"),
        (codecs.BOM_UTF8 + NAMES.encode(), "utf-8-sig"),
        (codecs.BOM_UTF16_LE + NAMES.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + NAMES.encode("utf-16-be"), "utf-16"),
        (codecs.BOM_UTF32_LE + NAMES.encode("utf-32-le"), "utf-32"),
        (NAMES.encode("utf-16-le"), "utf-16-le"),
        (NAMES.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_unicode_is_recognised_with_and_without_its_mark(file: Path, content: bytes, encoding: str) -> None:
    read_as, rows = read(file, content)
    assert f"CSV, {encoding}," in read_as
    assert good(rows) == [(2, {"number": "+1", "name": "Jos\u00e9 \u0141uczak", "variables": {"day": "Mon"}})]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        (
            "cp1252",
            [
                "Jos\u00e9 Garc\u00eda",
                "Fran\u00e7ois Lef\u00e8vre",
                "J\u00fcrgen M\u00fcller",
                "\u00c5sa Bj\u00f6rk",
                "Bj\u00f8rn \u00d8deg\u00e5rd",
            ],
        ),
        ("gb18030", ["\u738b\u5c0f\u660e", "\u674e\u5a1c", "\u5f20\u4f1f", "\u5218\u6d0b", "\u9648\u9759"]),
        (
            "cp1251",
            [
                "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432",
                "\u0410\u043d\u043d\u0430 \u0421\u043c\u0438\u0440\u043d\u043e\u0432\u0430",
                "\u041e\u043b\u044c\u0433\u0430 \u041a\u0443\u0437\u043d\u0435\u0446\u043e\u0432\u0430",
                "\u0421\u0435\u0440\u0433\u0435\u0439 \u041f\u043e\u043f\u043e\u0432",
            ],
        ),
    ],
)
def test_older_encodings_are_told_from_the_text(file: Path, encoding: str, names: list[str]) -> None:
    lines = "".join(f"+1,{name},Mon\n" for name in names * 4)
    _, rows = read(file, (HEADER + lines).encode(encoding))
    assert [fields["name"] for _, fields in good(rows)] == names * 4


def test_central_european_letters_are_not_taken_for_signs(file: Path) -> None:
    names = ["\u0141ukasz \u017b\u00f3\u0142\u0107", "Micha\u0142 \u0141uczak"]
    _, rows = read(file, (HEADER + "".join(f"+1,{name},Mon\n" for name in names)).encode("cp1250"))
    assert [fields["name"] for _, fields in good(rows)] == names


def test_an_encoding_that_cannot_be_told_is_refused_rather_than_guessed(file: Path) -> None:
    content = (HEADER + "+1,\u5c71\u7530\u592a\u90ce,Mon\n").encode("cp932")
    with pytest.raises(FileRefused, match="cp932 or cp949"):
        read(file, content)
    _, rows = read(file, content, charset="shift_jis")
    assert good(rows)[0][1]["name"] == "\u5c71\u7530\u592a\u90ce"


def test_the_charset_of_the_request_wins(file: Path) -> None:
    _, rows = read(file, (HEADER + "+1,Zo\u00eb,Mon\n").encode("cp1252"), charset="windows-1252")
    assert good(rows)[0][1]["name"] == "Zo\u00eb"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"num\x00\x00\x00\x01\x02ber", "not text"),
    ],
)
def test_what_is_no_text_is_refused_with_the_remedy(file: Path, content: bytes, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        read(file, content)


@pytest.mark.parametrize("charset", ["nonsense", "base64", "rot13", "zip"])
def test_a_charset_that_is_none_is_refused(file: Path, charset: str) -> None:
    with pytest.raises(FileRefused, match="charset"):
        read(file, HEADER, charset=charset)


def test_bytes_of_another_encoding_cost_their_row(file: Path) -> None:
    content = HEADER.encode() + "+1,Jos\u00e9,Mon\n".encode() + b"+2,Jos\xe9,Mon\n+3,Ann,Mon\n"
    _, rows = read(file, content)
    names = [fields["name"] for _, fields in good(rows)]
    assert names == ["Jos\u00e9", "Jos\ufffd", "Ann"]  # the lost character is refused with its cell


@pytest.mark.parametrize(("delimiter", "shown"), [(",", "','"), (";", "';'"), ("\t", "tab"), ("|", "'|'")])
def test_delimiters_are_recognised(file: Path, delimiter: str, shown: str) -> None:
    content = f"name{delimiter}number{delimiter}day\nAnn{delimiter}+1{delimiter}Mon\n"
    read_as, rows = read(file, content)
    assert read_as.endswith(shown)
    assert good(rows)[0][1]["number"] == "+1"


def test_excels_hint_names_the_delimiter(file: Path) -> None:
    _, rows = read(file, "sep=;\nnumber;day\n+1;Mon\n")
    assert good(rows) == [(3, {"number": "+1", "variables": {"day": "Mon"}})]


def test_headers_are_read_generously(file: Path) -> None:
    wanted = Wanted(known=["delivery_day"], required=["delivery_day"])
    _, rows = read(file, '" Number ",NAME,Delivery-Day\n+1,Ann,Mon\n', wanted)
    assert good(rows) == [(2, {"number": "+1", "name": "Ann", "variables": {"delivery_day": "Mon"}})]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("phone,day", "rename 'phone' to 'number'"),
        ("numbr,day", "rename 'numbr' to 'number'"),
        ("name,day", "no column 'number'"),
        ("number,day,parcell", "did you mean 'parcel'"),
        ("number,day,shoe_size", "ignore_columns=shoe_size"),
        ("number,day,zip", "did you mean 'postcode'"),
        ("number,day,Postal Code", "did you mean 'postcode'"),
        ("number,day,state", "did you mean 'region'"),
        ("number,day,time_zone", "did you mean 'zone'"),
        ("number,day,number", "'number' is there twice"),
        ("number,day,Day", "'day' is there twice"),
        ("number,name", "'day', which the call flow needs"),
        ('number,"day', "quote"),
        (",".join(f"c{n}" for n in range(300)), "columns"),
    ],
)
def test_wrong_columns_are_named_with_the_remedy(file: Path, header: str, said: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(file, header + "\n+1,x,y\n")
    assert said in refused.value.detail


def test_columns_can_be_left_out(file: Path) -> None:
    wanted = Wanted(known=["day"], required=["day"], ignored=["Shoe Size"])
    _, rows = read(file, "number,shoe_size,day\n+1,44,Mon\n", wanted)
    assert good(rows) == [(2, {"number": "+1", "variables": {"day": "Mon"}})]


def test_the_name_stands_for_customer_name(file: Path) -> None:
    wanted = Wanted(known=["customer_name"], required=["customer_name"])
    assert len(good(read(file, "number,name\n+1,Ann\n", wanted)[1])) == 1


def test_quotes_hold_delimiters_and_line_breaks(file: Path) -> None:
    _, rows = read(file, HEADER + '+1,"Smith, ""Ann""\nMarie",Mon\n+2,Bob,Tue\n')
    assert good(rows) == [
        (2, {"number": "+1", "name": 'Smith, "Ann"\nMarie', "variables": {"day": "Mon"}}),
        (4, {"number": "+2", "name": "Bob", "variables": {"day": "Tue"}}),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_line_endings_and_empty_rows(file: Path, ending: str) -> None:
    _, rows = read(file, ending.join(["number,day", "+1,Mon", "", ",", "  ,", "+2,Tue"]))
    assert [row for row, _ in good(rows)] == [2, 6]
    assert bad(rows) == []


def test_a_quote_that_is_never_closed_costs_one_row(file: Path) -> None:
    content = HEADER + '+1,Ann,Mon\n+2,"Bob,Tue\n+3,Cleo,Wed\n+4,"Dan",Thu\n+5,Eve,Fri\n'
    _, rows = read(file, content)
    assert [row for row, _ in good(rows)] == [2, 4, 5, 6]
    assert bad(rows) == [(3, "quotes")]


def test_unclosed_quotes_far_from_the_end_cost_one_row_each(file: Path) -> None:
    lines = [f'+{n},"Bob,Tue' if n % 500 == 0 else f"+{n},Ann,Mon" for n in range(1, 6001)]
    _, rows = read(file, HEADER + "\n".join(lines) + "\n")
    assert bad(rows) == [(n + 1, "quotes") for n in range(500, 6001, 500)]
    assert len(good(rows)) == 6000 - 12


def test_too_many_cells_are_refused_and_missing_ones_are_empty(file: Path) -> None:
    _, rows = read(file, HEADER + "+1,Smith, Ann,Mon\n+2,Bob\n+3,Cleo,Wed,,\n")
    assert bad(rows) == [(2, "columns")]
    assert good(rows) == [
        (3, {"number": "+2", "name": "Bob", "variables": {}}),
        (4, {"number": "+3", "name": "Cleo", "variables": {"day": "Wed"}}),
    ]


@pytest.mark.parametrize("filler", ["x", '"', ",", "\u00e9"])
def test_a_line_of_10_mb_costs_itself_alone(file: Path, filler: str) -> None:
    content = (
        HEADER + "+1,Ann,Mon\n" + filler * (10 * 1024 * 1024 // len(filler.encode())) + "\n+3,Cleo,Wed\n"
    ).encode()
    _, rows = read(file, content)
    assert [row for row, _ in good(rows)] == [2, 4]
    assert bad(rows) == [(3, "record_too_long")]


def test_a_quoted_cell_beyond_the_limit_is_a_quote_that_went_wrong(file: Path) -> None:
    inside = "word\n" * (RECORD_LIMIT // 5 + 10)
    _, rows = read(file, HEADER + f'+1,"{inside}",Mon\n+2,Bob,Tue\n')
    assert (2, "quotes") in bad(rows)
    assert good(rows)[-1][1]["number"] == "+2"


def test_ndjson_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "contacts.ndjson"
    lines = [
        '{"number": "+1", "variables": {"day": "Mon"}}',
        "",
        '{"number": "+2"',
        "[1]",
        '"x"',
        '{"number": "' + "9" * RECORD_LIMIT + '"}',
        "[" * 20_000,
        '{"n": ' + "9" * 5000 + "}",
        '{"number": "+9"}',
    ]
    path.write_bytes(codecs.BOM_UTF8 + "\r\n".join(lines).encode())
    reader = NdjsonReader(path, detect_encoding(path))
    rows = list(reader.records())
    reader.close()
    assert good(rows) == [(1, {"number": "+1", "variables": {"day": "Mon"}}), (9, {"number": "+9"})]
    assert bad(rows) == [
        (3, "malformed_json"),
        (4, "malformed_json"),
        (5, "malformed_json"),
        (6, "record_too_long"),
        (7, "malformed_json"),
        (8, "malformed_json"),
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab1+,;\"\n\r\t'\ufeff ", max_size=300), st.integers(1, 5))
def test_whatever_is_in_the_file_the_rows_around_it_are_read(
    tmp_path_factory: pytest.TempPathFactory, junk: str, after: int
) -> None:
    path = tmp_path_factory.mktemp("junk") / "contacts.csv"
    tail = "".join(f"+{n},Ann,Mon\n" for n in range(after))
    try:
        _, rows = read(path, f"{HEADER}+100,Ann,Mon\n{junk}\n\n{tail}")
    except FileRefused as error:
        pytest.fail(f"the header is good, and yet: {error}")
    numbers = [row.row for row in rows]
    assert numbers == sorted(set(numbers))
    assert good(rows)[0][1]["number"] == "+100"
    if '"' not in junk:
        assert [fields.get("number") for _, fields in good(rows)][-after:] == [f"+{n}" for n in range(after)]
